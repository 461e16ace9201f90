"""The plan of a fit: every `auto` of the options decided, so that nothing is decided while it runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from torch import nn

from groundup.training.gradient_options import GradientOptions
from groundup.training.hardware import Hardware, resolve_hardware
from groundup.training.options import EarlyStopping
from groundup.training.schedules import Schedule, make_schedule

DEFAULTS: Final[Mapping[str, Any]] = {
    "epochs": 20,
    "batch_size": 128,
    "optimizer": "adamw",
    "learning_rate": 1e-3,
    "weight_decay": 0.01,
    "schedule": "one_cycle",
    "warmup": 0.1,
    "clip_norm": 1.0,
    "ema": None,
    "loss": "cross_entropy",
    "quantiles": (0.1, 0.5, 0.9),
    "label_smoothing": 0.0,
    "initialisation": "kaiming",
}
"""What `auto` becomes where neither the recipe nor the learner says otherwise."""

PATIENCE: Final = 10
"""Evaluations that `patience_rounds: auto` stands for where the learner says nothing."""

_MOMENTUM: Final = {"muon": 0.95}
_OTHER_MOMENTUM: Final = 0.9
_N_REPORTS: Final = 200
_FEWEST_EVALUATIONS: Final = 5
_FEWEST_STEPS: Final = 20  # between two evaluations, unless an epoch is shorter


@dataclass(frozen=True)
class Plan:
    """What a fit does, decided before its first step.

    Parameters
    ----------
    options : GradientOptions
        With no `auto` left, but for a learning rate that is yet to be found; what the resolved recipe says.
    hardware : Hardware
        On what it computes.
    n_steps : int
        Updates in all.
    evaluate_every, report_every : int
        Steps between two looks at the validation part, and between two reports of the training loss.
    patience : int or None
        Evaluations without a lower validation loss that end the fit; None: none do.
    min_delta : float
        Smaller improvements do not count.
    optimizer : str
        Its name.
    weight_decay, momentum : float
        Its settings.
    clip_norm, ema : float or None
        The longest gradient, and the share of the old value in the average of weights; None: none.
    plateau : int
        Evaluations without a lower validation loss that lower the learning rate; 0: none do.
    schedule : callable
        From a step to the learning rate's factor.
    seed : int
        Of the order of rows and of dropout.
    threads : int
        Threads of the processor that the network computes with.
    reasons : dict of str to str
        By option, why it is what it is.
    """

    options: GradientOptions
    hardware: Hardware
    n_steps: int
    evaluate_every: int
    report_every: int
    patience: int | None
    min_delta: float
    optimizer: str
    weight_decay: float
    momentum: float
    clip_norm: float | None
    ema: float | None
    plateau: int
    schedule: Schedule
    seed: int
    threads: int
    reasons: dict[str, str] = field(default_factory=dict)

    @property
    def learning_rate(self) -> float:
        """The learning rate at its largest."""
        assert isinstance(self.options.learning_rate, float)
        return self.options.learning_rate


def fill_in(options: GradientOptions, defaults: Mapping[str, Any]) -> tuple[GradientOptions, dict[str, str]]:
    """Return the options with what `auto` stands for, and why.

    Parameters
    ----------
    options : GradientOptions
        What is asked for.
    defaults : mapping of str to value
        What the learner documents, by option; what it leaves out is in `DEFAULTS`.

    Examples
    --------
    >>> filled, reasons = fill_in(GradientOptions(batch_size=64), {"epochs": 5})
    >>> filled.epochs, filled.batch_size, filled.learning_rate, reasons["epochs"]
    (5, 64, 0.001, "the learner's default")
    """
    values: dict[str, Any] = {}
    reasons: dict[str, str] = {}
    for name in (name for name in DEFAULTS if name in GradientOptions.model_fields):
        asked = getattr(options, name)
        if asked != ("default" if name == "learning_rate" else "auto"):
            reasons[name] = "as asked"
        elif name == "epochs" and options.steps is not None:
            continue
        else:
            values[name] = defaults.get(name, DEFAULTS[name])
            reasons[name] = "the learner's default" if name in defaults else "the default"
    if options.momentum == "auto":
        optimizer = values.get("optimizer", options.optimizer)
        values["momentum"] = _MOMENTUM.get(optimizer, _OTHER_MOMENTUM)
        reasons["momentum"] = f"customary for `{optimizer}`"
    return options.model_copy(update=values), reasons


def make_plan(
    options: GradientOptions,
    module: nn.Module,
    n_batches: int,
    *,
    early_stopping: EarlyStopping | None = None,
    default_patience: int = PATIENCE,
    reasons: Mapping[str, str] | None = None,
    seed: int = 0,
    threads: int = 1,
) -> Plan:
    """Return the plan of a fit.

    Parameters
    ----------
    options : GradientOptions
        As `fill_in` returns them.
    module : Module
        What is trained.
    n_batches : int
        Batches in an epoch.
    early_stopping : EarlyStopping, optional
        When to end before the last step.
    default_patience : int
        Evaluations that `patience_rounds: auto` stands for.
    reasons : mapping, optional
        Why the options are what they are.
    seed : int, default=0
        Of every random choice of the fit.
    threads : int, default=1
        Threads of the processor, at least 1; on a busy machine more than one are a trap.
    """
    n_steps = options.steps if options.steps is not None else int(options.epochs) * n_batches
    by_default = min(n_batches, max(_FEWEST_STEPS, n_steps // _FEWEST_EVALUATIONS))
    evaluate_every = by_default if options.evaluate_steps == "auto" else options.evaluate_steps
    hardware = resolve_hardware(options, module, n_steps=n_steps)
    schedule = make_schedule(
        str(options.schedule),
        n_steps,
        warmup=float(options.warmup),
        decay=options.decay,
        drop_every=options.step_epochs * n_batches,
    )
    patience = None
    if early_stopping is not None:
        asked = early_stopping.patience_rounds
        patience = default_patience if asked == "auto" else asked
    return Plan(
        options=options.model_copy(update={**hardware.resolved(), "evaluate_steps": evaluate_every}),
        hardware=hardware,
        n_steps=n_steps,
        evaluate_every=evaluate_every,
        report_every=max(1, min(evaluate_every, n_steps // _N_REPORTS)),
        patience=patience,
        min_delta=0.0 if early_stopping is None else early_stopping.min_delta,
        optimizer=options.optimizer,
        weight_decay=float(options.weight_decay),
        momentum=float(options.momentum),
        clip_norm=None if options.clip_norm is None else float(options.clip_norm),
        ema=None if options.ema is None else float(options.ema),
        plateau=options.step_epochs if options.schedule == "plateau" else 0,
        schedule=schedule,
        seed=seed,
        threads=threads,
        reasons={**(reasons or {}), **hardware.reasons},
    )
