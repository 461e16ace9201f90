"""The paired test agrees with its definition, and seldom finds a difference between equals."""

import numpy as np
import pytest

from groundup.tuning.paired_test import compare_with_best, corrected_t_test
from groundup.tuning.selection import Candidate


def candidate(name: str, *scores: float) -> Candidate:
    return Candidate(name, float(np.nanmean(scores)), 0.0, scores, 1.0, 1)


def test_without_shared_rows_it_is_the_paired_t_test() -> None:
    from scipy.stats import ttest_1samp

    differences = [0.02, -0.01, 0.03, 0.02, 0.015]
    assert corrected_t_test(differences, 0.0) == pytest.approx(ttest_1samp(differences, 0.0).pvalue)
    assert corrected_t_test(differences, 0.25) > corrected_t_test(differences, 0.0)


def test_over_repeats_it_is_the_corrected_repeated_test() -> None:
    """Bouckaert and Frank's: the mean over all k r folds, the variance times 1 / (k r) + n2 / n1."""
    from scipy.stats import t

    differences = np.random.default_rng(0).normal(0.3, 1.0, 30)
    statistic = differences.mean() / np.sqrt((1 / 30 + 1 / 9) * differences.var(ddof=1))
    assert corrected_t_test(differences.tolist(), 1 / 9) == pytest.approx(2 * t.sf(abs(statistic), 29))


def test_many_repeats_find_no_difference_between_equals() -> None:
    """Rows that make one model look better do so in every repeat."""
    rng = np.random.default_rng(0)
    n_alarms, n_naive = 0, 0
    for _ in range(400):
        rows = rng.normal(size=100)
        folds = [fold.mean() for _ in range(10) for fold in np.split(rng.permutation(rows), 5)]
        n_alarms += (corrected_t_test(folds, 1 / 4) or 0.0) < 0.05
        n_naive += (corrected_t_test(folds, 0.0) or 0.0) < 0.05
    assert n_alarms <= 0.07 * 400
    assert n_naive >= 0.3 * 400


def test_the_extremes() -> None:
    assert corrected_t_test([0.1], 0.25) is None
    assert corrected_t_test([0.0, 0.0, 0.0], 0.25) == 1.0
    assert corrected_t_test([0.5, 0.5, 0.5], 0.25) == 0.0


def test_the_best_and_the_baseline_have_no_p_value() -> None:
    candidates = [
        candidate("baseline", 0.5, 0.5, 0.5),
        candidate("ridge", 0.80, 0.81, 0.79),
        candidate("lasso", 0.80, 0.80, 0.79),
        candidate("tree", 0.60, 0.62, 0.58),
    ]
    p_values = compare_with_best(candidates, higher_is_better=True, test_share=0.5)
    assert set(p_values) == {"lasso", "tree"}
    assert p_values["tree"] < 0.05 < p_values["lasso"]
    lower = compare_with_best(candidates, higher_is_better=False, test_share=0.5)
    assert set(lower) == {"ridge", "lasso"}


def test_folds_without_a_score_are_left_out() -> None:
    candidates = [candidate("a", 0.9, float("nan"), 0.8), candidate("b", 0.8, 0.9, float("nan"))]
    assert compare_with_best(candidates, higher_is_better=True, test_share=0.5) == {}


def test_equal_candidates_are_seldom_told_apart() -> None:
    """Scores of folds that share training rows correlate by about the share that is held out."""
    rng = np.random.default_rng(0)
    n_alarms, n_folds, test_share = 0, 5, 0.25
    shared = test_share / (1 + test_share)
    for _ in range(1000):
        own, common = rng.normal(size=n_folds), rng.normal()
        p_value = corrected_t_test(list(np.sqrt(1 - shared) * own + np.sqrt(shared) * common), test_share)
        n_alarms += p_value is not None and p_value < 0.05
    assert 30 <= n_alarms <= 70
