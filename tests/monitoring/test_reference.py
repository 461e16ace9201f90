"""The reference holds every training value in exactly one bin."""

import itertools
import json
import math
from datetime import datetime

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundup.core.schema import Column, Schema
from groundup.data.profile import profile
from groundup.monitoring.reference import build_reference, level_counts, quantile_bins

NUMBERS = st.lists(st.floats(-1e9, 1e9) | st.integers(-3, 3).map(float), max_size=200)


@given(NUMBERS, st.integers(2, 30))
@settings(deadline=None, max_examples=50)
def test_every_value_is_in_the_bin_that_the_edges_say(values: list[float], bins: int) -> None:
    found = quantile_bins(np.sort(np.array(values, dtype=np.float64)), bins=bins)
    edges, counts = found["edges"], found["counts"]
    assert len(counts) == len(edges) + 1 <= bins
    assert sum(counts) == len(values)
    assert edges == sorted(set(edges))
    outer = [-math.inf, *edges, math.inf]
    assert counts == [sum(low < value <= high for value in values) for low, high in itertools.pairwise(outer)]


def test_distinct_values_are_divided_equally() -> None:
    counts = quantile_bins(np.arange(1003.0), bins=20)["counts"]
    assert len(counts) == 20
    assert max(counts) - min(counts) <= 1


def test_no_bin_is_empty() -> None:
    assert quantile_bins(np.array([7.0] * 5), bins=10) == {"edges": [], "counts": [5]}
    assert 0 not in quantile_bins(np.sort(np.repeat([1.0, 2.0, 9.0], [50, 3, 1])), bins=10)["counts"]


@given(st.lists(st.sampled_from("abcdefgh") | st.none(), max_size=100), st.integers(2, 6))
@settings(deadline=None, max_examples=50)
def test_every_known_level_is_counted_once(values: list[str | None], n_levels: int) -> None:
    found = level_counts(pl.Series(values, dtype=pl.String), n_levels=n_levels)
    known = [value for value in values if value is not None]
    assert sum(found["counts"]) + found["n_other"] == len(known)
    assert found["counts"] == [known.count(level) for level in found["levels"]]
    assert found["counts"] == sorted(found["counts"], reverse=True)
    assert len(found["levels"]) <= n_levels


@pytest.fixture
def reference() -> list[dict[str, object]]:
    schema = Schema(
        [
            Column("rooms", "number", "integer"),
            Column("city", "category", "string"),
            Column("garden", "boolean", "boolean"),
            Column("sold", "datetime", "datetime"),
            Column("note", "text", "string"),
            Column("empty", "number", "float"),
        ]
    )
    frame = pl.DataFrame(
        {
            "rooms": [1, 2, None, 4],
            "city": ["Bonn", "Rome", "Bonn", None],
            "garden": [True, False, None, True],
            "sold": [datetime(2020, 1, 1), None, datetime(2021, 6, 1), datetime(2020, 3, 1)],
            "note": ["nice", "old", None, "new roof"],
            "empty": pl.Series([None] * 4, dtype=pl.Float64),
        }
    )
    return build_reference(frame, schema, profile(frame, schema), bins=2)


def test_each_kind_has_its_bins(reference: list[dict[str, object]]) -> None:
    bins = {column["name"]: column["bins"] for column in reference}
    assert bins == {
        "rooms": {"edges": [2.0], "counts": [2, 1]},
        "city": {"levels": ["Bonn", "Rome"], "counts": [2, 1], "n_other": 0},
        "garden": {"levels": ["true", "false"], "counts": [2, 1], "n_other": 0},
        "sold": None,
        "note": None,
        "empty": {"edges": [], "counts": [0]},
    }


def test_the_range_of_dates_and_the_spread_of_numbers_are_kept(reference: list[dict[str, object]]) -> None:
    rooms, sold = reference[0], reference[3]
    assert (rooms["n"], rooms["n_missing"], rooms["mean"]) == (4, 1, pytest.approx(7 / 3))
    assert str(sold["minimum"]).startswith("2020-01-01")
    assert str(sold["maximum"]).startswith("2021-06-01")


def test_the_reference_is_json(reference: list[dict[str, object]]) -> None:
    assert json.loads(json.dumps(reference, allow_nan=False)) == reference
