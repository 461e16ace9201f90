"""Objects become rows, Python values become columns."""

import polars as pl
import pytest

from groundup.core.errors import DataError
from groundup.data.json_values import Rows, column_of


@pytest.mark.parametrize(
    ("values", "expected", "dtype"),
    [
        ([1, None], [1, None], pl.Int64),
        ([1, 2.5], [1.0, 2.5], pl.Float64),
        ([2**70, 1], [float(2**70), 1.0], pl.Float64),
        ([True, None], [True, None], pl.Boolean),
        ([True, 2], ["true", "2"], pl.String),
        ([True, 2.5], ["true", "2.5"], pl.String),
        ([None, None], [None, None], pl.Null),
        ([b"caf\xc3\xa9", "x"], ["café", "x"], pl.String),
        (["x", 3.0], ["x", "3"], pl.String),
    ],
)
def test_values_get_the_type_that_holds_them_all(
    values: list[object], expected: list[object], dtype: pl.DataType
) -> None:
    series = column_of("x", values, "x.json")
    assert series.to_list() == expected
    assert series.dtype == dtype


def test_bytes_that_are_no_text_are_an_error() -> None:
    with pytest.raises(DataError, match=r"column `photo` holds bytes.*data.drop"):
        column_of("photo", [b"\xff\xd8"], "x.db")


def test_names_are_trimmed_and_unique() -> None:
    rows = Rows("x.json")
    rows.add({" a": 1, "a": 2, "": 3}, lambda: "here")
    assert rows.take().to_dicts() == [{"a": 1, "a_2": 2, "column_3": 3}]
    assert len(rows) == 0
