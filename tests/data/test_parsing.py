"""Text columns become typed columns by evidence, never silently."""

import datetime as dt

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundup.data.parsing import Reading, find_reading, parse

MISSING = ("", "NA", "?", "-")


def reading_of(values: list[str | None], name: str = "x") -> Reading:
    return find_reading(pl.Series(name, values, dtype=pl.String), MISSING)[0]


@pytest.mark.parametrize(
    ("values", "storage", "number_format"),
    [
        (["1", "2", "-3"], "integer", None),
        (["1", "2.5"], "float", None),
        (["1", "inf", "2.5"], "float", None),
        (["1,234", "5"], "integer", "1,234.5"),
        (["1,234.5", "5"], "float", "1,234.5"),
        (["1,5", "2,25"], "float", "1.234,5"),
        (["0,500", "0,750"], "float", "1.234,5"),
        (["1.234", "12.345.678"], "integer", "1.234,5"),
        (["1.234", "2.5"], "float", None),
        (["1 234,5", "10,0"], "float", "1 234,5"),
        (["1'234.5", "10.5"], "float", "1'234.5"),
        (["$12", "$3"], "integer", "1,234.5"),
        (["45 %", "3 %"], "float", "1,234.5"),
        (["(5)", "6"], "integer", "1,234.5"),
        (["$5", "€5"], "string", None),
        (["5 %", "0.5"], "string", None),
        (["00123", "12345"], "string", None),
        (["12345678901234567890", "12345678901234567891"], "string", None),
        (["true", "False", "TRUE"], "boolean", None),
        (["y", "n", None, "?"], "boolean", None),
        (["0", "1"], "integer", None),
        (["a", "b"], "string", None),
        (["NA", None], "string", None),
    ],
)
def test_readings_follow_the_evidence(
    values: list[str | None], storage: str, number_format: str | None
) -> None:
    reading = reading_of(values)
    assert (reading.storage, reading.format) == (storage, number_format)


@pytest.mark.parametrize(
    ("values", "expected", "is_ambiguous"),
    [
        (["31/12/2020", "01/02/2020"], "%d/%m/%Y", False),
        (["12/31/2020", "01/02/2020"], "%m/%d/%Y", False),
        (["01/02/2020", "03/04/2020", "02/03/2020"], "%m/%d/%Y", True),
        (["01.02.2020", "03.04.2020", "02.03.2020"], "%d.%m.%Y", True),
        (["01/02/2020", "01/03/2020", "02/01/2020", "02/02/2020"], "%m/%d/%Y", False),
        (["01/01/2020", "02/02/2020"], "%m/%d/%Y", False),
        (["2020-01-01", "2020-01-02T10:00:00Z"], None, False),
        (["2020-01", "2020-02"], "%Y-%m", False),
        (["20200101", "20200102"], "%Y%m%d", False),
    ],
)
def test_day_and_month_are_told_apart_where_the_rows_tell(
    values: list[str], expected: str | None, is_ambiguous: bool
) -> None:
    reading = reading_of(values, "start_date")
    assert (reading.storage, reading.format, reading.is_ambiguous) == ("datetime", expected, is_ambiguous)


def test_a_whole_number_is_a_date_only_by_name() -> None:
    assert reading_of(["20200101", "20200102"], "amount").storage == "integer"


def test_a_few_misfits_become_missing_and_are_counted() -> None:
    values = [str(value) for value in range(50)] + ["error", "error", "n/k"]
    reading, parsed = find_reading(pl.Series("x", values), MISSING)
    assert reading.storage == "integer"
    assert dict(parsed.failed) == {"error": 2, "n/k": 1}
    assert parsed.first_failed == 50
    assert parsed.values[-3:].to_list() == [None, None, None]


def test_many_different_misfits_keep_the_text() -> None:
    values = [str(value) for value in range(100)] + [f"C{value}" for value in range(8)]
    assert reading_of(values).storage == "string"


def test_missing_spellings_are_found_behind_blanks() -> None:
    parsed = parse(pl.Series("x", [" ? ", "1 ", "-", "", None]), Reading("integer"), MISSING)
    assert parsed.values.to_list() == [None, 1, None, None, None]
    assert parsed.missing == {"?", "-"}
    assert not parsed.failed


def test_infinite_numbers_are_missing_and_counted() -> None:
    parsed = parse(pl.Series("x", ["1", "inf", "-Infinity", "1e999", "nan"]), Reading("float"), MISSING)
    assert parsed.values.to_list() == [1.0, None, None, None, None]
    assert parsed.n_infinite == 3


@settings(deadline=None, max_examples=30)
@given(st.lists(st.one_of(st.none(), st.text(max_size=5), st.sampled_from([" NA", "?"])), max_size=10))
def test_short_and_long_columns_are_read_alike(values: list[str | None]) -> None:
    short = pl.Series("x", values, dtype=pl.String)
    long = pl.concat([short, pl.Series("x", ["z"] * 300)])
    for reading in (Reading("string"), Reading("boolean")):
        one, other = parse(short, reading, MISSING), parse(long, reading, MISSING)
        assert one.values.to_list() == other.values.to_list()[: len(values)]
        assert one.missing == other.missing


def test_declared_kinds_are_tried_alone() -> None:
    text = pl.Series("x", ["00123", "5"])
    assert find_reading(text, MISSING, kind="number")[1].values.to_list() == [123, 5]
    assert find_reading(text, MISSING, kind="category")[1].values.to_list() == ["00123", "5"]
    assert find_reading(pl.Series("x", ["1", "0"]), MISSING, kind="boolean")[1].values.to_list() == [
        True,
        False,
    ]
    dates = find_reading(pl.Series("x", ["20200105"]), MISSING, kind="datetime")[1].values
    assert dates.to_list() == [dt.datetime(2020, 1, 5)]
    assert find_reading(pl.Series("x", ["a", "b"]), MISSING, kind="number")[1].failed


def test_a_declared_identifier_is_read_as_where_it_is_found() -> None:
    whole, _ = find_reading(pl.Series(["3", "1", "2"]), (), kind="identifier")
    assert whole.storage == "integer"
    for texts in (["003", "001"], ["A1", "2"], ["1.5", "2.5"]):
        reading, parsed = find_reading(pl.Series(texts), (), kind="identifier")
        assert (reading.storage, parsed.values.to_list()) == ("string", texts)
