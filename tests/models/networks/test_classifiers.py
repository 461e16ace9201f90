"""Every network that answers one question learns one batch by heart, and pays no attention to padding."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from groundup.models.networks.cnn import ConvolutionalNetwork
from groundup.models.networks.encoder import SeriesEncoder, TextEncoder
from groundup.models.networks.initialisation import initialise
from groundup.models.networks.rnn import RecurrentSeries, RecurrentText
from groundup.models.networks.table import TableNetwork
from groundup.models.networks.vit import VisionTransformer

RANDOM = torch.Generator().manual_seed(0)
LABELS = torch.arange(24) % 3
IMAGES = torch.randint(0, 256, (24, 9, 10, 2), generator=RANDOM, dtype=torch.uint8)
TOKENS = torch.randint(1, 40, (24, 12), generator=RANDOM)
SERIES = torch.randn(24, 20, 2, generator=RANDOM)
ROWS = torch.randn(24, 5, generator=RANDOM)
ROWS[:, 4] = torch.randint(0, 3, (24,), generator=RANDOM)
ROWS[0, 4] = torch.nan
PIXELS = {"mean": [127.0, 127.0], "deviation": [70.0, 70.0]}

NETWORKS: dict[str, tuple[Callable[[], nn.Module], Tensor]] = {
    "cnn": (lambda: ConvolutionalNetwork(9, 10, 2, 3, widths=(8, 16), **PIXELS), IMAGES),
    "vit": (
        lambda: VisionTransformer(9, 10, 2, 3, patch=4, model_width=16, depth=1, n_heads=2, **PIXELS),
        IMAGES,
    ),
    "text_encoder": (lambda: TextEncoder(40, 3, width=16, depth=1, n_heads=2, dropout=0.0), TOKENS),
    "recurrent_text": (lambda: RecurrentText(40, 3, width=16, dropout=0.0), TOKENS),
    "series_encoder": (
        lambda: SeriesEncoder(2, 3, patch=4, width=16, depth=1, n_heads=2, dropout=0.0),
        SERIES,
    ),
    "recurrent_series": (lambda: RecurrentSeries(2, 3, width=16, dropout=0.0), SERIES),
    "table": (lambda: TableNetwork(5, 3, [(4, 3)], width=32, depth=2, n_members=2, dropout=0.0), ROWS),
}
EACH = pytest.mark.parametrize("name", NETWORKS)


def loss_of(network: nn.Module, x: Tensor) -> Tensor:
    outputs = network(x)
    if outputs.ndim == 3:
        return nn.functional.cross_entropy(outputs.flatten(0, 1), LABELS.repeat_interleave(outputs.shape[1]))
    return nn.functional.cross_entropy(outputs, LABELS)


@EACH
def test_it_learns_one_batch_by_heart(name: str) -> None:
    make, x = NETWORKS[name]
    network = make()
    initialise(network, "xavier", seed=0)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-2, weight_decay=0.0)
    for _ in range(120):
        loss = loss_of(network, x)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert float(loss.detach()) < 0.05
    network.eval()
    with torch.no_grad():
        assert torch.equal(network(x).argmax(dim=1), LABELS)


@EACH
def test_a_row_is_answered_alike_in_any_company(name: str) -> None:
    make, x = NETWORKS[name]
    network = make().eval()
    with torch.no_grad():
        torch.testing.assert_close(network(x[3:4]), network(x)[3:4], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["text_encoder", "recurrent_text"])
def test_padding_changes_nothing(name: str) -> None:
    network = NETWORKS[name][0]().eval()
    longer = torch.cat([TOKENS, torch.zeros(24, 5, dtype=torch.long)], dim=1)
    with torch.no_grad():
        torch.testing.assert_close(network(longer), network(TOKENS), rtol=1e-4, atol=1e-5)
        assert bool(torch.isfinite(network(torch.zeros(2, 4, dtype=torch.long))).all())


@pytest.mark.parametrize("side", [8, 28, 32, 65])
@pytest.mark.parametrize("stem_stride", [1, 2, 4])
def test_images_of_any_size_fit(side: int, stem_stride: int) -> None:
    network = ConvolutionalNetwork(
        side, side, 3, 5, mean=[0.0] * 3, deviation=[1.0] * 3, widths=(4, 8, 8), stem_stride=stem_stride
    )
    assert network(torch.zeros(2, side, side, 3, dtype=torch.uint8)).shape == (2, 5)


def test_members_answer_as_one_once_they_have_learned() -> None:
    network = TableNetwork(5, 3, [(4, 3)], n_members=4, dropout=0.0)
    with torch.no_grad():
        alone = network(ROWS)
        assert alone.shape == (24, 4, 3)
        torch.testing.assert_close(network.eval()(ROWS), alone.mean(dim=1))
