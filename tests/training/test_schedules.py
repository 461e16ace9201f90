"""Schedules rise, hold and fall as their papers say."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from groundup.training.schedules import SCHEDULES, make_schedule

NAMES = ("constant", "plateau", "step", *SCHEDULES)


@given(
    name=st.sampled_from(NAMES),
    n_steps=st.integers(1, 300),
    warmup=st.floats(0, 0.9),
    decay=st.floats(0.05, 1),
)
def test_every_factor_is_above_zero_and_at_most_one(
    name: str, n_steps: int, warmup: float, decay: float
) -> None:
    schedule = make_schedule(name, n_steps, warmup=warmup, decay=decay, drop_every=50)
    factors = [schedule(step) for step in range(n_steps)]
    assert all(0 < factor <= 1 + 1e-12 for factor in factors)


def test_cosine_equals_torch() -> None:
    schedule = make_schedule("cosine", 100)
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=1.0)
    theirs = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=100)
    for step in range(100):
        assert schedule(step) == pytest.approx(theirs.get_last_lr()[0], abs=1e-9)
        optimizer.step()
        theirs.step()


def test_step_divides_by_ten() -> None:
    schedule = make_schedule("step", 90, drop_every=30)
    assert [round(schedule(step), 6) for step in (0, 29, 30, 60, 89)] == [1, 1, 0.1, 0.01, 0.01]


def test_warmup_stable_decay_holds_in_the_middle() -> None:
    schedule = make_schedule("warmup_stable_decay", 100, warmup=0.1, decay=0.2)
    assert schedule(0) == pytest.approx(0.1)
    assert all(schedule(step) == 1 for step in range(9, 81))
    assert schedule(90) == pytest.approx(0.5)
    assert schedule(99) == pytest.approx(0.05)


def test_one_cycle_rises_and_falls_in_straight_lines() -> None:
    schedule = make_schedule("one_cycle", 100, warmup=0.2)
    assert schedule(19) == pytest.approx(1.0)
    assert schedule(60) == pytest.approx(0.5)
