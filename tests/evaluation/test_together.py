"""Differences under the same resamples are as narrow as the rows allow, and cover the truth."""

import numpy as np
import pytest

from groundup.core.inputs import Predictions
from groundup.evaluation.intervals import BootstrapOptions, bootstrap
from groundup.evaluation.metrics import METRICS
from groundup.evaluation.together import Part, draw_together

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
    assert low.n_independent == 50


def test_rows_of_a_group_stay_together() -> None:
    rng = np.random.default_rng(2)
    level = np.repeat(rng.normal(size=20), 30)
    predictions = Predictions(level)
    groups = np.repeat(np.arange(20), 30)
    by_group = draw_together(MAE, np.zeros(600), [Part(predictions)], options=BootstrapOptions(groups=groups))
    by_row = draw_together(MAE, np.zeros(600), [Part(predictions)])
    widths = [each[0].interval("mae").high - each[0].interval("mae").low for each in (by_group, by_row)]
    assert widths[0] > 2 * widths[1]
    assert by_group[0].n_independent == 20


def test_an_undefined_metric_says_so() -> None:
    predictions = Predictions(np.zeros(20, int), np.tile([0.6, 0.4], (20, 1)))
    (drawn,) = draw_together({"roc_auc": METRICS["roc_auc"].function}, np.zeros(20, int), [Part(predictions)])
    assert drawn.interval("roc_auc").value is None
    assert drawn.minus(drawn, "roc_auc").note.startswith("undefined")
