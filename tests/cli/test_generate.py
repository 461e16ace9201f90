"""`groundup train FILE.txt`, `show` and `generate`: what a person reads."""

from collections.abc import Callable
from pathlib import Path

import pytest

import groundup as gu
from planted.prose import SMALL, write_prose

Main = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of runs: one that learned to write."""
    folder = tmp_path_factory.mktemp("runs")
    prose = write_prose(folder / "prose.txt")
    gu.train(prose, overrides={**SMALL, "training.steps": 20}, runs=folder, name="first")
    return folder


def test_it_writes_what_the_model_says(groundup_main: Main, runs: Path) -> None:
    words = ("generate", "first", "--runs", str(runs), "--prompt", "Who saw", "--tokens", "40", "--seed", "2")
    code, out, err = groundup_main(*words)
    assert (code, err) == (0, "")
    expected = gu.load_writer(runs / "first").generate("Who saw", n_tokens=40, seed=2)
    assert out == f"Who saw{''.join(expected)}\n"
    assert groundup_main(*words) == (code, out, err)


def test_a_package_alone_writes_too(groundup_main: Main, runs: Path) -> None:
    code, out, _ = groundup_main("generate", str(runs / "first" / "model"), "--tokens", "5")
    assert code == 0
    assert len(out.rstrip("\n")) <= 5


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--prompt", "ß"), "`ß`"),
        (("--prompt", ""), "prompt is empty"),
        (("--tokens", "-1"), "--tokens"),
        (("--temperature", "-1"), "--temperature"),
        (("--top-k", "0"), "--top-k"),
        (("--runs", "nowhere"), "no run `first`"),
    ],
)
def test_bad_words_get_an_answer(
    groundup_main: Main, runs: Path, words: tuple[str, ...], message: str
) -> None:
    code, out, err = groundup_main("generate", "first", "--runs", str(runs), *words)
    assert (code, out) == (2, "")
    assert message in err


def test_show_tells_scores_samples_and_what_to_type(groundup_main: Main, runs: Path) -> None:
    code, out, _ = groundup_main("show", "first", "--runs", str(runs))
    assert code == 0
    for words in ("bits per byte", "bigram counts", "before training:", "with the weights that are kept:"):
        assert words in out
    assert f"groundup generate {runs / 'first'} --prompt" in out


def test_training_shows_what_it_writes(groundup_main: Main, runs: Path) -> None:
    settings = [word for path, value in SMALL.items() for word in ("--set", f"{path}={value}")]
    words = ["train", str(runs / "prose.txt"), "--task", "generation", "--model", "transformer", *settings]
    code, out, err = groundup_main(
        *words, "--set", "training.steps=4", "--runs", str(runs), "--name", "told", "--progress", "plain"
    )
    assert (code, err) == (0, "")
    assert "Step 6 of 8: Train" in out
    assert "step 0 writes: " in out
    assert "bits per byte" in out


def test_a_text_that_is_none_is_an_error_of_one_paragraph(groundup_main: Main, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("Größe\n".encode("latin-1") * 1000)
    code, _, err = groundup_main("train", str(tmp_path / "a.txt"), "--runs", str(tmp_path / "runs"))
    assert code == 2
    assert "is not UTF-8: line 1 holds the byte `0xf6`" in err
    assert not (tmp_path / "runs").exists() or not list((tmp_path / "runs").iterdir())
