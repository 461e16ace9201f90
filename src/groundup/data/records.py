"""A text file's rows as blocks of text columns: fast where rows are well-formed, tolerant where not.

Each block of bytes is first checked as a whole, by counting delimiters and quotes: if every row has
the same number of fields and every quote stands where it should, Polars divides it. Otherwise the
block is divided row by row, short and long rows are made to fit, and each of them is counted with
its line, so that no row is lost without a word.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from groundup.core.errors import DataError
from groundup.data.dialect import Dialect, Row, any_field_size, csv_rows
from groundup.data.text import TextFile

_NEWLINE, _RETURN = 10, 13
_MIN_BLOCK_BYTES: Final = 1 << 23
_MAX_ROW_BYTES: Final = 1 << 26
_MAX_MAC_LINE_BYTES: Final = 1 << 16
_SENTINEL: Final = "\x00\n"
_MAX_FOOTER_ROWS: Final = 20


@dataclass
class Irregularities:
    """What had to be repaired while rows were divided; lines count from 1."""

    short: list[int] = field(default_factory=list)
    long: list[int] = field(default_factory=list)
    open_quotes: list[int] = field(default_factory=list)
    comments: list[int] = field(default_factory=list)
    blank: list[int] = field(default_factory=list)
    footer: list[str] = field(default_factory=list)
    n_empty_rows_at_end: int = 0
    first_long: str = ""


@dataclass
class _Structure:
    """What counting delimiters and quotes says about a block."""

    ends: NDArray[np.int64]
    """Where each whole row ends: the position after its line end."""
    misfits: NDArray[np.int64]
    """Rows whose number of fields is not the table's."""
    are_quotes_in_place: bool
    """Whether quotes open and close at the edges of fields, so that rows end where `ends` says."""

    @property
    def end(self) -> int:
        """Bytes up to the end of the last whole row."""
        return int(self.ends[-1]) if len(self.ends) else 0


def _inspect(block: bytes, dialect: Dialect) -> _Structure:
    """Check a block in one pass over its bytes (about 3 ns each)."""
    data = np.frombuffer(block, np.uint8)
    delimiter = ord(dialect.delimiter)
    special = np.zeros(256, bool)
    special[[_NEWLINE, delimiter]] = True
    if dialect.quote is not None:
        special[ord(dialect.quote)] = True
    positions = np.flatnonzero(special[data])
    codes = data[positions]
    in_place = not _has_lone_return(block)
    if dialect.quote is not None and dialect.quote.encode() in block:
        is_quote = codes == ord(dialect.quote)
        is_open = np.bitwise_and(np.cumsum(is_quote, dtype=np.int32), 1).astype(bool)
        edges = (delimiter, ord(dialect.quote))
        in_place = in_place and _quotes_fit(data, positions[is_quote], is_open[is_quote], *edges)
        keep = ~is_quote & ~is_open
        positions, codes = positions[keep], codes[keep]
    row_ends = np.flatnonzero(codes == _NEWLINE)
    widths = np.diff(row_ends, prepend=-1)
    return _Structure(positions[row_ends] + 1, np.flatnonzero(widths != dialect.n_columns), in_place)


def _has_lone_return(block: bytes) -> bool:
    return b"\r" in block and block.count(b"\r") != block.count(b"\r\n")


def _quotes_fit(
    data: NDArray[np.uint8], quotes: NDArray[np.int64], opens: NDArray[np.bool_], delimiter: int, quote: int
) -> bool:
    """Return whether quotes open only at the start of a field and close only at its end."""
    before = data[np.maximum(quotes[opens] - 1, 0)]
    first_is_start = quotes[0] == 0
    opens_fit = (before == delimiter) | (before == _NEWLINE) | (before == quote)
    if first_is_start and len(opens_fit):
        opens_fit[0] = True
    after = data[np.minimum(quotes[~opens] + 1, len(data) - 1)]
    closes_fit = (after == delimiter) | (after == _NEWLINE) | (after == _RETURN) | (after == quote)
    # `x""` (doubled quotes outside of a quoted field) opens after a quote that opened after no edge,
    # so the first of the two is caught by `opens_fit`.
    return bool(opens_fit.all() and closes_fit.all())


class Records:
    """The rows of a text file below its header, as frames of text columns named "0", "1", ….

    Parameters
    ----------
    file : TextFile
        Where the text comes from.
    dialect : Dialect
        How its fields are divided.

    Attributes
    ----------
    problems : Irregularities
        What was repaired; complete once `frames` is exhausted.
    """

    def __init__(self, file: TextFile, dialect: Dialect) -> None:
        self.file, self.dialect = file, dialect
        self.problems = Irregularities()
        self._line = 0

    def frames(self, columns: list[int] | None = None) -> Iterator[pl.DataFrame]:
        """Yield blocks of rows (of some columns only), fields as text, empty ones null or ""."""
        self.problems = Irregularities()
        self._line = self.dialect.n_lines_before
        wanted = list(range(self.dialect.n_columns)) if columns is None else columns
        waiting: pl.DataFrame | None = None
        for frame in self._all_frames(wanted):
            if waiting is not None and len(waiting):
                yield waiting
            waiting = frame
        if waiting is not None and columns is None:
            waiting = self._without_empty_end(waiting)
        if waiting is not None:
            yield waiting

    def _without_empty_end(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return the last block without empty rows at its end, and without lines of text below those."""
        frame = self._without_empty_rows(frame)
        tail = [[value or "" for value in row] for row in frame.tail(_MAX_FOOTER_ROWS).rows()]
        start = _footer_start(tail)
        if start == len(tail):
            return frame
        self.problems.footer += [row[0].strip()[:200] for row in tail[start:]]
        return self._without_empty_rows(frame.head(len(frame) - len(tail) + start))

    def _without_empty_rows(self, frame: pl.DataFrame) -> pl.DataFrame:
        if frame.width == 1 or len(frame) == 0 or any(value and value.strip() for value in frame.row(-1)):
            return frame
        filled = frame.select(pl.any_horizontal(pl.all().str.strip_chars().fill_null("") != "")).to_series()
        last = filled.arg_true()
        n_keep = int(last[-1]) + 1 if len(last) else 0
        self.problems.n_empty_rows_at_end += len(frame) - n_keep
        return frame.head(n_keep)

    def _all_frames(self, columns: list[int]) -> Iterator[pl.DataFrame]:
        pieces = _without_lines(unix_lines(self.file.blocks()), self.dialect.n_lines_before)
        pending = bytearray()
        wanted_bytes = _MIN_BLOCK_BYTES
        for piece in pieces:
            pending += piece
            if len(pending) < wanted_bytes:
                continue
            block = bytes(pending)
            structure = _inspect(block, self.dialect)
            if structure.are_quotes_in_place and self.dialect.is_plain and structure.end:
                yield self._divide_fast(self._repaired(block, structure), columns)
                used = structure.end
            else:
                frame, used = self._divide_slowly(block, columns, is_end=False)
                if used:
                    yield frame
            del pending[:used]
            wanted_bytes = max(_MIN_BLOCK_BYTES, 2 * len(pending))
            if len(pending) > _MAX_ROW_BYTES and not used:
                raise DataError(
                    f"`{self.file.path}`, line {self._line + 1}: the row that starts here does not end "
                    "within "
                    f"{_MAX_ROW_BYTES >> 20} MiB. A quote (`{self.dialect.quote}`) is probably never "
                    "closed; close it."
                )
        if pending:
            yield from self._divide_end(bytes(pending), columns)

    def _divide_end(self, block: bytes, columns: list[int]) -> Iterator[pl.DataFrame]:
        if not block.endswith(b"\n"):
            block += b"\n"
        structure = _inspect(block, self.dialect)
        is_regular = structure.are_quotes_in_place and len(structure.misfits) == 0
        if is_regular and structure.end == len(block) and self.dialect.is_plain:
            self._line += block.count(b"\n")
            yield self._divide_fast(block, columns)
        else:
            yield self._divide_slowly(block, columns, is_end=True)[0]

    def _repaired(self, block: bytes, structure: _Structure) -> bytes:
        """Return the whole rows of a block, with those rewritten that have too few or too many fields."""
        first_line = self._line + 1
        self._line += block.count(b"\n", 0, structure.end)
        if len(structure.misfits) == 0:
            return block[: structure.end]
        newlines = np.flatnonzero(np.frombuffer(block, np.uint8) == _NEWLINE)
        pieces, done = [], 0
        for index in structure.misfits.tolist():
            start = int(structure.ends[index - 1]) if index else 0
            end = int(structure.ends[index])
            row = next((row for _, row in self._rows_of(_lines_of(block[start:end].decode()))), [])
            fitted = self._fit(row, first_line + int(np.searchsorted(newlines, start)))
            pieces += [block[done:start], b"" if fitted is None else self._written(fitted)]
            done = end
        return b"".join([*pieces, block[done : structure.end]])

    def _written(self, row: Row) -> bytes:
        text = io.StringIO()
        if self.dialect.quote is None:
            return (self.dialect.delimiter.join(row) + "\n").encode()
        csv.writer(
            text, delimiter=self.dialect.delimiter, quotechar=self.dialect.quote, lineterminator="\n"
        ).writerow(row)
        return text.getvalue().encode()

    def _divide_fast(self, block: bytes, columns: list[int]) -> pl.DataFrame:
        if not block:  # Polars refuses what repairing can leave of a block of blank lines
            return pl.DataFrame(schema={str(index): pl.String for index in columns})
        return pl.read_csv(
            block,
            has_header=False,
            separator=self.dialect.delimiter,
            quote_char=self.dialect.quote,
            infer_schema=False,
            columns=columns,
            new_columns=[str(index) for index in columns],
            low_memory=True,
        )

    def _divide_slowly(self, block: bytes, columns: list[int], *, is_end: bool) -> tuple[pl.DataFrame, int]:
        """Divide a block row by row; return the rows and how many of its bytes they took."""
        text = block.decode("utf-8", "replace")
        rows: list[Row] = []
        lines: list[int] = []
        n_lines_used = 0
        for n_lines, row in self._tolerant_rows(text, is_end=is_end):
            rows.append(row)
            lines.append(self._line + n_lines_used + 1)
            n_lines_used = n_lines
        if not is_end and rows:  # the last row may go on in the next block
            rows.pop()
            n_lines_used = lines.pop() - self._line - 1
        used = _offset_of_line(block, n_lines_used)
        if is_end:
            self._take_footer(rows, lines)
        fitted = [self._fit(row, line) for row, line in zip(rows, lines, strict=True)]
        kept = [row for row in fitted if row is not None]
        self._line += n_lines_used
        by_column = list(zip(*kept, strict=True)) if kept else [()] * self.dialect.n_columns
        return (
            pl.DataFrame([pl.Series(str(index), by_column[index], dtype=pl.String) for index in columns]),
            used,
        )

    def _tolerant_rows(self, text: str, *, is_end: bool) -> Iterator[tuple[int, Row]]:
        """Yield rows and the lines used so far; a quote that is never closed is read as a character."""
        lines = _lines_of(text)
        done = 0
        while done < len(lines):
            first = done
            for n_lines, row in self._rows_of([*lines[first:], _SENTINEL] if is_end else lines[first:]):
                end = first + n_lines
                if is_end and end > len(lines):
                    break
                is_whole = is_end or end < len(lines)
                if is_whole and end - done > 1 and (alone := self._rows_alone(lines[done:end])):
                    self.problems.open_quotes.append(self._line + done + 1)
                    yield from enumerate(alone, start=done + 1)
                else:
                    yield end, row
                done = end
            if done < len(lines):  # only a quote that is still open at the very end leads here
                self.problems.open_quotes.append(self._line + done + 1)
                done += 1
                yield done, lines[done - 1].rstrip("\r\n").split(self.dialect.delimiter)

    def _rows_alone(self, lines: list[str]) -> list[Row]:
        """Return a row for each line if that makes more sense than one row for all of them, else none.

        Two stray quotes some lines apart look like one long field. It is none if the quotes do not
        stand at the edges of a field, and each of the lines is a row of its own.
        """
        try:
            delimiter, quote = self.dialect.delimiter, self.dialect.quote
            strict = csv.reader(lines, delimiter=delimiter, quotechar=quote, strict=True)
            if len(next(strict)) == self.dialect.n_columns:
                return []
        except csv.Error:
            pass
        rows = []
        for line in lines:
            row = next(iter(self._rows_of([line])))[1]
            if len(row) != self.dialect.n_columns or row[-1].endswith("\n"):
                row = line.rstrip("\r\n").split(self.dialect.delimiter)
            if len(row) != self.dialect.n_columns:
                return []
            rows.append(row)
        return rows

    def _rows_of(self, lines: list[str]) -> list[tuple[int, Row]]:
        with any_field_size():
            try:
                return list(csv_rows(lines, self.dialect))
            except csv.Error:
                return list(csv_rows([_returns_as_blanks(line) for line in lines], self.dialect))

    def _take_footer(self, rows: list[Row], lines: list[int]) -> None:
        """Remove lines below the table, while blank lines can still be seen."""
        tail = rows[-_MAX_FOOTER_ROWS:]
        while tail and _n_filled(tail[-1]) == 0:
            tail.pop()
        start = _footer_start(tail)
        if self.dialect.n_columns > 2 and start < len(tail):
            first = len(rows) - len(rows[-_MAX_FOOTER_ROWS:]) + start
            self.problems.footer += [row[0].strip()[:200] for row in tail[start:]]
            del rows[first:], lines[first:]

    def _fit(self, row: Row, line: int) -> Row | None:
        """Return the row with the table's number of fields; None for a line that is no row."""
        width = self.dialect.n_columns
        if len(row) == width:
            return row
        if not row:
            if width == 1:
                return [""]
            self.problems.blank.append(line)
            return None
        if len(row) == 1 and not row[0].strip():
            self.problems.blank.append(line)
            return None
        if len(row) == 1 and row[0].startswith("#"):
            self.problems.comments.append(line)
            return None
        if len(row) < width:
            self.problems.short.append(line)
            return row + [""] * (width - len(row))
        if any(cell.strip() for cell in row[width:]):
            self.problems.long.append(line)
            self.problems.first_long = (
                self.problems.first_long or self.dialect.delimiter.join(row[width:])[:80]
            )
        return row[:width]


def _footer_start(tail: list[Row]) -> int:
    """Return where text below a table starts: rows with a first cell only, behind an empty row."""
    start = len(tail)
    while start and _n_filled(tail[start - 1]) == 1 and tail[start - 1][0].strip():
        start -= 1
    is_behind_gap = 0 < start < len(tail) and _n_filled(tail[start - 1]) == 0
    return start if is_behind_gap and max(map(len, tail)) > 2 else len(tail)


def _n_filled(row: Row) -> int:
    return sum(bool(cell.strip()) for cell in row)


def _lines_of(text: str) -> list[str]:
    r"""Return the lines with their ends; only ``\n`` ends one."""
    return io.StringIO(text, newline="\n").readlines()


def _returns_as_blanks(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", " ")


def _offset_of_line(block: bytes, n_lines: int) -> int:
    """Return where the line after the first `n_lines` starts."""
    if n_lines == 0:
        return 0
    ends = np.flatnonzero(np.frombuffer(block, np.uint8) == _NEWLINE)
    return int(ends[n_lines - 1]) + 1 if n_lines <= len(ends) else len(block)


def unix_lines(blocks: Iterator[bytes]) -> Iterator[bytes]:
    r"""Yield the blocks with `\r` for `\n` where lines end in `\r` alone, as on old Macs."""
    first = b""
    for block in blocks:
        first += block
        if b"\n" in first or len(first) > _MAX_MAC_LINE_BYTES:
            break
    rest = chain((first,), blocks)
    if b"\n" in first or b"\r" not in first:
        return rest
    return (block.replace(b"\r", b"\n") for block in rest)


def _without_lines(blocks: Iterator[bytes], n_lines: int) -> Iterator[bytes]:
    """Yield the blocks without their first `n_lines` lines."""
    for block in blocks:
        if n_lines == 0:
            yield block
            continue
        n_here = block.count(b"\n")
        if n_here < n_lines:
            n_lines -= n_here
            continue
        yield block[_offset_of_line(block, n_lines) :]
        n_lines = 0
