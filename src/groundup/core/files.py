"""Files that appear whole or not at all, and digests that are checked before a file is trusted."""

import contextlib
import errno
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn
from uuid import uuid4

from groundup.core.errors import StorageError
from groundup.core.json import Json

_CAUSES = {
    errno.ENOSPC: "the disk is full; free some space",
    errno.EDQUOT: "your disk quota is used up; free some space",
    errno.EACCES: "you may not write there; choose another folder or change its permissions",
    errno.EPERM: "you may not write there; choose another folder or change its permissions",
    errno.EROFS: "the file system is read-only; choose another folder",
    errno.ENOTDIR: "a part of the path is a file, not a folder; choose another path",
    errno.EEXIST: "a part of the path is a file, not a folder; choose another path",
    errno.ENAMETOOLONG: "the name is too long; choose a shorter one",
}


_LEFTOVER = re.compile(r"\.(.+\.[0-9a-f]{8}\.(tmp|old)|[0-9a-f]{8}\.tmp\..+)")
"""The temporary names that the functions of this file give."""


def _raise_storage_error(path: Path, error: OSError) -> NoReturn:
    raise StorageError(f"Cannot write `{path}`: {cause_of(error)}.") from error


def cause_of(error: OSError) -> str:
    """Return why a file or folder could not be written, and what to do, as a clause."""
    told = re.search(r"\(os error (\d+)\)", str(error))  # how Polars tells a number it does not set
    code = error.errno or (int(told[1]) if told else 0)
    return _CAUSES.get(code, error.strerror or str(error))


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_bytes(path: Path, content: bytes) -> str:
    """Write a file whole (temporary name, fsync, rename) and return its SHA-256.

    Parameters
    ----------
    path : Path
        Where; the folder is made when it is missing. An existing file is replaced.
    content : bytes
        What.

    Returns
    -------
    str
        SHA-256 of `content`, 64 hexadecimal digits.

    Raises
    ------
    StorageError
        If the file cannot be written; nothing is left behind then.
    """
    temporary = path.with_name(f".{path.name}.{uuid4().hex[:8]}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        _raise_storage_error(path, error)
    return hashlib.sha256(content).hexdigest()


def write_text(path: Path, text: str) -> str:
    """Write `text` as UTF-8, whole, and return its SHA-256 (see `write_bytes`)."""
    return write_bytes(path, text.encode("utf-8"))


def write_json(path: Path, value: Json | dict[str, Any]) -> str:
    """Write `value` as indented JSON, whole, and return its SHA-256 (see `write_bytes`)."""
    return write_text(path, json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, read in pieces of 1 MiB."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


@contextlib.contextmanager
def whole_file(target: Path) -> Iterator[Path]:
    """Yield a temporary path beside `target` that becomes `target` when the block ends without an error.

    For files that another library writes. The temporary path keeps the ending of `target`.

    Raises
    ------
    StorageError
        If the file cannot be written; `target` stays as it was.
    """
    temporary = target.with_name(f".{uuid4().hex[:8]}.tmp.{target.name}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(target)
        _sync_folder(target.parent)
    except OSError as error:
        _raise_storage_error(target, error)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """Yield a temporary folder that becomes `target` when the block ends without an error.

    Every file in it is synced first; an existing `target` is replaced. When the block raises,
    the temporary folder is removed and `target` stays as it was.

    Raises
    ------
    StorageError
        If the folder cannot be written.
    """
    temporary = target.with_name(f".{target.name}.{uuid4().hex[:8]}.tmp")
    old = target.with_name(f".{target.name}.{uuid4().hex[:8]}.old")
    try:
        temporary.mkdir(parents=True)
        yield temporary
        for path in sorted(temporary.rglob("*")):
            if path.is_file():
                with path.open("rb") as file:
                    os.fsync(file.fileno())
        if target.exists():
            target.rename(old)
        temporary.rename(target)
        _sync_folder(target.parent)
    except OSError as error:
        _raise_storage_error(target, error)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def is_leftover(name: str) -> bool:
    """Return whether the functions of this file give this name to what they are still writing.

    Examples
    --------
    >>> is_leftover(".run.json.0123abcd.tmp"), is_leftover("run.json")
    (True, False)
    """
    return _LEFTOVER.fullmatch(name) is not None


def remove_leftovers(folder: Path) -> None:
    """Remove what killed processes were writing here, or in folders below, with the functions of this file.

    Parameters
    ----------
    folder : Path
        One that no other process writes into now.
    """
    for path in [path for path in folder.rglob("*") if is_leftover(path.name)]:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
