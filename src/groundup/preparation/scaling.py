"""Putting numbers on a common scale: one centre and one divisor per feature, or its quantiles.

The same floating-point operations (a subtraction and a division, for quantiles two more) are done by
NumPy on a column and by Python on one value, so both paths agree to the last bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from groundup.preparation.quantiles import QUANTILE_METHODS, Knots, fit_knots

if TYPE_CHECKING:
    from collections.abc import Sequence

    from groundup.core.inputs import FloatArray, IntArray

LIMIT: Final = 1e150
"""Scaled values are kept within ±LIMIT, so that their squares stay finite."""

LARGEST: Final = 1e300
"""Training values are clipped to ±LARGEST before statistics are taken, so that differences stay finite."""

SCALE_STEPS: Final = {
    "standard": "scaled to mean 0, deviation 1",
    "minmax": "scaled so that training values lie between 0 and 1",
    "robust": "scaled by the median and the distance of the quartiles",
    "quantile_uniform": "replaced by their rank among the training values, from 0 to 1",
    "quantile_normal": "replaced by their rank among the training values, as on a normal curve",
    "none": "kept on its own scale",
}
"""What each method does, as a clause."""


@dataclass(frozen=True)
class Scaling:
    """Maps x to (x - center) / scale, or along the line of its quantiles.

    Parameters
    ----------
    method : str
        A key of `SCALE_STEPS`.
    center : float
        What becomes 0.
    scale : float
        What becomes 1, not 0.
    knots : Knots or None
        For the quantile methods, which use nothing else.

    Examples
    --------
    >>> Scaling("standard", 10.0, 2.0).one(14.0)
    2.0
    """

    method: str = "none"
    center: float = 0.0
    scale: float = 1.0
    knots: Knots | None = None

    def one(self, value: float) -> float:
        """Return one scaled value (NaN stays NaN)."""
        if self.method == "none":
            return value
        if self.knots is not None:
            return self.knots.one(value)
        scaled = (value - self.center) / self.scale
        return LIMIT if scaled > LIMIT else -LIMIT if scaled < -LIMIT else scaled

    def all(self, values: FloatArray) -> FloatArray:
        """Return the scaled values as a new array (NaN stays NaN); overflow is cut, NumPy may ignore it."""
        import numpy as np

        if self.method == "none":
            return values.copy()
        if self.knots is not None:
            return self.knots.all(values)
        scaled = values - self.center
        scaled /= self.scale
        return np.clip(scaled, -LIMIT, LIMIT, out=scaled)

    def state(self) -> list[Any]:
        """Return the scaling as JSON values."""
        line = [] if self.knots is None else [list(self.knots.places), list(self.knots.heights)]
        return [self.method, self.center, self.scale, *line]

    @classmethod
    def from_state(cls, state: Sequence[Any]) -> Scaling:
        """Return the scaling that `state` described."""
        method, center, scale, *line = state
        return cls(method, center, scale, Knots(*map(tuple, line)) if line else None)


def fit_scaling(values: FloatArray, counts: IntArray | None, method: str) -> Scaling:
    """Return the scaling of training values.

    Parameters
    ----------
    values : ndarray of shape (n_samples,)
        Finite, within ±`LARGEST`, at least one.
    counts : ndarray of shape (n_samples,) or None
        How often each value occurs, at least once; None: once each.
    method : {"standard", "minmax", "robust", "quantile_uniform", "quantile_normal", "none"}
        Mean and (population) standard deviation, minimum and range, median and interquartile range, or
        the ranks of the values. Where the divisor would be 0 it is 1.

    Returns
    -------
    Scaling
        With finite numbers only.

    Examples
    --------
    >>> import numpy as np
    >>> fit_scaling(np.array([0.0, 4.0]), None, "minmax")
    Scaling(method='minmax', center=0.0, scale=4.0, knots=None)
    """
    import numpy as np

    if method == "none":
        return Scaling()
    if method == "minmax":
        low = float(values.min())
        return Scaling(method, low, float(values.max()) - low or 1.0)
    if method == "robust" or method in QUANTILE_METHODS:
        repeated = values if counts is None else np.repeat(values, counts)
        if method != "robust":
            return Scaling(method, knots=fit_knots(repeated, method))
        low, middle, high = (float(each) for each in np.quantile(repeated, (0.25, 0.5, 0.75)))
        return Scaling(method, middle, high - low or 1.0)
    center, deviation = _mean_and_deviation(values, counts)
    return Scaling(method, center, deviation or 1.0)


def mean(values: FloatArray) -> float:
    """Return the mean without overflow on the way."""
    return _mean_and_deviation(values, None)[0]


def median(values: FloatArray) -> float:
    """Return the median of finite values, a third of `numpy.median`'s time.

    Examples
    --------
    >>> import numpy as np
    >>> median(np.array([3.0, 1.0, 2.0, 10.0]))
    2.5
    """
    import numpy as np

    half = len(values) // 2
    ordered = np.partition(values, half)
    upper = float(ordered[half])
    return upper if len(values) % 2 else (float(ordered[:half].max()) + upper) / 2


def _mean_and_deviation(values: FloatArray, counts: IntArray | None) -> tuple[float, float]:
    import numpy as np

    low, high = float(values.min()), float(values.max())
    if low == high:
        return low, 0.0
    largest = max(-low, high, 0.0)
    # Squares overflow above 1e154 and vanish below 1e-162: such columns are measured in their maximum.
    unit = 1.0 if 1e-100 < largest < 1e150 else largest
    if unit != 1.0:
        values = values / unit
    # NumPy adds in a fixed order on one thread, so the same rows give the same bits on every run.
    if counts is None:
        center = values.mean()
        deviations = values - center
        variance = np.square(deviations, out=deviations).mean()
    else:
        n = counts.sum()
        center = (values * counts).sum() / n
        variance = (np.square(values - center) * counts).sum() / n
    return float(center) * unit, float(np.sqrt(variance)) * unit
