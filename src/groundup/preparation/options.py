"""The recipe's section `preparation`."""

from typing import Literal

from pydantic import Field

from groundup.core.options import Options

Impute = Literal["auto", "median", "mean", "most_frequent", "constant", "none", "drop_rows"]
Scale = Literal["auto", "standard", "minmax", "robust", "none"]
Encode = Literal["auto", "one_hot", "ordinal", "codes"]


class ColumnPreparation(Options):
    """What is done to one column, where it differs from the rule for its kind."""

    impute: Impute | None = None
    """How missing values are filled in; `drop_rows` leaves such rows out of training (at prediction they
    are filled with the median or the most frequent value)."""
    fill_value: float | str | None = None
    """The value of `impute: constant`; without one 0, the first date, or a level of its own."""
    indicator: bool | Literal["auto"] | None = None
    """Whether a column "was missing" is added, if a value was missing in training."""
    scale: Scale | None = None
    """How a number, a date's parts or an ordinal category are scaled."""
    encode: Encode | None = None
    """How a category becomes numbers."""
    drop: bool = False
    """Leave the column out."""


class PreparationOptions(Options):
    """How raw columns become model inputs; `auto` follows from what the learner needs."""

    impute_numbers: Impute = "auto"
    """Missing numbers; `auto`: kept for trees, else the median."""
    impute_categories: Literal["auto", "most_frequent", "constant", "none", "drop_rows"] = "auto"
    """Missing categories; `auto`: a level of their own (`constant`), kept (`none`) for codes."""
    indicator: bool | Literal["auto"] = "auto"
    """Add a 0/1 column "was missing" for what was missing in training; `auto`: where it is imputed."""
    scale: Scale = "auto"
    """Scale numbers; `auto`: `standard` for learners that need it, else `none`."""
    encode: Encode = "auto"
    """Encode categories; `auto`: `codes` for trees, else `one_hot`."""
    rare_below: int = Field(default=5, ge=1)
    """Levels with fewer training rows than this share one level, "rare"."""
    max_levels: int = Field(default=100, ge=2)
    """The most frequent levels kept per category; the others are "rare"."""
    dates: Literal["auto", "parts", "parts_and_cycles"] = "auto"
    """Dates to year, month, day, weekday, hour, days since the first; `parts_and_cycles` adds sine and
    cosine of month, weekday and hour. `auto`: with cycles for learners that need scaled inputs."""
    text_buckets: int = Field(default=256, ge=0)
    """Columns that hashed word and character n-grams of a text column are spread over; 0 drops text."""
    columns: dict[str, ColumnPreparation] = Field(default_factory=dict)
    """Exceptions by column name."""
