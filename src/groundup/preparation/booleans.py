"""Booleans: no is 0, yes is 1."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING, Any, ClassVar

from groundup.core.errors import RecipeError
from groundup.core.schema import Column
from groundup.data.values import row_reader
from groundup.preparation.numbers import refuse_missing
from groundup.preparation.plan import (
    Choice,
    Dropped,
    PlanKind,
    Seen,
    Write,
    WriteBlock,
    missing_step,
)

if TYPE_CHECKING:
    from groundup.core.inputs import FloatArray
    from groundup.preparation.arrays import Numbers


@dataclass(frozen=True)
class BooleanPlan:
    """One boolean as 0/1 and, if asked for, a column "was missing".

    Parameters
    ----------
    column : Column
        The raw column.
    seen : Seen
        Its training rows.
    impute : str
        How `fill` was chosen.
    fill : bool or None
        What replaces a missing value; None: it stays missing (NaN).
    has_indicator : bool
        Whether a second feature is 1 where the value was missing.
    """

    column: Column
    seen: Seen
    impute: str
    fill: bool | None
    has_indicator: bool
    is_categorical: ClassVar[bool] = False
    kind: ClassVar[PlanKind] = "boolean"

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The column's own name and, with an indicator, "name (missing)"."""
        name = self.column.name
        return (name, f"{name} (missing)") if self.has_indicator else (name,)

    def encode(self, values: Numbers) -> WriteBlock:
        """Encode a column of booleans."""
        import numpy as np

        x, has_indicator = values.values, self.has_indicator
        filler = nan if self.fill is None else float(self.fill)

        def write(block: FloatArray, start: int, stop: int) -> None:
            part = x[start:stop]
            is_missing = np.isnan(part)
            block[:, 0] = np.where(is_missing, filler, part)
            if has_indicator:
                block[:, 1] = is_missing

        return write

    def compile_row(self, start: int) -> Write:
        """Return what writes one value (and its indicator) from index `start` on."""
        read = row_reader(self.column)
        has_indicator = self.has_indicator
        filler = nan if self.fill is None else float(self.fill)

        def write(value: Any, out: list[float]) -> None:
            if value is not True and value is not False:
                value = read(value)
            if value:
                out[start] = 1.0
            elif value is None:
                out[start] = filler
                if has_indicator:
                    out[start + 1] = 1.0

        return write

    def steps(self) -> list[str]:
        """Return what is done, for people."""
        fill = None if self.fill is None else f"`{'yes' if self.fill else 'no'}`"
        steps = ["`no` becomes 0 and `yes` 1", missing_step(self.seen, fill)]
        return [*steps, "a column says which were missing"] if self.has_indicator else steps

    def state(self) -> dict[str, Any]:
        """Return the fitted values as JSON values."""
        return {
            "seen": [self.seen.rows, self.seen.missing],
            "impute": self.impute,
            "fill": self.fill,
            "has_indicator": self.has_indicator,
        }

    @classmethod
    def from_state(cls, column: Column, state: dict[str, Any]) -> BooleanPlan:
        """Return the plan that `state` described."""
        return cls(column, Seen(*state["seen"]), state["impute"], state["fill"], state["has_indicator"])


def fit_boolean(column: Column, values: Numbers, choice: Choice) -> BooleanPlan | Dropped:
    """Fit the plan of one boolean.

    Parameters
    ----------
    column : Column
        The raw column.
    values : Numbers
        Its training values, 0 or 1.
    choice : Choice
        What is to be done.

    Returns
    -------
    BooleanPlan or Dropped
        Dropped when it has at most one value and nothing is told by where it is missing.

    Raises
    ------
    RecipeError
        If the fill value is no boolean, or missing values are to be kept for a learner that takes none.
    """
    observed, n_rows = values.observed, len(values.values)
    n_present, n_yes = len(observed), int(observed.sum())
    n_missing = n_rows - n_present
    seen = Seen(n_rows, n_missing)
    has_indicator = choice.indicator and n_missing > 0
    if not n_present:
        return Dropped("it has no value in the training rows")
    if n_yes in (0, n_present) and not (n_missing and (has_indicator or choice.keeps_missing)):
        return Dropped(f"it is `{'yes' if n_yes else 'no'}` in every training row that has a value")
    assert choice.impute is not None
    fill: bool | None = 2 * n_yes > n_present
    if choice.impute == "none":
        if choice.keeps_missing:
            fill = None
        else:
            refuse_missing(column, seen)
    elif choice.impute == "constant" and choice.fill_value is not None:
        fill = _constant(column, choice.fill_value)
    return BooleanPlan(column, seen, choice.impute, fill, has_indicator)


def _constant(column: Column, fill_value: float | str) -> bool:
    known = {
        "0": False,
        "0.0": False,
        "false": False,
        "no": False,
        "1": True,
        "1.0": True,
        "true": True,
        "yes": True,
    }
    try:
        return known[str(fill_value).casefold()]
    except KeyError:
        raise RecipeError(
            f"`preparation.columns.{column.name}.fill_value` is `{fill_value}`, but the column is yes or no. "
            "Give 0 or 1."
        ) from None
