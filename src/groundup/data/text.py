"""Bytes to text: compression, files that are no text at all, and encodings.

A text file is read as blocks of UTF-8 bytes, whatever it was written in, so that the rest of the
reader sees one encoding and memory stays bounded.
"""

import codecs
import errno
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import BinaryIO, Final, NoReturn

from groundup.core.errors import DataError
from groundup.data.stored import Stored

BLOCK_BYTES: Final = 1 << 24
"""Bytes read at a time."""

_HEAD_BYTES: Final = 1 << 18

_CONTROLS: Final = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1b"))

_SIGNATURES: Final = (
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"%PDF", "a PDF document"),
    (b"\x89HDF", "an HDF5 file"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"\x93NUMPY", "a NumPy array file"),
    (b"\x7fELF", "a program"),
    (b"<!DOCTYPE html", "a web page (HTML)"),
    (b"<!doctype html", "a web page (HTML)"),
    (b"<html", "a web page (HTML)"),
)

_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def check_readable(path: Path) -> None:
    """Raise a DataError, saying what to do, unless `path` is a file that can be opened and is not empty."""
    try:
        if path.is_dir():
            inside = sorted(each.name for each in path.iterdir() if each.is_file())[:5]
            hint = (
                f" It holds {', '.join(f'`{name}`' for name in inside)}." if inside else " It holds no files."
            )
            raise DataError(f"`{path}` is a folder, not a file. Name the file in it to read.{hint}")
        if not path.exists():
            raise DataError(f"There is no file `{path}`.{_nearest(path)}")
        if path.stat().st_size == 0:
            raise DataError(f"The file `{path}` is empty (0 bytes). Export the data again.")
        with path.open("rb"):
            pass
    except PermissionError:
        raise DataError(
            f"You may not read `{path}`. Change its permissions (chmod u+r) and try again."
        ) from None
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise DataError(f"The name `{str(path)[:80]}…` is too long for a file. Check the path.") from None
        raise DataError(f"Cannot read `{path}`: {error.strerror}. Check the path.") from error
    except ValueError:
        raise DataError(f"`{str(path)!r}` cannot be the name of a file. Check the path.") from None


def _nearest(path: Path) -> str:
    folder = path.parent
    if not folder.is_dir():
        return f" There is no folder `{folder}` either; check the path."
    names = [each.name for each in folder.iterdir() if each.is_file()]
    near = get_close_matches(path.name, names, n=3) or [
        each for each in names if Path(each).stem.casefold() == path.stem.casefold()
    ]
    if near:
        return f" Did you mean {' or '.join(f'`{folder / name}`' for name in near[:3])}?"
    shown = ", ".join(f"`{name}`" for name in sorted(names)[:5])
    return f" The folder `{folder}` holds {shown}." if shown else f" The folder `{folder}` holds no files."


def refuse_other_formats(path: Stored, head: bytes) -> None:
    """Raise a DataError that says what the file is when its first bytes are no text."""
    for signature, what in _SIGNATURES:
        if head.startswith(signature):
            raise DataError(
                f"`{path}` is {what}, not a table in text form. Export the table as CSV or "
                "Parquet and read that."
            )


def decoded_head(head: bytes) -> str:
    """Return the start of a text file, as far as its encoding can be told from it.

    Examples
    --------
    >>> decoded_head("größe".encode("utf-16"))
    'größe'
    """
    bom, encoding = next(((b, name) for b, name in _BOMS if head.startswith(b)), (b"", None))
    return head[len(bom) :].decode(encoding or _utf16_without_bom(head) or "utf-8", "ignore")


def _utf16_without_bom(head: bytes) -> str | None:
    """Return the UTF-16 variant whose zero bytes `head` shows, if any."""
    pairs = len(head) // 2
    if pairs < 2:
        return None
    even, odd = head[0 : 2 * pairs : 2].count(0), head[1 : 2 * pairs : 2].count(0)
    if odd > 0.4 * pairs and even < 0.05 * pairs:
        return "utf-16-le"
    if even > 0.4 * pairs and odd < 0.05 * pairs:
        return "utf-16-be"
    return None


@dataclass
class TextFile:
    """A text file as blocks of UTF-8 bytes.

    Parameters
    ----------
    path : Path or Stored
        The file; uncompressed on the way if its first bytes say that it is compressed.
    encoding : str
        A Python codec, or "auto".

    Attributes
    ----------
    found_encoding : str
        What it is written in.
    n_fallback_bytes : int
        Bytes that are no UTF-8 and were read as Windows-1252, so far.
    first_fallback : (int, int) or None
        Offset in the uncompressed file, and value, of the first such byte.
    """

    path: Path | Stored
    encoding: str = "auto"
    found_encoding: str = field(default="utf-8", init=False)
    compression: str = field(default="", init=False)
    n_fallback_bytes: int = field(default=0, init=False)
    first_fallback: tuple[int, int] | None = field(default=None, init=False)
    has_other_letters: bool = field(default=False, init=False)
    stored: Stored = field(init=False)
    _bom: bytes = field(default=b"", init=False)

    def __post_init__(self) -> None:
        self.stored = self.path if isinstance(self.path, Stored) else Stored(self.path)
        self.compression = self.stored.compression
        head = self.stored.head(_HEAD_BYTES)
        if not head:
            raise DataError(
                f"The file `{self.path}` is empty once it is uncompressed. Export the data again."
            )
        refuse_other_formats(self.stored, head)
        bom, bom_encoding = next(((b, name) for b, name in _BOMS if head.startswith(b)), (b"", None))
        if self.encoding == "auto":
            found = bom_encoding or _utf16_without_bom(head) or "utf-8"
        else:
            found = self._known_encoding()
            if found in ("utf-16", "utf-32"):
                found = bom_encoding or _utf16_without_bom(head) or self._refuse_encoding(found)
        self._bom, self.found_encoding = bom, found
        if found == "utf-8":
            _refuse_binary(self.stored, head)

    def _known_encoding(self) -> str:
        try:
            io.TextIOWrapper(io.BytesIO(), self.encoding.strip())  # refuses `hex` and others, of bytes
            return codecs.lookup(self.encoding.strip()).name.removesuffix("-sig").replace("_", "-")
        except (LookupError, ValueError):
            raise DataError(
                f"There is no encoding `{self.encoding}`. Use `auto`, `utf-8`, `utf-16`, `latin-1` or "
                "`cp1252` "
                "for data.encoding."
            ) from None

    def _refuse_encoding(self, encoding: str) -> NoReturn:
        raise DataError(
            f"`{self.path}` is not written in `{encoding}`: it has no byte-order mark, and its bytes do not "
            "look like it. Set data.encoding to `auto`."
        )

    def _read(self, file: BinaryIO, n_bytes: int) -> bytes:
        with self.stored.reading():
            return file.read(n_bytes)

    @property
    def encoding_title(self) -> str:
        """What it is written in, for people."""
        if not self.n_fallback_bytes:
            return self.found_encoding
        return "utf-8 with some windows-1252" if self.has_other_letters else "windows-1252"

    def blocks(self) -> Iterator[bytes]:
        """Yield the file's text as UTF-8, without a byte-order mark, in pieces of any length."""
        self.n_fallback_bytes, self.first_fallback, self.has_other_letters = 0, None, False
        with self.stored.open() as file:
            self._read(file, len(self._bom))
            yield from (
                self._utf8_blocks(file) if self.found_encoding == "utf-8" else self._decoded_blocks(file)
            )

    def _decoded_blocks(self, file: BinaryIO) -> Iterator[bytes]:
        decoder = codecs.getincrementaldecoder(self.found_encoding)()
        offset = len(self._bom)
        while True:
            piece = self._read(file, BLOCK_BYTES)
            try:
                text = decoder.decode(piece, final=not piece)
            except UnicodeDecodeError as error:
                if self.found_encoding.startswith(("utf-16", "utf-32")) and not piece:
                    return  # half a character at the very end
                at = offset + error.start
                raise DataError(
                    f"`{self.path}` is not written in `{self.encoding}`: byte {at} (value "
                    f"{error.object[error.start]:#04x}) means nothing in it. Set data.encoding to `auto`."
                ) from None
            offset += len(piece)
            if text:
                yield text.encode("utf-8", "replace")
            if not piece:
                return

    def _utf8_blocks(self, file: BinaryIO) -> Iterator[bytes]:
        offset, rest = len(self._bom), b""
        while True:
            piece = self._read(file, BLOCK_BYTES)
            block = rest + piece
            cut = len(block) - (_incomplete_tail(block) if piece else 0)
            block, rest = block[:cut], block[cut:]
            if block:
                yield block if block.isascii() else self._valid_utf8(block, offset)
            offset += cut
            if not piece:
                return

    def _valid_utf8(self, block: bytes, offset: int) -> bytes:
        """Return `block` with every byte that is no UTF-8 read as Windows-1252 instead."""
        try:
            block.decode()
        except UnicodeDecodeError as error:
            at, value = offset + error.start, block[error.start]
        else:
            self.has_other_letters = True
            return block
        if self.encoding != "auto":
            raise DataError(
                f"`{self.path}` is not written in `{self.encoding}`: byte {at} (value {value:#04x}) "
                "means nothing "
                "in it. Set data.encoding to `auto`."
            )
        self.first_fallback = self.first_fallback or (at, value)
        codecs.register_error("groundup-windows-1252", self._fall_back)
        n_before = self.n_fallback_bytes
        text = block.decode("utf-8", "groundup-windows-1252")
        n_ascii = len(block) - len(block.translate(None, delete=bytes(range(128))))
        self.has_other_letters |= len(text) > n_ascii + self.n_fallback_bytes - n_before
        return text.encode("utf-8")

    def _fall_back(self, error: UnicodeError) -> tuple[str, int]:
        assert isinstance(error, UnicodeDecodeError)
        bad = error.object[error.start : error.end]
        self.n_fallback_bytes += len(bad)
        return "".join(_windows_1252(byte) for byte in bad), error.end


def _refuse_binary(path: Stored, head: bytes) -> None:
    n_controls = len(head) - len(head.translate(None, delete=_CONTROLS))
    if n_controls <= len(head) // 50:
        return
    first = next(index for index, byte in enumerate(head) if byte in _CONTROLS)
    raise DataError(
        f"`{path}` is a binary file, not text: {n_controls} of its first {len(head)} bytes are control "
        "codes, the "
        f"first at byte {first}. Export the table as CSV or Parquet and read that."
    )


def _windows_1252(byte: int) -> str:
    try:
        return bytes((byte,)).decode("cp1252")
    except UnicodeDecodeError:
        return chr(byte)


def _incomplete_tail(block: bytes) -> int:
    """Return how many bytes at the end of `block` start a UTF-8 sequence that is not complete."""
    for n_back in range(1, min(4, len(block)) + 1):
        byte = block[-n_back]
        if byte < 0x80:
            return 0
        if byte >= 0xC0:
            length = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return n_back if n_back < length else 0
    return 0
