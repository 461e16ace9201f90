"""A multilayer perceptron for tables, trained by gradient steps."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from groundup.core.inputs import Inputs, Needs
from groundup.core.tasks import Task
from groundup.models.contract import Range, SearchSpace
from groundup.models.network_learner import NetworkLearner

_BATCHES_OF_AN_EPOCH = 40
_EPOCHS = 30


class MLP(NetworkLearner):
    """Dense layers over embedded numbers and categories."""

    title: ClassVar[str] = "multilayer perceptron"
    idea: ClassVar[str] = (
        "Mixes the inputs through layers of simple units whose weights are learned step by step."
    )
    reference: ClassVar[str] = (
        "Rumelhart, Hinton and Williams (1986), Learning representations by back-propagating errors, Nature; "
        "Gorishniy, Kotelnikov and Babenko (2025), TabM, ICLR"
    )
    tasks: ClassVar[tuple[Task, ...]] = ("classification", "regression")
    architecture: ClassVar[str] = "table"
    patience: ClassVar[int] = 30  # all epochs: the last ones, at small rates, are often the best

    width: int = Field(default=128, ge=1, le=65_536)
    """Units of a hidden layer."""
    depth: int = Field(default=2, ge=1, le=100)
    """Hidden layers."""
    dropout: float = Field(default=0.1, ge=0, lt=1)
    """Share of units left out, at random, in each training step."""
    embedding: Literal["periodic", "none"] = "periodic"
    """How a number enters: as waves whose frequencies are learned, or as it is."""
    n_members: int = Field(default=4, ge=1, le=256)
    """Models in one network: they share its layers, and their answers are averaged."""

    def needs(self) -> Needs:
        """Return that numbers come scaled and complete, and categories as codes."""
        return Needs(scaled=True, categories="codes", missing=False)

    def search_space(self) -> SearchSpace:
        """Return the ranges worth trying."""
        return {
            "width": Range(64, 512, log=True, integer=True),
            "depth": Range(1, 5, integer=True),
            "dropout": Range(0.0, 0.5),
        }

    def arguments(self, train: Inputs, n_outputs: int) -> dict[str, Any]:
        """Return the network's size, and how many codes each category has."""
        columns = list(train.categorical)
        highest = [int(np.nanmax(train.X[:, column], initial=0)) for column in columns]
        return {
            "n_features": train.X.shape[1],
            "n_outputs": n_outputs,
            "cardinalities": [[column, top + 1] for column, top in zip(columns, highest, strict=True)],
            "width": self.width,
            "depth": self.depth,
            "dropout": self.dropout,
            "embedding_width": 8 if self.embedding == "periodic" else 0,
            "n_members": self.n_members,
        }

    def training_defaults(self, train: Inputs) -> dict[str, Any]:
        """Return batches that grow with the table, and a rate that rises and falls once over 30 epochs."""
        batch_size = 2 ** round(np.log2(max(1, train.n_samples / _BATCHES_OF_AN_EPOCH)))
        return {
            "epochs": _EPOCHS,
            "batch_size": int(np.clip(batch_size, 32, 256)),
            "learning_rate": 4e-3,
        }
