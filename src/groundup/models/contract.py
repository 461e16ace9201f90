"""Contract "Learner": hyperparameters only; `fit` gives it parameters and returns what can predict.

A learner is a frozen pydantic model: its fields are its hyperparameters. It receives everything
else (seed, threads, events, the loop over rounds) through the context, so that models import
neither training nor data.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, Protocol, Self

import numpy as np

from groundup.core.inputs import Contributions, FloatArray, Inputs, Needs, Predictions
from groundup.core.losses import SQUARED_ERROR, Loss, LossName
from groundup.core.options import Options
from groundup.core.tasks import InputKind, Task

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True)
class Range:
    """A number to search over: in [low, high], on a log scale if `log`, whole if `integer`."""

    low: float
    high: float
    log: bool = False
    integer: bool = False


@dataclass(frozen=True)
class Choice:
    """A value to choose out of a few."""

    values: tuple[str | int | float | bool, ...]


SearchSpace = Mapping[str, Range | Choice]


LearningCurve = Mapping[str, Sequence[tuple[int, float]]]
"""Losses by name (``"train"``, ``"validation"``), each as points (round counted from 1, loss)."""


@dataclass(frozen=True)
class RoundsResult:
    """How a loop over rounds went.

    Parameters
    ----------
    best_round : int
        The round to keep, counted from 1: the lowest monitored loss, or the last round where
        nothing was monitored; 0 when not a single round was possible.
    n_rounds : int
        Rounds that were run.
    curve : LearningCurve
        The losses of all rounds that were scored.
    stopped : {"limit", "patience", "exhausted", "request"}
        Why it ended: all rounds done, no improvement for long enough, no further round possible,
        or somebody asked.
    """

    best_round: int
    n_rounds: int
    curve: LearningCurve
    stopped: Literal["limit", "patience", "exhausted", "request"]


class RoundsLoop(Protocol):
    """The loop over boosting rounds (`groundup.training.rounds.run_rounds` with its options bound)."""

    def __call__(
        self,
        advance: Callable[[], bool],
        scores: Callable[[bool], Mapping[str, float]],
        *,
        n_rounds: int,
        monitor: str,
    ) -> RoundsResult:
        """Run up to `n_rounds` rounds and return which one was best.

        `advance` adds one round and returns True when no further round is possible (and none was
        added); `scores(complete)` returns losses (lower is better) by name, e.g.
        ``{"train": 0.3, "validation": 0.4}``: all of them if `complete`, otherwise only the one
        that early stopping follows, whose name is `monitor` (absent: nothing is monitored).
        """


@dataclass(frozen=True, eq=False)
class NetworkRows:
    """Rows as a network takes them.

    Parameters
    ----------
    inputs : tuple of Tensor
        What the network is called with, each of shape (n_samples, …).
    targets : Tensor of shape (n_samples, …)
        Class codes or values.
    weights : Tensor of shape (n_samples,) or None
        What each row counts.
    """

    inputs: tuple[Tensor, ...]
    targets: Tensor
    weights: Tensor | None = None


@dataclass(frozen=True)
class TargetUnit:
    """How a network's outputs become values of the target.

    Parameters
    ----------
    center, scale : float
        Values are ``center + scale * output``; of classes 0 and 1.
    link : {"softmax", "sigmoid", "identity", "exp"}
        What makes outputs probabilities (the first two) or values.
    """

    center: float = 0.0
    scale: float = 1.0
    link: Literal["softmax", "sigmoid", "identity", "exp"] = "identity"

    def read(self, outputs: FloatArray) -> Predictions:
        """Return what outputs, of shape (n_rows, n_outputs), say about rows."""
        if self.link in ("identity", "exp"):
            values = self.center + self.scale * outputs[:, 0]
            return Predictions(np.exp(values) if self.link == "exp" else values)
        if self.link == "sigmoid":  # each class was asked by itself
            shares = 1 / (1 + np.exp(-outputs))
        else:
            shares = np.exp(outputs - outputs.max(axis=1, keepdims=True))
        probabilities = shares / shares.sum(axis=1, keepdims=True)
        return Predictions(probabilities.argmax(axis=1).astype(np.int64), probabilities)


@dataclass(frozen=True)
class NetworkResult:
    """What training a network left behind, besides its weights.

    Parameters
    ----------
    target : TargetUnit
        How its outputs are read.
    facts : mapping
        See `FACTS`.
    """

    target: TargetUnit
    facts: Mapping[str, Any]


class NetworkLoop(Protocol):
    """The loop over gradient steps (`groundup.training.networks.train_network` with its options bound)."""

    def __call__(
        self,
        module: nn.Module,
        train: NetworkRows,
        validation: NetworkRows | None,
        *,
        seed: int,
        defaults: Mapping[str, Any],
        transform: Callable[[tuple[Tensor, ...], Any], tuple[Tensor, ...]] | None = None,
    ) -> NetworkResult:
        """Train a module, and leave the weights to keep in it.

        `seed` is that of the fit, and unique to it within a run; `defaults` are the learner's own values of
        options of the recipe's section `training`, for those that are `auto`, and ``patience``; `transform`
        changes the inputs of a batch at random, in training only: ``(inputs, generator)`` → inputs.
        """


@dataclass(frozen=True)
class FitContext:
    """What a fit receives besides its data.

    Parameters
    ----------
    task : Task
        What is asked for.
    n_classes : int
        Number of classes; 0 for regression.
    seed : int
        Seed of this fit, in [0, 2**31).
    threads : int
        Threads it may use, at least 1.
    run_rounds : RoundsLoop
        The loop for learners that train in rounds: emits the events, stops early, obeys requests.
    should_stop : callable
        True once somebody asked to end training and keep the best so far.
    loss : Loss
        What a regression makes small; classification minimises the log loss.
    train_network : NetworkLoop or None
        The loop for learners that train by gradient steps: initialises, emits the events, keeps checkpoints,
        stops early, obeys requests.
    accelerate : bool
        Whether scikit-learn-intelex is to fit what it can.
    note : callable
        Takes a sentence that whoever watches the run should read.
    """

    task: Task
    n_classes: int
    seed: int
    threads: int
    run_rounds: RoundsLoop
    should_stop: Callable[[], bool]
    loss: Loss = SQUARED_ERROR
    train_network: NetworkLoop | None = None
    accelerate: bool = False
    note: Callable[[str], None] = lambda _message: None


FACTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "converged": "false where an iterative fit reached its limit of iterations",
        "n_iterations": "iterations of the solver",
        "max_iterations": "its limit",
        "chosen": "values that stood in for `auto`, by hyperparameter",
        "chosen_by": "how they were chosen, as a sentence",
        "intercept": "prediction where every input is 0: a number, or one a class",
        "coefficients": "[{feature, coefficient}], largest first; each a number, or one a class",
        "n_coefficients": "how many there are, zeros included",
        "best_round": "boosting rounds kept",
        "n_rounds": "boosting rounds run",
        "stopped": "why boosting ended: limit, patience, exhausted or request",
        "curve": "losses by part, each a list of [round, loss], at most 200 points",
        "loss": "name of the loss in `curve`",
        "n_parameters": "numbers that a network has learned",
        "training_options": "[{option, value, why}]: the recipe's section `training` as a network used it",
        "samples": "[{row, truth, answers: [[step, answer, its probability or null], …]}]: what a network "
        "said of the same validation rows before, while and after it learned",
        "fitted_by": "the library that fitted it, where another one usually does",
        "members": "[{learner, …}]: the facts of the models that an ensemble is made of",
        "importance": "[{feature, share}]: share of the total loss reduction (gain), largest first",
    }
)
"""What `Fitted.facts` may hold besides ``learner`` (the prose title); absent where it means nothing."""


class Fitted(Protocol):
    """A learner's parameters: predicts, saves itself in safe formats, loads without executing anything."""

    def predict(self, inputs: Inputs) -> Predictions:
        """Return predictions for every row of `inputs`."""

    def predict_row(self, values: Sequence[float]) -> float | list[float]:
        """Return one row's value (regression) or class probabilities, from one row of ``Inputs.X``."""

    def facts(self) -> dict[str, Any]:
        """Return what a reader of the report wants to know, as JSON values (see `FACTS`)."""

    def save(self, folder: Path) -> None:
        """Write the parameters into `folder` (exists, empty): JSON, safetensors or the booster's format."""

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return what `save` wrote; the files' digests have been checked by the caller."""


class Explains(Protocol):
    """What a `Fitted` may be able to do besides: divide its predictions among its inputs (Shapley values)."""

    def contributions(self, inputs: Inputs) -> Contributions:
        """Return what each input adds to each prediction of `inputs`.

        Raises
        ------
        NotExplainedError
            If these parameters cannot tell; the message says why.
        """


class Learner(Options, ABC):
    """The base of every learner: a name, its hyperparameters as fields, and `fit`."""

    title: ClassVar[str]
    """What it is called in prose, e.g. "gradient-boosted trees (LightGBM)"."""
    idea: ClassVar[str]
    """One sentence for a beginner: how it predicts."""
    optimizer: ClassVar[str]
    """How its loss is made small, as a clause."""
    reference: ClassVar[str]
    """The paper or book it comes from."""
    tasks: ClassVar[tuple[Task, ...]]
    """What it can be asked for."""
    inputs: ClassVar[tuple[InputKind, ...]] = ("table",)
    """What it can see."""
    fitted: ClassVar[str]
    """`module:Class` of its `Fitted`, which loads a package without loading the learner."""

    in_rounds: ClassVar[bool] = False
    """Whether it trains in rounds, which early stopping may end."""
    libraries: ClassVar[tuple[str, ...]] = ()
    """Modules that its fits import; they are loaded before a fit is timed."""
    weighted: ClassVar[bool] = False
    """Whether its fits count each row by `Inputs.weight`; a recipe with weights refuses it otherwise."""
    losses: ClassVar[tuple[LossName, ...]] = ("squared_error",)
    """What its regressions can make small; where another is asked for, it makes the first one small."""

    def minimised(self, loss: Loss) -> Loss:
        """Return what it makes small where `loss` is asked for: that, or else the first it can."""
        return loss if loss.name in ("log_loss", *self.losses) else Loss(self.losses[0])

    def can_weigh(self) -> bool:
        """Return whether its fits count each row by its weight; an ensemble asks its members."""
        return self.weighted

    @abstractmethod
    def needs(self) -> Needs:
        """Return what its inputs must be."""

    def search_space(self) -> SearchSpace:
        """Return the default search space, by field name; empty when there is nothing to tune."""
        return {}

    @abstractmethod
    def fit(self, train: Inputs, validation: Inputs | None, context: FitContext) -> Fitted:
        """Fit on `train` (with `y`), steered by `validation`, and return the fitted parameters.

        Raises
        ------
        TrainingError
            If the fit cannot go on.
        """
