"""The calibration error and its interval; calibrating is kept only where it helps."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from groundup.core.inputs import FloatArray, IntArray, Predictions
from groundup.evaluation.calibration import (
    as_frequencies,
    brier_decomposition,
    calibration_gain,
    calibration_interval,
    expected_calibration_error,
)
from groundup.evaluation.calibrators import Method, fit_calibrator, is_beyond_chance
from groundup.evaluation.folds import make_folds
from groundup.evaluation.intervals import BootstrapOptions
from groundup.evaluation.metrics import compute_metrics
from planted.probabilities import Stretched, log_losses, stretched


def two(second: FloatArray) -> FloatArray:
    return np.stack([1 - second, second], axis=1)


def drawn(n: int, sharpness: float, random: np.random.Generator) -> tuple[FloatArray, IntArray]:
    logits = random.normal(0, 1.5, n)
    y_true = (random.random(n) < 1 / (1 + np.exp(-logits))).astype(np.int64)
    return two(1 / (1 + np.exp(-sharpness * logits))), y_true


def test_the_error_is_that_of_the_definition() -> None:
    said, y_true = drawn(400, 2.0, np.random.default_rng(0))
    expected = 0.0
    for low in range(15):
        inside = (np.minimum((said[:, 1] * 15).astype(int), 14)) == low
        if inside.any():
            expected += inside.mean() * abs(said[inside, 1].mean() - y_true[inside].mean())
    assert expected_calibration_error(said, y_true) == pytest.approx(expected)


@pytest.mark.parametrize("k", [2, 3])
def test_the_parts_of_the_brier_score_add_up(k: int) -> None:
    random = np.random.default_rng(0)
    said = random.dirichlet(np.ones(k), 300)
    y_true = random.integers(0, k, 300)
    parts = brier_decomposition(said, y_true)
    whole = compute_metrics(["brier"], y_true, Predictions(said.argmax(axis=1), said))["brier"]
    assert parts["brier"] == pytest.approx(whole)
    total = parts["reliability"] - parts["resolution"] + parts["uncertainty"] + parts["within_bins"]
    assert total == pytest.approx(whole)


def test_the_interval_holds_the_true_error() -> None:
    truth = expected_calibration_error(*drawn(200_000, 3.0, np.random.default_rng(1)))
    random, n_inside = np.random.default_rng(2), 0
    for seed in range(60):
        interval, by_chance = calibration_interval(
            *drawn(400, 3.0, random), options=BootstrapOptions(resamples=200, seed=seed)
        )
        assert interval.low is not None
        assert interval.high is not None
        n_inside += interval.low <= truth <= interval.high
        assert by_chance < 0.08
    assert n_inside >= 51


def test_the_gain_is_measured_on_rows_that_the_calibrator_has_not_seen() -> None:
    said, y_true = drawn(400, 3.0, np.random.default_rng(0))
    folds = make_folds(y_true, task="classification", k=5, seed=0)
    calibrated = said.copy()
    for train, held_out in folds:
        calibrated[held_out] = fit_calibrator("platt", said[train], y_true[train]).apply(said[held_out])
    expected = log_losses(said, y_true).mean() - log_losses(calibrated, y_true).mean()
    gain = calibration_gain("platt", said, y_true, folds=folds, options=BootstrapOptions(resamples=200))
    assert gain.value == pytest.approx(expected)
    assert gain.low is not None
    assert 0 < gain.low < expected


@pytest.mark.parametrize(
    "shape", [Stretched(2, 1.0), Stretched(2, 1.3), Stretched(2, 2.5), Stretched(4, 1.2)]
)
@pytest.mark.parametrize("n_rows", [60, 300])
def test_kept_only_beyond_chance_the_log_loss_gets_no_worse(shape: Stretched, n_rows: int) -> None:
    random = np.random.default_rng(0)
    method: Method = "platt" if shape.n_classes == 2 else "temperature"
    fresh = stretched(random, 20_000, shape)
    before = log_losses(*fresh).mean()
    differences = []
    for _ in range(60):
        rows = stretched(random, n_rows, shape)
        if is_beyond_chance(method, *rows):
            differences.append(
                log_losses(fit_calibrator(method, *rows).apply(fresh[0]), fresh[1]).mean() - before
            )
    n_kept = len(differences)
    assert sum(differences) / 60 <= 0.0003
    if shape.factor == 1.0:
        assert n_kept <= 3
    if shape.factor == 2.5:
        assert n_kept >= (30 if n_rows == 60 else 59)


def test_undoing_weights_gives_what_a_model_without_them_says() -> None:
    random = np.random.default_rng(0)
    X = random.normal(size=(20_000, 2))
    scores = np.column_stack([np.zeros(20_000), X[:, 0] - 1, X[:, 1] - 2]) + random.gumbel(size=(20_000, 3))
    y = scores.argmax(axis=1)
    weight = np.array([0.5, 3.0, 8.0])
    weighed = LogisticRegression(class_weight=dict(enumerate(weight)), C=1e6).fit(X, y).predict_proba(X)
    plain = LogisticRegression(C=1e6).fit(X, y).predict_proba(X)
    undone = as_frequencies(Predictions(weighed.argmax(axis=1), weighed), weight)
    assert undone.probabilities is not None
    assert np.abs(weighed - plain).mean() > 0.05
    assert np.abs(undone.probabilities - plain).mean() < 0.01
    np.testing.assert_array_equal(undone.values, undone.probabilities.argmax(axis=1))
