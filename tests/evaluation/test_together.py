"""Differences under the same resamples are as narrow as the rows allow, and cover the truth."""

import numpy as np
import pytest

from groundup.core.inputs import Predictions
from groundup.evaluation.intervals import BootstrapOptions, HeldOut, bootstrap, bootstrap_folds
from groundup.evaluation.metrics import METRICS
from groundup.evaluation.together import Part, average_parts, draw_together

MAE = {"mae": METRICS["mae"].function}


def test_what_is_hard_for_both_cancels_out() -> None:
    rng = np.random.default_rng(0)
    y_true = np.zeros(300)
    hard = rng.exponential(5.0, 300)
    one, other = draw_together(MAE, y_true, [Part(Predictions(hard)), Part(Predictions(hard + 0.1))])
    difference = other.minus(one, "mae")
    assert difference.low == pytest.approx(0.1)
    assert one.interval("mae").high > other.interval("mae").low


def test_a_part_alone_has_the_interval_of_the_bootstrap() -> None:
    rng = np.random.default_rng(1)
    y_true = rng.integers(0, 2, 200)
    p = np.clip(0.3 * y_true + rng.uniform(0, 0.7, 200), 0, 1)
    predictions = Predictions((p > 0.5).astype(np.int64), np.stack([1 - p, p], axis=1))
    (drawn,) = draw_together({"roc_auc": METRICS["roc_auc"].function}, y_true, [Part(predictions)])
    assert drawn.interval("roc_auc") == bootstrap(["roc_auc"], y_true, predictions)["roc_auc"]


def test_a_part_counts_only_its_rows() -> None:
    y_true, values = np.zeros(100), np.repeat([1.0, 3.0], 50)
    predictions = Predictions(values)
    rows = [Part(predictions, np.arange(50)), Part(predictions, np.arange(50, 100))]
    low, high = draw_together(MAE, y_true, rows)
    assert (low.values["mae"], high.values["mae"]) == (1.0, 3.0)
    assert high.minus(low, "mae").low == pytest.approx(2.0)
    assert low.basis.n_units == 50


def test_rows_of_a_group_stay_together() -> None:
    rng = np.random.default_rng(2)
    level = np.repeat(rng.normal(size=20), 30)
    predictions = Predictions(level)
    groups = np.repeat(np.arange(20), 30)
    by_group = draw_together(MAE, np.zeros(600), [Part(predictions)], options=BootstrapOptions(groups=groups))
    by_row = draw_together(MAE, np.zeros(600), [Part(predictions)])
    widths = [each[0].interval("mae").high - each[0].interval("mae").low for each in (by_group, by_row)]
    assert widths[0] > 2 * widths[1]
    assert by_group[0].basis.n_units == 20


def test_an_undefined_metric_says_so() -> None:
    predictions = Predictions(np.zeros(20, int), np.tile([0.6, 0.4], (20, 1)))
    (drawn,) = draw_together({"roc_auc": METRICS["roc_auc"].function}, np.zeros(20, int), [Part(predictions)])
    assert drawn.interval("roc_auc").value is None
    assert drawn.minus(drawn, "roc_auc").note.startswith("undefined")


def test_repeats_of_the_same_folds_do_not_narrow_the_interval() -> None:
    rng = np.random.default_rng(0)
    y_true = rng.normal(size=300)
    predictions = Predictions(y_true + rng.normal(size=300))
    folds = [Part(predictions, rows) for rows in np.split(rng.permutation(300), 5)]
    once = average_parts(draw_together(MAE, y_true, folds), n_folds=5).interval("mae")
    often = average_parts(draw_together(MAE, y_true, 20 * folds), n_folds=5).interval("mae")
    assert (often.value, often.low, often.high) == pytest.approx((once.value, once.low, once.high))
    # Drawn apart, 20 repeats of the same folds would pass for 20 times the rows.
    apart = [
        HeldOut(y_true[part.rows], predictions.take(part.rows), BootstrapOptions()) for part in 20 * folds
    ]
    narrow = bootstrap_folds(["mae"], apart)["mae"]
    assert narrow.high - narrow.low < 0.4 * (often.high - often.low)


def test_one_repeat_has_the_interval_of_folds_drawn_apart() -> None:
    rng = np.random.default_rng(1)
    y_true = rng.normal(size=600)
    predictions = Predictions(y_true + rng.normal(size=600))
    rows = np.split(rng.permutation(600), 5)
    together = average_parts(
        draw_together({"rmse": METRICS["rmse"].function}, y_true, [Part(predictions, each) for each in rows]),
        n_folds=5,
    ).interval("rmse")
    apart = [HeldOut(y_true[each], predictions.take(each), BootstrapOptions()) for each in rows]
    reference = bootstrap_folds(["rmse"], apart)["rmse"]
    assert together.value == pytest.approx(reference.value)
    assert together.high - together.low == pytest.approx(reference.high - reference.low, rel=0.1)


def test_a_fold_without_a_value_is_left_out_and_said() -> None:
    y_true = np.array([0, 1] * 20 + [0] * 20)
    p = np.linspace(0, 1, 60)
    predictions = Predictions((p > 0.5).astype(int), np.stack([1 - p, p], axis=1))
    parts = [Part(predictions, np.arange(40)), Part(predictions, np.arange(40, 60))]
    drawn = draw_together({"roc_auc": METRICS["roc_auc"].function}, y_true, parts)
    average = average_parts(drawn, n_folds=2).interval("roc_auc")
    assert average.value == drawn[0].values["roc_auc"]
    assert "1 of 2 folds" in average.note


def test_all_rows_right_in_every_repeat_are_as_sure_as_in_one() -> None:
    y_true = np.tile([0, 1], 75)
    predictions = Predictions(y_true, np.eye(2)[y_true])
    rows = np.split(np.arange(150), 5)
    functions = {"accuracy": METRICS["accuracy"].function}
    drawn = draw_together(functions, y_true, 3 * [Part(predictions, each) for each in rows])
    repeated = average_parts(drawn, n_folds=5).interval("accuracy")
    apart = [HeldOut(y_true[each], predictions.take(each), BootstrapOptions()) for each in rows]
    once = bootstrap_folds(["accuracy"], apart)["accuracy"]
    assert (repeated.low, repeated.high) == (once.low, once.high) == (pytest.approx(0.975, abs=1e-3), 1.0)
    # One part, such as a slice, has fewer rows.
    assert drawn[0].interval("accuracy").low == pytest.approx(0.886, abs=1e-3)
