"""Steps 4 to 6 of a network: show, guess, score, learn, repeat.

`GradientFit._epoch` is the loop; everything else on this page prepares it, looks at what it did, or makes
sure that it can go on after it was killed as if nothing had happened.
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import torch
from torch import Tensor, nn

from groundup.core.errors import TrainingError
from groundup.training.batches import Batches
from groundup.training.checkpointing import CheckpointKeeper
from groundup.training.fit_state import FitState, Position, copy_weights, weights_of
from groundup.training.losses import IGNORED, Loss, weighted
from groundup.training.optimizers import NEEDS_MATRICES, is_hidden_matrix, make_optimizers
from groundup.training.parameters import Average, Parameters, histograms
from groundup.training.plan import Plan

VALIDATION: Final = "validation"

Metrics = Callable[[Tensor, Tensor], Mapping[str, float]]
"""From all outputs and targets of the validation part, on the CPU, to numbers by name."""


class Emit(Protocol):
    """Takes note of one event of the fit; learner and fold are known to whoever made it."""

    def __call__(self, kind: str, **data: Any) -> None:
        """Take note of an event (`groundup.core.events.EVENT_KINDS`)."""


@dataclass(frozen=True)
class Watch:
    """Who looks on while a fit goes on.

    Parameters
    ----------
    emit : callable
        Told about every report and evaluation.
    should_stop : callable
        Asked after every step; True ends the fit and keeps the best weights.
    keeper : CheckpointKeeper or None
        Where checkpoints go.
    show : callable or None
        Looks at the network, e.g. lets it predict the same few rows, and returns JSON values; called before
        the first step and at every evaluation.
    """

    emit: Emit = lambda kind, **data: None  # noqa: ARG005
    should_stop: Callable[[], bool] = lambda: False
    keeper: CheckpointKeeper | None = None
    show: Callable[[nn.Module], Any] | None = None


@dataclass(frozen=True)
class GradientResult:
    """How a fit went; its module holds the weights to keep.

    Parameters
    ----------
    n_steps : int
        Updates made.
    best_step : int
        Updates made when the weights that are kept were found.
    curve : dict of str to list of (int, float)
        Losses by part: ``"train"``, and ``"validation"`` if there is such a part.
    samples : list of [int, list]
        What the network said of the same few rows: the step, and what `Watch.show` returned.
    stopped : {"limit", "patience", "request", "diverged"}
        Why it ended: all steps made, no lower validation loss for long enough, somebody asked, or the loss
        was no longer a number, in which case the last good weights are kept.
    seconds : float
        Wall time, since it was resumed if it was.
    samples_per_second : float
        Rows the network learned from a second.
    """

    n_steps: int
    best_step: int
    curve: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    samples: list[list[Any]] = field(default_factory=list)
    stopped: str = "limit"
    seconds: float = 0.0
    samples_per_second: float = 0.0


class GradientFit:
    """One fit of a module.

    Parameters
    ----------
    module : Module
        What learns; its weights are changed in place.
    batches : Batches
        What it learns from.
    loss : Loss
        What is made small.
    plan : Plan
        How.
    validation : Batches or None
        What early stopping looks at.
    metrics : callable or None
        Further numbers on the validation part.
    watch : Watch
        Who looks on.
    rates : mapping of str to float
        Share of the learning rate by the beginning of a parameter's name.
    """

    def __init__(
        self,
        module: nn.Module,
        batches: Batches,
        loss: Loss,
        plan: Plan,
        *,
        validation: Batches | None = None,
        metrics: Metrics | None = None,
        watch: Watch | None = None,
        rates: Mapping[str, float] | None = None,
    ) -> None:
        self.plan, self.loss, self.metrics = plan, loss, metrics
        self.watch, options, device = watch or Watch(), plan.options, plan.hardware.device
        self.batches = batches.on(device)
        self.validation = None if validation is None else validation.on(device)
        self.module = plan.hardware.place(module)
        is_matrix = is_hidden_matrix if plan.optimizer in NEEDS_MATRICES else None
        self.parameters = Parameters(self.module, is_matrix=is_matrix, rates=rates)
        optimizers = make_optimizers(
            plan.optimizer,
            self.parameters.groups,
            weight_decay=plan.weight_decay,
            momentum=plan.momentum,
        )
        average = None if plan.ema is None else Average(self.module, self.parameters, plan.ema)
        self.state = FitState(self.module, optimizers, Position(), average)
        self._forward: Callable[..., Tensor] = torch.compile(module) if plan.hardware.is_compiled else module
        self._computing: Callable[[], AbstractContextManager[Any]] = plan.hardware.computing()
        self._norm: Tensor | None = None
        self._first_step = self._next_pause = self._reported_step = 0
        self._began = self._reported_at = time.monotonic()
        self._checkpoint_at = self._began + options.checkpoint_seconds

    def run(self) -> GradientResult:
        """Train until the last step, until nothing improves, or until somebody asks to stop.

        Raises
        ------
        TrainingError
            If the loss is no number before any good weights were found, or memory runs out.
        """
        with alone(self.plan):
            torch.manual_seed(self.plan.seed)
            try:
                self._begin()
                while self.state.position.stopped is None:
                    self._epoch()
                return self._end()
            except RuntimeError as error:
                if not is_out_of_memory(error):
                    raise
                raise TrainingError(_too_large(self.plan)) from error

    def _epoch(self) -> None:
        """Go through what is left of the present epoch."""
        plan, state, at = self.plan, self.state, self.state.position
        forward, loss, computing, losses = self._forward, self.loss, self._computing, state.losses
        parameters, optimizers, average = self.parameters, state.optimizers, state.average
        n_parts, clip_norm, rate = plan.options.accumulate, plan.clip_norm, plan.learning_rate
        for batch in self.batches.epoch(at.epoch, at.batch):
            for part in batch.parts(n_parts) if n_parts > 1 else (batch,):
                with computing():
                    error = weighted(loss, forward(*part.inputs), part.targets, part.weights)
                (error / n_parts if n_parts > 1 else error).backward()
                losses.append(error.detach())
            if clip_norm is not None:
                self._norm = parameters.clip(clip_norm)
            optimizers.step(rate * at.rate_factor * plan.schedule(at.step))
            parameters.zero_grad()
            if average is not None:
                average.update()
            at.step += 1
            at.batch += 1
            if self._is_due() and self._pause():
                return
        at.epoch, at.batch = at.epoch + 1, 0

    def _begin(self) -> None:
        """Go on from the newest checkpoint, or look at the network before it has learned anything."""
        found = None if self.watch.keeper is None else self.watch.keeper.latest()
        if found is None:
            self._look()
        else:
            self.state.restore(found)
            if self.state.position.stopped == "request":  # whoever resumes it asks for more
                self.state.position.stopped = None
        self.module.train()
        self._first_step = self._reported_step = self.state.position.step
        self._schedule_pause()

    def _is_due(self) -> bool:
        """Return whether there is something to do besides training."""
        return (
            self.state.position.step >= self._next_pause
            or self.watch.should_stop()
            or (self.watch.keeper is not None and time.monotonic() >= self._checkpoint_at)
        )

    def _schedule_pause(self) -> None:
        step, plan = self.state.position.step, self.plan
        after = (every - step % every for every in (plan.report_every, plan.evaluate_every))
        self._next_pause = min(plan.n_steps, step + min(after))

    def _pause(self) -> bool:
        """Report, evaluate, keep a checkpoint: whatever is due; return whether the fit is over."""
        plan, at = self.plan, self.state.position
        is_last = at.step >= plan.n_steps
        if is_last or at.step % plan.report_every == 0 or at.step % plan.evaluate_every == 0:
            self._report()
        if at.stopped is None and (is_last or at.step % plan.evaluate_every == 0):
            self._look()
            self.module.train()
        if at.stopped is None and is_last:
            at.stopped = "limit"
        if at.stopped is None and self.watch.should_stop():
            at.stopped = "request"
        if at.stopped is not None or time.monotonic() >= self._checkpoint_at:
            self._keep()
        self._schedule_pause()
        return at.stopped is not None

    def _report(self) -> None:
        """Tell the mean training loss since the last report; end the fit if it is no number."""
        at, losses, now = self.state.position, self.state.losses, time.monotonic()
        loss = float(torch.stack(losses).mean())
        losses.clear()
        if not math.isfinite(loss):
            if not self.state.best:
                raise TrainingError(_diverged(loss, at.step, self.plan))
            at.stopped = "diverged"
            return
        at.curve.setdefault("train", []).append((at.step, loss))
        n_rows = (at.step - self._reported_step) * self.batches.n_samples / self.batches.n_batches
        facts = {
            "loss": loss,
            "learning_rate": self.plan.learning_rate * at.rate_factor * self.plan.schedule(at.step - 1),
            "samples_per_second": n_rows / max(now - self._reported_at, 1e-9),
        }
        if self._norm is not None:
            facts["gradient_norm"] = float(self._norm)
        self.watch.emit("steps", step=at.step, n_steps=self.plan.n_steps, metrics=facts)
        self._reported_step, self._reported_at = at.step, now

    def _look(self) -> None:
        """Let the network answer: a few rows for people to see, and the validation part."""
        at, average = self.state.position, self.state.average
        self.module.eval()
        if average is not None:
            average.swap()
        if self.watch.show is not None:
            with torch.no_grad():
                samples = self.watch.show(self.module)
            at.samples.append([at.step, samples])
            self.watch.emit("samples", step=at.step, samples=samples)
        if self.watch.show is not None:
            self.watch.emit("weights", step=at.step, histograms=histograms(self.module))
        if self.validation is not None:
            found = self._measure(self.validation)
            at.curve.setdefault(VALIDATION, []).append((at.step, found[VALIDATION]))
            self._compare(found[VALIDATION])
            known = {**_since_last_look(at.curve), **found}
            self.watch.emit("round", round=at.step, n_rounds=self.plan.n_steps, metrics=known)
        if average is not None:
            average.swap()
        self._reported_at = time.monotonic()

    @torch.no_grad()
    def _measure(self, batches: Batches) -> dict[str, float]:
        """Return the mean loss, and the further metrics, on all rows of a part."""
        device = self.plan.hardware.device
        total, n_targets = torch.zeros((), device=device), torch.zeros((), device=device)
        outputs, targets = [], []
        for batch in batches.epoch(0):
            with self._computing():
                answers = self.module(*batch.inputs)
                error = weighted(self.loss, answers, batch.targets, batch.weights)
            n_rows = _weight_of(batch.targets, batch.weights)
            total += error.float() * n_rows
            n_targets += n_rows
            if self.metrics is not None:
                outputs.append(answers.float().cpu())
                targets.append(batch.targets.cpu())
        found = {VALIDATION: float(total / n_targets)}
        if self.metrics is not None:
            found |= self.metrics(torch.cat(outputs), torch.cat(targets))
        return found

    def _compare(self, loss: float) -> None:
        """Keep the weights if they are the best so far; otherwise lower the rate, or end the fit, in time."""
        at, plan = self.state.position, self.plan
        if math.isfinite(loss) and (at.best_loss is None or loss < at.best_loss - plan.min_delta):
            at.best_loss, at.best_step, at.n_stale, at.n_flat = loss, at.step, 0, 0
            self.state.best = weights_of(self.module)
            return
        at.n_stale += 1
        at.n_flat += 1
        if plan.plateau and at.n_flat >= plan.plateau:
            at.rate_factor, at.n_flat = at.rate_factor / 10, 0
        if plan.patience is not None and at.n_stale >= plan.patience:
            at.stopped = "patience"

    def _keep(self) -> None:
        """Write a checkpoint, unless the one before is still being written; the last one in any case."""
        keeper, at = self.watch.keeper, self.state.position
        if keeper is None:
            return
        if at.stopped is not None or not keeper.is_busy:
            # Told first: what others have noted up to here is then written before the checkpoint is.
            self.watch.emit("checkpoint", key=f"step-{at.step}")
            keeper.save(self.state.snapshot())
        if at.stopped is not None:
            keeper.wait()
        self._checkpoint_at = time.monotonic() + self.plan.options.checkpoint_seconds

    def _end(self) -> GradientResult:
        """Put the weights that are kept into the module."""
        at, best = self.state.position, self.state.best
        assert at.stopped is not None
        best_step = at.step
        if best and (self.plan.patience is not None or at.stopped == "diverged"):
            copy_weights(best, self.module)
            best_step = at.best_step
        elif self.state.average is not None:
            self.state.average.swap()
        self.module.eval()
        seconds = time.monotonic() - self._began
        n_rows = (at.step - self._first_step) * self.batches.n_samples / self.batches.n_batches
        return GradientResult(
            at.step, best_step, dict(at.curve), at.samples, at.stopped, seconds, n_rows / max(seconds, 1e-9)
        )


def _since_last_look(curve: Mapping[str, list[tuple[int, float]]]) -> dict[str, float]:
    """Return the mean training loss since the look before this one, as ``{"train": …}``; {} at the start."""
    looks = curve.get(VALIDATION, [])
    since = looks[-2][0] if len(looks) > 1 else 0
    losses = [loss for step, loss in curve.get("train", []) if step > since]
    return {"train": sum(losses) / len(losses)} if losses else {}


def _weight_of(targets: Tensor, weights: Tensor | None) -> Tensor:
    """Return how much a batch counts: the weights of its rows, or how many of its targets count."""
    if weights is not None:
        return weights.sum()
    if targets.is_floating_point():
        return torch.tensor(float(targets.numel()))
    return (targets != IGNORED).sum()


@contextmanager
def alone(plan: Plan) -> Iterator[None]:
    """Compute with the plan's threads, and with generators of its own: the caller's stay as they were."""
    device, threads = plan.hardware.device, torch.get_num_threads()
    torch.set_num_threads(plan.threads)
    try:
        with torch.random.fork_rng([device.index or 0] if device.type == "cuda" else []):
            yield
    finally:
        torch.set_num_threads(threads)


def is_out_of_memory(error: RuntimeError) -> bool:
    """Return whether torch, on a CPU or a GPU, could not get the memory it asked for."""
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)


def _too_large(plan: Plan) -> str:
    size = int(plan.options.batch_size)
    parts = plan.options.accumulate * 2
    return (
        f"There is not enough memory for a batch of {size} rows. Set `training.accumulate: {parts}`, which "
        f"learns the same from {max(1, size // parts)} rows at a time, or a smaller batch, such as "
        f"`training.batch_size: {max(1, size // 2)}`."
    )


def _diverged(loss: float, step: int, plan: Plan) -> str:
    return (
        f"The training loss became `{loss}` by step {step}, before the network had learned anything. Lower "
        f"the learning rate (`training.learning_rate: {plan.learning_rate / 10:g}`, or `auto`), and look for "
        "extreme values in the inputs and the target."
    )
