"""How well one column predicts the target when nothing else is known: cross-validated small trees."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from groundup.core.inputs import FloatArray, IntArray
from groundup.core.tasks import Task

_LEAVES: Final = (3, 12)
"""Least rows in a leaf: few for steps and single levels, more for a noisy copy; the better one counts."""

_LARGEST: Final = 1e30  # sums of larger numbers leave the range of 32 bits


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
class Question:
    """The target and folds that every column is asked about.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        Class codes, or ranks of the values as shares of n_samples.
    guess_losses : ndarray of shape (n_samples,)
        What guessing the same for every row costs: 1 for a wrong class, or the squared error of the rank.
    is_class : bool
        Whether `y` are codes.
    folds : ndarray of shape (n_samples,)
        Which fold holds a row out.
    n_folds : int
        How many there are.
    seed : int
        Decides the forest.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=300)
    >>> question = Question.ask(x**3, "regression", seed=0)
    >>> question.error(question.tree_losses(x)) < 0.01
    True
    """

    y: NDArray[Any]
    guess_losses: FloatArray
    is_class: bool
    folds: IntArray
    n_folds: int
    seed: int

    @classmethod
    def ask(cls, y: NDArray[np.generic], task: Task, seed: int) -> "Question":
        """Return the question about class codes, or values of shape (n_samples,); at least two differ."""
        is_class = task == "classification"
        target: NDArray[Any] = y if is_class else pl.Series(y).rank().to_numpy() / len(y)
        guessed = target != np.bincount(target).argmax() if is_class else (target - target.mean()) ** 2
        n_folds = 5 if len(y) < 1_000 else 3
        # Dealt out in the order of the target, so that every fold has its share of each class.
        folds = np.empty(len(y), dtype=np.int64)
        folds[np.argsort(target, kind="stable")] = np.arange(len(y)) % n_folds
        return cls(target, guessed.astype(np.float64), is_class, folds, n_folds, seed)

    def error(self, losses: FloatArray) -> float:
        """Return losses as a share of those of guessing: 0 is perfect, 1 is useless."""
        return float(losses.mean() / self.guess_losses.mean())

    def tree_losses(self, column: FloatArray) -> FloatArray:
        """Return what a small tree of one column costs in each row held out, shape (n_samples,)."""
        return min((self._tree_losses(column, n_rows) for n_rows in _LEAVES), key=lambda each: each.mean())

    def _tree_losses(self, column: FloatArray, min_rows: int) -> FloatArray:
        from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

        n_leaves = max(64, 2 * len(np.unique(self.y))) if self.is_class else 64
        kind = DecisionTreeClassifier if self.is_class else DecisionTreeRegressor
        return self._losses(
            [column], lambda: kind(max_leaf_nodes=n_leaves, min_samples_leaf=min_rows, random_state=0)
        )

    def forest_losses(self, columns: Sequence[FloatArray]) -> FloatArray:
        """Return what a forest of several columns costs in each row held out; without any, guessing."""
        from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

        if not columns:
            return self.guess_losses
        kind = RandomForestClassifier if self.is_class else RandomForestRegressor
        seed = self.seed % 2**32
        return self._losses(
            columns, lambda: kind(n_estimators=40, max_features="sqrt", n_jobs=1, random_state=seed)
        )

    def _losses(self, columns: Sequence[FloatArray], make: Any) -> FloatArray:
        X, predicted = _without_infinity(np.column_stack(columns)), np.empty(len(self.y), dtype=self.y.dtype)
        for fold in range(self.n_folds):
            out = self.folds == fold
            predicted[out] = make().fit(X[~out], self.y[~out]).predict(X[out])
        missed = predicted != self.y if self.is_class else (predicted - self.y) ** 2
        return np.asarray(missed, dtype=np.float64)


def _without_infinity(X: FloatArray) -> NDArray[np.float32]:
    return np.clip(X, -_LARGEST, _LARGEST).astype(np.float32)
