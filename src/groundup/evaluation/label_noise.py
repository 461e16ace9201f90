"""Labels that are probably wrong, from predictions for rows that the model has not seen.

Where classes overlap, honest labels disagree with a good model as well, but in rows that it is unsure of.
Wrong labels disagree in rows that it is sure of, and as often there as elsewhere. That tells the two apart.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from groundup.core.inputs import FloatArray, IntArray

FEWEST_ROWS: Final = 60
"""With fewer rows nothing is said."""

_LARGEST_ERROR: Final = 0.45  # of the error of guessing; a model that knows less cannot judge labels
_FLOOR: Final = 0.02  # share of wrong labels among the surest rows, at least, beyond chance
_FLATNESS: Final = 0.4  # share of wrong labels among the surest rows, as a share of that of all rows
_ONE_SIDED: Final = 0.95
_Z: Final = 1.96
_OUTLYING: Final = 12.0  # robust standard deviations
MOST_OUTLYING: Final = 0.1
"""Share of rows up to which outlying values are exceptions; more are a shape of the noise."""

_N_LEVELS: Final = 10
_ROBUST: Final = 1.4826  # from the median absolute deviation to a normal standard deviation


@dataclass(frozen=True, eq=False)
class LabelNoise:
    """What out-of-fold probabilities say about given labels.

    Parameters
    ----------
    share, low, high : float
        Estimated share of wrong labels with its 95 % interval.
    rows : ndarray of shape (n_suspicious,)
        Rows whose label is probably wrong, the surest first.
    likely : ndarray of shape (n_suspicious,)
        Code of the class that each of them probably is.
    stands_out : bool
        Whether wrong labels are the best explanation, not classes that overlap.
    n_sure : int
        Rows that the model is surest of (a quarter of each predicted class).
    n_sure_wrong : int
        Those of them that bear another label.
    """

    share: float
    low: float
    high: float
    rows: IntArray
    likely: IntArray
    stands_out: bool
    n_sure: int
    n_sure_wrong: int


def find_label_noise(y: NDArray[np.generic], probabilities: FloatArray) -> LabelNoise | None:
    """Return which labels are probably wrong; None for too few rows or a model that cannot judge.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        Class codes as given.
    probabilities : ndarray of shape (n_samples, n_classes)
        Of models that were fitted on other rows.

    References
    ----------
    Northcutt, Jiang and Chuang (2021), "Confident Learning: Estimating Uncertainty in Dataset Labels",
    JAIR 70. The suspicious rows and their likely labels follow it; the share is that of the surest rows, for
    the paper's counts take overlapping classes for wrong labels.

    Examples
    --------
    >>> truth = np.arange(400) % 2
    >>> sureness = np.linspace(0.7, 0.99, 400)
    >>> p = np.where(truth[:, None] == np.arange(2), sureness[:, None], 1 - sureness[:, None])
    >>> y = np.where(np.arange(400) % 9 == 0, 1 - truth, truth)
    >>> found = find_label_noise(y, p)
    >>> found.stands_out, len(found.rows), round(found.share, 2)
    (True, 34, 0.11)
    """
    given, n_rows = np.asarray(y, dtype=np.int64), len(y)
    predicted = probabilities.argmax(axis=1)
    wrong = predicted != given
    guess_error = 1 - np.bincount(given).max() / max(n_rows, 1)
    if n_rows < FEWEST_ROWS or wrong.mean() > _LARGEST_ERROR * guess_error:
        return None
    sure = _surest(predicted, probabilities.max(axis=1))
    n_sure, n_sure_wrong = int(sure.sum()), int((sure & wrong).sum())
    low, high = wilson(n_sure_wrong, n_sure)
    share = n_sure_wrong / n_sure
    sides = np.bincount(predicted[sure & wrong], minlength=2)
    is_flat = share >= _FLATNESS * wrong.mean()
    stands_out = low >= _FLOOR and is_flat and sides.max() <= _ONE_SIDED * n_sure_wrong
    rows, likely = confident_rows(given, probabilities)
    return LabelNoise(share, low, high, rows, likely, bool(stands_out), n_sure, n_sure_wrong)


def _surest(predicted: IntArray, certainty: FloatArray) -> NDArray[np.bool_]:
    """Return the surest quarter of the rows of each predicted class; ties are broken by position."""
    sure = np.zeros(len(predicted), dtype=bool)
    for code in np.unique(predicted):
        rows = np.flatnonzero(predicted == code)
        order = np.argsort(-certainty[rows], kind="stable")
        sure[rows[order[: (len(rows) + 3) // 4]]] = True
    return sure


def confident_rows(given: IntArray, probabilities: FloatArray) -> tuple[IntArray, IntArray]:
    """Return the rows that confidently belong to another class, the surest first, and that class.

    A row confidently belongs to a class if its probability is at least the mean probability of that class
    in the rows that bear its label (the thresholds of confident learning).

    Parameters
    ----------
    given : ndarray of shape (n_samples,)
        Class codes as given.
    probabilities : ndarray of shape (n_samples, n_classes)
        Out-of-fold probabilities.
    """
    n_classes = probabilities.shape[1]
    thresholds = np.array(
        [probabilities[given == j, j].mean() if (given == j).any() else np.inf for j in range(n_classes)]
    )
    confident = np.where(probabilities >= thresholds, probabilities, -1.0)
    likely = confident.argmax(axis=1)
    rows = np.flatnonzero((confident.max(axis=1) >= 0) & (likely != given))
    margin = probabilities[rows, likely[rows]] - probabilities[rows, given[rows]]
    rows = rows[np.argsort(-margin, kind="stable")]
    return rows, likely[rows]


def wilson(n_hits: int, n: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share.

    Parameters
    ----------
    n_hits, n : int
        How many of how many.

    Examples
    --------
    >>> low, high = wilson(10, 100)
    >>> round(low, 3), round(high, 3)
    (0.055, 0.174)
    """
    share, square = n_hits / n, _Z**2
    centre = (share + square / (2 * n)) / (1 + square / n)
    half = _Z * np.sqrt(share * (1 - share) / n + square / (4 * n**2)) / (1 + square / n)
    return max(0.0, float(centre - half)), min(1.0, float(centre + half))


def find_outlying(y: NDArray[np.generic], predicted: NDArray[np.generic]) -> tuple[IntArray, FloatArray]:
    """Return the rows whose value is extremely far from the prediction, the farthest first, and how far.

    Distances are counted in robust standard deviations of the residuals of rows with similar predictions,
    so that noise which grows with the value is none.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        Values as given.
    predicted : ndarray of shape (n_samples,)
        Out-of-fold predictions.

    Returns
    -------
    rows : ndarray of shape (n_outlying,)
        Positions; those beyond 12 standard deviations.
    distances : ndarray of shape (n_outlying,)
        Signed, in standard deviations.

    Examples
    --------
    >>> random = np.random.default_rng(0)
    >>> predicted = random.normal(size=200)
    >>> y = predicted + 0.1 * random.normal(size=200)
    >>> y[7] += 100
    >>> find_outlying(y, predicted)[0].tolist()
    [7]
    """
    residual = np.asarray(y, dtype=np.float64) - np.asarray(predicted, dtype=np.float64)
    distance = np.zeros(len(residual))
    if len(residual) < FEWEST_ROWS:
        return np.flatnonzero(distance), distance[:0]
    order = np.argsort(predicted, kind="stable")
    overall = _spread(residual)
    for rows in np.array_split(order, min(_N_LEVELS, len(residual) // 20)):
        # A group in which most rows are met exactly says nothing about how far is far.
        spread = max(_spread(residual[rows]), 0.1 * overall)
        if spread > 0:
            distance[rows] = (residual[rows] - np.median(residual[rows])) / spread
    far = np.flatnonzero(np.abs(distance) > _OUTLYING)
    far = far[np.argsort(-np.abs(distance[far]), kind="stable")]
    return far, distance[far]


def _spread(residual: FloatArray) -> float:
    return float(_ROBUST * np.median(np.abs(residual - np.median(residual))))
