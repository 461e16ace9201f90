import numpy as np
import polars as pl
import pytest

from groundup.core.schema import Column
from groundup.preparation import arrays as module
from groundup.preparation.arrays import Factor, Numbers, Texts, Wanted, read_arrays

CITY = Column("city", "category", "string")


def texts_of(factor: module.Arrays) -> list[object]:
    assert isinstance(factor, Factor)
    return [
        None if code == -1 else "unknown" if code == len(factor.levels) else factor.levels[code]
        for code in factor.codes.tolist()
    ]


def test_infinite_numbers_are_missing() -> None:
    frame = pl.DataFrame({"x": [1.0, float("inf"), None, float("nan"), -float("inf")]})
    numbers = read_arrays(frame, [Wanted(Column("x", "number", "float"), "number")])[0]
    assert isinstance(numbers, Numbers)
    np.testing.assert_array_equal(numbers.values, [1.0, np.nan, np.nan, np.nan, np.nan])
    assert numbers.observed.tolist() == [1.0]
    assert frame["x"][1] == float("inf")


@pytest.mark.parametrize("first_rows", [1, 2_000])
def test_levels_are_all_found_or_only_those_wanted(monkeypatch: pytest.MonkeyPatch, first_rows: int) -> None:
    monkeypatch.setattr(module, "_FIRST_ROWS", first_rows)
    values = ["a", None, "", "日本", "a", "b"]
    frame = pl.DataFrame({"city": values})
    assert texts_of(read_arrays(frame, [Wanted(CITY, "category")])[0]) == values
    some = read_arrays(frame, [Wanted(CITY, "category", ("b", "a"))])[0]
    assert texts_of(some) == ["a", None, "unknown", "unknown", "a", "b"]
    none = read_arrays(frame, [Wanted(CITY, "category", ())])[0]
    assert texts_of(none) == ["unknown", None, "unknown", "unknown", "unknown", "unknown"]


def test_numbers_as_levels() -> None:
    frame = pl.DataFrame({"city": [2.5, None, 1.0, float("nan")]})
    assert texts_of(read_arrays(frame, [Wanted(Column("city", "category", "float"), "category")])[0]) == [
        2.5,
        None,
        1.0,
        None,
    ]


def test_texts_and_nothing_at_all() -> None:
    texts = read_arrays(pl.DataFrame({"city": ["a", None]}), [Wanted(CITY, "text")])[0]
    assert texts == Texts(["a", ""], 1)
    assert read_arrays(pl.DataFrame(), []) == []
    empty = pl.DataFrame({"city": pl.Series([], dtype=pl.String)})
    assert texts_of(read_arrays(empty, [Wanted(CITY, "category")])[0]) == []
