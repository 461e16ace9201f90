"""A multilayer perceptron for tables, trained by gradient steps."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from groundup.core.inputs import Inputs, Needs
from groundup.core.tasks import Task
from groundup.models.contract import FitContext, Learner, NetworkRows, Range, SearchSpace
from groundup.models.network_fitted import FittedNetwork, tensor_of

_ROWS_SHOWN = 6


class MLP(Learner):
    """Dense layers over embedded numbers and categories."""

    title: ClassVar[str] = "multilayer perceptron"
    idea: ClassVar[str] = (
        "Mixes the inputs through layers of simple units whose weights are learned step by step."
    )
    reference: ClassVar[str] = (
        "Rumelhart, Hinton and Williams (1986), Learning representations by back-propagating errors, Nature; "
        "Gorishniy, Kotelnikov and Babenko (2025), TabM, ICLR"
    )
    optimizer: ClassVar[str] = "gradient steps on batches of rows, backwards through the layers."
    tasks: ClassVar[tuple[Task, ...]] = ("classification", "regression")
    fitted: ClassVar[str] = "groundup.models.network_fitted:FittedNetwork"
    in_rounds: ClassVar[bool] = True
    libraries: ClassVar[tuple[str, ...]] = ("torch",)

    width: int = Field(default=256, ge=1, le=65_536)
    """Units of a hidden layer."""
    depth: int = Field(default=3, ge=1, le=100)
    """Hidden layers."""
    dropout: float = Field(default=0.1, ge=0, lt=1)
    """Share of units left out, at random, in each training step."""
    embedding: Literal["periodic", "none"] = "periodic"
    """How a number enters: as waves whose frequencies are learned, or as it is."""
    n_members: int = Field(default=16, ge=1, le=256)
    """Models in one network: they share its layers, and their answers are averaged."""

    def needs(self) -> Needs:
        """Return that numbers come scaled and complete, and categories as codes."""
        return Needs(scaled=True, categories="codes", missing=False)

    def search_space(self) -> SearchSpace:
        """Return the ranges worth trying."""
        return {
            "width": Range(64, 1024, log=True, integer=True),
            "depth": Range(1, 5, integer=True),
            "dropout": Range(0.0, 0.5),
        }

    def fit(self, train: Inputs, validation: Inputs | None, context: FitContext) -> FittedNetwork:
        """Train from random weights; `validation` ends training and chooses the weights that are kept."""
        assert context.train_network is not None
        center, scale = (0.0, 1.0) if context.n_classes else _center_and_scale(train)
        arguments = self._arguments(train, context.n_classes)
        from groundup.models.networks.architectures import build

        module = build("table", arguments)
        rows = [
            None if part is None else _rows(part, context.n_classes, center, scale)
            for part in (train, validation)
        ]
        assert rows[0] is not None
        facts = context.train_network(module, rows[0], rows[1], defaults=self._defaults(train.n_samples))
        return FittedNetwork(
            "table",
            arguments,
            module,
            center=center,
            scale=scale,
            n_classes=context.n_classes,
            facts={"learner": self.title, **facts},
        )

    def _arguments(self, train: Inputs, n_classes: int) -> dict[str, Any]:
        highest = np.nanmax(train.X[:, train.categorical], axis=0, initial=0) if train.categorical else ()
        return {
            "n_features": train.X.shape[1],
            "n_outputs": max(1, n_classes),
            "cardinalities": [[c, int(top) + 1] for c, top in zip(train.categorical, highest, strict=True)],
            "width": self.width,
            "depth": self.depth,
            "dropout": self.dropout,
            "embedding_width": 16 if self.embedding == "periodic" else 0,
            "n_members": self.n_members,
            "is_classifier": n_classes > 0,
        }

    def _defaults(self, n_samples: int) -> dict[str, Any]:
        return {
            "epochs": 100,
            "batch_size": int(np.clip(2 ** round(np.log2(max(1, n_samples / 40))), 32, 512)),
            "learning_rate": 2e-3,
            "weight_decay": 1e-2,
            "schedule": "constant",
            "warmup": 0.0,
            "patience": 12,
        }


def _center_and_scale(train: Inputs) -> tuple[float, float]:
    y = train.y.astype(np.float64)
    return float(y.mean()), float(y.std()) or 1.0


def _rows(part: Inputs, n_classes: int, center: float, scale: float) -> NetworkRows:
    y = part.y.astype(np.int64) if n_classes else (part.y.astype(np.float64) - center) / scale
    return NetworkRows((tensor_of(part.X),), tensor_of(y))
