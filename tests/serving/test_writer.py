"""The package of a model that writes comes back as it was, and nothing damaged is loaded."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from groundup.core.errors import PackageError, PredictionInputError
from groundup.models.contract import TargetUnit
from groundup.models.network_fitted import FittedNetwork
from groundup.models.networks.architectures import build
from groundup.preparation.vocabulary import BytePairs, Characters, Vocabulary
from groundup.serving.package import load_package
from groundup.serving.writer import Writer, WriterContents, load_writer, write_writer

TEXT = "the quick brown fox\njumps over the lazy dog. "


def save(folder: Path, vocabulary: Vocabulary, n_tokens: int | None = None) -> str:
    arguments = {
        "n_tokens": n_tokens or vocabulary.size,
        "context": 16,
        "width": 16,
        "depth": 2,
        "n_heads": 2,
    }
    fitted = FittedNetwork(
        "decoder",
        arguments,
        build("decoder", arguments, seed=1),
        arrays=("tokens",),
        n_classes=vocabulary.size,
        target=TargetUnit(link="softmax"),
        facts={},
    )
    return write_writer(folder, WriterContents(vocabulary, fitted, "transformer"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save(tmp_path / "model", Characters.learn([TEXT], 100))
    return tmp_path / "model"


def said(writer: Writer, **how: int) -> str:
    return "".join(writer.generate("the ", n_tokens=50, **how))


def test_equal_models_have_equal_digests(tmp_path: Path) -> None:
    vocabulary = Characters.learn([TEXT], 100)
    digests = {save(tmp_path / name, vocabulary) for name in ("a", "b")}
    assert digests == {load_writer(tmp_path / "a").digest}


def test_it_writes_the_same_in_a_fresh_process(folder: Path) -> None:
    script = (
        "import sys, groundup as gu\n"
        "pieces = gu.load_writer(sys.argv[1]).generate('the ', n_tokens=50, seed=7)\n"
        "sys.stdout.write(''.join(pieces))"
    )
    words = [sys.executable, "-c", script, str(folder)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=True)
    writer = load_writer(folder)
    assert done.stdout == said(writer, seed=7)
    assert len(done.stdout) == 50
    assert said(writer, seed=7) != said(writer, seed=8)
    assert said(writer, seed=1, temperature=0) == said(writer, seed=2, temperature=0)
    assert said(writer, seed=1, top_k=1) == said(writer, temperature=0)


def test_a_prompt_longer_than_the_context_is_read_at_its_end(folder: Path) -> None:
    writer = load_writer(folder)
    assert list(writer.generate(TEXT, n_tokens=5)) == list(writer.generate(TEXT[-16:], n_tokens=5))


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"prompt": ""}, "prompt is empty"),
        ({"prompt": "the ß\t"}, r"`ß`, `U\+0009`"),
        ({"n_tokens": -1}, "`n_tokens` is `-1`"),
        ({"temperature": -0.5}, "`temperature` is `-0.5`"),
        ({"temperature": float("nan")}, "`temperature` is `nan`"),
        ({"top_k": 0}, "`top_k` is `0`"),
    ],
)
def test_what_it_cannot_go_on_from_is_refused_at_once(folder: Path, how: dict[str, str], words: str) -> None:
    with pytest.raises(PredictionInputError, match=words):
        load_writer(folder).generate(**how)  # type: ignore[arg-type]


def test_characters_spread_over_tokens_arrive_whole(tmp_path: Path) -> None:
    vocabulary = BytePairs.learn(["日本語 über"], 300)
    save(tmp_path / "model", vocabulary)
    writer = load_writer(tmp_path / "model")
    pieces = list(writer.generate("日本", n_tokens=200, temperature=1.5))
    assert all(pieces)
    assert len(pieces) < 200, "some tokens waited for the rest of a character"


@pytest.mark.parametrize("name", ["vocabulary.json", "weights/weights.safetensors", "weights/network.json"])
def test_a_damaged_file_is_refused(folder: Path, name: str) -> None:
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(PackageError, match=f"`{name}`.*damaged"):
        load_writer(folder)


def test_files_lost_or_added_are_refused(folder: Path, tmp_path: Path) -> None:
    lost = Path(shutil.copytree(folder, tmp_path / "lost"))
    (lost / "vocabulary.json").unlink()
    with pytest.raises(PackageError, match=r"`vocabulary\.json` is missing"):
        load_writer(lost)
    (folder / "weights" / "code.py").write_text("print(1)")
    with pytest.raises(PackageError, match=r"code\.py"):
        load_writer(folder)


def test_parts_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    save(tmp_path / "model", Characters.learn([TEXT], 100), n_tokens=99)
    with pytest.raises(PackageError, match="do not fit together"):
        load_writer(tmp_path / "model")


def test_a_table_model_does_not_write_and_a_writer_knows_no_table(folder: Path, package: Path) -> None:
    with pytest.raises(PackageError, match="does not write"):
        load_writer(package)
    with pytest.raises(PackageError, match="groundup generate"):
        load_package(folder)


def test_its_manifest_says_what_it_answers(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    assert (manifest["task"], manifest["inputs"]) == ("generation", [])
    assert manifest["outputs"] == [{"name": "text", "type": "text"}]
