"""A vision Transformer: an image as a sequence of patches.

Shape suffixes: B batch, H height, W width, C channels, T patches, D width of the model.

References
----------
Dosovitskiy et al. (2021), "An image is worth 16x16 words", ICLR; Beyer, Zhai and Kolesnikov (2022), "Better
plain ViT baselines for ImageNet-1k" (fixed positions, averages over patches).
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from groundup.models.networks.attention import Activation, Block, RMSNorm
from groundup.models.networks.cnn import Pixels


class VisionTransformer(nn.Module):
    """Patches that look at each other.

    Parameters
    ----------
    height, width, n_channels : int
        Of the images, pixels.
    n_outputs : int
        Classes, or 1.
    mean, deviation : sequence of float
        See `Pixels`.
    patch : int
        Pixels a side; what is left over at the edges is filled up.
    model_width, depth, n_heads : int
        Of the model; the width is a multiple of 4.
    activation : {"swiglu", "relu2", "gelu"}
        Of the feed-forward parts.
    dropout : float
        Share of units left out in training.
    """

    prefers_bfloat16 = True

    def __init__(
        self,
        height: int,
        width: int,
        n_channels: int,
        n_outputs: int,
        *,
        mean: Sequence[float],
        deviation: Sequence[float],
        patch: int = 4,
        model_width: int = 128,
        depth: int = 4,
        n_heads: int = 4,
        activation: Activation = "swiglu",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.positions: Tensor
        self.pixels = Pixels(mean, deviation)
        self.fill = (0, -width % patch, 0, -height % patch)
        self.embed = nn.Conv2d(n_channels, model_width, patch, patch)
        grid = (-(-height // patch), -(-width // patch))
        self.register_buffer("positions", _waves(*grid, model_width), persistent=False)
        self.blocks = nn.ModuleList(
            Block(model_width, n_heads, activation=activation, dropout=dropout) for _ in range(depth)
        )
        self.norm = RMSNorm(model_width)
        self.head = nn.Linear(model_width, n_outputs)

    def forward(self, images_BHWC: Tensor) -> Tensor:
        """Return logits or values, shape (B, n_outputs)."""
        filled = nn.functional.pad(self.pixels(images_BHWC), self.fill)
        x_BTD = self.embed(filled).flatten(2).transpose(1, 2) + self.positions
        for block in self.blocks:
            x_BTD = block(x_BTD)
        return self.head(self.norm(x_BTD).mean(dim=1))


def _waves(n_rows: int, n_columns: int, width: int) -> Tensor:
    """Return the positions of a grid as sines and cosines of row and column, shape (T, width)."""
    speeds = torch.exp(-math.log(10_000) * torch.arange(width // 4) / (width // 4))
    rows = torch.outer(torch.arange(n_rows), speeds).repeat_interleave(n_columns, dim=0)
    columns = torch.outer(torch.arange(n_columns), speeds).repeat(n_rows, 1)
    return torch.cat([rows.sin(), rows.cos(), columns.sin(), columns.cos()], dim=1)
