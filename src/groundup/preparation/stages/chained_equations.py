"""Missing numbers filled with what linear regressions on the other columns predict (chained equations).

Each number that is missing somewhere is regressed on all other columns, in turn, with the others as they
were filled last; this is repeated until nothing moves. A new row goes through the same regressions in the
same order. Predictions are kept within the range of the training rows.

References
----------
van Buuren and Groothuis-Oudshoorn (2011), "mice: Multivariate imputation by chained equations in R",
Journal of Statistical Software 45; `sklearn.impute.IterativeImputer`, which fits them.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import mul
from typing import Any, ClassVar, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from groundup.core.inputs import FloatArray
from groundup.core.wording import count
from groundup.preparation.scaling import LARGEST
from groundup.preparation.stages.contract import GapFilling, StageContext, Told, tell_filled
from groundup.preparation.stages.nearest_rows import draw_rows
from groundup.preparation.stages.one_scale import SUBSTANCE, OneScale

FIT_ROWS: Final = 10_000
"""Rows that the regressions are fitted on, at most; where there are more, they are drawn at random."""

MOST_ROUNDS: Final = 10
"""How often each regression is fitted, at most."""

_TUPLES: Final = ("feature_names", "targets", "of", "order", "lows", "highs", "n_missing")

Step: TypeAlias = tuple[int, list[float], float]
"""A target's place, the weights of its regression, and the constant."""


@dataclass(frozen=True, eq=False)
class ChainedEquations(GapFilling):
    """Fills some numbers with the predictions of regressions, one after the other.

    Parameters
    ----------
    feature_names : tuple of str
        Of all inputs.
    targets : tuple of int
        The inputs that are filled.
    scale : OneScale
        What the regressions see.
    weights : ndarray of shape (n_regressions, scale.width)
        On one scale; 0 for the target itself.
    constants : ndarray of shape (n_regressions,)
        On one scale.
    of : tuple of int
        Which target each regression predicts.
    order : tuple of int
        The regressions in the order in which a row goes through them.
    lows, highs : tuple of float
        By target: the range of the training rows, on one scale.
    n_rounds : int
        How often each regression was fitted; 0: no target was missing in training.
    is_settled : bool
        Whether nothing moved any more.
    n_missing : tuple of int
        By target: in how many training rows it was missing.
    """

    feature_names: tuple[str, ...]
    targets: tuple[int, ...]
    scale: OneScale
    weights: FloatArray
    constants: FloatArray
    of: tuple[int, ...]
    order: tuple[int, ...]
    lows: tuple[float, ...]
    highs: tuple[float, ...]
    n_rounds: int
    is_settled: bool
    n_missing: tuple[int, ...]
    kind: ClassVar[str] = "iterative"

    def transform(self, X: FloatArray) -> FloatArray:
        """Return the rows with their missing numbers filled, shape (n_samples, n_features)."""
        filled, is_missing = X.copy(), np.isnan(X[:, list(self.targets)])
        rows = np.flatnonzero(is_missing.any(axis=1))
        is_missing = is_missing[rows]
        Z = self.scale.transform(X[rows])
        Z[np.isnan(Z)] = 0.0
        for regression in self.order:
            target = self.of[regression]
            which = is_missing[:, target]
            predicted = np.einsum("ij,j->i", Z[which], self.weights[regression]) + self.constants[regression]
            Z[which, self._places[target]] = np.clip(predicted, self.lows[target], self.highs[target])
        for target, column in enumerate(self.targets):
            place, which = self._places[target], is_missing[:, target]
            back = Z[which, place] * self.scale.scales[place] + self.scale.centers[place]
            filled[rows[which], column] = back
        return filled

    def transform_row(self, values: list[float]) -> list[float]:
        """Return one row with its missing numbers filled; within 1e-12 of `transform`."""
        missing = [place for place, column in enumerate(self.targets) if values[column] != values[column]]
        if not missing:  # only NaN differs from itself; a complete row costs no more than this look
            return values
        z = [
            0.0 if value != value else value for value in self.scale.transform(np.array([values]))[0].tolist()
        ]
        for target, weights, constant in self._steps_for(missing):
            low, high = self.lows[target], self.highs[target]
            predicted = sum(map(mul, weights, z)) + constant
            z[self._places[target]] = low if predicted < low else high if predicted > high else predicted
        for target in missing:
            place = self._places[target]
            values[self.targets[target]] = z[place] * self.scale.scales[place] + self.scale.centers[place]
        return values

    def _steps_for(self, missing: Sequence[int]) -> list[Step]:
        """Return the regressions that matter: where one number is missing, only its last one does."""
        if len(missing) > 1:
            return [step for step in self._steps if step[0] in missing]
        return self._last_steps[missing[0]]

    @cached_property
    def _steps(self) -> list[Step]:
        weights, constants = self.weights.tolist(), self.constants.tolist()
        return [(self.of[each], weights[each], constants[each]) for each in self.order]

    @cached_property
    def _last_steps(self) -> list[list[Step]]:
        return [
            [step for step in self._steps if step[0] == target][-1:] for target in range(len(self.targets))
        ]

    @cached_property
    def _places(self) -> tuple[int, ...]:
        """Where each target stands on one scale."""
        return tuple(self.scale.place(column) for column in self.targets)

    def tell(self) -> Told:
        """Return which numbers are filled, and how long it took to settle."""
        filled = tell_filled([self.feature_names[target] for target in self.targets], self.n_missing)
        if not self.order:
            return Told(f"{filled} the mean: no other column can help", "nothing")
        rounds = count(self.n_rounds, "round")
        settled = f"settled after {rounds}" if self.is_settled else f"stopped after {rounds}, still moving"
        return Told(
            f"{filled} what linear regressions on the other columns predict"
            f"{f' ({settled})' if self.n_rounds else ''}",
            f"a row that misses one of them takes a weighted sum of {count(self.scale.width, 'number')}, one "
            f"that misses several up to {count(len(self.order), 'such sum')}; others cost nothing",
        )

    def state(self) -> dict[str, Any]:
        """Return all but the weights as JSON values."""
        return {
            "feature_names": list(self.feature_names),
            "targets": list(self.targets),
            "scale": self.scale.state(),
            "of": list(self.of),
            "order": list(self.order),
            "lows": list(self.lows),
            "highs": list(self.highs),
            "n_rounds": self.n_rounds,
            "is_settled": self.is_settled,
            "n_missing": list(self.n_missing),
        }

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Return the regressions."""
        return {"weights": self.weights, "constants": self.constants}

    @classmethod
    def from_state(
        cls, state: Mapping[str, Any], arrays: Mapping[str, NDArray[np.generic]]
    ) -> ChainedEquations:
        """Return the stage that `state` and `arrays` described."""
        scale = OneScale.from_state(state["scale"])
        weights, constants = arrays["weights"], arrays["constants"]
        tuples = {name: tuple(state[name]) for name in _TUPLES}
        if weights.shape != (len(constants), scale.width) or len(tuples["of"]) != len(constants):
            raise ValueError(f"{weights.shape} weights for {scale.width} numbers")
        return cls(
            **tuples,
            scale=scale,
            weights=np.asarray(weights, dtype=np.float64),
            constants=np.asarray(constants, dtype=np.float64),
            n_rounds=state["n_rounds"],
            is_settled=state["is_settled"],
        )


def fit_chained_equations(X: FloatArray, context: StageContext, targets: Sequence[int]) -> ChainedEquations:
    """Fit the regressions with scikit-learn.

    A column that is missing in no training row is regressed once, on the rows as they were filled: it may
    be missing later.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Training rows, NaN where a number is missing.
    context : StageContext
        Its seed draws the rows where there are more than `FIT_ROWS`.
    targets : sequence of int
        The columns to be filled.

    Returns
    -------
    ChainedEquations
    """
    scale = OneScale.fit(X, context.roles, context.n_levels, SUBSTANCE)
    places = [scale.place(column) for column in targets]
    Z = scale.transform(np.clip(X[draw_rows(len(X), FIT_ROWS, context.seed)], -LARGEST, LARGEST))
    is_missing = np.isnan(Z)
    is_incomplete = is_missing.any(axis=0) & ~is_missing.all(axis=0) & np.isin(np.arange(scale.width), places)
    # What is missing in another column stays so for the learner; here it is the mean.
    Z[:, ~is_incomplete] = np.nan_to_num(Z[:, ~is_incomplete])
    limits = np.stack([np.nanmin(Z, axis=0), np.nanmax(Z, axis=0)])
    filled, chain, n_rounds, is_settled = _fit_chain(Z, is_incomplete, limits)
    complete = [place for place in places if not is_incomplete[place] and scale.width > 1]
    regressions = [*chain, *(_regress(filled, place) for place in complete)]
    n_each, once = len(chain) // max(n_rounds, 1), range(len(chain), len(regressions))
    return ChainedEquations(
        context.feature_names,
        tuple(targets),
        scale,
        weights=np.array([weights for _, weights, _ in regressions]).reshape(len(regressions), scale.width),
        constants=np.array([constant for _, _, constant in regressions]),
        of=tuple(places.index(place) for place, _, _ in regressions),
        order=tuple(
            each
            for start in range(n_rounds or MOST_ROUNDS)
            for each in (*range(start * n_each, (start + 1) * n_each), *once)
        ),
        lows=tuple(limits[0, places].tolist()),
        highs=tuple(limits[1, places].tolist()),
        n_rounds=n_rounds,
        is_settled=is_settled,
        n_missing=tuple(np.isnan(X[:, list(targets)]).sum(axis=0).tolist()),
    )


Regression: TypeAlias = tuple[int, FloatArray, float]
"""The column that is predicted, the weights of all columns, and the constant."""


def _fit_chain(
    Z: FloatArray, is_incomplete: NDArray[np.bool_], limits: FloatArray
) -> tuple[FloatArray, list[Regression], int, bool]:
    """Return the rows filled, the regressions round by round, the rounds, and whether they settled."""
    if not is_incomplete.any() or Z.shape[1] == 1:
        return np.nan_to_num(Z), [], 0, True
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.experimental import enable_iterative_imputer  # noqa: F401
    from sklearn.impute import IterativeImputer

    # scikit-learn wants a range of some width; the other columns are not filled.
    has_range = is_incomplete & (limits[1] > limits[0])
    imputer = IterativeImputer(
        max_iter=MOST_ROUNDS,
        initial_strategy="constant",
        fill_value=0.0,
        skip_complete=True,
        min_value=np.where(has_range, limits[0], -np.inf),
        max_value=np.where(has_range, limits[1], np.inf),
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        filled = imputer.fit_transform(Z)
    is_settled = not any(issubclass(each.category, ConvergenceWarning) for each in caught)
    chain = [_regression(each.estimator, each.feat_idx) for each in imputer.imputation_sequence_]
    return filled, chain, imputer.n_iter_, is_settled


def _regress(filled: FloatArray, place: int) -> Regression:
    from sklearn.linear_model import BayesianRidge

    return _regression(BayesianRidge().fit(np.delete(filled, place, axis=1), filled[:, place]), place)


def _regression(estimator: Any, place: int) -> Regression:
    return place, np.insert(estimator.coef_, place, 0.0), float(estimator.intercept_)
