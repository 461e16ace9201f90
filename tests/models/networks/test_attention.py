"""Attention against its definition, and what a memory must not change."""

import math

import pytest
import torch

from groundup.models.networks.attention import Attention, Block, FeedForward, Memory, Rotary
from groundup.models.networks.initialisation import initialise


def attention(**options: bool) -> Attention:
    made = Attention(16, 4, **options)
    torch.nn.init.normal_(made.out.weight, std=0.2)
    return made.eval()


def test_it_is_the_softmax_of_matches_times_values() -> None:
    made = attention(has_positions=False)
    x_BTD = torch.randn(2, 5, 16)

    def heads(layer: torch.nn.Module) -> torch.Tensor:
        return layer(x_BTD).view(2, 5, 4, 4).transpose(1, 2)

    query, key = made.query_norm(heads(made.query)), made.key_norm(heads(made.key))
    matches = (query @ key.transpose(-2, -1) / math.sqrt(4)).softmax(dim=-1)
    expected = made.out((matches @ heads(made.value)).transpose(1, 2).reshape(2, 5, 16))
    torch.testing.assert_close(made(x_BTD), expected)


def test_a_causal_step_does_not_see_those_after_it() -> None:
    made = attention(is_causal=True)
    x_BTD = torch.randn(1, 6, 16)
    changed = x_BTD.clone()
    changed[:, 4:] += 1
    assert torch.equal(made(x_BTD)[:, :4], made(changed)[:, :4])
    assert not torch.allclose(made(x_BTD)[:, 4:], made(changed)[:, 4:])


def test_padding_is_not_looked_at() -> None:
    made = attention()
    x_BTD = torch.randn(1, 6, 16)
    mask = torch.tensor([[True, True, True, True, False, False]])
    torch.testing.assert_close(made(x_BTD, mask_BS=mask)[:, :4], made(x_BTD[:, :4]))


@pytest.mark.parametrize("pieces", [[1] * 7, [3, 4], [5, 1, 1]])
def test_a_memory_changes_nothing(pieces: list[int]) -> None:
    block = Block(16, 4, is_causal=True).eval()
    initialise(block, "xavier", seed=0)
    torch.nn.init.normal_(block.attention.out.weight, std=0.2)
    x_BTD, memory = torch.randn(2, 7, 16), Memory()
    parts = [block(part, memory=memory) for part in x_BTD.split(pieces, dim=1)]
    torch.testing.assert_close(torch.cat(parts, dim=1), block(x_BTD), rtol=1e-4, atol=1e-5)
    assert memory.n_steps == 7


def test_rotations_depend_on_distances_alone() -> None:
    rotary = Rotary(8)
    query, key = torch.randn(1, 1, 1, 8), torch.randn(1, 1, 1, 8)
    near = (rotary(query, 3) * rotary(key, 1)).sum()
    far = (rotary(query, 103) * rotary(key, 101)).sum()
    torch.testing.assert_close(near, far, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(near, (rotary(query, 4) * rotary(key, 1)).sum())


def test_a_block_begins_as_the_identity() -> None:
    block, x_BTD = Block(16, 2, has_source=True), torch.randn(2, 3, 16)
    initialise(block, "kaiming", seed=0)
    assert torch.equal(block(x_BTD, source_BSD=torch.randn(2, 4, 16)), x_BTD)


@pytest.mark.parametrize("activation", ["swiglu", "relu2", "gelu"])
def test_each_activation_has_about_as_many_weights(activation: str) -> None:
    part = FeedForward(96, activation)  # type: ignore[arg-type]
    assert sum(p.numel() for p in part.parameters()) == pytest.approx(8 * 96 * 96, rel=0.01)
    assert part(torch.randn(2, 3, 96)).shape == (2, 3, 96)
