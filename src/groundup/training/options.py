"""The recipe's section `training`."""

from typing import Annotated, Literal

from pydantic import Field

from groundup.core.options import Options


class EarlyStopping(Options):
    """When to stop training because the validation loss no longer falls."""

    patience_rounds: int = Field(default=50, ge=1)
    """Rounds without improvement before training stops; the best round's model is kept."""
    min_delta: float = Field(default=0.0, ge=0)
    """Improvements of the loss smaller than this do not count."""


class TrainingOptions(Options):
    """How a learner is moved from its start to its trained state."""

    seed: int = Field(default=0, ge=0, lt=2**31)
    """The one seed from which every random choice of the run follows."""
    threads: Annotated[int, Field(ge=1, le=1024)] | Literal["auto"] = "auto"
    """Threads for fitting; `auto`: one for small data, else the cores that are idle. Recorded."""
    calibrate: Literal["none", "auto", "platt", "isotonic", "temperature"] = "none"
    """How probabilities are corrected on the validation part; `auto`: Platt for two classes, temperature for
    more, if that lowers the cross-validated log loss there beyond chance, else `none`."""
    resample: Literal["none", "over", "under"] = "none"
    """Make the classes equally frequent among the rows of each fit: `over` repeats rows of small classes,
    `under` leaves out rows of large ones. Rows that a model is judged on stay as they are; its probabilities
    then belong to equally frequent classes."""
    early_stopping: EarlyStopping | None = Field(default_factory=EarlyStopping)
    """When to stop; `null` trains every round."""
