"""Columns as the NumPy arrays that plans are fitted on and encode: each column is read once for both."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, TypeAlias

import numpy as np
import polars as pl

from groundup.core.inputs import FloatArray, IntArray
from groundup.core.schema import Column
from groundup.preparation.canonical import canonical_column
from groundup.preparation.plan import Level, PlanKind

_READ_AS: Final[Mapping[PlanKind, PlanKind]] = MappingProxyType(
    {"target_category": "category", "tfidf": "text"}
)
"""Kinds of plans that take the arrays of another kind."""

_FIRST_ROWS: Final = 2_000
"""Rows in which most categories show all their levels; the others' are collected from all rows."""


@dataclass(frozen=True)
class Numbers:
    """Numbers, or booleans as 0 and 1.

    Parameters
    ----------
    values : ndarray of shape (n_samples,)
        Finite, or NaN where missing (or infinite).
    """

    values: FloatArray

    @property
    def observed(self) -> FloatArray:
        """The values that are not missing."""
        is_missing = np.isnan(self.values)
        return self.values[~is_missing] if is_missing.any() else self.values


@dataclass(frozen=True)
class Factor:
    """Levels of a category as codes.

    Parameters
    ----------
    codes : ndarray of shape (n_samples,)
        The level's index; -1 where it is missing, n_levels where it is none of them.
    levels : sequence, length n_levels
        The levels that were looked for.
    """

    codes: IntArray
    levels: Sequence[Level]


@dataclass(frozen=True)
class Times:
    """Dates or times.

    Parameters
    ----------
    us : ndarray of shape (n_samples,)
        Microseconds since 1970; 0 where missing.
    missing : ndarray of shape (n_missing,)
        Positions of missing times.
    """

    us: IntArray
    missing: IntArray


@dataclass(frozen=True)
class Texts:
    """Texts, "" where missing.

    Parameters
    ----------
    values : list of str, length n_samples
        The texts.
    n_missing : int
        How many are missing.
    """

    values: list[str]
    n_missing: int


Arrays: TypeAlias = Numbers | Factor | Times | Texts


@dataclass(frozen=True)
class Wanted:
    """A column to be read as arrays.

    Parameters
    ----------
    column : Column
        Which.
    kind : PlanKind
        The kind of plan it is for.
    levels : sequence or None
        For a category: the levels to look for; None: whatever occurs.
    """

    column: Column
    kind: PlanKind
    levels: Sequence[Level] | None = None


def read_arrays(frame: pl.DataFrame, wanted: Sequence[Wanted]) -> list[Arrays]:
    """Return columns of raw rows as arrays.

    Parameters
    ----------
    frame : polars.DataFrame
        Raw rows.
    wanted : sequence of Wanted
        What to take from it.

    Returns
    -------
    list of Numbers, Factor, Times or Texts
        In the order of `wanted`.

    Raises
    ------
    PredictionInputError
        If a column is absent, or holds values of another type.
    """
    raw = [_Raw(canonical_column(frame, each.column), each) for each in wanted]
    if not raw:
        return []
    # One query over all columns: one for each would cost more than its work on small data.
    _find_levels([each for each in raw if each.is_text_category and each.has_all_levels])
    plain = pl.DataFrame([each.values for each in raw]).select(each.expression() for each in raw)
    return [each.arrays(plain.get_column(each.values.name)) for each in raw]


class _Raw:
    """One column on its way: canonical values, the query that makes them plain, and the arrays of those."""

    def __init__(self, values: pl.Series, wanted: Wanted) -> None:
        self.values, self.kind = values, _READ_AS.get(wanted.kind, wanted.kind)
        self.is_text_category = self.kind == "category" and not values.dtype.is_numeric()
        self.has_all_levels = wanted.levels is None
        self.levels: Sequence[Level] = wanted.levels or ()

    def expression(self) -> pl.Expr:
        values = pl.col(self.values.name)
        if self.kind in ("number", "boolean"):
            return values.cast(pl.Float64).fill_null(float("nan"))
        if self.is_text_category:
            # Casting to an Enum hashes each text once, in Rust: the fastest lookup there is here.
            levels = pl.Enum([str(level) for level in self.levels])
            codes = values.cast(levels, strict=False).to_physical().cast(pl.Int64)
            return codes.fill_null(-1 if self.has_all_levels else len(self.levels))
        if self.kind == "date":
            return values.to_physical().fill_null(0)
        return values.fill_null("") if self.kind == "text" else values

    def arrays(self, plain: pl.Series) -> Arrays:
        if self.kind in ("number", "boolean"):
            return _numbers(plain.to_numpy())
        if self.is_text_category:
            return self._text_levels(plain.to_numpy())
        if self.kind == "category":
            return _number_levels(self.values)
        if self.kind == "date":
            has_missing = self.values.null_count() > 0
            missing = (
                np.flatnonzero(self.values.is_null().to_numpy()) if has_missing else np.empty(0, np.int64)
            )
            return Times(plain.to_numpy(), missing)
        return Texts(plain.to_list(), self.values.null_count())

    def _text_levels(self, codes: IntArray) -> Factor:
        n_missing = self.values.null_count()
        if not self.has_all_levels:
            if n_missing:
                codes = np.where(self.values.is_null().to_numpy(), -1, codes)
        elif np.count_nonzero(codes < 0) > n_missing:
            self.levels = _distinct(self.values)
            codes = self.values.to_frame().select(self.expression()).to_series().to_numpy()
        return Factor(codes, self.levels)


def _find_levels(columns: Sequence[_Raw]) -> None:
    """Give each category the levels of its first rows, in which most show all they have."""
    if columns:
        heads = pl.DataFrame([each.values.head(_FIRST_ROWS) for each in columns])
        found = heads.select(pl.all().unique().implode())
        for each, levels in zip(columns, found.row(0), strict=True):
            each.levels = [level for level in levels if level is not None]


def _distinct(values: pl.Series) -> list[Level]:
    return [level for level in values.unique().to_list() if level is not None]


def _numbers(x: FloatArray) -> Numbers:
    is_infinite = np.isinf(x)
    return Numbers(np.where(is_infinite, np.nan, x) if is_infinite.any() else x)


def _number_levels(values: pl.Series) -> Factor:
    is_present = values.is_finite() if values.dtype.is_float() else values.is_not_null()
    mask = is_present.fill_null(value=False)
    distinct, inverse = np.unique(values.filter(mask).to_numpy(), return_inverse=True)
    codes = np.full(len(values), -1)
    codes[mask.to_numpy()] = inverse
    return Factor(codes, distinct.tolist())
