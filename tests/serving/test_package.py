"""A package comes back as it was written, and nothing else is ever loaded."""

import dataclasses
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from groundup.core.errors import PackageError, StorageError
from groundup.serving.manifest import FORMAT_VERSION
from groundup.serving.package import PackageContents, load_package, write_package


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def copy(package: Path, tmp_path: Path) -> Path:
    """Return a copy of the package that a test may damage."""
    return Path(shutil.copytree(package, tmp_path / "model"))


def seal(folder: Path, manifest: dict[str, Any]) -> None:
    """Write a manifest with the digest that belongs to it, as a forger would."""
    content = json.dumps(manifest).encode()
    (folder / "manifest.json").write_bytes(content)
    (folder / "manifest.sha256").write_text(f"{hashlib.sha256(content).hexdigest()}  manifest.json\n")


def manifest_of(folder: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return document


def forge(folder: Path, **changes: Any) -> None:
    """Change the manifest and every digest over it."""
    from groundup.serving.manifest import Manifest

    manifest = Manifest.from_json(manifest_of(folder))
    seal(folder, dataclasses.replace(manifest, **changes).to_json())


def test_the_folder_holds_what_the_manifest_says(package: Path) -> None:
    manifest = manifest_of(package)
    assert files(package) == sorted([*manifest["digests"], "manifest.json", "manifest.sha256"])
    assert manifest["format"] == "groundup-package"
    assert [column["name"] for column in manifest["inputs"]] == [
        "age",
        "income",
        "city",
        "member",
        "since",
        "note",
    ]
    assert [output["name"] for output in manifest["outputs"]] == ["y", "0", "1"]
    assert {"python", "numpy", "lightgbm"} <= set(manifest["versions"])


def test_the_digests_are_those_that_any_tool_computes(package: Path) -> None:
    for name, digest in {
        **manifest_of(package)["digests"],
        "manifest.json": (package / "manifest.sha256").read_text().split()[0],
    }.items():
        assert hashlib.sha256((package / name).read_bytes()).hexdigest() == digest


def test_a_model_comes_back(contents: PackageContents, tmp_path: Path) -> None:
    digest = write_package(tmp_path / "model", contents)
    model = load_package(str(tmp_path / "model"))
    assert model.digest == digest
    assert (model.task, model.target, model.classes) == (contents.task, "y", contents.classes)
    assert model.card == contents.card
    assert model.schema == contents.schema.select(contents.preparation.columns)


def test_the_same_model_has_the_same_digest_wherever_it_is_written(
    boosted: PackageContents, package: Path, tmp_path: Path
) -> None:
    other_card = dataclasses.replace(boosted, card={"made": "later"})
    digest = write_package(tmp_path / "a", other_card)
    assert digest == manifest_of(package)["digest"]
    assert digest == load_package(tmp_path / "a").digest
    assert digest != write_package(tmp_path / "b", dataclasses.replace(boosted, target="z"))
    assert digest != write_package(tmp_path / "c", dataclasses.replace(boosted, classes=("no", "yes")))


def test_a_loaded_model_needs_no_training_code(package: Path) -> None:
    row = {"age": 40, "income": 1000.0, "city": "Bonn", "member": True, "since": None, "note": "far too loud"}
    code = f"""
import sys
from groundup.serving.package import load_package
assert "numpy" not in sys.modules, "the import itself is light"
label = load_package({str(package)!r}).predict_row({row!r})
print(label)
heavy = ["sklearn", "lightgbm", "polars", "pydantic", "pandas", "pyarrow", "scipy", "duckdb"]
training = ["groundup.training", "groundup.models.lightgbm", "groundup.models.contract"]
print([name for name in heavy + training if name in sys.modules])
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    label, loaded = result.stdout.splitlines()
    assert label == load_package(package).predict_row(row)
    assert loaded == "[]"


def test_one_flipped_bit_anywhere_is_found(package: Path, tmp_path: Path) -> None:
    positions = random.Random(0)
    for name in files(package):
        content = (package / name).read_bytes()
        for _ in range(12):
            folder = Path(shutil.copytree(package, tmp_path / "model"))
            damaged = bytearray(content)
            position = positions.randrange(len(damaged))
            damaged[position] ^= 1 << positions.randrange(8)
            (folder / name).write_bytes(damaged)
            with pytest.raises(PackageError, match=name.split("/")[-1].split(".")[0]):
                load_package(folder)
            shutil.rmtree(folder)


@pytest.mark.parametrize("change", [b"", b"x"])
def test_a_cut_or_a_longer_file_is_found(copy: Path, change: bytes) -> None:
    for name in files(copy):
        path = copy / name
        content = path.read_bytes()
        path.write_bytes(content + change if change else content[:-1])
        with pytest.raises(PackageError, match=r"damaged|edited"):
            load_package(copy)
        path.write_bytes(content)
    load_package(copy)


def test_a_missing_file_is_named(copy: Path) -> None:
    for name in files(copy):
        content = (copy / name).read_bytes()
        (copy / name).unlink()
        with pytest.raises(PackageError, match=f"`{name}`"):
            load_package(copy)
        (copy / name).write_bytes(content)


@pytest.mark.parametrize("name", ["extra.txt", "weights/more.bin", ".hidden", "deep/er/file"])
def test_an_added_file_is_named(copy: Path, name: str) -> None:
    (copy / name).parent.mkdir(parents=True, exist_ok=True)
    (copy / name).write_text("x")
    with pytest.raises(PackageError, match=f"`{name}`.*not listed"):
        load_package(copy)


def test_a_renamed_file_is_found(copy: Path) -> None:
    (copy / "preparation.json").rename(copy / "Preparation.json")
    with pytest.raises(PackageError, match=r"`preparation\.json` is missing"):
        load_package(copy)


@pytest.mark.parametrize("name", ["preparation.json", "weights", "manifest.json", "dangling"])
def test_a_link_is_refused(copy: Path, tmp_path: Path, name: str) -> None:
    if name != "dangling":
        (copy / name).rename(tmp_path / "elsewhere")
    (copy / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PackageError, match=f"`{name}`.*link"):
        load_package(copy)


def test_a_pipe_is_refused_and_not_read(copy: Path) -> None:
    os.mkfifo(copy / "pipe")
    with pytest.raises(PackageError, match="neither a file nor a folder"):
        load_package(copy)


@pytest.mark.parametrize(
    "name", ["../secret", "/etc/passwd", "weights/../x", "a\\b", "./preparation.json", ""]
)
def test_a_path_that_leaves_the_folder_is_refused(copy: Path, name: str) -> None:
    (copy.parent / "secret").write_text("x")
    manifest = manifest_of(copy)
    manifest["digests"][name] = hashlib.sha256(b"x").hexdigest()
    seal(copy, manifest)
    with pytest.raises(PackageError, match="not a path inside"):
        load_package(copy)


def test_an_edited_manifest_is_found(copy: Path) -> None:
    manifest = manifest_of(copy)
    manifest["classes"] = ["1", "0"]
    (copy / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(PackageError, match=r"manifest\.json.*damaged or edited"):
        load_package(copy)
    seal(copy, manifest)
    with pytest.raises(PackageError, match="`digest` is not that of its contents"):
        load_package(copy)


def test_a_later_version_says_what_to_do(copy: Path) -> None:
    manifest = manifest_of(copy)
    seal(copy, {**manifest, "format_version": FORMAT_VERSION + 1, "created_with": "9.0"})
    with pytest.raises(PackageError, match=r"newer groundup \(9\.0\).*pip install --upgrade groundup"):
        load_package(copy)


@pytest.mark.parametrize(
    "reference", ["os:system", "subprocess:Popen", "groundup.models.lightgbm:LightGBM", "", ":"]
)
def test_a_hostile_reference_is_refused(copy: Path, reference: str) -> None:
    forge(copy, fitted=reference)
    with pytest.raises(PackageError, match="neither a model class"):
        load_package(copy)


@pytest.mark.parametrize(
    "change",
    [
        {"format": "other"},
        {"format_version": "1"},
        {"format_version": True},
        {"format_version": 0},
        {"inputs": None},
        {"inputs": [1]},
        {"inputs": [{"name": "a", "kind": "number", "storage": "float", "surprise": 1}]},
        {"digests": {"preparation.json": 3}},
        {"digests": []},
        {"task": 7},
        {"digest": "0" * 64},
    ],
    ids=str,
)
def test_a_manifest_that_does_not_fit_together_is_refused(copy: Path, change: dict[str, Any]) -> None:
    seal(copy, {**manifest_of(copy), **change})
    with pytest.raises(PackageError, match="manifest"):
        load_package(copy)


@pytest.mark.parametrize("content", [b"[]", b"{", b"\xff\xfe", b"[" * 100_000, b"null"])
def test_a_manifest_that_is_no_document_is_refused(copy: Path, content: bytes) -> None:
    (copy / "manifest.json").write_bytes(content)
    (copy / "manifest.sha256").write_text(f"{hashlib.sha256(content).hexdigest()}  manifest.json\n")
    with pytest.raises(PackageError, match=r"manifest\.json"):
        load_package(copy)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("preparation.json", b"[]"),
        ("preparation.json", b"{}"),
        ("preparation.safetensors", b"nothing of the kind"),
        ("weights/model.txt", b"tree\n"),
        ("weights/learner.json", b"7"),
    ],
)
def test_forged_files_with_matching_digests_are_refused(copy: Path, name: str, content: bytes) -> None:
    (copy / name).write_bytes(content)
    digests = {**manifest_of(copy)["digests"], name: hashlib.sha256(content).hexdigest()}
    forge(copy, digests=digests)
    with pytest.raises(PackageError):
        load_package(copy)


def test_what_is_no_model_is_told_apart(package: Path, tmp_path: Path) -> None:
    with pytest.raises(PackageError, match="does not exist"):
        load_package(tmp_path / "nowhere")
    with pytest.raises(PackageError, match=r"no `manifest\.json`"):
        load_package(tmp_path)
    with pytest.raises(PackageError, match="Did you mean"):
        load_package(package.parent)
    with pytest.raises(PackageError, match="is not a model folder"):
        load_package(package / "manifest.json")


def test_a_failed_write_leaves_the_old_model_as_it_was(boosted: PackageContents, copy: Path) -> None:
    class Full:
        def save(self, folder: Path) -> None:
            (folder / "half").write_text("x")
            raise StorageError("the disk is full")

    digest = load_package(copy).digest
    with pytest.raises(StorageError, match="disk is full"):
        write_package(copy, dataclasses.replace(boosted, fitted=Full()))  # type: ignore[arg-type]
    assert load_package(copy).digest == digest
    assert [path.name for path in copy.parent.iterdir()] == ["model"]


def test_a_process_killed_while_writing_leaves_the_old_model_as_it_was(copy: Path) -> None:
    digest = load_package(copy).digest
    code = f"""
import os, signal
from pathlib import Path
from groundup.core.files import whole_folder
with whole_folder(Path({str(copy)!r})) as folder:
    (folder / "manifest.json").write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    assert load_package(copy).digest == digest


def test_an_existing_package_is_replaced_whole(boosted: PackageContents, copy: Path) -> None:
    (copy / "weights" / "left_over").write_text("x")
    write_package(copy, boosted)
    load_package(copy)
