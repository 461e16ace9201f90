"""Naive Bayes: every input speaks for or against each class on its own."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final, Literal

import numpy as np
from pydantic import Field

from groundup.core.errors import TrainingError
from groundup.core.inputs import FloatArray, Inputs, IntArray, Needs
from groundup.core.tasks import Task
from groundup.models.contract import FitContext, Learner, Range, SearchSpace
from groundup.models.naive_bayes_fitted import FittedNaiveBayes

_LARGEST: Final = 1e150  # squares of larger inputs are not numbers
_NOTHING: Final = float(np.finfo(float).tiny)
_N_ROWS: Final = 4_096  # looked at together: they stay in the processor's cache
_TEMPERATURES: Final[tuple[float, ...]] = tuple(10.0 ** (exponent / 8) for exponent in range(25))


class NaiveBayes(Learner):
    """Class frequencies times the probability of each input within the class.

    A number is taken as normally distributed within a class; a category, and a number that is only
    ever 0 or 1, as drawn with the class's own frequencies. A missing value says nothing: its factor is
    left out, in the fit as in a prediction. Inputs that repeat each other make the product too sure of
    itself; the temperature undoes that without changing which class is most probable.

    The fit is two passes over the rows, in NumPy: there is nothing to iterate.
    """

    title: ClassVar[str] = "naive Bayes"
    idea: ClassVar[str] = (
        "Asks of each input how usual it is within each class, and multiplies the answers as if the inputs "
        "had nothing to do with each other."
    )
    reference: ClassVar[str] = (
        "Hand and Yu (2001), Idiot's Bayes: not so stupid after all?, International Statistical Review; "
        "Guo et al. (2017), On calibration of modern neural networks, ICML (the temperature)"
    )
    optimizer: ClassVar[str] = "counts frequencies, means and variances once, no steps."
    tasks: ClassVar[tuple[Task, ...]] = ("classification",)
    weighted: ClassVar[bool] = True
    fitted: ClassVar[str] = "groundup.models.naive_bayes_fitted:FittedNaiveBayes"

    alpha: float = Field(default=1.0, gt=0)
    """Rows added to every level of a category in every class, so that nothing is called impossible."""
    var_smoothing: float = Field(default=1e-9, gt=0)
    """Share of an input's whole variance that is added to its variance within each class."""
    temperature: Annotated[float, Field(ge=1)] | Literal["auto"] = "auto"
    """What the logarithms of the products are divided by; 1 is the textbook. `auto`: the best of 25 values
    from 1 to 1 000 by the log loss on the validation rows, or where there are none on the training rows."""

    def needs(self) -> Needs:
        """Return that numbers may be missing and stay unscaled, and categories come as codes."""
        return Needs(scaled=False, categories="codes", missing=True)

    def search_space(self) -> SearchSpace:
        """Return the ranges of both kinds of smoothing worth trying."""
        return {"alpha": Range(1e-2, 1e2, log=True), "var_smoothing": Range(1e-9, 1.0, log=True)}

    def fit(self, train: Inputs, validation: Inputs | None, context: FitContext) -> FittedNaiveBayes:
        """Count and average within the classes; choose the temperature."""
        from threadpoolctl import threadpool_limits

        codes, weight = train.y.astype(np.int64), train.weight_or_one
        X = _clipped(train.X)
        is_level = _which_are_levels(X, train.categorical)
        with threadpool_limits(context.threads):
            arrays = {
                "log_priors": _log_frequencies(codes, weight, context.n_classes),
                **self._numbers(X, codes, weight, ~is_level, context.n_classes),
                **self._levels(X, codes, weight, is_level, context.n_classes),
            }
            plain = FittedNaiveBayes(arrays, temperature=1.0, facts={})
            arrays["mean_terms"] = plain.mean_terms(train)
        facts: dict[str, Any] = {"learner": self.title}
        temperature = self.temperature
        if temperature == "auto":
            part = validation if validation is not None and validation.n_samples else train
            temperature = _best_temperature(plain.log_products(part.X), part)
            name = "training" if part is train else "validation"
            facts["chosen"] = {"temperature": temperature}
            facts["chosen_by"] = f"lowest log loss on the {name} rows"
        return FittedNaiveBayes(arrays, temperature=temperature, facts=facts)

    def _numbers(
        self,
        X: FloatArray,
        codes: IntArray,
        weight: FloatArray,
        is_number: np.ndarray[Any, Any],
        n_classes: int,
    ) -> dict[str, Any]:
        """Return where the numbers stand, and their means and variances, shape (n_numbers, n_classes)."""
        features = np.flatnonzero(is_number)
        counts, means, squares = _moments(X, features, codes, weight, n_classes)
        n_all = np.maximum(counts.sum(axis=1), _NOTHING)
        whole_mean = (counts * means).sum(axis=1) / n_all
        between = counts * (means - whole_mean[:, None]) ** 2
        whole_variance = (squares + between).sum(axis=1) / n_all
        # A class that never shows a number is taken to have it as all rows have.
        is_seen = counts > 0
        means = np.where(is_seen, means, whole_mean[:, None])
        variances = np.where(is_seen, squares / np.where(is_seen, counts, 1.0), whole_variance[:, None])
        variances += self.var_smoothing * whole_variance[:, None]
        # A number that never varies says nothing about a row, and less than nothing if divided by zero.
        varies = whole_variance > 1e-18 * whole_mean**2
        return {
            "numbers": features[varies].astype(np.int64),
            "means": means[varies],
            "variances": variances[varies],
        }

    def _levels(
        self,
        X: FloatArray,
        codes: IntArray,
        weight: FloatArray,
        is_level: np.ndarray[Any, Any],
        n_classes: int,
    ) -> dict[str, Any]:
        """Return where the categories stand, their numbers of levels, and log frequencies of all levels.

        ``log_shares`` has a row for each level, those of one category after those of the other.
        """
        features = np.flatnonzero(is_level).astype(np.int64)
        sizes, tables = [], []
        for feature in features.tolist():
            is_seen = ~np.isnan(X[:, feature])
            levels = X[is_seen, feature].astype(np.int64)
            size = int(levels.max(initial=0)) + 1
            cells = levels * n_classes + codes[is_seen]
            pairs = np.bincount(cells, weight[is_seen], minlength=size * n_classes)
            counts = pairs.reshape(size, n_classes) + self.alpha
            tables.append(np.log(counts) - np.log(counts.sum(axis=0)))
            sizes.append(size)
        shares = np.concatenate(tables) if tables else np.zeros((0, n_classes))
        return {"categories": features, "n_levels": np.array(sizes, dtype=np.int64), "log_shares": shares}


def _clipped(X: FloatArray) -> FloatArray:
    """Return the inputs with extreme values made smaller; a copy only where there are any."""
    largest = max(
        -float(np.fmin.reduce(X, axis=None, initial=0.0)), float(np.fmax.reduce(X, axis=None, initial=0.0))
    )
    if largest == np.inf:
        raise TrainingError("The inputs hold infinite values. Look for extreme values.")
    return X if largest <= _LARGEST else np.clip(X, -_LARGEST, _LARGEST)


def _which_are_levels(X: FloatArray, categorical: tuple[int, ...]) -> np.ndarray[Any, Any]:
    """Return which features are categories, or numbers that are only ever 0 or 1 (and sometimes both)."""
    is_level = np.ones(X.shape[1], dtype=bool)
    has = {0: np.zeros(X.shape[1], dtype=bool), 1: np.zeros(X.shape[1], dtype=bool)}
    for start in range(0, len(X), _N_ROWS):
        features = np.flatnonzero(is_level)  # most numbers are told by the first rows
        part = X[start : start + _N_ROWS, features]
        is_zero, is_one = part == 0, part == 1
        has[0][features] |= is_zero.any(axis=0)
        has[1][features] |= is_one.any(axis=0)
        is_level[features] = (is_zero | is_one | np.isnan(part)).all(axis=0)
    is_level &= has[0] & has[1]
    is_level[list(categorical)] = True
    return is_level


def _log_frequencies(codes: IntArray, weight: FloatArray, n_classes: int) -> FloatArray:
    counts = np.bincount(codes, weight, minlength=n_classes)
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(counts) - np.log(counts.sum()))


def _moments(
    X: FloatArray, features: IntArray, codes: IntArray, weight: FloatArray, n_classes: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return rows, mean and sum of squares around it of each number in each class, (n_numbers, n_classes).

    Missing values are left out; mean and squares are 0 where all are missing.
    """
    counts, sums, squares = (np.zeros((len(features), n_classes)) for _ in range(3))
    blocks = [slice(start, start + _N_ROWS) for start in range(0, len(X), _N_ROWS)]
    of_class = np.zeros((_N_ROWS, n_classes))  # each row's weight in the column of its class
    for block in blocks:
        rows = of_class[: len(codes[block])]
        rows[:] = 0.0
        rows[np.arange(len(rows)), codes[block]] = weight[block]
        part = X[block, features].T
        is_seen = ~np.isnan(part)
        counts += is_seen @ rows
        sums += np.where(is_seen, part, 0.0) @ rows
    means = sums / np.where(counts > 0, counts, 1.0)
    for block in blocks:
        rows = of_class[: len(codes[block])]
        rows[:] = 0.0
        rows[np.arange(len(rows)), codes[block]] = weight[block]
        distances = X[block, features].T - means.take(codes[block], axis=1)
        squares += np.where(np.isnan(distances), 0.0, distances * distances) @ rows
    return counts, means, squares


def _best_temperature(log_products: FloatArray, part: Inputs) -> float:
    """Return the temperature with the lowest log loss over the rows whose class is known at all."""
    codes, weight = part.y.astype(np.int64), part.weight_or_one
    of_truth = log_products[np.arange(len(codes)), codes]
    is_known = np.isfinite(of_truth)
    products = log_products[is_known] - log_products[is_known].max(axis=1, keepdims=True)
    truth = products[np.arange(len(products)), codes[is_known]]
    losses = [
        float(np.sum(weight[is_known] * (np.log(np.exp(products / each).sum(axis=1)) - truth / each)))
        for each in _TEMPERATURES
    ]
    return float(_TEMPERATURES[int(np.argmin(losses))])
