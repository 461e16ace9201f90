"""Files appear whole or not at all."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from groundup.core.errors import StorageError
from groundup.core.files import remove_leftovers, sha256_of, whole_folder, write_bytes, write_json


def test_write_returns_the_digest_of_what_is_on_disk(tmp_path: Path) -> None:
    digest = write_bytes(tmp_path / "sub" / "a.bin", b"abc")
    assert digest == hashlib.sha256(b"abc").hexdigest() == sha256_of(tmp_path / "sub" / "a.bin")
    assert [path.name for path in (tmp_path / "sub").iterdir()] == ["a.bin"]


def test_json_refuses_nan(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Out of range"):
        write_json(tmp_path / "a.json", {"a": float("nan")})
    assert list(tmp_path.iterdir()) == []


def test_a_path_through_a_file_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError, match="Cannot write"):
        write_bytes(tmp_path / "file" / "inner", b"")


def test_a_failing_write_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_bytes(tmp_path / "a", b"old")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="disk is full"):
        write_bytes(tmp_path / "a", b"new")
    assert (tmp_path / "a").read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_folder_that_fails_halfway_leaves_the_old_one(tmp_path: Path) -> None:
    target = tmp_path / "model"
    with whole_folder(target) as folder:
        (folder / "a").write_text("1")

    def fail() -> None:
        with whole_folder(target) as folder:
            (folder / "a").write_text("2")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert (target / "a").read_text() == "1"
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_what_a_killed_process_was_writing_is_removed(tmp_path: Path) -> None:
    """The child is killed inside all three ways to write; the names that stay are recognised."""
    program = (
        "import os, sys\nfrom pathlib import Path\nfrom groundup.core import files\n"
        "folder, kill = Path(sys.argv[1]), lambda *_: os.kill(os.getpid(), 9)\n"
        "if sys.argv[2] == 'bytes':\n    os.fsync = kill\n    files.write_bytes(folder / 'a.json', b'x')\n"
        "with getattr(files, sys.argv[2])(folder / 'a.csv') as path:\n"
        "    (path if sys.argv[2] == 'whole_file' else path / 'b').touch()\n    kill()\n"
    )
    (tmp_path / "sub").mkdir()
    for how in ("bytes", "whole_file", "whole_folder"):
        subprocess.run([sys.executable, "-c", program, str(tmp_path / "sub"), how], check=False)
    (tmp_path / "kept.tmp").touch()
    assert len(list((tmp_path / "sub").iterdir())) == 3
    remove_leftovers(tmp_path)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["kept.tmp", "sub"]


def test_a_process_killed_while_writing_leaves_a_whole_file(tmp_path: Path) -> None:
    """Twenty kills at random moments of constant rewriting: the file is always one of the whole ones."""
    path = tmp_path / "a.bin"
    program = (
        "import sys, itertools\nfrom pathlib import Path\nfrom groundup.core.files import write_bytes\n"
        "for i in itertools.count():\n"
        "    write_bytes(Path(sys.argv[1]), bytes([i % 256]) * 200_000)\n"
        "    print(i, flush=True)\n"
    )
    for n_lines in range(1, 9):
        writer = subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE)
        assert writer.stdout is not None
        for _ in range(n_lines):
            writer.stdout.readline()
        writer.kill()
        writer.wait()
        writer.stdout.close()
        content = path.read_bytes()
        assert len(content) == 200_000
        assert len(set(content)) == 1
