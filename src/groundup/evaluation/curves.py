"""How predictions fail, as lists of points small enough for a chart and a JSON file."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from groundup.core.inputs import FloatArray, IntArray, Predictions
from groundup.evaluation.metrics import METRICS

_MOST_POINTS: Final = 200
_MOST_CLASSES: Final = 10
_BINS: Final = 10
_ROWS_PER_BIN: Final = 20  # fewer would make the observed frequency a matter of luck
_MOST_BARS: Final = 40


def error_curves(
    y_true: NDArray[np.generic], predictions: Predictions, *, labels: Sequence[str] = (), positive: int = 1
) -> dict[str, Any]:
    """Return every curve that fits the predictions.

    Parameters
    ----------
    y_true : ndarray of shape (n_samples,)
        Class codes or values.
    predictions : Predictions
        For the same rows.
    labels : sequence of str
        Names of the classes, by code; empty for regression.
    positive : int, default=1
        Code of the class that is looked for, where there are two.

    Returns
    -------
    dict
        For classes ``confusion``, ``roc``, ``precision_recall`` and ``calibration`` (lists with one
        entry per class: the positive one, or the ten commonest of more than two); for numbers
        ``residuals``. JSON values; no list of points is longer than 200.

    Examples
    --------
    >>> curves = error_curves(np.arange(3.0), Predictions(np.arange(3.0)))
    >>> curves["residuals"]["points"]
    [[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]]
    """
    if predictions.probabilities is None:
        actual = np.asarray(y_true, dtype=np.float64)
        return {"residuals": residual_points(np.asarray(predictions.values, dtype=np.float64), actual)}
    codes = np.asarray(y_true, dtype=np.int64)
    curves: dict[str, Any] = {
        "confusion": confusion_matrix(codes, np.asarray(predictions.values, dtype=np.int64), labels),
        "roc": [],
        "precision_recall": [],
        "calibration": [],
    }
    for code in _shown_classes(codes, len(labels), positive):
        is_class, scores = codes == code, predictions.probabilities[:, code]
        either = Predictions(scores > 0.5, np.stack([1 - scores, scores], axis=1))
        area, average = (float(METRICS[name].compute(is_class, either)) for name in ("roc_auc", "pr_auc"))
        share, label = float(is_class.mean()), labels[code]
        recall = precision_recall_points(is_class, scores)
        curves["roc"].append({"label": label, "auc": area, "points": roc_points(is_class, scores)})
        curves["precision_recall"].append({"label": label, "ap": average, "share": share, "points": recall})
        curves["calibration"].append({"label": label, "points": calibration_points(is_class, scores)})
    return curves


def _shown_classes(codes: IntArray, n_classes: int, positive: int) -> list[int]:
    sizes = np.bincount(codes, minlength=n_classes)
    chosen = [positive] if n_classes == 2 else np.argsort(-sizes, kind="stable")[:_MOST_CLASSES].tolist()
    return sorted(code for code in chosen if 0 < sizes[code] < len(codes))


def confusion_matrix(y_true: IntArray, y_predicted: IntArray, labels: Sequence[str]) -> dict[str, Any]:
    """Return how often each actual class (rows) was predicted as each class (columns).

    Parameters
    ----------
    y_true, y_predicted : ndarray of shape (n_samples,)
        Class codes.
    labels : sequence of str
        Names of the classes, by code.

    Returns
    -------
    dict
        ``labels``, ``counts`` and ``shares`` (of the row; null in a row without members).

    Examples
    --------
    >>> confusion_matrix(np.array([0, 0, 1]), np.array([0, 1, 1]), ["no", "yes"])["shares"]
    [[0.5, 0.5], [0.0, 1.0]]
    """
    k = len(labels)
    counts = np.bincount(y_true * k + y_predicted, minlength=k * k).reshape(k, k)
    shares = [[count / sum(row) if sum(row) else None for count in row] for row in counts.tolist()]
    return {"labels": list(labels), "counts": counts.tolist(), "shares": shares}


def _thresholds(is_class: NDArray[np.bool_], scores: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return members and others scored at least as high as each distinct score, falling, from (0, 0)."""
    order = np.argsort(-scores, kind="stable")
    last_of_tie = np.flatnonzero(np.diff(scores[order], append=np.nan))
    found = np.cumsum(is_class[order])[last_of_tie]
    zero = np.zeros(1)
    return np.concatenate([zero, found]), np.concatenate([zero, last_of_tie + 1 - found])


def roc_points(is_class: NDArray[np.bool_], scores: FloatArray) -> list[list[float]]:
    """Return (false-positive rate, true-positive rate) for falling thresholds, from (0, 0) to (1, 1).

    Parameters
    ----------
    is_class : ndarray of shape (n_samples,)
        Which rows are of the class; some are and some are not.
    scores : ndarray of shape (n_samples,)
        Higher for rows that are more likely of it.

    Examples
    --------
    >>> roc_points(np.array([False, True]), np.array([0.1, 0.9]))
    [[0.0, 0.0], [0.0, 1.0], [1.0, 1.0]]
    """
    found, false = _thresholds(is_class, scores)
    return _thinned(false / false[-1], found / found[-1])


def precision_recall_points(is_class: NDArray[np.bool_], scores: FloatArray) -> list[list[float]]:
    """Return (recall, precision) for falling thresholds, the last one at recall 1.

    Parameters
    ----------
    is_class : ndarray of shape (n_samples,)
        Which rows are of the class; at least one is.
    scores : ndarray of shape (n_samples,)
        Higher for rows that are more likely of it.

    Examples
    --------
    >>> precision_recall_points(np.array([False, True]), np.array([0.1, 0.9]))
    [[0.0, 1.0], [1.0, 1.0]]
    """
    found, false = _thresholds(is_class, scores)
    n_needed = int(np.searchsorted(found, found[-1])) + 1
    recall = found[:n_needed] / found[-1]
    precision = found[1:n_needed] / (found + false)[1:n_needed]
    # Before the first threshold nothing is flagged; the curve starts at the first one's precision.
    return _thinned(recall, np.concatenate([precision[:1], precision]))


def calibration_points(is_class: NDArray[np.bool_], scores: FloatArray) -> list[list[float]]:
    """Return (mean predicted probability, observed frequency, rows) in up to ten bins of equal counts.

    Parameters
    ----------
    is_class : ndarray of shape (n_samples,)
        Which rows are of the class.
    scores : ndarray of shape (n_samples,)
        Predicted probabilities.

    Examples
    --------
    >>> calibration_points(np.array([False, True] * 10), np.full(20, 0.5))
    [[0.5, 0.5, 20]]
    """
    n_bins = int(np.clip(len(scores) // _ROWS_PER_BIN, 1, _BINS))
    edges = np.unique(np.quantile(scores, np.linspace(0, 1, n_bins + 1)[1:-1]))
    bin_of_row = np.searchsorted(edges, scores, side="left")
    sizes = np.bincount(bin_of_row)
    predicted = np.bincount(bin_of_row, weights=scores)
    observed = np.bincount(bin_of_row, weights=is_class)
    bins = zip(predicted.tolist(), observed.tolist(), sizes.tolist(), strict=True)
    return [[total / size, members / size, size] for total, members, size in bins if size]


def residual_points(predicted: FloatArray, actual: FloatArray) -> dict[str, Any]:
    """Return predicted against actual values, and how often each error occurs.

    Parameters
    ----------
    predicted, actual : ndarray of shape (n_samples,)
        Of the same rows.

    Returns
    -------
    dict
        ``points``: (predicted, actual) pairs, evenly picked along the predictions, the lowest and
        the highest included; ``histogram``: ``edges`` and ``counts`` of actual - predicted.

    Examples
    --------
    >>> residual_points(np.zeros(2), np.array([0.0, 1.0]))["histogram"]["counts"]
    [1, 0, 0, 0, 1]
    """
    order = np.lexsort((actual, predicted))
    picked = order[_evenly(len(order))]
    n_bars = int(np.clip(np.sqrt(len(actual)), 5, _MOST_BARS))
    counts, edges = np.histogram(actual - predicted, bins=n_bars) if len(actual) else (order, order)
    points = np.stack([predicted[picked], actual[picked]], axis=1)
    return {
        "points": points.tolist(),
        "histogram": {"edges": edges.tolist(), "counts": counts.tolist()},
    }


def _evenly(n: int) -> IntArray:
    return np.unique(np.linspace(0, max(n - 1, 0), min(n, _MOST_POINTS)).round().astype(np.int64))


def _thinned(x: FloatArray, y: FloatArray) -> list[list[float]]:
    """Return a curve's points, evenly picked along its length where they are too many, ends exact."""
    if len(x) > _MOST_POINTS:
        along = np.concatenate([np.zeros(1), np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y)))])
        wanted = np.linspace(0, along[-1], _MOST_POINTS)
        picked = np.unique(np.searchsorted(along, wanted, side="left").clip(0, len(x) - 1))
        picked[0], picked[-1] = 0, len(x) - 1
        x, y = x[picked], y[picked]
    return np.stack([x, y], axis=1).tolist()  # type: ignore[no-any-return]
