"""A fitted network: its architecture's name and arguments as JSON, its weights as safetensors."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from groundup.core.errors import PackageError
from groundup.core.files import write_bytes, write_json
from groundup.core.inputs import FloatArray, Inputs, Predictions
from groundup.models.facts import facts_to_save

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import nn

_WEIGHTS, _STATE = "weights.safetensors", "network.json"
_BATCH_ROWS: Final = 1024


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
    center, scale : float
        Of numbers: what brings its answers back to the target's own unit.
    n_classes : int
        0 for regression.
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
        center: float = 0.0,
        scale: float = 1.0,
        n_classes: int = 0,
        facts: Mapping[str, Any],
    ) -> None:
        self.architecture, self.arguments = architecture, dict(arguments)
        self.module = module.to("cpu").float().eval().requires_grad_(requires_grad=False)
        self.arrays, self.center, self.scale, self.n_classes = tuple(arrays), center, scale, n_classes
        self._facts = dict(facts)

    def predict(self, inputs: Inputs) -> Predictions:
        """Return predictions for every row of `inputs`, some thousand at a time."""
        import torch

        arrays = [inputs.arrays[name] for name in self.arrays]
        parts = []
        with torch.inference_mode():
            for start in range(0, inputs.n_samples, _BATCH_ROWS):
                batch = [tensor_of(array[start : start + _BATCH_ROWS]) for array in arrays]
                parts.append(self.module(*batch).double().numpy())
        n_outputs = max(1, self.n_classes)
        return self._predictions(np.concatenate(parts) if parts else np.empty((0, n_outputs)))

    def predict_row(self, values: Sequence[float]) -> float | list[float]:
        """Return one row's value or class probabilities; within 1e-5 of `predict`."""
        import torch

        with torch.inference_mode():
            outputs = self.module(torch.tensor([values], dtype=torch.float32)).double().numpy()
        said = self._predictions(outputs)
        if said.probabilities is None:
            return float(said.values[0])
        row: list[float] = said.probabilities[0].tolist()
        return row

    def _predictions(self, outputs: FloatArray) -> Predictions:
        if not self.n_classes:
            return Predictions(outputs[:, 0] * self.scale + self.center)
        exponentials = np.exp(outputs - outputs.max(axis=1, keepdims=True))
        probabilities = exponentials / exponentials.sum(axis=1, keepdims=True)
        return Predictions(probabilities.argmax(axis=1).astype(np.int64), probabilities)

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
            "center": self.center,
            "scale": self.scale,
            "n_classes": self.n_classes,
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
                center=float(state["center"]),
                scale=float(state["scale"]),
                n_classes=int(state["n_classes"]),
                facts=state["facts"],
            )
        except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
            raise PackageError(f"`{folder}` does not hold a fitted network: {error!r}.") from error


def tensor_of(array: NDArray[Any]) -> Any:
    """Return an array as a network takes it: numbers in 32 bits, codes as they are."""
    import torch

    tensor = torch.from_numpy(np.ascontiguousarray(array))
    return tensor.float() if tensor.is_floating_point() else tensor
