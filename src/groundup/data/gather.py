"""Parts become one table: rows in the order of the parts, columns typed over all of them together."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import polars as pl

from groundup.core.errors import DataError, UnknownColumnError
from groundup.core.findings import Finding
from groundup.core.schema import Schema
from groundup.data.columns import TEXT_TYPES, Collected, TextColumn, Wanted, canonical, text_of, typed_column
from groundup.data.kinds import spaced
from groundup.data.options import DataOptions
from groundup.data.parts import Part, Told

_MAX_PARTS_TOLD: Final = 3
_MAX_LISTED: Final = 8


@dataclass(frozen=True)
class Selection:
    """Which columns are read, and what is known of them.

    Parameters
    ----------
    options : DataOptions
        Kinds, spellings of missing, columns to leave out.
    schema : Schema or None
        What the columns were in training.
    origin : str
        Where they come from, for messages.
    locate : callable or None
        From a row to where it stands, where there are several files.
    """

    options: DataOptions
    schema: Schema | None
    origin: str
    locate: Callable[[int], str] | None = None

    def wanted(self, name: str) -> Wanted | None:
        """Return what is known of a column; None if it is left out."""
        missing = self.options.missing
        if self.schema is not None:
            if name not in self.schema:
                return None
            return Wanted(name, missing, column=self.schema[name], origin=self.origin, locate=self.locate)
        if name in self.options.drop:
            return None
        return Wanted(name, missing, self.options.columns.get(name), origin=self.origin, locate=self.locate)

    def check(self, names: Sequence[str]) -> None:
        """Raise an UnknownColumnError if the options name a column that is not there."""
        if self.schema is None:
            for name in (*self.options.columns, *self.options.drop):
                if name not in names:
                    raise UnknownColumnError(name, names)


@dataclass(frozen=True)
class Gathered:
    """Columns that were read, before they are a dataset."""

    columns: list[Collected]
    n_rows: int
    findings: tuple[Finding, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    read_as: Mapping[str, str | bool] = field(default_factory=dict)


class _Column:
    """A column as its pieces come in: text is read at once, typed values wait for each other."""

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self.n_rows = 0
        self.is_mixed = False
        self._text: TextColumn | None = None
        self._typed: list[pl.Series] = []
        self._n_absent = 0

    @property
    def is_settled(self) -> bool:
        return not self.is_mixed and (self._text is None or self._text.is_settled)

    def add(self, piece: pl.Series) -> None:
        """Read one block."""
        self.n_rows += len(piece)
        if self.is_mixed:
            return
        if piece.dtype == pl.Null:
            self._n_absent += len(piece)
        elif piece.dtype in TEXT_TYPES:
            self._add_text(piece.cast(pl.String))
        else:
            self._add_typed(piece)

    def add_absent(self, n_rows: int) -> None:
        """Count rows that do not have the column."""
        self.n_rows += n_rows
        self._n_absent += n_rows

    def _add_text(self, piece: pl.Series) -> None:
        if self._typed:
            self.is_mixed, self._typed = True, []
            return
        self._text = self._text or TextColumn(self.wanted)
        self._text.add(self._with_absent(piece))

    def _add_typed(self, piece: pl.Series) -> None:
        if self._text is not None:
            self.is_mixed, self._text = True, None
            return
        self._typed.append(self._with_absent(piece))

    def _with_absent(self, piece: pl.Series) -> pl.Series:
        """Put the rows without the column, which came before, before `piece`."""
        if not self._n_absent:
            return piece
        absent = pl.Series(piece.name, [None], dtype=piece.dtype).new_from_index(0, self._n_absent)
        self._n_absent = 0
        return pl.concat([absent, piece])

    def finish(self, whole: list[pl.Series] | None) -> Collected:
        """Return the column; `whole` is all of it, again, if it is not settled."""
        if whole is not None:
            self._text = TextColumn(self.wanted)
            self._text.add(pl.concat([_as_text(piece, self.wanted.origin) for piece in whole]))
            return self._text.finish()
        absent = pl.Series(self.wanted.name, [None] * self._n_absent, dtype=pl.String)
        if self._text is not None:
            if len(absent):
                self._text.add(absent)
            return self._text.finish()
        if not self._typed:
            return typed_column(absent, self.wanted)
        if len(absent):
            self._typed.append(absent.cast(self._typed[-1].dtype))
        return typed_column(_joined(self._typed, self.wanted.origin), self.wanted)


def _joined(pieces: list[pl.Series], origin: str) -> pl.Series:
    """Return typed pieces as one column: as they are, as numbers, as moments, or else as text."""
    dtypes = {piece.dtype for piece in pieces}
    if len(dtypes) == 1:
        return pl.concat(pieces)
    if all(dtype.is_numeric() for dtype in dtypes):
        target = pl.Int64() if all(dtype.is_signed_integer() for dtype in dtypes) else pl.Float64()
        return pl.concat([piece.cast(target) for piece in pieces])
    storages = [canonical(piece, origin) for piece in pieces]
    if len({storage for _, storage, _ in storages}) == 1:
        return pl.concat([values for values, _, _ in storages])
    return pl.concat([text_of(values) for values, _, _ in storages])


def _as_text(piece: pl.Series, origin: str) -> pl.Series:
    if piece.dtype in TEXT_TYPES or piece.dtype == pl.Null:
        return piece.cast(pl.String)
    return text_of(canonical(piece, origin)[0])


class Places:
    """Which part a row stands in, for messages."""

    def __init__(self, titles: Sequence[str]) -> None:
        self.titles = titles
        self.lengths: list[int] = []

    def __call__(self, row: int) -> str:
        """Return "file, row 3" for a row (0-based) of the whole table."""
        for title, length in zip(self.titles, self.lengths, strict=False):
            if row < length:
                return f"{title}, row {row + 1}"
            row -= length
        return f"{self.titles[len(self.lengths)]}, row {row + 1}"


def gather(
    parts: Sequence[Part], titles: Sequence[str], selection: Selection, *, file_column: str | None = None
) -> Gathered:
    """Read all parts into one table.

    A column that a part does not have is missing in its rows. Time is linear in cells; a part that
    is text is read in blocks, and twice where its first block misled.

    Parameters
    ----------
    parts : sequence of Part
        In the order of their rows.
    titles : sequence of str
        What each of them is called.
    selection : Selection
        Which columns to read.
    file_column : str or None
        Name of a further column that holds the part's title.

    Raises
    ------
    DataError
        If there are no rows, parts have no column in common, or a value does not fit the kind that
        was given.
    """
    places = Places(titles)
    if len(parts) > 1:
        selection = replace(selection, locate=places)
    if all(part.names is not None for part in parts):
        selection.check(_all_names(parts, file_column))
    columns: dict[str, _Column | None] = {}
    names_of_parts: list[dict[str, None]] = []
    for part, title in zip(parts, titles, strict=True):
        n_before = sum(places.lengths)
        names: dict[str, None] = dict.fromkeys(part.names or ())
        n_rows = 0
        for frame in _with_file(part.frames(), file_column, title):
            names |= dict.fromkeys(frame.columns)
            _add(columns, frame, selection, n_before + n_rows)
            n_rows += len(frame)
        places.lengths.append(n_rows)
        names_of_parts.append(names)
    _check_relatives(names_of_parts, titles, file_column)
    selection.check([*columns])
    n_rows = sum(places.lengths)
    collected = _finish(parts, titles, columns, n_rows, file_column)
    padding = {
        name
        for name, each in collected.items()
        if each.values.null_count() == n_rows
        and all(
            name in part.unnamed for part, names in zip(parts, names_of_parts, strict=True) if name in names
        )
    }
    told = _told(parts, titles, places.lengths, padding)
    kept = [each for name, each in collected.items() if name not in padding]
    differing = _about_columns(names_of_parts, titles, padding)
    return Gathered(kept, n_rows, (*told.findings, *differing), told.facts, told.read_as)


def _all_names(parts: Sequence[Part], file_column: str | None) -> list[str]:
    names = dict.fromkeys(name for part in parts for name in part.names or ())
    if file_column is not None:
        if file_column in names:
            raise DataError(
                f"There already is a column `{file_column}`. Set data.file_column to another name."
            )
        names[file_column] = None
    return list(names)


def _with_file(frames: Iterator[pl.DataFrame], file_column: str | None, title: str) -> Iterator[pl.DataFrame]:
    for frame in frames:
        yield frame if file_column is None else frame.with_columns(pl.lit(title).alias(file_column))


def _add(
    columns: dict[str, _Column | None], frame: pl.DataFrame, selection: Selection, n_before: int
) -> None:
    for series in frame.get_columns():
        if series.name not in columns:
            wanted = selection.wanted(series.name)
            columns[series.name] = None if wanted is None else _Column(wanted)
        column = columns[series.name]
        if column is not None:
            if column.n_rows < n_before:
                column.add_absent(n_before - column.n_rows)
            column.add(series)


def _finish(
    parts: Sequence[Part],
    titles: Sequence[str],
    columns: Mapping[str, _Column | None],
    n_rows: int,
    file_column: str | None,
) -> dict[str, Collected]:
    """Return the columns; those that their first blocks misjudged are read again as a whole."""
    chosen = {name: column for name, column in columns.items() if column is not None}
    for column in chosen.values():
        if column.n_rows < n_rows:
            column.add_absent(n_rows - column.n_rows)
    whole: dict[str, list[pl.Series]] = {name: [] for name, each in chosen.items() if not each.is_settled}
    if whole:
        for part, title in zip(parts, titles, strict=True):
            for frame in _with_file(part.frames(), file_column, title):
                for name, pieces in whole.items():
                    pieces.append(frame[name] if name in frame.columns else _nulls(name, len(frame)))
    return {name: column.finish(whole.pop(name, None)) for name, column in chosen.items()}


def _nulls(name: str, n_rows: int) -> pl.Series:
    return pl.Series(name, [None], dtype=pl.Null).new_from_index(0, n_rows)


def _check_relatives(
    names: Sequence[Mapping[str, None]], titles: Sequence[str], file_column: str | None
) -> None:
    """Refuse to put tables under each other that have no column in common."""
    for position, own in enumerate(names[1:], start=1):
        others = set[str]().union(*names[:position]) - {file_column}
        if others and not others.intersection(own):
            raise DataError(
                f"`{titles[position]}` has no column in common with the files before it: it holds "
                f"{_listed([*own])}, they hold {_listed([*names[0]])}. Name only files that belong to one "
                "table, such as `folder/2024-*.csv`."
            )


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:_MAX_LISTED])
    return f"{shown} and {len(names) - _MAX_LISTED} more" if len(names) > _MAX_LISTED else shown


def _told(parts: Sequence[Part], titles: Sequence[str], lengths: Sequence[int], padding: set[str]) -> Told:
    """Return what the parts tell; where there are many, each kind of finding a few times only."""
    if len(parts) == 1:
        return parts[0].told(lengths[0], sorted(padding))
    if sum(lengths) == 0:
        raise DataError(
            f"None of the {len(parts)} files holds any rows: {_listed(titles)}. Export them again."
        )
    told = [part.told(max(length, 1), sorted(padding)) for part, length in zip(parts, lengths, strict=True)]
    by_code: dict[str, list[tuple[str, Finding]]] = {}
    for title, each in zip(titles, told, strict=True):
        for finding in each.findings:
            by_code.setdefault(finding.code, []).append((title, finding))
    findings = tuple(finding for found in by_code.values() for finding in _shortened(found))
    facts = [("files", f"{len(parts)}, {titles[0]} to {titles[-1]}")]
    facts += [fact for fact in told[0].facts if all(fact in each.facts for each in told)]
    read_as = {
        key: value
        for key, value in told[0].read_as.items()
        if all(each.read_as.get(key) == value for each in told)
    }
    return Told(findings, tuple(facts), read_as)


def _shortened(found: list[tuple[str, Finding]]) -> Iterator[Finding]:
    for title, finding in found[:_MAX_PARTS_TOLD]:
        message = finding.message if title in finding.message else f"`{title}`: {finding.message}"
        yield replace(finding, message=message)
    rest = sorted({title for title, _ in found[_MAX_PARTS_TOLD:]})
    if rest:
        first = found[0][1]
        yield Finding(
            first.code,
            first.severity,
            f"The same holds for {len(rest)} more file(s): {_listed(rest)}.",
            first.remedy,
            {"files": rest[:100]},
        )


def _about_columns(
    names: Sequence[Mapping[str, None]], titles: Sequence[str], padding: set[str]
) -> tuple[Finding, ...]:
    every = dict.fromkeys(name for each in names for name in each if name not in padding)
    lacking = {
        title: [name for name in every if name not in own]
        for title, own in zip(titles, names, strict=True)
        if any(name not in own for name in every)
    }
    if not lacking:
        return ()
    shown = "; ".join(
        f"`{title}` lacks {_listed(absent)}" for title, absent in [*lacking.items()][:_MAX_LISTED]
    )
    more = f"; and {len(lacking) - _MAX_LISTED} more files" if len(lacking) > _MAX_LISTED else ""
    return (
        Finding(
            "D014",
            "warning",
            f"{spaced(len(lacking))} of the {spaced(len(titles))} files lack columns that others have, which "
            f"were read as missing there: {shown}{more}.",
            "If a column was renamed, give it one name in all files; if few files have it, drop it.",
            {"lacking": {title: absent[:50] for title, absent in [*lacking.items()][:100]}},
        ),
    )
