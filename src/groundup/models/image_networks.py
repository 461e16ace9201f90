"""Networks that look at pictures: a convolutional network, and a vision Transformer."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final, Literal, TypeAlias

import numpy as np
from pydantic import Field

from groundup.core.inputs import Inputs, Needs
from groundup.core.tasks import Task
from groundup.models.contract import Range, SearchSpace
from groundup.models.network_learner import NetworkLearner

Size: TypeAlias = Literal["small", "medium", "large"]

_CHANNELS: Final = {"small": 16, "medium": 32, "large": 64}
_WIDTHS: Final = {"small": 64, "medium": 128, "large": 256}
_MOST_EPOCHS: Final = 30
_FEWEST_STEPS: Final = 800  # in all; batches shrink and epochs grow for few pictures


class ImageNetwork(NetworkLearner):
    """A learner that sees the pixels of a row's picture and nothing else."""

    tasks: ClassVar[tuple[Task, ...]] = ("classification", "regression")
    arrays: ClassVar[tuple[str, ...]] = ("images",)
    patience: ClassVar[int] = _MOST_EPOCHS  # the last ones, at small rates, are often the best

    def needs(self) -> Needs:
        """Return that rows come as pictures."""
        return Needs(form="images")

    def transform(self, train: Inputs) -> Any:
        """Return what varies the pictures at random in training, or None."""
        from groundup.models.networks.augmentation import Augmentation

        return Augmentation(train.augment) if train.augment else None

    def _sizes(self, train: Inputs, n_outputs: int) -> dict[str, Any]:
        """Return the shape of the pictures, and mean and deviation of each channel over the training rows."""
        images = train.arrays["images"]
        height, width, n_channels = images.shape[1:]
        mean, deviation = _statistics(images)
        return {
            "height": height,
            "width": width,
            "n_channels": n_channels,
            "n_outputs": n_outputs,
            "mean": mean,
            "deviation": deviation,
        }


class CNN(ImageNetwork):
    """Filters that are moved over the picture, layer by layer, with residual connections."""

    title: ClassVar[str] = "convolutional network"
    idea: ClassVar[str] = (
        "Looks for small patterns all over the picture, then for patterns of these, until they tell what it "
        "shows."
    )
    reference: ClassVar[str] = (
        "LeCun et al. (1998), Gradient-based learning applied to document recognition, Proceedings of the "
        "IEEE; He et al. (2016), Deep residual learning for image recognition, CVPR"
    )
    architecture: ClassVar[str] = "convolutional"

    size: Size | Annotated[int, Field(ge=1, le=4096)] = "small"
    """Channels of the first stage; each further one has twice as many. `small`: 16, `medium`: 32,
    `large`: 64."""
    n_blocks: int = Field(default=1, ge=1, le=100)
    """Residual blocks of a stage, of two convolutions each."""
    dropout: float = Field(default=0.0, ge=0, lt=1)
    """Share of the last features left out, at random, in each training step."""

    def search_space(self) -> SearchSpace:
        """Return the ranges worth trying."""
        return {"n_blocks": Range(1, 3, integer=True), "dropout": Range(0.0, 0.5)}

    def arguments(self, train: Inputs, n_outputs: int) -> dict[str, Any]:
        """Return the network's size: three stages, four from 48 pixels a side on.

        The first layer halves the sides from 48 pixels on, from 24 where they are grey, twice from 128 on: on
        MNIST that costs a third of the time, and a second epoch more than makes up for it.
        """
        sizes = self._sizes(train, n_outputs)
        side = min(sizes["height"], sizes["width"])
        first = _CHANNELS[self.size] if isinstance(self.size, str) else self.size
        return {
            **sizes,
            "widths": [first * 2**stage for stage in range(3 if side < 48 else 4)],
            "n_blocks": self.n_blocks,
            "stem_stride": 1 if side < (24 if sizes["n_channels"] == 1 else 48) else 2 if side < 128 else 4,
            "dropout": self.dropout,
        }

    def training_defaults(self, train: Inputs) -> dict[str, Any]:
        """Return orthogonal updates at a rate that rises and falls once; more epochs for few pictures."""
        return {**_lengths(train.n_samples), "optimizer": "muon", "learning_rate": 0.02, "weight_decay": 0.01}


class ViT(ImageNetwork):
    """Patches of the picture that look at each other."""

    title: ClassVar[str] = "vision Transformer"
    idea: ClassVar[str] = (
        "Cuts the picture into patches and lets each look at all others to find out what it is a part of."
    )
    reference: ClassVar[str] = "Dosovitskiy et al. (2021), An image is worth 16x16 words, ICLR"
    architecture: ClassVar[str] = "vision_transformer"

    size: Size | Annotated[int, Field(ge=8, le=65_536, multiple_of=8)] = "small"
    """Values that stand for a patch. `small`: 64, `medium`: 128, `large`: 256."""
    depth: int = Field(default=4, ge=1, le=200)
    """Layers of attention."""
    n_heads: int = Field(default=4, ge=1, le=256)
    """Ways to look at the other patches in each layer; divides the values of a patch."""
    patch: Annotated[int, Field(ge=1, le=256)] | Literal["auto"] = "auto"
    """Pixels a side of a patch; `auto`: so that there are about seven in a row, at least 2."""
    dropout: float = Field(default=0.1, ge=0, lt=1)
    """Share of units left out, at random, in each training step."""

    def search_space(self) -> SearchSpace:
        """Return the ranges worth trying."""
        return {"depth": Range(2, 8, integer=True), "dropout": Range(0.0, 0.3)}

    def arguments(self, train: Inputs, n_outputs: int) -> dict[str, Any]:
        """Return the network's size."""
        sizes = self._sizes(train, n_outputs)
        by_default = max(2, round(min(sizes["height"], sizes["width"]) / 7))
        return {
            **sizes,
            "patch": by_default if self.patch == "auto" else self.patch,
            "model_width": _WIDTHS[self.size] if isinstance(self.size, str) else self.size,
            "depth": self.depth,
            "n_heads": self.n_heads,
            "dropout": self.dropout,
        }

    def training_defaults(self, train: Inputs) -> dict[str, Any]:
        """Return a rate that rises and falls once; more epochs for few pictures."""
        return {**_lengths(train.n_samples), "learning_rate": 2e-3, "weight_decay": 0.05}


def _lengths(n_samples: int) -> dict[str, Any]:
    """Return batches that grow with the number of pictures, and so many epochs that steps suffice."""
    batch_size = int(np.clip(2 ** round(np.log2(max(1, n_samples / 50))), 32, 256))
    epochs = int(np.clip(-(-_FEWEST_STEPS * batch_size // max(1, n_samples)), 4, _MOST_EPOCHS))
    return {"batch_size": batch_size, "epochs": epochs}


def _statistics(images: np.ndarray[Any, Any]) -> tuple[list[float], list[float]]:
    """Return mean and deviation of each channel; the deviation of a channel of one value is 1."""
    sums = np.zeros((2, images.shape[-1]))
    for start in range(0, len(images), 1024):
        block = images[start : start + 1024].astype(np.float64)
        sums += [block.sum(axis=(0, 1, 2)), (block**2).sum(axis=(0, 1, 2))]
    mean, square = sums / max(1, images[..., 0].size)
    deviation = np.sqrt(np.maximum(square - mean**2, 0))
    return mean.tolist(), np.where(deviation > 1e-6, deviation, 1.0).tolist()
