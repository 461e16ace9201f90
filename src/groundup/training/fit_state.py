"""Everything that decides how a fit goes on: taken out of memory as arrays, and put back bit for bit."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from groundup.training.checkpointing import Snapshot
from groundup.training.optimizers import Optimizers
from groundup.training.parameters import Average

Stopped = Literal["limit", "patience", "request", "diverged"]
Weights = dict[str, Tensor]

_AS_BITS: Final = {torch.bfloat16: torch.int16}
"""Types that NumPy does not know, and those that hold the same bits."""


@dataclass
class Position:
    """How far a fit is.

    Parameters
    ----------
    step : int
        Updates made.
    epoch, batch : int
        The epoch, from 0, and the next batch in it.
    rate_factor : float
        By what the learning rate was lowered because the validation loss did not fall.
    best_loss : float or None
        Lowest monitored loss so far.
    best_step : int
        Updates made when it was found.
    n_stale : int
        Evaluations since then.
    n_flat : int
        Evaluations since then, or since the learning rate was lowered.
    curve : dict of str to list
        Losses by part, each as [step, value].
    samples : list of [int, list]
        What the network said of the same few rows: the step, and an answer a row, as JSON values.
    stopped : str or None
        Why it ended.
    """

    step: int = 0
    epoch: int = 0
    batch: int = 0
    rate_factor: float = 1.0
    best_loss: float | None = None
    best_step: int = 0
    n_stale: int = 0
    n_flat: int = 0
    curve: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    samples: list[list[Any]] = field(default_factory=list)
    stopped: Stopped | None = None


@dataclass
class FitState:
    """What a checkpoint holds.

    Parameters
    ----------
    module : Module
        Its weights and buffers.
    optimizers : Optimizers
        Their moments.
    position : Position
        How far it is.
    average : Average or None
        The moving average of the weights.
    best : dict of str to Tensor
        The weights with the lowest monitored loss; empty before the first evaluation.
    losses : list of Tensor
        Training losses since the last report.
    """

    module: nn.Module
    optimizers: Optimizers
    position: Position
    average: Average | None = None
    best: Weights = field(default_factory=dict)
    losses: list[Tensor] = field(default_factory=list)

    def snapshot(self) -> Snapshot:
        """Copy everything out of the network's memory; waits for the device."""
        arrays: dict[str, NDArray[Any]] = {}
        types: dict[str, str] = {}

        def put(name: str, tensor: Tensor) -> None:
            kept = tensor.detach().to("cpu", copy=True)
            if kept.dtype in _AS_BITS:
                types[name] = str(kept.dtype).removeprefix("torch.")
                kept = kept.view(_AS_BITS[kept.dtype])
            arrays[name] = kept.contiguous().numpy()

        for name, tensor in self.module.state_dict().items():
            put(f"module/{name}", tensor)
        for name, tensor in self.best.items():
            put(f"best/{name}", tensor)
        for number, tensor in enumerate(self.average.tensors if self.average is not None else ()):
            put(f"average/{number}", tensor)
        if self.losses:
            put("losses", torch.stack(self.losses))
        for name, state in _generators(self.device).items():
            put(f"generator/{name}", state)
        n_steps, moments = self.optimizers.state()
        for name, tensor in moments.items():
            put(f"optimizers/{name}", tensor)
        facts = {
            "position": asdict(self.position),
            "n_optimizer_steps": n_steps,
            "n_averaged": 0 if self.average is None else self.average.n_updates,
            "types": types,
        }
        return Snapshot(self.position.step, facts, arrays)

    def restore(self, snapshot: Snapshot) -> None:
        """Put back what `snapshot` took."""
        facts, device = snapshot.facts, self.device
        tensors = {name: _tensor(array, facts["types"].get(name)) for name, array in snapshot.arrays.items()}

        def section(name: str) -> dict[str, Tensor]:
            start = f"{name}/"
            return {key.removeprefix(start): each for key, each in tensors.items() if key.startswith(start)}

        copy_weights(section("module"), self.module)
        self.best = {name: tensor.to(device) for name, tensor in section("best").items()}
        self.losses = list(tensors["losses"].to(device)) if "losses" in tensors else []
        if self.average is not None:
            for number, tensor in section("average").items():
                self.average.tensors[int(number)].copy_(tensor)
            self.average.n_updates = facts["n_averaged"]
        self.optimizers.load_state(facts["n_optimizer_steps"], section("optimizers"))
        self.position = position_of(facts["position"])
        _set_generators(section("generator"))

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.module.parameters()).device


def weights_of(module: nn.Module) -> Weights:
    """Return a copy of a module's weights and buffers."""
    return {name: tensor.detach().clone() for name, tensor in module.state_dict().items()}


@torch.no_grad()
def copy_weights(weights: Mapping[str, Tensor], module: nn.Module) -> None:
    """Write weights into a module, where they lie: views into longer vectors stay views."""
    for name, tensor in module.state_dict(keep_vars=True).items():
        tensor.data.copy_(weights[name])


def position_of(values: Mapping[str, Any]) -> Position:
    """Return the position that `asdict` described."""
    curve = {
        name: [(int(step), float(value)) for step, value in points]
        for name, points in values["curve"].items()
    }
    return Position(**{**values, "curve": curve})


def _tensor(array: NDArray[Any], kind: str | None) -> Tensor:
    tensor = torch.from_numpy(np.array(array))  # writable, and ours
    return tensor if kind is None else tensor.view(getattr(torch, kind))


def _generators(device: torch.device) -> dict[str, Tensor]:
    """Return the states of torch's generators, from which dropout draws."""
    states = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(device)
    elif device.type == "mps":
        states["mps"] = torch.mps.get_rng_state()
    return states


def _set_generators(states: Mapping[str, Tensor]) -> None:
    torch.set_rng_state(states["cpu"])
    if "cuda" in states:
        torch.cuda.set_rng_state(states["cuda"])
    if "mps" in states:
        torch.mps.set_rng_state(states["mps"])
