"""Numbers: fill in what is missing, say where it was missing, put them on a common scale."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, nan
from typing import TYPE_CHECKING, Any, ClassVar, Final

from groundup.core.errors import RecipeError
from groundup.core.schema import Column
from groundup.data.values import row_reader
from groundup.preparation.outliers import Outliers, find_outliers
from groundup.preparation.plan import (
    Choice,
    Dropped,
    PlanKind,
    Seen,
    Write,
    WriteBlock,
    missing_step,
    plain,
)
from groundup.preparation.scaling import LARGEST, LIMIT, SCALE_STEPS, Scaling, fit_scaling, mean, median

if TYPE_CHECKING:
    from groundup.core.inputs import FloatArray
    from groundup.preparation.arrays import Numbers

BY_COLUMNS: Final = ("knn", "iterative")
"""Values of `impute` that fill a number from the other columns, in a stage after all column plans."""

FILLS: Final = {
    "median": "the median",
    "mean": "the mean",
    "most_frequent": "the most frequent value",
    "constant": "the constant",
    "knn": "the mean of the most similar training rows",
    "iterative": "what the other columns predict",
    "none": "the median",
    "drop_rows": "the median",
}
"""What fills a missing number at prediction, by `impute`, for people."""


@dataclass(frozen=True)
class NumberPlan:
    """One number: a scaled value and, if asked for, columns "was missing" and "is an outlier".

    Parameters
    ----------
    column : Column
        The raw column.
    seen : Seen
        Its training rows.
    impute : str
        How `fill` was chosen.
    fill : float or None
        What replaces a missing value (on the raw scale); None: it stays missing (NaN), here at least.
    has_indicator : bool
        Whether a second feature is 1 where the value was missing.
    scaling : Scaling
        How the value is scaled after filling.
    outliers : Outliers or None
        What is done to outliers, before anything else.
    """

    column: Column
    seen: Seen
    impute: str
    fill: float | None
    has_indicator: bool
    scaling: Scaling
    outliers: Outliers | None = None
    is_categorical: ClassVar[bool] = False
    kind: ClassVar[PlanKind] = "number"

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The column's own name and, where they are asked for, "name (missing)" and "name (outlier)"."""
        name = self.column.name
        names = (name, f"{name} (missing)") if self.has_indicator else (name,)
        return (*names, f"{name} (outlier)") if self._action == "flag" else names

    @property
    def is_filled_later(self) -> bool:
        """Whether a missing value is left to a stage that sees the other columns."""
        return self.impute in BY_COLUMNS

    @property
    def _action(self) -> str:
        return "none" if self.outliers is None else self.outliers.action

    def encode(self, values: Numbers) -> WriteBlock:
        """Encode a column of numbers."""
        import numpy as np

        x, scaling, has_indicator = values.values, self.scaling, self.has_indicator
        outliers, action = self.outliers, self._action
        filler = nan if self.fill is None else scaling.one(self.fill)

        def write(block: FloatArray, start: int, stop: int) -> None:
            part = x[start:stop]
            if outliers is not None and action == "flag":
                block[:, -1] = outliers.outside(part)
            elif outliers is not None and action == "clip":
                part = outliers.clipped(part)
            scaled = scaling.all(part)
            is_missing = np.isnan(part)
            scaled[is_missing] = filler
            block[:, 0] = scaled
            if has_indicator:
                block[:, 1] = is_missing

        return write

    def compile_row(self, start: int) -> Write:
        """Return what writes one value (and its indicator, its flag) from index `start` on."""
        write = self._compile_value(start)
        if self.outliers is None or self._action == "drop_rows":
            return write
        read = row_reader(self.column)
        bounded = self.outliers.compile_row(write, start + 1 + self.has_indicator)
        return lambda value, out: bounded(read(value), out)

    def _compile_value(self, start: int) -> Write:
        read = row_reader(self.column)
        scaling, has_indicator = self.scaling, self.has_indicator
        center, scale = scaling.center, scaling.scale
        # Below 0 no value lies within the limit, so every one takes the path over `scaling.one`.
        limit = -1.0 if scaling.knots is not None else inf if scaling.method == "none" else LIMIT
        filler = nan if self.fill is None else scaling.one(self.fill)

        def write(value: Any, out: list[float]) -> None:
            kind = type(value)
            if kind is not float and kind is not int:
                value = read(value)
                if value is None:
                    value = nan
            try:
                scaled = (value - center) / scale
            except OverflowError:  # an integer beyond every float, which reading takes as missing
                scaled = value = nan
            if -limit < scaled < limit:
                out[start] = scaled
            elif -inf < value < inf:
                out[start] = scaling.one(value)
            else:
                out[start] = filler
                if has_indicator:
                    out[start + 1] = 1.0

        return write

    def steps(self) -> list[str]:
        """Return what is done, for people."""
        fill = FILLS[self.impute] if self.is_filled_later else None
        if self.fill is not None:
            fill = f"{FILLS[self.impute]}, {plain(self.fill)}"
        steps = [] if self.outliers is None else [self.outliers.step()]
        steps.append(missing_step(self.seen, fill))
        if self.impute == "drop_rows":
            steps.insert(len(steps) - 1, "rows in which it is missing are left out of training")
        if self.has_indicator:
            steps.append("a column says which were missing")
        return [*steps, SCALE_STEPS[self.scaling.method]]

    def state(self) -> dict[str, Any]:
        """Return the fitted numbers as JSON values."""
        outliers = {} if self.outliers is None else {"outliers": self.outliers.state()}
        return {
            **outliers,
            "seen": [self.seen.rows, self.seen.missing],
            "impute": self.impute,
            "fill": self.fill,
            "has_indicator": self.has_indicator,
            "scaling": self.scaling.state(),
        }

    @classmethod
    def from_state(cls, column: Column, state: dict[str, Any]) -> NumberPlan:
        """Return the plan that `state` described."""
        scaling = Scaling.from_state(state["scaling"])
        outliers = Outliers(*state["outliers"]) if "outliers" in state else None
        seen, impute = Seen(*state["seen"]), state["impute"]
        return cls(column, seen, impute, state["fill"], state["has_indicator"], scaling, outliers)


def fit_number(column: Column, values: Numbers, choice: Choice) -> NumberPlan | Dropped:
    """Fit the plan of one number.

    Parameters
    ----------
    column : Column
        The raw column.
    values : Numbers
        Its training values.
    choice : Choice
        What is to be done.

    Returns
    -------
    NumberPlan or Dropped
        Dropped when it has at most one value and nothing is told by where it is missing.

    Raises
    ------
    RecipeError
        If missing values are to be kept for a learner that takes none.
    """
    import numpy as np

    observed, n_rows = values.observed, len(values.values)
    n_missing = n_rows - len(observed)
    seen = Seen(n_rows, n_missing)
    if not len(observed):
        return Dropped("it has no value in the training rows")
    has_indicator = choice.indicator and seen.missing > 0
    # Rows to be left out are left out already; the caller adds what was found on all of them.
    outliers = None if choice.outliers == "drop_rows" else find_outliers(observed, choice)
    if outliers is not None and outliers.action == "clip":
        observed = outliers.clipped(observed)
    elif outliers is not None and not outliers.n_outside:
        outliers = None  # a flag that is 0 in every training row says nothing
    low, high = observed.min(), observed.max()
    if low == high and not (seen.missing and (has_indicator or choice.keeps_missing)):
        return Dropped(f"it is {plain(low)} in every training row that has a value")
    if low < -LARGEST or high > LARGEST:
        observed = np.clip(observed, -LARGEST, LARGEST)
    fill = _fill(column, observed, seen, choice)
    if fill is not None and n_missing and choice.scale != "none":
        # Scaling follows filling, as in any pipeline: the training column itself gets mean 0, deviation 1.
        observed = np.append(observed, np.full(n_missing, fill))
    scaling = fit_scaling(observed, None, choice.scale)
    assert choice.impute is not None
    return NumberPlan(column, seen, choice.impute, fill, has_indicator, scaling, outliers)


def refuse_missing(column: Column, seen: Seen) -> None:
    """Raise `RecipeError` if values are missing that the learner cannot take."""
    if seen.missing:
        raise RecipeError(
            f"`preparation.columns.{column.name}.impute` is `none`, but {seen.missing} values are missing "
            "and this learner, or `preparation.reduce`, takes no missing values. Choose `median`, "
            "`most_frequent` or `drop_rows`."
        )


def _fill(column: Column, observed: FloatArray, seen: Seen, choice: Choice) -> float | None:
    import numpy as np

    if choice.impute in BY_COLUMNS:
        return None
    if choice.impute == "none":
        if choice.keeps_missing:
            return None
        refuse_missing(column, seen)
    if choice.impute == "mean":
        return mean(observed)
    if choice.impute == "most_frequent":
        distinct, counts = np.unique(observed, return_counts=True)
        return float(distinct[counts.argmax()])
    if choice.impute == "constant":
        return _constant(column, choice.fill_value)
    return median(observed)


def _constant(column: Column, fill_value: float | str | None) -> float:
    try:
        return 0.0 if fill_value is None else float(fill_value)
    except ValueError:
        raise RecipeError(
            f"`preparation.columns.{column.name}.fill_value` is `{fill_value}`, but the column holds "
            "numbers. Give a number."
        ) from None
