"""Parameters laid out in vectors are the module's own."""

import pytest
import torch
from torch import nn

from groundup.training.parameters import Average, Parameters, count_parameters


def make_module() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, 2))


def test_a_module_says_the_same_after_its_parameters_are_laid_out() -> None:
    module, x = make_module().eval(), torch.randn(3, 2, 3, 3)
    before = module(x)
    Parameters(module)
    assert torch.equal(module(x), before)


def test_gradients_arrive_in_the_vectors() -> None:
    module, twin, x = make_module(), make_module(), torch.randn(3, 2, 3, 3)
    parameters = Parameters(module)
    for each in (module, twin):
        each(x).square().sum().backward()
    squares = sum(float(parameter.grad.square().sum()) for parameter in twin.parameters())
    assert float(parameters.gradient_norm()) == pytest.approx(squares**0.5, rel=1e-5)
    parameters.zero_grad()
    assert all(not parameter.grad.any() for parameter in module.parameters())


def test_decayed_values_come_first_and_frozen_ones_are_left_alone() -> None:
    module = make_module()
    module[0].weight.requires_grad_(False)
    (group,) = Parameters(module).groups
    assert group.n_decayed == module[3].weight.numel()
    assert len(group.weights) == sum(p.numel() for p in module.parameters()) - module[0].weight.numel()


def test_rates_divide_the_parameters_into_groups() -> None:
    groups = Parameters(make_module(), rates={"0": 0.1, "3": 0.5, "3.bias": 0.0}).groups
    assert sorted((group.rate, len(group.weights)) for group in groups) == [
        (0.0, 2),
        (0.1, 76),
        (0.5, 8),
        (1.0, 8),
    ]


@pytest.mark.parametrize("limit", [0.01, 1e6])
def test_clipping_shortens_only_what_is_too_long(limit: float) -> None:
    module, x = make_module(), torch.randn(3, 2, 3, 3)
    parameters = Parameters(module)
    module(x).square().sum().backward()
    before = float(parameters.gradient_norm())
    assert float(parameters.clip(limit)) == pytest.approx(before)
    assert float(parameters.gradient_norm()) == pytest.approx(min(before, limit), rel=1e-4)


def test_a_channels_last_kernel_keeps_its_order_in_the_vector() -> None:
    module = make_module().to(memory_format=torch.channels_last)
    Parameters(module)
    assert module[0].weight.is_contiguous(memory_format=torch.channels_last)
    assert module[0].weight.grad.is_contiguous(memory_format=torch.channels_last)


def test_an_average_follows_weights_and_statistics_and_swaps_with_them() -> None:
    module = make_module()
    parameters = Parameters(module)
    average = Average(module, parameters, 0.5)
    start = module[3].bias.detach().clone()
    module[3].bias.data.add_(1.0)
    average.update()  # the first weight is 1 - 1 / 11
    changed = module[3].bias.detach().clone()
    average.swap()
    torch.testing.assert_close(module[3].bias.detach(), start + 10 / 11)
    average.swap()
    assert torch.equal(module[3].bias, changed)
    for _ in range(60):
        average.update()
    average.swap()
    torch.testing.assert_close(module[3].bias.detach(), changed, rtol=0, atol=1e-6)


def test_parameters_are_counted_with_and_without_frozen_ones() -> None:
    module = make_module()
    module[3].requires_grad_(False)
    assert count_parameters(module) == (76 + 8, 76 + 8 + 10)
