"""Inputs on one scale: what distances, regressions and scores of a stage are computed on.

Which learner the inputs are for must not decide which rows are similar or which inputs are kept. So
numbers are measured in standard deviations here, however the learner gets them, and category codes are
spread over one 0/1 column a level. 0/1 columns are not scaled: two rows with different levels are then as
far apart (squared: 2) as two rows are, on average, in a number.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Literal, TypeAlias

import numpy as np

from groundup.core.inputs import FloatArray, IntArray
from groundup.preparation.categories import CategoryPlan
from groundup.preparation.dates import DatePlan
from groundup.preparation.numbers import NumberPlan
from groundup.preparation.plan import ColumnPlan
from groundup.preparation.scaling import LARGEST, LIMIT, fit_scaling
from groundup.preparation.target_encoding import TargetCategoryPlan

Role: TypeAlias = Literal["number", "part", "yes_no", "level", "code", "mark", "word"]
"""What a column of inputs is: a number; a part of a date that its days since the first date contain; a
boolean; a level as 0/1; a category's code; a mark "was missing" or "is an outlier"; a word of a text."""

EVERYTHING: Final = ("number", "part", "yes_no", "level", "code", "mark", "word")
SUBSTANCE: Final = ("number", "yes_no", "level", "code")
"""What says something of a row by itself: no marks, no words, and of a date one number."""

_AS_NUMBERS: Final = ("number", "part", "yes_no", "word")
_UNSCALED: Final = ("yes_no", "word")


def roles_of(plan: ColumnPlan) -> list[Role]:
    """Return what each feature of a column plan is."""
    n_features = len(plan.feature_names)
    if isinstance(plan, CategoryPlan):
        role: Role = "code" if plan.is_categorical else "level" if plan.encoding == "one_hot" else "number"
        return [role] * n_features
    if isinstance(plan, TargetCategoryPlan):
        return ["number"] * n_features
    if plan.kind in ("text", "tfidf"):
        return ["word"] * n_features
    first: list[Role] = ["number"] if isinstance(plan, NumberPlan) else ["yes_no"]
    if isinstance(plan, DatePlan):
        first = ["number" if feature == "days" else "part" for feature, _ in plan.features]
    return [*first, *["mark"] * (n_features - len(first))]  # type: ignore[list-item]


@dataclass(frozen=True)
class OneScale:
    """Turns rows of inputs into numbers on one scale, numbers first, then 0/1 columns.

    Parameters
    ----------
    numbers : tuple of int
        Columns of the input that are numbers, booleans or words of a text.
    centers, scales : tuple of float
        What becomes 0 and what becomes 1 in each of them; of booleans and words the scale is 1.
    flags : tuple of int
        0/1 columns that are taken as they are and are never missing.
    codes : tuple of (int, int)
        Columns that hold category codes, and how many codes; each becomes so many 0/1 columns.

    Examples
    --------
    >>> scale = OneScale((0,), (10.0,), (2.0,), (), ((1, 3),))
    >>> scale.transform(np.array([[14.0, 2.0], [np.nan, np.nan]])).tolist()
    [[2.0, 0.0, 0.0, 1.0], [nan, 0.0, 0.0, 0.0]]
    """

    numbers: tuple[int, ...]
    centers: tuple[float, ...]
    scales: tuple[float, ...]
    flags: tuple[int, ...]
    codes: tuple[tuple[int, int], ...]

    @classmethod
    def fit(
        cls, X: FloatArray, roles: Sequence[str], n_levels: Mapping[int, int], taken: Collection[str]
    ) -> OneScale:
        """Return the scale of the columns whose role is among `taken`, from training rows.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Training rows; NaN is missing.
        roles : sequence of str, length n_features
            What each column is.
        n_levels : mapping of int to int
            For columns of codes: how many codes there are.
        taken : collection of str
            The roles that take part.
        """
        places = [place for place, role in enumerate(roles) if role in taken]
        numbers = [place for place in places if roles[place] in _AS_NUMBERS]
        centers, scales = [], []
        for place in numbers:
            observed = X[:, place][~np.isnan(X[:, place])]
            scaling = fit_scaling(
                np.clip(observed, -LARGEST, LARGEST) if len(observed) else np.zeros(1), None, "standard"
            )
            centers.append(scaling.center)
            scales.append(1.0 if roles[place] in _UNSCALED else scaling.scale)
        return cls(
            tuple(numbers),
            tuple(centers),
            tuple(scales),
            tuple(place for place in places if roles[place] in ("level", "mark")),
            tuple((place, n_levels[place]) for place in places if roles[place] == "code"),
        )

    @cached_property
    def origins(self) -> IntArray:
        """Which column of the input each column of the output comes from, shape (n_outputs,)."""
        spread = [place for place, n_levels in self.codes for _ in range(n_levels)]
        return np.array([*self.numbers, *self.flags, *spread], dtype=np.int64)

    @property
    def width(self) -> int:
        """How many columns the output has."""
        return len(self.origins)

    def place(self, column: int) -> int:
        """Return the column of the output that a number of the input becomes."""
        return self.numbers.index(column)

    def transform(self, X: FloatArray) -> FloatArray:
        """Return rows on one scale; a missing number is NaN, a missing code 0 in all its columns.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, width)
            Within ±`LIMIT`.
        """
        Z = np.empty((len(X), self.width))
        numbers, stop = Z[:, : len(self.numbers)], len(self.numbers) + len(self.flags)
        with np.errstate(over="ignore"):
            np.subtract(X[:, self.origins[: len(self.numbers)]], self._centers, out=numbers)
            np.divide(numbers, self._scales, out=numbers)
        np.clip(numbers, -LIMIT, LIMIT, out=numbers)
        Z[:, len(self.numbers) : stop] = X[:, self.origins[len(self.numbers) : stop]]
        for place, n_levels in self.codes:
            Z[:, stop : stop + n_levels] = X[:, place, None] == np.arange(n_levels)
            stop += n_levels
        return Z

    @cached_property
    def _centers(self) -> FloatArray:
        return np.array(self.centers)

    @cached_property
    def _scales(self) -> FloatArray:
        return np.array(self.scales)

    def state(self) -> dict[str, Any]:
        """Return the scale as JSON values."""
        return {
            "numbers": list(self.numbers),
            "centers": list(self.centers),
            "scales": list(self.scales),
            "flags": list(self.flags),
            "codes": [list(each) for each in self.codes],
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> OneScale:
        """Return the scale that `state` described."""
        plain = {name: tuple(state[name]) for name in ("numbers", "centers", "scales", "flags")}
        scale = cls(**plain, codes=tuple((int(place), int(n)) for place, n in state["codes"]))
        if not len(scale.numbers) == len(scale.centers) == len(scale.scales):
            raise ValueError("a scale has as many centres as numbers")
        return scale
