"""What every learner shares that trains a network: from inputs to tensors, from weights to answers."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np

from groundup.core.inputs import Inputs
from groundup.core.losses import Loss, LossName
from groundup.models.contract import FitContext, Learner, NetworkRows
from groundup.models.network_fitted import FittedNetwork, tensor_of


class NetworkLearner(Learner):
    """A learner whose parameters are a network's weights; a subclass says which network, and its defaults."""

    optimizer: ClassVar[str] = "gradient steps on batches of rows, backwards through the layers."
    fitted: ClassVar[str] = "groundup.models.network_fitted:FittedNetwork"
    in_rounds: ClassVar[bool] = True
    libraries: ClassVar[tuple[str, ...]] = ("torch",)
    weighted: ClassVar[bool] = True
    losses: ClassVar[tuple[LossName, ...]] = ("squared_error", "absolute_error", "quantile")

    architecture: ClassVar[str]
    """A key of `groundup.models.networks.architectures.ARCHITECTURES`."""
    arrays: ClassVar[tuple[str, ...]] = ("X",)
    """Arrays of its inputs that the network is called with, in order."""
    patience: ClassVar[int]
    """Looks at the validation part without a lower loss that end training, where the recipe says `auto`."""

    @abstractmethod
    def arguments(self, train: Inputs, n_outputs: int) -> dict[str, Any]:
        """Return what the network is built with, as JSON values."""

    @abstractmethod
    def training_defaults(self, train: Inputs) -> dict[str, Any]:
        """Return what `auto` stands for in the recipe's section `training`."""

    def transform(self, train: Inputs) -> Any:  # noqa: ARG002 - for those who augment
        """Return what changes a batch's inputs at random in training, or None."""
        return None

    def fit(self, train: Inputs, validation: Inputs | None, context: FitContext) -> FittedNetwork:
        """Train from random weights; `validation` ends training and chooses the weights that are kept."""
        from groundup.models.networks.architectures import build

        assert context.train_network is not None
        arguments = self.arguments(train, max(1, context.n_classes))
        module = build(self.architecture, arguments, seed=context.seed)
        parts = [
            None if part is None or not part.n_samples else self._rows(part) for part in (train, validation)
        ]
        assert parts[0] is not None
        trained = context.train_network(
            module,
            parts[0],
            parts[1],
            seed=context.seed,
            defaults={
                **self.training_defaults(train),
                **_loss_options(self.minimised(context.loss), context),
                "patience": self.patience,
            },
            transform=self.transform(train),
        )
        return FittedNetwork(
            self.architecture,
            arguments,
            module,
            arrays=self.arrays,
            n_classes=context.n_classes,
            target=trained.target,
            facts={"learner": self.title, **trained.facts},
        )

    def _rows(self, part: Inputs) -> NetworkRows:
        y = part.y.astype(np.int64) if part.y.dtype.kind in "iub" else part.y.astype(np.float64)
        weights = None if part.weight is None else tensor_of(part.weight)
        return NetworkRows(tuple(tensor_of(part.arrays[name]) for name in self.arrays), tensor_of(y), weights)


def _loss_options(loss: Loss, context: FitContext) -> dict[str, Any]:
    """Return the network's loss where the metric asks for `loss`."""
    if context.n_classes:
        return {"loss": "cross_entropy"}
    if loss.name == "quantile":
        return {"loss": "quantile", "quantiles": (loss.quantile,)}
    return {"loss": {"squared_error": "mse", "absolute_error": "mae"}[loss.name]}
