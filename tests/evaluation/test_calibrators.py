"""Calibrators repair what is wrong, answer alike for a batch and a row, and survive as JSON."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from groundup.core.inputs import FloatArray, IntArray, Predictions
from groundup.core.losses import LOG_LOSS
from groundup.evaluation import calibrators
from groundup.evaluation.calibrators import Method, calibrator_of, fit_calibrator, is_beyond_chance
from groundup.evaluation.row_losses import row_losses


def sample(n: int, k: int, sharpness: float, seed: int) -> tuple[FloatArray, IntArray]:
    """Return probabilities that are too sure (sharpness above 1) or not sure enough, and classes."""
    random = np.random.default_rng(seed)
    logits = random.normal(0, 1.5, (n, k))
    true, said = (np.exp(each * logits) for each in (1.0, sharpness))
    true, said = (each / each.sum(axis=1, keepdims=True) for each in (true, said))
    y_true = (true.cumsum(axis=1) < random.random((n, 1))).sum(axis=1).clip(0, k - 1)
    return said, y_true


def log_loss(probabilities: FloatArray, y_true: IntArray) -> float:
    return float(row_losses(LOG_LOSS, y_true, Predictions(y_true, probabilities)).mean())


@pytest.mark.parametrize(
    ("method", "k"), [("platt", 2), ("temperature", 2), ("temperature", 4), ("isotonic", 2), ("isotonic", 3)]
)
@pytest.mark.parametrize("sharpness", [0.4, 3.0])
def test_probabilities_that_are_wrongly_sure_get_better(method: Method, k: int, sharpness: float) -> None:
    said, y_true = sample(2000, k, sharpness, 0)
    fresh, y_fresh = sample(5000, k, sharpness, 1)
    calibrated = fit_calibrator(method, said, y_true).apply(fresh)
    assert np.allclose(calibrated.sum(axis=1), 1)
    assert log_loss(calibrated, y_fresh) < log_loss(fresh, y_fresh) - 0.01


def test_platt_is_a_logistic_regression_on_the_log_odds() -> None:
    said, y_true = sample(3000, 2, 2.0, 0)
    log_odds = np.log(said[:, 1] / said[:, 0])
    reference = LogisticRegression(C=np.inf).fit(log_odds[:, None], y_true)
    fitted: Any = fit_calibrator("platt", said, y_true)
    assert fitted.slope == pytest.approx(reference.coef_[0, 0], abs=0.01)
    assert fitted.intercept == pytest.approx(reference.intercept_[0], abs=0.01)


def test_the_temperature_is_found_again() -> None:
    said, y_true = sample(20_000, 3, 2.5, 0)
    fitted: Any = fit_calibrator("temperature", said, y_true)
    assert fitted.temperature == pytest.approx(2.5, rel=0.05)


@pytest.mark.parametrize(("method", "k"), [("platt", 2), ("temperature", 3)])
def test_what_chance_may_have_fitted_is_taken_off(method: Method, k: int) -> None:
    said, y_true = sample(100, k, 1.0, 0)
    assert not is_beyond_chance(method, said, y_true)
    assert np.allclose(fit_calibrator(method, said, y_true).apply(said), said)
    # Between the extremes the pull lets part of the correction through, and more of it the more rows say so.
    said, y_true = sample(20_000, k, 2.0, 1)
    whole: Any = fit_calibrator(method, said, y_true)
    part: Any = fit_calibrator(method, said[:60], y_true[:60])
    full = calibrators._fit(method, said[:60], y_true[:60])
    moved = [each.slope if method == "platt" else 1 / each.temperature for each in (full, part, whole)]
    assert moved[0] < moved[1] < 1
    assert moved[2] == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("method", ["platt", "temperature", "isotonic"])
@pytest.mark.parametrize("k", [2, 3])
def test_a_row_equals_its_batch_and_the_state_is_json(method: Method, k: int) -> None:
    if method == "platt" and k > 2:
        pytest.skip("Platt is for two classes")
    said, y_true = sample(500, k, 5.0, 0)
    said[0], said[1] = np.eye(k)[0], np.eye(k)[1]
    fitted = fit_calibrator(method, said, y_true)
    batch = fitted.apply(said)
    rows = np.array([fitted.apply_row(row) for row in said.tolist()])
    assert np.abs(batch - rows).max() <= 1e-12
    again = calibrator_of(json.loads(json.dumps(fitted.state(), allow_nan=False)))
    assert np.array_equal(again.apply(said), batch)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=2, max_size=60))
def test_no_calibrator_breaks_and_isotonic_keeps_the_order(pairs: list[tuple[float, bool]]) -> None:
    second, y_true = np.array([p for p, _ in pairs]), np.array([int(y) for _, y in pairs])
    said = np.stack([1 - second, second], axis=1)
    for method in ("platt", "temperature", "isotonic"):
        calibrated = fit_calibrator(method, said, y_true).apply(said)
        assert np.isfinite(calibrated).all()
        assert (calibrated >= 0).all()
    assert (np.diff(calibrated[np.argsort(second), 1]) >= -1e-12).all()
    # A digit lost in the input costs digits in the output, but never more than three.
    shifted = np.clip(second + 1e-15, 0, 1)
    moved = fit_calibrator("isotonic", said, y_true).apply(np.stack([1 - shifted, shifted], axis=1))
    assert np.abs(moved - calibrated).max() <= 2e-12


@pytest.mark.parametrize(
    "state",
    [
        {"method": "magic"},
        {"method": "platt", "slope": float("nan"), "intercept": 0.0},
        {"method": "temperature", "temperature": 0.0},
        {"method": "isotonic", "knots": []},
        {"method": "isotonic", "knots": [[[0.5, 0.2], [0.1, 0.2]]]},
        {"method": "isotonic", "knots": [[[0.2, 0.5], [0.0, 1.0]]]},
    ],
)
def test_what_is_no_calibrator_is_refused(state: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"calibrator|finite"):
        calibrator_of(state)
