"""Columns that give the target away: one that says nearly all of it, alone, while all others say little.

How well a column may predict differs from table to table, so no cut-off on the column alone would do. What is
looked at is how much error a column leaves, beside what all other columns leave together. Everything is
measured on training rows, cross-validated.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from groundup.core.inputs import FloatArray, IntArray
from groundup.core.schema import Schema
from groundup.core.seeds import generator
from groundup.core.tasks import Task

FEWEST_ROWS: Final = 50
"""With fewer training rows nothing is said."""

_MOST_ROWS: Final = 5_000
_FORMULA_ROWS: Final = 1_000
_FORMULA_COLUMNS: Final = 50
_MOST_TERMS: Final = 4
_EXACT: Final = 1e-6  # share of the target's standard deviation that rounding may leave
_KINDS: Final = ("number", "category", "boolean", "datetime")

# Errors are shares of what guessing the same for every row leaves: 0 is perfect, 1 is useless.
_NEARLY_PERFECT: Final = 0.10
_PERFECT: Final = 0.03  # asked of several columns at once, which honest measurements of one thing also are
_TIMES_BETTER: Final = 5.0
_REST_IS_HARD: Final = 0.05
_REST_IS_HARD_FOR_SEVERAL: Final = 0.25
_MOST_GIVEAWAYS: Final = 3
_FEWEST_ERRORS: Final = 5  # that the other columns make and the column does not
_PURE: Final = 0.98
_CHANCE: Final = 1e-6
_LARGEST: Final = 1e30  # sums of larger numbers leave the range of 32 bits


@dataclass(frozen=True)
class Presence:
    """Rows in which a column has a value (or has none) and that are of one class.

    Parameters
    ----------
    column : str
        The column.
    is_filled : bool
        Whether the rows are those with a value, or those without.
    code : int
        Code of the class that they are of.
    n : int
        How many rows.
    share : float
        Share of them that are of this class.
    overall : float
        Share of all rows that are of this class.
    """

    column: str
    is_filled: bool
    code: int
    n: int
    share: float
    overall: float


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


@dataclass(frozen=True)
class Giveaways:
    """What single columns say about the target.

    Parameters
    ----------
    errors : tuple of (str, float)
        Each column's cross-validated error when nothing else is known, the lowest first, as a share of
        the error of guessing: 0 is perfect, 1 is useless. Of classes the share of wrong rows, of numbers
        the squared error of their ranks.
    columns : tuple of str
        Those that give the target away.
    rest_error : float or None
        The error of all other columns together; None where no column was good enough to ask.
    presences : tuple of Presence
        Columns whose being filled in gives the class away.
    formula : Formula or None
        The target as a formula of a few columns.
    n_rows : int
        Rows that were looked at.
    """

    errors: tuple[tuple[str, float], ...]
    columns: tuple[str, ...] = ()
    rest_error: float | None = None
    presences: tuple[Presence, ...] = ()
    formula: Formula | None = None
    n_rows: int = 0


def find_giveaways(
    frame: pl.DataFrame, schema: Schema, y: NDArray[np.generic], *, task: Task, seed: int
) -> Giveaways | None:
    """Return what single columns say about the target; None where rows or columns are too few to compare.

    Costs a small tree for each column and fold on 5 000 rows at most; a forest of the other columns only
    where a column is nearly perfect.

    Parameters
    ----------
    frame : polars.DataFrame
        Training rows with the columns of `schema`, in their canonical types.
    schema : Schema
        What each feature is; texts, identifiers and constants are not looked at.
    y : ndarray of shape (n_samples,)
        Class codes or values.
    task : Task
        What is asked for.
    seed : int
        Decides which rows are drawn, the folds, and the forest.

    Examples
    --------
    >>> from groundup.core.schema import Column
    >>> random = np.random.default_rng(0)
    >>> y = random.integers(0, 2, 200)
    >>> frame = pl.DataFrame({"size": random.normal(size=200) + y, "outcome": 3.5 - y})
    >>> schema = Schema([Column("size", "number", "float"), Column("outcome", "number", "float")])
    >>> find_giveaways(frame, schema, y, task="classification", seed=0).columns
    ('outcome',)
    """
    names = [column.name for column in schema if column.kind in _KINDS]
    if len(y) < FEWEST_ROWS or len(names) < 2 or len(np.unique(y)) < 2:
        return None
    rows = generator(seed, "rows").permutation(len(y))[:_MOST_ROWS]
    columns = {name: as_numbers(frame[name].gather(rows)) for name in names}
    question = _Question.ask(y[rows], task, seed)
    errors = {name: question.tree_error(column) for name, column in columns.items()}
    found, rest = _compare(errors, columns, question)
    return Giveaways(
        errors=tuple(sorted(errors.items(), key=lambda item: item[1])),
        columns=found,
        rest_error=rest,
        presences=_presences(columns, y[rows]) if task == "classification" else (),
        formula=find_formula(frame, schema, y, seed=seed) if task == "regression" else None,
        n_rows=len(rows),
    )


def as_numbers(values: pl.Series) -> FloatArray:
    """Return a column as numbers, missing values as NaN: of categories codes in the order of the levels.

    Examples
    --------
    >>> as_numbers(pl.Series(["b", None, "a"])).tolist()
    [1.0, nan, 0.0]
    """
    if values.dtype == pl.String:
        values = values.rank("dense") - 1
    elif values.dtype.is_temporal():
        values = values.to_physical()
    return values.cast(pl.Float64).fill_null(np.nan).to_numpy().copy()


@dataclass(frozen=True, eq=False)
class _Question:
    """The target and folds that every column is asked about."""

    y: NDArray[Any]
    guess_error: float
    is_class: bool
    folds: IntArray
    n_folds: int
    seed: int

    @classmethod
    def ask(cls, y: NDArray[np.generic], task: Task, seed: int) -> "_Question":
        is_class = task == "classification"
        target: NDArray[Any] = y if is_class else pl.Series(y).rank().to_numpy() / len(y)
        guess = 1 - np.bincount(target).max() / len(y) if is_class else float(target.var())
        n_folds = 5 if len(y) < 1_000 else 3
        # Dealt out in the order of the target, so that every fold has its share of each class.
        folds = np.empty(len(y), dtype=np.int64)
        folds[np.argsort(target, kind="stable")] = np.arange(len(y)) % n_folds
        return cls(target, guess, is_class, folds, n_folds, seed)

    def error_of(self, predicted: NDArray[Any]) -> float:
        missed = predicted != self.y if self.is_class else (predicted - self.y) ** 2
        return float(missed.mean() / self.guess_error)

    def tree_error(self, column: FloatArray) -> float:
        from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

        n_leaves = max(64, 2 * len(np.unique(self.y))) if self.is_class else 64
        kind = DecisionTreeClassifier if self.is_class else DecisionTreeRegressor
        predicted = np.empty(len(self.y), dtype=self.y.dtype)
        X = _without_infinity(column[:, None])
        for fold in range(self.n_folds):
            out = self.folds == fold
            tree = kind(max_leaf_nodes=n_leaves, min_samples_leaf=3, random_state=0)
            predicted[out] = tree.fit(X[~out], self.y[~out]).predict(X[out])
        return self.error_of(predicted)

    def forest_error(self, columns: Sequence[FloatArray]) -> float:
        from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

        if not columns:
            return 1.0
        kind = RandomForestClassifier if self.is_class else RandomForestRegressor
        X, predicted = _without_infinity(np.column_stack(columns)), np.empty(len(self.y), dtype=self.y.dtype)
        for fold in range(self.n_folds):
            out = self.folds == fold
            forest = kind(n_estimators=40, max_features="sqrt", n_jobs=1, random_state=self.seed % 2**32)
            predicted[out] = forest.fit(X[~out], self.y[~out]).predict(X[out])
        return self.error_of(predicted)


def _without_infinity(X: FloatArray) -> NDArray[np.float32]:
    return np.clip(X, -_LARGEST, _LARGEST).astype(np.float32)


def _compare(
    errors: dict[str, float], columns: dict[str, FloatArray], question: _Question
) -> tuple[tuple[str, ...], float | None]:
    """Return the columns that are far better than all others together, and the error of those."""
    ranked = sorted(errors, key=errors.__getitem__)
    rest_error = None
    for n_columns in range(1, min(_MOST_GIVEAWAYS, len(ranked) - 1) + 1):
        worst, second = errors[ranked[n_columns - 1]], errors[ranked[n_columns]]
        limit, hard = (
            (_NEARLY_PERFECT, _REST_IS_HARD) if n_columns == 1 else (_PERFECT, _REST_IS_HARD_FOR_SEVERAL)
        )
        if worst > limit:
            break
        least = max(hard, _TIMES_BETTER * worst)
        if second < least:
            continue
        rest_error = min(second, question.forest_error([columns[name] for name in ranked[n_columns:]]))
        n_saved = (rest_error - worst) * question.guess_error * len(question.y)
        if rest_error >= least and (n_saved >= _FEWEST_ERRORS or not question.is_class):
            return tuple(ranked[:n_columns]), rest_error
    return (), rest_error


def _presences(columns: dict[str, FloatArray], y: NDArray[Any]) -> tuple[Presence, ...]:
    """Return columns that are filled in (or missing) in rows of nearly one class alone, beyond chance."""
    overall = np.bincount(y) / len(y)
    found = []
    for name, column in columns.items():
        is_filled = ~np.isnan(column)
        for filled, rows in ((True, is_filled), (False, ~is_filled)):
            n = int(rows.sum())
            if not 0 < n < len(y):
                continue
            counts = np.bincount(y[rows], minlength=len(overall))
            code = int(counts.argmax())
            share = float(counts[code] / n)
            # A bound on chance: the binomial tail of so pure a sample (Chernoff).
            if share >= _PURE and n * divergence(share, float(overall[code])) > -np.log(_CHANCE):
                found.append(Presence(name, filled, code, n, share, float(overall[code])))
                break
    return tuple(found)


def divergence(share: float, expected: float) -> float:
    """Return the Kullback-Leibler divergence of two coins, natural units; 0 where `share` is not larger.

    Times the number of throws it bounds the chance of so large a share (Chernoff): exp(-n x divergence).

    Parameters
    ----------
    share : float
        What was seen, in [0, 1].
    expected : float
        What was to be expected, in (0, 1).

    Examples
    --------
    >>> divergence(0.5, 0.5), round(divergence(1.0, 0.5), 3)
    (0.0, 0.693)
    """
    if share <= expected:
        return 0.0
    tail = 0.0 if share == 1 else (1 - share) * np.log((1 - share) / (1 - expected))
    return float(share * np.log(share / expected) + tail)


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
