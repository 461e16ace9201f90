"""Columns as the NumPy arrays that plans are fitted on and encode: each column is read once for both."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from groundup.core.inputs import FloatArray, IntArray
from groundup.core.schema import Column
from groundup.preparation.canonical import canonical_column
from groundup.preparation.plan import Level, PlanKind


@dataclass(frozen=True)
class Numbers:
    """Numbers, or booleans as 0 and 1.

    Parameters
    ----------
    values : ndarray of shape (n_samples,)
        Finite, or NaN where missing (or infinite).
    missing : ndarray of shape (n_missing,)
        Positions of the NaN.
    """

    values: FloatArray
    missing: IntArray

    @property
    def observed(self) -> FloatArray:
        """The values that are not missing."""
        if not len(self.missing):
            return self.values
        is_present = np.ones(len(self.values), dtype=bool)
        is_present[self.missing] = False
        return self.values[is_present]


@dataclass(frozen=True)
class Factor:
    """Levels of a category as codes.

    Parameters
    ----------
    codes : ndarray of shape (n_samples,)
        Integers from 0; where the level is missing, one that no level has.
    levels : dict of int to level
        Which level each code stands for; every one of them occurs.
    """

    codes: NDArray[Any]
    levels: dict[int, Level]


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


def read_arrays(frame: pl.DataFrame, columns: Sequence[tuple[Column, PlanKind]]) -> list[Arrays]:
    """Return columns of raw rows as arrays.

    Parameters
    ----------
    frame : polars.DataFrame
        Raw rows.
    columns : sequence of (Column, PlanKind)
        What to take from it, and the kind of plan it is for.

    Returns
    -------
    list of Numbers, Factor, Times or Texts
        In the order of `columns`.

    Raises
    ------
    PredictionInputError
        If a column is absent, or holds values of another type.
    """
    return [_read(canonical_column(frame, column), kind) for column, kind in columns]


def _read(values: pl.Series, kind: PlanKind) -> Arrays:
    if kind in ("number", "boolean"):
        return _numbers(values)
    if kind == "category":
        return factorize(values)
    if kind == "date":
        return _times(values)
    return Texts(values.fill_null("").to_list(), values.null_count())


def _numbers(values: pl.Series) -> Numbers:
    if values.dtype != pl.Float64:
        values = values.cast(pl.Float64)
    x = (values.fill_null(float("nan")) if values.null_count() else values).to_numpy()
    missing = np.flatnonzero(~np.isfinite(x))
    if np.isinf(x[missing]).any():
        x = x.copy()
        x[missing] = np.nan
    return Numbers(x, missing)


def _times(values: pl.Series) -> Times:
    us = values.to_physical()
    if not us.null_count():
        return Times(us.to_numpy(), np.empty(0, dtype=np.int64))
    return Times(us.fill_null(0).to_numpy(), np.flatnonzero(us.is_null().to_numpy()))


def factorize(values: pl.Series) -> Factor:
    """Return text or numbers as codes of their levels; NaN and infinities are missing.

    Parameters
    ----------
    values : polars.Series of length n_samples
        Text or numbers.

    Returns
    -------
    Factor

    Examples
    --------
    >>> factorize(pl.Series([7, None, 5, 7]))
    Factor(codes=array([1, 2, 0, 1]), levels={0: 5, 1: 7})
    """
    return _factorize_numbers(values) if values.dtype.is_numeric() else _factorize_texts(values)


def _factorize_numbers(values: pl.Series) -> Factor:
    is_present = values.is_finite() if values.dtype.is_float() else values.is_not_null()
    mask = is_present.fill_null(value=False)
    distinct, inverse = np.unique(values.filter(mask).to_numpy(), return_inverse=True)
    codes = np.full(len(values), len(distinct))
    codes[mask.to_numpy()] = inverse
    return Factor(codes, dict(enumerate(distinct.tolist())))


def _factorize_texts(values: pl.Series) -> Factor:
    # A Categorical hashes each text once, in Rust. Which code a level gets may differ between runs.
    categorical = values.cast(pl.Categorical)
    indices = categorical.to_physical()
    n_missing = indices.null_count()
    n_codes = 0 if n_missing == len(indices) else int(indices.max()) + 1  # type: ignore[arg-type]
    codes = (indices.fill_null(n_codes) if n_missing else indices).to_numpy().astype(np.int64)
    a_row = np.full(n_codes + 1, -1)
    a_row[codes] = np.arange(len(codes))
    present = np.flatnonzero(a_row[:n_codes] >= 0)
    return Factor(codes, dict(zip(present.tolist(), values.gather(a_row[present]).to_list(), strict=True)))
