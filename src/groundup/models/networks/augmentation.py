"""Random changes of pictures that leave what they show as it is, for training.

Shape suffixes: B batch, H height, W width, C channels.

References
----------
Simard, Steinkraus and Platt (2003), "Best practices for convolutional neural networks applied to visual
document analysis", ICDAR; Szegedy et al. (2015), "Going deeper with convolutions", CVPR (random crops).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import pi
from typing import Final

import torch
import torch.nn.functional as F  # noqa: N812 - the field's own name
from torch import Tensor

_SHIFT: Final = 1 / 14  # of a side
_SMALLEST_CROP: Final = 0.75  # of a side
_LARGEST_TURN: Final = pi / 12


@dataclass(frozen=True)
class Augmentation:
    """Changes pictures at random; a `groundup.training.batches.Transform`.

    Parameters
    ----------
    names : sequence of {"shift", "flip", "crop", "rotate"}
        Which changes, all of them for each picture. Shifts are by whole pixels, up to a fourteenth of a side
        and at least one; what moves in repeats the edge. Crops are enlarged to the whole picture.

    Examples
    --------
    >>> pictures = torch.arange(16, dtype=torch.uint8).view(1, 4, 4, 1)
    >>> changed = Augmentation(("flip",))((pictures,), torch.Generator().manual_seed(1))[0]
    >>> changed.shape, changed.dtype
    (torch.Size([1, 4, 4, 1]), torch.uint8)
    """

    names: Sequence[str]

    def __call__(self, inputs: tuple[Tensor, ...], random: torch.Generator) -> tuple[Tensor, ...]:
        """Return pictures of the same shape, (B, H, W, C); all chance comes from `random`."""
        (images_BHWC,) = inputs
        if "crop" in self.names or "rotate" in self.names:
            images_BHWC = self._resampled(images_BHWC, random)
        if "shift" in self.names or "flip" in self.names:
            images_BHWC = self._moved(images_BHWC, random)
        return (images_BHWC,)

    def _moved(self, images_BHWC: Tensor, random: torch.Generator) -> Tensor:
        """Return pictures that are shifted and mirrored: each pixel is one of the pixels before."""
        n, height, width, _ = images_BHWC.shape
        rows_BH, columns_BW = (torch.arange(side).expand(n, side) for side in (height, width))
        if "shift" in self.names:
            rows_BH = (rows_BH + _offsets(n, height, random)).clamp(0, height - 1)
            columns_BW = (columns_BW + _offsets(n, width, random)).clamp(0, width - 1)
        if "flip" in self.names:
            is_flipped = torch.rand(n, 1, generator=random) < 0.5
            columns_BW = torch.where(is_flipped, width - 1 - columns_BW, columns_BW)
        device = images_BHWC.device
        pictures = torch.arange(n, device=device)[:, None, None]
        return images_BHWC[pictures, rows_BH.to(device)[:, :, None], columns_BW.to(device)[:, None, :]]

    def _resampled(self, images_BHWC: Tensor, random: torch.Generator) -> Tensor:
        """Return pictures of which a part is enlarged, or which are turned, in 32 bits."""
        n, height, width, _ = images_BHWC.shape
        scale, angle, centre = torch.ones(n), torch.zeros(n), torch.zeros(n, 2)
        if "crop" in self.names:
            scale = _SMALLEST_CROP + (1 - _SMALLEST_CROP) * torch.rand(n, generator=random)
            centre = (2 * torch.rand(n, 2, generator=random) - 1) * (1 - scale)[:, None]
        if "rotate" in self.names:
            angle = (2 * torch.rand(n, generator=random) - 1) * _LARGEST_TURN
        cosine, sine, aspect = scale * angle.cos(), scale * angle.sin(), height / width
        first = torch.stack([cosine, -sine * aspect, centre[:, 0]], dim=1)
        second = torch.stack([sine / aspect, cosine, centre[:, 1]], dim=1)
        grid = F.affine_grid(
            torch.stack([first, second], dim=1).to(images_BHWC.device),
            [n, 1, height, width],
            align_corners=False,
        )
        floats_BCHW = images_BHWC.permute(0, 3, 1, 2).float()
        resampled = F.grid_sample(floats_BCHW, grid, padding_mode="border", align_corners=False)
        return resampled.permute(0, 2, 3, 1)


def _offsets(n: int, side: int, random: torch.Generator) -> Tensor:
    """Return how far each of n pictures is moved along a side, shape (n, 1)."""
    most = max(1, round(side * _SHIFT))
    return torch.randint(-most, most + 1, (n, 1), generator=random)
