"""Permutation importance: columns that matter, columns that do not, and how sure that is."""

import numpy as np
import polars as pl
import pytest

from groundup.core.inputs import Predictions
from groundup.evaluation.importance import Shuffling, permutation_importance
from groundup.evaluation.metrics import METRICS


def rows_of(n: int = 300) -> pl.DataFrame:
    rng = np.random.default_rng(0)
    return pl.DataFrame(
        {
            "much": rng.normal(size=n),
            "little": rng.normal(size=n),
            "not": rng.normal(size=n),
            "text": ["a"] * n,
        }
    )


def weighted_sum(frame: pl.DataFrame) -> Predictions:
    return Predictions((3 * frame["much"] + 0.5 * frame["little"]).to_numpy())


def importance_of(predict, frame, y, **options):
    """Return the importance of every column of `frame` to a function of frames."""

    def predict_shuffled(column, order):
        return predict(frame if column is None else frame.with_columns(frame[column][order]))

    return permutation_importance(predict_shuffled, frame.columns, y, **options)


def test_columns_are_ordered_by_what_they_cost() -> None:
    frame = rows_of()
    found = importance_of(weighted_sum, frame, weighted_sum(frame).values, metric=METRICS["rmse"])
    assert [row["column"] for row in found] == ["much", "little", "not", "text"]
    # Of a column with weight w and variance 1, a shuffle leaves an error of w * sqrt(2).
    assert found[0]["importance"] == pytest.approx(3 * 2**0.5, rel=0.1)
    assert found[1]["importance"] == pytest.approx(0.5 * 2**0.5, rel=0.1)
    assert all(row["low"] <= row["importance"] <= row["high"] for row in found)
    assert found[1]["low"] > 0
    assert found[2] == {"column": "not", "importance": 0.0, "low": 0.0, "high": 0.0}


def test_a_drop_is_positive_where_higher_is_better() -> None:
    frame = rows_of()
    y = (frame["much"] > 0).cast(pl.Int64).to_numpy()

    def predict(rows: pl.DataFrame) -> Predictions:
        p = 1 / (1 + np.exp(-3 * rows["much"].to_numpy()))
        return Predictions((p > 0.5).astype(int), np.stack([1 - p, p], axis=1))

    found = importance_of(predict, frame, y, metric=METRICS["roc_auc"])
    assert found[0]["column"] == "much"
    assert found[0]["importance"] == pytest.approx(0.5, abs=0.05)
    # Looked at from the other class, the same column matters as much.
    y_other = 1 - y
    swapped = importance_of(
        lambda rows: Predictions(1 - predict(rows).values, predict(rows).probabilities[:, ::-1]),
        frame,
        y_other,
        metric=METRICS["roc_auc"],
        positive=0,
    )
    assert swapped[0]["importance"] == pytest.approx(found[0]["importance"])


def test_the_same_seed_gives_the_same_numbers() -> None:
    frame = rows_of(60)
    y = weighted_sum(frame).values + np.random.default_rng(1).normal(size=60)
    first, again, other = (
        importance_of(weighted_sum, frame, y, metric=METRICS["mae"], shuffling=Shuffling(3, seed))
        for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


def test_a_column_does_not_depend_on_its_neighbours() -> None:
    frame = rows_of(60)
    y = weighted_sum(frame).values
    by_name = {row["column"]: row for row in importance_of(weighted_sum, frame, y, metric=METRICS["mae"])}
    turned = importance_of(weighted_sum, frame.select(sorted(frame.columns)), y, metric=METRICS["mae"])
    assert {row["column"]: row for row in turned} == by_name


def test_an_undefined_metric_has_no_importance() -> None:
    frame = rows_of(20)
    found = importance_of(weighted_sum, frame, np.ones(20), metric=METRICS["r2"])
    assert {row["importance"] for row in found} == {None}
    assert importance_of(weighted_sum, frame.clear(), np.ones(0), metric=METRICS["r2"]) == []
