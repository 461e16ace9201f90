"""The training of a learner's network: from its random weights to the weights that are kept."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor, nn

from groundup.models.contract import NetworkRows
from groundup.models.networks.initialisation import initialise
from groundup.training.batches import Batches, TensorBatches
from groundup.training.checkpointing import CheckpointKeeper
from groundup.training.gradient_options import GradientOptions
from groundup.training.loop import Emit, GradientFit, Watch
from groundup.training.losses import Loss, make_loss
from groundup.training.options import EarlyStopping
from groundup.training.parameters import count_parameters
from groundup.training.plan import PATIENCE, fill_in, make_plan
from groundup.training.range_test import with_learning_rate

_EVALUATION_ROWS: Final = 1024
_MOST_POINTS: Final = 200


@dataclass(frozen=True)
class NetworkTraining:
    """What every network of a run is trained with; bound into `FitContext.train_network`.

    Parameters
    ----------
    options : GradientOptions
        What the recipe asks for.
    early_stopping : EarlyStopping or None
        When to end before the last step.
    seed : int
        Of this fit.
    threads : int
        Threads it may use.
    emit : callable
        Told what happens.
    should_stop : callable
        Asked after every step.
    keeper : CheckpointKeeper or None
        Where checkpoints go.
    """

    options: GradientOptions
    early_stopping: EarlyStopping | None
    seed: int
    threads: int
    emit: Emit
    should_stop: Callable[[], bool]
    keeper: CheckpointKeeper | None = None

    def __call__(
        self,
        module: nn.Module,
        train: NetworkRows,
        validation: NetworkRows | None,
        *,
        defaults: Mapping[str, Any],
        show: Callable[[nn.Module], Any] | None = None,
    ) -> dict[str, Any]:
        """Train a module and leave the weights to keep in it (see `NetworkLoop`)."""
        is_class = not train.targets.is_floating_point()
        usual = {"loss": "cross_entropy" if is_class else "mse", **defaults}
        options, reasons = fill_in(self.options, usual)
        initialise(module, str(options.initialisation), seed=self.seed)
        batches = TensorBatches(
            train.inputs,
            train.targets,
            min(int(options.batch_size), len(train.targets)),
            weights=train.weights,
            seed=self.seed,
            transform=train.transform,
        )
        loss = _of_members(make_loss(str(options.loss), options), module)
        plan = make_plan(
            options,
            module,
            batches.n_batches,
            early_stopping=self.early_stopping,
            default_patience=defaults.get("patience", PATIENCE),
            reasons=reasons,
            seed=self.seed,
            threads=self.threads,
        )
        plan = with_learning_rate(plan, module, batches, loss)
        fit = GradientFit(
            module,
            batches,
            loss,
            plan,
            validation=None if validation is None else _in_order(validation),
            watch=Watch(self.emit, self.should_stop, self.keeper, show),
        )
        result = fit.run()
        return {
            "curve": {name: _thinned(points) for name, points in result.curve.items()},
            "loss": options.loss,
            "best_round": result.best_step,
            "n_rounds": result.n_steps,
            "stopped": result.stopped,
            "n_parameters": count_parameters(module)[0],
            "samples_per_second": result.samples_per_second,
            "training": plan.options.model_dump(mode="json"),
            "training_reasons": dict(plan.reasons),
        }


def _in_order(rows: NetworkRows) -> Batches:
    return TensorBatches(rows.inputs, rows.targets, _EVALUATION_ROWS, weights=rows.weights)


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


def _thinned(points: list[tuple[int, float]]) -> list[tuple[int, float]]:
    """Return at most some hundred points, the first and the last among them."""
    spacing = max(1, len(points) // _MOST_POINTS)
    return [point for place, point in enumerate(points) if place % spacing == 0 or place == len(points) - 1]


def as_tensor(array: Any) -> Tensor:
    """Return an array as a network learns from it: numbers in 32 bits, codes as they are."""
    tensor = torch.as_tensor(array)
    return tensor.float() if tensor.is_floating_point() else tensor
