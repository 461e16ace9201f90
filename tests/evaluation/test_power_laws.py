"""The mixture of power laws finds the curve it came from, and is unsure where the points are."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t

from groundup.evaluation.power_laws import Band, PowerLaws

X = np.array([1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0])


def at(x: float) -> "object":
    return lambda exponents: np.stack([np.ones_like(exponents), x**-exponents])


@pytest.mark.parametrize("exponent", [0.2, 0.5, 1.0])
def test_exact_points_give_back_their_curve(exponent: float) -> None:
    laws = PowerLaws(X, 0.3 + 0.2 * X**-exponent, 1e-10 * np.eye(5), freedom=8)
    truth = 0.3 + 0.2 * 2.0**-exponent
    band = laws.band(at(2.0))
    assert band.low < truth < band.high
    assert band.value == pytest.approx(truth, rel=0.02)
    assert laws.exponent == pytest.approx(exponent, abs=0.35)


def test_a_flat_line_is_foretold_flat() -> None:
    band = PowerLaws(X, np.full(5, 0.7), 1e-8 * np.eye(5), freedom=8).band(at(2.0))
    assert band.value == pytest.approx(0.7, abs=1e-3)
    assert band.high - band.low < 0.002


@settings(deadline=None, max_examples=30)
@given(st.floats(0.001, 0.1), st.integers(2, 20), st.floats(0.8, 0.99))
def test_more_noise_and_more_confidence_are_wider_and_scale_with_the_values(
    noise: float, freedom: int, confidence: float
) -> None:
    y, covariance = 0.3 + 0.2 * X**-0.5, noise**2 * np.eye(5)
    band = PowerLaws(X, y, covariance, freedom).band(at(2.0), confidence)
    assert band.low <= band.value <= band.high
    wider = PowerLaws(X, y, covariance, freedom).band(at(2.0), confidence + 0.005)
    assert wider.low < band.low
    assert band.high < wider.high
    noisier = PowerLaws(X, y, 4 * covariance, freedom).band(at(2.0), confidence)
    assert noisier.high - noisier.low > band.high - band.low
    scaled = PowerLaws(X, 1000 * y, 1e6 * covariance, freedom).band(at(2.0), confidence)
    assert Band(*(end / 1000 for end in scaled)) == pytest.approx(band, rel=1e-6)


def test_of_one_exponent_it_is_least_squares_with_students_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("groundup.evaluation.power_laws._EXPONENTS", np.array([0.5]))
    monkeypatch.setattr("groundup.evaluation.power_laws._MISFIT", 0.0)
    rng = np.random.default_rng(0)
    y = 1 + X**-0.5 + rng.normal(0, 0.1, 5)
    band = PowerLaws(X, y, 0.01 * np.eye(5), freedom=4).band(at(2.0))
    design = np.stack([np.ones(5), X**-0.5], axis=1)
    coefficients, *_ = np.linalg.lstsq(design, y, rcond=None)
    factors = np.array([1, 2**-0.5])
    error = 0.1 * np.sqrt(factors @ np.linalg.inv(design.T @ design) @ factors)
    assert band.value == pytest.approx(factors @ coefficients)
    assert band.high - band.value == pytest.approx(t.ppf(0.975, 4) * error, rel=1e-6)
