"""The range test finds a rate that learns, and leaves the module as it was."""

import pytest
import torch
from torch import nn

from groundup.core.errors import TrainingError
from groundup.training.batches import TensorBatches
from groundup.training.fit import fit
from groundup.training.gradient_options import GradientOptions
from groundup.training.losses import make_loss
from groundup.training.plan import fill_in, make_plan
from groundup.training.range_test import range_test

X = torch.randn(512, 5, generator=torch.Generator().manual_seed(0))
Y = (X[:, 0] > 0).long()


def make_module() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Linear(16, 2))


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_the_rate_found_learns(optimizer: str) -> None:
    module = make_module()
    before = [parameter.clone() for parameter in module.parameters()]
    filled, _ = fill_in(GradientOptions(optimizer=optimizer, learning_rate="auto"), {})
    batches = TensorBatches((X,), Y, 64, seed=0)
    plan = make_plan(filled, module, batches.n_batches)
    found = range_test(module, batches, make_loss("cross_entropy", filled), plan)
    assert all(torch.equal(one, other) for one, other in zip(module.parameters(), before, strict=True))
    assert 1e-4 < found.learning_rate < 10
    assert found == range_test(module, batches, make_loss("cross_entropy", filled), plan)
    options = GradientOptions(optimizer=optimizer, learning_rate=found.learning_rate, epochs=5, batch_size=64)
    result = fit(module, (X, Y), options)
    assert result.curve["train"][-1][1] < 0.2


def test_fit_runs_it_where_the_rate_is_auto() -> None:
    options = GradientOptions(learning_rate="auto", epochs=4, batch_size=64)
    assert fit(make_module(), (X, Y), options).curve["train"][-1][1] < 0.3


def test_a_loss_that_falls_with_no_rate_is_an_error() -> None:
    class Deaf(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(2))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.zeros(len(x), 2) + 0 * self.weight

    filled, _ = fill_in(GradientOptions(learning_rate="auto"), {})
    batches = TensorBatches((X,), Y, 64, seed=0)
    with pytest.raises(TrainingError, match="found no learning rate"):
        range_test(
            Deaf(), batches, make_loss("cross_entropy", filled), make_plan(filled, Deaf(), batches.n_batches)
        )
