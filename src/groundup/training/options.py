"""The recipe's section `training`."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, ValidatorFunctionWrapHandler, WrapValidator

from groundup.core.options import Options
from groundup.training.gradient_options import GradientOptions


class EarlyStopping(Options):
    """When to stop training because the validation loss no longer falls."""

    patience_rounds: Annotated[int, Field(ge=1)] | Literal["auto"] = "auto"
    """Rounds, or for a network evaluations, without improvement before training stops; the best one's model
    is kept. `auto`: 50 boosting rounds, for a network what it documents."""
    min_delta: float = Field(default=0.0, ge=0)
    """Improvements of the loss smaller than this do not count."""


def _checked(value: Any, check: ValidatorFunctionWrapHandler) -> Any:
    """Take a class's name as text, for it may be `1` or `true`, and say in one sentence what is allowed."""
    if isinstance(value, Mapping):
        value = {f"{key:g}" if isinstance(key, float) else str(key): each for key, each in value.items()}
    try:
        return check(value)
    except ValidationError:
        raise ValueError(
            "`none`, `balanced`, or a weight above 0 for some classes, e.g. `{yes: 5, no: 1}`"
        ) from None


ClassWeight = Annotated[
    Literal["none", "balanced"]
    | Annotated[
        dict[str, Annotated[float, Field(gt=0, le=1e9)]],
        Field(min_length=1, json_schema_extra={"x-keys": "class"}),
    ],
    WrapValidator(_checked),
]
"""How often a row counts, by its class."""


class TrainingOptions(GradientOptions):
    """How a learner is moved from its start to its trained state."""

    seed: int = Field(default=0, ge=0, lt=2**31)
    """The one seed from which every random choice of the run follows."""
    threads: Annotated[int, Field(ge=1, le=1024)] | Literal["auto"] = "auto"
    """Threads for fitting; `auto`: one for small data, else the cores that are idle. Recorded."""
    accelerate: bool = False
    """Let scikit-learn-intelex (`pip install "groundup[intelex]"`) grow `random_forest`, for numbers and for
    two classes, where no input is missing and rows count alike. Its trees are not those of scikit-learn; they
    are taken only if they answer as the library does. Where it cannot, a note says so and scikit-learn grows
    them."""
    calibrate: Literal["none", "auto", "platt", "isotonic", "temperature"] = "none"
    """How probabilities are corrected on the validation part; `auto`: Platt for two classes, temperature for
    more (isotonic where classes are weighed or resampled), if that fits it better than chance does in 399
    of 400 samples, else `none`."""
    class_weight: ClassWeight = "none"
    """How often a row of each class counts in the loss: `balanced` as often as makes all classes of a fit's
    rows count the same, or `{label: weight}` (a class that is not named counts once). Probabilities then
    belong to classes of that weight, unless they are calibrated; scores count every row once."""
    sample_weight: str | None = None
    """A column of numbers from 0 on: how often each row counts in the loss. It is no feature, and scores
    count every row once."""
    resample: Literal["none", "over", "under"] = "none"
    """Make the classes equally frequent among the rows of each fit: `over` repeats rows of small classes,
    `under` leaves out rows of large ones. Rows that a model is judged on stay as they are; its probabilities
    then belong to equally frequent classes."""
    early_stopping: EarlyStopping | None = Field(default_factory=EarlyStopping)
    """When to stop; `null` trains every round."""
