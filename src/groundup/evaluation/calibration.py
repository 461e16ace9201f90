"""Whether probabilities come true as often as they say, and whether calibrating them would help."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from groundup.core.inputs import FloatArray, IntArray, Predictions
from groundup.core.losses import LOG_LOSS
from groundup.core.seeds import generator
from groundup.evaluation.calibrators import Method, fit_calibrator
from groundup.evaluation.folds import Folds
from groundup.evaluation.intervals import BootstrapOptions, Interval, mean_interval, resampled
from groundup.evaluation.row_losses import row_losses

_BINS: Final = 15
_CHANCE_DRAWS: Final = 200
_ROUNDING: Final = 1e-12


@dataclass(frozen=True, eq=False)
class _Claims:
    """What is checked, one claim a row: said with probability `said`, and true or not."""

    said: FloatArray
    came_true: FloatArray
    bin: IntArray

    def sums(self, values: FloatArray) -> FloatArray:
        """Return the sums of `values` (n_claims, n_draws) by bin, shape (n_bins, n_draws)."""
        sums = np.zeros((_BINS, values.shape[1]))
        np.add.at(sums, self.bin, values)
        return sums


def _claims(probabilities: FloatArray, y_true: IntArray, positive: int) -> _Claims:
    """Return the claims of the positive class, or above two classes of the most probable one."""
    n_classes = probabilities.shape[1]
    named = np.full(len(y_true), positive) if n_classes == 2 else probabilities.argmax(axis=1)
    said = probabilities[np.arange(len(y_true)), named]
    bin_of_row = np.minimum((said * _BINS).astype(np.int64), _BINS - 1)
    return _Claims(said, (y_true == named).astype(np.float64), bin_of_row)


def expected_calibration_error(probabilities: FloatArray, y_true: IntArray, *, positive: int = 1) -> float:
    """Return the mean gap between what was said and how often it came true.

    Parameters
    ----------
    probabilities : ndarray of shape (n_samples, n_classes)
        Rows sum to 1. Of two classes the positive one is looked at, of more the most probable one.
    y_true : ndarray of shape (n_samples,)
        Class codes.
    positive : int, default=1
        Code of the class that is looked for, where there are two.

    Returns
    -------
    float
        In [0, 1], over 15 bins of equal width; 0 is perfect.

    References
    ----------
    Naeini, Cooper and Hauskrecht (2015), "Obtaining well calibrated probabilities using Bayesian
    binning", AAAI.

    Examples
    --------
    >>> said = np.array([0.1, 0.1, 0.9, 0.9])
    >>> round(expected_calibration_error(np.stack([1 - said, said], axis=1), np.array([0, 0, 1, 1])), 3)
    0.1
    """
    claims = _claims(probabilities, y_true, positive)
    return float(_errors(claims, np.ones((len(y_true), 1)))[0])


def _errors(claims: _Claims, weight: FloatArray) -> FloatArray:
    """Return the error under many weightings, shape (n_draws,)."""
    gaps = claims.sums(weight * (claims.came_true - claims.said)[:, None])
    # A bin's weight n_b / n cancels the 1 / n_b of its two means, so sums suffice.
    return np.asarray(np.abs(gaps).sum(axis=0) / np.maximum(weight.sum(axis=0), 1e-300))


def calibration_interval(
    probabilities: FloatArray, y_true: IntArray, *, positive: int = 1, options: BootstrapOptions
) -> tuple[Interval, float]:
    """Return the expected calibration error with its interval, and what a perfect model would show.

    Parameters
    ----------
    probabilities, y_true, positive
        As for `expected_calibration_error`.
    options : BootstrapOptions
        How rows are drawn again.

    Returns
    -------
    Interval, float
        Few rows make the error too large, and a resample adds as much again: the interval is turned
        over (2 x value - quantile), which takes the excess off. Then the mean error that these rows
        would show if every probability were exactly right (consistency resampling).

    References
    ----------
    Bröcker and Smith (2007), "Increasing the reliability of reliability diagrams", Weather and
    Forecasting 22.

    Examples
    --------
    >>> said = np.linspace(0.05, 0.95, 400)
    >>> y_true = (np.random.default_rng(0).random(400) < said).astype(int)
    >>> both = np.stack([1 - said, said], axis=1)
    >>> interval, by_chance = calibration_interval(both, y_true, options=BootstrapOptions())
    >>> interval.low <= 0.01, by_chance < 0.1
    (True, True)
    """
    claims = _claims(probabilities, y_true, positive)
    value = float(_errors(claims, np.ones((len(y_true), 1)))[0])
    random = generator(options.seed, "calibration")
    draws = [
        _errors(
            _Claims(claims.said, (random.random(len(y_true)) < claims.said).astype(np.float64), claims.bin),
            np.ones((len(y_true), 1)),
        )[0]
        for _ in range(_CHANCE_DRAWS)
    ]
    if len(y_true) < 2:
        return Interval(value, None, None, "no interval: it needs at least two rows"), float(np.mean(draws))
    again = resampled(lambda weight: _errors(claims, weight), (claims.came_true - claims.said) ** 2, options)
    tail = (1 - options.confidence) / 2
    upper, lower = 2 * value - np.quantile(again, [tail, 1 - tail])
    return Interval(value, min(max(lower, 0.0), value), max(upper, value)), float(np.mean(draws))


def brier_decomposition(
    probabilities: FloatArray, y_true: IntArray, *, positive: int = 1
) -> dict[str, float]:
    """Return the Brier score in parts: reliability - resolution + uncertainty + what lies within bins.

    Parameters
    ----------
    probabilities, y_true, positive
        As for `expected_calibration_error`; above two classes the parts are summed over the classes.

    Returns
    -------
    dict
        ``brier``; ``reliability`` (0: what is said comes true), ``resolution`` (how far the bins'
        frequencies lie apart: more is better), ``uncertainty`` (of the classes themselves, nobody's
        fault), ``within_bins`` (what rows of one bin differ by; small).

    References
    ----------
    Murphy (1973), "A new vector partition of the probability score"; Stephenson, Coelho and Jolliffe
    (2008), "Two extra components in the Brier score decomposition", Weather and Forecasting 23.

    Examples
    --------
    >>> said = np.array([0.0, 0.0, 1.0, 1.0])
    >>> parts = brier_decomposition(np.stack([1 - said, said], axis=1), np.array([0, 0, 1, 1]))
    >>> parts["resolution"], parts["uncertainty"], parts["brier"]
    (0.25, 0.25, 0.0)
    """
    n_classes = probabilities.shape[1]
    codes: Sequence[int] = [positive] if n_classes == 2 else range(n_classes)
    found = [_brier_parts(probabilities[:, code], (y_true == code).astype(np.float64)) for code in codes]
    return {name: float(sum(each[name] for each in found)) for name in found[0]}


def _brier_parts(said: FloatArray, came_true: FloatArray) -> dict[str, float]:
    bin_of_row = np.minimum((said * _BINS).astype(np.int64), _BINS - 1)
    sizes = np.bincount(bin_of_row, minlength=_BINS)
    used = sizes > 0
    share, mean = sizes[used] / len(said), float(came_true.mean())
    observed = np.bincount(bin_of_row, came_true, _BINS)[used] / sizes[used]
    predicted = np.bincount(bin_of_row, said, _BINS)[used] / sizes[used]
    brier = float(((said - came_true) ** 2).mean())
    reliability = float(share @ (predicted - observed) ** 2)
    resolution = float(share @ (observed - mean) ** 2)
    uncertainty = mean * (1 - mean)
    return {
        "brier": brier,
        "reliability": reliability,
        "resolution": resolution,
        "uncertainty": uncertainty,
        "within_bins": brier - (reliability - resolution + uncertainty),
    }


def calibration_gain(
    method: Method,
    probabilities: FloatArray,
    y_true: IntArray,
    *,
    folds: Folds,
    options: BootstrapOptions,
) -> Interval:
    """Return by how much calibration lowers the log loss on rows that the calibrator was not fitted on.

    Parameters
    ----------
    method : {"platt", "isotonic", "temperature"}
        Which calibrator.
    probabilities : ndarray of shape (n_samples, n_classes)
        Before calibration.
    y_true : ndarray of shape (n_samples,)
        Class codes.
    folds : Folds
        Over these rows.
    options : BootstrapOptions
        How the interval is made.

    Returns
    -------
    Interval
        Nats per row; above zero: calibration helps, beyond chance where `low` is above zero.

    Examples
    --------
    >>> from groundup.evaluation.folds import make_folds
    >>> y_true = np.array([0, 1, 1, 1, 1, 0, 0, 0] * 20)
    >>> sure = np.array([[0.99, 0.01], [0.01, 0.99]] * 80)
    >>> folds = make_folds(y_true, task="classification", k=5, seed=0)
    >>> calibration_gain("temperature", sure, y_true, folds=folds, options=BootstrapOptions()).low > 0
    True
    """
    calibrated = probabilities.copy()
    for train, held_out in folds.folds:
        calibrator = fit_calibrator(method, probabilities[train], y_true[train])
        calibrated[held_out] = calibrator.apply(probabilities[held_out])
    before, after = (
        row_losses(LOG_LOSS, y_true, Predictions(each.argmax(axis=1), each))
        for each in (probabilities, calibrated)
    )
    saved = before - after
    saved[np.abs(saved) < _ROUNDING] = 0.0  # a calibrator that changes nothing gains nothing
    return mean_interval(saved, options=options)


def as_frequencies(predictions: Predictions, class_weight: FloatArray) -> Predictions:
    """Return what a model would have said had every row counted once in its training.

    Under weights, the log loss is least for probabilities that are times the weights, and scaled to sum to 1.

    Parameters
    ----------
    predictions : Predictions
        Of a model trained with weights.
    class_weight : ndarray of shape (n_classes,)
        How often a row of each class counted, above 0.

    References
    ----------
    Elkan (2001), "The foundations of cost-sensitive learning", IJCAI, theorem 2.

    Examples
    --------
    >>> said = Predictions(np.array([1]), np.array([[0.5, 0.5]]))
    >>> as_frequencies(said, np.array([1.0, 9.0])).probabilities.round(3).tolist()
    [[0.9, 0.1]]
    """
    assert predictions.probabilities is not None
    shares = predictions.probabilities / class_weight
    shares = shares / shares.sum(axis=1, keepdims=True)
    return Predictions(shares.argmax(axis=1).astype(np.int64), shares)


def calibration_facts(
    probabilities: FloatArray, y_true: IntArray, *, positive: int, options: BootstrapOptions
) -> dict[str, Any]:
    """Return the expected calibration error and the parts of the Brier score, as JSON values."""
    interval, by_chance = calibration_interval(probabilities, y_true, positive=positive, options=options)
    return {
        "expected_calibration_error": interval.to_json(),
        "by_chance": by_chance,
        "brier": brier_decomposition(probabilities, y_true, positive=positive),
    }
