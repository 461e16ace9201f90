"""A convolutional network with residual blocks, for images from 8 × 8 grey pixels to photographs.

Shape suffixes: B batch, H height, W width, C channels, D channels of a feature map.

References
----------
LeCun et al. (1998), "Gradient-based learning applied to document recognition", Proceedings of the IEEE; He et
al. (2016), "Deep residual learning for image recognition", CVPR; He et al. (2019), "Bag of tricks for image
classification", CVPR (averages before a skip connection shrinks).
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F  # noqa: N812 - the field's own name
from torch import Tensor, nn

_SMALLEST = 4
"""Pixels a side below which a feature map is not halved again."""


class Pixels(nn.Module):
    """Bytes to numbers around 0, by the mean and deviation of each channel of the training images.

    Parameters
    ----------
    mean, deviation : sequence of float
        One a channel, of values from 0 to 255.
    """

    def __init__(self, mean: Sequence[float], deviation: Sequence[float]) -> None:
        super().__init__()
        self.mean: Tensor
        self.deviation: Tensor
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32), persistent=False)
        self.register_buffer("deviation", torch.tensor(deviation, dtype=torch.float32), persistent=False)

    def forward(self, images_BHWC: Tensor) -> Tensor:
        """Return the images channel by channel, shape (B, C, H, W), stored as they came."""
        return ((images_BHWC.float() - self.mean) / self.deviation).permute(0, 3, 1, 2)


class ResidualBlock(nn.Module):
    """Two convolutions whose result is added to what came in.

    Parameters
    ----------
    n_in, n_out : int
        Channels.
    stride : int
        2 halves the sides.
    """

    def __init__(self, n_in: int, n_out: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(n_in, n_out, 3, stride, padding=1, bias=False)
        self.first_norm = nn.BatchNorm2d(n_out)
        self.second = nn.Conv2d(n_out, n_out, 3, padding=1, bias=False)
        self.second_norm = nn.BatchNorm2d(n_out)
        nn.init.zeros_(self.second_norm.weight)  # the block begins as the identity
        self.skip: nn.Module = nn.Identity()
        if stride != 1 or n_in != n_out:
            self.skip = nn.Sequential(
                nn.AvgPool2d(stride, ceil_mode=True) if stride != 1 else nn.Identity(),
                nn.Conv2d(n_in, n_out, 1, bias=False),
                nn.BatchNorm2d(n_out),
            )

    def forward(self, x_BDHW: Tensor) -> Tensor:
        """Return a feature map of `n_out` channels."""
        changed = F.relu(self.first_norm(self.first(x_BDHW)))
        return F.relu(self.second_norm(self.second(changed)) + self.skip(x_BDHW))


class ConvolutionalNetwork(nn.Module):
    """A few stages of residual blocks, each with half the sides and more channels than the one before.

    Parameters
    ----------
    height, width, n_channels : int
        Of the images, pixels.
    n_outputs : int
        Classes, or 1.
    mean, deviation : sequence of float
        See `Pixels`.
    widths : sequence of int
        Channels of each stage; stages for which the images are too small are left out.
    n_blocks : int
        Residual blocks a stage.
    stem_stride : int
        By how much the first convolution shrinks the sides: 1, 2 or 4.
    dropout : float
        Share of the last features left out in training.

    Examples
    --------
    >>> network = ConvolutionalNetwork(8, 8, 1, 10, mean=[40.0], deviation=[60.0], widths=(8, 16))
    >>> network.eval()(torch.zeros(2, 8, 8, 1, dtype=torch.uint8)).shape
    torch.Size([2, 10])
    """

    def __init__(
        self,
        height: int,
        width: int,
        n_channels: int,
        n_outputs: int,
        *,
        mean: Sequence[float],
        deviation: Sequence[float],
        widths: Sequence[int] = (32, 64, 128),
        n_blocks: int = 1,
        stem_stride: int = 1,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if len(mean) != n_channels:
            raise ValueError(f"{n_channels} channels need as many means, not {len(mean)}")
        self.pixels = Pixels(mean, deviation)
        kernel = 7 if stem_stride == 4 else 3
        stem: list[nn.Module] = [
            nn.Conv2d(n_channels, widths[0], kernel, min(stem_stride, 2), padding=kernel // 2, bias=False),
            nn.BatchNorm2d(widths[0]),
            nn.ReLU(),
        ]
        if stem_stride == 4:
            stem.append(nn.MaxPool2d(3, 2, padding=1))
        self.stem = nn.Sequential(*stem)
        blocks, n_in, side = [], widths[0], min(height, width) // stem_stride
        for stage, n_out in enumerate(widths):
            stride = 1 if stage == 0 or side < 2 * _SMALLEST else 2
            side //= stride
            for number in range(n_blocks):
                blocks.append(ResidualBlock(n_in, n_out, stride if number == 0 else 1))
                n_in = n_out
        self.blocks = nn.Sequential(*blocks)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(n_in, n_outputs)

    def forward(self, images_BHWC: Tensor) -> Tensor:
        """Return logits or values, shape (B, n_outputs).

        Parameters
        ----------
        images_BHWC : Tensor of shape (B, H, W, C)
            Bytes, or numbers from 0 to 255.
        """
        x_BDHW = self.blocks(self.stem(self.pixels(images_BHWC)))
        return self.head(self.dropout(x_BDHW.mean(dim=(2, 3))))
