"""The recipe's section `evaluation`."""

from typing import Annotated, Literal

from pydantic import Field

from groundup.core.options import Options


class Costs(Options):
    """What the two errors of a yes-or-no question cost, in any unit; only their ratio decides."""

    false_positive: float = Field(default=1.0, gt=0, le=1e9)
    """Cost of answering the positive class where it is not."""
    false_negative: float = Field(default=1.0, gt=0, le=1e9)
    """Cost of missing a row of the positive class."""


class EvaluationOptions(Options):
    """How models are compared and the final one is measured."""

    folds: Annotated[int, Field(ge=1, le=100)] | Literal["auto"] = "auto"
    """Folds of the cross-validation on the training part; `1` holds a fifth of it out, once. `auto`: 5, or 1
    where a candidate is a network of texts."""
    repeats: int = Field(default=1, ge=1, le=100)
    """How often the folds are drawn, each time anew; 1 where rows are in time order."""
    nested: bool = False
    """Whether the choice between candidates is made again inside each fold, to score the whole procedure;
    each fold then takes as many fits again as the cross-validation."""
    learning_curve: bool = True
    """Whether the chosen model is fitted on growing parts of the rows, to say if more rows would help; these
    fits together take less than five of the final one."""
    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    """Level of every interval."""
    resamples: int | Literal["auto"] = "auto"
    """Bootstrap resamples behind an interval; `auto`: 1 000, fewer (at least 200) above 20 000 rows."""
    importance_repeats: int = Field(default=5, ge=0)
    """Shuffles per column for permutation importance; 0 leaves it out."""
    contribution_rows: int = Field(default=1_000, ge=0)
    """Validation rows whose predictions are divided among the columns, at most (at least 20, where more would
    take longer than some seconds); 0 leaves it out."""
    cost: Costs | None = None
    """Of two classes: what errors cost; the cheapest threshold on out-of-fold rows is then used."""
    threshold: Annotated[float, Field(gt=0, lt=1)] | Literal["auto"] | None = None
    """Of two classes: the probability from which on the positive one is answered; `auto`: the best for the
    metric on out-of-fold rows; `null`: 0.5, or the cheapest where `cost` is given."""
    slices: tuple[str, ...] = ()
    """Columns by whose values the test rows are divided and measured part by part, features or not; numbers
    and dates are cut at the quartiles of the training part."""
    slice_min_rows: int = Field(default=30, ge=10)
    """Rows that a slice must have to be measured; smaller ones are only counted."""
    cpu_watts: float = Field(default=15.0, gt=0)
    """Assumed power of one busy core, watts; only for the energy estimate."""
