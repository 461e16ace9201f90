"""Outliers of a number: where they begin, how many there are, and what is done to them.

References
----------
Tukey (1977), "Exploratory data analysis" (the fences at 1.5 interquartile ranges).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf, nan
from typing import TYPE_CHECKING, Any, Final

from groundup.core.wording import count, percent
from groundup.preparation.plan import Choice, Write, plain

if TYPE_CHECKING:
    from groundup.core.inputs import FloatArray

OUTLIER_STEPS: Final = {
    "clip": "moved to the nearer of the two",
    "flag": "kept, with a column that says which they are",
    "drop_rows": "taken out of training with their rows",
}
"""What is done to outliers, as a clause."""

RULES: Final = {
    "iqr": "more than {} interquartile ranges beyond the quartiles",
    "quantiles": "beyond the quantiles that leave {} of the values on each side",
}
"""What is an outlier, as a clause."""


@dataclass(frozen=True)
class Outliers:
    """What is done to values outside `low` to `high`.

    Parameters
    ----------
    action : {"clip", "flag", "drop_rows"}
        What is done; `drop_rows` does nothing at prediction.
    low, high : float
        The last values that are no outliers.
    n_outside, n_observed : int
        How many training values lay outside, before anything was done to them, and how many there were.
    rule : str
        What made the bounds, a clause.
    """

    action: str
    low: float
    high: float
    n_outside: int
    n_observed: int
    rule: str

    def is_outside(self, value: float) -> bool:
        """Return whether one value is an outlier (NaN is none)."""
        return value < self.low or value > self.high

    def outside(self, values: FloatArray) -> Any:
        """Return which values are outliers, a boolean array (NaN is none)."""
        return (values < self.low) | (values > self.high)

    def clipped(self, values: FloatArray) -> FloatArray:
        """Return the values moved into the bounds as a new array (NaN stays NaN)."""
        import numpy as np

        return np.where(values < self.low, self.low, np.where(values > self.high, self.high, values))

    def compile_row(self, write: Write, place: int) -> Write:
        """Return what bounds one number (None: missing), flags it at `place` and hands it to `write`."""
        low, high, is_clipped, is_flagged = self.low, self.high, self.action == "clip", self.action == "flag"

        def write_bounded(value: Any, out: list[float]) -> None:
            try:
                # As in a column: an integer is rounded to a float before it is compared.
                number = nan if value is None else float(value)
            except OverflowError:
                number = nan
            if number < low or number > high:
                if is_clipped and -inf < number < inf:
                    number = low if number < low else high
                elif is_flagged and -inf < number < inf:
                    out[place] = 1.0
            write(number, out)

        return write_bounded

    def step(self) -> str:
        """Return how many of the training values are concerned and what is done, for people."""
        share = percent(self.n_outside / max(self.n_observed, 1))
        return (
            f"{count(self.n_outside, 'value')} ({share}) below {plain(self.low)} or above {plain(self.high)} "
            f"({self.rule}): {OUTLIER_STEPS[self.action]}"
        )

    def state(self) -> list[Any]:
        """Return the bounds as JSON values."""
        return [self.action, self.low, self.high, self.n_outside, self.n_observed, self.rule]


def find_outliers(observed: FloatArray, choice: Choice) -> Outliers | None:
    """Return the bounds of training values and how many lie outside.

    Parameters
    ----------
    observed : ndarray of shape (n_samples,)
        Finite values, at least one.
    choice : Choice
        What is to be done (`outliers`) and what an outlier is (`outlier_rule`, `outlier_reach`).

    Returns
    -------
    Outliers or None
        None where nothing is to be done, or where half of the values are equal, so that the
        interquartile range says nothing.

    Examples
    --------
    >>> import numpy as np
    >>> choice = Choice("number", False, outliers="clip", outlier_reach=1.5)
    >>> find_outliers(np.array([1.0, 2.0, 3.0, 4.0, 50.0]), choice).high
    7.0
    """
    import numpy as np

    if choice.outliers == "none":
        return None
    reach = choice.outlier_reach
    with np.errstate(over="ignore"):
        if choice.outlier_rule == "iqr":
            first, third = (float(each) for each in np.quantile(observed, (0.25, 0.75)))
            if not 0 < third - first < inf:
                return None
            low, high = first - reach * (third - first), third + reach * (third - first)
            rule = RULES["iqr"].format(plain(reach))
        else:
            low, high = (float(each) for each in np.quantile(observed, (reach, 1 - reach)))
            rule = RULES["quantiles"].format(f"{plain(100 * reach)} %")
    if not -inf < low <= high < inf:
        return None
    found = Outliers(choice.outliers, low, high, 0, len(observed), rule)
    return replace(found, n_outside=int(np.count_nonzero(found.outside(observed))))
