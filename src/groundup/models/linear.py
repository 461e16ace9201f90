"""Linear models, fitted by scikit-learn: least squares, ridge, lasso, elastic net, logistic regression."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Final, Literal

import numpy as np
from pydantic import Field

from groundup.core.errors import TrainingError
from groundup.core.inputs import FloatArray, Inputs, IntArray, Needs
from groundup.core.tasks import Task
from groundup.models.contract import FitContext, Learner, Range, SearchSpace
from groundup.models.leave_one_out import leave_one_out_errors
from groundup.models.linear_fitted import FittedLinear

FITTED_LINEAR: Final = "groundup.models.linear_fitted:FittedLinear"
LINEAR_NEEDS: Final = Needs(scaled=True, categories="one_hot", missing=False)
_N_COEFFICIENTS_IN_FACTS: Final = 50
_RIDGE_GRID: Final = tuple(10.0 ** (exponent / 2) for exponent in range(-6, 11))
_N_PATH_ALPHAS, _N_PATH_FOLDS = 50, 5


class Linear(Learner):
    """Ordinary least squares; in classification, logistic regression with the customary penalty."""

    title: ClassVar[str] = "linear model (least squares or logistic)"
    idea: ClassVar[str] = (
        "Adds up the inputs, each times a weight; for classes, turns the sum into probabilities."
    )
    reference: ClassVar[str] = (
        "Legendre (1805), Nouvelles méthodes pour la détermination des orbites des comètes; "
        "Cox (1958), The regression analysis of binary sequences, JRSS B"
    )
    libraries: ClassVar[tuple[str, ...]] = ("sklearn.linear_model",)
    optimizer: ClassVar[str] = "solved exactly (numbers) or by L-BFGS steps (classes)."
    tasks: ClassVar[tuple[Task, ...]] = ("classification", "regression")
    weighted: ClassVar[bool] = True
    fitted: ClassVar[str] = FITTED_LINEAR

    def needs(self) -> Needs:
        """Return scaled numbers, one-hot categories, nothing missing."""
        return LINEAR_NEEDS

    def fit(self, train: Inputs, validation: Inputs | None, context: FitContext) -> FittedLinear:
        """Minimise the squared error, or (classification) the penalised log loss."""
        if context.task == "classification":
            return Logistic().fit(train, validation, context)
        from sklearn.linear_model import LinearRegression

        estimator = LinearRegression()
        course = _run(estimator, train, context)
        return assemble(self, train, context, estimator.coef_, estimator.intercept_, course.facts)


class Ridge(Learner):
    """Least squares with a penalty on the squared weights."""

    title: ClassVar[str] = "ridge regression"
    idea: ClassVar[str] = "Adds up the inputs, each times a weight, and prefers small weights."
    reference: ClassVar[str] = "Hoerl and Kennard (1970), Ridge regression, Technometrics"
    libraries: ClassVar[tuple[str, ...]] = ("sklearn.linear_model",)
    optimizer: ClassVar[str] = "solved in closed form, no steps."
    tasks: ClassVar[tuple[Task, ...]] = ("regression",)
    weighted: ClassVar[bool] = True
    fitted: ClassVar[str] = FITTED_LINEAR

    alpha: Annotated[float, Field(gt=0)] | Literal["auto"] = "auto"
    """Strength of the penalty on the squared weights; `auto`: the best of 17 values from 0.001 to
    100 000 by leave-one-out error, all from one decomposition."""

    def needs(self) -> Needs:
        """Return scaled numbers, one-hot categories, nothing missing."""
        return LINEAR_NEEDS

    def search_space(self) -> SearchSpace:
        """Return the range of penalties worth trying."""
        return {"alpha": Range(1e-3, 1e5, log=True)}

    def fit(self, train: Inputs, validation: Inputs | None, context: FitContext) -> FittedLinear:  # noqa: ARG002
        """Minimise the squared error plus `alpha` times the squared weights."""
        from sklearn.linear_model import Ridge as RidgeEstimator

        if self.alpha != "auto":
            estimator = RidgeEstimator(alpha=self.alpha)
            course = _run(estimator, train, context)
        elif train.n_samples < 3:
            estimator = RidgeEstimator(alpha=1.0)
            course = _run(estimator, train, context).choosing("too few rows to choose", alpha=1.0)
        else:
            alpha = _best_ridge_alpha(train, context)
            estimator = RidgeEstimator(alpha=alpha)
            course = _run(estimator, train, context)
            course = course.choosing("lowest leave-one-out squared error", alpha=alpha)
        return assemble(self, train, context, estimator.coef_, estimator.intercept_, course.facts)


class Lasso(Learner):
    """Least squares with a penalty on the absolute weights, which sets many of them to zero."""

    title: ClassVar[str] = "lasso"
    idea: ClassVar[str] = "Adds up few of the inputs, each times a weight; the others get weight zero."
    reference: ClassVar[str] = "Tibshirani (1996), Regression shrinkage and selection via the lasso, JRSS B"
    libraries: ClassVar[tuple[str, ...]] = ("sklearn.linear_model",)
    optimizer: ClassVar[str] = "coordinate descent until the weights stand still."
    tasks: ClassVar[tuple[Task, ...]] = ("regression",)
    weighted: ClassVar[bool] = True
    fitted: ClassVar[str] = FITTED_LINEAR

    alpha: Annotated[float, Field(gt=0)] | Literal["auto"] = "auto"
    """Strength of the penalty on the absolute weights, in units of the target; `auto`: the best of
    50 values by 5-fold cross-validation within the training rows."""
    max_iterations: int = Field(default=10_000, ge=1)
    """Passes over the features before the solver gives up."""

    def needs(self) -> Needs:
        """Return scaled numbers, one-hot categories, nothing missing."""
        return LINEAR_NEEDS

    def search_space(self) -> SearchSpace:
        """Return the range of penalties worth trying."""
        return {"alpha": Range(1e-4, 1e2, log=True)}

    def fit(self, train: Inputs, validation: Inputs | None, context: FitContext) -> FittedLinear:  # noqa: ARG002
        """Minimise half the mean squared error plus `alpha` times the absolute weights."""
        return _fit_path(self, train, context, l1_ratio=1.0)


class ElasticNet(Learner):
    """Least squares with both penalties: on the absolute and on the squared weights."""

    title: ClassVar[str] = "elastic net"
    idea: ClassVar[str] = (
        "Adds up some of the inputs, each times a weight; related inputs share their weight."
    )
    reference: ClassVar[str] = (
        "Zou and Hastie (2005), Regularization and variable selection via the elastic net, JRSS B"
    )
    libraries: ClassVar[tuple[str, ...]] = ("sklearn.linear_model",)
    optimizer: ClassVar[str] = "coordinate descent until the weights stand still."
    tasks: ClassVar[tuple[Task, ...]] = ("regression",)
    weighted: ClassVar[bool] = True
    fitted: ClassVar[str] = FITTED_LINEAR

    alpha: Annotated[float, Field(gt=0)] | Literal["auto"] = "auto"
    """Strength of both penalties together, in units of the target; `auto`: the best of 50 values by
    5-fold cross-validation within the training rows."""
    l1_ratio: float = Field(default=0.5, gt=0, le=1)
    """Share of the penalty on absolute weights; 1 is the lasso."""
    max_iterations: int = Field(default=10_000, ge=1)
    """Passes over the features before the solver gives up."""

    def needs(self) -> Needs:
        """Return scaled numbers, one-hot categories, nothing missing."""
        return LINEAR_NEEDS

    def search_space(self) -> SearchSpace:
        """Return the ranges of penalties and of their mix worth trying."""
        return {"alpha": Range(1e-4, 1e2, log=True), "l1_ratio": Range(0.05, 1.0)}

    def fit(self, train: Inputs, validation: Inputs | None, context: FitContext) -> FittedLinear:  # noqa: ARG002
        """Minimise half the mean squared error plus `alpha` times the mixed penalty."""
        return _fit_path(self, train, context, l1_ratio=self.l1_ratio)


class Logistic(Learner):
    """Logistic regression, for two classes or more."""

    title: ClassVar[str] = "logistic regression"
    idea: ClassVar[str] = "Adds up the inputs, each times a weight, and turns the sum into probabilities."
    reference: ClassVar[str] = "Cox (1958), The regression analysis of binary sequences, JRSS B"
    libraries: ClassVar[tuple[str, ...]] = ("sklearn.linear_model",)
    optimizer: ClassVar[str] = "L-BFGS (L1: SAGA) steps until the gradient is flat."
    tasks: ClassVar[tuple[Task, ...]] = ("classification",)
    weighted: ClassVar[bool] = True
    fitted: ClassVar[str] = FITTED_LINEAR

    C: float = Field(default=1.0, gt=0)
    """How far the weights may follow the training rows: the inverse strength of the penalty."""
    l1_ratio: float = Field(default=0.0, ge=0, le=1)
    """Share of the penalty on absolute weights: 0 shrinks all weights (L2), 1 sets many to zero (L1);
    above 0 a slower solver is used."""
    max_iterations: int = Field(default=1_000, ge=1)
    """Iterations before the solver gives up."""

    def needs(self) -> Needs:
        """Return scaled numbers, one-hot categories, nothing missing."""
        return LINEAR_NEEDS

    def search_space(self) -> SearchSpace:
        """Return the range of penalties worth trying."""
        return {"C": Range(1e-4, 1e4, log=True)}

    def fit(self, train: Inputs, validation: Inputs | None, context: FitContext) -> FittedLinear:  # noqa: ARG002
        """Minimise `C` times the summed log loss plus the penalty."""
        present = np.unique(train.y.astype(np.int64))
        if len(present) == 1:
            coef, intercept = np.zeros((1, train.X.shape[1])), np.zeros(1)
            course = _Course()
        else:
            estimator = self._estimator(context.seed)
            course = _run(estimator, train, context).iterating(
                int(np.max(estimator.n_iter_)), self.max_iterations
            )
            coef, intercept = estimator.coef_, estimator.intercept_
        coef, intercept = _spread_over_classes(coef, intercept, present, context.n_classes)
        return assemble(self, train, context, coef, intercept, course.facts)

    def _estimator(self, seed: int) -> Any:
        from sklearn import __version__
        from sklearn.linear_model import LogisticRegression

        penalty: dict[str, Any] = {"l1_ratio": self.l1_ratio}
        # Until 1.7 the ratio counts only beside penalty="elasticnet"; from 1.8 on `penalty` is deprecated.
        if tuple(map(int, __version__.split(".")[:2])) < (1, 8):
            penalty = (
                {"penalty": "elasticnet", "l1_ratio": self.l1_ratio} if self.l1_ratio else {"penalty": "l2"}
            )
        return LogisticRegression(
            C=self.C,
            solver="saga" if self.l1_ratio else "lbfgs",
            max_iter=self.max_iterations,
            random_state=seed,
            **penalty,
        )


@dataclass(frozen=True)
class _Course:
    """How a fit went: the facts known so far."""

    is_converged: bool = True
    facts: dict[str, Any] = field(default_factory=dict)

    def choosing(self, reason: str, **chosen: float) -> _Course:
        return _Course(self.is_converged, {**self.facts, "chosen": chosen, "chosen_by": reason})

    def iterating(self, n_iterations: int, max_iterations: int) -> _Course:
        counts = {"n_iterations": n_iterations, "max_iterations": max_iterations}
        return _Course(self.is_converged, {**self.facts, "converged": self.is_converged, **counts})


def _run(estimator: Any, train: Inputs, context: FitContext) -> _Course:
    """Fit a scikit-learn estimator on the context's threads; a failure to converge is a fact, no warning."""
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    with threadpool_limits(context.threads), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            estimator.fit(train.X, train.y, train.weight)
        except (ValueError, np.linalg.LinAlgError) as error:
            raise TrainingError(
                f"scikit-learn could not fit `{type(estimator).__name__}`: {error} "
                "Look for extreme values in the inputs and the target."
            ) from error
    return _Course(not any(issubclass(each.category, ConvergenceWarning) for each in caught))


def _best_ridge_alpha(train: Inputs, context: FitContext) -> float:
    """Return the penalty with the lowest leave-one-out squared error."""
    from sklearn.linear_model import RidgeCV
    from threadpoolctl import threadpool_limits

    if train.n_samples <= train.X.shape[1] or not np.isfinite(train.X).all():
        path = RidgeCV(alphas=_RIDGE_GRID)
        _run(path, train, context)
        return float(path.alpha_)
    with threadpool_limits(context.threads), np.errstate(over="ignore", invalid="ignore"):
        try:
            errors = leave_one_out_errors(train.X, train.y.astype(np.float64), _RIDGE_GRID, train.weight)
        except np.linalg.LinAlgError as error:
            raise TrainingError(
                f"The inputs could not be decomposed: {error} Look for extreme values in the inputs."
            ) from error
    return float(_RIDGE_GRID[int(np.argmin(np.where(np.isnan(errors), np.inf, errors)))])


def _fit_path(
    learner: Lasso | ElasticNet, train: Inputs, context: FitContext, *, l1_ratio: float
) -> FittedLinear:
    """Fit by coordinate descent, with `alpha` given or chosen along the path of all penalties.

    References
    ----------
    Friedman, Hastie and Tibshirani (2010), "Regularization paths for generalized linear models via
    coordinate descent", Journal of Statistical Software.
    """
    from sklearn.linear_model import ElasticNet as ElasticNetEstimator
    from sklearn.linear_model import ElasticNetCV
    from sklearn.model_selection import KFold

    largest = _smallest_alpha_without_weights(train) / l1_ratio
    if not math.isfinite(largest):
        raise TrainingError(
            "The inputs or the target hold extreme values: their products are not finite numbers."
        )
    settings: dict[str, Any] = {"l1_ratio": l1_ratio, "max_iter": learner.max_iterations}
    if learner.alpha != "auto":
        estimator = ElasticNetEstimator(alpha=learner.alpha, **settings)
        course = _run(estimator, train, context)
    elif train.n_samples < 2 * _N_PATH_FOLDS or largest == 0:
        alpha = max(largest / 10, 1e-3)
        estimator = ElasticNetEstimator(alpha=alpha, **settings)
        course = _run(estimator, train, context).choosing(
            "too few rows, or none that vary, to choose", alpha=alpha
        )
    else:
        folds = KFold(_N_PATH_FOLDS, shuffle=True, random_state=context.seed)
        alphas = np.geomspace(largest, largest * 1e-3, _N_PATH_ALPHAS)
        path = ElasticNetCV(alphas=alphas, cv=folds, **settings)
        _run(path, train, context)
        alpha = float(path.alpha_)
        # Fitted as with that alpha given, so that the resolved recipe gives the same bits.
        estimator = ElasticNetEstimator(alpha=alpha, **settings)
        course = _run(estimator, train, context)
        course = course.choosing("lowest squared error in 5-fold cross-validation", alpha=alpha)
    course = course.iterating(int(estimator.n_iter_), learner.max_iterations)
    return assemble(learner, train, context, estimator.coef_, estimator.intercept_, course.facts)


def _smallest_alpha_without_weights(train: Inputs) -> float:
    """Return the least lasso penalty that leaves no feature in: ``max |X'(y - mean)| / n_samples``.

    With weights, sum and mean are weighted, and the weights' sum takes the place of n_samples.
    """
    y = train.y.astype(np.float64)
    weight = train.weight_or_one
    with np.errstate(over="ignore", invalid="ignore"):
        # The products with a centered target need no centered features.
        products = np.einsum("ij,i->j", train.X, weight * (y - np.average(y, weights=train.weight)))
        return float(np.abs(products).max(initial=0.0) / weight.sum())


def _spread_over_classes(
    coef: FloatArray, intercept: FloatArray, present: IntArray, n_classes: int
) -> tuple[FloatArray, FloatArray]:
    """Return weights for all classes from weights for those `present`; an absent one is never predicted."""
    if len(present) == n_classes:
        return coef, intercept
    if n_classes == 2:
        return coef, np.array([math.inf if present[0] == 1 else -math.inf])
    all_coef, all_intercept = np.zeros((n_classes, coef.shape[1])), np.full(n_classes, -math.inf)
    all_coef[present[-len(coef) :]], all_intercept[present[-len(coef) :]] = coef, intercept
    if len(present) == 2:  # one row of weights speaks for the second class; the first has all zeros
        all_intercept[present[0]] = 0.0
    return all_coef, all_intercept


def assemble(
    learner: Learner,
    train: Inputs,
    context: FitContext,
    coef: FloatArray,
    intercept: FloatArray | float,
    course: Mapping[str, Any],
) -> FittedLinear:
    """Return the fitted model with its facts, after a check that its weights are numbers."""
    weights = np.atleast_2d(np.asarray(coef, dtype=np.float64))
    constants = np.atleast_1d(np.asarray(intercept, dtype=np.float64))
    if not np.isfinite(weights).all() or np.isnan(constants).any():
        raise TrainingError(
            f"The fit of `{learner.title}` ended with weights that are not finite numbers. "
            "Look for extreme values in the inputs and the target."
        )
    facts = {
        "learner": learner.title,
        **course,
        "intercept": _one_or_many([each if math.isfinite(each) else None for each in constants.tolist()]),
        "coefficients": _largest_coefficients(weights, train.feature_names),
        "n_coefficients": weights.size,
    }
    return FittedLinear(
        weights,
        constants,
        is_classifier=context.task == "classification",
        mean=np.average(train.X, axis=0, weights=train.weight),
        facts=facts,
    )


def _largest_coefficients(weights: FloatArray, names: tuple[str, ...]) -> list[dict[str, Any]]:
    order = np.argsort(-np.abs(weights).max(axis=0), kind="stable")[:_N_COEFFICIENTS_IN_FACTS].tolist()
    labels = names or tuple(f"feature {position}" for position in range(weights.shape[1]))
    return [
        {"feature": labels[each], "coefficient": _one_or_many(weights[:, each].tolist())} for each in order
    ]


def _one_or_many(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else values
