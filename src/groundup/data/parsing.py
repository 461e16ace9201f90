"""Columns of text become typed columns; nothing is guessed silently.

Every text column arrives as text and is given a *reading*: how it is stored and how it is spelled.
The reading is found by evidence from the column's values and then applied to all of them; what it
does not fit is counted and shown. One value of a dict is read by the same rules in
`groundup.data.values`.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Final

import polars as pl

from groundup.core.schema import Kind, Storage
from groundup.data.kinds import name_words
from groundup.data.values import (
    BLANKS,
    BOOLEAN_PAIRS,
    BOOLEANS,
    NUMBER_FORMATS,
    datetime_formats,
    is_iso,
    parse_datetime,
    parse_number,
)

CANONICAL: Final = {
    "integer": pl.Int64(),
    "float": pl.Float64(),
    "string": pl.String(),
    "boolean": pl.Boolean(),
    "datetime": pl.Datetime("us"),
}
"""Storage → Polars type."""

_SAMPLE = 300
_SHORT = 256
_DATE_WORDS: Final = frozenset({"date", "day", "datum", "dates", "ymd"})
_MAX_JUNK_SHARE = 0.1
_MAX_JUNK_VALUES = 5
_MAX_EXAMPLES = 8
_INFINITE: Final = ("inf", "+inf", "-inf", "infinity", "+infinity", "-infinity")
_LEADING_ZERO = re.compile(r"^[+-]?0[0-9]+$")
_ISO_FORMATS: Final = (
    "%Y-%m-%d",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d %H:%M:%S%.f%#z",
    "%Y-%m-%d %H:%M%#z",
)


@dataclass(frozen=True)
class Reading:
    """How a text column is read.

    Parameters
    ----------
    storage : Storage
        What its values become.
    format : str or None
        How they are spelled; see `groundup.core.schema.Column`.
    note : str
        Why, where it is not plain: "day before month, as 31.12.2020 shows".
    is_ambiguous : bool
        Whether day and month could as well be the other way round.
    """

    storage: Storage
    format: str | None = None
    note: str = ""
    is_ambiguous: bool = False


@dataclass
class Parsed:
    """A typed column and what its text did not fit.

    Parameters
    ----------
    values : polars.Series
        Canonical type of the reading's storage; null where missing.
    missing : set of str
        Spellings of "missing" that were found, besides the empty one.
    failed : Counter
        Text that the reading does not fit, and how often; its values are null.
    first_failed : int or None
        Row of the first of them.
    n_infinite : int
        Infinite numbers; their values are null.
    """

    values: pl.Series
    missing: set[str] = field(default_factory=set)
    failed: Counter[str] = field(default_factory=Counter)
    first_failed: int | None = None
    n_infinite: int = 0


def parse(text: pl.Series, reading: Reading, missing: Iterable[str]) -> Parsed:
    """Read a text column.

    Parameters
    ----------
    text : polars.Series of str
        As it stands in the file.
    reading : Reading
        How to read it.
    missing : iterable of str
        Spellings of "missing", compared after trimming blanks; the empty one always is.

    Returns
    -------
    Parsed
        As many values as `text` has.

    Examples
    --------
    >>> parsed = parse(pl.Series("x", ["1", " 2 ", "?", "many"]), Reading("integer"), ["?"])
    >>> parsed.values.to_list(), parsed.missing, dict(parsed.failed)
    ([1, 2, None, None], {'?'}, {'many': 1})
    """
    spellings = set(missing) | {""}
    if reading.storage == "string":
        if len(text) <= _SHORT:
            return _parse_short_strings(text, spellings)
        trimmed = text.str.strip_chars()
        is_missing = trimmed.is_in(sorted(spellings)).fill_null(value=True)
        found = set(trimmed.filter(is_missing).unique().drop_nulls().to_list()) - {""}
        return Parsed(pl.select(pl.when(~is_missing).then(trimmed).alias(text.name)).to_series(), found)
    values = _convert(text, reading)
    parsed = Parsed(values)
    if values.null_count() > text.null_count():
        rows = (values.is_null() & text.is_not_null()).arg_true()
        _read_again(text[rows].str.strip_chars(), rows, reading, spellings, parsed)
    if reading.storage == "float":
        _drop_infinite(parsed)
    return parsed


def _parse_short_strings(text: pl.Series, spellings: set[str]) -> Parsed:
    """Do the same as `parse` in plain Python, which is faster for tables of many columns and few rows."""
    trimmed = [value and value.strip(BLANKS) for value in text]
    found = spellings.intersection(trimmed) - {""}
    values = [None if value in spellings else value for value in trimmed]
    return Parsed(pl.Series(text.name, values, dtype=pl.String), found)


def _read_again(
    trimmed: pl.Series, rows: pl.Series, reading: Reading, spellings: set[str], parsed: Parsed
) -> None:
    """Sort out what could not be read at once: blanks around it, spellings of missing, and true misfits."""
    values = _convert(trimmed, reading)
    if values.null_count() < len(values):
        is_read = values.is_not_null()
        scattered = parsed.values.scatter(rows.filter(is_read), values.filter(is_read))
        parsed.values = scattered
    failed_rows, failed = rows.filter(values.is_null()), trimmed.filter(values.is_null())
    is_missing = failed.is_in(sorted(spellings))
    parsed.missing |= set(failed.filter(is_missing).unique().to_list()) - {""}
    failed_rows, failed = failed_rows.filter(~is_missing), failed.filter(~is_missing)
    if len(failed):
        is_infinite = failed.str.to_lowercase().is_in(_INFINITE) if reading.storage == "integer" else None
        if is_infinite is not None and is_infinite.any():
            parsed.n_infinite += int(is_infinite.sum())
            failed_rows, failed = failed_rows.filter(~is_infinite), failed.filter(~is_infinite)
    if len(failed):
        counts = failed.value_counts(sort=True)
        parsed.failed.update(dict(counts.head(1000).iter_rows()))
        if len(counts) > 1000:
            parsed.failed["…"] += int(counts["count"][1000:].sum())
        parsed.first_failed = int(failed_rows[0])


def _drop_infinite(parsed: Parsed) -> None:
    values = parsed.values
    total = values.sum()
    if total is None or isfinite(total):
        return  # neither an infinity nor NaN among them
    is_infinite = values.is_infinite()
    if is_infinite.any():
        parsed.n_infinite += int(is_infinite.sum())
        values = pl.select(pl.when(~is_infinite).then(values).alias(values.name)).to_series()
    parsed.values = values.fill_nan(None)


def _convert(text: pl.Series, reading: Reading) -> pl.Series:
    """Return the values that `text` spells exactly, null elsewhere."""
    if reading.storage == "boolean":
        return _convert_booleans(text)
    if reading.storage == "datetime":
        return _convert_datetimes(text, reading.format)
    if reading.format is not None:
        values = _convert_formatted(text, reading.format)
        return values if reading.storage == "float" else values.cast(pl.Int64, strict=False)
    return text.cast(CANONICAL[reading.storage], strict=False)


def _convert_booleans(text: pl.Series) -> pl.Series:
    if len(text) <= _SHORT:
        values = [None if value is None else BOOLEANS.get(value.lower()) for value in text]
        return pl.Series(text.name, values, dtype=pl.Boolean)
    return text.str.to_lowercase().replace_strict(
        list(BOOLEANS), list(BOOLEANS.values()), default=None, return_dtype=pl.Boolean
    )


def _convert_formatted(text: pl.Series, number_format: str) -> pl.Series:
    parts = text.str.extract_groups(NUMBER_FORMATS[number_format].pattern).struct.rename_fields(
        ["open", "sign", "currency", "inner", "digits", "fraction", "exponent", "percent", "suffix", "close"]
    )
    minus = ["-", "−"]
    column = {name: pl.col("p").struct.field(name) for name in parts.struct.fields}
    digits = column["digits"].str.replace_all(r"[^0-9]", "")
    fraction = column["fraction"].str.replace_all(r"[^0-9]", "").fill_null("")
    signs = (
        column["open"].is_not_null().cast(pl.Int8)
        + column["sign"].is_not_null()
        + column["inner"].is_not_null()
    )
    is_valid = (
        ((digits.str.len_bytes() > 0) | (fraction.str.len_bytes() > 0))
        & (column["open"].is_null() == column["close"].is_null())
        & (column["currency"].is_null() | column["suffix"].is_null())
        & (signs <= 1)
    )
    is_negative = column["open"].is_not_null() | column["sign"].is_in(minus) | column["inner"].is_in(minus)
    number = pl.concat_str(
        pl.lit("0"), digits, pl.lit("."), fraction, pl.lit("0"), column["exponent"].fill_null("")
    ).cast(pl.Float64, strict=False)
    signed = pl.when(is_negative.fill_null(value=False)).then(-number).otherwise(number)
    return pl.DataFrame({"p": parts}).select(pl.when(is_valid).then(signed).alias(text.name)).to_series()


def _convert_datetimes(text: pl.Series, datetime_format: str | None) -> pl.Series:
    if datetime_format is not None:
        return _strptime(text, datetime_format)
    if (values := _convert_uniform_iso(text)) is not None:
        return values
    is_iso_text = text.str.contains(r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:|$)")
    even = pl.select(
        pl.when(is_iso_text).then(
            text.str.replace(r"^(.{10})T", "$1 ").str.replace(r" ?([+-]\d{2}:?\d{2}|Z)$", "$1")
        )
    ).to_series()
    values = pl.Series(text.name, [None], dtype=CANONICAL["datetime"]).new_from_index(0, len(text))
    for each in _ISO_FORMATS:
        rest = values.is_null() & even.is_not_null()
        if not rest.any():
            break
        found = _strptime_chrono(even.filter(rest) if not rest.all() else even, each)
        values = found if rest.all() else values.scatter(rest.arg_true(), found)
    return values.rename(text.name)


def _convert_uniform_iso(text: pl.Series) -> pl.Series | None:
    """Return the moments if all are spelled with the same length and without a zone: the quick way."""
    first = next((value for value in text.head(100) if value), "")
    chrono = {10: "%Y-%m-%d", 16: "%Y-%m-%d{}%H:%M", 19: "%Y-%m-%d{}%H:%M:%S"}.get(len(first))
    lengths = text.str.len_bytes()
    if chrono is None or not is_iso(first) or lengths.min() != len(first) or lengths.max() != len(first):
        return None
    values = _strptime_chrono(text, chrono.format(first[10:11]))
    return values if values.null_count() == text.null_count() else None


def _strptime(text: pl.Series, datetime_format: str) -> pl.Series:
    chrono = datetime_format.replace(".%f", "%.f").replace("%z", "%#z")
    if "%d" not in datetime_format:  # a month stands for its first day
        text, chrono = text + "\x1f1", chrono + "\x1f%d"
    return _strptime_chrono(text, chrono)


def _strptime_chrono(text: pl.Series, chrono: str) -> pl.Series:
    zone = "UTC" if "z" in chrono else None
    values = text.str.to_datetime(chrono, strict=False, exact=True, time_unit="us", time_zone=zone)
    if zone:
        values = values.dt.replace_time_zone(None)
    is_sane = values.dt.year() >= 1000
    return pl.select(pl.when(is_sane).then(values).alias(text.name)).to_series()


def find_reading(
    text: pl.Series, missing: Iterable[str], *, kind: Kind | None = None
) -> tuple[Reading, Parsed]:
    """Find how a text column is to be read, and read it.

    Parameters
    ----------
    text : polars.Series of str
        All of the column, or its first block.
    missing : iterable of str
        Spellings of "missing".
    kind : Kind or None
        What the column was declared to be; then only readings of this kind are tried, and the one
        returned may leave values in ``Parsed.failed``.

    Returns
    -------
    reading : Reading
        Numbers and dates are found when all values fit, or all but a few: at most 10 % of the rows
        and five different texts, which then stand in ``Parsed.failed`` and are null.
    parsed : Parsed
        What `parse` gives for it.
    """
    if kind == "identifier":  # whole numbers stay numbers, as where the kind was found
        reading, parsed = find_reading(text, missing)
        if reading.storage == "integer" and not parsed.failed:
            return reading, parsed
    if kind in ("category", "text", "image", "identifier"):
        return _read_as(text, Reading("string"), missing)
    sample = _sample(text, missing)
    if not sample:
        reading, parsed = _read_as(text, Reading("string"), missing)
        if parsed.values.null_count() == len(text):
            return reading, parsed
        sample = parsed.values.drop_nulls().unique(maintain_order=True).head(_SAMPLE).to_list()
    nearest: tuple[Reading, Parsed] | None = None
    for candidate in _candidates(sample, text, kind):
        parsed = parse(text, candidate, missing)
        if not parsed.failed:
            return candidate, parsed
        if (kind is not None or _nearly_fits(parsed)) and (
            nearest is None or parsed.failed.total() < nearest[1].failed.total()
        ):
            nearest = candidate, parsed
    return nearest or _read_as(text, Reading("string"), missing)


def _read_as(text: pl.Series, reading: Reading, missing: Iterable[str]) -> tuple[Reading, Parsed]:
    return reading, parse(text, reading, missing)


def _sample(text: pl.Series, missing: Iterable[str]) -> list[str]:
    """Return distinct values from the start and from all over the column."""
    some = text.head(4 * _SAMPLE).to_list()
    if len(text) > len(some):
        some += text.gather_every(max(1, len(text) // _SAMPLE)).to_list()
    spellings = set(missing) | {""}
    distinct = dict.fromkeys(value.strip(BLANKS) for value in dict.fromkeys(some) if value)
    return [each for each in distinct if each not in spellings][: 2 * _SAMPLE]


def _candidates(sample: Sequence[str], text: pl.Series, kind: Kind | None) -> Iterable[Reading]:
    """Yield the readings that most of the sample fits, best first; all that could be, if declared."""
    needed = 0.0 if kind else 1 - _MAX_JUNK_SHARE - max(0.0, 2 / len(sample) - 0.05) * (len(sample) > 2)
    if kind is None and _DATE_WORDS.intersection(name_words(text.name)) and _are_compact_dates(sample):
        yield Reading("datetime", "%Y%m%d")
    if kind in (None, "number"):
        yield from _number_candidates(sample, text, needed, is_declared=kind is not None)
    if kind in (None, "boolean"):
        lowered = {each.lower() for each in sample}
        if kind or any(lowered == set(pair) for pair in BOOLEAN_PAIRS):
            yield Reading("boolean")
    if kind in (None, "datetime"):
        yield from _datetime_candidates(sample, text, needed, is_declared=kind is not None)


def _are_compact_dates(sample: Sequence[str]) -> bool:
    return all(datetime_formats(each) == ["%Y%m%d"] for each in sample)


def _share(sample: Sequence[str], fits: Sequence[bool]) -> float:
    return sum(fits) / len(sample)


def _number_candidates(
    sample: Sequence[str], text: pl.Series, needed: float, *, is_declared: bool
) -> Iterable[Reading]:
    plain = _share(sample, [parse_number(each) is not None or each.lower() in _INFINITE for each in sample])
    if not is_declared and (any(map(_LEADING_ZERO.match, sample)) or has_leading_zeros(text)):
        return  # codes: a zip code that starts with 0
    if plain >= needed and plain > 0:
        has_fraction = any(
            not each.lstrip("+-").isdigit() for each in sample if parse_number(each) is not None
        )
        if not has_fraction:
            yield Reading("integer")
        if not is_declared and _holds_long_codes(text, sample):
            return
        yield Reading("float")
    shares = {
        key: _share(sample, [parse_number(each, key) is not None for each in sample])
        for key in NUMBER_FORMATS
    }
    best = max(shares.values())
    if best >= needed and best > 0 and (best > plain or plain == 1 or is_declared):
        for key in (key for key in NUMBER_FORMATS if shares[key] == best):
            if is_declared or _has_one_unit(text):
                storage: Storage = "integer" if _are_whole(sample, key) else "float"
                if storage == "integer":
                    yield Reading("integer", key, _number_note(sample, key))
                yield Reading("float", key, _number_note(sample, key))
    elif is_declared:
        yield Reading("float")


def has_leading_zeros(text: pl.Series) -> bool:
    """Return whether any text is a code such as 00123."""
    if len(text) <= _SHORT:
        return any(_LEADING_ZERO.match(value.strip(BLANKS)) for value in text if value)
    return bool(text.str.contains(r"^\s*[+-]?0[0-9]+\s*$").any())


def _are_whole(sample: Sequence[str], number_format: str) -> bool:
    mark = NUMBER_FORMATS[number_format].decimal
    return not any(mark in each or "%" in each or "e" in each.lower().replace("eur", "") for each in sample)


def _number_note(sample: Sequence[str], number_format: str) -> str:
    values = ((each, parse_number(each, number_format)) for each in sample if parse_number(each) is None)
    return next((f"`{text}` is read as {value:.12g}" for text, value in values if value is not None), "")


def _holds_long_codes(text: pl.Series, sample: Sequence[str]) -> bool:
    """Return whether there are whole numbers too long to be kept exactly: card numbers, keys."""
    if not any(len(each) > 15 for each in sample):
        return False
    return bool(text.str.contains(r"^\s*[+-]?[0-9]{19,}\s*$").any())


def _has_one_unit(text: pl.Series) -> bool:
    """Return whether all values carry the same currency, and all or none a percent sign."""
    present = text.drop_nulls()
    units = present.str.extract(r"(%|[$€£¥₹]|USD|EUR|GBP|CHF|JPY)", 1)
    counts = units.value_counts()
    named = [name for name in counts[counts.columns[0]].to_list() if name is not None]
    if len(named) > 1:
        return False
    if named == ["%"]:
        bare = present.filter(units.is_null()).str.strip_chars()
        return not bool(bare.str.contains(r"[1-9]").any())
    return True


def _datetime_candidates(
    sample: Sequence[str], text: pl.Series, needed: float, *, is_declared: bool
) -> Iterable[Reading]:
    if _share(sample, [is_iso(each) for each in sample]) >= max(needed, 0.01):
        yield Reading("datetime")
        return
    formats = Counter(chain_formats(sample[:40]))
    if not is_declared:
        formats.pop("%Y%m%d", None)  # just a whole number
    shares = {
        each: _share(sample, [parse_datetime(value, each) is not None for value in sample])
        for each, _ in formats.most_common(8)
    }
    fitting = [each for each in shares if shares[each] >= needed and shares[each] > 0]
    if not fitting:
        if is_declared:
            yield Reading("datetime")
        return
    best = max(shares[each] for each in fitting)
    yield from _ordered_formats([each for each in fitting if shares[each] == best], text)


def chain_formats(sample: Iterable[str]) -> Iterable[str]:
    """Yield the formats of every value."""
    for each in sample:
        yield from datetime_formats(each)


def _ordered_formats(formats: list[str], text: pl.Series) -> list[Reading]:
    """Return readings for formats that fit the sample alike; all rows decide between day and month first."""
    if len(formats) == 1:
        return [Reading("datetime", formats[0])]
    values = {each: _strptime(text.str.strip_chars(), each) for each in formats}
    n_read = {each: len(text) - values[each].null_count() for each in formats}
    best = max(n_read.values())
    tied = [each for each in formats if n_read[each] == best]
    losers = [each for each in formats if n_read[each] < best]
    if len(tied) == 1:
        note = f"`{tied[0]}` fits more rows than `{losers[0]}`"
        return [Reading("datetime", tied[0], note)]
    ordered = [each for each in tied if values[each].drop_nulls().is_sorted() and values[each].n_unique() > 2]
    if len(ordered) == 1:
        return [Reading("datetime", ordered[0], f"read as `{ordered[0]}` the rows are in order of time")]
    month_first = "/" in tied[0]
    preferred = [each for each in tied if each.startswith("%m" if month_first else "%d")] or tied
    both_same = bool((values[tied[0]] == values[tied[-1]]).all())
    return [
        Reading(
            "datetime",
            preferred[0],
            f"read as `{preferred[0]}`, though `{next(e for e in tied if e != preferred[0])}` fits as well",
            is_ambiguous=not both_same,
        )
    ]


def _nearly_fits(parsed: Parsed) -> bool:
    n_failed = parsed.failed.total()
    n_present = len(parsed.values) - parsed.values.null_count() + n_failed
    return n_failed <= _MAX_JUNK_SHARE * n_present and len(parsed.failed) <= _MAX_JUNK_VALUES


def examples_of(failed: Counter[str]) -> list[str]:
    """Return the most frequent texts that were not understood."""
    return [text[:60] for text, _ in failed.most_common(_MAX_EXAMPLES) if text != "…"]


def share_of_numbers(text: pl.Series) -> float:
    """Return which share of the present texts are plain or grouped numbers."""
    present = text.drop_nulls()
    if len(present) == 0:
        return 0.0
    return float(present.str.contains(r"^[+-]?[0-9][0-9,]*\.?[0-9]*([eE][+-]?[0-9]+)?$").mean() or 0.0)  # type: ignore[arg-type]
