"""Tables in memory come in as any of four kinds and predictions leave as the same kind."""

import datetime
import decimal
import subprocess
import sys

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundup.core.errors import DataError
from groundup.data.frames import column_names, frame_like, series_like, to_polars, unique_names

MOMENT = datetime.datetime(2024, 3, 1, 12, 30)
EXPECTED = {
    "n": [1, 2, None],
    "x": [0.5, None, 2.0],
    "c": ["a", None, "b"],
    "b": [True, None, False],
    "t": [MOMENT, None, MOMENT],
}


def pandas_of(columns):
    frame = pd.DataFrame(
        {
            "n": pd.array(columns["n"], dtype="Int64"),
            "x": pd.Series([np.nan if value is None else value for value in columns["x"]], dtype="float64"),
            "c": pd.Series(columns["c"], dtype=object),
            "b": pd.array(columns["b"], dtype="boolean"),
            "t": pd.to_datetime(pd.Series(columns["t"])),
        }
    )
    return frame.set_axis([f"row {position}" for position in range(len(frame))])


def rows_of(columns):
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def every_kind(columns):
    return {
        "pandas": pandas_of(columns),
        "polars": pl.DataFrame(columns),
        "arrow": pa.table(columns),
        "rows": rows_of(columns),
    }


@pytest.mark.parametrize("kind", ["pandas", "polars", "arrow", "rows"])
def test_every_kind_holds_the_same_table(kind):
    table, found = to_polars(every_kind(EXPECTED)[kind])
    assert found == kind
    assert table.to_dict(as_series=False) == EXPECTED


def test_lazy_frames_batches_and_dicts_of_columns_are_accepted():
    assert to_polars(pl.LazyFrame(EXPECTED))[0].to_dict(as_series=False) == EXPECTED
    assert to_polars(pa.table(EXPECTED).to_batches()[0])[1] == "arrow"
    assert to_polars(EXPECTED)[0].to_dict(as_series=False) == EXPECTED
    mixed = {"a": np.array([1.0, np.nan]), "b": pl.Series([1, 2]), "c": pd.Series(["x", None]), "d": range(2)}
    assert to_polars(mixed)[0].rows() == [(1.0, 1, "x", 0), (None, 2, None, 1)]


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pd.Series(["a", "b", "a"], dtype="category"), ["a", "b", "a"]),
        (pd.Series([3, None, 3], dtype="category"), [3.0, None, 3.0]),
        (pd.Series(["a", None], dtype="string"), ["a", None]),
        (pd.Series(["a", None], dtype="str"), ["a", None]),
        (pd.Series(["a", None], dtype=pd.ArrowDtype(pa.string())), ["a", None]),
        (pd.Series([1, None], dtype=pd.ArrowDtype(pa.int32())), [1, None]),
        (pd.Series([1.5, None], dtype="Float32"), [1.5, None]),
        (pd.Series([1.5, np.inf], dtype="float16"), [1.5, np.inf]),
        (pd.Series([1, "x", None, np.nan, pd.NA, pd.NaT], dtype=object), ["1", "x", None, None, None, None]),
        (pd.Series([True, None], dtype=object), [True, None]),
        (pd.Series([np.int32(4), 5], dtype=object), [4, 5]),
        (pd.Series([decimal.Decimal("1.5"), 2], dtype=object), [1.5, 2.0]),
        (pd.Series([datetime.date(2024, 3, 1), None], dtype=object), [datetime.datetime(2024, 3, 1), None]),
        (pd.Series([pd.Timestamp(MOMENT), pd.NaT], dtype=object), [MOMENT, None]),
        (pd.Series([2**70, 1], dtype=object), [float(2**70), 1.0]),
        (pd.Series(pd.to_datetime(["2024-03-01 12:30"]).astype("datetime64[s]")), [MOMENT]),
        (pd.Series([[1, 2], "x"], dtype=object), ["[1, 2]", "x"]),
        (pd.Series([None, None], dtype=object), [None, None]),
    ],
)
def test_pandas_dtypes(column, expected):
    table, _ = to_polars(pd.DataFrame({"v": column}))
    assert table["v"].to_list() == expected


@pytest.mark.parametrize("zone", ["Europe/Berlin", "UTC+02:00"])
def test_zoned_moments_stay_the_same_moments(zone):
    column = pd.Series(pd.to_datetime(["2024-03-01 12:30", None]).tz_localize(zone))
    series = to_polars(pd.DataFrame({"t": column}))[0]["t"]
    assert series[0] == column[0].to_pydatetime()
    assert series[1] is None


def test_categories_become_text():
    frame = pl.DataFrame({"c": pl.Series(["a", None], dtype=pl.Categorical), "nothing": [None, None]})
    assert to_polars(frame)[0].dtypes == [pl.String, pl.String]
    arrow = pa.table({"c": pa.array(["a", None]).dictionary_encode()})
    assert to_polars(arrow)[0]["c"].to_list() == ["a", None]


def test_ragged_rows_are_missing_where_a_key_is_absent():
    table, _ = to_polars([{"a": 1}, {"b": "x", "a": 2}, {}])
    assert table.to_dict(as_series=False) == {"a": [1, 2, None], "b": [None, "x", None]}


def test_repeated_odd_and_blank_names():
    frame = pd.DataFrame([[1, 2, 3, 4]], columns=["a", "a", 7, None])
    assert to_polars(frame)[0].columns == ["a", "a_2", "7", "column_4"]
    assert column_names(frame) == ["a", "a", "7", ""]
    levels = pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("x", "mean"), ("y", "")]))
    assert to_polars(levels)[0].columns == ["x.mean", "y"]
    arrow = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])
    assert to_polars(arrow)[0].rows() == [(1, 2)]


@given(st.lists(st.sampled_from(["", " ", "a", "a_2", "a_3", "b", "column_1", "column_2"]), max_size=8))
def test_names_become_unique_and_first_uses_keep_theirs(names):
    unique = unique_names(names)
    assert len(set(unique)) == len(names)
    for name, given_name in zip(unique, names, strict=True):
        assert name == given_name or given_name.strip() == "" or given_name in unique


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        ("houses.csv", ["`str`", "list of dicts"]),
        (np.zeros((2, 2)), ["`numpy.ndarray`", "schema=names"]),
        ({"age": 3}, ["`dict`", "predict_row"]),
        ([{"a": 1}, 5], ["Item 1", "`int`"]),
        (pd.Series([1]), ["to_frame"]),
        (pl.Series([1]), ["to_frame"]),
        (None, ["`NoneType`"]),
        ({"a": [1], "b": [1, 2]}, ["`a` 1", "`b` 2"]),
    ],
)
def test_anything_else_is_refused_with_what_to_do(frame, words):
    with pytest.raises(DataError) as error:
        to_polars(frame)
    assert all(word in str(error.value) for word in words), str(error.value)


def test_predictions_leave_as_the_kind_that_came_in():
    frames, labels, scores = every_kind(EXPECTED), np.array(["no", "yes", "no"], dtype=object), np.arange(3.0)
    series = series_like(frames["pandas"], "answer", labels)
    assert isinstance(series, pd.Series)
    assert series.name == "answer"
    assert series.to_dict() == {"row 0": "no", "row 1": "yes", "row 2": "no"}
    assert series_like(frames["polars"], "answer", list(labels)).to_list() == ["no", "yes", "no"]
    assert series_like(frames["polars"].lazy(), "answer", scores).name == "answer"
    assert isinstance(series_like(frames["arrow"], "answer", labels), pa.Array)
    assert series_like(frames["rows"], "answer", scores) == [0.0, 1.0, 2.0]
    assert series_like(EXPECTED, "answer", pl.Series(scores)) == [0.0, 1.0, 2.0]


@settings(deadline=None, max_examples=30)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_frame_like_round_trip(values):
    columns = {"no": np.array(values), "yes": 1 - np.array(values)}
    template = {"n": list(range(len(values)))}
    for frame in (
        pd.DataFrame(template),
        pl.DataFrame(template),
        pa.table(template),
        rows_of(template),
        template,
    ):
        result = frame_like(frame, columns)
        again, kind = to_polars(result)
        assert kind == to_polars(frame)[1]
        assert isinstance(result, dict) == isinstance(frame, dict)
        assert again.equals(pl.DataFrame(columns))


def test_pandas_and_pyarrow_are_not_needed():
    code = """
import sys
sys.modules["pyarrow"] = None
import pandas as pd
from groundup.data.frames import series_like, to_polars
frame = pd.DataFrame({"n": [1, 2], "s": ["a", None], "c": pd.Categorical(["x", "y"])})
frame["t"] = pd.to_datetime(["2024-01-01"] * 2)
frame["i"] = pd.array([1, None], dtype="Int64")
assert to_polars(frame)[0].drop("t").rows() == [(1, "a", "x", 1), (2, None, "y", None)]
"""
    subprocess.run([sys.executable, "-c", code], check=True)
    light = """
import sys
from groundup.data.frames import to_polars
to_polars([{"a": 1}])
assert not {"pandas", "pyarrow"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", light], check=True)
