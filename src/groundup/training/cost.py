"""What a network costs, before it is paid: parameters, memory, operations, and after some steps the time."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from groundup.core.errors import TrainingError
from groundup.core.wording import count
from groundup.training.batches import Batch, Batches
from groundup.training.hardware import Hardware
from groundup.training.losses import Loss, weighted
from groundup.training.parameters import count_parameters
from groundup.training.plan import Plan

_PROBED_ROWS: Final = (2, 4)
_COPIES: Final = {"sgd": 1, "adam": 2, "adamw": 2, "rmsprop": 2, "adagrad": 1, "muon": 2}
"""Numbers an optimizer remembers of each weight, at most."""
_BACKWARD: Final = 2  # times the operations of the forward pass: by weights, and by inputs
_CONVOLUTIONS: Final = (nn.Conv1d, nn.Conv2d)
_MATRICES: Final = (nn.Linear, nn.LSTM, nn.GRU, *_CONVOLUTIONS)
_SPARE: Final = 0.9  # of the free memory: other programs breathe, too
_CGROUP: Final = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class Cost:
    """What a network costs.

    Parameters
    ----------
    n_parameters, n_learned : int
        Numbers it holds, and those of them that are learned.
    fixed_bytes : int
        Memory for weights, gradients, the optimizer and copies of the weights.
    row_bytes : int
        Memory for what the backward pass needs of each row of a batch.
    row_flops : int
        Multiplications and additions for a row, forward and backward.
    """

    n_parameters: int
    n_learned: int
    fixed_bytes: int
    row_bytes: int
    row_flops: int

    def memory_bytes(self, n_rows: int) -> int:
        """Return the memory that a step over `n_rows` needs."""
        return self.fixed_bytes + n_rows * self.row_bytes

    def rows_that_fit(self, free_bytes: int) -> int:
        """Return how many rows of a batch fit into `free_bytes`; 0 where not even the weights do."""
        return max(0, (free_bytes - self.fixed_bytes) // max(1, self.row_bytes))


def estimate_cost(module: nn.Module, batches: Batches, loss: Loss, plan: Plan) -> Cost:
    """Return what a fit costs, from a look at two small batches; the module stays as it is.

    Parameters
    ----------
    module : Module
        On its device.
    batches : Batches
        What it is to learn from.
    loss : Loss
        What is made small.
    plan : Plan
        For the optimizer, the precision, and what is kept of the weights.
    """
    batch = next(iter(batches.epoch(0)))
    n_first, n_second = (min(n, len(batch.targets)) for n in _PROBED_ROWS)
    first = _saved_bytes(module, batch, n_first, loss, plan.hardware)
    second = _saved_bytes(module, batch, n_second, loss, plan.hardware) if n_second > n_first else first
    per_row = (second - first) // (n_second - n_first) if n_second > n_first else first
    n_learned, n_all = count_parameters(module)
    copies = 2 + _COPIES[plan.optimizer] + (plan.ema is not None) + (plan.patience is not None)
    fixed = 4 * (n_all + n_learned * (copies - 1)) + max(0, first - n_first * per_row)
    return Cost(n_all, n_learned, fixed, per_row, (1 + _BACKWARD) * _row_flops(module, batch))


def told_cost(cost: Cost, plan: Plan) -> str:
    """Return what a fit costs as a sentence."""
    size = int(plan.options.batch_size)
    flops = cost.row_flops * size * plan.n_steps
    memory = cost.memory_bytes(size // plan.options.accumulate)
    return (
        f"{count(cost.n_parameters, 'weight')}, {_rounded(memory)}B of memory, at most "
        f"{count(plan.n_steps, 'step')} of {count(size, 'row')}: {_rounded(flops)}FLOP."
    )


def _rounded(amount: float) -> str:
    """Return a number with its prefix, e.g. ``"3.2 G"``."""
    for prefix in ("", "k", "M", "G", "T"):
        if amount < 999.5:
            return f"{amount:.3g} {prefix}"
        amount /= 1000
    return f"{amount:.3g} P"


def checked_cost(module: nn.Module, batches: Batches, loss: Loss, plan: Plan) -> Cost:
    """Bring a module to where it will be trained, and return what a fit costs if it fits in memory there.

    Parameters
    ----------
    module, batches, loss, plan
        See `estimate_cost`; wherever they are.

    Raises
    ------
    TrainingError
        See `check_memory`.
    """
    plan.hardware.place(module)
    cost = estimate_cost(module, batches.on(plan.hardware.device), loss, plan)
    check_memory(cost, plan)
    return cost


def check_memory(cost: Cost, plan: Plan) -> None:
    """Refuse a fit that would not fit in memory.

    Raises
    ------
    TrainingError
        Says which batch would fit.
    """
    free = free_memory_bytes(plan.hardware.device)
    size = int(plan.options.batch_size) // plan.options.accumulate
    needed = cost.memory_bytes(size)
    if free is None or needed <= _SPARE * free:
        return
    fitting = cost.rows_that_fit(int(_SPARE * free))
    told = f"A step needs about {needed / 1e9:.1f} GB of memory, and {free / 1e9:.1f} GB are free."
    if not fitting:
        raise TrainingError(
            f"{told} The weights alone ({cost.n_parameters:,} numbers) do not fit. Choose a smaller network."
        )
    parts = -(-int(plan.options.batch_size) // fitting)
    raise TrainingError(
        f"{told} Set `training.batch_size: {fitting}`, or `training.accumulate: {parts}`, which learns the "
        "same from smaller parts of a batch."
    )


def free_memory_bytes(device: torch.device) -> int | None:
    """Return the memory that is free on a device, in a container no more than its limit; None if unknown."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        free = next(1024 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration, ValueError):
        return None
    try:
        limit = int((_CGROUP / "memory.max").read_text(encoding="ascii"))
        used = int((_CGROUP / "memory.current").read_text(encoding="ascii"))
        return max(0, min(free, limit - used))
    except (OSError, ValueError):  # no container, or "max": no limit
        return free


def _saved_bytes(module: nn.Module, batch: Batch, n_rows: int, loss: Loss, hardware: Hardware) -> int:
    """Return the bytes that the backward pass over some rows needs, weights not counted."""
    own = {parameter.untyped_storage().data_ptr() for parameter in module.parameters()}
    seen: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        if tensor.untyped_storage().data_ptr() not in own:
            seen[tensor.data_ptr()] = max(tensor.nbytes, seen.get(tensor.data_ptr(), 0))
        return tensor

    part = _first_rows(batch, n_rows)
    was_training = module.training
    with torch.random.fork_rng(), torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        state = {name: buffer.clone() for name, buffer in module.named_buffers()}
        module.train()
        with hardware.computing()():
            weighted(loss, module(*part.inputs), part.targets, part.weights)
        module.train(was_training)
        for name, buffer in module.named_buffers():  # running statistics
            buffer.copy_(state[name])
    return sum(seen.values())


def _row_flops(module: nn.Module, batch: Batch) -> int:
    """Return the multiplications and additions of the forward pass over a row, in its matrices and kernels.

    What each number goes through by itself (norms, activations) is not counted, nor are the matches of
    attention, which are few beside the matrices while a sequence is not longer than the network is wide.
    """
    total = 0

    def count(layer: nn.Module, _inputs: object, output: object) -> None:
        nonlocal total
        found = output[0] if isinstance(output, tuple) else output
        found = found.data if isinstance(found, PackedSequence) else found
        assert isinstance(found, Tensor)
        n_weights = sum(parameter.numel() for parameter in layer.parameters() if parameter.ndim >= 2)
        n_places = found.numel() // (found.shape[1] if isinstance(layer, _CONVOLUTIONS) else found.shape[-1])
        total += 2 * n_weights * n_places

    hooks = [each.register_forward_hook(count) for each in module.modules() if isinstance(each, _MATRICES)]
    was_training = module.training
    module.eval()
    with torch.no_grad():
        module(*_first_rows(batch, 1).inputs)
    module.train(was_training)
    for hook in hooks:
        hook.remove()
    return total


def _first_rows(batch: Batch, n_rows: int) -> Batch:
    weights = None if batch.weights is None else batch.weights[:n_rows]
    return Batch(tuple(tensor[:n_rows] for tensor in batch.inputs), batch.targets[:n_rows], weights)
