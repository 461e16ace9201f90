"""Our optimizers compute what torch's compute, step by step."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from groundup.training.optimizers import is_hidden_matrix, make_optimizers, orthogonalized
from groundup.training.parameters import Parameters

TORCH: dict[str, Any] = {
    "sgd": lambda groups: torch.optim.SGD(groups, lr=0.05, momentum=0.9),
    "adam": lambda groups: torch.optim.Adam(groups, lr=0.05),
    "adamw": lambda groups: torch.optim.AdamW(groups, lr=0.05),
    "rmsprop": lambda groups: torch.optim.RMSprop(groups, lr=0.05, momentum=0.9),
    "adagrad": lambda groups: torch.optim.Adagrad(groups, lr=0.05),
}


def make_module() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.LayerNorm(7), nn.Linear(7, 3))


def loss_of(module: nn.Module, step: int) -> Tensor:
    x = torch.randn(16, 5, generator=torch.Generator().manual_seed(step))
    return (module(x) - x[:, :3]).square().mean()


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
@pytest.mark.parametrize("name", TORCH)
def test_equals_torch(name: str, weight_decay: float) -> None:
    ours, theirs = make_module(), make_module()
    parameters = Parameters(ours)
    optimizers = make_optimizers(name, parameters.groups, weight_decay=weight_decay)
    decayed = [p for p in theirs.parameters() if p.ndim >= 2]
    others = [p for p in theirs.parameters() if p.ndim < 2]
    reference = TORCH[name](
        [{"params": decayed, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]
    )
    for step in range(30):
        loss_of(ours, step).backward()
        optimizers.step(0.05)
        parameters.zero_grad()
        reference.zero_grad()
        loss_of(theirs, step).backward()
        reference.step()
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=2e-5, atol=2e-6)


def test_muon_equals_torch_on_its_matrices() -> None:
    ours, theirs = make_module(), make_module()
    parameters = Parameters(ours, is_matrix=is_hidden_matrix)
    optimizers = make_optimizers("muon", parameters.groups, weight_decay=0.1, momentum=0.95)
    matrices = [p for p in theirs.parameters() if p.ndim == 2]
    others = [p for p in theirs.parameters() if p.ndim < 2]
    muon = torch.optim.Muon(matrices, lr=0.02, weight_decay=0.1, adjust_lr_fn="match_rms_adamw")
    adamw = torch.optim.AdamW(others, lr=0.02, weight_decay=0.0)
    for step in range(5):
        loss_of(ours, step).backward()
        optimizers.step(0.02)
        parameters.zero_grad()
        muon.zero_grad()
        adamw.zero_grad()
        loss_of(theirs, step).backward()
        muon.step()
        adamw.step()
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=0.02, atol=2e-3)  # bfloat16 inside both


@pytest.mark.parametrize("shape", [(3, 4, 9), (2, 9, 4), (1, 6, 6)])
def test_orthogonalized_matrices_have_singular_values_near_one(shape: tuple[int, int, int]) -> None:
    matrices = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    values = torch.linalg.svdvals(orthogonalized(matrices).float())
    assert values.shape == (shape[0], min(shape[1:]))
    assert values.min() > 0.5
    assert values.max() < 1.4


def test_a_convolution_is_a_matrix_to_muon_whatever_its_order_of_channels() -> None:
    results = []
    for memory_format in (torch.contiguous_format, torch.channels_last):
        torch.manual_seed(0)
        module = nn.Conv2d(3, 8, 3).to(memory_format=memory_format)
        parameters = Parameters(module, is_matrix=is_hidden_matrix)
        optimizers = make_optimizers("muon", parameters.groups, weight_decay=0.0)
        x = torch.randn(2, 3, 6, 6, generator=torch.Generator().manual_seed(0))
        module(x).square().mean().backward()
        optimizers.step(0.1)
        results.append(module.weight.detach().clone())
    torch.testing.assert_close(results[0], results[1].contiguous(), rtol=0.05, atol=5e-3)


def test_hidden_matrices_are_those_between_embedding_and_head() -> None:
    matrix, vector = nn.Parameter(torch.zeros(4, 4)), nn.Parameter(torch.zeros(4))
    assert is_hidden_matrix("block.0.linear.weight", matrix)
    assert not is_hidden_matrix("embedding.weight", matrix)
    assert not is_hidden_matrix("head.weight", matrix)
    assert not is_hidden_matrix("block.0.norm.weight", vector)
    assert not is_hidden_matrix("column", nn.Parameter(torch.zeros(4, 1)))
