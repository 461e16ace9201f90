"""The recipe's section `preparation`."""

from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, Field, PositiveInt, WithJsonSchema

from groundup.core.options import Options

Impute = Literal[
    "auto", "median", "mean", "most_frequent", "constant", "knn", "iterative", "none", "drop_rows"
]
Scale = Literal["auto", "standard", "minmax", "robust", "quantile_uniform", "quantile_normal", "none"]
Encode = Literal["auto", "one_hot", "ordinal", "frequency", "target", "codes"]
Text = Literal["hashed", "tfidf"]
OutlierAction = Literal["none", "clip", "flag", "drop_rows"]


def _check_amount(value: float) -> float:
    if value < 1 if isinstance(value, int) else not 0 < value < 1:
        raise ValueError("a whole number from 1 on, or a share between 0 and 1")
    return value


Amount: TypeAlias = Annotated[
    int | float,
    AfterValidator(_check_amount),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1},
                {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
            ]
        }
    ),
]
"""A number of things, or a share of them."""


class ColumnPreparation(Options):
    """What is done to one column, where it differs from the rule for its kind."""

    impute: Impute | None = None
    """How missing values are filled in; `drop_rows` leaves such rows out of training (at prediction they
    are filled with the median or the most frequent value). `knn` and `iterative` are for numbers."""
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


class TokenOptions(Options):
    """How a text becomes the token numbers that a network reads."""

    kind: Literal["auto", "byte_pairs", "characters"] = "auto"
    """What a token is: a frequent run of bytes, or a character. `auto`: byte pairs, but characters for
    `generation` from less than 10 MB of text."""
    vocabulary: int = Field(default=8_000, ge=300, le=1_000_000)
    """Tokens at most, learned from the training rows."""
    lowercase: bool = False
    """Whether upper and lower case are the same; byte pairs only."""
    length: Annotated[int, Field(ge=1)] | None = None
    """Tokens of a row that are read; `null`: so many that 99 % of the training texts are whole,
    at most 512."""


Augment = Literal["shift", "flip", "crop", "rotate"]


class ImageOptions(Options):
    """How rows become pictures of one size, and how training varies them."""

    shape: tuple[PositiveInt, PositiveInt, PositiveInt] | None = None
    """Height, width and channels of pictures whose pixels are the columns of a table, row by row; `null`: the
    columns are a square grey picture."""
    size: Annotated[int, Field(ge=4, le=1024)] | None = None
    """Pixels a side of pictures in files, whose middle is resized to it; `null`: 64, or 32 where most are
    smaller than 48. Pictures that all have one size of at most 64 a side stay as they are."""
    augment: tuple[Augment, ...] | Literal["auto", "none"] = "auto"
    """Random changes of the training pictures, a new one in each epoch: `shift` moves them by a few pixels,
    `flip` mirrors left and right, `crop` enlarges a part, `rotate` turns by up to 15 degrees. `auto`:
    `shift`, and for pictures in colour `flip` as well."""


class PreparationOptions(Options):
    """How raw columns become model inputs; `auto` follows from what the learner needs."""

    impute_numbers: Impute = "auto"
    """Missing numbers and dates; `auto`: kept for trees, else the median. `knn` fills a number with the mean
    of the training rows that are most similar in the other columns, `iterative` with what linear regressions
    on the other columns predict, each in turn until nothing moves (fitted on 10 000 rows at most); dates then
    stay with `auto`."""
    impute_neighbors: int = Field(default=5, ge=1)
    """For `knn`: how many similar rows are averaged."""
    impute_donors: int = Field(default=5000, ge=1)
    """For `knn`: training rows that the model keeps and compares a row with, at most; where there are more,
    they are drawn at random. A prediction for a row that misses a number costs so many comparisons."""
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
    select: Literal["none", "variance", "univariate", "model", "sequential"] = "none"
    """Keep some of the inputs, chosen on the training rows of each fit: those that vary (`variance`), that
    tell of the target one by one (`univariate`), that a model uses (`model`), or those that a linear model
    predicts best with together, found step by step (`sequential`). Models and mutual information look at
    20 000 rows at most."""
    select_features: Amount | None = None
    """Inputs kept, a number or a share below 1. Without one: by `select_p_value` (`univariate`), those with a
    weight or of at least mean importance (`model`), until the error stops falling (`sequential`)."""
    select_threshold: float = Field(default=0.0, ge=0)
    """For `variance`: inputs with a variance above this are kept. A number scaled to deviation 1 has the
    variance 1, a 0/1 column that is 1 in a share p of the rows p (1 - p)."""
    select_score: Literal["f", "mutual_info"] = "f"
    """For `univariate`: the F test of a linear relation (ANOVA for classes), or mutual information, which
    sees any relation but has no p-value: it needs `select_features`."""
    select_p_value: float = Field(default=0.05, gt=0, lt=1)
    """For `univariate` by `f` without `select_features`: inputs with a p-value below this are kept."""
    select_model: Literal["linear", "extra_trees"] = "linear"
    """For `model`: a linear regression of the target (of each class, as 0 or 1) with an L1 penalty found by
    cross-validation, or the importance in 100 extremely randomised trees."""
    select_direction: Literal["forward", "backward"] = "forward"
    """For `sequential`: start from no input and add, or start from all and take away."""
    reduce: Literal["none", "pca"] = "none"
    """Replace the inputs by fewer: `pca` takes principal components. Columns are then prepared as for a
    linear model (scaled, one 0/1 column a level, nothing missing), whatever the learner."""
    reduce_components: Amount = 0.95
    """Components kept: a number, or as many as hold this share of the variance (0 to 1)."""
    tokens: TokenOptions = Field(default_factory=TokenOptions)
    """Texts for networks that read them token by token."""
    images: ImageOptions = Field(default_factory=ImageOptions)
    """Pictures for networks."""
    columns: dict[str, ColumnPreparation] = Field(default_factory=dict)
    """Exceptions by column name."""
