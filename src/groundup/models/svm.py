"""Support vector machines, fitted by scikit-learn: linear and with a kernel, calibrated by a sigmoid."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Final, Literal

import numpy as np
from pydantic import Field

from groundup.core.errors import TrainingError
from groundup.core.inputs import FloatArray, Inputs, IntArray, Needs
from groundup.core.tasks import Task
from groundup.models.contract import Choice, FitContext, Learner, Range, SearchSpace
from groundup.models.svm_fitted import Calibration, FittedSVM, Kernel

_FITTED: Final = "groundup.models.svm_fitted:FittedSVM"
_NEEDS: Final = Needs(scaled=True, categories="one_hot", missing=False)
_CACHE_MB: Final = 500  # kernel values that libsvm keeps instead of computing them again
_PLATT: Final = (
    "Platt (1999), Probabilistic outputs for support vector machines, Advances in Large Margin Classifiers"
)


class LinearSVM(Learner):
    """A linear boundary with the widest margin; a linear function that ignores small errors.

    The target of a regression is standardised for the fit. Probabilities come from a sigmoid (one a
    class, normalised, where there are more than two) through the scores of held-out training rows;
    its folds are stratified and drawn from the seed.
    """

    title: ClassVar[str] = "linear support vector machine"
    idea: ClassVar[str] = (
        "Draws the straight border that keeps the widest gap to the rows on both sides; for numbers, "
        "a straight line that only large errors pull at."
    )
    reference: ClassVar[str] = (
        "Fan et al. (2008), LIBLINEAR: a library for large linear classification, JMLR; Cortes and Vapnik "
        f"(1995), Support-vector networks, Machine Learning; {_PLATT}"
    )
    optimizer: ClassVar[str] = "Newton steps; where rows are few, one weight at a time."
    tasks: ClassVar[tuple[Task, ...]] = ("classification", "regression")
    weighted: ClassVar[bool] = True
    fitted: ClassVar[str] = _FITTED
    libraries: ClassVar[tuple[str, ...]] = ("sklearn.svm", "sklearn.calibration")

    C: float = Field(default=1.0, gt=0)
    """How far the weights may follow the training rows: the inverse strength of the penalty."""
    epsilon: float = Field(default=0.0, ge=0)
    """Errors up to this size cost nothing, in standard deviations of the target (regression)."""
    max_iterations: int = Field(default=10_000, ge=1)
    """Iterations before the solver gives up."""
    n_calibration_folds: int = Field(default=3, ge=0, le=50)
    """Folds whose held-out scores the sigmoid of the probabilities is fitted to, never more than the rarest
    class has rows; below 2: the training rows' own scores, which is faster and too sure of itself."""

    def needs(self) -> Needs:
        """Return scaled numbers, one-hot categories, nothing missing."""
        return _NEEDS

    def search_space(self) -> SearchSpace:
        """Return the range of penalties worth trying."""
        return {"C": Range(1e-4, 1e3, log=True)}

    def fit(self, train: Inputs, validation: Inputs | None, context: FitContext) -> FittedSVM:  # noqa: ARG002
        """Minimise the squared hinge loss, or the squared error beyond `epsilon`, plus the penalty."""
        from sklearn.svm import LinearSVC, LinearSVR

        common: dict[str, Any] = {
            "C": self.C,
            "max_iter": self.max_iterations,
            "random_state": context.seed,
            "dual": "auto",
        }
        if context.task == "regression":
            loss = "squared_epsilon_insensitive"
            estimator: Any = LinearSVR(loss=loss, epsilon=self.epsilon, **common)
        else:
            estimator = LinearSVC(**common)
        fit = _fit(estimator, train, context, self.n_calibration_folds)
        if fit.estimator is None:
            return _constant(self, train, fit, context)
        coef = np.atleast_2d(fit.estimator.coef_)
        n_iterations = int(np.max(fit.estimator.n_iter_))
        facts = _facts(self.title, fit, n_iterations, self.max_iterations)
        return FittedSVM(
            Kernel("linear"),
            {
                "coef": coef,
                "intercept": np.atleast_1d(fit.estimator.intercept_).astype(np.float64),
                "mean": np.average(train.X, axis=0, weights=train.weight),
            },
            fit.calibration,
            facts=facts,
        )


class SVM(Learner):
    """A boundary, or a function, made of similarities to some of the training rows (support vectors).

    A fit costs between the square and the cube of the training rows: up to some ten thousand rows. It
    cannot be interrupted. The saved model holds the support vectors, which are training rows: do not
    give it to anybody who may not see them. Target and probabilities are treated as by `LinearSVM`; of
    more than two classes each pair has a boundary of its own, and votes and margins make the score.
    """

    title: ClassVar[str] = "support vector machine with a kernel"
    idea: ClassVar[str] = (
        "Compares each row with the training rows nearest to the border, and lets the similar ones decide."
    )
    reference: ClassVar[str] = (
        "Boser, Guyon and Vapnik (1992), A training algorithm for optimal margin classifiers, COLT; "
        f"Chang and Lin (2011), LIBSVM: a library for support vector machines, ACM TIST; {_PLATT}"
    )
    optimizer: ClassVar[str] = "two weights at a time, the pair that helps most."
    tasks: ClassVar[tuple[Task, ...]] = ("classification", "regression")
    weighted: ClassVar[bool] = True
    fitted: ClassVar[str] = _FITTED
    libraries: ClassVar[tuple[str, ...]] = ("sklearn.svm", "sklearn.calibration")

    C: float = Field(default=1.0, gt=0)
    """How far the boundary may bend to the training rows: the inverse strength of the penalty."""
    kernel: Literal["rbf", "poly"] = "rbf"
    """What makes rows similar: nearness (`rbf`), or products of up to `degree` inputs (`poly`)."""
    gamma: Annotated[float, Field(gt=0)] | Literal["auto"] = "auto"
    """How fast similarity fades with distance; `auto`: 1 / (features times the variance of the inputs)."""
    degree: int = Field(default=3, ge=1, le=20)
    """Degree of the polynomial (`poly` only)."""
    coef0: float = Field(default=0.0, ge=-100, le=100)
    """Constant within the polynomial: above 0, products of fewer inputs count as well (`poly` only)."""
    epsilon: float = Field(default=0.1, ge=0)
    """Errors up to this size cost nothing, in standard deviations of the target (regression)."""
    max_iterations: int = Field(default=1_000_000, ge=1)
    """Pairs of weights that are moved before the solver gives up."""
    n_calibration_folds: int = Field(default=3, ge=0, le=50)
    """Folds whose held-out scores the sigmoid of the probabilities is fitted to, never more than the rarest
    class has rows; below 2: the training rows' own scores, which is faster and too sure of itself."""

    def needs(self) -> Needs:
        """Return scaled numbers, one-hot categories, nothing missing."""
        return _NEEDS

    def search_space(self) -> SearchSpace:
        """Return the ranges of penalty and width, and the kernels, worth trying."""
        return {"C": Range(1e-2, 1e3, log=True), "gamma": Range(1e-4, 10, log=True), "kernel": _KERNELS}

    def fit(self, train: Inputs, validation: Inputs | None, context: FitContext) -> FittedSVM:  # noqa: ARG002
        """Minimise the hinge loss, or the error beyond `epsilon`, plus the penalty."""
        from sklearn.svm import SVC, SVR

        gamma = _default_gamma(train.X) if self.gamma == "auto" else self.gamma
        common: dict[str, Any] = {
            "C": self.C,
            "kernel": self.kernel,
            "gamma": gamma,
            "degree": self.degree,
            "coef0": self.coef0,
            "max_iter": self.max_iterations,
            "cache_size": _CACHE_MB,
        }
        is_regression = context.task == "regression"
        estimator = SVR(epsilon=self.epsilon, **common) if is_regression else SVC(**common)
        fit = _fit(estimator, train, context, self.n_calibration_folds)
        if self.gamma == "auto":
            fit.choose("1 / (features x variance of the inputs)", gamma=gamma)
        if fit.estimator is None:
            return _constant(self, train, fit, context)
        n_iterations = int(np.max(fit.estimator.n_iter_))
        facts = _facts(self.title, fit, n_iterations, self.max_iterations)
        return FittedSVM(
            Kernel(self.kernel, gamma, self.degree, self.coef0),
            _vectors(fit.estimator),
            fit.calibration,
            facts=facts,
        )


_KERNELS: Final = Choice(("rbf", "poly"))


@dataclass
class _Fit:
    """A fitted estimator (None where the answer is constant), what makes answers of its scores, and notes."""

    estimator: Any
    calibration: Calibration
    is_converged: bool = True
    chosen: dict[str, Any] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)

    def choose(self, reason: str, **chosen: float) -> None:
        self.chosen |= chosen
        self.reasons += [f"{', '.join(chosen)}: {reason}"]


def _fit(estimator: Any, train: Inputs, context: FitContext, n_folds: int) -> _Fit:
    if not np.isfinite(train.X).all():
        raise TrainingError("The inputs hold values that are not finite numbers. Look for extreme values.")
    if context.task == "regression":
        return _fit_values(estimator, train, context)
    return _fit_classes(estimator, train, context, n_folds)


def _fit_values(estimator: Any, train: Inputs, context: FitContext) -> _Fit:
    y = train.y.astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        mean, deviation = float(y.mean()), float(y.std())
    if not (np.isfinite(mean) and np.isfinite(deviation)):
        raise TrainingError("The target holds extreme values: its mean or its spread is not a finite number.")
    # Of equal values rounding may leave a spread that says nothing.
    scale = deviation if deviation > 1e-12 * abs(mean) else 1.0
    standardised = (y - mean) / scale
    is_converged = _run(estimator, train, standardised, context)
    return _Fit(estimator, Calibration(scale=scale, offset=mean), is_converged)


def _fit_classes(estimator: Any, train: Inputs, context: FitContext, n_folds: int) -> _Fit:
    """Fit on all rows, and the sigmoids on the scores of rows that were held out.

    References
    ----------
    Platt (1999), "Probabilistic outputs for support vector machines"; Zadrozny and Elkan (2002),
    "Transforming classifier scores into accurate multiclass probability estimates", KDD.
    """
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.frozen import FrozenEstimator
    from sklearn.model_selection import StratifiedKFold

    y = train.y.astype(np.int64)
    present, counts = np.unique(y, return_counts=True)
    nothing = np.zeros(0)
    calibration = Calibration(context.n_classes, present, nothing, nothing)
    if len(present) == 1:
        return _Fit(None, calibration)
    n_used = min(n_folds, int(counts.min()))
    if n_used > 1:
        folds = StratifiedKFold(n_used, shuffle=True, random_state=context.seed)
        calibrated = CalibratedClassifierCV(estimator, method="sigmoid", cv=folds, ensemble=False)
        is_converged = _run(calibrated, train, y, context)
        estimator = calibrated.calibrated_classifiers_[0].estimator
    else:
        is_converged = _run(estimator, train, y, context)
        every = np.arange(len(y))
        calibrated = CalibratedClassifierCV(
            FrozenEstimator(estimator), method="sigmoid", cv=[(every, every)], ensemble=False
        )
        _run(calibrated, train, y, context)
    sigmoids = calibrated.calibrated_classifiers_[0].calibrators
    slopes, constants = (np.array([getattr(each, name) for each in sigmoids]) for name in ("a_", "b_"))
    calibration = Calibration(context.n_classes, present, slopes, constants)
    fit = _Fit(estimator, calibration, is_converged)
    if n_used != n_folds:
        fit.choose("the rarest class has no more rows", n_calibration_folds=n_used)
    return fit


def _run(estimator: Any, train: Inputs, y: FloatArray | IntArray, context: FitContext) -> bool:
    """Fit on the context's threads and return whether the solver converged."""
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    with threadpool_limits(context.threads), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            estimator.fit(train.X, y, train.weight)
        except ValueError as error:
            raise TrainingError(f"scikit-learn could not fit the support vector machine: {error}") from error
    return not any(issubclass(each.category, ConvergenceWarning) for each in caught)


def _default_gamma(X: FloatArray) -> float:
    with np.errstate(over="ignore", invalid="ignore"):
        variance = float(X.var())
    return 1.0 / (X.shape[1] * variance) if variance > 0 and np.isfinite(variance) else 1.0


def _vectors(estimator: Any) -> dict[str, Any]:
    """Return support vectors (grouped by class) with their weights."""
    n_vectors = np.asarray(estimator.n_support_, dtype=np.int64)
    return {
        "vectors": np.ascontiguousarray(estimator.support_vectors_, dtype=np.float64),
        "weights": np.ascontiguousarray(estimator.dual_coef_, dtype=np.float64),
        "n_vectors": n_vectors,
        "intercept": np.asarray(estimator.intercept_, dtype=np.float64),
    }


def _constant(learner: Learner, train: Inputs, fit: _Fit, context: FitContext) -> FittedSVM:  # noqa: ARG001
    """Return what a single class makes of any row."""
    n_features = train.X.shape[1]
    arrays = {"coef": np.zeros((0, n_features)), "intercept": np.zeros(0), "mean": np.zeros(n_features)}
    return FittedSVM(Kernel("linear"), arrays, fit.calibration, facts=_facts(learner.title, fit, 0, 0))


def _facts(title: str, fit: _Fit, n_iterations: int, max_iterations: int) -> dict[str, Any]:
    facts: dict[str, Any] = {"learner": title}
    if max_iterations:
        counts = {"n_iterations": n_iterations, "max_iterations": max_iterations}
        facts |= {"converged": fit.is_converged, **counts}
    if fit.chosen:
        facts |= {"chosen": fit.chosen, "chosen_by": "; ".join(fit.reasons)}
    return facts
