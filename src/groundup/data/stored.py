"""Where bytes are stored: a file, a member of a zip archive, compressed or not.

Nothing is ever unpacked to disk, so names inside an archive cannot point anywhere.
"""

import bz2
import gzip
import io
import lzma
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Final, cast

from groundup.core.errors import DataError, MissingExtraError, did_you_mean

_HEAD_BYTES: Final = 1 << 18
_MAX_BYTES_IN_MEMORY: Final = 1 << 32
_MAX_ZIP_BYTES: Final = 1 << 30
_MAX_ZIP_RATIO: Final = 100
_IS_ENCRYPTED: Final = 1
_COMPRESSION_SUFFIXES: Final = {".gz", ".bz2", ".xz", ".zst"}
_BOOK_MEMBERS: Final = ("xl/workbook.xml", "xl/workbook.bin", "content.xml")


def _open_zstandard(file: BinaryIO) -> BinaryIO:
    try:
        from compression import zstd  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        try:
            from backports import zstd  # type: ignore[no-redef, unused-ignore]
        except ImportError:
            raise MissingExtraError("backports.zstd", "zstd", purpose="Reading a .zst file") from None
    return cast(BinaryIO, zstd.ZstdFile(file))


_COMPRESSIONS: Final[tuple[tuple[bytes, str, Callable[[BinaryIO], Any]], ...]] = (
    (b"\x1f\x8b", "gzip", lambda file: gzip.GzipFile(fileobj=file)),
    (b"BZh", "bzip2", bz2.BZ2File),
    (b"\xfd7zXZ\x00", "xz", lzma.LZMAFile),
    (b"\x28\xb5\x2f\xfd", "Zstandard", _open_zstandard),
)
"""First bytes, title, and what opens it."""


@dataclass(frozen=True)
class Stored:
    """Bytes of one table or of one file with several.

    Parameters
    ----------
    path : Path
        A file.
    member : str or None
        The file inside it, where it is a zip archive.
    table : str or None
        The sheet or table that was named behind a `!`.
    """

    path: Path
    member: str | None = None
    table: str | None = None

    def __str__(self) -> str:
        return str(self.path) if self.member is None else f"{self.path}!{self.member}"

    @property
    def name(self) -> str:
        """The file's name without its folder."""
        return self.path.name if self.member is None else PurePosixPath(self.member).name

    @property
    def suffix(self) -> str:
        """The extension in lower case, without that of a compression."""
        suffixes = [each.lower() for each in PurePosixPath(self.name).suffixes]
        plain = [each for each in suffixes if each not in _COMPRESSION_SUFFIXES]
        return plain[-1] if plain else ""

    @property
    def compression(self) -> str:
        """How it is compressed, for people; "" if it is not."""
        with ExitStack() as files, self.reading():
            head = self._raw(files).read(10)
        return next((title for start, title, _ in _COMPRESSIONS if _starts(head, start)), "")

    def _raw(self, files: ExitStack) -> BinaryIO:
        if self.member is None:
            return files.enter_context(self.path.open("rb"))
        with self.reading():
            archive = files.enter_context(zipfile.ZipFile(self.path))
            return cast(BinaryIO, files.enter_context(archive.open(self.member)))

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """Open the bytes, uncompressed."""
        title = self.compression
        opener = next((opener for _, each, opener in _COMPRESSIONS if each == title), None)
        with ExitStack() as files:
            file = self._raw(files)
            yield file if opener is None else files.enter_context(opener(file))

    def head(self, n_bytes: int = _HEAD_BYTES) -> bytes:
        """Return the first bytes, uncompressed."""
        with self.open() as file, self.reading():
            return file.read(n_bytes)

    @property
    def is_plain_file(self) -> bool:
        """Whether the bytes stand in a file of their own, as they are."""
        return self.member is None and not self.compression

    def place(self) -> Path | io.BytesIO:
        """Return the path, or the bytes in memory where they are packed; for formats that are not streams.

        Raises
        ------
        DataError
            If the packed bytes are damaged, or take more than 4 GiB.
        """
        if self.is_plain_file:
            return self.path
        with self.open() as file, self.reading():
            content = file.read(_MAX_BYTES_IN_MEMORY + 1)
        if len(content) > _MAX_BYTES_IN_MEMORY:
            raise DataError(f"`{self}` takes more than 4 GiB once it is unpacked. Unpack it and read that.")
        return io.BytesIO(content)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Turn the errors of reading and unpacking into a DataError."""
        try:
            yield
        except _damages() as error:
            raise DataError(
                f"The compressed file `{self}` is damaged ({error}). Copy or download it again."
            ) from None
        except (NotImplementedError, RuntimeError) as error:  # methods and encryption that zipfile lacks
            raise DataError(f"`{self}` cannot be unpacked here ({error}). Unpack it and read that.") from None
        except OSError as error:
            if error.errno is None:
                raise DataError(
                    f"The compressed file `{self}` is damaged ({error}). Copy or download it again."
                ) from None
            raise DataError(f"Cannot read `{self}`: {error.strerror or error}. Check the disk.") from error


def _damages() -> tuple[type[Exception], ...]:
    """Return the errors of unpacking what is damaged, those of optional packages if they are loaded."""
    loaded = [sys.modules.get(name) for name in ("compression.zstd", "backports.zstd")]
    optional = [module.ZstdError for module in loaded if module is not None]
    return (gzip.BadGzipFile, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, *optional)


def _starts(head: bytes, start: bytes) -> bool:
    return head.startswith(start) and (start != b"BZh" or head[4:10] == b"1AY&SY")


def open_archive(stored: Stored) -> Stored:
    """Return the one table inside a zip archive, or the one that was named; any other file as it is.

    Raises
    ------
    DataError
        If the archive holds none or several, the named one is not there, is encrypted, or would
        unpack to more than 1 GiB and a hundred times its size.
    """
    with stored.path.open("rb") as file:
        if not file.read(4).startswith(b"PK"):
            return stored
    with stored.reading(), zipfile.ZipFile(stored.path) as archive:
        members = {each.filename: each for each in archive.infolist() if not each.is_dir()}
    if any(each in _BOOK_MEMBERS for each in members):
        return stored
    tables = [each for each in members if not _is_clutter(each)]
    name, _, table = (stored.table or "").partition("!")
    if name:
        if name not in members:
            raise DataError(
                f"The archive `{stored.path}` holds no file `{name}`.{did_you_mean(name, tables)}"
            )
    elif len(tables) == 1:
        name = tables[0]
    elif not tables:
        raise DataError(f"The archive `{stored.path}` holds no files. Check that it is the right one.")
    else:
        shown = ", ".join(f"`{each}`" for each in sorted(tables)[:12])
        more = f" and {len(tables) - 12} more" if len(tables) > 12 else ""
        raise DataError(
            f"The archive `{stored.path}` holds {len(tables)} files: {shown}{more}. "
            f"Name one: `{stored.path}!{sorted(tables)[0]}`."
        )
    found = replace(stored, member=name, table=table or None)
    _check_member(found, members[name])
    return found


def _is_clutter(member: str) -> bool:
    return member.startswith("__MACOSX/") or PurePosixPath(member).name.startswith(".")


def _check_member(stored: Stored, member: zipfile.ZipInfo) -> None:
    if member.flag_bits & _IS_ENCRYPTED:
        raise DataError(f"`{stored}` is encrypted. Unpack it with its password and read the file inside.")
    if member.file_size == 0:
        raise DataError(f"The file `{stored}` is empty (0 bytes). Export the data again.")
    if member.file_size > max(_MAX_ZIP_BYTES, _MAX_ZIP_RATIO * member.compress_size):
        raise DataError(
            f"`{stored}` would unpack from {member.compress_size} bytes to {member.file_size}, more than "
            f"{_MAX_ZIP_RATIO} times as many: a trap, or a very regular table. If you trust it, unpack it "
            "and read that."
        )
