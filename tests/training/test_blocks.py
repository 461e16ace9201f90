"""Blocks of a text: every token once an epoch, any batch again, every token measured once."""

import contextlib

import numpy as np
import pytest
import torch
from torch import nn

from groundup.models.networks.decoder import Decoder
from groundup.training.blocks import TextBlocks, token_losses, windows
from groundup.training.losses import IGNORED


def test_an_epoch_shows_each_token_once_in_an_order_of_its_own() -> None:
    blocks = TextBlocks(torch.arange(1_000, dtype=torch.int32), context=8, batch_size=4, seed=1)
    shown = [torch.cat([batch.inputs[0].flatten() for batch in blocks.epoch(epoch)]) for epoch in (0, 1)]
    assert blocks.n_batches == 31
    for tokens in shown:
        assert len(tokens) == len(tokens.unique()) == 31 * 4 * 8
    assert not torch.equal(*shown)


def test_targets_follow_their_tokens() -> None:
    blocks = TextBlocks(torch.arange(100, dtype=torch.int32), context=5, batch_size=3, seed=0)
    for batch in blocks.epoch(2):
        assert torch.equal(batch.inputs[0] + 1, batch.targets)


def test_any_batch_can_be_made_again() -> None:
    blocks = TextBlocks(torch.randint(9, (500,)), context=8, batch_size=4, seed=3)
    whole = [batch.targets for batch in blocks.epoch(5)]
    rest = [batch.targets for batch in blocks.epoch(5, start=6)]
    assert all(torch.equal(*pair) for pair in zip(whole[6:], rest, strict=True))


@pytest.mark.parametrize("context", [2, 5, 8])
@pytest.mark.parametrize("n_tokens", [1, 7, 40])
def test_windows_count_each_token_once_and_in_order(context: int, n_tokens: int) -> None:
    text = torch.arange(50, 100 + n_tokens, dtype=torch.int32)
    batches = windows(text[:50], text[50:], context)
    counted = batches.targets[batches.targets != IGNORED]
    assert torch.equal(counted, text[50:].long())
    seen = (batches.targets != IGNORED).int().argmax(dim=1) + 1  # tokens before the first that counts
    assert int(seen.min()) > context // 2


def test_a_long_part_is_measured_in_places() -> None:
    text = torch.arange(2_000, dtype=torch.int32)
    batches = windows(text[:100], text[100:], 8, most=40)
    counted = batches.targets[batches.targets != IGNORED]
    assert len(counted) == 40
    assert (int(counted.min()), int(counted.max())) == (100, 1_999)


def test_losses_are_those_of_the_definition() -> None:
    torch.manual_seed(0)
    decoder = Decoder(20, 6, width=8, depth=2, n_heads=2).eval()
    nn.init.normal_(decoder.blocks[0].attention.out.weight)
    text = torch.randint(20, (60,), dtype=torch.int32)
    found = token_losses(decoder, windows(text[:10], text[10:], 6), contextlib.nullcontext)
    expected = []
    for place in range(10, 60):
        start = place - 4 - (place - 10) % 3  # the window moves by 3; 4 tokens before its first that counts
        with torch.no_grad():
            logits = decoder(text[None, start:place])[0, -1]
        expected.append(float(nn.functional.cross_entropy(logits, text[place].long())))
    np.testing.assert_allclose(found, expected, rtol=1e-4)
