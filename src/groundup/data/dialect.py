"""Where the table is in a text file: delimiter, quotes, lines above it, and the row of column names."""

import csv
import io
import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

from groundup.data.values import BOOLEANS, MISSING_SPELLINGS, datetime_formats, parse_number

DELIMITERS: Final = (",", ";", "\t", "|", ":", " ")
"""What may divide fields, most usual first; the last two only where every line agrees."""

_MAX_ROWS = 400
_SUFFIX_DELIMITERS = {".tsv": "\t", ".tab": "\t", ".psv": "|"}
Row = list[str]


@dataclass(frozen=True)
class Dialect:
    r"""How a text file divides its fields, and where the table starts.

    Parameters
    ----------
    delimiter : str
        One character.
    quote : str or None
        The character around fields with delimiters in them; None where quotes are ordinary characters.
    escape : str or None
        The character before a quote that does not end a field, where quotes are not doubled.
    skip_space : bool
        Whether blanks after a delimiter are no part of the field (needed where a quote follows).
    names : tuple of str or None
        The row of column names as it stands; None if there is none.
    n_columns : int
        Fields of a well-formed row.
    n_lines_before : int
        Lines (as `\n` counts them) before the first row of data.
    preamble : tuple of str
        Lines above the table that were skipped, without blank ones.
    """

    delimiter: str
    quote: str | None = '"'
    escape: str | None = None
    skip_space: bool = False
    names: tuple[str, ...] | None = None
    n_columns: int = 1
    n_lines_before: int = 0
    preamble: tuple[str, ...] = ()

    @property
    def is_plain(self) -> bool:
        """Whether well-formed rows need nothing but delimiter and doubled quotes."""
        return self.escape is None and not self.skip_space


@contextmanager
def any_field_size() -> Iterator[None]:
    """Lift the limit of the `csv` module on the length of a field, for as long as the block runs."""
    limit = csv.field_size_limit(2**31 - 1)
    try:
        yield
    finally:
        csv.field_size_limit(limit)


def csv_rows(lines: Iterable[str], dialect: Dialect) -> Iterator[tuple[int, Row]]:
    """Yield the rows in `lines` and how many of the lines they and those before them took."""
    reader = csv.reader(
        lines,
        delimiter=dialect.delimiter,
        quotechar=dialect.quote,
        quoting=csv.QUOTE_NONE if dialect.quote is None else csv.QUOTE_MINIMAL,
        escapechar=dialect.escape,
        skipinitialspace=dialect.skip_space,
    )
    for row in reader:
        yield reader.line_num, row


def _lone_returns_as_blanks(text: str) -> str:
    return re.sub(r"\r(?!\n)", " ", text)


def _head_rows(text: str, dialect: Dialect) -> list[tuple[int, Row]]:
    with any_field_size():
        try:
            return list(itertools.islice(csv_rows(io.StringIO(text, newline="\n"), dialect), _MAX_ROWS))
        except csv.Error:
            lines = io.StringIO(_lone_returns_as_blanks(text), newline="\n")
            return list(itertools.islice(csv_rows(lines, dialect), _MAX_ROWS))


def find_dialect(head: str, *, is_whole: bool, suffix: str, delimiter: str, header: bool | str) -> Dialect:
    r"""Find out how a text file is written.

    Parameters
    ----------
    head : str
        The start of the file.
    is_whole : bool
        Whether that is all of it.
    suffix : str
        The file's extension, e.g. ".tsv".
    delimiter : str
        One character, or "auto".
    header : bool or "auto"
        Whether the first row of the table holds names.

    Examples
    --------
    >>> head = "a;b\n1;2,5\n"
    >>> find_dialect(head, is_whole=True, suffix=".csv", delimiter="auto", header="auto").names
    ('a', 'b')
    """
    if not is_whole and "\n" in head:
        head = head[: head.rindex("\n") + 1]
    quote = _find_quote(head)
    escape = "\\" if f"\\{quote}" in head and _escapes(head, quote) else None
    candidates = DELIMITERS if delimiter == "auto" else (delimiter,)
    dialects = [
        Dialect(
            each,
            quote,
            escape,
            skip_space=each != " " and _has_blanks_before_quotes(head, each, quote),
        )
        for each in candidates
    ]
    if len(dialects) == 1:
        only = _with_literal_quotes(dialects[0], head)
        return _find_table(_head_rows(head, only), only, header)
    best, best_score, best_rows = None, 0.0, []
    expected = _SUFFIX_DELIMITERS.get(suffix)
    for each in dialects:
        rows = _head_rows(head, each)
        score = _score(rows, each.delimiter) * (2 if each.delimiter == expected else 1)
        if score > best_score:
            best, best_score, best_rows = each, score, rows
    if best is None:
        best = Dialect(expected or ",", quote, escape)
        best_rows = _head_rows(head, best)
        if max((len(row) for _, row in best_rows), default=1) > 1 and not _is_mostly_wide(best_rows):
            best = Dialect(_unused_character(head), quote, escape)  # prose: the line is the field
            best_rows = _head_rows(head, best)
    literal = _with_literal_quotes(best, head)
    if literal is not best:
        best, best_rows = literal, _head_rows(head, literal)
    return _find_table(best_rows, best, header)


def find_table(head: str, dialect: Dialect, *, is_whole: bool, header: bool | str) -> Dialect:
    r"""Return a dialect that is known with the names, the width and the start of the table.

    Examples
    --------
    >>> find_table("Report,\na,b\n1,2\n3,4\n", Dialect(","), is_whole=True, header="auto").preamble
    ('Report',)
    """
    if not is_whole and "\n" in head:
        head = head[: head.rindex("\n") + 1]
    return _find_table(_head_rows(head, dialect), dialect, header)


def _has_blanks_before_quotes(head: str, delimiter: str, quote: str) -> bool:
    """Return whether quoted fields usually follow a delimiter and blanks."""
    n_spaced = len(re.findall(rf"{re.escape(delimiter)} +{quote}(?!{quote})", head))
    return n_spaced > 0 and n_spaced >= head.count(delimiter + quote)


def _with_literal_quotes(dialect: Dialect, head: str) -> Dialect:
    """Return the dialect without quoting where quotes are ordinary characters.

    So it is where every line has the same number of fields without any quoting, and most quotes
    stand where no field starts or ends: a quoted text would then swallow line ends.
    """
    quote, mark = dialect.quote, re.escape(dialect.delimiter)
    if quote is None or quote not in head:
        return dialect
    lines = [line for line in head.split("\n") if line.strip()]
    widths = {line.count(dialect.delimiter) for line in lines}
    if len(widths) != 1 or widths == {0}:
        return dialect
    wrapped = rf"(?:^|{mark}) *{quote}(?:[^{quote}\n]|{quote}{quote})*{quote}(?= *(?:{mark}|\r?$))"
    n_in_place = sum(text.count(quote) for text in re.findall(wrapped, head, re.MULTILINE))
    if head.count(quote) <= 2 * n_in_place:
        return dialect
    return replace(dialect, quote=None, escape=None, skip_space=False)


def _is_mostly_wide(rows: list[tuple[int, Row]]) -> bool:
    filled = [row for _, row in rows if any(map(str.strip, row))]
    return sum(len(row) > 1 for row in filled) > 0.8 * len(filled)


def _unused_character(head: str) -> str:
    return next(each for each in "\x1f\x1e\x1d\x1c" if each not in head)


def _find_quote(head: str) -> str:
    """Return the single quote if fields are wrapped in it and none in the double quote."""
    edge = r"[,;\t|]"
    wrapped = re.findall(rf"(?:^|{edge})'(?:[^'\n]|'')*'(?=\r?$|{edge})", head, re.MULTILINE)
    n_doubles = len(re.findall(rf'(?:^|{edge})\s*"', head, re.MULTILINE))
    are_most = sum(text.count("'") for text in wrapped) >= 0.8 * head.count("'")
    return "'" if len(wrapped) >= 2 and len(wrapped) > n_doubles and are_most else '"'


def _escapes(head: str, quote: str) -> bool:
    r"""Return whether `\"` stands inside quoted fields rather than at their end."""
    inside = len(re.findall(rf"\\{quote}(?![,;\t|\r\n]|$)", head))
    return inside > 0 and inside * 2 >= head.count(f"\\{quote}")


def _score(rows: list[tuple[int, Row]], delimiter: str) -> float:
    """Return how much the rows look like a table of at least two columns; 0 for not at all."""
    filled = [row for _, row in rows if any(map(str.strip, row))]
    if not filled:
        return 0.0
    widths = Counter(map(len, filled))
    width, n_modal = max(widths.items(), key=lambda item: (item[1] * (item[0] > 1), item[0]))
    if width < 2:
        return 0.0
    agreement = n_modal / len(filled)
    if delimiter in ": " and (agreement < 1 or len(filled) < 3):
        return 0.0
    if agreement < 0.5 and widths[1] >= n_modal:
        return 0.0
    body = [cell.strip() for row in filled[:100] if len(row) == width for cell in row]
    typed = sum(cell in MISSING_SPELLINGS or _looks_typed(cell) for cell in body) / len(body)
    tidy = sum(len(cell) < 40 for cell in body) / len(body)
    rarity = {":": 0.3, " ": 0.3, "|": 1.1, "\t": 1.1}.get(delimiter, 1.0)
    first = next((row for row in filled if len(row) > 1), filled[0])
    heads = 1.0 if len(first) == width else 0.6
    return (
        agreement**2 * (0.5 + 0.5 * typed) * (0.5 + 0.5 * tidy) * rarity * heads * (1 + 0.02 * min(width, 20))
    )


def _looks_typed(cell: str) -> bool:
    text = cell.strip()
    if parse_number(text) is not None or text.lower() in BOOLEANS:
        return True
    return any(map(str.isdigit, text)) and (
        parse_number(text, "1,234.5") is not None
        or parse_number(text, "1.234,5") is not None
        or bool(datetime_formats(text))
    )


def _n_filled(row: Row) -> int:
    return sum(bool(cell.strip()) for cell in row)


def _find_table(rows: list[tuple[int, Row]], dialect: Dialect, header: bool | str) -> Dialect:
    """Return `dialect` with the names, the width and the start of the table."""
    filled = [row for _, row in rows if _n_filled(row)]
    if not filled:
        return dialect
    widths = Counter(map(len, filled))
    modal_width = max(widths, key=lambda width: (widths[width], width))
    if modal_width == 1 and len(filled) > 1:
        wider = [width for width in widths if width > 1]
        if wider and sum(widths[width] for width in wider) >= 0.3 * len(filled):
            modal_width = max(wider, key=lambda width: (widths[width], width))
    start = _first_row(rows, modal_width) if header is not False else _first_filled(rows)
    first = rows[start][1]
    body = [row for _, row in rows[start + 1 :] if _n_filled(row)]
    has_names = header is True or (header == "auto" and _is_header(first, body))
    lines_before = rows[start][0] if has_names else (rows[start - 1][0] if start else 0)
    preamble = tuple(
        " ".join(filter(None, map(str.strip, row)))[:200] for _, row in rows[:start] if _n_filled(row)
    )
    n_columns = max(modal_width, len(first)) if has_names else modal_width
    names: tuple[str, ...] | None = None
    if has_names:
        names = tuple(cell.strip() for cell in first)
        if len(first) + 1 == n_columns and body and all(len(row) == n_columns for row in body):
            names = ("", *names)  # as R writes row names: a column without a name comes first
        names = names + ("",) * (n_columns - len(names))
    return replace(dialect, names=names, n_columns=n_columns, n_lines_before=lines_before, preamble=preamble)


def _first_filled(rows: list[tuple[int, Row]]) -> int:
    return next(index for index, (_, row) in enumerate(rows) if _n_filled(row))


def _first_row(rows: list[tuple[int, Row]], width: int) -> int:
    """Return the position of the first row that is as wide, and nearly as filled, as most."""
    usual = Counter(_n_filled(row) for _, row in rows if _n_filled(row)).most_common(1)[0][0]
    enough = min(width, max(2, min(usual, width) - 1)) if width > 1 else 1
    fallback = _first_filled(rows)
    for index, (_, row) in enumerate(rows):
        if row and row[0].startswith("#") and _n_filled(row) == 1 and width > 1:
            continue
        is_named_behind_index = (
            index == fallback and len(row) == width > 1 and _n_filled(row[1:]) == width - 1
        )
        if (_n_filled(row) >= enough and len(row) >= width - 1) or is_named_behind_index:
            return index
    return fallback


def _kind_of(cell: str) -> str:
    text = cell.strip()
    if text in MISSING_SPELLINGS:
        return "missing"
    if text.lower() in BOOLEANS and not text.isdigit():
        return "boolean"
    if any(map(str.isdigit, text)):
        if any(parse_number(text, each) is not None for each in (None, "1,234.5", "1.234,5")):
            return "number"
        if datetime_formats(text):
            return "date"
    return "text"


def _is_header(first: Row, body: list[Row]) -> bool:
    """Return whether `first` names the columns of `body`, by a vote of the columns."""
    cells = [cell.strip() for cell in first]
    if not body:
        return not any(_kind_of(cell) in ("number", "date") for cell in cells)
    if cells[0] == "" and len(cells) > 1 and all(cells[1:]) and all(row[0].strip() for row in body):
        return True  # as pandas writes an index without a name
    numbers = [cell for cell in cells if _kind_of(cell) == "number"]
    if _are_consecutive(numbers) and len(numbers) >= 2:
        return True
    votes = 0.0
    for index, cell in enumerate(cells):
        column = [row[index].strip() for row in body if index < len(row)]
        kinds = Counter(kind for kind in map(_kind_of, column) if kind != "missing")
        if not kinds:
            continue
        if (
            cell
            and cell[-1] in ".!?"
            and sum(each[-1:] in (".", "!", "?") for each in column) > 0.5 * len(column)
        ):
            votes -= 1  # a sentence among sentences
            continue
        usual, n_usual = kinds.most_common(1)[0]
        kind = _kind_of(cell)
        if usual != "text" and n_usual >= 0.7 * kinds.total():
            votes += -1 if kind in (usual, "missing") else 1
        elif kind == "text" and column.count(cell) >= max(1, 0.01 * len(column)):
            votes -= 1
        elif kind == "text" and len({len(each) for each in column}) == 1 and len(cell) != len(column[0]):
            votes += 0.5
        elif kind != "text" and kind != "missing":
            votes -= 0.5 if kinds[kind] else 0
    return votes >= 0


def _are_consecutive(numbers: list[str]) -> bool:
    """Return whether the cells are years in a row, or 0, 1, 2, …: names, although they are numbers."""
    try:
        values = [int(each) for each in numbers]
    except ValueError:
        return False
    if len(values) < 2 or any(abs(b - a) != 1 for a, b in itertools.pairwise(values)):
        return False
    return all(1800 <= each <= 2100 for each in values) or (values[0] == 0 and len(values) > 2)
