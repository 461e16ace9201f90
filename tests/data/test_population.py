"""Groups of a stated population: how they are read, and where each value belongs."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundup.core.errors import DataError
from groundup.core.schema import Column
from groundup.data.population import MISSING, OTHERS, UNPLACED, sampled_groups, stated_groups

AGE = Column("age", "number", "integer")
SEX = Column("sex", "category", "string")


@given(st.lists(st.integers(0, 100) | st.none(), min_size=1))
def test_every_number_belongs_to_the_range_that_begins_there(ages: list[int | None]) -> None:
    groups = stated_groups(AGE, {"<30": 0.3, "30 to 50": 0.3, "50-70": 0.2, ">= 70": 0.2})
    placed = groups.place(pl.Series(ages, dtype=pl.Int64))
    expected = [MISSING if age is None else int(np.searchsorted([30, 50, 70], age, "right")) for age in ages]
    assert placed.tolist() == expected


def test_ranges_may_be_open_closed_single_or_leave_gaps() -> None:
    groups = stated_groups(
        Column("x", "number", "float"), {"≤ -1.5": 0.2, "0": 0.3, "1 to 2": 0.4, ">2": 0.1}
    )
    values = pl.Series([-1.5, -1.0, 0.0, 1.0, 2.0, 2.5, None])
    assert groups.place(values).tolist() == [0, UNPLACED, 1, 2, 2, 3, MISSING]


def test_shares_are_rounded_to_one_and_the_rest_is_a_group() -> None:
    groups = stated_groups(SEX, {"f": 0.495, "m": 0.495})
    assert groups.labels == ("f", "m")
    assert groups.shares.tolist() == [0.5, 0.5]
    partly = stated_groups(SEX, {"f": 0.5})
    assert (partly.labels, partly.shares.tolist()) == (("f", OTHERS), [0.5, 0.5])
    assert partly.place(pl.Series(["f", "m", None])).tolist() == [0, 1, MISSING]
    assert groups.place(pl.Series(["x"])).tolist() == [UNPLACED]


def test_booleans_and_whole_numbers_are_matched_by_what_they_mean() -> None:
    smoker = stated_groups(Column("smoker", "boolean", "boolean"), {"yes": 0.2, "No": 0.8})
    assert smoker.place(pl.Series([True, False, None])).tolist() == [0, 1, MISSING]
    grade = stated_groups(Column("class", "category", "integer"), {"1": 0.2, "2": 0.8})
    assert grade.place(pl.Series([2, 1, 3])).tolist() == [1, 0, UNPLACED]


@pytest.mark.parametrize(
    ("column", "stated", "said"),
    [
        (AGE, {"<30": 0.5, "20 to 40": 0.5}, "`<30`, `20 to 40` of `age` overlap"),
        (AGE, {"young": 0.5}, "`young` is no group of the numbers"),
        (AGE, {"40 to 30": 0.5}, "`40 to 30` is no group"),
        (SEX, {"f": 0.5, "m": 0.6}, "sum to `1.1`"),
        (Column("name", "text", "string"), {"a": 0.5}, "which is a text"),
    ],
)
def test_what_cannot_be_meant_is_refused(column: Column, stated: dict[str, float], said: str) -> None:
    with pytest.raises(DataError) as caught:
        stated_groups(column, stated)
    assert said in str(caught.value)


def test_a_sample_is_cut_at_its_quartiles_or_by_its_most_frequent_values() -> None:
    ages = pl.Series(range(100))
    groups = sampled_groups(AGE, ages)
    assert groups is not None
    assert groups.labels == ("<24", "24 to 49", "49 to 74", ">=74")
    assert groups.shares.tolist() == [0.24, 0.25, 0.25, 0.26]
    many = sampled_groups(SEX, pl.Series([f"v{n}" for n in range(20) for _ in range(n + 1)]))
    assert many is not None
    assert (many.n_groups, many.labels[0], many.labels[-1]) == (13, "v19", OTHERS)
    assert many.shares.sum() == pytest.approx(1)


def test_a_heap_of_one_number_is_a_group_of_its_own() -> None:
    groups = sampled_groups(AGE, pl.Series([0] * 90 + list(range(1, 30))))
    assert groups is not None
    assert groups.labels == ("0", ">0")


def test_a_column_with_one_group_cannot_be_compared() -> None:
    assert sampled_groups(SEX, pl.Series(["f"] * 9)) is None
    assert sampled_groups(SEX, pl.Series([None, None], dtype=pl.String)) is None
