"""Random changes of pictures: what they may do, by hand."""

import pytest
import torch
from torch import Tensor

from groundup.models.networks.augmentation import Augmentation

PICTURES = torch.arange(2 * 6 * 8 * 3, dtype=torch.uint8).view(2, 6, 8, 3)


def changed(pictures: Tensor, *names: str, seed: int = 0) -> Tensor:
    return Augmentation(names)((pictures,), torch.Generator().manual_seed(seed))[0]


@pytest.mark.parametrize("name", ["shift", "flip", "crop", "rotate"])
def test_chance_comes_from_the_generator_alone(name: str) -> None:
    first = changed(PICTURES, name)
    torch.manual_seed(7)
    assert first.shape == PICTURES.shape
    assert torch.equal(first, changed(PICTURES, name))
    assert any(not torch.equal(first, changed(PICTURES, name, seed=seed)) for seed in range(1, 9))


def test_a_flip_mirrors_left_and_right_in_half_of_the_pictures() -> None:
    many = PICTURES[:1].expand(400, -1, -1, -1)
    is_flipped = torch.tensor([not torch.equal(each, PICTURES[0]) for each in changed(many, "flip")])
    assert 150 < int(is_flipped.sum()) < 250
    mirrored = changed(many, "flip")[is_flipped]
    assert torch.equal(mirrored, PICTURES[:1].flip(2).expand_as(mirrored))


def test_a_shift_moves_by_a_pixel_and_repeats_the_edge() -> None:
    padded = torch.nn.functional.pad(PICTURES[:1].float().permute(0, 3, 1, 2), (1, 1, 1, 1), mode="replicate")
    windows = [
        padded[0, :, row : row + 6, column : column + 8].permute(1, 2, 0).to(torch.uint8)
        for row in range(3)
        for column in range(3)
    ]
    seen = set()
    for each in changed(PICTURES[:1].expand(100, -1, -1, -1), "shift"):
        seen.add(next(place for place, window in enumerate(windows) if torch.equal(window, each)))
    assert len(seen) == 9


def test_a_turn_goes_around_the_centre_whatever_the_sides() -> None:
    rows, columns = torch.meshgrid(torch.arange(40.0), torch.arange(60.0), indexing="ij")
    disc = ((rows - 19.5) ** 2 + (columns - 29.5) ** 2 < 14**2).float() * 200
    turned = changed(disc[None, :, :, None].expand(20, -1, -1, -1), "rotate")
    assert (turned[..., 0] - disc).abs().mean() < 3


def test_a_crop_shows_a_part_of_the_picture_larger() -> None:
    columns = torch.arange(64.0).expand(64, 64)[None, :, :, None].expand(50, -1, -1, -1)
    steps = changed(columns, "crop")[:, 32, 8:-8, 0].diff(dim=1).mean(dim=1)
    assert steps.min() >= 0.74
    assert steps.max() <= 1.01
    assert steps.std() > 0.03
