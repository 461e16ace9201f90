"""Networks that read texts token by token: a Transformer, and a recurrent network."""

from __future__ import annotations

from typing import Any, ClassVar, Final, Literal

import numpy as np
from pydantic import Field

from groundup.core.inputs import Inputs, Needs
from groundup.core.tasks import Task
from groundup.models.contract import Range, SearchSpace
from groundup.models.network_learner import NetworkLearner

_STEPS_OF_AN_EPOCH: Final = 100
_EPOCHS: Final = 15


class TextNetwork(NetworkLearner):
    """A learner that sees the tokens of a row's texts and nothing else."""

    tasks: ClassVar[tuple[Task, ...]] = ("classification", "regression")
    arrays: ClassVar[tuple[str, ...]] = ("tokens",)
    patience: ClassVar[int] = 4

    def needs(self) -> Needs:
        """Return that texts come as token numbers."""
        return Needs(form="tokens")

    def training_defaults(self, train: Inputs) -> dict[str, Any]:
        """Return batches that grow with the table, and a rate that rises and falls once."""
        batch_size = 2 ** round(np.log2(max(1, train.n_samples / _STEPS_OF_AN_EPOCH)))
        return {
            "epochs": _EPOCHS,
            "batch_size": int(np.clip(batch_size, 16, 64)),
            "learning_rate": 1e-3,
            "weight_decay": 0.05,
        }

    def _sizes(self, train: Inputs, n_outputs: int) -> dict[str, Any]:
        return {"n_tokens": train.n_tokens, "n_outputs": n_outputs}


class Transformer(TextNetwork):
    """Attention between all tokens of a text, layer by layer."""

    title: ClassVar[str] = "Transformer"
    idea: ClassVar[str] = (
        "Lets every word of a text look at all others to find out what it means there, then weighs them."
    )
    reference: ClassVar[str] = "Vaswani et al. (2017), Attention is all you need, NeurIPS"
    architecture: ClassVar[str] = "text_encoder"

    width: int = Field(default=128, ge=2, le=65_536)
    """Values that stand for a token."""
    depth: int = Field(default=2, ge=1, le=200)
    """Layers of attention."""
    n_heads: int = Field(default=4, ge=1, le=256)
    """Ways to look at the other tokens in each layer; divides `width`."""
    dropout: float = Field(default=0.3, ge=0, lt=1)
    """Share of units left out, at random, in each training step."""
    token_dropout: float = Field(default=0.2, ge=0, lt=1)
    """Share of tokens left out, at random, in each training step."""

    def search_space(self) -> SearchSpace:
        """Return the ranges worth trying."""
        return {"depth": Range(1, 6, integer=True), "dropout": Range(0.0, 0.5)}

    def arguments(self, train: Inputs, n_outputs: int) -> dict[str, Any]:
        """Return the network's size."""
        return {
            **self._sizes(train, n_outputs),
            "width": self.width,
            "depth": self.depth,
            "n_heads": self.n_heads,
            "dropout": self.dropout,
            "token_dropout": self.token_dropout,
        }


class RNN(TextNetwork):
    """A state that each token of a text changes."""

    title: ClassVar[str] = "recurrent network"
    idea: ClassVar[str] = "Reads a text word by word, from both ends, with a memory that each word changes."
    reference: ClassVar[str] = (
        "Hochreiter and Schmidhuber (1997), Long short-term memory, Neural Computation; Cho et al. (2014), "
        "gated recurrent units, EMNLP"
    )
    architecture: ClassVar[str] = "recurrent_text"

    cell: Literal["lstm", "gru"] = "gru"
    """What a token does to the state."""
    width: int = Field(default=96, ge=1, le=65_536)
    """Values of the state."""
    depth: int = Field(default=1, ge=1, le=100)
    """Recurrent layers."""
    is_bidirectional: bool = True
    """Whether the text is also read from its end."""
    dropout: float = Field(default=0.3, ge=0, lt=1)
    """Share of units left out, at random, in each training step."""

    def search_space(self) -> SearchSpace:
        """Return the ranges worth trying."""
        return {"width": Range(32, 512, log=True, integer=True), "dropout": Range(0.0, 0.5)}

    def arguments(self, train: Inputs, n_outputs: int) -> dict[str, Any]:
        """Return the network's size."""
        return {
            **self._sizes(train, n_outputs),
            "cell": self.cell,
            "width": self.width,
            "depth": self.depth,
            "is_bidirectional": self.is_bidirectional,
            "dropout": self.dropout,
        }
