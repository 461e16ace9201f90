"""Inputs found step by step: the one is added (or taken away) with which a linear model predicts best.

The model is a ridge regression of the target (of each class, as 0 or 1), and its squared error is
cross-validated. All of that follows from sums of products of the columns, which are taken once for each
part of the rows: a candidate then costs the solution of a small system, not a pass over the rows.

References
----------
Hastie, Tibshirani and Friedman (2009), "The elements of statistical learning", section 3.3;
`sklearn.feature_selection.SequentialFeatureSelector`, which finds the same with scikit-learn's Ridge.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from groundup.core.errors import RecipeError
from groundup.core.inputs import FloatArray, IntArray, Supervision
from groundup.core.wording import count
from groundup.preparation.stages.one_scale import OneScale
from groundup.preparation.stages.scoring import N_PARTS, target_columns
from groundup.preparation.target_encoding import make_parts

PENALTY: Final = 1.0
"""Of the ridge regression; scikit-learn's default."""

LEAST_GAIN: Final = 1e-3
"""Where no number is asked for: what a step must save, as a share of the error of guessing the mean."""

MOST_COLUMNS: Final = 2000
"""Columns whose products are held in memory: 640 MB."""

MOST_OPERATIONS: Final = 3e11
"""Multiplications that a search may take, about a minute: it is repeated in every fold. More are refused."""


@dataclass(frozen=True)
class Path:
    """Which inputs were kept, and each step on the way there.

    Parameters
    ----------
    kept : list of int
        Inputs, sorted.
    steps : list of (int, float)
        The input that was added or taken away, and the cross-validated error then, as a share of the error
        of always guessing the mean.
    n_fits : int
        Regressions that were fitted.
    """

    kept: list[int]
    steps: list[tuple[int, float]]
    n_fits: int


def search(
    Z: FloatArray, scale: OneScale, supervision: Supervision, *, direction: str, n_kept: int | None
) -> Path:
    """Return the inputs that a forward or a backward search keeps.

    Parameters
    ----------
    Z : ndarray of shape (n_samples, scale.width)
        Inputs on one scale, none missing.
    scale : OneScale
        Which input each column comes from; columns of one input come and go together.
    supervision : Supervision
        The targets of the rows; its seed divides them into parts.
    direction : {"forward", "backward"}
        Add to nothing, or take away from everything.
    n_kept : int or None
        How many inputs are kept; None: until a step saves too little (`LEAST_GAIN`).

    Returns
    -------
    Path

    Raises
    ------
    RecipeError
        If it would take more than `MOST_OPERATIONS`.
    """
    columns = [np.flatnonzero(scale.origins == feature) for feature in range(int(scale.origins.max()) + 1)]
    _refuse_endless([len(each) for each in columns], direction, n_kept)
    parts, is_forward = make_parts(supervision, N_PARTS), direction == "forward"
    if not parts.any():  # one row, or one group: there is nothing to hold out
        return Path(list(range(len(columns))), [], 0)
    products = _Products(Z, target_columns(supervision), parts)
    kept: list[int] = [] if is_forward else list(range(len(columns)))
    error, steps, n_fits = products.error(_of(columns, kept)), [], products.n_parts
    while len(kept) != n_kept and (len(kept) < len(columns) if is_forward else len(kept) > 1):
        candidates = [each for each in range(len(columns)) if (each in kept) != is_forward]
        errors = products.errors_of_step(columns, kept, candidates)
        n_fits += products.n_parts * len(candidates)
        best = int(np.argmin(errors))
        if n_kept is None and kept and error - errors[best] < (LEAST_GAIN if is_forward else -LEAST_GAIN):
            break
        error, kept = float(errors[best]), sorted({*kept} ^ {candidates[best]})
        steps.append((candidates[best], error))
    return Path(kept, steps, n_fits)


def _of(columns: Sequence[IntArray], kept: Sequence[int]) -> IntArray:
    """Return the columns of some inputs, ascending."""
    return np.sort(np.concatenate([columns[each] for each in kept])) if kept else np.empty(0, dtype=np.int64)


class _Products:
    """Sums of products of the columns (a constant one first) and the targets, by part of the rows.

    Axes: f parts, c columns, m candidates, o outputs.
    """

    def __init__(self, Z: FloatArray, y: FloatArray, parts: IntArray) -> None:
        self.n_parts = int(parts.max()) + 1
        self._n_rows = np.bincount(parts)
        columns = np.hstack([np.ones((len(Z), 1)), Z])
        held_out = [parts == part for part in range(self.n_parts)]
        self._xx = np.stack([columns[rows].T @ columns[rows] for rows in held_out])
        self._xy = np.stack([columns[rows].T @ y[rows] for rows in held_out])
        self._yy = np.stack([np.square(y[rows]).sum(axis=0) for rows in held_out])
        penalty = PENALTY * np.eye(columns.shape[1])
        penalty[0, 0] = 0.0
        self._train_xx = self._xx.sum(axis=0) - self._xx + penalty
        self._train_xy = self._xy.sum(axis=0) - self._xy
        self._guess = 1.0
        self._guess = self.error(np.empty(0, dtype=np.int64)) or 1.0

    def error(self, columns: IntArray) -> float:
        """Return the mean squared error on held-out parts, as a share of that of guessing the mean."""
        taken = np.concatenate([[0], columns + 1])
        inverse = np.linalg.inv(self._at(self._train_xx, taken, taken))
        return float(self._mean(self._squares(taken, inverse @ self._train_xy[:, taken])))

    def errors_of_step(
        self, columns: Sequence[IntArray], kept: Sequence[int], candidates: Sequence[int]
    ) -> FloatArray:
        """Return the error after each candidate is added to the inputs kept, or taken away from them."""
        is_alone = np.array([len(columns[each]) == 1 for each in candidates])
        errors = np.empty(len(candidates))
        alone = np.array([columns[each][0] for each in candidates if len(columns[each]) == 1], dtype=np.int64)
        if len(alone):
            errors[is_alone] = self._errors_of_columns(_of(columns, kept), alone)
        for place in np.flatnonzero(~is_alone):
            errors[place] = self.error(_of(columns, sorted({*kept} ^ {candidates[int(place)]})))
        return errors

    def _errors_of_columns(self, kept: IntArray, candidates: IntArray) -> FloatArray:
        """Return the error after each column is added or taken away, all from one inverse."""
        taken = np.concatenate([[0], kept + 1])
        inverse: FloatArray = np.asarray(np.linalg.inv(self._at(self._train_xx, taken, taken)), np.float64)
        weights: FloatArray = inverse @ self._train_xy[:, taken]
        move = self._without if np.isin(candidates, kept).all() else self._with
        lengths, slopes, bends = move(taken, candidates + 1, inverse, weights)
        # Each candidate moves the weights along one direction, so the error is a parabola in the length.
        changes = lengths * (lengths * bends[:, :, None] - 2 * slopes)
        return self._mean((self._squares(taken, weights)[:, None, :] + changes).transpose(1, 0, 2))

    def _without(
        self, taken: IntArray, removed: IntArray, inverse: FloatArray, weights: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return how the error changes: weights move along a column of the inverse, until one is 0."""
        places, xx = np.searchsorted(taken, removed), self._at(self._xx, taken, taken)
        along = inverse[:, :, places]
        lengths = -weights[:, places] / inverse[:, places, places][:, :, None]
        slopes = np.einsum("fcm,fco->fmo", along, self._xy[:, taken] - xx @ weights)
        return lengths, slopes, np.einsum("fcm,fcm->fm", along, xx @ along)

    def _with(
        self, taken: IntArray, added: IntArray, inverse: FloatArray, weights: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return how the error changes: one gets a weight, the others move against what they say of it."""
        shared, cross = self._at(self._train_xx, taken, added), self._at(self._xx, taken, added)
        along, xx = inverse @ shared, self._at(self._xx, taken, taken)
        own = self._train_xx[:, added, added] - np.einsum("fcm,fcm->fm", shared, along)
        lengths = self._train_xy[:, added] - np.einsum("fcm,fco->fmo", shared, weights)
        slopes = self._xy[:, added] - np.einsum("fcm,fco->fmo", cross, weights)
        slopes -= np.einsum("fcm,fco->fmo", along, self._xy[:, taken] - xx @ weights)
        bends = self._xx[:, added, added] + np.einsum("fcm,fcm->fm", along, xx @ along - 2 * cross)
        return lengths / own[:, :, None], slopes, bends

    def _squares(self, taken: IntArray, weights: FloatArray) -> FloatArray:
        """Return the summed squared errors on each held-out part, shape (n_parts, n_outputs)."""
        xy, xx = self._xy[:, taken], self._at(self._xx, taken, taken)
        return np.asarray(self._yy - 2 * (weights * xy).sum(axis=1) + (weights * (xx @ weights)).sum(axis=1))

    def _mean(self, squares: FloatArray) -> FloatArray:
        """Return errors as shares; `squares` has the axes (…, n_parts, n_outputs)."""
        return np.asarray((squares.mean(axis=-1) / self._n_rows).mean(axis=-1) / self._guess)

    def _at(self, products: FloatArray, rows: IntArray, columns: IntArray) -> FloatArray:
        return products[np.ix_(np.arange(self.n_parts), rows, columns)]


def _refuse_endless(n_columns: Sequence[int], direction: str, n_kept: int | None) -> None:
    """Raise if a search would take too long; its steps are known beforehand."""
    n_inputs, width, n_several = len(n_columns), sum(n_columns), sum(n > 1 for n in n_columns)
    n_kept = (n_inputs if direction == "forward" else 1) if n_kept is None else min(n_kept, n_inputs)
    sizes = np.arange(n_kept) if direction == "forward" else np.arange(n_kept + 1, n_inputs + 1)
    candidates = n_inputs - sizes if direction == "forward" else sizes
    widths = width / n_inputs * sizes
    # A step inverts one matrix for all inputs of one column, and one for each of several.
    n_inverses = 1 + np.minimum(n_several, candidates)
    n_operations = N_PARTS * float((2 * n_inverses * widths**3 + 2 * widths**2 * candidates).sum())
    if n_operations > MOST_OPERATIONS or width > MOST_COLUMNS:
        n_fits = N_PARTS * int(candidates.sum())
        raise RecipeError(
            f"`preparation.select` is `sequential` over {count(n_inputs, 'input')}, which may take "
            f"{count(n_fits, 'fit')} of up to {count(round(widths.max()), 'weight')} in every fold. Ask for "
            "fewer inputs (`preparation.select_features` with `select_direction: forward`), or choose "
            "`univariate` or `model`."
        )
