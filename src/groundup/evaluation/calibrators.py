"""Calibrators: small maps from a learner's probabilities to ones that come true as often as they say.

Each is fitted on rows that the learner was not fitted on, is a few numbers of JSON, and answers for
a batch (NumPy) and for one row (plain Python) alike: within 1e-12, which is why probabilities are
clipped to a millionth before their logarithm is taken, and why steps have a least width.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, isfinite, log
from typing import Any, Final, Literal, Protocol, TypeAlias

import numpy as np

from groundup.core.inputs import FloatArray, IntArray

Method: TypeAlias = Literal["platt", "isotonic", "temperature"]

_SMALLEST: Final = 1e-6
_SUREST: Final = 500.0  # log-odds whose exponential is finite
_PULL: Final = 0.01  # towards leaving probabilities as they are: decides only where rows do not
_CHANCE: Final = {"platt": 6.0, "temperature": 4.5}
"""Half the likelihood ratio that fitted noise alone exceeds once in 400 samples (chi-square, 2 and 1)."""

_STEEPEST: Final = 1e-3  # probabilities nearer to each other than this share a step
_MOST_STEPS: Final = 50
_COLDEST, _HOTTEST = 0.1, 10.0


class Calibrator(Protocol):
    """What every calibrator can do."""

    def apply(self, probabilities: FloatArray) -> FloatArray:
        """Return the calibrated probabilities, shape (n_samples, n_classes); rows sum to 1."""

    def apply_row(self, probabilities: Sequence[float]) -> list[float]:
        """Return the calibrated probabilities of one row, length n_classes."""

    def state(self) -> dict[str, Any]:
        """Return it as JSON values."""


@dataclass(frozen=True)
class Platt:
    """A sigmoid on the log-odds of the second of two classes.

    Parameters
    ----------
    slope, intercept : float
        Of the straight line through the log-odds; 1 and 0 change nothing.

    References
    ----------
    Platt (1999), "Probabilistic outputs for support vector machines and comparisons to regularized
    likelihood methods"; Niculescu-Mizil and Caruana (2005), "Predicting good probabilities with
    supervised learning", ICML.

    Examples
    --------
    >>> [round(each, 3) for each in Platt(0.5, 0.0).apply_row([0.1, 0.9])]
    [0.25, 0.75]
    """

    slope: float
    intercept: float

    def apply(self, probabilities: FloatArray) -> FloatArray:
        """Return the calibrated probabilities, shape (n_samples, 2)."""
        z = np.clip(self.slope * _log_odds(probabilities) + self.intercept, -_SUREST, _SUREST)
        second = 1 / (1 + np.exp(-z))
        return np.stack([1 - second, second], axis=1)

    def apply_row(self, probabilities: Sequence[float]) -> list[float]:
        """Return the calibrated probabilities of one row."""
        first, second = (log(max(each, _SMALLEST)) for each in probabilities)
        z = min(max(self.slope * (second - first) + self.intercept, -_SUREST), _SUREST)
        calibrated = 1 / (1 + exp(-z))
        return [1 - calibrated, calibrated]

    def state(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"method": "platt", "slope": self.slope, "intercept": self.intercept}


@dataclass(frozen=True)
class Temperature:
    """All log-probabilities divided by one number: above 1 less sure, below 1 surer; the order stays.

    Parameters
    ----------
    temperature : float
        Above 0; 1 changes nothing.

    References
    ----------
    Guo, Pleiss, Sun and Weinberger (2017), "On calibration of modern neural networks", ICML.

    Examples
    --------
    >>> [round(each, 3) for each in Temperature(2.0).apply_row([0.1, 0.9])]
    [0.25, 0.75]
    """

    temperature: float

    def apply(self, probabilities: FloatArray) -> FloatArray:
        """Return the calibrated probabilities, shape (n_samples, n_classes)."""
        return _softmax(np.log(np.maximum(probabilities, _SMALLEST)) / self.temperature)

    def apply_row(self, probabilities: Sequence[float]) -> list[float]:
        """Return the calibrated probabilities of one row."""
        logs = [log(max(each, _SMALLEST)) / self.temperature for each in probabilities]
        largest = max(logs)
        weights = [exp(each - largest) for each in logs]
        total = sum(weights)
        return [each / total for each in weights]

    def state(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"method": "temperature", "temperature": self.temperature}


@dataclass(frozen=True)
class Isotonic:
    """A rising line through a few points, one a class, and the classes scaled to sum to 1.

    Parameters
    ----------
    knots : tuple of ((float, ...), (float, ...))
        Per class (of two classes for the second alone): ascending probabilities at least a thousandth
        apart, and what they become; level beyond the ends.

    References
    ----------
    Zadrozny and Elkan (2002), "Transforming classifier scores into accurate multiclass probability
    estimates", KDD.

    Examples
    --------
    >>> halfway = Isotonic((((0.2, 0.6), (0.1, 0.9)),)).apply_row([0.6, 0.4])
    >>> [round(each, 3) for each in halfway]
    [0.5, 0.5]
    """

    knots: tuple[tuple[tuple[float, ...], tuple[float, ...]], ...]

    def apply(self, probabilities: FloatArray) -> FloatArray:
        """Return the calibrated probabilities, shape (n_samples, n_classes)."""
        if len(self.knots) == 1:
            second = np.interp(probabilities[:, 1], *self.knots[0])
            return np.stack([1 - second, second], axis=1)
        columns = [np.interp(probabilities[:, code], *each) for code, each in enumerate(self.knots)]
        raised = np.stack(columns, axis=1)
        return np.asarray(raised / raised.sum(axis=1, keepdims=True))

    def apply_row(self, probabilities: Sequence[float]) -> list[float]:
        """Return the calibrated probabilities of one row."""
        if len(self.knots) == 1:
            second = _interpolate(probabilities[1], *self.knots[0])
            return [1 - second, second]
        raised = [_interpolate(each, *knots) for each, knots in zip(probabilities, self.knots, strict=True)]
        total = sum(raised)
        return [each / total for each in raised]

    def state(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"method": "isotonic", "knots": [[list(x), list(y)] for x, y in self.knots]}


def fit_calibrator(method: Method, probabilities: FloatArray, y_true: IntArray) -> Calibrator:
    """Fit a calibrator; Platt's line and the temperature are drawn towards leaving probabilities as they are.

    How far goes by the likelihood ratio: what chance alone might have fitted is taken off. So a calibrator
    from few rows does not overshoot, and one that has much to repair stays as it is.

    Parameters
    ----------
    method : {"platt", "isotonic", "temperature"}
        Platt for two classes only.
    probabilities : ndarray of shape (n_samples, n_classes)
        What the learner says of rows that it was not fitted on.
    y_true : ndarray of shape (n_samples,)
        Their class codes.

    References
    ----------
    James and Stein (1961), "Estimation with quadratic loss", for the form of the pull.

    Examples
    --------
    >>> sure = np.array([[0.9, 0.1]] * 60 + [[0.1, 0.9]] * 60)
    >>> y_true = np.array([0, 0, 0, 1, 1] * 12 + [1, 1, 1, 0, 0] * 12)
    >>> fit_calibrator("temperature", sure, y_true).apply_row([0.1, 0.9])[1] < 0.65
    True
    """
    if method == "isotonic":
        codes = [1] if probabilities.shape[1] == 2 else range(probabilities.shape[1])
        return Isotonic(tuple(_fit_isotonic(probabilities[:, code], y_true == code) for code in codes))
    fitted = _fit(method, probabilities, y_true)
    kept = max(0.0, 1 - _CHANCE[method] / max(_likelihood_ratio(fitted, probabilities, y_true), 1e-300))
    if isinstance(fitted, Platt):
        return Platt(1 + kept * (fitted.slope - 1), kept * fitted.intercept)
    return Temperature(1 / (1 + kept * (1 / fitted.temperature - 1)))


def is_beyond_chance(method: Method, probabilities: FloatArray, y_true: IntArray) -> bool:
    """Return whether chance alone lets a calibrator fit so much better less than once in 400 samples.

    Rows must be independent of each other.

    Parameters
    ----------
    method : {"platt", "temperature"}
        Which calibrator.
    probabilities, y_true
        As for `fit_calibrator`.

    References
    ----------
    Wilks (1938), "The large-sample distribution of the likelihood ratio", Annals of Mathematical
    Statistics 9.

    Examples
    --------
    >>> said = np.linspace(0.05, 0.95, 400)
    >>> y_true = (np.random.default_rng(0).random(400) < said).astype(int)
    >>> is_beyond_chance("platt", np.stack([1 - said, said], axis=1), y_true)
    False
    """
    ratio = _likelihood_ratio(_fit(method, probabilities, y_true), probabilities, y_true)
    return ratio > 2 * _CHANCE[method]


def _fit(method: Method, probabilities: FloatArray, y_true: IntArray) -> Platt | Temperature:
    if method == "platt":
        return _fit_platt(_log_odds(probabilities), y_true)
    return _fit_temperature(np.log(np.maximum(probabilities, _SMALLEST)), y_true)


def _likelihood_ratio(fitted: Calibrator, probabilities: FloatArray, y_true: IntArray) -> float:
    """Return twice the log of how much likelier the classes are with the calibrator than without."""
    rows = np.arange(len(y_true))
    before, after = (
        np.log(np.maximum(each[rows, y_true], _SMALLEST)).sum()
        for each in (probabilities, fitted.apply(probabilities))
    )
    return float(2 * (after - before))


def calibrator_of(state: Mapping[str, Any]) -> Calibrator:
    """Return the calibrator that `state` described.

    Raises
    ------
    ValueError
        If it describes none.
    """
    method = state["method"]
    if method == "platt":
        return Platt(_finite(state["slope"]), _finite(state["intercept"]))
    if method == "temperature" and _finite(state["temperature"]) > 0:
        return Temperature(float(state["temperature"]))
    if method == "isotonic" and state["knots"]:
        return Isotonic(tuple(_checked_knots(*each) for each in state["knots"]))
    raise ValueError(f"no calibrator is described by `{method}`")


def _finite(value: Any) -> float:
    if not isfinite(value):
        raise ValueError(f"`{value}` is no finite number")
    return float(value)


def _checked_knots(x: Sequence[float], y: Sequence[float]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    knots = tuple(map(_finite, x)), tuple(map(_finite, y))
    if len(x) != len(y) or not x or list(x) != sorted(x) or min(y) <= 0 or max(y) >= 1:
        raise ValueError("the steps of an isotonic calibrator do not rise, or leave (0, 1)")
    return knots


def _log_odds(probabilities: FloatArray) -> FloatArray:
    logs = np.log(np.maximum(probabilities, _SMALLEST))
    return np.asarray(logs[:, 1] - logs[:, 0])


def _softmax(logits: FloatArray) -> FloatArray:
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def _interpolate(at: float, x: Sequence[float], y: Sequence[float]) -> float:
    """Return what `numpy.interp` does, for one number."""
    right = bisect_right(x, at)
    if right == 0 or right == len(x):
        return y[0] if right == 0 else y[-1]
    low, high = x[right - 1], x[right]
    return (y[right] - y[right - 1]) / (high - low) * (at - low) + y[right - 1]


def _fit_platt(log_odds: FloatArray, y_true: IntArray) -> Platt:
    """Minimise the log loss by Newton's steps, each halved until it helps.

    Platt's targets, a little inside 0 and 1, keep the line finite where the classes do not overlap.
    """
    n_second = int(y_true.sum())
    targets = np.where(y_true == 1, (n_second + 1) / (n_second + 2), 1 / (len(y_true) - n_second + 2))
    design = np.stack([log_odds, np.ones(len(log_odds))], axis=1)

    def loss(line: FloatArray) -> float:
        z = design @ line
        return float(np.mean(np.logaddexp(0, z) - targets * z) + pull / 2 * ((line - start) ** 2).sum())

    start, pull = np.array([1.0, 0.0]), _PULL / len(targets)
    line = start
    for _ in range(50):
        second = 1 / (1 + np.exp(-np.clip(design @ line, -_SUREST, _SUREST)))
        gradient = design.T @ (second - targets) / len(targets) + pull * (line - start)
        curvature = (design.T * (second * (1 - second))) @ design / len(targets) + pull * np.eye(2)
        step, size = np.linalg.solve(curvature, gradient), 1.0
        while loss(line - size * step) > loss(line) and size > 1e-6:
            size /= 2
        line = line - size * step
        if float(np.abs(size * step).max()) < 1e-9:
            break
    return Platt(float(line[0]), float(line[1]))


def _fit_temperature(logs: FloatArray, y_true: IntArray) -> Temperature:
    """Bisect on the slope of the log loss, which is convex in 1 / temperature."""
    observed = float(logs[np.arange(len(y_true)), y_true].mean())
    coldest, hottest = 1 / _COLDEST, 1 / _HOTTEST
    for _ in range(50):
        middle = (coldest + hottest) / 2
        expected = float(np.einsum("ij,ij->i", _softmax(middle * logs), logs).mean())
        if expected > observed:
            coldest = middle
        else:
            hottest = middle
    return Temperature(2 / (coldest + hottest))


def _fit_isotonic(scores: FloatArray, is_class: IntArray) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Pool adjacent violators over groups of like scores; the ends are kept off 0 and 1."""
    order = np.argsort(scores, kind="stable")
    step = max(1, len(scores) // _MOST_STEPS)
    starts = [0]
    for at in range(step, len(scores) - step + 1, step):
        # Wider than twice the least width, so that the groups' means stay apart, too.
        if scores[order[at]] - scores[order[starts[-1]]] >= 2 * _STEEPEST:
            starts.append(at)
    sizes = np.diff([*starts, len(scores)]).astype(np.float64)
    x = np.add.reduceat(scores[order], starts) / sizes
    y = np.add.reduceat(np.asarray(is_class, dtype=np.float64)[order], starts) / sizes
    pooled: list[list[float]] = []  # [sum, rows, groups]
    for each, size in zip(y, sizes, strict=True):
        pooled.append([each * size, size, 1])
        while len(pooled) > 1 and pooled[-2][0] / pooled[-2][1] >= pooled[-1][0] / pooled[-1][1]:
            last = pooled.pop()
            pooled[-1] = [a + b for a, b in zip(pooled[-1], last, strict=True)]
    # One imagined row of each class: no number of rows proves that something never happens.
    values = [(total + 1) / (size + 2) for total, size, n in pooled for _ in range(int(n))]
    values = list(np.maximum.accumulate(values))
    wide = _apart(x)
    return tuple(float(x[at]) for at in wide), tuple(float(values[at]) for at in wide)


def _apart(x: FloatArray) -> list[int]:
    """Return the positions of the points that are far enough from the one before."""
    kept = [0]
    for at in range(1, len(x)):
        if x[at] - x[kept[-1]] >= _STEEPEST:
            kept.append(at)
    return kept
