"""`fit` for people who bring a module of their own: the loop with everything around it, in one call."""

import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from torch import Tensor, nn

from groundup.core.checkpoints import CheckpointStore
from groundup.core.errors import TrainingError
from groundup.core.events import EventStream, Observer
from groundup.training.batches import Batches, TensorBatches
from groundup.training.checkpointing import CheckpointKeeper
from groundup.training.gradient_options import GradientOptions
from groundup.training.loop import GradientFit, GradientResult, Metrics, Watch
from groundup.training.losses import make_loss
from groundup.training.options import EarlyStopping
from groundup.training.plan import Plan, fill_in, make_plan
from groundup.training.range_test import with_learning_rate

Data = Batches | Sequence[Tensor]
"""Batches, or tensors of equal length: what the module is called with, and last what it should say."""


def fit(
    module: nn.Module,
    data: Data,
    options: GradientOptions | None = None,
    observers: Sequence[Observer] = (),
    *,
    validation: Data | None = None,
    metrics: Metrics | None = None,
    early_stopping: EarlyStopping | None = None,
    seed: int = 0,
    threads: int = 1,
    checkpoints: Path | None = None,
) -> GradientResult:
    """Train any module and leave the weights to keep in it.

    Parameters
    ----------
    module : Module
        Called as ``module(*inputs)``; its weights are changed in place.
    data : Batches or sequence of Tensor
        What it learns from: ``(X, y)``, or several inputs and last the targets. Codes (integers) are classes,
        for which the module gives logits; numbers are predicted as they are.
    options : GradientOptions, optional
        Epochs, batch size, optimizer, …; `auto` is `groundup.training.plan.DEFAULTS`.
    observers : sequence of Observer
        Who is told what happens; each may ask to stop.
    validation : Batches or sequence of Tensor, optional
        What is looked at to stop early and to keep the best weights.
    metrics : callable, optional
        ``(outputs, targets)`` → numbers by name, on the whole validation part.
    early_stopping : EarlyStopping, optional
        When to end before the last step and return the best weights; None: never.
    seed : int, default=0
        Of the order of rows and of dropout.
    threads : int, default=1
        Threads of the processor; more help large networks on an idle machine, and slow all others.
    checkpoints : Path, optional
        A folder of this fit's own. If it holds checkpoints of a killed call, training goes on from there.

    Returns
    -------
    GradientResult

    Raises
    ------
    TrainingError
        If the loss is no number, or memory runs out; the message says what to change.

    Examples
    --------
    >>> import torch
    >>> X, module = torch.linspace(-1, 1, 64).unsqueeze(1), nn.Linear(1, 1)
    >>> options = GradientOptions(epochs=60, batch_size=16, learning_rate=0.05)
    >>> result = fit(module, (X, 2 * X[:, 0] + 1), options)
    >>> result.n_steps, round(module.weight.item(), 1), round(module.bias.item(), 1)
    (240, 2.0, 1.0)
    """
    targets = data[-1] if isinstance(data, Sequence) else next(iter(data.epoch(0))).targets
    usual = {"loss": "mse" if targets.is_floating_point() else "cross_entropy"}
    filled, reasons = fill_in(options or GradientOptions(), usual)
    batches = _batches(data, int(filled.batch_size), seed)
    plan = make_plan(
        filled,
        module,
        batches.n_batches,
        early_stopping=early_stopping,
        reasons=reasons,
        seed=seed,
        threads=threads,
    )
    stream = EventStream(observers, clock=time.monotonic)
    keeper = None
    if checkpoints is not None:
        keeper = CheckpointKeeper(
            CheckpointStore(checkpoints),
            "fit",
            identity=_identity(plan, batches),
            tell=lambda message: stream.emit("note", message=message),
            n_kept=plan.options.keep_checkpoints,
        )
    loss = make_loss(str(filled.loss), filled)
    fitting = GradientFit(
        module,
        batches,
        loss,
        with_learning_rate(plan, module, batches, loss),
        validation=None if validation is None else _batches(validation, int(filled.batch_size), None),
        metrics=metrics,
        watch=Watch(partial(stream.emit, learner="module", fold=None), lambda: stream.should_stop, keeper),
    )
    return fitting.run()


def _batches(data: Data, batch_size: int, seed: int | None) -> Batches:
    if not isinstance(data, Sequence):
        return data
    lengths = {len(tensor) for tensor in data}
    if len(data) < 2 or len(lengths) != 1:
        raise TrainingError(
            f"The data are {len(data)} tensors of {' and '.join(map(str, sorted(lengths)))} rows; give at "
            "least two of equal length: what the module is called with, and last what it should say."
        )
    return TensorBatches(tuple(data[:-1]), data[-1], batch_size, seed=seed)


def _identity(plan: Plan, batches: Batches) -> str:
    return f"{plan.options.model_dump_json()} {plan.seed} {batches.n_samples} {batches.n_batches}"
