"""Column statistics agree with NumPy, fit in JSON, and say nothing of what is not there."""

import datetime
import json
from collections import Counter

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundup.core.errors import UnknownColumnError
from groundup.core.schema import Column, Schema
from groundup.data.dataset import Dataset
from groundup.data.profile import N_BINS, profile, summarize_target


def dataset_of(series, kind, storage):
    frame = pl.DataFrame({"v": series})
    return Dataset(frame.lazy(), Schema([Column("v", kind, storage)]), len(frame), "frame")


def profile_of(series, kind, storage):
    dataset = dataset_of(series, kind, storage)
    (statistics,) = profile(dataset.frame(), dataset.schema)
    json.dumps(statistics, allow_nan=False)
    return statistics


finite = st.floats(allow_nan=False, allow_infinity=False, width=32)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.one_of(st.none(), finite), min_size=1, max_size=40))
def test_numbers_agree_with_numpy(values):
    present = np.array([value for value in values if value is not None])
    found = profile_of(pl.Series(values, dtype=pl.Float64), "number", "float")
    assert (found["n"], found["n_missing"]) == (len(values), len(values) - len(present))
    if not len(present):
        assert found["mean"] is None
        assert "histogram" not in found
        return
    assert found["n_unique"] == len(np.unique(present))
    assert (found["minimum"], found["maximum"]) == (present.min(), present.max())
    assert found["mean"] == pytest.approx(present.mean(), rel=1e-9, abs=1e-9 * np.abs(present).max())
    expected = np.quantile(present, [0.25, 0.5, 0.75])
    assert found["quartiles"] == pytest.approx(list(expected), abs=1e-6 * np.abs(present).max())
    counts, edges = found["histogram"]["counts"], found["histogram"]["edges"]
    assert sum(counts) == len(present)
    assert len(edges) == len(counts) + 1 <= N_BINS + 1


def test_few_whole_numbers_have_a_bin_each():
    found = profile_of(pl.Series([1, 1, 3, None]), "number", "integer")
    assert found["histogram"] == {"edges": [0.5, 1.5, 2.5, 3.5], "counts": [2, 0, 1]}


@given(st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=30))
def test_levels_are_counted_most_frequent_first(values):
    levels = profile_of(pl.Series(values), "category", "string")["levels"]
    assert {level["value"]: level["count"] for level in levels} == Counter(values)
    assert [level["count"] for level in levels] == sorted(Counter(values).values(), reverse=True)


def test_dates_booleans_text_and_constants():
    moments = [datetime.datetime(2024, 1, day) for day in (1, 2, 3)]
    found = profile_of(pl.Series(moments, dtype=pl.Datetime("us")), "datetime", "datetime")
    assert (found["minimum"], found["quartiles"][1]) == ("2024-01-01T00:00:00", "2024-01-02T00:00:00")
    assert found["histogram"]["edges"][-1] == "2024-01-03T00:00:00"
    assert "mean" not in found
    levels = profile_of(pl.Series([True, True, None]), "boolean", "boolean")["levels"]
    assert levels == [{"value": True, "count": 2}]
    text = profile_of(pl.Series(["x", "x", "y", "z", "w"]), "text", "string")
    assert text["examples"] == ["x", "y", "z"]
    one = profile_of(pl.Series([7, 7]), "constant", "integer")
    assert one["histogram"]["counts"] == [2]
    assert "levels" not in profile_of(pl.Series([None, None], dtype=pl.String), "constant", "string")


def test_many_columns_and_no_rows():
    wide = pl.DataFrame({f"c{position}": [1.0, 2.0] for position in range(2000)})
    schema = Schema(Column(name, "number", "float") for name in wide.columns)
    assert len(profile(wide, schema)) == 2000
    assert profile(wide.clear(), schema)[0]["n"] == 0


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(-5, 5), min_size=3, max_size=40))
def test_the_summary_of_a_target(values):
    found = summarize_target(dataset_of(pl.Series([*values, None]), "number", "integer"), "v")
    assert dict(found.top) == Counter(values)
    assert (found.n_rows, found.n_missing, found.n_unique) == (len(values) + 1, 1, len(set(values)))
    assert found.is_integer_like
    assert not found.is_increasing
    assert found.mean == pytest.approx(np.mean(values))


def test_what_a_summary_says_of_special_targets():
    assert summarize_target(dataset_of(pl.Series([1.0, 2.5, 3.0]), "number", "float"), "v").is_increasing
    skewed = dataset_of(pl.Series(np.exp(np.linspace(0, 8, 200))), "number", "float")
    assert summarize_target(skewed, "v").skewness > 2
    nothing = summarize_target(dataset_of(pl.Series([None] * 3, dtype=pl.Float64), "constant", "float"), "v")
    assert (nothing.n_missing, nothing.n_unique, nothing.minimum) == (3, 0, None)
    dates = dataset_of(
        pl.Series([datetime.datetime(2024, 1, 1)] * 3, dtype=pl.Datetime("us")), "datetime", "datetime"
    )
    assert summarize_target(dates, "v").n_unique == 1
    assert summarize_target(dataset_of(pl.Series(["a", "b"]), "category", "string"), "v").top == (
        ("a", 1),
        ("b", 1),
    )
    with pytest.raises(UnknownColumnError, match="Did you mean `v`"):
        summarize_target(dates, "V")
