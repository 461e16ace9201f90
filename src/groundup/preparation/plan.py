"""What every column plan is: fitted state for one column, applied to a whole column or to one value.

The modules of the plans import neither NumPy nor Polars at their top, so that a served model prepares
one row without loading either; their `fit` and `transform` import what they need.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self, TypeAlias

if TYPE_CHECKING:
    from groundup.core.inputs import FloatArray
    from groundup.core.schema import Column

Write: TypeAlias = "Callable[[Any, list[float]], None]"
"""Writes one value's features into their places in a row of zeros."""

WriteBlock: TypeAlias = "Callable[[FloatArray, int, int], None]"
"""Writes the features of rows ``start:stop`` into a block of zeros, shape (stop - start, n_features)."""

Level: TypeAlias = str | int | float
"""A level of a category."""

PlanKind = Literal["number", "category", "date", "boolean", "text", "target_category", "tfidf"]


class ColumnPlan(Protocol):
    """How one raw column becomes zero or more columns of ``X``."""

    @property
    def column(self) -> Column:
        """The raw column."""

    @property
    def kind(self) -> PlanKind:
        """Which kind of plan it is."""

    @property
    def feature_names(self) -> tuple[str, ...]:
        """One name per column of ``X``."""

    @property
    def is_categorical(self) -> bool:
        """Whether its one feature holds category codes."""

    def encode(self, values: Any) -> WriteBlock:
        """Return what encodes a column (the `Arrays` for its kind), block by block.

        Blocks of a thousand rows keep every intermediate array in the processor's cache.
        """

    def compile_row(self, start: int) -> Write:
        """Return what writes one raw value's features into a row of zeros, from index `start` on."""

    def steps(self) -> list[str]:
        """Return what is done to the column, one clause a step, for people."""

    def state(self) -> dict[str, Any]:
        """Return what was fitted as JSON values, without the column itself."""

    @classmethod
    def from_state(cls, column: Column, state: dict[str, Any]) -> Self:
        """Return the plan that `state` described."""


@dataclass(frozen=True)
class Dropped:
    """A column that is left out, and why (a clause)."""

    why: str


@dataclass(frozen=True)
class Seen:
    """How many training rows a column had and in how many it was missing."""

    rows: int
    missing: int

    @property
    def share(self) -> str:
        """The missing share for people, e.g. "20 %"."""
        percent = 100 * self.missing / max(self.rows, 1)
        return f"{percent:.0f} %" if percent >= 1 else "less than 1 %"


@dataclass(frozen=True)
class Choice:
    """What the options and the learner's needs decide for one column, every `auto` replaced.

    Parameters
    ----------
    plan : PlanKind
        Which kind of plan is fitted.
    keeps_missing : bool
        The learner takes NaN.
    impute : str or None
        How missing values are filled in, an `Impute` but `auto`.
    fill_value : float, str or None
        The value of `impute: constant`.
    indicator : bool
        Whether a column "was missing" is added where a value was missing in training.
    scale : str
        A `Scale` but `auto`.
    encode : str or None
        An `Encode` but `auto`, for categories.
    rare_below, max_levels : int
        When levels of a category share the level "rare".
    has_cycles : bool
        Whether dates get sine and cosine of their parts.
    buckets : int
        Columns a text is hashed into.
    text : str
        How a text becomes numbers, a `Text`.
    text_words, text_features : int
        For `tfidf`: the longest run of words that is a term, and how many terms are kept at most.
    target_smoothing, target_parts : float, int
        How many rows the overall mean weighs in a level's mean target, and the parts of the training rows
        that get the means of the others.
    outliers : str
        What is done to a number's outliers, an `OutlierAction`.
    outlier_rule, outlier_reach : str, float
        What an outlier is: `iqr` with the ranges beyond the quartiles, or `quantiles` with the share of
        values on each side.
    """

    plan: PlanKind
    keeps_missing: bool
    impute: str | None = None
    fill_value: float | str | None = None
    indicator: bool = False
    scale: str = "none"
    encode: str | None = None
    rare_below: int = 1
    max_levels: int = 100
    has_cycles: bool = False
    buckets: int = 0
    text: str = "hashed"
    text_words: int = 1
    text_features: int = 500
    target_smoothing: float = 10.0
    target_parts: int = 5
    outliers: str = "none"
    outlier_rule: str = "iqr"
    outlier_reach: float = 1.5


def missing_step(seen: Seen, fill: str | None) -> str:
    """Return the clause that says what happens to missing values; `fill` None: they are kept."""
    if fill is None:
        return (
            f"missing values ({seen.share}) are kept, the learner handles them"
            if seen.missing
            else ("no value was missing in training; a missing one is passed on as missing")
        )
    if seen.missing:
        return f"missing values ({seen.share}) are filled with {fill}"
    return f"no value was missing in training; a missing one is filled with {fill}"


def plain(value: float) -> str:
    """Return a number for people: at most six significant digits, no trailing zeros.

    Examples
    --------
    >>> plain(28.0), plain(0.123456789)
    ('28', '0.123457')
    """
    return f"{value:.6g}"
