"""Intervals: how often they hold the truth, and that they are the same for the same seed."""

import numpy as np
import pytest

from groundup.core.inputs import Predictions
from groundup.evaluation import intervals
from groundup.evaluation.intervals import (
    BootstrapOptions,
    HeldOut,
    Interval,
    bootstrap,
    bootstrap_folds,
    hits_interval,
    mean_interval,
    paired_difference,
    ratio_interval,
)
from groundup.evaluation.metrics import default_metrics
from planted.distributions import DISTRIBUTIONS, Size, dependent_misses, metric_misses, two_classes


@pytest.mark.parametrize(
    "name", ["two classes, 30 % positive", "numbers, normal errors", "numbers, skewed (log-normal)"]
)
def test_95_percent_intervals_hold_the_truth_in_93_to_97_of_100(name: str) -> None:
    misses = metric_misses(*DISTRIBUTIONS[name], Size())
    shares = {metric: each.coverage for metric, each in misses.items()}
    # With 200 repetitions a single share is uncertain by 3 points, and their mean by a little less.
    assert all(0.89 <= share <= 0.99 for share in shares.values()), shares
    assert 0.92 <= np.mean(list(shares.values())) <= 0.98, shares


def test_long_tails_are_met_by_studentizing() -> None:
    rng, hits, n_repetitions = np.random.default_rng(2), 0, 300
    for seed in range(n_repetitions):
        errors = rng.standard_t(5, size=300)
        options = BootstrapOptions(seed=seed, resamples=300)
        each = bootstrap(["rmse"], np.zeros(300), Predictions(errors), options=options)["rmse"]
        hits += each.low <= np.sqrt(5 / 3) <= each.high
    assert hits / n_repetitions > 0.925  # plain percentiles reach 0.89


def test_groups_are_drawn_together() -> None:
    by_group, by_row = dependent_misses("8 rows an entity", Size(), seed=3)
    assert 0.91 <= by_group.coverage <= 0.99
    assert by_row.coverage < 0.7


def test_neighbours_in_time_are_drawn_together() -> None:
    blocked, by_row = dependent_misses("neighbours in time", Size(), seed=4)
    assert 0.91 <= blocked.coverage <= 0.99
    assert by_row.coverage < 0.75


def test_block_weights_draw_whole_runs() -> None:
    counts = intervals._block_counts(10, 200, 4, np.random.default_rng(0))
    assert counts.shape == (10, 200)
    assert (counts.sum(axis=0) == 12).all()  # three blocks of four
    # Between neighbours in a circle the count changes only where a block begins or ends.
    assert (np.abs(counts - np.roll(counts, 1, axis=0)).sum(axis=0) <= 6).all()


def test_the_same_seed_gives_the_same_interval() -> None:
    y, predictions = two_classes(np.random.default_rng(5), 120)
    first, again, other = (
        bootstrap(["roc_auc"], y, predictions, options=BootstrapOptions(seed=seed)) for seed in (1, 1, 2)
    )
    assert first == again
    assert first["roc_auc"].value == other["roc_auc"].value
    assert first != other


def test_undefined_resamples_are_left_out_and_counted() -> None:
    y = np.array([1] + [0] * 20)
    p = np.linspace(0.9, 0.1, 21)
    found = bootstrap(["roc_auc"], y, Predictions((p > 0.5).astype(int), np.stack([1 - p, p], axis=1)))
    assert "resamples left out" in found["roc_auc"].note
    assert found["roc_auc"].value == 1.0
    assert "note" in found["roc_auc"].to_json()


def test_an_undefined_metric_says_why() -> None:
    one_class = Predictions(np.zeros(5, int), np.full((5, 2), 0.5))
    found = bootstrap(["roc_auc", "accuracy"], np.zeros(5, int), one_class)
    assert found["roc_auc"] == Interval(None, None, None, "undefined: it needs rows of at least two classes")
    assert found["accuracy"] == Interval(1.0, pytest.approx(0.5655, abs=1e-4), 1.0)


def test_few_rows_have_a_value_without_an_interval() -> None:
    assert bootstrap(["mae"], np.ones(1), Predictions(np.zeros(1)))["mae"].low is None
    assert bootstrap(["mae"], np.ones(0), Predictions(np.zeros(0)))["mae"].value is None
    one_group = BootstrapOptions(groups=np.array(["a"] * 9))
    assert mean_interval(np.arange(9.0), options=one_group).low is None
    assert mean_interval(np.empty(0)).value is None
    assert ratio_interval(np.ones(3), np.zeros(3)).value is None


def test_a_perfect_model_has_a_point_for_an_interval() -> None:
    y = np.arange(30.0)
    found = bootstrap(default_metrics("regression", 0), y, Predictions(y))
    assert {(each.value, each.low, each.high) for each in found.values()} == {
        (0.0, 0.0, 0.0),
        (1.0, 1.0, 1.0),
    }


@pytest.mark.parametrize(("n", "share"), [(60, 0.99), (60, 0.9), (250, 0.97)])
def test_shares_near_all_keep_their_promise(n: int, share: float) -> None:
    rng, n_inside = np.random.default_rng(0), 0
    for seed in range(300):
        found = hits_interval(rng.random(n) < share, options=BootstrapOptions(seed=seed, resamples=2))
        n_inside += found.low <= share <= found.high
    assert n_inside >= 0.92 * 300


def test_all_rows_right_is_no_proof_of_perfection() -> None:
    y = np.arange(80) % 2
    sure = Predictions(y, np.eye(2)[y])
    options = BootstrapOptions()
    assert bootstrap(["accuracy"], y, sure)["accuracy"].low == pytest.approx(0.954, abs=0.001)
    folds = [HeldOut(y[:40], sure.take(np.arange(40)), options)] * 2
    assert bootstrap_folds(["accuracy"], folds)["accuracy"].low == pytest.approx(0.954, abs=0.001)
    by_group = BootstrapOptions(groups=np.arange(80) // 8)  # ten customers say less than eighty rows
    assert bootstrap(["accuracy"], y, sure, options=by_group)["accuracy"].low == pytest.approx(
        0.722, abs=0.001
    )


def test_auto_draws_fewer_resamples_of_many_rows() -> None:
    options = BootstrapOptions()
    assert [options.n_resamples(n) for n in (10, 20_000, 50_000, 10**7)] == [1000, 1000, 400, 200]
    assert BootstrapOptions(resamples=77).n_resamples(10**7) == 77


def test_chunks_do_not_change_the_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    y, predictions = two_classes(np.random.default_rng(6), 90)
    whole = bootstrap(default_metrics("classification", 2), y, predictions)
    monkeypatch.setattr(intervals, "_CHUNK_CELLS", 1000)
    parts = bootstrap(default_metrics("classification", 2), y, predictions)
    for name in whole:
        assert parts[name].low == pytest.approx(whole[name].low)


def test_a_paired_difference_sees_what_two_intervals_hide() -> None:
    rng = np.random.default_rng(7)
    hard = rng.exponential(size=300)
    difference = paired_difference(hard + 0.05 + 0.1 * rng.normal(size=300), hard)
    assert difference.low > 0
    assert mean_interval(hard).high > mean_interval(hard + 0.05).low


def test_a_higher_confidence_is_wider() -> None:
    losses = np.random.default_rng(8).normal(size=100)
    narrow, wide = (mean_interval(losses, options=BootstrapOptions(confidence=c)) for c in (0.8, 0.99))
    assert wide.low < narrow.low < narrow.high < wide.high


def test_a_constant_guess_has_a_roc_auc_of_a_half_over_folds_with_different_priors() -> None:
    y_true = np.arange(100) % 4 // 3
    guesses = [Predictions(np.zeros(100, np.int64), np.tile([1 - p, p], (100, 1))) for p in (0.2, 0.3)]
    interval = bootstrap_folds(["roc_auc"], [HeldOut(y_true, each, BootstrapOptions()) for each in guesses])
    assert interval["roc_auc"] == Interval(0.5, 0.5, 0.5)


def test_the_value_over_folds_is_the_mean_of_the_folds_and_its_interval_narrows() -> None:
    rng = np.random.default_rng(0)
    folds = []
    for size in (200, 200, 200, 200, 200):
        y_true = rng.normal(size=size)
        folds.append(HeldOut(y_true, Predictions(y_true + rng.normal(size=size)), BootstrapOptions()))
    alone = [bootstrap(["rmse"], fold.y_true, fold.predictions)["rmse"] for fold in folds]
    together = bootstrap_folds(["rmse"], folds)["rmse"]
    assert together.value == pytest.approx(np.mean([each.value for each in alone]))
    widths = [each.high - each.low for each in alone]
    assert (together.high - together.low) == pytest.approx(np.mean(widths) / np.sqrt(5), rel=0.25)


def test_folds_in_which_a_metric_is_undefined_are_left_out_and_named() -> None:
    y_true = np.arange(40) % 2
    predictions = Predictions(y_true, np.stack([1.0 - y_true, y_true], axis=1))
    both = HeldOut(y_true, predictions, BootstrapOptions())
    one = HeldOut(np.zeros(40, np.int64), predictions, BootstrapOptions())
    interval = bootstrap_folds(["roc_auc"], [both, one])["roc_auc"]
    assert interval.value == 1.0
    assert "1 of 2 folds" in interval.note
    assert bootstrap_folds(["roc_auc"], [one])["roc_auc"].value is None
