"""Mixing: helps exactly where there is something to gain, and never by having looked."""

import numpy as np
import pytest

from groundup.core.inputs import Predictions
from groundup.core.losses import LOG_LOSS, SQUARED_ERROR
from groundup.evaluation.fit_evidence import mixed_losses
from groundup.evaluation.row_losses import row_losses


def test_mixing_in_nothing_new_changes_nothing() -> None:
    rng = np.random.default_rng(0)
    y, model = rng.normal(size=90), Predictions(rng.normal(size=90))
    assert mixed_losses(SQUARED_ERROR, y, model, model) == pytest.approx(row_losses(SQUARED_ERROR, y, model))


def test_the_best_of_both_is_found_at_either_end() -> None:
    y = np.random.default_rng(1).normal(size=60)
    right, wrong = Predictions(y), Predictions(-y)
    assert mixed_losses(SQUARED_ERROR, y, wrong, right).max() == pytest.approx(0)
    assert mixed_losses(SQUARED_ERROR, y, right, wrong).max() == pytest.approx(0)


def test_sure_mistakes_are_softened() -> None:
    rng = np.random.default_rng(2)
    y = rng.integers(0, 3, 200)
    said = np.where(rng.random(200) < 0.6, y, (y + 1) % 3)
    sure, shares = Predictions(said, np.eye(3)[said]), Predictions(said, np.full((200, 3), 1 / 3))
    softened = mixed_losses(LOG_LOSS, y, sure, shares)
    assert softened.mean() < row_losses(LOG_LOSS, y, shares).mean()
    assert softened.mean() < row_losses(LOG_LOSS, y, sure).mean()


def test_noise_mixed_into_noise_is_no_gain_by_choice() -> None:
    rng, gains = np.random.default_rng(3), []
    for _ in range(100):
        y, zero = rng.normal(size=50), Predictions(np.zeros(50))
        losses = mixed_losses(SQUARED_ERROR, y, zero, Predictions(rng.normal(size=50)))
        gains.append(row_losses(SQUARED_ERROR, y, zero).mean() - losses.mean())
    assert np.mean(gains) < 0.01
