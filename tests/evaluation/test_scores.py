"""The parts of the arithmetic that no single metric shows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundup.core.inputs import Predictions
from groundup.evaluation import scores
from groundup.evaluation.scores import Case, Draws, ratio


def test_a_ratio_over_zero_is_nan_or_as_asked() -> None:
    assert np.isnan(ratio(np.array([0.0]), np.array([0.0]))).all()
    assert ratio(np.array([3.0]), np.array([0.0]), otherwise=0.0) == 0


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**6), st.integers(2, 40), st.integers(2, 5))
def test_class_sums_count_the_confusion_matrix(seed: int, n: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    y_true, answers, weight = rng.integers(0, k, n), rng.integers(0, k, n), rng.random((n, 3))
    sums = Draws(Case(y_true, Predictions(answers, np.full((n, k), 1 / k))), weight).class_sums
    for code in range(k):
        assert sums.correct[code] == pytest.approx(weight[(y_true == code) & (answers == code)].sum(axis=0))
        assert sums.observed[code] == pytest.approx(weight[y_true == code].sum(axis=0))
        assert sums.predicted[code] == pytest.approx(weight[answers == code].sum(axis=0))


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**6), st.integers(3, 40))
def test_roc_auc_is_the_share_of_pairs_in_order(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    y_true, score = rng.integers(0, 2, n), rng.integers(0, 5, n) / 5
    y_true[:2] = 0, 1
    pairs = score[y_true == 1][:, None] - score[y_true == 0]
    expected = ((pairs > 0) + 0.5 * (pairs == 0)).mean()
    case = Case(y_true, Predictions((score > 0.5).astype(int), np.stack([1 - score, score], axis=1)))
    assert scores.roc_auc(Draws(case, np.ones((n, 1))))[0] == pytest.approx(expected)


def test_standard_errors_agree_with_simulation() -> None:
    rng = np.random.default_rng(0)
    y_true = rng.normal(size=(400, 1500)) + 50
    predicted = 50 + 0.7 * (y_true - 50) + rng.normal(size=y_true.shape) * 0.5
    found = []
    for y, values in zip(y_true.T, predicted.T, strict=True):
        draws = Draws(Case(y, Predictions(values)), np.ones((400, 1)))
        pairs = scores.mean_with_error(draws, scores.squares(draws.case)), scores.unexplained(draws)
        found.append([pair[:, 0] for pair in pairs])
    simulated = np.array(found)
    assert simulated[:, :, 1].mean(axis=0) == pytest.approx(simulated[:, :, 0].std(axis=0), rel=0.06)


def test_the_influence_of_a_row_is_what_its_weight_changes() -> None:
    rng = np.random.default_rng(1)
    y = rng.lognormal(size=50)
    case = Case(y, Predictions(y + rng.normal(size=50)))
    weight = np.ones((50, 51)) + 1e-6 * np.eye(50, 51)
    values = scores.unexplained(Draws(case, weight))[0]
    expected = (values[:50] / values[50] - 1) * 50 / 1e-6
    assert scores.unexplained_influence(case) == pytest.approx(expected, rel=1e-3, abs=1e-3)


def test_a_perfect_prediction_has_no_standard_error() -> None:
    y = np.arange(5.0)
    draws = Draws(Case(y, Predictions(y)), np.ones((5, 2)))
    assert np.isnan(scores.mean_with_error(draws, scores.squares(draws.case))).all()
    assert np.isnan(scores.unexplained(draws)).all()
