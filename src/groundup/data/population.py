"""A stated population: the groups of a column with their shares, and the group that each value belongs to.

Groups of numbers are ranges, written `<30`, `30 to 50`, `>=50`, or single numbers; groups of everything
else are the values themselves.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import inf
from typing import Final

import numpy as np
import polars as pl

from groundup.core.errors import DataError
from groundup.core.inputs import FloatArray, IntArray
from groundup.core.schema import Column
from groundup.core.wording import listed
from groundup.data.values import BOOLEANS

OTHERS: Final = "all other values"
"""The group of what the stated ones leave over."""

MISSING: Final = -1
UNPLACED: Final = -2
"""What stands for the group of a missing value, and of one that no stated group holds."""

_MOST_LEVELS: Final = 12
_ROUNDED: Final = 0.02  # shares that sum to 1 but for so much were rounded
_NUMBER: Final = r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?"
_ONE_SIDED: Final = re.compile(rf"(<=|>=|<|>|≤|≥)\s*({_NUMBER})")
_RANGE: Final = re.compile(rf"({_NUMBER})\s*(?:to|-|–|\.\.)\s*({_NUMBER})")
_SINGLE: Final = re.compile(_NUMBER)


@dataclass(frozen=True)
class _Span:
    """Numbers from `low` to `high`; an open end does not belong to it."""

    low: float
    high: float
    has_low: bool = True
    has_high: bool = True

    def holds(self, values: FloatArray) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        above = values >= self.low if self.has_low else values > self.low
        below = values <= self.high if self.has_high else values < self.high
        return np.asarray(above & below)


@dataclass(frozen=True, eq=False)
class Groups:
    """The groups of one column.

    Parameters
    ----------
    column : str
        Its name.
    labels : tuple of str
        What each group is called; `OTHERS` last, where the stated shares leave something over.
    shares : ndarray of shape (n_groups,)
        In the population; they sum to 1.
    spans : tuple or None
        The range of each group of numbers; None where groups are values.
    """

    column: str
    labels: tuple[str, ...]
    shares: FloatArray
    spans: tuple[_Span, ...] | None = None

    @property
    def n_groups(self) -> int:
        """How many groups there are."""
        return len(self.labels)

    def place(self, values: pl.Series) -> IntArray:
        """Return the group of each value, `MISSING` or `UNPLACED`; shape (n_values,)."""
        stated = [label for label in self.labels if label != OTHERS]
        otherwise = self.n_groups - 1 if len(stated) < self.n_groups else UNPLACED
        if self.spans is None:
            texts = pl.Series([_spelled(label, values.dtype) for label in stated], dtype=pl.String)
            places = pl.Series(range(len(stated)), dtype=pl.Int64)
            found = values.cast(pl.String).replace_strict(
                texts, places, default=otherwise, return_dtype=pl.Int64
            )
            return np.where(values.is_null().to_numpy(), MISSING, found.fill_null(MISSING).to_numpy())
        numbers = values.cast(pl.Float64).fill_null(np.nan).to_numpy()
        placed = np.full(len(numbers), otherwise, dtype=np.int64)
        # Where one range ends and the next begins, the value belongs to the one that begins.
        for place, span in sorted(enumerate(self.spans), key=lambda each: (each[1].low, each[1].has_low)):
            placed[span.holds(numbers)] = place
        placed[np.isnan(numbers)] = MISSING
        return placed


def _spelled(label: str, dtype: pl.DataType) -> str:
    """Return a label as a value of its column is spelled: of booleans, "yes" and "true" are the same."""
    if dtype != pl.Boolean or label.lower() not in BOOLEANS:
        return label
    return str(BOOLEANS[label.lower()]).lower()


def stated_groups(column: Column, stated: Mapping[str, float]) -> Groups:
    """Return the groups of a column as they were stated.

    Parameters
    ----------
    column : Column
        What it is: ranges are for numbers.
    stated : mapping of str to float
        Group → share, in [0, 1].

    Raises
    ------
    DataError
        If a group of numbers cannot be read or overlaps another, or the shares sum to more than 1.

    Examples
    --------
    >>> age = Column("age", "number", "integer")
    >>> groups = stated_groups(age, {"<30": 0.3, "30 to 50": 0.4, ">=50": 0.3})
    >>> groups.place(pl.Series([29, 30, 50, None])).tolist()
    [0, 1, 2, -1]
    """
    labels, shares = tuple(stated), np.array(list(stated.values()), dtype=np.float64)
    total = float(shares.sum())
    if total > 1 + _ROUNDED:
        raise DataError(
            f"The shares of `{column.name}` in `data.population` sum to `{total:.4g}`, and a population is "
            "1. Give shares, not percentages or counts."
        )
    if column.kind in ("identifier", "text", "image", "datetime"):
        raise DataError(
            f"`data.population` names `{column.name}`, which is a {column.kind}: groups are those of "
            "categories and numbers. State another column."
        )
    spans = _spans(column.name, labels) if column.storage in ("integer", "float") else None
    if total < 1 - _ROUNDED:
        return Groups(column.name, (*labels, OTHERS), np.append(shares, 1 - total), spans)
    return Groups(column.name, labels, shares / total, spans)


def _spans(column: str, labels: tuple[str, ...]) -> tuple[_Span, ...]:
    spans = tuple(_span(column, label) for label in labels)
    ordered = sorted(spans, key=lambda span: (span.low, span.high))
    for one, other in pairwise(ordered):
        if other.low < one.high:
            clash = [label for label, span in zip(labels, spans, strict=True) if span in (one, other)]
            raise DataError(
                f"In `data.population`, the groups {listed(clash)} of `{column}` overlap. Let each end where "
                "the next begins."
            )
    return spans


def _span(column: str, label: str) -> _Span:
    text = label.strip()
    if found := _ONE_SIDED.fullmatch(text):
        sign, bound = found[1], float(found[2])
        if sign in ("<", "<=", "≤"):
            return _Span(-inf, bound, has_high=sign != "<")
        return _Span(bound, inf, has_low=sign != ">")
    if found := _RANGE.fullmatch(text):
        low, high = float(found[1]), float(found[2])
        if low <= high:
            return _Span(low, high)
    elif _SINGLE.fullmatch(text):
        return _Span(float(text), float(text))
    raise DataError(
        f"In `data.population`, `{label}` is no group of the numbers in `{column}`. Write `<30`, `30 to 50`, "
        "`>=50`, or a single number."
    )


def sampled_groups(column: Column, values: pl.Series) -> Groups | None:
    """Return the groups of a column of which the population's rows are a sample; None where there is one.

    Numbers are cut at the quartiles unless there are few; of other values the most frequent are groups.

    Examples
    --------
    >>> sampled_groups(Column("sex", "category", "string"), pl.Series(["f", "m", "f", "f"])).labels
    ('f', 'm')
    """
    known = values.drop_nulls()
    if not len(known):
        return None
    if column.storage in ("integer", "float") and known.n_unique() > _MOST_LEVELS:
        edges = list(dict.fromkeys(f"{known.quantile(q, 'lower'):.6g}" for q in (0.25, 0.5, 0.75)))
        inner = [f"{low} to {high}" for low, high in pairwise(edges)] or [edges[0]]
        labels = [f"<{edges[0]}", *inner, f"{'>=' if len(edges) > 1 else '>'}{edges[-1]}"]
    else:
        levels = known.value_counts(sort=True).sort(["count", known.name], descending=[True, False])
        texts = levels.to_series(0).cast(pl.String).to_list()
        labels = texts[:_MOST_LEVELS]
    groups = stated_groups(column, dict.fromkeys(labels, 0.0))
    counts = np.bincount(groups.place(known)[groups.place(known) >= 0], minlength=groups.n_groups)
    kept = [place for place in range(groups.n_groups) if counts[place]]
    if len(kept) < 2:
        return None
    spans = (
        None if groups.spans is None else tuple(groups.spans[p] for p in kept if groups.labels[p] != OTHERS)
    )
    return Groups(column.name, tuple(groups.labels[p] for p in kept), counts[kept] / counts.sum(), spans)
