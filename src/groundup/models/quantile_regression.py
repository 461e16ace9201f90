"""Linear quantile regression: the median or another quantile as a weighted sum of the inputs."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from groundup.core.errors import TrainingError
from groundup.core.inputs import FloatArray, Inputs, Needs
from groundup.core.losses import LossName
from groundup.core.tasks import Task
from groundup.models.contract import FitContext, Learner, Range, SearchSpace
from groundup.models.linear import FITTED_LINEAR, LINEAR_NEEDS, assemble
from groundup.models.linear_fitted import FittedLinear


class QuantileRegression(Learner):
    """A linear function with as many rows above it as the quantile says: half of them for the median.

    A fit is a linear program, solved exactly by HiGHS in its dual form, whose size is the features and not
    the rows. It cannot be interrupted.
    """

    title: ClassVar[str] = "linear quantile regression"
    idea: ClassVar[str] = (
        "Adds up the inputs, each times a weight, so that half of the rows lie above the sum; for another "
        "quantile, fewer or more of them."
    )
    reference: ClassVar[str] = (
        "Koenker and Bassett (1978), Regression quantiles, Econometrica; Huangfu and Hall (2018), "
        "Parallelizing the dual revised simplex method, Mathematical Programming Computation (HiGHS)"
    )
    libraries: ClassVar[tuple[str, ...]] = ("scipy.optimize",)
    optimizer: ClassVar[str] = "a linear program, solved exactly."
    tasks: ClassVar[tuple[Task, ...]] = ("regression",)
    weighted: ClassVar[bool] = True
    losses: ClassVar[tuple[LossName, ...]] = ("absolute_error", "quantile")
    fitted: ClassVar[str] = FITTED_LINEAR

    alpha: float = Field(default=0.0, ge=0)
    """Strength of the penalty on the absolute weights, in units of the target; 0: none."""

    def needs(self) -> Needs:
        """Return scaled numbers, one-hot categories, nothing missing."""
        return LINEAR_NEEDS

    def search_space(self) -> SearchSpace:
        """Return the range of penalties worth trying."""
        return {"alpha": Range(0.0, 1.0)}

    def fit(self, train: Inputs, validation: Inputs | None, context: FitContext) -> FittedLinear:  # noqa: ARG002
        """Minimise the mean pinball loss plus `alpha` times the absolute weights."""
        loss = self.minimised(context.loss)
        y = train.y.astype(np.float64)
        with np.errstate(over="ignore", invalid="ignore"):
            centre = float(np.median(y))
            scale = float(np.abs(y - centre).max()) or 1.0
        if not (np.isfinite(scale) and np.isfinite(train.X).all()):
            raise TrainingError("The inputs or the target hold values that are not finite numbers.")
        # The solver's tolerances are absolute, so the target is brought to its scale.
        target = (y - centre) / scale
        weights = _solve(train.X, target, train.weight_or_one, loss.quantile, self.alpha) * scale
        return assemble(self, train, context, weights[1:], weights[0] + centre, {})


def _solve(X: FloatArray, y: FloatArray, weight: FloatArray, quantile: float, alpha: float) -> FloatArray:
    """Return intercept and weights: what the dual's constraints are worth, (1 + n_features,).

    The dual gives every row a number in [0, weight]: 0 where the truth lies below the function, the
    row's weight where above. Their sum with each input must be that of the rows' share ``1 - quantile``,
    exactly or (with a penalty) within ``alpha`` times the sum of the weights.
    """
    from scipy.optimize import linprog

    share, slack = (1 - quantile) * weight, alpha * weight.sum()
    sums = X.T @ share
    if slack:
        program: dict[str, Any] = {"A_eq": np.ones((1, len(y))), "b_eq": [share.sum()]}
        program |= {"A_ub": np.vstack([X.T, -X.T]), "b_ub": np.concatenate([sums + slack, slack - sums])}
    else:
        program = {"A_eq": np.vstack([np.ones(len(y)), X.T]), "b_eq": np.concatenate([[share.sum()], sums])}
    bounds = np.column_stack([np.zeros(len(y)), weight])
    found = linprog(-y, bounds=bounds, method="highs-ipm", **program)
    if found.status != 0:
        raise TrainingError(
            f"The linear program of the quantile regression was not solved: {found.message} "
            "Look for extreme values in the inputs and the target."
        )
    prices = -np.asarray(found.eqlin.marginals, dtype=np.float64)
    if not slack:
        return prices
    above, below = np.split(-np.asarray(found.ineqlin.marginals, dtype=np.float64), 2)
    return np.concatenate([prices, above - below])
