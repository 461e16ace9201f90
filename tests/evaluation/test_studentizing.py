"""Intervals under long tails: what the bootstrap-t promises, and where it says that it cannot."""

import numpy as np
import pytest
from scipy import stats

from groundup.core.inputs import Predictions
from groundup.evaluation.intervals import BootstrapOptions, bootstrap
from groundup.evaluation.studentizing import student_quantile


@pytest.mark.parametrize("freedom", [3, 5, 20, 200])
def test_student_quantiles_agree_with_scipy(freedom: int) -> None:
    z = stats.norm.ppf(0.975)
    assert student_quantile(z, freedom) == pytest.approx(stats.t.ppf(0.975, freedom), rel=0.05)


def measured(errors: np.ndarray, seed: int = 0, *, confidence: float = 0.95) -> tuple[float, float, str]:
    options = BootstrapOptions(seed=seed, resamples=500, confidence=confidence)
    found = bootstrap(["rmse"], np.zeros(len(errors)), Predictions(errors), options=options)["rmse"]
    assert found.low is not None
    assert found.high is not None
    assert found.low <= found.value <= found.high
    return found.low, found.high, found.note


def test_even_errors_are_hardly_widened() -> None:
    errors = np.random.default_rng(0).normal(size=2_000)
    low, high, note = measured(errors)
    half = 1.96 * np.sqrt(0.5 / 2_000)  # of the root of a mean of squares of normal errors
    assert high - low == pytest.approx(2 * half, rel=0.1)
    assert note == ""


def test_one_huge_error_is_told_and_the_upper_end_stays_near() -> None:
    errors = np.append(np.random.default_rng(0).normal(size=59), 100.0)
    low, high, note = measured(errors)
    assert note == "a few large errors decide it, so it may be too narrow"
    # One row carries the mean, so its standard error is about the mean: at most three normal quantiles of it.
    assert high < np.sqrt(1 + 3 * 1.96) * np.sqrt((errors**2).mean()) + 1e-9
    assert low > 0


def test_a_level_moves_the_ends() -> None:
    errors = np.random.default_rng(1).standard_t(5, size=200)
    wide, narrow = measured(errors, confidence=0.99), measured(errors, confidence=0.8)
    assert wide[0] < narrow[0] < narrow[1] < wide[1]
