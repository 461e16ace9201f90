"""A text file becomes a table: its dialect, its rows, its columns, and what to tell about them."""

from collections.abc import Iterator, Sequence

import polars as pl

from groundup.core.errors import DataError
from groundup.core.findings import Finding
from groundup.data.dialect import Dialect, find_dialect, find_table
from groundup.data.frames import unique_names
from groundup.data.kinds import spaced
from groundup.data.options import DataOptions
from groundup.data.parts import Told
from groundup.data.records import Irregularities, Records, unix_lines
from groundup.data.stored import Stored
from groundup.data.text import TextFile

_HEAD_CHARACTERS = 1 << 18
_MAX_LINES_SHOWN = 8


class TextPart:
    """A text file's table.

    Parameters
    ----------
    stored : Stored
        A file that exists.
    options : DataOptions
        Delimiter, encoding and header, where they are given.
    dialect : Dialect or None
        How fields are divided, where that is known; where the table starts is still found out.

    Raises
    ------
    DataError
        If there is no table in it.
    """

    def __init__(self, stored: Stored, options: DataOptions, dialect: Dialect | None = None) -> None:
        self.stored = stored
        self.file = TextFile(stored, "utf-8" if dialect else options.encoding)
        head, is_whole = _head(self.file)
        if not head.strip():
            raise DataError(f"The file `{stored}` holds nothing but blanks. Export the data again.")
        if dialect is None:
            self.dialect = find_dialect(
                head,
                is_whole=is_whole,
                suffix=stored.suffix,
                delimiter=_checked_delimiter(options.delimiter),
                header=options.header,
            )
        else:
            self.dialect = find_table(head, dialect, is_whole=is_whole, header=options.header)
        self._written = self.dialect.names or ("",) * self.dialect.n_columns
        self.names = unique_names(self._written)
        self.unnamed = frozenset(
            name
            for name, written in zip(self.names, self._written, strict=True)
            if not written and self.dialect.names is not None
        )
        self._records = Records(self.file, self.dialect)
        self._problems = Irregularities()

    def frames(self) -> Iterator[pl.DataFrame]:
        """Yield the rows in blocks of text columns."""
        for frame in self._records.frames():
            frame.columns = self.names
            yield frame
        self._problems = self._records.problems

    def told(self, n_rows: int, padding: Sequence[str]) -> Told:
        """Return findings about encoding, names and rows; see `Part.told`."""
        if n_rows == 0:
            shown = ", ".join(f"`{' '.join(name.split())[:80]}`" for name in self.names[:8])
            raise DataError(
                f"`{self.stored}` holds column names but no rows ({shown}"
                f"{', …' if len(self.names) > 8 else ''}). Export the data again, or set data.header: false "
                "if the first line is data."
            )
        skipped = [index for index, name in enumerate(self.names) if name in padding]
        findings = (
            *_about_encoding(self.file, self.stored),
            *_about_names(self.dialect, self.names, skipped, self.stored),
            *_about_rows(self._problems, self.dialect, n_rows, self.stored),
            *_about_padding(self._problems, self.dialect, skipped),
        )
        return Told(findings, _facts(self.file, self.dialect), _read_as(self.file, self.dialect))


def open_text(stored: Stored, options: DataOptions) -> TextPart:
    """Open a text file whose delimiter is to be found."""
    return TextPart(stored, options)


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
    if file.compression:
        facts.append(("compression", file.compression))
    return tuple(facts)


def _about_encoding(file: TextFile, path: Stored) -> list[Finding]:
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


def _about_names(dialect: Dialect, names: list[str], padding: list[int], path: Stored) -> list[Finding]:
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


def _about_rows(problems: Irregularities, dialect: Dialect, n_rows: int, path: Stored) -> list[Finding]:
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
