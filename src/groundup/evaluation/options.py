"""The recipe's section `evaluation`."""

from typing import Literal

from pydantic import Field

from groundup.core.options import Options


class EvaluationOptions(Options):
    """How models are compared and the final one is measured."""

    folds: int = Field(default=5, ge=2, le=100)
    """Folds of the cross-validation on the training part."""
    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    """Level of every interval."""
    resamples: int | Literal["auto"] = "auto"
    """Bootstrap resamples behind an interval; `auto`: 1 000, fewer (at least 200) above 20 000 rows."""
    importance_repeats: int = Field(default=5, ge=0)
    """Shuffles per column for permutation importance; 0 leaves it out."""
    slices: tuple[str, ...] = ()
    """Columns by whose values the test rows are divided and measured part by part, features or not; numbers
    and dates are cut at the quartiles of the training part."""
    slice_min_rows: int = Field(default=30, ge=10)
    """Rows that a slice must have to be measured; smaller ones are only counted."""
    cpu_watts: float = Field(default=15.0, gt=0)
    """Assumed power of one busy core, watts; only for the energy estimate."""
