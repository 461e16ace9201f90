"""Pictures in files: what they are, whether they can be read, and their pixels at one size.

A cell of a column of kind `image` names a picture by its file's path. Pixels are decoded when they are asked
for and kept in memory, up to a limit, for whoever asks again.
"""

import hashlib
import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from groundup.core.errors import DataError, MissingExtraError
from groundup.data.picture_arrays import array_at

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES: Final = frozenset(
    {
        ".jpg",
        ".jpeg",
        ".jpe",
        ".jfif",
        ".png",
        ".gif",
        ".bmp",
        ".webp",
        ".tif",
        ".tiff",
        ".ppm",
        ".pgm",
        ".pbm",
    }
)
"""Extensions of pictures."""

Shape = tuple[int, int, int]
State = Literal["whole", "truncated", "unreadable"]

_GREY_MODES: Final = frozenset({"1", "L", "LA", "La", "I", "F", "I;16", "I;16B", "I;16L", "I;16N"})
_SEEN_THROUGH: Final = frozenset({"RGBA", "LA", "La", "RGBa", "PA"})
_MOST_BYTES: Final = 2**30
_PREVIEW: Final = (64, 64)


@dataclass(frozen=True)
class Picture:
    """What a picture is, without its pixels.

    Parameters
    ----------
    height, width : int
        Pixels, as it is shown.
    is_grey : bool
        Whether it has no colours.
    """

    height: int
    width: int
    is_grey: bool


class _Decoded:
    """Pixels that were decoded, by file, its date and size, and the shape; no more than a limit."""

    def __init__(self) -> None:
        self._pixels: dict[tuple[Any, ...], NDArray[np.uint8]] = {}
        self._n_bytes = 0

    def get(self, key: tuple[Any, ...]) -> NDArray[np.uint8] | None:
        return self._pixels.get(key)

    def keep(self, key: tuple[Any, ...], pixels: NDArray[np.uint8]) -> None:
        if self._n_bytes + pixels.nbytes > _MOST_BYTES:
            return
        self._n_bytes += pixels.nbytes
        self._pixels[key] = pixels


_decoded: Final = _Decoded()


def describe(path: str) -> Picture | None:
    """Return what a picture is, from the start of its file; None if it is unreadable."""
    try:
        if (array := array_at(path)) is not None:
            height, width, n_channels = array.shape
            return Picture(height, width, is_grey=n_channels == 1)
        with _opened(Path(path).read_bytes()) as image:
            width, height = image.size
            if image.getexif().get(0x0112, 1) >= 5:  # shown lying on its side
                width, height = height, width
            return Picture(height, width, _is_grey(image))
    except _damages():
        return None


def check(path: str) -> State:
    """Return whether a file holds a whole picture, which costs as little decoding as its format allows."""
    try:
        content = Path(path).read_bytes()
    except OSError:
        return "unreadable"
    for state, is_lenient in (("whole", False), ("truncated", True)):
        try:
            with _lenient(is_lenient), _opened(content) as image:
                image.draft(None, _PREVIEW)
                image.load()
        except _damages():
            continue
        return state  # type: ignore[return-value]
    return "unreadable"


def pixels_of(path: str, shape: Shape) -> NDArray[np.uint8] | None:
    """Return a picture at one size: its middle, as large as it goes, resized.

    Parameters
    ----------
    path : str
        Its file; a truncated one is read as far as it goes.
    shape : tuple of int
        Height, width, and 1 (grey) or 3 (red, green, blue).

    Returns
    -------
    ndarray of shape (height, width, channels) or None
        Bytes; None if it is unreadable.
    """
    try:
        if (array := array_at(path)) is not None:
            return array if array.shape == shape else _fitted(_image_of(array), shape)
        stat = Path(path).stat()
        key = (path, stat.st_mtime_ns, stat.st_size, shape)
        if (known := _decoded.get(key)) is not None:
            return known
        pixels = _decode(Path(path).read_bytes(), shape)
    except _damages():
        return None
    _decoded.keep(key, pixels)
    return pixels


def digest(path: str) -> bytes:
    """Return the SHA-256 of a picture's file; of one that is not there, of nothing."""
    try:
        array = array_at(path)
        return hashlib.sha256(Path(path).read_bytes() if array is None else array.tobytes()).digest()
    except (OSError, DataError):
        return hashlib.sha256().digest()


def _decode(content: bytes, shape: Shape) -> NDArray[np.uint8]:
    from PIL import ImageOps

    height, width, _ = shape
    with _lenient(is_lenient=True), _opened(content) as image:
        image.draft(None, (2 * width, 2 * height))  # a JPEG is decoded no larger than it need be
        return _fitted(ImageOps.exif_transpose(image), shape)


def _fitted(image: "Image", shape: Shape) -> NDArray[np.uint8]:
    from PIL import Image, ImageOps

    height, width, n_channels = shape
    plain = _plain(image, "L" if n_channels == 1 else "RGB")
    return np.asarray(ImageOps.fit(plain, (width, height), Image.Resampling.BILINEAR), np.uint8).reshape(
        shape
    )


def _image_of(array: NDArray[np.uint8]) -> "Image":
    try:
        from PIL import Image
    except ImportError:
        raise MissingExtraError("pillow", "images", purpose="Resizing pictures") from None
    return Image.fromarray(array[..., 0] if array.shape[2] == 1 else array)


def _plain(image: "Image", mode: str) -> "Image":
    """Return a picture in grey or in colour, on white where one could see through it."""
    from PIL import Image

    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        values = np.asarray(image, dtype=np.float64)
        scale = 1.0 if values.max(initial=0) <= 255 else 255 / 65_535
        image = Image.fromarray(np.clip(values * scale, 0, 255).astype(np.uint8))
    if image.mode in _SEEN_THROUGH or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image if image.mode == mode else image.convert(mode)


def _is_grey(image: "Image") -> bool:
    return image.mode in _GREY_MODES


@contextmanager
def _opened(content: bytes) -> "Iterator[Image]":
    """Open a picture; one so large that it may be a trap is refused as damaged."""
    try:
        from PIL import Image
    except ImportError:
        raise MissingExtraError("pillow", "images", purpose="Reading pictures") from None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(io.BytesIO(content)) as image:
            yield image


@contextmanager
def _lenient(is_lenient: bool) -> Iterator[None]:
    """Let pictures that end too early be read as far as they go."""
    try:
        from PIL import ImageFile
    except ImportError:
        raise MissingExtraError("pillow", "images", purpose="Reading pictures") from None
    before = ImageFile.LOAD_TRUNCATED_IMAGES
    ImageFile.LOAD_TRUNCATED_IMAGES = is_lenient
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before


def _damages() -> tuple[type[Exception], ...]:
    """Return the errors that Pillow raises for files that are damaged, or are no pictures."""
    errors: tuple[type[Exception], ...] = (
        DataError,
        OSError,
        ValueError,
        SyntaxError,
        IndexError,
        EOFError,
        MemoryError,
    )
    try:
        from PIL import Image
    except ImportError:
        return errors
    import struct
    import zlib

    bombs = (Image.DecompressionBombWarning, Image.DecompressionBombError)
    return (*errors, *bombs, struct.error, zlib.error, TypeError, OverflowError)
