"""The recipe's section `preparation`."""

from typing import Literal

from pydantic import Field

from groundup.core.options import Options

Impute = Literal["auto", "median", "mean", "most_frequent", "constant", "none", "drop_rows"]
Scale = Literal["auto", "standard", "minmax", "robust", "quantile_uniform", "quantile_normal", "none"]
Encode = Literal["auto", "one_hot", "ordinal", "frequency", "target", "codes"]
Text = Literal["hashed", "tfidf"]
OutlierAction = Literal["none", "clip", "flag", "drop_rows"]


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
    """How a number, a date's parts or a category that becomes one number are scaled."""
    outliers: OutlierAction | None = None
    """What is done to a number's outliers."""
    encode: Encode | None = None
    """How a category becomes numbers."""
    text: Text | None = None
    """How a text becomes numbers."""
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
    """Scale numbers; `auto`: `standard` for learners that need it, else `none`. The quantile methods replace
    a number by its rank among the training values, from 0 to 1 or as on a normal curve."""
    outliers: OutlierAction = "none"
    """Outliers of numbers: `clip` moves them to the last value that is none, `flag` keeps them and adds a
    0/1 column, `drop_rows` leaves their rows out of training. How many there are is told first."""
    outlier_rule: Literal["iqr", "quantiles"] = "iqr"
    """What an outlier is: a value far beyond the quartiles, or one beyond outer quantiles."""
    outlier_ranges: float = Field(default=1.5, gt=0, le=1000)
    """For `iqr`: how many interquartile ranges beyond the quartiles outliers begin."""
    outlier_share: float = Field(default=0.01, gt=0, lt=0.5)
    """For `quantiles`: the share of training values on each side that are outliers, 0 to 0.5."""
    encode: Encode = "auto"
    """Encode categories; `auto`: `codes` for trees, else `one_hot`. `frequency`: one number, the share of
    training rows with that level; `target`: their mean target, or the share of each of several classes."""
    target_smoothing: float = Field(default=10.0, ge=0)
    """How many rows the overall mean weighs in a level's mean target; more for a noisy target."""
    target_parts: int = Field(default=5, ge=2, le=100)
    """Parts that the training rows are divided into for `target`: each gets the means of the others, so that
    no row meets its own target."""
    rare_below: int = Field(default=5, ge=1)
    """Levels with fewer training rows than this share one level, "rare"."""
    max_levels: int = Field(default=100, ge=2)
    """The most frequent levels kept per category; the others are "rare". `frequency` and
    `target` keep all."""
    dates: Literal["auto", "parts", "parts_and_cycles"] = "auto"
    """Dates to year, month, day, weekday, hour, days since the first; `parts_and_cycles` adds sine and
    cosine of month, weekday and hour. `auto`: with cycles for learners that need scaled inputs."""
    text: Text = "hashed"
    """Text columns: `hashed` counts words and runs of characters in `text_buckets` columns; `tfidf` has one
    column for each word of the training rows, which counts the more the fewer rows have it."""
    text_words: int = Field(default=1, ge=1, le=5)
    """For `tfidf`: words that follow each other and count as one term, at most this many; 1: single words."""
    text_features: int = Field(default=500, ge=1)
    """For `tfidf`: terms kept per column, those that most training rows have."""
    text_buckets: int = Field(default=256, ge=0)
    """Columns that hashed word and character n-grams of a text column are spread over; 0 drops text."""
    columns: dict[str, ColumnPreparation] = Field(default_factory=dict)
    """Exceptions by column name."""
