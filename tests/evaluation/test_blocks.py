"""Blocks of neighbours in time: how long, and what they lose where they meet."""

import numpy as np
import pytest

from groundup.evaluation.blocks import block_length, widening


def following(seed: int, n: int, correlation: float) -> np.ndarray:
    rng, values = np.random.default_rng(seed), np.zeros(n)
    for i in range(1, n):
        values[i] = correlation * values[i - 1] + rng.normal()
    return values


@pytest.mark.parametrize("n", [1, 2, 7, 8, 9, 50])
def test_block_lengths_are_possible(n: int) -> None:
    assert 1 <= block_length(np.cumsum(np.ones(n))) <= max(1, n // 4)
    assert block_length(np.zeros(n)) == 1


def test_blocks_grow_with_dependence() -> None:
    lengths = [
        np.median([block_length(following(seed, 600, c)) for seed in range(20)]) for c in (0, 0.5, 0.9)
    ]
    assert lengths[0] <= 2 < lengths[1] < lengths[2]


def test_widening_makes_up_for_short_blocks() -> None:
    # Blocks of 4 see sum(1 - k / 4) of the correlations 0.7 ** k, not all of them.
    seen = 1 + 2 * sum((1 - k / 4) * 0.7**k for k in range(1, 4))
    missing = np.sqrt((1 + 0.7) / (1 - 0.7) / seen)
    factors = [widening(following(seed, 5_000, 0.7), 4) for seed in range(20)]
    assert np.mean(factors) == pytest.approx(missing, rel=0.05)


def test_nothing_is_widened_without_dependence_or_without_spread() -> None:
    assert np.mean([widening(following(seed, 600, 0.0), 1) for seed in range(50)]) < 1.03
    assert widening(np.zeros(50), 1) == 1.0
    assert widening(np.array([1.0, 2.0]), 1) == 1.0
    assert widening(np.array([-1.0, 1.0] * 50), 2) == 1.0  # blocks of an even length all add up to 0
    assert widening(np.cumsum(np.ones(100)), 1) == 2.0
