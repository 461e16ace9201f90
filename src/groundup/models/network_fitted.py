"""A fitted network: its architecture's name and arguments as JSON, its weights as safetensors."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from groundup.core.errors import PackageError
from groundup.core.files import write_bytes, write_json
from groundup.core.inputs import FloatArray, Inputs, Predictions
from groundup.models.contract import TargetUnit
from groundup.models.facts import facts_to_save

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import nn

_WEIGHTS, _STATE = "weights.safetensors", "network.json"
_BATCH_ROWS: Final = 1024
_WORK_FOR_THREADS: Final = 10**9  # rows times weights


class FittedNetwork:
    """A network that answers for rows.

    Parameters
    ----------
    architecture : str
        A key of `groundup.models.networks.architectures.ARCHITECTURES`.
    arguments : mapping
        What it was built with, as JSON values.
    module : Module
        Its weights; put into the state in which it answers.
    arrays : tuple of str
        The inputs it is called with, in order (keys of `Inputs.arrays`).
    n_classes : int
        0 for regression.
    target : TargetUnit
        How its outputs are read.
    facts : mapping
        What `facts` returns.
    """

    def __init__(
        self,
        architecture: str,
        arguments: Mapping[str, Any],
        module: nn.Module,
        *,
        arrays: Sequence[str] = ("X",),
        n_classes: int = 0,
        target: TargetUnit,
        facts: Mapping[str, Any],
    ) -> None:
        self.architecture, self.arguments = architecture, dict(arguments)
        self.module = module.to("cpu").float().eval().requires_grad_(requires_grad=False)
        self.arrays, self.n_classes, self.target = tuple(arrays), n_classes, target
        self.n_parameters = sum(parameter.numel() for parameter in module.parameters())
        self._facts = dict(facts)

    def predict(self, inputs: Inputs) -> Predictions:
        """Return predictions for every row of `inputs`, some thousand at a time."""
        return self.target.read(self.outputs([inputs.arrays[name] for name in self.arrays]))

    def predict_row(self, values: Sequence[float]) -> float | list[float]:
        """Return one row's value or class probabilities; within 1e-5 of `predict`."""
        said = self.target.read(self.outputs([np.asarray(values)[np.newaxis]]))
        if said.probabilities is None:
            return float(said.values[0])
        row: list[float] = said.probabilities[0].tolist()
        return row

    def outputs(self, arrays: Sequence[NDArray[Any]]) -> FloatArray:
        """Return what the network itself says of rows, shape (n_rows, n_outputs)."""
        import torch

        n_rows = len(arrays[0])
        parts = []
        with torch.inference_mode(), few_threads(n_rows * self.n_parameters):
            for start in range(0, n_rows, _BATCH_ROWS):
                batch = [tensor_of(array[start : start + _BATCH_ROWS]) for array in arrays]
                parts.append(self.module(*batch).double().numpy())
        return np.concatenate(parts) if parts else np.empty((0, max(1, self.n_classes)))

    def facts(self) -> dict[str, Any]:
        """Return how the fit went."""
        return dict(self._facts)

    def save(self, folder: Path) -> None:
        """Write ``weights.safetensors`` and ``network.json``."""
        import torch
        from safetensors.torch import save

        # The weights lie in one vector while they are trained; each becomes a tensor of its own.
        weights = {
            name: tensor.clone(memory_format=torch.contiguous_format)
            for name, tensor in self.module.state_dict().items()
        }
        write_bytes(folder / _WEIGHTS, save(weights))
        state = {
            "architecture": self.architecture,
            "arguments": self.arguments,
            "arrays": list(self.arrays),
            "n_classes": self.n_classes,
            "target": asdict(self.target),
        }
        write_json(folder / _STATE, {**state, "facts": facts_to_save(self._facts)})

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return what `save` wrote.

        Raises
        ------
        PackageError
            If the files are not what `save` writes.
        """
        from safetensors import SafetensorError
        from safetensors.torch import load

        from groundup.models.networks.architectures import build

        try:
            state = json.loads((folder / _STATE).read_text(encoding="utf-8"))
            module = build(state["architecture"], state["arguments"])
            module.load_state_dict(load((folder / _WEIGHTS).read_bytes()))
            return cls(
                state["architecture"],
                state["arguments"],
                module,
                arrays=state["arrays"],
                n_classes=int(state["n_classes"]),
                target=TargetUnit(**state["target"]),
                facts=state["facts"],
            )
        except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
            raise PackageError(f"`{folder}` does not hold a fitted network: {error!r}.") from error


@contextmanager
def few_threads(work: int) -> Iterator[None]:
    """Compute with one thread where waiting for the others would cost more than they help."""
    import torch

    threads = torch.get_num_threads()
    if threads == 1 or work > _WORK_FOR_THREADS:
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def tensor_of(array: NDArray[Any]) -> Any:
    """Return an array as a network takes it: numbers in 32 bits, codes as they are."""
    import torch

    array = np.ascontiguousarray(array)
    tensor = torch.from_numpy(array if array.flags.writeable else array.copy())
    return tensor.float() if tensor.is_floating_point() else tensor
