"""Intervals of metrics that a few large errors decide: the bootstrap-t, widened where tails are long.

Under long tails the few rows that make the mean are missing from many resamples, whose values are then
too small by just as much as their standard errors are: dividing by these repairs it. What it cannot repair
is a sample that lacks such rows itself. How far its standard error can be trusted shows in the kurtosis
of what single rows add: few degrees of freedom are left where it is high.
"""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np

from groundup.core.inputs import FloatArray
from groundup.evaluation.scores import Case, Draws

FEWEST_DEFINED: Final = 0.5
"""Share of resamples that must have a value before an interval is stated."""

_FEWEST_FREEDOM: Final = 3.0
_FEW_DECIDE: Final = "a few large errors decide it, so it may be too narrow"
_LONGEST: Final = 3.0  # normal quantiles: a sample with one huge error needs no more to hold the truth


@dataclass(frozen=True)
class Studentized:
    """A metric as a positive number that errors raise, for intervals under long tails.

    Parameters
    ----------
    function : callable
        Draws to the number and its standard error, shape (2, n_draws); NaN where either is not positive.
    influence : callable
        Case to what each row adds to the number, shape (n_samples,), mean 0.
    back : callable
        The number to the metric.
    """

    function: Callable[[Draws], FloatArray]
    influence: Callable[[Case], FloatArray]
    back: Callable[[float], float] = float


def student_quantile(z: float, freedom: float) -> float:
    """Return the quantile of Student's t that belongs to `z` of the normal (Cornish and Fisher's expansion).

    Examples
    --------
    >>> round(student_quantile(1.96, 20), 2)
    2.09
    """
    return z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)


def studentized_ends(
    studentized: Studentized, case: Case, estimate: FloatArray, draws: FloatArray, confidence: float
) -> tuple[float, float, str] | None:
    """Return the ends of the interval and a note, or None where a standard error is zero.

    Parameters
    ----------
    studentized : Studentized
        The metric.
    case : Case
        The rows.
    estimate : ndarray of shape (2,)
        What `studentized.function` says of them.
    draws : ndarray of shape (2, n_resamples)
        What it says of their resamples.
    confidence : float
        Level, in (0, 1).

    Returns
    -------
    (float, float, str), or None
        Low, high, and a note where a few large errors decide. The lower end comes from the logarithm,
        which keeps it above zero; the upper one from the number itself, as that of the logarithm is wild
        on small samples.

    References
    ----------
    Hall (1988), "Theoretical comparison of bootstrap confidence intervals", Annals of Statistics 16;
    Satterthwaite (1946) for degrees of freedom from the spread of a variance.
    """
    value, error = estimate
    if not np.isfinite(estimate).all():
        return None
    is_defined = np.isfinite(draws).all(axis=0)
    if is_defined.sum() < FEWEST_DEFINED * draws.shape[1]:
        return None
    values, errors = draws[:, is_defined]
    tail = (1 - confidence) / 2
    z = NormalDist().inv_cdf(1 - tail)
    freedom = _freedom(studentized.influence(case))
    factor = student_quantile(z, max(freedom, _FEWEST_FREEDOM)) / z
    above = factor * float(-np.quantile((values - value) / errors, tail))
    below = float(np.quantile(np.log(values / value) * values / errors, 1 - tail))
    upper = value + min(above, _LONGEST * z) * error
    lower = value * np.exp(-below * error / value)
    first, second = sorted((studentized.back(float(lower)), studentized.back(float(upper))))
    return first, second, _FEW_DECIDE if freedom < _FEWEST_FREEDOM - 1 else ""


def _freedom(influence: FloatArray) -> float:
    """Return half the degrees of freedom of the standard error, as the spread of squares shows them."""
    squares = influence**2
    spread = float((squares**2).mean() / squares.mean() ** 2) - 1
    return len(influence) / max(spread, 1.0) - 1
