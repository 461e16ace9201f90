"""Many pictures in one file: IDX, as MNIST ships them, and NumPy's .npz.

A cell names such a picture by the file and its place in it, ``mnist/train-images-idx3-ubyte.gz#17``.

References
----------
LeCun, Cortes and Burges, "The MNIST database of handwritten digits" (the format IDX).
"""

import math
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from groundup.core.errors import DataError
from groundup.core.schema import Kind
from groundup.core.wording import count, listed
from groundup.data.picture_table import IMAGE, LABEL, PART, PictureTable
from groundup.data.stored import Stored

_IMAGES: Final = re.compile(r"(.*?)[-._]?images?[-._]idx3[-._]ubyte(\.gz)?", re.IGNORECASE)
_TEST_WORDS: Final = ("t10k", "test")
_ENDINGS: Final = {"": "train", "_train": "train", "_test": "test", "_val": "validation"}
_PICTURES: Final = ("x", "images", "image", "data")
_LABELS: Final = ("y", "labels", "label", "target")
_BYTES: Final = 0x08  # the only type of values that is read
_FILES_KEPT: Final = 8


@dataclass(frozen=True)
class _Piece:
    """Pictures of one part: where they are, and their labels, if there are any."""

    part: str
    references: list[str]
    labels: NDArray[Any] | None


def find_arrays(source: str | Sequence[str]) -> list[Path]:
    """Return the files of many pictures that a source is: an .npz, IDX files, or a folder of IDX files."""
    if not isinstance(source, str):
        return []
    path = Path(source).expanduser()
    try:
        if path.is_dir():
            return sorted(each for each in path.iterdir() if _IMAGES.fullmatch(each.name))
        is_one = path.suffix.lower() == ".npz" or _IMAGES.fullmatch(path.name)
        return [path] if is_one and path.is_file() else []
    except OSError:
        return []


def read_arrays(files: Sequence[Path]) -> PictureTable:
    """Return the pictures of some files.

    Parameters
    ----------
    files : sequence of Path
        IDX files of pictures, beside which those of their labels lie under like names; those called t10k or
        test are the test part. Or one .npz that holds ``x`` and ``y``, or ``x_train``, ``y_train``,
        ``x_test`` and ``y_test``.

    Raises
    ------
    DataError
        If a file is damaged, holds no pictures, or has not as many labels.
    """
    pieces = [
        piece
        for path in files
        for piece in (_of_npz(path) if path.suffix.lower() == ".npz" else [_of_idx(path)])
    ]
    for each in pieces:
        if each.labels is not None and len(each.labels) != len(each.references):
            raise DataError(
                f"There are {count(len(each.references), 'picture')} and {count(len(each.labels), 'label')} "
                f"in the {each.part} part of `{files[0]}`. Copy or download the files again."
            )
    columns: dict[str, tuple[Kind, str]] = {IMAGE: ("image", "places of pictures in files")}
    values: dict[str, list[Any]] = {IMAGE: [name for each in pieces for name in each.references]}
    labels = [each.labels for each in pieces if each.labels is not None]
    if len(labels) == len(pieces):
        every = np.concatenate(labels)
        is_number = every.dtype.kind == "f"
        columns[LABEL] = ("number", "numbers") if is_number else ("category", "the label of each picture")
        values[LABEL] = every.tolist() if is_number else every.astype(str).tolist()
    if {each.part for each in pieces} >= {"train", "test"}:
        columns[PART] = ("category", "the file or array that each picture is in")
        values[PART] = [each.part for each in pieces for _ in each.references]
    facts = (("pictures", count(len(values[IMAGE]))), ("files", listed([path.name for path in files])))
    return PictureTable(pl.DataFrame(values), columns, (), facts)


def array_at(reference: str) -> NDArray[np.uint8] | None:
    """Return the pixels that a cell names, shape (height, width, channels); None if it names a whole file.

    Raises
    ------
    DataError
        If the file is damaged, or has no such place.
    """
    name, _, place = reference.rpartition("#")
    path = Path(name.partition("!")[0])
    if not place.isdecimal() or not (path.suffix.lower() == ".npz" or _IMAGES.fullmatch(path.name)):
        return None
    images = _images_of(name)
    if int(place) >= len(images):
        raise DataError(f"`{name}` holds {count(len(images), 'picture')}, so there is no `{place}`.")
    picture: NDArray[np.uint8] = images[int(place)]
    return picture


def read_idx(path: Path) -> NDArray[np.uint8]:
    """Return the array of bytes in an IDX file, packed or not.

    Raises
    ------
    DataError
        If it is none.
    """
    stored = Stored(path)
    with stored.open() as file, stored.reading():
        content = file.read()
    n_axes = content[3] if len(content) >= 4 and content[:3] == bytes([0, 0, _BYTES]) else 0
    n_head = 4 + 4 * n_axes
    shape = np.frombuffer(content[4:n_head], ">u4").tolist() if n_axes and len(content) >= n_head else []
    if not shape or math.prod(shape) != len(content) - n_head:
        raise DataError(
            f"`{path}` is no whole IDX file of bytes: its head does not fit its {count(len(content))} bytes. "
            "Copy or download it again."
        )
    return np.frombuffer(content, np.uint8, offset=n_head).reshape(shape)


def _of_idx(path: Path) -> _Piece:
    """Return the pictures of an IDX file, and their labels where such a file lies beside it."""
    found = _IMAGES.fullmatch(path.name)
    assert found is not None
    name = path.name.removesuffix(".gz")
    for old, new in (("image", "label"), ("idx3", "idx1")):
        name = re.sub(old, new, name, flags=re.IGNORECASE)
    beside = [each for each in (path.with_name(name), path.with_name(f"{name}.gz")) if each.is_file()]
    part = "test" if any(word in found[1].lower() for word in _TEST_WORDS) else "train"
    return _Piece(part, _references(str(path)), read_idx(beside[0]) if beside else None)


def _of_npz(path: Path) -> list[_Piece]:
    """Return the pictures, parts and labels of an .npz."""
    arrays = _load_npz(path)
    names = {name.lower(): name for name in arrays}

    def named(words: Sequence[str], ending: str) -> str | None:
        return next((names[word + ending] for word in words if word + ending in names), None)

    pieces = []
    for ending, part in _ENDINGS.items():
        x, y = named(_PICTURES, ending), named(_LABELS, ending)
        if x is not None:
            labels = None if y is None else arrays[y].reshape(-1)
            pieces.append(_Piece(part, _references(f"{path}!{x}"), labels))
    if not pieces:
        raise DataError(
            f"`{path}` holds {listed(arrays)}, and no array of pictures called `x` (or `x_train` and "
            "`x_test`). Save it again: np.savez(FILE, x=pictures, y=labels)."
        )
    return pieces


def _references(name: str) -> list[str]:
    return [f"{name}#{place}" for place in range(len(_images_of(name)))]


def _images_of(name: str) -> NDArray[np.uint8]:
    """Return the pictures of a file, or of ``FILE.npz!ARRAY``; read again when it has changed."""
    try:
        stat = Path(name.partition("!")[0]).stat()
    except OSError:
        raise DataError(f"The file `{name}` is not there.") from None
    return _images(name, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=_FILES_KEPT)
def _images(name: str, _date: int, _size: int) -> NDArray[np.uint8]:
    """Return the pictures of a file, shape (n, height, width, channels)."""
    path, _, member = name.partition("!")
    values = _load_npz(Path(path))[member] if member else read_idx(Path(path))
    if values.ndim == 4 and values.shape[1] in (1, 3) and values.shape[3] not in (1, 3):
        values = values.transpose(0, 2, 3, 1)
    if values.ndim == 3:
        values = values[..., np.newaxis]
    if values.ndim != 4 or values.shape[3] not in (1, 3) or 0 in values.shape:
        raise DataError(
            f"`{name}` has the shape {values.shape}, which is no list of pictures: (pictures, height, "
            "width), and 1 or 3 channels."
        )
    return np.ascontiguousarray(_as_bytes(values, name))


def _as_bytes(values: NDArray[Any], name: str) -> NDArray[np.uint8]:
    """Return pixels as bytes; floats up to 1 are shares of 255."""
    if values.dtype == np.uint8:
        return values
    is_number = values.dtype.kind in "biuf"
    low, high = (float(values.min()), float(values.max())) if is_number else (math.nan, math.nan)
    if not 0 <= low <= high <= 255:
        raise DataError(
            f"`{name}` holds pixels of type {values.dtype} from {low:g} to {high:g}. Save them as bytes from "
            "0 to 255, or as shares from 0 to 1."
        )
    scale = 255 if values.dtype.kind in "bf" and high <= 1 else 1
    return np.rint(values.astype(np.float32) * scale).astype(np.uint8)


def _load_npz(path: Path) -> Mapping[str, NDArray[Any]]:
    """Return the arrays of an .npz; objects, which could execute something, are refused."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (OSError, ValueError, zipfile.BadZipFile, EOFError, KeyError) as error:
        raise DataError(
            f"`{path}` is no .npz of plain arrays ({error}). Save it again: np.savez(FILE, x=pictures, "
            "y=labels)."
        ) from None
