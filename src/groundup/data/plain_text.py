"""Plain text: what a language model learns from, read whole and cut into parts that follow each other."""

import hashlib
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from groundup.core.errors import DataError
from groundup.core.wording import count
from groundup.data.locations import find_files
from groundup.data.source_names import SAMPLE_PREFIX, Source
from groundup.data.stored import Stored

FEWEST_CHARACTERS: Final = 2_000
"""A shorter text is refused: from less nothing can be learned that its test part could show."""

_ENDINGS: Final = (".txt", ".text", ".md", ".rst")
_COMPRESSED: Final = (".gz", ".bz2", ".xz", ".zst")


@dataclass(frozen=True)
class PlainText:
    r"""A text.

    Parameters
    ----------
    text : str
        Lines end in `\n`, whatever they ended in.
    origin : str
        Where it came from, for people.
    fingerprint : str
        SHA-256 of the text in UTF-8, 64 hexadecimal digits.
    """

    text: str
    origin: str
    fingerprint: str


@dataclass(frozen=True)
class TextParts:
    """The parts of a text, in its order.

    Parameters
    ----------
    train, validation, test : str
        Together the whole text.
    """

    train: str
    validation: str
    test: str


def is_text_name(source: Source | None) -> bool:
    """Return whether a source's name is that of a plain text, also compressed.

    Examples
    --------
    >>> is_text_name("plays/shakespeare.txt.gz"), is_text_name("houses.csv"), is_text_name("sample:iris")
    (True, False, False)
    """
    if not isinstance(source, str) or source.startswith(SAMPLE_PREFIX):
        return False
    name = source.lower()
    for ending in _COMPRESSED:
        name = name.removesuffix(ending)
    return PurePosixPath(name).suffix in _ENDINGS


def read_plain_text(source: Source) -> PlainText:
    """Return the text of a file, or of several one after the other.

    Parameters
    ----------
    source : str or tuple of str
        As `data.source`: a file, also compressed or in an archive, a pattern, or a list of these.

    Raises
    ------
    DataError
        If a file is not there, is not UTF-8, holds bytes that no text holds, or if all of it is too short.
    """
    if isinstance(source, str) and source.startswith(SAMPLE_PREFIX):
        raise DataError(f"`{source}` is a table. To learn to write, name a text file, such as `book.txt`.")
    files = find_files(source)
    text = "".join(_read(each) for each in files)
    origin = str(files[0]) if len(files) == 1 else f"{files[0]} to {files[-1].name} ({len(files)} files)"
    if len(text) < FEWEST_CHARACTERS:
        raise DataError(
            f"{origin} holds `{count(len(text), 'character')}`, too few to learn to write from. Take a text "
            f"of at least {count(FEWEST_CHARACTERS)}; a book has a million."
        )
    return PlainText(text, origin, hashlib.sha256(text.encode()).hexdigest())


def cut_text(text: str, *, validation: float, test: float) -> TextParts:
    """Return a text in three parts: what is tested comes last, as what will be written does.

    Parameters
    ----------
    text : str
        Whole.
    validation : float
        Share, of what is left without the test part, for validation.
    test : float
        Share of the characters for the test.

    Examples
    --------
    >>> parts = cut_text("abcdefghij", validation=0.25, test=0.2)
    >>> parts.train, parts.validation, parts.test
    ('abcdef', 'gh', 'ij')
    """
    n_test = max(1, round(test * len(text)))
    n_validation = max(1, round(validation * (len(text) - n_test)))
    n_train = len(text) - n_test - n_validation
    return TextParts(text[:n_train], text[n_train : n_train + n_validation], text[n_train + n_validation :])


def _read(stored: Stored) -> str:
    with stored.open() as file, stored.reading():
        content = file.read()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"`{stored}` is not UTF-8: line {line} holds the byte `0x{content[error.start]:02x}`. Save it as "
            "UTF-8 text, for example with: iconv -f LATIN1 -t UTF-8 OLD.txt > NEW.txt"
        ) from None
    if "\0" in text:
        raise DataError(f"`{stored}` holds bytes of 0, which no text does. Check that it is the right file.")
    if not text.strip():
        raise DataError(f"`{stored}` holds no text. Check that it is the right file.")
    return text.replace("\r\n", "\n").replace("\r", "\n")
