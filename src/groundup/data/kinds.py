"""What each column is: number, category, date, boolean, text, identifier or constant, and why."""

import re
from dataclasses import dataclass
from typing import Final

import polars as pl

from groundup.core.schema import Kind, Storage

_MIN_ROWS_FOR_UNIQUE = 30
_MIN_ROWS_FOR_HINT = 5


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ID_WORDS: Final = _words(
    "id ids key keys index idx uuid guid nr no num number row rownum rowid rownames"
    " instant pk hash record unnamed"
)
_TIME_WORDS: Final = _words("year yr month day hour minute second time date week quarter t step period epoch")


@dataclass(frozen=True)
class Found:
    """A column's kind and the reason for it, as a clause."""

    kind: Kind
    reason: str


def name_words(name: str) -> list[str]:
    """Return the words of a column's name, in lower case.

    Examples
    --------
    >>> name_words("PassengerId"), name_words("home.dest_2")
    (['passenger', 'id'], ['home', 'dest', '2'])
    """
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return [word for word in re.split(r"[^a-z0-9]+", spaced.lower()) if word]


def find_kind(values: pl.Series, storage: Storage) -> Found:
    """Decide what a typed column is.

    Parameters
    ----------
    values : polars.Series
        The whole column, in the canonical type of `storage`, missing values null; its name counts.
    storage : Storage
        How it is stored.

    Returns
    -------
    Found
        A number is an identifier only if it is whole and unique; a measurement never is.

    Examples
    --------
    >>> find_kind(pl.Series("city", ["Bonn", "Ulm", "Bonn"]), "string")
    Found(kind='category', reason='2 distinct values in 3 rows')
    """
    n_rows, n_present = len(values), len(values) - values.null_count()
    if n_present == 0:
        return Found("constant", "no values at all" if n_rows else "no rows")
    if storage == "datetime":
        return _unless_constant(values, n_rows, n_present, Found("datetime", "dates"))
    if storage == "boolean":
        return _unless_constant(values, n_rows, n_present, Found("boolean", "true or false"))
    if storage == "float":
        return _unless_constant(values, n_rows, n_present, Found("number", "numbers"))
    n_unique = values.drop_nulls().n_unique()
    if n_unique == 1 and n_present == n_rows:
        return _constant(values, n_rows)
    if storage == "integer":
        return _integer_kind(values, n_present, n_unique)
    return _string_kind(values, n_present, n_unique)


def _constant(values: pl.Series, n_rows: int) -> Found:
    shown = str(values.drop_nulls()[0])[:40]
    return Found("constant", f"`{shown}` in all {_count(n_rows, 'row')}")


def _unless_constant(values: pl.Series, n_rows: int, n_present: int, found: Found) -> Found:
    if n_present == n_rows and values.min() == values.max():
        return _constant(values, n_rows)
    return found


def spaced(n: int) -> str:
    """Return a whole number for people.

    Examples
    --------
    >>> spaced(1234567)
    '1 234 567'
    """
    return f"{n:,}".replace(",", " ")


def _count(n: int, noun: str) -> str:
    return f"{spaced(n)} {noun}{'' if n == 1 else 's'}"


def _integer_kind(values: pl.Series, n_present: int, n_unique: int) -> Found:
    number = Found("number", f"whole numbers, {_count(n_unique, 'distinct value')}")
    if n_unique < n_present or n_present < len(values):
        return number
    words = name_words(values.name)
    low, high = int(values.min()), int(values.max())  # type: ignore[arg-type]
    is_run = high - low == n_present - 1
    if _ID_WORDS.intersection(words[-1:] + words[:1]) and n_present >= _MIN_ROWS_FOR_HINT:
        looks_like = is_run or values.is_sorted() or high - low >= 10 * n_present
        if looks_like:
            return Found(
                "identifier", f"different whole numbers in all {_count(n_present, 'row')}, and its name"
            )
    counts_rows = is_run and low in (0, 1) and n_present >= _MIN_ROWS_FOR_UNIQUE
    if counts_rows and not _TIME_WORDS.intersection(words) and _is_monotone(values):
        return Found("identifier", f"counts the rows from {low} to {high}")
    return number


def _is_monotone(values: pl.Series) -> bool:
    return values.is_sorted() or values.is_sorted(descending=True)


def _string_kind(values: pl.Series, n_present: int, n_unique: int) -> Found:
    present = values.drop_nulls()
    distinct = f"{_count(n_unique, 'distinct value')} in {_count(n_present, 'row')}"
    sample = present if n_present <= 20_000 else present.gather_every(n_present // 20_000)
    has_hint = bool(_ID_WORDS.intersection(name_words(values.name)[-1:]))
    if n_unique <= 2 and not has_hint:
        return Found("category", distinct)
    n_words = float(sample.str.count_matches(r"\S+").mean() or 0.0)  # type: ignore[arg-type]
    n_characters = float(sample.str.len_chars().mean() or 0.0)  # type: ignore[arg-type]
    share_unique = n_unique / n_present
    if n_words >= 3 and ((share_unique >= 0.5 and n_unique >= 10) or n_unique >= 1000):
        return Found("text", f"{n_words:.0f} words on average, {distinct}")
    if n_characters > 60 and share_unique >= 0.5 and n_unique >= 10:
        return Found("text", f"{n_characters:.0f} characters on average, {distinct}")
    if n_unique == n_present >= _MIN_ROWS_FOR_HINT and has_hint:
        return Found("identifier", f"a different value in each of {_count(n_present, 'row')}, and its name")
    if share_unique >= 0.98 and n_present >= _MIN_ROWS_FOR_UNIQUE:
        return Found("identifier", distinct)
    if n_unique == n_present >= 10 and bool(present.str.contains(r"\d").all()) and n_words < 2:
        return Found("identifier", f"a different code in each of {_count(n_present, 'row')}")
    return Found("category", distinct)
