"""From one raw column to its canonical values, its place in the schema, and what to tell about it."""

import contextlib
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final

import polars as pl

from groundup.core.errors import DataError
from groundup.core.findings import Finding, column_patch
from groundup.core.schema import Column, Kind, Storage
from groundup.data.kinds import find_kind, spaced
from groundup.data.parsing import (
    CANONICAL,
    Parsed,
    Reading,
    examples_of,
    find_reading,
    has_leading_zeros,
    parse,
    share_of_numbers,
)
from groundup.data.values import MISSING_SPELLINGS

_MIXED_SHARE = 0.8
_MIN_MIXED_ROWS = 10
TEXT_TYPES: Final = (pl.String, pl.Categorical, pl.Enum)


@dataclass(frozen=True)
class Wanted:
    """What is known of a column before it is read.

    Parameters
    ----------
    name : str
        Its name.
    missing : tuple of str
        Spellings of "missing" that are looked for.
    kind : Kind or None
        What the user says it is.
    column : Column or None
        What it was in training; then it is read as that and nothing is found out.
    origin : str
        Where it comes from, for messages.
    locate : callable or None
        From a row (0-based) to where it stands, for messages; needed where there are several files.
    """

    name: str
    missing: tuple[str, ...]
    kind: Kind | None = None
    column: Column | None = None
    origin: str = "frame"
    locate: Callable[[int], str] | None = None


@dataclass(frozen=True)
class Collected:
    """A column that has been read."""

    column: Column
    values: pl.Series
    findings: tuple[Finding, ...] = ()


class TextColumn:
    """Reads a text column block by block, with the reading that its first block suggests.

    A block that does not fit makes the column unsettled: its text is then needed again as a whole,
    so that the decision rests on all of it.

    Parameters
    ----------
    wanted : Wanted
        What is known of it.
    """

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self.is_settled = True
        self._reading: Reading | None = None
        self._pieces: list[pl.Series] = []
        self._seen = Parsed(pl.Series())
        self._n_rows = 0

    def add(self, text: pl.Series) -> None:
        """Read one block."""
        if not self.is_settled:
            return
        text = text.rename(self.wanted.name)
        reading, parsed = self._read(text)
        if self._reading is None or (reading != self._reading and reading.storage == "float"):
            self._reading = reading
        if parsed.first_failed is not None and self._seen.first_failed is None:
            self._seen.first_failed = self._n_rows + parsed.first_failed
        self._n_rows += len(text)
        self._seen.missing |= parsed.missing
        self._seen.failed += parsed.failed
        self._seen.n_infinite += parsed.n_infinite
        self._pieces.append(parsed.values)

    def _read(self, text: pl.Series) -> tuple[Reading, Parsed]:
        column, missing = self.wanted.column, self.wanted.missing
        if column is not None:
            return _read_like(text, column)
        if self._reading is None:
            return find_reading(text, missing, kind=self.wanted.kind)
        parsed = parse(text, self._reading, missing)
        is_empty_so_far = all(piece.null_count() == len(piece) for piece in self._pieces)
        if self._reading.storage == "string":
            if is_empty_so_far and parsed.values.null_count() < len(text):
                self._unsettle()
            return self._reading, parsed
        if self._reading.storage == "integer" and parsed.failed and self._reading.format is None:
            as_float = parse(text, Reading("float"), missing)
            if not as_float.failed:
                return Reading("float"), as_float
        if parsed.failed or (self._reading.storage == "integer" and has_leading_zeros(text)):
            self._unsettle()
        return self._reading, parsed

    def _unsettle(self) -> None:
        self.is_settled = False
        self._pieces = []

    def finish(self, whole: pl.Series | None = None) -> Collected:
        """Return the column; `whole` is all of its text if it is unsettled."""
        if not self.is_settled:
            assert whole is not None
            again = TextColumn(self.wanted)
            again.add(whole)
            return again.finish()
        reading = self._reading or Reading("string")
        pieces = [piece.cast(CANONICAL[reading.storage], strict=False) for piece in self._pieces]
        self._pieces = []
        values = pl.concat(pieces) if pieces else pl.Series(dtype=CANONICAL[reading.storage])
        self._seen.values = values.rename(self.wanted.name)
        return collect(self.wanted, reading, self._seen)


def _read_like(text: pl.Series, column: Column) -> tuple[Reading, Parsed]:
    """Read text as `column` was in training."""
    missing = set(column.missing) if column.storage == "string" else MISSING_SPELLINGS.union(column.missing)
    reading = Reading(column.storage, column.format)
    parsed = parse(text, reading, missing)
    if column.storage == "integer" and parsed.failed:
        reading = Reading("float", column.format)
        parsed = parse(text, reading, missing)
    if column.storage == "datetime" and column.format is not None and parsed.failed:
        rest = parse(text, Reading("datetime"), missing)
        if not rest.failed:
            return reading, rest
    return reading, parsed


def collect(wanted: Wanted, reading: Reading, parsed: Parsed) -> Collected:
    """Return a read column with its kind, its reason and what there is to tell."""
    if wanted.column is not None:
        return _collect_like(wanted, wanted.column, reading, parsed)
    values = parsed.values
    if wanted.kind is not None and parsed.failed:
        raise _impossible(wanted, wanted.kind, parsed)
    found = find_kind(values, reading.storage)
    kind, reason = found.kind, found.reason
    if wanted.kind not in (None, found.kind):
        kind, reason = wanted.kind, f"set in data.columns (found: {found.kind}, {found.reason})"
    elif reading.note and kind not in ("constant", "category"):
        reason = f"{reason}; {reading.note}"
    column = Column(wanted.name, kind, reading.storage, reading.format, tuple(sorted(parsed.missing)), reason)
    return Collected(column, values, tuple(_findings(wanted, column, reading, parsed)))


def _impossible(wanted: Wanted, kind: Kind, parsed: Parsed) -> DataError:
    value = next(iter(parsed.failed))
    place = wanted.origin
    if parsed.first_failed is not None and wanted.locate is not None:
        place = wanted.locate(parsed.first_failed)
    elif parsed.first_failed is not None:
        place = f"{wanted.origin}, row {parsed.first_failed + 1}"
    more = parsed.failed.total() - 1
    others = f" ({more} more like it)" if more else ""
    return DataError(
        f"{place}, column `{wanted.name}`: `{value[:80]}` is no {kind}{others}, but "
        "data.columns says "
        "that the column is one. Add it to data.missing, correct it, or set "
        f"data.columns.{wanted.name} to `category`."
    )


def _collect_like(wanted: Wanted, column: Column, reading: Reading, parsed: Parsed) -> Collected:
    values, storage = parsed.values, reading.storage
    if column.storage == "integer" and storage == "float":
        values, storage = _whole_if_possible(values)
    findings = list(_infinite(wanted.name, parsed.n_infinite))
    if parsed.failed:
        findings.append(
            Finding(
                "D008",
                "warning",
                f"Column `{column.name}`: {spaced(parsed.failed.total())} value(s) cannot be read as "
                f"{column.kind}"
                f"{f' written like `{column.format}`' if column.format else ''} and became missing: "
                f"{_listed(examples_of(parsed.failed))}.",
                "Write these values as they were written in the training data.",
                {"n_values": parsed.failed.total(), "examples": examples_of(parsed.failed)},
                column=column.name,
            )
        )
    return Collected(replace(column, storage=storage), values, tuple(findings))


def _whole_if_possible(values: pl.Series) -> tuple[pl.Series, Storage]:
    whole = values.cast(pl.Int64, strict=False)
    if whole.null_count() == values.null_count() and bool((whole.cast(pl.Float64) == values).all()):
        return whole, "integer"
    return values, "float"


def _findings(wanted: Wanted, column: Column, reading: Reading, parsed: Parsed) -> Iterable[Finding]:
    yield from _infinite(wanted.name, parsed.n_infinite)
    if parsed.failed:
        yield _read_as_missing(column, parsed.failed)
    if reading.storage == "string" and wanted.kind is None and column.kind != "constant":
        yield from _mixed(column, parsed.values)
    if reading.is_ambiguous:
        yield Finding(
            "D011",
            "warning",
            f"The dates of `{column.name}` could have the day or the month first; they were {reading.note}.",
            "If that is wrong, write the dates as YYYY-MM-DD.",
            {"format": reading.format},
            column=column.name,
        )


def _infinite(name: str, n_infinite: int) -> Iterable[Finding]:
    if n_infinite:
        yield Finding(
            "D009",
            "warning",
            f"Column `{name}`: {_times(n_infinite)} infinite; read as missing.",
            "Find out where they come from (often a division by zero) and correct them at the source.",
            {"n_values": n_infinite},
            column=name,
        )


def _read_as_missing(column: Column, failed: Counter[str]) -> Finding:
    examples = examples_of(failed)
    return Finding(
        "D008",
        "warning",
        f"Column `{column.name}` holds {_plural(column.kind)}, but {_times(failed.total())} not, and "
        "became missing: "
        f"{_listed(examples)}.",
        "If they do mean missing, add them to data.missing; if they matter, set the column's kind to "
        "category.",
        {"n_values": failed.total(), "examples": examples},
        column_patch("data.columns", column.name, value="category"),
        column=column.name,
    )


def _mixed(column: Column, values: pl.Series) -> Iterable[Finding]:
    n_present = len(values) - values.null_count()
    if n_present < _MIN_MIXED_ROWS:
        return
    share = share_of_numbers(values)
    if not _MIXED_SHARE <= share < 1:
        return
    others = values.drop_nulls()
    is_other = ~others.str.contains(r"^[+-]?[0-9][0-9,]*\.?[0-9]*([eE][+-]?[0-9]+)?$")
    counts = others.filter(is_other).value_counts(sort=True)
    examples = [text[:60] for text in counts[counts.columns[0]].head(8)]
    yield Finding(
        "D008",
        "info",
        f"Column `{column.name}` is {100 * share:.3g} % numbers, but {_times(int(is_other.sum()))} text: "
        f"{_listed(examples)}. All of it is kept as {column.kind}.",
        "If these texts mean missing, add them to data.missing, and the column becomes a number.",
        {"share_of_numbers": share, "n_text": int(is_other.sum()), "examples": examples},
        column=column.name,
    )


def _plural(kind: Kind) -> str:
    return {
        "number": "numbers",
        "datetime": "dates",
        "boolean": "true and false",
        "identifier": "numbers",
    }.get(kind, f"{kind} values")


def _times(n: int) -> str:
    return f"{spaced(n)} value{' is' if n == 1 else 's are'}"


def _listed(examples: Iterable[str]) -> str:
    return ", ".join(f"`{each}`" for each in examples)


def typed_column(series: pl.Series, wanted: Wanted) -> Collected:
    """Return a column of a typed source (Parquet, a frame) in canonical form.

    Text in it is read like the text of a file; values that already have a type keep it.

    Raises
    ------
    DataError
        If it holds lists, structures or bytes, or does not fit the kind that the user gave it.
    """
    series = series.rename(wanted.name)
    column = wanted.column
    if series.dtype in TEXT_TYPES or series.dtype == pl.Null:
        return _from_text(series.cast(pl.String), wanted)
    values, storage, n_infinite = canonical(series, wanted.origin)
    if storage == "string":
        return _from_text(values, wanted)
    keeps = (storage,) if storage not in ("integer", "float") else ("integer", "float")
    if column is not None:
        if storage == "boolean" and column.storage in ("integer", "float"):
            values, storage, keeps = values.cast(pl.Int64), "integer", ("integer", "float")
        if column.storage not in keeps:
            return _from_text(text_of(values), wanted)
        parsed = Parsed(values, n_infinite=n_infinite)
        return _collect_like(wanted, column, Reading("float" if storage == "float" else storage), parsed)
    if wanted.kind in _KINDS_OF[storage] or wanted.kind is None:
        return collect(wanted, Reading(storage), Parsed(values, n_infinite=n_infinite))
    return _from_text(text_of(values), wanted)


_KINDS_OF: Final[dict[Storage, tuple[Kind, ...]]] = {
    "integer": ("number", "identifier", "constant"),
    "float": ("number", "identifier", "constant"),
    "boolean": ("boolean", "constant"),
    "datetime": ("datetime", "constant"),
    "string": ("category", "text", "image", "identifier", "constant"),
}
"""Kinds that a typed column can have without being read again as text."""


def _from_text(text: pl.Series, wanted: Wanted) -> Collected:
    reader = TextColumn(wanted)
    reader.add(text)
    return reader.finish()


def canonical(series: pl.Series, origin: str) -> tuple[pl.Series, Storage, int]:
    """Return a typed column in its canonical type, its storage, and how many infinities became missing.

    Examples
    --------
    >>> values, storage, n_infinite = canonical(pl.Series("x", [1.5, float("inf")]), "frame")
    >>> values.to_list(), storage, n_infinite
    ([1.5, None], 'float', 1)
    """
    dtype = series.dtype
    if dtype == pl.Boolean:
        return series, "boolean", 0
    if dtype.is_integer():
        whole = series.cast(pl.Int64, strict=False)
        if whole.null_count() == series.null_count():
            return whole, "integer", 0
        return series.cast(pl.Float64), "float", 0
    if dtype.is_float() or dtype.is_decimal():
        return _finite(series.cast(pl.Float64))
    if isinstance(dtype, pl.Datetime) and dtype.time_zone is not None:
        series = series.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    if dtype in (pl.Date, pl.Datetime):
        return series.cast(CANONICAL["datetime"]), "datetime", 0
    if dtype == pl.Duration:
        return (series.dt.total_microseconds() / 1e6).cast(pl.Float64), "float", 0
    if dtype == pl.Time:
        return series.cast(pl.String), "string", 0
    if dtype == pl.Binary:
        with contextlib.suppress(pl.exceptions.ComputeError):
            return series.cast(pl.String), "string", 0
    what = {pl.List: "lists", pl.Array: "lists", pl.Struct: "structures", pl.Binary: "bytes"}.get(
        dtype.base_type(), f"values of type {dtype}"
    )
    raise DataError(
        f"{origin}: column `{series.name}` holds {what}, which are no single values. Turn them into "
        "columns of their "
        f"own, or leave the column out: data.drop: [{series.name}]."
    )


def _finite(values: pl.Series) -> tuple[pl.Series, Storage, int]:
    n_infinite = int(values.is_infinite().sum() or 0)
    if n_infinite or values.is_nan().any():
        values = pl.select(pl.when(values.is_finite()).then(values).alias(values.name)).to_series()
    return values, "float", n_infinite


def text_of(values: pl.Series) -> pl.Series:
    """Return canonical values as text, as `groundup.data.values.as_text` spells one of them."""
    if values.dtype == pl.Float64:
        whole = values.cast(pl.Int64, strict=False)
        is_whole = whole.cast(pl.Float64) == values
        text = pl.select(
            pl.when(is_whole).then(whole.cast(pl.String)).otherwise(values.cast(pl.String))
        ).to_series()
    elif values.dtype == CANONICAL["datetime"]:
        text = values.dt.strftime("%Y-%m-%dT%H:%M:%S")
    else:
        text = values.cast(pl.String)
    return text.rename(values.name)
