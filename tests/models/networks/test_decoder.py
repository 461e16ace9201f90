"""The decoder learns a text by heart, and writes it with and without its memory."""

import pytest
import torch
from torch import Tensor, nn

from groundup.models.networks.decoder import Decoder, Drawing, generate, stream
from groundup.models.networks.initialisation import initialise

TEXT = torch.tensor([list(b"ground up, from the ground up. ")]) - 32


def trained(*, is_tied: bool = True) -> Decoder:
    decoder = Decoder(96, 40, width=32, depth=2, n_heads=2, is_tied=is_tied)
    initialise(decoder, "xavier", seed=0)
    optimizer = torch.optim.AdamW(decoder.parameters(), lr=5e-3)
    for _ in range(150):
        logits = decoder(TEXT[:, :-1])
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), TEXT[0, 1:])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert float(loss.detach()) < 0.05
    return decoder.eval()


@pytest.mark.parametrize("is_tied", [True, False])
def test_it_learns_a_text_by_heart_and_writes_it(is_tied: bool) -> None:
    written = generate(trained(is_tied=is_tied), TEXT[:, :10], 20, Drawing(temperature=0))
    assert torch.equal(written, TEXT[:, :30])


def test_a_full_window_moves_on() -> None:
    decoder = Decoder(10, 6, width=8, depth=1, n_heads=2).eval()
    written = generate(
        decoder, torch.zeros(2, 3, dtype=torch.long), 20, Drawing(), random=torch.Generator().manual_seed(0)
    )
    assert written.shape == (2, 23)


def slow(decoder: Decoder, tokens: Tensor, n_new: int) -> Tensor:
    for _ in range(n_new):
        tokens = torch.cat([tokens, decoder(tokens)[:, -1].argmax(dim=-1, keepdim=True)], dim=1)
    return tokens


def test_writing_with_a_memory_equals_reading_everything_again() -> None:
    decoder = Decoder(30, 50, width=16, depth=3, n_heads=2)
    initialise(decoder, "truncated_normal", seed=1)
    for block in decoder.blocks:
        nn.init.normal_(block.attention.out.weight, std=0.3)
        nn.init.normal_(block.feed_forward.down.weight, std=0.3)
    start = torch.randint(0, 30, (3, 4))
    with torch.no_grad():
        expected = slow(decoder.eval(), start, 30)
    assert torch.equal(generate(decoder, start, 30, Drawing(temperature=0)), expected)


def test_drawing_is_repeatable_and_bounded() -> None:
    decoder = Decoder(30, 20, width=16, depth=1, n_heads=2).eval()
    start = torch.zeros(4, 1, dtype=torch.long)

    def write(**options: float) -> Tensor:
        drawing = Drawing(**options)  # type: ignore[arg-type]
        return generate(decoder, start, 12, drawing, random=torch.Generator().manual_seed(3))

    assert torch.equal(write(), write())
    assert torch.equal(write(top_k=1), generate(decoder, start, 12, Drawing(temperature=0)))
    assert torch.equal(write(top_p=1e-6), generate(decoder, start, 12, Drawing(temperature=0)))


def test_an_end_token_ends_a_text() -> None:
    decoder = Decoder(5, 20, width=8, depth=1, n_heads=2, is_tied=False).eval()
    assert decoder.head is not None
    nn.init.zeros_(decoder.head.weight)
    written = generate(decoder, torch.tensor([[1]]), 10, Drawing(temperature=0, end=0))
    assert written.tolist() == [[1, 0]]


def test_it_streams_what_it_generates_and_leaves_out_what_stands_for_no_text() -> None:
    decoder = Decoder(12, 8, width=8, depth=1, n_heads=2).eval()
    start, drawing = torch.full((1, 3), 7), Drawing(temperature=5.0, first_token=4)
    whole = generate(decoder, start, 40, drawing, random=torch.Generator().manual_seed(1))
    pieces = list(stream(decoder, start, 40, drawing, random=torch.Generator().manual_seed(1)))
    assert torch.equal(torch.cat([start, *pieces], dim=1), whole)
    assert int(whole.min()) >= 4
