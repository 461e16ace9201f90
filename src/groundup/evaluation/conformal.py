"""Conformal prediction: intervals and sets that hold the truth as often as asked, whatever the model.

Split conformal: the scores of rows that the model was not fitted on (how far off it was) are sorted,
and the one that 90 of 100 do not exceed is the width for new rows. If those rows and the new ones
are exchangeable, at least 90 % and at most 90 % + 1 / (n + 1) of new truths are inside, on average
over such calibration parts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, isfinite
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from groundup.core.errors import PredictionInputError
from groundup.core.inputs import FloatArray, IntArray, Predictions

_MOST_KEPT: Final = 500
"""Scores kept of a large part; an interval is then wider than needed by at most 0.2 % of coverage."""


@dataclass(frozen=True)
class ConformalScores:
    """How far off a model was on rows it was not fitted on.

    Parameters
    ----------
    n : int
        How many rows there were.
    scores : tuple of float
        Ascending: all scores, or 500 of them evenly by rank where there were more.

    Notes
    -----
    Regression scores a row by its absolute error, classification by 1 - the probability of its class
    (LAC: of all rules with the same coverage the one with the smallest sets on average).

    References
    ----------
    Lei, G'Sell, Rinaldo, Tibshirani and Wasserman (2018), "Distribution-free predictive inference for
    regression", JASA 113; Sadinle, Lei and Wasserman (2019), "Least ambiguous set-valued classifiers
    with bounded error levels", JASA 114; Angelopoulos and Bates (2023), "Conformal prediction: a
    gentle introduction". Barber, Candès, Ramdas and Tibshirani (2021), "Predictive inference with the
    jackknife+", is the alternative without a part set aside: it keeps every fold's model.

    Examples
    --------
    >>> ConformalScores.fit(np.arange(1.0, 100.0)).radius(0.9)
    90.0
    """

    n: int
    scores: tuple[float, ...]

    @classmethod
    def fit(cls, scores: FloatArray) -> "ConformalScores":
        """Return the sorted scores of a part, thinned where they are many.

        Parameters
        ----------
        scores : ndarray of shape (n_samples,)
            One per row, at least one.
        """
        ordered = np.sort(scores)
        return cls(len(scores), tuple(float(ordered[rank - 1]) for rank in _ranks(len(scores))))

    @property
    def highest_coverage(self) -> float:
        """The highest coverage that so many rows can promise, in [0, 1)."""
        return self.n / (self.n + 1)

    def radius(self, coverage: float) -> float:
        """Return the score that a new row exceeds with probability at most 1 - coverage.

        Parameters
        ----------
        coverage : float
            In (0, 1).

        Raises
        ------
        PredictionInputError
            If it is not, or the rows were too few for it.
        """
        if isinstance(coverage, bool) or not isinstance(coverage, int | float) or not 0 < coverage < 1:
            raise PredictionInputError(
                f"The coverage is a share between 0 and 1, e.g. 0.9; got `{coverage}`."
            )
        rank = ceil((self.n + 1) * coverage - 1e-9)
        if rank > self.n:
            raise PredictionInputError(
                f"The {self.n} rows behind the intervals can promise a coverage of at most "
                f"{self.highest_coverage:.4g}; got `{coverage}`. Ask for less, or train with more rows."
            )
        kept = ceil(rank * len(self.scores) / self.n) if self.n > len(self.scores) else rank
        return self.scores[kept - 1]

    def state(self) -> dict[str, Any]:
        """Return the scores as JSON values."""
        return {"n": self.n, "scores": list(self.scores)}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> "ConformalScores":
        """Return the scores that `state` described.

        Raises
        ------
        ValueError
            If it describes none.
        """
        n, scores = state["n"], [float(each) for each in state["scores"]]
        if len(scores) != min(n, _MOST_KEPT) or not scores or scores != sorted(scores):
            raise ValueError("the conformal scores are not sorted, or not as many as rows")
        if not all(isfinite(each) for each in scores):
            raise ValueError("a conformal score is no finite number")
        return cls(n, tuple(scores))


def _ranks(n: int) -> Sequence[int]:
    """Return the ranks that are kept, counted from 1; the last is n."""
    if n <= _MOST_KEPT:
        return range(1, n + 1)
    return [ceil(each * n / _MOST_KEPT) for each in range(1, _MOST_KEPT + 1)]


def conformal_scores(y_true: NDArray[np.generic], predictions: Predictions) -> FloatArray:
    """Return how far off each prediction was.

    Parameters
    ----------
    y_true : ndarray of shape (n_samples,)
        Class codes or values.
    predictions : Predictions
        For the same rows.

    Returns
    -------
    ndarray of shape (n_samples,)
        Absolute errors, or 1 - the probability of the observed class.

    Examples
    --------
    >>> conformal_scores(np.array([1.0, 2.0]), Predictions(np.array([1.5, 1.0]))).tolist()
    [0.5, 1.0]
    """
    if predictions.probabilities is None:
        values = np.asarray(predictions.values, dtype=np.float64)
        return np.abs(values - np.asarray(y_true, dtype=np.float64))
    codes: IntArray = np.asarray(y_true, dtype=np.int64)
    return np.asarray(1 - predictions.probabilities[np.arange(len(codes)), codes])


def in_sets(probabilities: FloatArray, radius: float) -> NDArray[np.bool_]:
    """Return which classes are in each row's set.

    Parameters
    ----------
    probabilities : ndarray of shape (n_samples, n_classes)
        What the learner says.
    radius : float
        From `ConformalScores.radius`.

    Returns
    -------
    ndarray of bool, shape (n_samples, n_classes)
        The most probable class is always in it: an empty set would help nobody.

    Examples
    --------
    >>> in_sets(np.array([[0.5, 0.3, 0.2]]), 0.75).tolist()
    [[True, True, False]]
    """
    is_in = 1 - probabilities <= radius
    is_in[np.arange(len(probabilities)), probabilities.argmax(axis=1)] = True
    return np.asarray(is_in)
