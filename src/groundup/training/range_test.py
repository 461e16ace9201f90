"""The learning-rate range test: raise the rate until the loss no longer falls, and take what fell fastest."""

import copy
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import torch
from torch import nn

from groundup.core.errors import TrainingError
from groundup.training.batches import Batch, Batches
from groundup.training.loop import alone
from groundup.training.losses import Loss, weighted
from groundup.training.optimizers import NEEDS_MATRICES, is_hidden_matrix, make_optimizers
from groundup.training.parameters import Parameters
from groundup.training.plan import Plan

N_STEPS: Final = 100
"""Steps of the test, each with another batch and a rate 20 % above the one before."""

_LOWEST, _HIGHEST = 1e-6, 10.0
_SMOOTHING: Final = 0.8
_DIVERGED: Final = 4.0  # times the lowest loss: nothing is learned beyond
_LEAST_FALL: Final = 0.98  # of the first loss: what does not fall below is chance
_BACKED_OFF: Final = 0.4  # of the rate at which the loss was lowest: by then updates begin to be too large


@dataclass(frozen=True)
class RangeTest:
    """What a range test found.

    Parameters
    ----------
    learning_rate : float
        What it suggests: the largest rate with which the loss fell steadily.
    rates, losses : tuple of float
        The rates tried, and the smoothed loss at each.
    """

    learning_rate: float
    rates: tuple[float, ...]
    losses: tuple[float, ...]

    @property
    def sentence(self) -> str:
        """The result for people."""
        return (
            f"range test over {len(self.rates)} steps: the loss fell from {self.losses[0]:.3g} to "
            f"{min(self.losses):.3g} while the rate rose from {self.rates[0]:.1e} to "
            f"{self.rates[self.losses.index(min(self.losses))]:.1e}"
        )


def range_test(module: nn.Module, batches: Batches, loss: Loss, plan: Plan) -> RangeTest:
    """Return a learning rate for a module, which stays as it is.

    Parameters
    ----------
    module : Module
        On any device; a copy is trained.
    batches : Batches
        What it is to learn from.
    loss : Loss
        What is made small.
    plan : Plan
        For the optimizer, the hardware and the seed; its learning rate is not looked at.

    Returns
    -------
    RangeTest

    Raises
    ------
    TrainingError
        If the loss falls with no rate.

    References
    ----------
    Smith (2017), "Cyclical learning rates for training neural networks", WACV.
    """
    trial = plan.hardware.place(copy.deepcopy(module)).train()
    needs_matrices = plan.optimizer in NEEDS_MATRICES
    parameters = Parameters(trial, is_matrix=is_hidden_matrix if needs_matrices else None)
    optimizers = make_optimizers(
        plan.optimizer,
        parameters.groups,
        weight_decay=plan.weight_decay,
        momentum=plan.momentum,
    )
    computing, growth = plan.hardware.computing(), (_HIGHEST / _LOWEST) ** (1 / (N_STEPS - 1))
    rates: list[float] = []
    losses: list[float] = []
    mean = 0.0
    with alone(plan):
        torch.manual_seed(plan.seed)
        for step, batch in zip(range(N_STEPS), _endless(batches.on(plan.hardware.device)), strict=False):
            rate = _LOWEST * growth**step
            with computing():
                error = weighted(loss, trial(*batch.inputs), batch.targets, batch.weights)
            mean = _SMOOTHING * mean + (1 - _SMOOTHING) * float(error.detach())
            smooth = mean / (1 - _SMOOTHING ** (step + 1))
            if not math.isfinite(smooth) or (losses and smooth > _DIVERGED * min(losses)):
                break
            rates.append(rate)
            losses.append(smooth)
            error.backward()
            optimizers.step(rate)
            parameters.zero_grad()
    lowest = losses.index(min(losses)) if losses else 0
    if not losses or losses[lowest] > _LEAST_FALL * losses[0]:
        raise TrainingError(
            "The range test found no learning rate with which the loss falls. Set `training.learning_rate` "
            "yourself, and look whether the inputs say anything about the target."
        )
    return RangeTest(_rounded(_BACKED_OFF * rates[lowest]), tuple(rates), tuple(losses))


def with_learning_rate(plan: Plan, module: nn.Module, batches: Batches, loss: Loss) -> Plan:
    """Return the plan with a learning rate: the one asked for, or what a range test suggests."""
    if plan.options.learning_rate != "auto":
        return plan
    found = range_test(module, batches, loss, plan)
    options = plan.options.model_copy(update={"learning_rate": found.learning_rate})
    return replace(plan, options=options, reasons={**plan.reasons, "learning_rate": found.sentence})


def _endless(batches: Batches) -> Iterator[Batch]:
    epoch = 0
    while True:
        yield from batches.epoch(epoch)
        epoch += 1


def _rounded(rate: float) -> float:
    """Return a rate with two digits, which is as exact as it is."""
    return float(f"{rate:.1e}")
