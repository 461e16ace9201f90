"""Labels that are probably wrong, from predictions for rows that the model has not seen.

Where classes overlap, honest labels disagree with a good model as well, but in rows that it is unsure of.
Wrong labels disagree in rows that it is sure of, and nearly as often there as elsewhere. That tells the two
apart if the model knows enough: how often honest labels disagree with its surest rows follows from how often
they disagree with it at all.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from math import ceil
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from groundup.core.inputs import FloatArray, IntArray
from groundup.evaluation.shares import wilson

FEWEST_ROWS: Final = 60
"""With fewer rows nothing is said."""

_LARGEST_ERROR: Final = 0.65  # of the error of guessing; a model that knows less cannot judge labels,
_LARGEST_REST: Final = 0.3  # or of what is left of both without the share of wrong labels
_FLOOR: Final = 0.015  # share of wrong labels among the surest rows, at least, beyond chance
_CEILING: Final = 0.2  # where more than this disagree, beyond chance, the model is sure of nothing
_ONE_SIDED: Final = 0.1  # of the share in one predicted class, in all others
_Z_ONE_SIDED: Final = 1.645
_Z_SUSPICION: Final = 0.67  # enough to ask for a second opinion

_N_TREES: Final = 100
_ROWS_A_TREE: Final = 10_000

_FLOOR_OF_ONE: Final = 0.05
_CEILING_OF_ONE: Final = 0.3
_FEWEST_OF_ONE: Final = 4
_FLATNESS_OF_ONE: Final = 0.7
_REST: Final = 0.15  # of the error of guessing that the model may make besides

_OUTLYING: Final = 12.0  # robust standard deviations, at least
_TAIL: Final = (0.75, 0.95)  # shares of the rows between which the tail of their distances is measured
_TIMES_LONGER: Final = 2.0  # than a tail that falls off exponentially; many an honest one is
_ONCE_IN: Final = 20  # tables of the same tail with a row so far out
MOST_OUTLYING: Final = 0.1
"""Share of rows up to which outlying values are exceptions; more are a shape of the noise."""

_N_LEVELS: Final = 10
_ROBUST: Final = 1.4826  # from the median absolute deviation to a normal standard deviation


class _Look(NamedTuple):
    """The surest rows that are looked at, and how often honest labels disagree with them.

    Where the model leaves the share r of the error of guessing, honest labels disagree with the surest rows
    about r ** power times as often as with all rows, or more seldom: so it is of two to ten classes, balanced
    or not, whose log-odds are spread like a normal distribution or with heavier tails.
    """

    part: float
    power: float
    flatness: float
    """How often labels disagree with the surest rows, as a share of that with all, where they are wrong: as
    often as this at least."""


_LOOKS: Final = (_Look(0.25, 1.3, 0.4), _Look(0.5, 0.65, 0.6))


@dataclass(frozen=True, eq=False)
class LabelNoise:
    """What out-of-fold probabilities say about given labels.

    Parameters
    ----------
    share, low, high : float
        Estimated share of wrong labels with its 95 % interval.
    rows : ndarray of shape (n_suspicious,)
        Rows whose label is probably wrong, the surest first; those of the class `one_sided`, if it is one.
    likely : ndarray of shape (n_suspicious,)
        Code of the class that each of them probably is.
    stands_out : bool
        Whether wrong labels are a better explanation than classes that overlap.
    n_sure : int
        Rows that the model is surest of and that were looked at.
    n_sure_wrong : int
        Those of them that bear another label.
    one_sided : int or None
        Code of the one class among whose likely rows labels look wrong (the share is that among these); an
        outcome that hangs on chance looks alike. None where labels look wrong on all sides.
    """

    share: float
    low: float
    high: float
    rows: IntArray
    likely: IntArray
    stands_out: bool
    n_sure: int
    n_sure_wrong: int
    one_sided: int | None = None


class _Sure(NamedTuple):
    """Surest rows, those of them with another label, by predicted class, and whether they say something."""

    n: int
    n_wrong: int
    speaks: bool
    code: int | None = None


def find_label_noise(
    y: NDArray[np.generic],
    probabilities: FloatArray,
    *,
    second: Callable[[], FloatArray] | None = None,
) -> LabelNoise | None:
    """Return which labels are probably wrong; None for too few rows or a model that cannot judge.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        Class codes as given.
    probabilities : ndarray of shape (n_samples, n_classes)
        Of models that were fitted on other rows.
    second : callable, optional
        Asked where labels look wrong: the probabilities of another learner for the same rows, see
        `second_opinion`. They must look so by the mean of both, for a model may be sure and wrong.

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
    given = np.asarray(y, dtype=np.int64)
    if second is None:
        return _judged(given, probabilities, _Z_ONE_SIDED)
    found = _judged(given, probabilities, _Z_SUSPICION)
    if found is None or not found.stands_out:
        return found
    both = _judged(given, (probabilities + second()) / 2, _Z_ONE_SIDED)
    return both if both is not None and both.stands_out else replace(found, stands_out=False)


def second_opinion(X: FloatArray, y: NDArray[np.generic], *, n_classes: int, seed: int) -> FloatArray:
    """Return what extremely randomised trees say of rows that each of them has not seen.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Numbers; may be NaN.
    y : ndarray of shape (n_samples,)
        Class codes as given.
    n_classes : int
        How many there are.
    seed : int
        Decides the trees.

    Returns
    -------
    ndarray of shape (n_samples, n_classes)

    References
    ----------
    Geurts, Ernst and Wehenkel (2006), "Extremely randomized trees", Machine Learning 63.

    Examples
    --------
    >>> X = np.linspace(-1, 1, 200)[:, None]
    >>> said = second_opinion(X, (X[:, 0] > 0).astype(int), n_classes=2, seed=0)
    >>> bool(said[:90, 0].min() > 0.8)
    True
    """
    from sklearn.ensemble import ExtraTreesClassifier

    trees = ExtraTreesClassifier(
        _N_TREES,
        min_samples_leaf=2,
        bootstrap=True,
        max_samples=min(len(y), _ROWS_A_TREE),
        oob_score=True,
        n_jobs=1,
        random_state=seed % 2**32,
    )
    trees.fit(X, y)
    said = np.zeros((len(y), n_classes))
    said[:, trees.classes_] = trees.oob_decision_function_
    said[~np.isfinite(said).all(axis=1)] = 1 / n_classes
    return said


def _judged(given: IntArray, probabilities: FloatArray, z: float) -> LabelNoise | None:
    guess_error = _guess_error(given)
    error = float((probabilities.argmax(axis=1) != given).mean())
    if len(given) < FEWEST_ROWS or error >= guess_error:
        return None
    looks = [*_all_sides(given, probabilities, z), *_single_sides(given, probabilities, z)]
    wrong = looks[0].n_wrong / looks[0].n
    if error > _LARGEST_ERROR * guess_error and error - wrong > _LARGEST_REST * (guess_error - wrong):
        return None
    sure = next((look for look in looks if look.speaks), looks[0])
    low, high = wilson(sure.n_wrong, sure.n)
    rows, likely = confident_rows(given, probabilities)
    if sure.code is not None:
        rows, likely = rows[likely == sure.code], likely[likely == sure.code]
    return LabelNoise(
        sure.n_wrong / sure.n, low, high, rows, likely, sure.speaks, sure.n, sure.n_wrong, sure.code
    )


def _guess_error(given: IntArray) -> float:
    """Return the share of rows that are not of the commonest class."""
    return float(1 - np.bincount(given).max() / max(len(given), 1))


def _all_sides(given: IntArray, probabilities: FloatArray, z: float) -> Iterator[_Sure]:
    """Yield what the surest rows of all classes together say, beyond `z` standard errors."""
    predicted = probabilities.argmax(axis=1)
    wrong = predicted != given
    relative = wrong.mean() / _guess_error(given)
    for part, power, flatness in _LOOKS:
        sure = _surest(predicted, probabilities.max(axis=1), part)
        n, n_wrong = int(sure.sum()), int((sure & wrong).sum())
        low = wilson(n_wrong, n, z=z)[0]
        is_beyond = max(_FLOOR, relative**power * wrong.mean()) <= low <= _CEILING
        is_flat = n_wrong / n >= flatness * wrong.mean()
        yield _Sure(
            n, n_wrong, bool(is_beyond and is_flat and _is_on_all_sides(predicted[sure], wrong[sure]))
        )


def _is_on_all_sides(predicted: IntArray, wrong: NDArray[np.bool_]) -> bool:
    """Return whether labels disagree elsewhere than in the one predicted class where most of them do."""
    most = predicted == np.bincount(predicted[wrong], minlength=1).argmax()
    return not most.all() and bool(wrong[~most].mean() >= _ONE_SIDED * wrong[most].mean())


def _single_sides(given: IntArray, probabilities: FloatArray, z: float) -> Iterator[_Sure]:
    """Yield what the surest half of each predicted class says, where the model errs little besides."""
    predicted = probabilities.argmax(axis=1)
    wrong = predicted != given
    part, power, _ = _LOOKS[-1]
    sure = _surest(predicted, probabilities.max(axis=1), part)
    guess_error = _guess_error(given)
    for code in np.unique(predicted):
        own = predicted == code
        n, n_wrong = int((sure & own).sum()), int((sure & own & wrong).sum())
        low = wilson(n_wrong, n, z=z)[0]
        rest = wrong.mean() - own.mean() * n_wrong / n
        least = max(_FLOOR_OF_ONE, (wrong.mean() / guess_error) ** power * wrong[own].mean())
        is_beyond = least <= low <= _CEILING_OF_ONE and rest <= _REST * guess_error
        is_flat = n_wrong >= max(_FEWEST_OF_ONE, _FLATNESS_OF_ONE * n * wrong[own].mean())
        yield _Sure(n, n_wrong, bool(is_beyond and is_flat), int(code))


def _surest(predicted: IntArray, certainty: FloatArray, part: float) -> NDArray[np.bool_]:
    """Return the surest part of the rows of each predicted class; ties are broken by position."""
    sure = np.zeros(len(predicted), dtype=bool)
    for code in np.unique(predicted):
        rows = np.flatnonzero(predicted == code)
        order = np.argsort(-certainty[rows], kind="stable")
        sure[rows[order[: ceil(len(rows) * part)]]] = True
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


def find_outlying(y: NDArray[np.generic], predicted: NDArray[np.generic]) -> tuple[IntArray, FloatArray]:
    """Return the rows whose value is extremely far from the prediction, the farthest first, and how far.

    Distances are counted in robust standard deviations of the residuals of rows with similar predictions,
    so that noise which grows with the value is none. What is extremely far depends on the tail of the
    distances of all rows, so that noise with long tails is none.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        Values as given.
    predicted : ndarray of shape (n_samples,)
        Out-of-fold predictions.

    Returns
    -------
    rows : ndarray of shape (n_outlying,)
        Positions; those beyond 12 standard deviations or more, by the tail.
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
    far = np.flatnonzero(np.abs(distance) > max(_OUTLYING, _reach(np.abs(distance))))
    far = far[np.argsort(-np.abs(distance[far]), kind="stable")]
    return far, distance[far]


def _reach(distances: FloatArray) -> float:
    """Return how far the farthest of so many rows may honestly lie, from the tail that most of them show."""
    low, high = np.quantile(distances, _TAIL)
    falls_by = (high - low) / np.log((1 - _TAIL[0]) / (1 - _TAIL[1]))
    return float(high + _TIMES_LONGER * falls_by * np.log((1 - _TAIL[1]) * len(distances) * _ONCE_IN))


def _spread(residual: FloatArray) -> float:
    return float(_ROBUST * np.median(np.abs(residual - np.median(residual))))
