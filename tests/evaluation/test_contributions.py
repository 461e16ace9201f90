"""What many rows' contributions are summed up to."""

import datetime
import json
import math

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from groundup.evaluation.contributions import (
    column_sizes,
    dependences,
    example_rows,
    plain_value,
    strips,
    terms,
    thirds,
)

RNG = np.random.default_rng(0)


def test_sizes_are_means_over_rows_and_classes() -> None:
    values = RNG.normal(size=(20, 4, 3))
    rows = column_sizes(["a", "b", "c"], values, ["x", "y", "z"])
    by_name = {row["column"]: row for row in rows}
    np.testing.assert_allclose(by_name["b"]["mean_absolute"], np.abs(values[:, 1]).mean())
    np.testing.assert_allclose(by_name["b"]["by_class"]["z"], np.abs(values[:, 1, 2]).mean())
    np.testing.assert_allclose(sum(row["share"] for row in rows), 1)
    assert [row["mean_absolute"] for row in rows] == sorted(by_name[n]["mean_absolute"] for n in "abc")[::-1]


def test_sizes_of_nothing_are_zero() -> None:
    assert column_sizes(["a"], np.zeros((3, 2, 1)), [])[0] == {
        "column": "a",
        "mean_absolute": 0.0,
        "share": 0.0,
    }


def test_every_row_lies_in_one_bin_whose_level_is_that_of_its_values() -> None:
    contributions = RNG.normal(size=300)
    rows = pl.DataFrame({"a": contributions * 10, "b": ["x"] * 300})
    both = {"a": contributions, "b": np.zeros(300)}
    found = {row["column"]: row["bins"] for row in strips(["a", "b"], both, rows)}
    assert sum(n for _, n, _ in found["a"]) == 300
    levels = [level for _, _, level in sorted(found["a"])]
    assert levels == sorted(levels, key=["low", "middle", "high"].index)
    assert found["b"] == [[found["b"][0][0], 300, "other"]]
    width = np.ptp(contributions) / 48
    for middle, n, _ in found["a"]:
        assert n >= ((contributions > middle - width / 2.01) & (contributions < middle + width / 2.01)).sum()


def test_strips_of_equal_contributions_and_of_made_columns() -> None:
    assert strips(["a"], {"a": np.zeros(3)}, pl.DataFrame({"a": [1, 2, 3]})) == []
    found = strips(["pca 1"], {"pca 1": np.arange(3.0)}, pl.DataFrame({"a": [1, 2, 3]}))
    assert {level for _, _, level in found[0]["bins"]} == {"other"}


@given(st.lists(st.none() | st.floats(-1e6, 1e6), min_size=1, max_size=40))
def test_thirds_are_in_the_order_of_the_values(values: list[float | None]) -> None:
    level = thirds(pl.Series(values, dtype=pl.Float64))
    for value, each in zip(values, level.tolist(), strict=True):
        assert math.isnan(each) == (value is None)
        assert all(
            each <= other
            for larger, other in zip(values, level.tolist(), strict=True)
            if value is not None and larger is not None and larger > value
        )


def test_dates_and_truth_values_have_an_order() -> None:
    days = pl.Series([datetime.datetime(2024, 1, day) for day in (1, 15, 30)])
    assert thirds(days).tolist() == [0, 1, 2]
    assert thirds(pl.Series([True, False])).tolist() == [2, 0]


def test_numbers_and_dates_are_points_texts_are_levels() -> None:
    n = 400
    rows = pl.DataFrame(
        {
            "name": [f"name {row}" for row in range(n)],
            "age": [None if row % 4 == 0 else float(row) for row in range(n)],
            "since": [datetime.datetime(2024, 1, 1) + datetime.timedelta(days=row) for row in range(n)],
            "city": ["Bonn" if row % 3 else "Rome" for row in range(n)],
            "same": [1] * n,
        }
    )
    parts = {name: RNG.normal(size=n) for name in (*rows.columns, "pca 1")}
    found = dependences(["same", "pca 1", "name", "age", "since", "city"], parts, rows)
    age, since, city = found
    assert [each["column"] for each in found] == ["age", "since", "city"]
    assert age["points"][0] == [1.0, parts["age"][1]]
    assert len(age["points"]) == 150
    assert age["missing"]["n"] == 100
    np.testing.assert_allclose(age["missing"]["mean"], parts["age"][::4].mean())
    assert since["points"][1][0] == "2024-01-02T00:00:00"
    assert [level["label"] for level in city["levels"]] == ["Bonn", "Rome"]
    is_rome = (rows["city"] == "Rome").to_numpy()
    np.testing.assert_allclose(city["levels"][1]["mean"], parts["city"][is_rome].mean())
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_examples_are_different_rows() -> None:
    assert example_rows(np.array([1.0]), np.array([1.0])) == {"worst": 0}
    assert example_rows(np.array([5.0, 1.0]), np.array([9.0, 0.0])) == {"outstanding": 1, "worst": 0}
    chosen = example_rows(RNG.random(50), RNG.random(50))
    assert len(set(chosen.values())) == 3


def test_terms_and_the_rest_add_up() -> None:
    names = [f"c{column}" for column in range(30)]
    contributions = RNG.normal(size=30)
    shown, others = terms(names, contributions, {"c0": 3.0, "c1": math.nan})
    assert len(shown) == 20
    assert others is not None
    assert others["n"] == 10
    total = sum(each["contribution"] for each in shown) + others["contribution"]
    np.testing.assert_allclose(total, contributions.sum())
    assert ("value" in shown[0]) == (shown[0]["column"] in ("c0", "c1"))
    assert terms(["a"], np.ones(1), {"a": None}) == (
        [{"column": "a", "value": None, "contribution": 1.0}],
        None,
    )


def test_cells_are_json() -> None:
    assert plain_value(math.inf) is None
    assert plain_value(datetime.datetime(2024, 1, 1)) == "2024-01-01T00:00:00"
    assert [plain_value(value) for value in (1, "x", True, None)] == [1, "x", True, None]
