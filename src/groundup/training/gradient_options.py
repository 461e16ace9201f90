"""Options of training by gradient steps: what a network sees, how it moves, when it stops."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from groundup.core.options import Options

Auto = Literal["auto"]
OptimizerName = Literal["sgd", "adam", "adamw", "rmsprop", "adagrad", "muon"]
ScheduleName = Literal["constant", "step", "cosine", "one_cycle", "warmup_stable_decay", "plateau"]
LossName = Literal["cross_entropy", "bce", "focal", "mse", "mae", "huber", "quantile", "poisson"]
InitialisationName = Literal["kaiming", "xavier", "orthogonal", "truncated_normal"]
Precision = Literal["float32", "bfloat16"]


class GradientOptions(Options):
    """How a network is moved from random weights to trained ones; `auto` is what its learner documents."""

    epochs: Annotated[int, Field(ge=1)] | Auto = "auto"
    """How often the training rows are gone through."""
    steps: Annotated[int, Field(ge=1)] | None = None
    """Updates of the weights, instead of `epochs`."""
    batch_size: Annotated[int, Field(ge=1)] | Auto = "auto"
    """Rows behind one update of the weights."""
    accumulate: int = Field(default=1, ge=1)
    """Parts a batch is divided into, one after the other, so that less memory is needed at once."""
    optimizer: OptimizerName | Auto = "auto"
    """How a gradient becomes an update; `muon` orthogonalises the updates of matrices and leaves vectors to
    AdamW."""
    learning_rate: Annotated[float, Field(gt=0, le=100)] | Literal["auto", "default"] = "default"
    """Size of an update at its largest; `default`: the learner's; `auto`: from a range test, in which the
    rate grows until the loss no longer falls."""
    momentum: Annotated[float, Field(ge=0, lt=1)] | Auto = "auto"
    """Share of the last update that is kept in the next one, for `sgd`, `rmsprop` and `muon`; `auto`: 0.9,
    for `muon` 0.95."""
    weight_decay: Annotated[float, Field(ge=0)] | Auto = "auto"
    """Strength with which weights are drawn to 0: by `adamw` and `muon` at each update by this share times
    the learning rate, by the others through the gradient; norms and biases are left alone."""
    schedule: ScheduleName | Auto = "auto"
    """How the learning rate changes as training goes on."""
    warmup: Annotated[float, Field(ge=0, lt=1)] | Auto = "auto"
    """Share of the steps in which the learning rate rises to its full value."""
    decay: float = Field(default=0.2, gt=0, le=1)
    """For `warmup_stable_decay`: share of the steps, at the end, in which the rate falls to 0."""
    step_epochs: int = Field(default=30, ge=1)
    """For `step`: epochs after which the rate is divided by 10. For `plateau`: epochs without a lower
    validation loss after which it is."""
    clip_norm: Annotated[float, Field(gt=0)] | Auto | None = "auto"
    """Longest gradient; a longer one is shortened to it. `null`: never."""
    ema: Annotated[float, Field(gt=0, lt=1)] | Auto | None = "auto"
    """Share of the old value in a moving average over the weights of all steps, which then predicts in their
    place; `null`: the weights themselves."""
    loss: LossName | Auto = "auto"
    """What training makes small; `auto`: cross-entropy for classes, squared error for numbers."""
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] | Auto = "auto"
    """Share of each label that is spread evenly over all classes."""
    focal_gamma: float = Field(default=2.0, ge=0)
    """For `focal`: how much less rows count that are right already."""
    huber_delta: float = Field(default=1.0, gt=0)
    """For `huber`: up to this error it is squared, beyond it counts by its size."""
    quantiles: tuple[Annotated[float, Field(gt=0, lt=1)], ...] | Auto = "auto"
    """For `quantile`: which ones are predicted; `auto`: what the metric asks for, or 0.1, 0.5 and 0.9."""
    initialisation: InitialisationName | Auto = "auto"
    """How random weights are drawn."""
    precision: Precision | Auto = "auto"
    """Numbers that forward and backward compute with; `auto`: `bfloat16` where the processor computes with
    it and the learner gains by it, else `float32`. Weights stay in `float32`."""
    channels_last: bool | Auto = "auto"
    """Store images channel by channel within a pixel; `auto`: for convolutions."""
    compile: bool | Auto = "auto"
    """Let `torch.compile` rewrite the network; `auto`: on a GPU, for runs long enough to repay it."""
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Where the network trains; `auto`: a GPU if there is one."""
    evaluate_steps: Annotated[int, Field(ge=1)] | Auto = "auto"
    """Steps between two looks at the validation part; `auto`: an epoch, in runs of less than five a
    fifth of all steps."""
    checkpoint_seconds: float = Field(default=30.0, gt=0)
    """Seconds between two checkpoints, from which a killed run goes on; the model does not depend on it."""
    keep_checkpoints: int = Field(default=2, ge=1)
    """Checkpoints kept of a fit that is under way, besides that of the best weights."""

    @model_validator(mode="after")
    def _one_length(self) -> "GradientOptions":
        if self.steps is not None and self.epochs != "auto":
            raise ValueError(
                f"either `epochs` or `steps`, not both (they are {self.epochs} and {self.steps})"
            )
        return self
