"""Target encoding: a level becomes the mean target of its training rows, pulled to the overall mean.

A training row must not meet its own target in its inputs. So the values of training rows are computed
out of fold, each from the other parts of the training rows; any other row gets the mean of them all.

References
----------
Micci-Barreca (2001), "A preprocessing scheme for high-cardinality categorical attributes in
classification and prediction problems", SIGKDD Explorations.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING, Any, ClassVar

from groundup.core.errors import RecipeError
from groundup.preparation.categories import CategoryPlan, fit_category
from groundup.preparation.plan import Choice, Dropped, PlanKind, Write, WriteBlock, plain
from groundup.preparation.scaling import SCALE_STEPS, Scaling, fit_scaling

if TYPE_CHECKING:
    from collections.abc import Sequence

    from groundup.core.inputs import FloatArray, IntArray, Supervision
    from groundup.core.schema import Column
    from groundup.preparation.arrays import Factor
    from groundup.preparation.plan import Level


@dataclass(frozen=True)
class TargetCategoryPlan:
    """One category as the smoothed mean target of its levels: one number, or one for each of several classes.

    Parameters
    ----------
    places : CategoryPlan
        Which levels there are and where rare, missing and unseen ones go.
    tables : tuple of tuple of float
        For each feature one number per place, then one for no place. None is NaN.
    smoothing : float
        How many rows the overall mean weighs in the mean of a level.
    n_parts : int
        Parts of the training rows, each of which got the means of the others.
    scale : str
        How the means were scaled.
    """

    places: CategoryPlan
    tables: tuple[tuple[float | None, ...], ...]
    smoothing: float
    n_parts: int
    scale: str = "none"
    is_categorical: ClassVar[bool] = False
    kind: ClassVar[PlanKind] = "target_category"

    @property
    def column(self) -> Column:
        """The raw column."""
        return self.places.column

    @property
    def levels(self) -> tuple[Level, ...]:
        """The levels that have a mean of their own."""
        return self.places.levels

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The column's own name; for several classes "name (class 0)", … in the order of the classes."""
        name = self.column.name
        if len(self.tables) == 1:
            return (name,)
        return tuple(f"{name} (class {code})" for code in range(len(self.tables)))

    @property
    def _numbers(self) -> list[list[float]]:
        return [[nan if number is None else number for number in table] for table in self.tables]

    def encode(self, values: Factor) -> WriteBlock:
        """Encode a column of levels with the means of all training rows."""
        import numpy as np

        numbers = np.array(self._numbers).T[self.places.place_table(values)]

        def write(block: FloatArray, start: int, stop: int) -> None:
            block[:] = numbers[values.codes[start:stop]]

        return write

    def compile_row(self, start: int) -> Write:
        """Return what writes one level's means from index `start` on."""
        place_of, tables = self.places.place_reader(), list(enumerate(self._numbers, start))

        def write(value: Any, out: list[float]) -> None:
            place = place_of(value)
            for index, numbers in tables:
                out[index] = numbers[place]

        return write

    def steps(self) -> list[str]:
        """Return what is done, for people."""
        what = "the mean target" if len(self.tables) == 1 else "the share of each class"
        n_levels = len(self.levels)
        steps = [
            f"{n_levels} level{'s' * (n_levels != 1)}, replaced by {what} of their training rows",
            f"the overall mean counts as {plain(self.smoothing)} further rows of each level",
            f"training rows get the means of the other {self.n_parts - 1} of {self.n_parts} parts of them",
            *self.places.steps()[bool(n_levels) :],
        ]
        return [*steps, SCALE_STEPS[self.scale]] if self.scale != "none" else steps

    def state(self) -> dict[str, Any]:
        """Return the fitted means as JSON values."""
        return {
            "places": self.places.state(),
            "tables": [list(table) for table in self.tables],
            "smoothing": self.smoothing,
            "n_parts": self.n_parts,
            "scale": self.scale,
        }

    @classmethod
    def from_state(cls, column: Column, state: dict[str, Any]) -> TargetCategoryPlan:
        """Return the plan that `state` described."""
        places = CategoryPlan.from_state(column, state["places"])
        return cls(**{**state, "places": places, "tables": tuple(map(tuple, state["tables"]))})


def fit_target_category(
    column: Column, values: Factor, choice: Choice, supervision: Supervision | None
) -> tuple[TargetCategoryPlan, FloatArray] | Dropped:
    """Fit the plan of one category and encode its training rows out of fold.

    Parameters
    ----------
    column : Column
        The raw column.
    values : Factor
        Its training values.
    choice : Choice
        What is to be done.
    supervision : Supervision or None
        The targets of the same rows.

    Returns
    -------
    tuple of TargetCategoryPlan and ndarray of shape (n_samples, n_features), or Dropped
        The plan, and what the training rows get.

    Raises
    ------
    RecipeError
        If there is no target to learn from.
    """
    import numpy as np

    if supervision is None:
        raise RecipeError(
            f"`{column.name}` is to be encoded by `target`, but no target was given to the preparation. "
            "Give it, or choose `encode: frequency`."
        )
    places = fit_category(column, values, choice)
    if isinstance(places, Dropped):
        return places
    rows = places.place_table(values)[values.codes]
    # Place -1 is the last one, so a row's place can be counted.
    at = np.where(rows < 0, places.n_places, rows)
    parts = make_parts(supervision, choice.target_parts)
    n_parts = int(parts.max()) + 1
    sums = _Sums(at, parts, supervision, n_places=places.n_places + 1, n_parts=n_parts)
    is_nan = choice.keeps_missing and choice.impute == "none"
    means = sums.means(range(n_parts), choice.target_smoothing, is_nan=is_nan)
    counts = np.bincount(at, minlength=places.n_places + 1)
    scalings = [_fit_means(column_of, counts, choice.scale) for column_of in means.T]
    tables = tuple(
        tuple(None if np.isnan(mean) else scaling.one(float(mean)) for mean in column_of)
        for column_of, scaling in zip(means.T, scalings, strict=True)
    )
    encoded = np.empty((len(at), means.shape[1]))
    for part in range(n_parts):
        others = [other for other in range(n_parts) if other != part]
        # A single part has no others: its rows all get the overall mean, which tells none of them apart.
        found = (
            sums.means(others, choice.target_smoothing, is_nan=is_nan) if others else means[[-1] * len(means)]
        )
        is_part = parts == part
        encoded[is_part] = found[at[is_part]]
    for index, scaling in enumerate(scalings):
        encoded[:, index] = scaling.all(encoded[:, index])
    plan = TargetCategoryPlan(places, tables, choice.target_smoothing, n_parts, choice.scale)
    return plan, encoded


def make_parts(supervision: Supervision, n_parts: int) -> IntArray:
    """Divide rows at random into parts of the same size, rows of one group into the same part.

    Parameters
    ----------
    supervision : Supervision
        Its seed decides; classes come into every part in the same shares, unless there are groups.
    n_parts : int
        At least 2; fewer parts are made where there are fewer rows or groups.

    Returns
    -------
    ndarray of shape (n_samples,)
        Each row's part, from 0.

    Examples
    --------
    >>> import numpy as np
    >>> from groundup.core.inputs import Supervision
    >>> np.bincount(make_parts(Supervision(np.arange(10.0), 0, seed=1), 5)).tolist()
    [2, 2, 2, 2, 2]
    """
    import numpy as np

    random = np.random.default_rng(supervision.seed)
    if supervision.groups is not None:
        distinct, group = np.unique(supervision.groups, return_inverse=True)
        parts: IntArray = (random.permutation(len(distinct)) % n_parts)[group]
        return parts
    order = random.permutation(len(supervision.y))
    if supervision.n_classes:
        order = order[np.argsort(supervision.y[order], kind="stable")]
    parts = np.empty(len(order), dtype=np.int64)
    parts[order] = np.arange(len(order)) % n_parts
    return parts


class _Sums:
    """Sums of the target and numbers of rows, by part and place."""

    def __init__(
        self, at: IntArray, parts: IntArray, supervision: Supervision, *, n_places: int, n_parts: int
    ) -> None:
        import numpy as np

        cells, n_cells = parts * n_places + at, n_parts * n_places
        self.counts = np.bincount(cells, minlength=n_cells).reshape(n_parts, n_places)
        self.sums = np.stack(
            [
                np.bincount(cells, weights, n_cells).reshape(n_parts, n_places)
                for weights in _target_columns(supervision)
            ],
            axis=2,
        )

    def means(self, parts: Sequence[int], smoothing: float, *, is_nan: bool) -> FloatArray:
        """Return the smoothed means of some parts, shape (n_places, n_features); the last is no place."""
        import numpy as np

        sums, counts = self.sums[list(parts)].sum(axis=0), self.counts[list(parts)].sum(axis=0)[:, None]
        overall = sums.sum(axis=0) / counts.sum()
        weight = counts + smoothing
        means: FloatArray = np.where(
            weight > 0, (sums + smoothing * overall) / np.where(weight > 0, weight, 1.0), overall
        )
        means[-1] = nan if is_nan else overall
        return means


def _target_columns(supervision: Supervision) -> list[FloatArray]:
    y, n_classes = supervision.y, supervision.n_classes
    if n_classes == 0:
        return [y.astype(float)]
    codes = [1] if n_classes == 2 else range(n_classes)
    return [(y == code).astype(float) for code in codes]


def _fit_means(means: FloatArray, counts: IntArray, scale: str) -> Scaling:
    import numpy as np

    is_used = (counts > 0) & ~np.isnan(means)
    return fit_scaling(means[is_used], counts[is_used], scale)
