"""Quantile scaling: a number becomes its rank among the training values, or the normal score of that rank.

Between the stored quantiles the map is linear, so it needs no logarithm: NumPy does the same
additions, multiplications and divisions on a column as Python does on one value.

References
----------
Conover and Iman (1981), "Rank transformations as a bridge between parametric and nonparametric
statistics", The American Statistician.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from groundup.core.inputs import FloatArray

N_KNOTS: Final = 256
"""Quantiles that are stored at most, evenly spaced from the smallest to the largest training value."""

QUANTILE_METHODS: Final = ("quantile_uniform", "quantile_normal")


@dataclass(frozen=True)
class Knots:
    """A rising line through points; flat before the first and after the last.

    Parameters
    ----------
    places : tuple of float
        Strictly increasing, at least one.
    heights : tuple of float
        The line's height at each place.

    Examples
    --------
    >>> Knots((0.0, 10.0), (0.0, 1.0)).one(2.5)
    0.25
    """

    places: tuple[float, ...]
    heights: tuple[float, ...]

    def one(self, value: float) -> float:
        """Return the height at one value (NaN stays NaN)."""
        value = float(value)
        places, heights = self.places, self.heights
        if value >= places[-1]:
            return heights[-1]
        if value <= places[0]:
            return heights[0]
        if value != value:
            return value
        at = bisect_right(places, value) - 1
        share = (value - places[at]) / (places[at + 1] - places[at])
        return heights[at] + share * (heights[at + 1] - heights[at])

    def all(self, values: FloatArray) -> FloatArray:
        """Return the heights at all values as a new array (NaN stays NaN)."""
        import numpy as np

        places, heights = np.array(self.places), np.array(self.heights)
        if len(places) == 1:
            return np.where(np.isnan(values), np.nan, heights[0])
        at = np.clip(places.searchsorted(values, side="right") - 1, 0, len(places) - 2)
        inside = np.clip(values, places[0], places[-1])
        share = (inside - places[at]) / (places[at + 1] - places[at])
        found: FloatArray = heights[at] + share * (heights[at + 1] - heights[at])
        # Adding a difference back can miss the last height by one bit.
        found[values >= places[-1]] = heights[-1]
        return found


def fit_knots(values: FloatArray, method: str) -> Knots:
    """Return the line from training values to their ranks.

    Parameters
    ----------
    values : ndarray of shape (n_samples,)
        Finite, at least one.
    method : {"quantile_uniform", "quantile_normal"}
        Ranks in [0, 1], or their standard normal scores, at most those of ranks 1 / (2 n_samples) from
        the ends. Equal values share the middle of their ranks.

    Returns
    -------
    Knots
        At most `N_KNOTS` points.

    Examples
    --------
    >>> import numpy as np
    >>> fit_knots(np.array([1.0, 2.0, 2.0, 9.0, 100.0]), "quantile_uniform").heights
    (0.0, 0.375, 0.75, 1.0)
    """
    import numpy as np

    ranks = np.linspace(0, 1, min(N_KNOTS, len(values)))
    # Interpolated quantiles of equal values can differ, and fall, by one bit.
    quantiles = np.maximum.accumulate(np.quantile(values, ranks))
    places, which = np.unique(quantiles, return_inverse=True)
    heights = np.bincount(which, ranks) / np.bincount(which)
    if method == "quantile_normal":
        end = 0.5 / len(values)
        heights = np.array(_normal_scores(np.clip(heights, end, 1 - end).tolist()))
    return Knots(tuple(places.tolist()), tuple(heights.tolist()))


def _normal_scores(ranks: list[float]) -> list[float]:
    from statistics import NormalDist

    normal = NormalDist()
    return [normal.inv_cdf(rank) for rank in ranks]
