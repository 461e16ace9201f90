"""Columns that were computed from the target of other rows, told from lags that are known in time."""

import numpy as np
import pytest

from groundup.evaluation.formulas import steps_ahead

Y = np.random.default_rng(0).normal(size=400).cumsum()


def shifted(steps: int) -> np.ndarray:
    """Return the target so many rows later, nothing beyond the end."""
    return (
        np.concatenate([Y[steps:], np.zeros(steps)]) if steps >= 0 else np.concatenate([Y[:-1][:1], Y[:-1]])
    )


@pytest.mark.parametrize(
    ("column", "ahead"),
    [
        (sum(shifted(k) for k in (-1, 0, 1)) / 3, 1),  # a centred mean
        (shifted(7), 7),
        (3 * Y - 2, 0),
        (shifted(1) - Y, 1),
    ],
)
def test_columns_from_later_rows_are_found(column: np.ndarray, ahead: int) -> None:
    assert steps_ahead(column, Y) == ahead


def test_what_is_known_in_time_is_left_alone() -> None:
    lag = np.concatenate([Y[:1], Y[:-1]])
    trailing = np.convolve(Y, np.ones(5) / 5)[: len(Y)] - Y / 5
    for column in (
        lag,
        trailing,
        np.arange(400.0),
        np.ones(400),
        np.sin(Y),
        Y + 0.01 * np.cos(np.arange(400)),
    ):
        assert steps_ahead(column, Y) is None


def test_few_rows_and_missing_values_are_not_judged() -> None:
    assert steps_ahead(Y[:100], Y[:100]) is None
    assert steps_ahead(np.where(np.arange(400) == 200, np.nan, Y), Y) is None
    assert steps_ahead(Y, np.ones(400)) is None
