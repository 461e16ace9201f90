"""A text file becomes a table: its dialect, its rows, its columns, and what to tell about them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from groundup.core.errors import DataError
from groundup.core.findings import Finding
from groundup.data.columns import Collected, TextColumn, Wanted
from groundup.data.dialect import Dialect, find_dialect
from groundup.data.frames import unique_names
from groundup.data.kinds import spaced
from groundup.data.options import DataOptions
from groundup.data.records import Irregularities, Records, unix_lines
from groundup.data.text import TextFile

_HEAD_CHARACTERS = 1 << 18
_MAX_LINES_SHOWN = 8

WantedColumns = Callable[[Sequence[str]], list[Wanted | None]]


@dataclass(frozen=True)
class RawTable:
    """Columns that were read, before they are a dataset."""

    columns: list[Collected]
    n_rows: int
    findings: tuple[Finding, ...] = ()
    facts: tuple[tuple[str, str], ...] = field(default=())
    read_as: Mapping[str, str | bool] = field(default_factory=dict)


def read_text_table(path: Path, options: DataOptions, wanted_columns: WantedColumns) -> RawTable:
    """Read a text file.

    Parameters
    ----------
    path : Path
        A file that exists.
    options : DataOptions
        Delimiter, encoding and header, where they are given.
    wanted_columns : callable
        From the names to what is known of each column.

    Raises
    ------
    DataError
        If there is no table in it.
    """
    file = TextFile(path, options.encoding)
    head, is_whole = _head(file)
    if not head.strip():
        raise DataError(f"The file `{path}` holds nothing but blanks. Export the data again.")
    dialect = find_dialect(
        head,
        is_whole=is_whole,
        suffix=_suffix(path),
        delimiter=_checked_delimiter(options.delimiter),
        header=options.header,
    )
    written = dialect.names or ("",) * dialect.n_columns
    names = unique_names(written)
    wanted = wanted_columns(names)
    records = Records(file, dialect)
    positions = [index for index, each in enumerate(wanted) if each is not None]
    readers = [TextColumn(each) for each in wanted if each is not None]
    n_rows = _read_all(records, positions, readers)
    if n_rows == 0:
        raise DataError(
            f"`{path}` holds column names but no rows ({', '.join(f'`{name}`' for name in names[:8])}"
            f"{', …' if len(names) > 8 else ''}). Export the data again, or set data.header: false if "
            "the first line "
            "is data."
        )
    columns = _finish(records, positions, readers)
    padding = [
        index
        for index, collected in zip(positions, columns, strict=True)
        if not written[index] and dialect.names is not None and collected.values.null_count() == n_rows
    ]
    kept = [each for index, each in zip(positions, columns, strict=True) if index not in padding]
    findings = [
        *_about_encoding(file, path),
        *_about_names(dialect, names, padding, path),
        *_about_rows(records.problems, dialect, n_rows, path),
        *_about_padding(records.problems, dialect, padding),
    ]
    return RawTable(kept, n_rows, tuple(findings), _facts(file, dialect), _read_as(file, dialect))


def _suffix(path: Path) -> str:
    suffixes = [each.lower() for each in path.suffixes if each.lower() != ".gz"]
    return suffixes[-1] if suffixes else ""


def _checked_delimiter(delimiter: str) -> str:
    plain = {"\\t": "\t", "tab": "\t"}.get(delimiter, delimiter)
    if plain != "auto" and (len(plain) != 1 or not plain.isascii() or plain in '"\n\r'):
        raise DataError(
            f"`{delimiter}` cannot be a delimiter: one ASCII character is needed, such as `,`, `;`, "
            "`|` or a tab. "
            "Set data.delimiter to it, or to `auto`."
        )
    return plain


def _head(file: TextFile) -> tuple[str, bool]:
    """Return the start of the text, and whether it is all of it."""
    head = b""
    for block in unix_lines(file.blocks()):
        head += block
        if len(head) > _HEAD_CHARACTERS:
            break
    is_whole = len(head) <= _HEAD_CHARACTERS
    if not is_whole:
        head = head[:_HEAD_CHARACTERS]
    return head.decode("utf-8", "ignore"), is_whole


def _read_all(records: Records, positions: list[int], readers: list[TextColumn]) -> int:
    n_rows = 0
    for frame in records.frames():
        n_rows += len(frame)
        for position, reader in zip(positions, readers, strict=True):
            reader.add(frame.to_series(position))
    return n_rows


def _finish(records: Records, positions: list[int], readers: list[TextColumn]) -> list[Collected]:
    """Return the columns; those that their first block misjudged are read again as a whole."""
    unsettled = [
        position for position, reader in zip(positions, readers, strict=True) if not reader.is_settled
    ]
    whole: dict[int, pl.Series] = {}
    if unsettled:
        problems = records.problems
        again = list(records.frames())
        records.problems = problems
        for position in unsettled:
            whole[position] = pl.concat([frame.to_series(position) for frame in again])
    return [
        reader.finish(whole.pop(position, None)) for position, reader in zip(positions, readers, strict=True)
    ]


def _read_as(file: TextFile, dialect: Dialect) -> dict[str, str | bool]:
    """Return the options that read the file in the same way again, where there are such."""
    options: dict[str, str | bool] = {"header": dialect.names is not None}
    if file.n_fallback_bytes == 0:
        options["encoding"] = file.found_encoding
    if dialect.delimiter != "\x1f":
        options["delimiter"] = dialect.delimiter
    return options


def _facts(file: TextFile, dialect: Dialect) -> tuple[tuple[str, str], ...]:
    shown = {"\t": "tab", " ": "blank", "\x1f": "none"}.get(dialect.delimiter, f"`{dialect.delimiter}`")
    facts = [("encoding", file.encoding_title), ("delimiter", shown)]
    if dialect.quote is None:
        facts.append(("quote", "none"))
    elif dialect.quote != '"':
        facts.append(("quote", f"`{dialect.quote}`"))
    facts.append(("header", "first row" if dialect.names is not None else "none"))
    if file.is_compressed:
        facts.append(("compression", "gzip"))
    return tuple(facts)


def _about_encoding(file: TextFile, path: Path) -> list[Finding]:
    if file.first_fallback is None:
        return []
    offset, value = file.first_fallback
    return [
        Finding(
            "D003",
            "warning",
            f"`{path.name}` is not valid UTF-8: {spaced(file.n_fallback_bytes)} byte(s) were read as "
            "Windows-1252 "
            f"(Western European), the first at byte {offset} (value {value:#04x}).",
            "If letters look wrong, set data.encoding to the right one, e.g. cp1251, iso-8859-7, big5 "
            "or shift-jis.",
            {"encoding": file.encoding_title, "n_bytes": file.n_fallback_bytes, "first_offset": offset},
        )
    ]


def _about_names(dialect: Dialect, names: list[str], padding: list[int], path: Path) -> list[Finding]:
    if dialect.names is None:
        return [
            Finding(
                "D002",
                "info",
                f"The first row of `{path.name}` looks like data, so the columns were named "
                f"`{names[0]}`{f' to `{names[-1]}`' if len(names) > 1 else ''}.",
                "If it does hold names, set data.header to true; otherwise add a row of names.",
                {"names": list(names[:20])},
                {"data.header": True},
            )
        ]
    changed = [
        (old, new)
        for index, (old, new) in enumerate(zip(dialect.names, names, strict=True))
        if old != new and index not in padding
    ]
    if not changed:
        return []
    shown = ", ".join(
        f"{f'`{old}`' if old else 'a blank name'} → `{new}`" for old, new in changed[:_MAX_LINES_SHOWN]
    )
    more = f" and {len(changed) - _MAX_LINES_SHOWN} more" if len(changed) > _MAX_LINES_SHOWN else ""
    return [
        Finding(
            "D002",
            "warning",
            f"{len(changed)} column name{'s were' if len(changed) > 1 else ' was'} blank or taken, and "
            "changed: "
            f"{shown}{more}.",
            "Give every column a name of its own in the file.",
            {"renamed": [[old, new] for old, new in changed[:50]]},
        )
    ]


def _lines(lines: list[int]) -> str:
    shown = ", ".join(str(line) for line in lines[:_MAX_LINES_SHOWN])
    more = ", …" if len(lines) > _MAX_LINES_SHOWN else ""
    return f"line{'s' if len(lines) > 1 else ''} {shown}{more}"


def _about_rows(problems: Irregularities, dialect: Dialect, n_rows: int, path: Path) -> list[Finding]:
    parts = []
    width = dialect.n_columns
    if problems.short:
        parts.append(
            f"{len(problems.short)} shorter ({_lines(problems.short)}; what they lack was read as missing)"
        )
    if problems.long:
        parts.append(
            f"{len(problems.long)} longer ({_lines(problems.long)}; what follows field {width} was "
            "left out, first "
            f"`{problems.first_long}`)"
        )
    if problems.open_quotes:
        parts.append(
            f"{len(problems.open_quotes)} with a quote that is never closed "
            f"({_lines(problems.open_quotes)}; it was "
            "read as a character)"
        )
    if not parts:
        return []
    n_bad = len(problems.short) + len(problems.long) + len(problems.open_quotes)
    return [
        Finding(
            "D001",
            "error" if n_bad > 0.1 * n_rows and problems.long else "warning",
            f"{spaced(n_bad)} of {spaced(n_rows)} rows of `{path.name}` do not have the {width} fields "
            "of the table: "
            f"{'; '.join(parts)}.",
            "Look at these lines: a text with the delimiter in it needs quotes; or set data.delimiter.",
            {
                "n_rows": n_bad,
                "short_lines": problems.short[:20],
                "long_lines": problems.long[:20],
                "open_quote_lines": problems.open_quotes[:20],
            },
        )
    ]


def _about_padding(problems: Irregularities, dialect: Dialect, padding: list[int]) -> list[Finding]:
    parts = []
    if dialect.preamble:
        parts.append(f"{len(dialect.preamble)} line(s) above the table, first `{dialect.preamble[0][:80]}`")
    if problems.footer:
        parts.append(f"{len(problems.footer)} line(s) below it, first `{problems.footer[0][:80]}`")
    if problems.n_empty_rows_at_end:
        parts.append(f"{problems.n_empty_rows_at_end} empty row(s) at its end")
    if problems.comments:
        parts.append(f"{len(problems.comments)} comment(s) that start with # ({_lines(problems.comments)})")
    if problems.blank:
        parts.append(f"{len(problems.blank)} blank line(s) ({_lines(problems.blank)})")
    if padding:
        parts.append(f"{len(padding)} column(s) without a name or any value")
    if not parts:
        return []
    return [
        Finding(
            "D013",
            "info",
            f"Skipped around the table: {'; '.join(parts)}.",
            "Nothing, unless one of these is data; then remove the padding from the file.",
            {
                "above": list(dialect.preamble[:10]),
                "below": problems.footer[:10],
                "empty_rows_at_end": problems.n_empty_rows_at_end,
                "blank_lines": problems.blank[:20],
                "comment_lines": problems.comments[:20],
                "columns": padding[:20],
            },
        )
    ]
