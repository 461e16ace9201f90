"""The cost of a fit, known before its first step."""

import pytest
import torch
from torch import nn

from groundup.core.errors import TrainingError
from groundup.models.networks.cnn import ConvolutionalNetwork
from groundup.training import cost as module
from groundup.training.batches import TensorBatches
from groundup.training.cost import Cost, check_memory, estimate_cost
from groundup.training.gradient_options import GradientOptions
from groundup.training.losses import make_loss
from groundup.training.plan import Plan, fill_in, make_plan


def cost_of(network: nn.Module, x: torch.Tensor, **options: object) -> tuple[Cost, Plan]:
    batches = TensorBatches((x,), torch.zeros(len(x), dtype=torch.long), 32, seed=0)
    filled, _ = fill_in(GradientOptions.model_validate({"precision": "float32", **options}), {})
    plan = make_plan(filled, network, batches.n_batches)
    return estimate_cost(network, batches, make_loss("cross_entropy", filled), plan), plan


def test_a_dense_layer_costs_what_it_multiplies() -> None:
    cost, _ = cost_of(nn.Sequential(nn.Linear(100, 50), nn.ReLU(), nn.Linear(50, 10)), torch.zeros(64, 100))
    assert cost.n_parameters == cost.n_learned == 5560
    assert cost.row_flops == 3 * 2 * (100 * 50 + 50 * 10)
    # Kept for the backward pass: the inputs, the bent units, the log-probabilities.
    assert 4 * (100 + 50 + 10) <= cost.row_bytes <= 4 * (100 + 3 * 50 + 3 * 10)
    assert cost.fixed_bytes >= 4 * 5560 * 4


def test_a_convolution_counts_every_place_and_its_statistics_stay() -> None:
    network = ConvolutionalNetwork(8, 8, 1, 3, mean=[0.0], deviation=[1.0], widths=(4,))
    before = {name: buffer.clone() for name, buffer in network.named_buffers()}
    cost, _ = cost_of(network, torch.zeros(64, 8, 8, 1, dtype=torch.uint8))
    assert cost.row_flops == 3 * 2 * (64 * (9 * 4 + 2 * 9 * 16) + 4 * 3)
    assert all(torch.equal(buffer, before[name]) for name, buffer in network.named_buffers())
    assert network.training


def test_what_does_not_fit_is_refused_with_the_batch_that_would(monkeypatch: pytest.MonkeyPatch) -> None:
    cost, plan = cost_of(nn.Linear(1000, 10), torch.zeros(64, 1000), batch_size=32)
    check_memory(cost, plan)
    monkeypatch.setattr(
        module, "free_memory_bytes", lambda _device: int((cost.memory_bytes(10) + 100) / 0.9) + 1
    )
    with pytest.raises(TrainingError, match=r"`training\.batch_size: 10`, or `training\.accumulate: 4`"):
        check_memory(cost, plan)
    monkeypatch.setattr(module, "free_memory_bytes", lambda _device: 100)
    with pytest.raises(TrainingError, match="The weights alone"):
        check_memory(cost, plan)


def test_free_memory_is_known_here() -> None:
    free = module.free_memory_bytes(torch.device("cpu"))
    assert free is None or free > 0
