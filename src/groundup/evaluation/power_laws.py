"""Power laws of every exponent through the same points, weighed by how well each fits.

A few noisy points on a + b n^-c hardly tell the exponent c, and whoever takes the best one to where there
are no points is far too sure. The mixture over exponents holds what is not known about the shape of the
curve as well as the noise of its points.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np

from groundup.core.inputs import FloatArray

_EXPONENTS: Final = np.linspace(0.1, 1.5, 15)  # theory allows 0.5 and 1; large networks show less
_MISFIT: Final = 0.15  # how far a point may lie from any power law, as a share of its distance to the last
_HALVINGS: Final = 60

Combine = Callable[[FloatArray], FloatArray]
"""Exponents, shape (n_exponents,), to factors of a and b, shape (2, n_exponents)."""


class Band(NamedTuple):
    """A value with the ends of its interval."""

    value: float
    low: float
    high: float


class PowerLaws:
    """Curves a + b x^-c through points, one for each exponent c, with their weights.

    Each is fitted by generalised least squares. The prior is flat in the level and in the fall over the
    last doubling, whatever the exponent. Points far from the last one say less about what comes behind it:
    each may miss the curve by a share of its distance to the last.

    Parameters
    ----------
    x : ndarray of shape (n_points,)
        Positive, ascending.
    y : ndarray of shape (n_points,)
        Values.
    covariance : ndarray of shape (n_points, n_points)
        Of the values.
    freedom : int
        Degrees of freedom that the covariance rests on.

    References
    ----------
    Cortes, Jackel, Solla, Vapnik and Denker (1994), "Learning curves: asymptotic values and rate of
    convergence", NIPS 6; Hestness et al. (2017), "Deep learning scaling is predictable, empirically",
    arXiv:1712.00409; Hoeting, Madigan, Raftery and Volinsky (1999), "Bayesian model averaging: a
    tutorial", Statistical Science 14.

    Examples
    --------
    >>> x = np.array([0.125, 0.25, 0.5, 1.0])
    >>> laws = PowerLaws(x, 1 + x**-0.5, 1e-8 * np.eye(4), freedom=8)
    >>> at_two = laws.band(lambda exponents: np.stack([1 + 0 * exponents, 2.0**-exponents]))
    >>> round(at_two.value, 2), at_two.low < 1 + 2**-0.5 < at_two.high
    (1.7, True)
    """

    def __init__(self, x: FloatArray, y: FloatArray, covariance: FloatArray, freedom: int) -> None:
        self._freedom = freedom
        distances = np.maximum.accumulate(np.abs(y - y[-1])[::-1])[::-1]
        tiny = (1e-9 * max(abs(float(y[-1])), 1e-100)) ** 2
        inverse = _inverse(covariance + np.diag((_MISFIT * distances) ** 2 + tiny))
        fitted = [_fit(x, y, inverse, exponent) for exponent in _EXPONENTS]
        logs = np.array([log for log, _, _ in fitted])
        likelihoods = np.exp(logs - logs.max())
        self._weights = likelihoods / likelihoods.sum()
        self._coefficients = np.array([coefficients for _, coefficients, _ in fitted])
        self._covariances = np.array([each for _, _, each in fitted])

    @property
    def exponent(self) -> float:
        """The exponent, averaged over the curves."""
        return float(self._weights @ _EXPONENTS)

    def band(self, combine: Combine, confidence: float = 0.95) -> Band:
        """Return a combination of a and b with its interval.

        Parameters
        ----------
        combine : callable
            The factors of a and b by exponent: ``[1, x^-c]`` gives the curve at x.
        confidence : float, default=0.95
            Level of the interval, in (0, 1).
        """
        factors = combine(_EXPONENTS).T
        centres = np.einsum("ej,ej->e", factors, self._coefficients)
        scales = np.sqrt(np.einsum("ei,eij,ej->e", factors, self._covariances, factors))
        tail = (1 - confidence) / 2
        low, high = (self._quantile(centres, scales, level) for level in (tail, 1 - tail))
        return Band(float(self._weights @ centres), low, high)

    def _quantile(self, centres: FloatArray, scales: FloatArray, level: float) -> float:
        """Return a quantile of a mixture of Student's distributions, by bisection."""
        from scipy.special import stdtr, stdtrit

        reach = float(stdtrit(self._freedom, 1 - 1e-4)) * scales
        low, high = float((centres - reach).min()), float((centres + reach).max())
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            if self._weights @ stdtr(self._freedom, (middle - centres) / scales) < level:
                low = middle
            else:
                high = middle
        return (low + high) / 2


def _fit(
    x: FloatArray, y: FloatArray, inverse: FloatArray, exponent: float
) -> tuple[float, FloatArray, FloatArray]:
    """Return the log weight of one exponent, its coefficients and their covariance."""
    X = np.stack([np.ones_like(x), x**-exponent], axis=1)
    covariance = _inverse(X.T @ inverse @ X)
    coefficients = covariance @ X.T @ inverse @ y
    rest = y - X @ coefficients
    log = -0.5 * rest @ inverse @ rest + 0.5 * np.linalg.slogdet(covariance)[1]
    return float(log + np.log(2.0**exponent - 1)), coefficients, covariance


def _inverse(matrix: FloatArray) -> FloatArray:
    return np.asarray(np.linalg.inv(matrix), dtype=np.float64)
