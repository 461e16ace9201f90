"""Intervals of shares: how many of so many rows, also where it is all of them or none."""

from math import sqrt


def wilson(n_hits: float, n: float, *, z: float = 1.959964) -> tuple[float, float]:
    """Return Wilson's interval of a share, which has a width even where every row, or none, is a hit.

    Parameters
    ----------
    n_hits, n : float
        How many of how many; n above 0.
    z : float, default=1.959964
        Normal quantile, for 95 %.

    References
    ----------
    Wilson (1927), "Probable inference, the law of succession, and statistical inference", Journal of the
    American Statistical Association 22; Brown, Cai and DasGupta (2001), "Interval estimation for a binomial
    proportion", Statistical Science 16.

    Examples
    --------
    >>> low, high = wilson(10, 100)
    >>> round(low, 3), round(high, 3)
    (0.055, 0.174)
    >>> round(wilson(60, 60)[0], 2)
    0.94
    """
    share, square = n_hits / n, z**2
    centre = (share + square / (2 * n)) / (1 + square / n)
    half = z * sqrt(share * (1 - share) / n + square / (4 * n**2)) / (1 + square / n)
    # Rounding must not put the ends inside of the share.
    return min(max(0.0, centre - half), share), max(min(1.0, centre + half), share)
