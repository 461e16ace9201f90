"""JSON documents and JSON Lines: an object a row, or an array a column.

Objects are taken one at a time from blocks of text, so that memory holds no more than a block and
the columns; only a document that is no list of objects is read as a whole.
"""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final, NoReturn

import polars as pl

from groundup.core.errors import DataError
from groundup.data.json_values import Rows
from groundup.data.options import DataOptions
from groundup.data.parts import Told, TypedPart
from groundup.data.stored import Stored
from groundup.data.text import TextFile

_MAX_RECORD_CHARACTERS: Final = 1 << 26
_MAX_DOCUMENT_CHARACTERS: Final = 1 << 30
_N_ROWS_A_FRAME: Final = 20_000
_UNSURE_CHARACTERS: Final = 64
_BLANKS: Final = re.compile(r"[ \t\r\n\ufeff]*")
_SHORT: Final = 60
_ADVICE: Final = (
    'Write a list of objects, one per row: `[{"age": 31}, …]`, one object per line, or an object with one '
    "list per column."
)


class _Text:
    """Text that comes in blocks, read value by value, with line and column for messages."""

    def __init__(self, file: TextFile) -> None:
        self.file = file
        self._blocks = file.blocks()
        self._decode = json.JSONDecoder().raw_decode
        self.buffer, self.at = "", 0
        self._n_lines, self._n_characters = 0, 0
        self._is_complete = False

    def more(self) -> bool:
        """Add a block to what is not yet read; return False at the end."""
        block = next(self._blocks, None)
        if block is None:
            self._is_complete = True
            return False
        n_lines = self.buffer.count("\n", 0, self.at)
        last = self.buffer.rfind("\n", 0, self.at)
        self._n_characters = self._n_characters + self.at if last < 0 else self.at - last - 1
        self._n_lines += n_lines
        self.buffer = self.buffer[self.at :] + block.decode()
        self.at = 0
        return True

    def place(self, at: int | None = None) -> str:
        """Return "`file`, line 3, column 5"."""
        at = self.at if at is None else at
        line = self._n_lines + self.buffer.count("\n", 0, at) + 1
        last = self.buffer.rfind("\n", 0, at)
        column = self._n_characters + at + 1 if last < 0 else at - last
        return f"`{self.file.path}`, line {line}, column {column}"

    def peek(self) -> str:
        """Skip blanks and return the next character; "" at the end."""
        while True:
            match = _BLANKS.match(self.buffer, self.at)
            assert match is not None
            self.at = match.end()
            if self.at < len(self.buffer):
                return self.buffer[self.at]
            if not self.more():
                return ""

    def value(self) -> Any:
        """Read the value that starts here."""
        while True:
            try:
                value, self.at = self._decode(self.buffer, self.at)
            except json.JSONDecodeError as error:
                is_cut = (
                    error.msg.startswith("Unterminated") or error.pos >= len(self.buffer) - _UNSURE_CHARACTERS
                )
                if not is_cut or not self._needs_more():
                    self._refuse(error, is_cut=is_cut)
            except ValueError as error:  # a number of thousands of digits
                raise DataError(f"{self.place()}: {error}. Shorten it, or write it as text.") from None
            except RecursionError:
                raise DataError(
                    f"{self.place()}: lists or objects are nested too deeply to be read. {_ADVICE}"
                ) from None
            else:
                return value

    def _needs_more(self) -> bool:
        if len(self.buffer) - self.at > _MAX_RECORD_CHARACTERS:
            raise DataError(
                f"{self.place()}: the value that starts here does not end within "
                f"{_MAX_RECORD_CHARACTERS >> 20} million characters. Write one object per row. {_ADVICE}"
            )
        # Twice as much each time, so that a long value is not begun again too often.
        wanted = 2 * (len(self.buffer) - self.at)
        grew = self.more()
        while grew and len(self.buffer) < wanted and self.more():
            pass
        return grew

    def _refuse(self, error: json.JSONDecodeError, *, is_cut: bool) -> NoReturn:
        place = self.place(error.pos)
        if is_cut and (error.msg.startswith("Unterminated") or not self.buffer[error.pos :].strip()):
            raise DataError(
                f"{place}: the file ends in the middle of a value. Copy or export it again."
            ) from None
        shown = self.buffer[error.pos : error.pos + _SHORT].split("\n")[0]
        raise DataError(
            f"{place}: this is no JSON ({error.msg.lower()}) at `{shown}`. Correct it, or export "
            "the file again."
        ) from None


class RecordsPart:
    """A list of objects, or objects one after another.

    Parameters
    ----------
    stored : Stored
        The file.
    encoding : str
        A Python codec, or "auto".
    is_list : bool
        Whether they stand in brackets.
    """

    names: Sequence[str] | None = None
    unnamed: frozenset[str] = frozenset()

    def __init__(self, stored: Stored, encoding: str, *, is_list: bool) -> None:
        self.stored, self.is_list = stored, is_list
        self.file = TextFile(stored, encoding)
        self._lists: list[str] = []

    def frames(self) -> Iterator[pl.DataFrame]:
        """Yield the objects as rows in blocks; a block has the columns that occur in it."""
        rows, text = Rows(str(self.stored)), _Text(self.file)
        for record in _elements(text) if self.is_list else _stream(text):
            if type(record) is not dict:
                raise DataError(
                    f"{text.place()}: before this stands "
                    f"`{json.dumps(record, ensure_ascii=False)[:_SHORT]}`, which is no object and so no row. "
                    f"{_ADVICE}"
                )
            rows.add(record, text.place)
            if len(rows) >= _N_ROWS_A_FRAME:
                yield rows.take()
        yield rows.take()
        self._lists = [*rows.lists]

    def told(self, n_rows: int, padding: Sequence[str]) -> Told:  # noqa: ARG002  # the contract's parameters
        """Return what there is to tell; see `Part.told`."""
        if n_rows == 0:
            raise DataError(f"`{self.stored}` holds no objects, so there are no rows. Export the data again.")
        return Told(facts=_facts(self.file, "JSON" if self.is_list else "JSON Lines", self._lists))


def _elements(text: _Text) -> Iterator[Any]:
    """Yield what stands in a list."""
    assert text.peek() == "["
    text.at += 1
    if text.peek() == "]":
        text.at += 1
    else:
        while True:
            if text.peek() == "":
                raise DataError(f"{text.place()}: the file ends inside its list. Copy or export it again.")
            yield text.value()
            after = text.peek()
            if after not in (",", "]"):
                _refuse_after(text, after, "`,` or `]`")
            text.at += 1
            if after == "]":
                break
    if after := text.peek():
        _refuse_after(text, after, "the end of the file")


def _stream(text: _Text) -> Iterator[Any]:
    """Yield values that stand one after another."""
    while text.peek():
        yield text.value()


def _refuse_after(text: _Text, after: str, wanted: str) -> NoReturn:
    if after == "":
        raise DataError(f"{text.place()}: the file ends inside its list. Copy or export it again.")
    raise DataError(
        f"{text.place()}: `{after}` stands where {wanted} should. Correct it, or export the file again."
    )


def _facts(file: TextFile, title: str, lists: Sequence[str]) -> tuple[tuple[str, str], ...]:
    facts = [("format", title), ("encoding", file.encoding_title)]
    if file.compression:
        facts.append(("compression", file.compression))
    if lists:
        facts.append(("lists", f"kept as text: {', '.join(f'`{name}`' for name in lists[:8])}"))
    return tuple(facts)


def open_json_lines(stored: Stored, options: DataOptions) -> RecordsPart:
    """Open objects that stand one after another, usually one per line."""
    return RecordsPart(stored, options.encoding, is_list=False)


def open_json(stored: Stored, options: DataOptions) -> RecordsPart | TypedPart:
    """Open a JSON document: a list of objects, or an object of lists.

    Raises
    ------
    DataError
        If it is no JSON, or no table.
    """
    file = TextFile(stored, options.encoding)
    start = _Text(file).peek()
    if start == "[":
        return RecordsPart(stored, options.encoding, is_list=True)
    text = _Text(file)
    while text.more():
        if len(text.buffer) > _MAX_DOCUMENT_CHARACTERS:
            raise DataError(
                f"`{stored}` is one JSON value of more than {_MAX_DOCUMENT_CHARACTERS >> 20} million "
                "characters, too large to be read as a whole. Write one object per line (JSON Lines)."
            )
    if text.peek() == "":
        raise DataError(f"The file `{stored}` holds nothing but blanks. Export the data again.")
    document = text.value()
    if after := text.peek():
        _refuse_after(text, after, "the end of the file")
    rows = Rows(str(stored))
    for number, record in enumerate(_records(document, stored), start=1):
        rows.add(record, lambda number=number: f"`{stored}`, row {number}")  # type: ignore[misc]
    if len(rows) == 0:
        raise DataError(f"`{stored}` holds no objects, so there are no rows. Export the data again.")
    frame = rows.take()
    return TypedPart(frame, Told(facts=_facts(file, "JSON", [*rows.lists])))


def _records(document: object, stored: Stored) -> list[dict[str, Any]]:
    """Return the rows of a document that is no list."""
    if not isinstance(document, dict):
        raise DataError(
            f"`{stored}` holds a single value, `{str(document)[:_SHORT]}`, and no table. {_ADVICE}"
        )
    values = list(document.values())
    lists = {key: value for key, value in document.items() if isinstance(value, list)}
    tables = [key for key, value in lists.items() if value and all(isinstance(each, dict) for each in value)]
    if len(tables) == 1 and len(lists) == 1:
        return lists[tables[0]]  # a list in an envelope, as many web services answer
    if values and len(lists) == len(values):
        return _rows_of_columns(lists, stored)
    if values and all(isinstance(value, dict) for value in values):
        keys = [list(value) for value in values]
        if all(each == keys[0] for each in keys) and keys[0] == [str(index) for index in range(len(keys[0]))]:
            return _rows_of_columns({key: list(value.values()) for key, value in document.items()}, stored)
        raise DataError(
            f"`{stored}` holds an object of objects, from which it is not plain what a row is. {_ADVICE}"
        )
    return [document] if document else []


def _rows_of_columns(columns: dict[str, list[Any]], stored: Stored) -> list[dict[str, Any]]:
    lengths = {key: len(value) for key, value in columns.items()}
    longest, shortest = max(lengths, key=lambda key: lengths[key]), min(lengths, key=lambda key: lengths[key])
    if lengths[longest] != lengths[shortest]:
        raise DataError(
            f"`{stored}`: the lists differ in length, `{longest}` has {lengths[longest]} values and "
            f"`{shortest}` {lengths[shortest]}. Write missing values as null."
        )
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
