"""The training of a learner's network: from its random weights to the weights that are kept."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor, nn

from groundup.core.errors import RecipeError
from groundup.core.wording import listed
from groundup.models.contract import NetworkResult, NetworkRows, TargetUnit
from groundup.models.networks.initialisation import initialise
from groundup.training.batches import Batches, TensorBatches, Transform
from groundup.training.checkpointing import CheckpointKeeper
from groundup.training.cost import checked_cost, told_cost
from groundup.training.gradient_options import GradientOptions
from groundup.training.loop import Emit, GradientFit, Watch
from groundup.training.losses import CLASS_LOSSES, NUMBER_LOSSES, Loss, make_loss
from groundup.training.options import EarlyStopping
from groundup.training.parameters import count_parameters
from groundup.training.plan import PATIENCE, Plan, fill_in, make_plan
from groundup.training.range_test import with_learning_rate

_EVALUATION_ROWS: Final = 1024
_MOST_POINTS: Final = 200
_N_SHOWN: Final = 4
_TITLES: Final = {"mse": "squared error", "mae": "absolute error", "quantile": "pinball loss"}
_N_LOOKS: Final = 5


@dataclass(frozen=True)
class NetworkTraining:
    """What every network of a run is trained with; bound into `FitContext.train_network`.

    Parameters
    ----------
    options : GradientOptions
        What the recipe asks for.
    early_stopping : EarlyStopping or None
        When to end before the last step.
    threads : int
        Threads it may use.
    emit : callable
        Told what happens.
    should_stop : callable
        Asked after every step.
    keeper : callable or None
        From a fit's seed to where its checkpoints go: the members of an ensemble have one each.
    """

    options: GradientOptions
    early_stopping: EarlyStopping | None
    threads: int
    emit: Emit = lambda kind, **data: None  # noqa: ARG005
    should_stop: Callable[[], bool] = lambda: False
    keeper: Callable[[int], CheckpointKeeper] | None = None

    def __call__(
        self,
        module: nn.Module,
        train: NetworkRows,
        validation: NetworkRows | None,
        *,
        seed: int,
        defaults: Mapping[str, Any],
        transform: Transform | None = None,
    ) -> NetworkResult:
        """Train a module and leave the weights to keep in it (see `NetworkLoop`)."""
        options, reasons = fill_in(self.options, defaults)
        initialise(module, str(options.initialisation), seed=seed)
        unit = _unit(str(options.loss), train.targets)
        start_at: Any = getattr(module, "start_at", None)
        if unit.link == "softmax" and start_at is not None:
            n_outputs: Any = module.n_outputs
            start_at(_log_shares(train.targets, n_outputs))
        batches = TensorBatches(
            train.inputs,
            _scaled(train.targets, unit),
            min(int(options.batch_size), len(train.targets)),
            weights=_unless_equal(train.weights),
            seed=seed,
            transform=transform,
            lengths=_lengths(train.inputs),
        )
        loss = _of_members(make_loss(str(options.loss), options), module)
        plan = make_plan(
            options,
            module,
            batches.n_batches,
            early_stopping=None if validation is None else self.early_stopping,
            default_patience=defaults.get("patience", PATIENCE),
            reasons=reasons,
            seed=seed,
            threads=self.threads,
        )
        cost = checked_cost(module, batches, loss, plan)
        plan = with_learning_rate(plan, module, batches, loss)
        self.emit("note", message=told_cost(cost, plan))
        fit = GradientFit(
            module,
            batches,
            loss,
            plan,
            validation=None if validation is None else _in_order(validation, unit),
            watch=Watch(
                self.emit,
                self.should_stop,
                None if self.keeper is None else self.keeper(seed),
                _asking(validation, unit),
            ),
        )
        result = fit.run()
        return NetworkResult(
            unit,
            {
                "curve": {name: thinned(points) for name, points in result.curve.items()},
                "loss": _TITLES.get(str(options.loss), str(options.loss).replace("_", "-")),
                "best_round": result.best_step,
                "n_rounds": result.n_steps,
                "stopped": result.stopped,
                "n_parameters": count_parameters(module)[0],
                "training_options": _as_used(plan),
                "samples": _samples(validation, result.samples),
            },
        )


def _unit(loss: str, targets: Tensor) -> TargetUnit:
    """Return how outputs are read; numbers are learned around 0 in units of their standard deviation.

    Raises
    ------
    RecipeError
        If the loss is none for such targets.
    """
    is_class = not targets.is_floating_point()
    if is_class != (loss in CLASS_LOSSES):
        kind, fitting = ("classes", CLASS_LOSSES) if is_class else ("numbers", NUMBER_LOSSES)
        raise RecipeError(
            f"`training.loss` is `{loss}`, but the target holds {kind}. Choose one of {listed(fitting)}, or "
            "`auto`."
        )
    if is_class:
        return TargetUnit(link="sigmoid" if loss == "bce" else "softmax")
    if loss == "poisson":
        if (least := float(targets.min())) < 0:
            raise RecipeError(
                f"`training.loss` is `poisson`, which is for counts, but the target holds `{least:g}`. "
                "Choose `mse`, `mae` or `huber`."
            )
        return TargetUnit(link="exp")
    known = targets.double()
    return TargetUnit(float(known.mean()), float(known.std(correction=0)) or 1.0)


def _log_shares(codes: Tensor, n_classes: int) -> Tensor:
    """Return the logarithm of each class's share; of a class without rows, as if it had half a row."""
    counts = torch.bincount(codes, minlength=n_classes).double().clamp(min=0.5)
    return (counts / counts.sum()).log().float()


def _unless_equal(weights: Tensor | None) -> Tensor | None:
    """Return the weights, or None where all rows count alike: that costs nothing and rounds nothing."""
    return None if weights is None or bool((weights == weights[0]).all()) else weights


def _scaled(targets: Tensor, unit: TargetUnit) -> Tensor:
    return (targets - unit.center) / unit.scale if targets.is_floating_point() else targets


def _in_order(rows: NetworkRows, unit: TargetUnit) -> Batches:
    y, lengths = _scaled(rows.targets, unit), _lengths(rows.inputs)
    return TensorBatches(
        rows.inputs,
        y,
        _EVALUATION_ROWS if lengths is None else _EVALUATION_ROWS // 8,
        weights=rows.weights,
        lengths=lengths,
    )


def _lengths(inputs: Sequence[Tensor]) -> Tensor | None:
    """Return the lengths of token sequences, which end in padding (0); None for other inputs."""
    if len(inputs) != 1 or inputs[0].ndim != 2 or inputs[0].is_floating_point():
        return None
    return (inputs[0] != 0).sum(dim=1)


def _of_members(loss: Loss, module: nn.Module) -> Loss:
    """Return a loss that asks each member of an ensemble in one network by itself, while it learns."""
    n_members = getattr(module, "n_members", 1)
    if n_members == 1:
        return lambda outputs, targets, *, reduction="mean": loss(
            outputs.squeeze(1) if outputs.ndim == targets.ndim + 2 else outputs, targets, reduction=reduction
        )

    def each_alone(outputs: Tensor, targets: Tensor, *, reduction: str = "mean") -> Tensor:
        if outputs.ndim != targets.ndim + 2:
            return loss(outputs, targets, reduction=reduction)
        flat = loss(outputs.flatten(0, 1), targets.repeat_interleave(n_members), reduction=reduction)
        return flat if reduction == "mean" else flat.view(-1, n_members).mean(dim=1)

    return each_alone


def _shown_rows(rows: NetworkRows) -> list[int]:
    """Return some rows, spread evenly."""
    n_rows = len(rows.targets)
    return sorted({place * n_rows // _N_SHOWN for place in range(_N_SHOWN)}) if n_rows else []


def _asking(rows: NetworkRows | None, unit: TargetUnit) -> Callable[[nn.Module], Any] | None:
    """Return what lets a network answer for the same few rows: the answer and its probability."""
    if rows is None:
        return None
    places = torch.tensor(_shown_rows(rows), dtype=torch.long)
    inputs = tuple(tensor[places] for tensor in rows.inputs)

    def ask(module: nn.Module) -> list[tuple[float | int, float | None]]:
        device = next(module.parameters()).device
        said = unit.read(module(*(each.to(device) for each in inputs)).double().cpu().numpy())
        answers = said.values.tolist()
        sure = (
            [None] * len(answers) if said.probabilities is None else said.probabilities.max(axis=1).tolist()
        )
        return list(zip(answers, sure, strict=True))

    return ask


def _samples(rows: NetworkRows | None, looks: Sequence[Sequence[Any]]) -> list[dict[str, Any]]:
    """Return the answers by row, from a few looks: the first, the last, and some between."""
    if rows is None:
        return []
    spacing = max(1, -(-(len(looks) - 1) // (_N_LOOKS - 1)))
    kept = [look for place, look in enumerate(looks) if place % spacing == 0 or place == len(looks) - 1]
    return [
        {
            "row": place,
            "truth": rows.targets[place].item(),
            "answers": [[step, *answers[index]] for step, answers in kept],
        }
        for index, place in enumerate(_shown_rows(rows))
    ]


def _as_used(plan: Plan) -> list[dict[str, Any]]:
    """Return the options of the recipe's section `training`, without `auto`, and why."""
    used = plan.options.model_dump(mode="json", include=set(GradientOptions.model_fields))
    return [
        {"option": name, "value": value, "why": plan.reasons.get(name, "")} for name, value in used.items()
    ]


def thinned(points: list[tuple[int, float]]) -> list[list[float]]:
    """Return at most some hundred points, the first and the last among them."""
    spacing = max(1, len(points) // _MOST_POINTS)
    return [
        list(point) for place, point in enumerate(points) if place % spacing == 0 or place == len(points) - 1
    ]
