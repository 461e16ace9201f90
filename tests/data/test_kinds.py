"""What a column is, from ten rows to many."""

import datetime as dt
import random

import numpy as np
import polars as pl
import pytest

from groundup.core.schema import Kind
from groundup.data.kinds import find_kind
from groundup.data.parsing import CANONICAL

STORAGES = {dtype: storage for storage, dtype in CANONICAL.items()}


def kind_of(name: str, values: list[object] | pl.Series) -> Kind:
    series = pl.Series(name, values)
    return find_kind(series, STORAGES[series.dtype]).kind


def shuffled(n: int) -> list[int]:
    return random.Random(0).sample(range(n), n)


@pytest.mark.parametrize("n", [12, 100, 5_000])
def test_measurements_are_numbers_at_every_size(n: int) -> None:
    generator = np.random.default_rng(0)
    assert kind_of("price", pl.Series(generator.lognormal(10, 1, n))) == "number"
    assert kind_of("area", pl.Series(generator.integers(0, 10**9, n))) == "number"
    assert kind_of("id_score", pl.Series(generator.normal(size=n))) == "number"
    assert kind_of("year", pl.Series(range(1871, 1871 + n))) == "number"
    assert kind_of("day", pl.Series(range(1, n + 1))) == "number"


@pytest.mark.parametrize("n", [12, 100, 5_000])
def test_keys_are_identifiers_at_every_size(n: int) -> None:
    assert kind_of("PassengerId", list(range(1, n + 1))) == "identifier"
    assert kind_of("id", shuffled(n)) == "identifier"
    assert kind_of("customer_key", [1000 + 997 * value for value in shuffled(n)]) == "identifier"
    assert kind_of("code", [f"X{value:06d}" for value in shuffled(n)]) == "identifier"
    assert kind_of("user_id", [f"{value * 7919:x}" + "abc" for value in shuffled(n)]) == "identifier"


def test_row_numbers_are_identifiers_without_a_name() -> None:
    assert kind_of("column_1", list(range(40))) == "identifier"
    assert kind_of("column_1", list(range(5))) == "number"


def test_repeated_values_are_no_identifier() -> None:
    assert kind_of("store_id", [1, 2, 3, 1, 2, 3] * 10) == "number"
    assert kind_of("city", ["Bonn", "Ulm"] * 30) == "category"
    assert kind_of("ticket", [f"A{value % 70}" for value in range(100)]) == "category"


def test_sentences_are_text() -> None:
    words = ["the", "quick", "brown", "fox", "jumps", "over", "a", "lazy", "dog", "and", "then", "sleeps"]
    pick = random.Random(0)
    assert kind_of("comment", [" ".join(pick.choices(words, k=8)) for _ in range(50)]) == "text"
    assert kind_of("region", ["north of the river", "south of the river"] * 50) == "category"


def test_one_value_is_constant_unless_some_are_missing() -> None:
    assert kind_of("x", [1, 1, 1]) == "constant"
    assert kind_of("x", [1.5, 1.5]) == "constant"
    assert kind_of("x", [True, True]) == "constant"
    assert kind_of("x", [dt.datetime(2020, 1, 1)] * 2) == "constant"
    assert kind_of("x", pl.Series([None, None], dtype=pl.String)) == "constant"
    assert kind_of("flag", ["yes", None, "yes"]) == "category"
    assert kind_of("x", [1, None]) == "number"


def test_dates_and_booleans_are_what_they_are() -> None:
    assert kind_of("x", [dt.datetime(2020, 1, 1), dt.datetime(2020, 1, 2)]) == "datetime"
    assert kind_of("x", [True, False]) == "boolean"


def test_the_reason_holds_the_numbers() -> None:
    assert find_kind(pl.Series("x", ["a", "b"] * 3000), "string").reason == "2 distinct values in 6 000 rows"
    assert find_kind(pl.Series("x", [7, 7]), "integer").reason == "`7` in all 2 rows"
