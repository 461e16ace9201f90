"""Random weights have the spread that their papers give them, and the same seed draws the same."""

import pytest
import torch
from torch import nn

from groundup.models.networks.initialisation import INITIALISATIONS, ZeroLinear, initialise

SPREADS = {
    "kaiming": (2 / 200) ** 0.5,
    "xavier": (2 / 300) ** 0.5,
    "orthogonal": 1 / 200**0.5,
    "truncated_normal": 0.0176,
}


@pytest.mark.parametrize("name", INITIALISATIONS)
def test_spread(name: str) -> None:
    layer = nn.Linear(200, 100)
    initialise(layer, name, seed=0)
    assert float(layer.weight.detach().std()) == pytest.approx(SPREADS[name], rel=0.05)
    assert not layer.bias.detach().any()
    again = nn.Linear(200, 100)
    torch.rand(3)
    initialise(again, name, seed=0)
    assert torch.equal(layer.weight, again.weight)


def test_what_starts_at_zero_stays_there_and_norms_are_left_alone() -> None:
    module = nn.Sequential(ZeroLinear(4, 4), nn.LayerNorm(4), nn.Conv2d(1, 2, 3))
    initialise(module, "kaiming", seed=0)
    assert not module[0].weight.detach().any()
    assert torch.equal(module[1].weight, torch.ones(4))
    assert module[2].weight.detach().any()


def test_the_callers_generator_is_left_alone() -> None:
    torch.manual_seed(1)
    expected = torch.rand(2)
    layer = nn.Linear(2, 2)
    torch.manual_seed(1)
    initialise(layer, "xavier", seed=9)
    assert torch.equal(torch.rand(2), expected)
