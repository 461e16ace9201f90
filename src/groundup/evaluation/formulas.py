"""Columns and targets that can be computed from each other exactly: sums, products, other rows' targets."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from groundup.core.inputs import FloatArray
from groundup.core.schema import Schema
from groundup.core.seeds import generator
from groundup.evaluation.single_columns import as_numbers

_FORMULA_ROWS: Final = 1_000
_FORMULA_COLUMNS: Final = 50
_MOST_TERMS: Final = 4
_EXACT: Final = 1e-6  # share of the target's standard deviation that rounding may leave
_LARGEST: Final = 1e30  # products of larger numbers leave the range of 64 bits


@dataclass(frozen=True)
class Formula:
    """The target, computed from a few columns.

    Parameters
    ----------
    columns : tuple of str
        What it is computed from.
    factors : tuple of float
        What each is multiplied by (of a product: its exponent).
    constant : float
        What is added (of a product: what it is multiplied by).
    is_product : bool
        A product of powers, not a sum.
    """

    columns: tuple[str, ...]
    factors: tuple[float, ...]
    constant: float
    is_product: bool


def find_formula(frame: pl.DataFrame, schema: Schema, y: NDArray[np.generic], *, seed: int) -> Formula | None:
    """Return the target as an exact sum or product of at most four numbers; None if it is none.

    Parameters
    ----------
    frame : polars.DataFrame
        Training rows.
    schema : Schema
        What each feature is; 50 numbers at most are looked at.
    y : ndarray of shape (n_samples,)
        The target.
    seed : int
        Decides which 1 000 rows are drawn.

    Examples
    --------
    >>> from groundup.core.schema import Column
    >>> random = np.random.default_rng(0)
    >>> frame = pl.DataFrame({name: random.poisson(20, 99) for name in ("casual", "hour", "regular")})
    >>> schema = Schema([Column(name, "number", "integer") for name in frame.columns])
    >>> y = (frame["casual"] + frame["regular"]).to_numpy()
    >>> find_formula(frame, schema, y, seed=0).columns
    ('casual', 'regular')
    """
    names = [column.name for column in schema if column.kind == "number"][:_FORMULA_COLUMNS]
    rows = generator(seed, "formula").permutation(len(y))[:_FORMULA_ROWS]
    columns = {name: as_numbers(frame[name].gather(rows)) for name in names}
    target = np.asarray(y, dtype=np.float64)[rows]
    columns = {name: column for name, column in columns.items() if (np.abs(column) < _LARGEST).all()}
    found = _linear(columns, target)
    if found is None and (target > 0).all():
        positive = {name: np.log(column) for name, column in columns.items() if (column > 0).all()}
        found = _linear(positive, np.log(target))
        return None if found is None else _as_product(found)
    return found


def _as_product(found: Formula) -> Formula:
    return Formula(found.columns, found.factors, float(np.exp(found.constant)), is_product=True)


def _linear(columns: dict[str, FloatArray], target: FloatArray) -> Formula | None:
    """Return the fewest columns whose weighted sum is the target, by leaving out one after the other."""
    kept = [name for name, column in columns.items() if column.std() > 0]
    if not kept or len(target) < 3 * len(kept) + 10 or target.std() == 0:
        return None
    if _solve(columns, kept, target) is None:
        return None
    for name in list(kept):
        fewer = [each for each in kept if each != name]
        if fewer and _solve(columns, fewer, target) is not None:
            kept = fewer
    factors = _solve(columns, kept, target)
    if factors is None or len(kept) > _MOST_TERMS:
        return None
    constant = float(np.mean(target - sum(factors[i] * columns[name] for i, name in enumerate(kept))))
    return Formula(tuple(kept), tuple(float(each) for each in factors), constant, is_product=False)


def _solve(columns: dict[str, FloatArray], names: list[str], target: FloatArray) -> FloatArray | None:
    """Return the weights with which the columns add up to the target exactly; None if they do not."""
    X = np.column_stack([columns[name] for name in names])
    scale = X.std(axis=0)
    centred, aim = (X - X.mean(axis=0)) / scale, target - target.mean()
    weights = np.linalg.lstsq(centred, aim, rcond=None)[0]
    is_exact = np.abs(centred @ weights - aim).max() <= _EXACT * target.std()
    return weights / scale if is_exact else None


_STEPS: Final = 14
"""How many rows back and ahead a rolling column is looked for."""


def steps_ahead(column: FloatArray, target: FloatArray) -> int | None:
    """Return how many rows ahead of its own a column was computed from the target; None if from none.

    Parameters
    ----------
    column, target : ndarray of shape (n_samples,)
        Numbers, in the order of time; one row a moment.

    Returns
    -------
    int or None
        The last row that a weighted sum of the targets of neighbouring rows needs to be the column exactly:
        0 is its own row. None where rows before suffice, as in a lag, or where nothing fits.

    Examples
    --------
    >>> y = np.random.default_rng(0).normal(size=300)
    >>> centred, lag = (y + np.roll(y, 1) + np.roll(y, -1)) / 3, np.roll(y, 1)
    >>> steps_ahead(centred, y), steps_ahead(lag, y)
    (1, None)
    """
    shifts = range(-_STEPS, _STEPS + 1)
    n_rows = len(target) - 2 * _STEPS
    if n_rows < 3 * len(shifts) + 10:
        return None
    inner = column[_STEPS : _STEPS + n_rows]
    known = {str(shift): target[_STEPS + shift : _STEPS + shift + n_rows] for shift in shifts}
    is_varied = (
        np.isfinite(inner).all() and inner.std() > 0 and all(each.std() > 0 for each in known.values())
    )
    if not is_varied:
        return None
    names = list(known)
    if _solve(known, names, inner) is None:
        return None
    last = next(k for k in range(_STEPS, len(names) + 1) if _solve(known, names[:k], inner) is not None)
    return last - _STEPS - 1 if last > _STEPS else None
