"""Slices: cut where people would cut, measured honestly, and gaps that are not chance."""

from datetime import date

import numpy as np
import polars as pl
import pytest

from groundup.core.inputs import Predictions
from groundup.evaluation.intervals import BootstrapOptions
from groundup.evaluation.metrics import compute_metrics
from groundup.evaluation.slices import MOST_SLICES, Slice, SliceOptions, cut_slices, measure_slices

FEW = BootstrapOptions(resamples=200)
OPTIONS = SliceOptions(("accuracy", "roc_auc"), bootstrap=FEW)


def answers(y: np.ndarray, right: np.ndarray, rng: np.random.Generator) -> Predictions:
    values = np.where(right, y, 1 - y)
    p = np.clip(values + (0.5 - values) * rng.uniform(0, 1, len(y)), 0.01, 0.99)
    return Predictions(values.astype(np.int64), np.stack([1 - p, p], axis=1))


def halves(n: int) -> dict[str, list[Slice]]:
    return {"city": [Slice("a", np.arange(n // 2)), Slice("b", np.arange(n // 2, n))]}


def test_numbers_and_dates_are_cut_at_the_quartiles_of_the_training_rows() -> None:
    training = pl.Series(range(101))
    slices = cut_slices(pl.Series([0, 25, 26, 75, 76, 500, None]), training)
    assert [(each.label, each.rows.tolist()) for each in slices] == [
        ("≤ 25", [0, 1]),
        ("25 to 50", [2]),
        ("50 to 75", [3]),
        ("> 75", [4, 5]),
        ("missing", [6]),
    ]
    days = pl.Series([date(2024, 1, day) for day in range(1, 29)])
    assert cut_slices(days, days)[0].label.startswith("≤ 2024-01-")


def test_few_numbers_are_values_and_rare_values_stand_together() -> None:
    assert [each.label for each in cut_slices(pl.Series([2, 1, 2]), pl.Series([1, 2]))] == ["1", "2"]
    words = pl.Series([str(n) for n in range(20) for _ in range(40 - n)])
    slices = cut_slices(words, words)
    assert len(slices) == MOST_SLICES + 1
    assert slices[-1].label == "8 rarer values"
    assert sum(len(each.rows) for each in slices) == len(words)


def test_a_slice_has_the_scores_of_its_rows() -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 400)
    predictions = answers(y, rng.uniform(size=400) < 0.8, rng)
    (column,) = measure_slices(halves(400), y, predictions, OPTIONS)["columns"]
    for each, rows in zip(column["slices"], (np.arange(200), np.arange(200, 400)), strict=True):
        expected = compute_metrics(["accuracy", "roc_auc"], y[rows], predictions.take(rows))
        for name, value in expected.items():
            assert each["scores"][name]["value"] == pytest.approx(value)
        chosen = predictions.values[rows]
        assert each["scores"]["selection_rate"]["value"] == pytest.approx(chosen.mean())
        assert each["scores"]["true_positive_rate"]["value"] == pytest.approx(chosen[y[rows] == 1].mean())
        assert each["scores"]["false_positive_rate"]["value"] == pytest.approx(chosen[y[rows] == 0].mean())


def test_a_planted_gap_is_clear_and_too_few_rows_are_said() -> None:
    rng = np.random.default_rng(1)
    y = rng.integers(0, 2, 620)
    right = rng.uniform(size=620) < np.repeat([0.95, 0.7, 0.5], [300, 300, 20])
    slices = {
        "city": [
            Slice(name, rows) for name, rows in zip("abc", np.split(np.arange(620), [300, 600]), strict=True)
        ]
    }
    (column,) = measure_slices(slices, y, answers(y, right, rng), OPTIONS)["columns"]
    gap = column["gaps"]["accuracy"]
    assert (gap["best"], gap["worst"], gap["is_clear"]) == ("a", "b", True)
    assert gap["p_value"] < 0.001
    assert column["slices"][2]["scores"] is None
    assert "20, where 30 are needed" in column["slices"][2]["note"]


def test_a_small_slice_without_a_mistake_is_no_proof() -> None:
    rng = np.random.default_rng(2)
    y = rng.integers(0, 2, 1030)
    right = rng.uniform(size=1030) < 0.93
    right[:30] = True
    slices = {"city": [Slice("small", np.arange(30)), Slice("large", np.arange(30, 1030))]}
    (column,) = measure_slices(slices, y, answers(y, right, rng), OPTIONS)["columns"]
    assert column["slices"][0]["scores"]["accuracy"]["value"] == 1.0
    assert not column["gaps"]["accuracy"]["is_clear"]


def test_the_clearest_pair_is_told_where_an_extreme_is_too_small_to_tell() -> None:
    rng = np.random.default_rng(5)
    y = rng.integers(0, 2, 2040)
    right = rng.uniform(size=2040) < np.repeat([0.9, 0.75], [1000, 1040])
    right[2000:] = np.arange(40) % 10 < 7
    parts = np.split(np.arange(2040), [1000, 2000])
    slices = {"city": [Slice(name, rows) for name, rows in zip("abc", parts, strict=True)]}
    (column,) = measure_slices(slices, y, answers(y, right, rng), OPTIONS)["columns"]
    gap = column["gaps"]["accuracy"]
    assert gap["worst"] == "c"
    assert (gap["clearest"]["best"], gap["clearest"]["worst"]) == ("a", "b")
    assert gap["clearest"]["is_clear"]


def test_where_all_slices_are_alike_a_clear_gap_is_rare() -> None:
    rng = np.random.default_rng(3)
    n_alarms = 0
    for _ in range(60):
        y = rng.integers(0, 2, 360)
        slices = {"city": [Slice(str(i), rows) for i, rows in enumerate(np.split(np.arange(360), 6))]}
        found = measure_slices(slices, y, answers(y, rng.uniform(size=360) < 0.8, rng), OPTIONS)
        n_alarms += found["columns"][0]["gaps"]["accuracy"]["is_clear"]
    assert n_alarms <= 6  # 5 % of 60 are expected at most


def test_regression_has_gaps_and_no_rates() -> None:
    rng = np.random.default_rng(4)
    y = rng.normal(size=400)
    errors = rng.normal(size=400) * np.repeat([1.0, 3.0], 200)
    options = SliceOptions(("rmse", "mae"), bootstrap=FEW)
    (column,) = measure_slices(halves(400), y, Predictions(y + errors), options)["columns"]
    assert set(column["gaps"]) == {"rmse", "mae"}
    assert (column["gaps"]["mae"]["best"], column["gaps"]["mae"]["is_clear"]) == ("a", True)
