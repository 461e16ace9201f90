"""One value: numbers, dates and booleans as people write them, and values of a row."""

import datetime as dt
import subprocess
import sys
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundup.core.errors import PredictionInputError
from groundup.core.schema import Column
from groundup.data.columns import Wanted, typed_column
from groundup.data.parsing import Reading, parse
from groundup.data.values import (
    MISSING_SPELLINGS,
    NUMBER_FORMATS,
    datetime_formats,
    parse_datetime,
    parse_number,
    row_reader,
)


@pytest.mark.parametrize(
    ("text", "number_format", "value"),
    [
        ("12", None, 12.0),
        ("-1.5e3", None, -1500.0),
        (".5", None, 0.5),
        ("5.", None, 5.0),
        ("1_000", None, None),
        ("١", None, None),
        ("1,234.5", "1,234.5", 1234.5),
        ("1,23.5", "1,234.5", None),
        ("$1,200", "1,234.5", 1200.0),
        ("-$5", "1,234.5", -5.0),
        ("(123)", "1,234.5", -123.0),
        ("(-123)", "1,234.5", None),
        ("(123", "1,234.5", None),
        ("45 %", "1,234.5", 45.0),
        ("US$ 7.25", "1,234.5", 7.25),
        ("7 USD", "1,234.5", 7.0),
        ("$7 USD", "1,234.5", None),
        ("−3", "1,234.5", -3.0),
        ("1.234,5", "1.234,5", 1234.5),
        ("€ 12,50", "1.234,5", 12.5),
        ("12 €", "1.234,5", 12.0),
        ("0,500", "1.234,5", 0.5),
        ("1 234,5", "1 234,5", 1234.5),
        ("1\u202f234\u202f567,5", "1 234,5", 1234567.5),
        ("1 234.5", "1 234.5", 1234.5),
        ("1'234.5", "1'234.5", 1234.5),
        ("", "1,234.5", None),
        ("$", "1,234.5", None),
        ("twelve", "1,234.5", None),
    ],
)
def test_numbers_are_read_as_people_write_them(
    text: str, number_format: str | None, value: float | None
) -> None:
    assert parse_number(text, number_format) == value
    column = parse(pl.Series("x", [text, None]), Reading("float", number_format), [])
    assert column.values[0] == value


@pytest.mark.parametrize(
    ("text", "expected", "moment"),
    [
        ("31/12/2020", "%d/%m/%Y", dt.datetime(2020, 12, 31)),
        ("12/31/2020", "%m/%d/%Y", dt.datetime(2020, 12, 31)),
        ("31.12.20", "%d.%m.%y", dt.datetime(2020, 12, 31)),
        ("2020/12/31", "%Y/%m/%d", dt.datetime(2020, 12, 31)),
        ("2020-1-5", "%Y-%m-%d", dt.datetime(2020, 1, 5)),
        ("12 Jan 2020", "%d %b %Y", dt.datetime(2020, 1, 12)),
        ("12-JAN-20", "%d-%b-%y", dt.datetime(2020, 1, 12)),
        ("24 October 2011", "%d %B %Y", dt.datetime(2011, 10, 24)),
        ("Jan 12, 2020", "%b %d, %Y", dt.datetime(2020, 1, 12)),
        ("2020 Jan", "%Y %b", dt.datetime(2020, 1, 1)),
        ("2020-03", "%Y-%m", dt.datetime(2020, 3, 1)),
        ("20200131", "%Y%m%d", dt.datetime(2020, 1, 31)),
        ("31.12.2020 23:59", "%d.%m.%Y %H:%M", dt.datetime(2020, 12, 31, 23, 59)),
        ("12/31/2020 11:59 PM", "%m/%d/%Y %I:%M %p", dt.datetime(2020, 12, 31, 23, 59)),
        ("12/31/2020 11:59:30pm", "%m/%d/%Y %I:%M:%S%p", dt.datetime(2020, 12, 31, 23, 59, 30)),
        ("2022-05-25 10.39.15", "%Y-%m-%d %H.%M.%S", dt.datetime(2022, 5, 25, 10, 39, 15)),
        ("31/12/2020 10:00:00.25", "%d/%m/%Y %H:%M:%S.%f", dt.datetime(2020, 12, 31, 10, 0, 0, 250_000)),
        ("31/12/2020 10:00+02:00", "%d/%m/%Y %H:%M%z", dt.datetime(2020, 12, 31, 8, 0)),
    ],
)
def test_dates_are_read_as_people_write_them(text: str, expected: str, moment: dt.datetime) -> None:
    assert expected in datetime_formats(text)
    assert parse_datetime(text, expected) == moment
    assert parse(pl.Series("d", [text]), Reading("datetime", expected), []).values[0] == moment


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2020-01-31", dt.datetime(2020, 1, 31)),
        ("2020-01-31T10:00", dt.datetime(2020, 1, 31, 10)),
        ("2020-01-31 10:00:00.123456", dt.datetime(2020, 1, 31, 10, 0, 0, 123_456)),
        ("2020-01-31T10:00:00Z", dt.datetime(2020, 1, 31, 10)),
        ("2020-01-31T10:00:00 +02:00", dt.datetime(2020, 1, 31, 8)),
        ("2020-01-31T10:00:00.5-0330", dt.datetime(2020, 1, 31, 13, 30, 0, 500_000)),
        ("2020-02-30", None),
        ("31.01.2020", None),
        ("20200131", None),
    ],
)
def test_iso_dates_become_utc(text: str, moment: dt.datetime | None) -> None:
    assert parse_datetime(text) == moment
    assert parse(pl.Series("d", [text]), Reading("datetime"), []).values[0] == moment


@pytest.mark.parametrize(
    "text", ["12.5", "hello", "1/2", "Foo 12, 2020", "2020-01-31 at noon", "99/99/9999", ""]
)
def test_what_is_no_date_is_not_read_as_one(text: str) -> None:
    assert all(parse_datetime(text, each) is None for each in datetime_formats(text))


NUMBER = Column("x", "number", "float")
CITY = Column("city", "category", "string", missing=("?",))


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        (NUMBER, 1.5, 1.5),
        (NUMBER, 3, 3.0),
        (NUMBER, True, 1.0),
        (NUMBER, " 2.5 ", 2.5),
        (NUMBER, "NA", None),
        (NUMBER, "inf", None),
        (NUMBER, None, None),
        (NUMBER, float("nan"), None),
        (NUMBER, float("inf"), None),
        (NUMBER, np.float32(1.5), 1.5),
        (NUMBER, np.int64(7), 7.0),
        (NUMBER, 10**400, None),
        (CITY, " Bonn ", "Bonn"),
        (CITY, "?", None),
        (CITY, "", None),
        (CITY, 3, "3"),
        (CITY, 3.0, "3"),
        (CITY, True, "true"),
        (CITY, float("nan"), None),
        (CITY, np.str_("Ulm"), "Ulm"),
        (Column("b", "boolean", "boolean"), "Yes", True),
        (Column("b", "boolean", "boolean"), 0, False),
        (Column("b", "boolean", "boolean"), np.bool_(True), True),
        (Column("b", "boolean", "boolean"), "n/a", None),
        (Column("d", "datetime", "datetime"), dt.date(2020, 1, 2), dt.datetime(2020, 1, 2)),
        (Column("d", "datetime", "datetime"), "2020-01-02T03:04:05Z", dt.datetime(2020, 1, 2, 3, 4, 5)),
        (Column("d", "datetime", "datetime", "%d.%m.%Y"), "2.1.2020", dt.datetime(2020, 1, 2)),
        (Column("d", "datetime", "datetime", "%d.%m.%Y"), "2020-01-02", dt.datetime(2020, 1, 2)),
        (
            Column("d", "datetime", "datetime"),
            np.datetime64("2020-01-02T03:04"),
            dt.datetime(2020, 1, 2, 3, 4),
        ),
        (Column("d", "datetime", "datetime"), None, None),
    ],
)
def test_a_value_of_a_row_becomes_canonical(column: Column, value: object, expected: object) -> None:
    result = row_reader(column)(value)
    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        (NUMBER, "twelve"),
        (NUMBER, [1]),
        (Column("b", "boolean", "boolean"), "maybe"),
        (Column("b", "boolean", "boolean"), 2),
        (Column("d", "datetime", "datetime"), "yesterday"),
        (Column("d", "datetime", "datetime"), 5),
    ],
)
def test_a_value_that_cannot_be_read_is_named(column: Column, value: object) -> None:
    with pytest.raises(PredictionInputError) as caught:
        row_reader(column)(value)
    assert f"`{column.name}`" in str(caught.value)
    assert repr(value) in str(caught.value)


numbers_as_text = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.integers(-(10**12), 10**12).map(str),
    st.integers(0, 10**9).map(lambda value: f"{value:,}"),
    st.floats(0, 1e9).map(lambda value: f"${value:,.2f}"),
    st.floats(0, 100).map(lambda value: f"{value:.1f} %".replace(".", ",")),
    st.integers(0, 10**7).map(lambda value: f"({value})"),
    st.text("0123456789.,' -+()%$€eE", max_size=12),
    st.sampled_from(sorted(MISSING_SPELLINGS)),
)


@settings(deadline=None, max_examples=50)
@given(st.lists(numbers_as_text, min_size=1, max_size=20), st.sampled_from([None, *NUMBER_FORMATS]))
def test_a_column_and_a_row_read_the_same_numbers(texts: list[str], number_format: str | None) -> None:
    column = Column("x", "number", "float", number_format)
    batch = typed_column(pl.Series("x", texts), Wanted("x", (), column=column)).values.to_list()
    read = row_reader(column)

    def one(text: str) -> Any:
        try:
            return read(text)
        except PredictionInputError:
            return None

    assert batch == [one(text) for text in texts]


printable = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=8)


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.one_of(printable, st.none(), st.sampled_from(["?", " ? ", "NA"])), min_size=1, max_size=20)
)
def test_a_column_and_a_row_read_the_same_texts(texts: list[str | None]) -> None:
    batch = typed_column(pl.Series("city", texts, dtype=pl.String), Wanted("city", (), column=CITY)).values
    read = row_reader(CITY)
    assert batch.to_list() == [read(text) for text in texts]


@settings(deadline=None, max_examples=50)
@given(st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2100, 1, 1)))
def test_every_written_moment_is_read_again(moment: dt.datetime) -> None:
    assert parse_datetime(moment.isoformat()) == moment
    assert parse(pl.Series([moment.isoformat(" ")]), Reading("datetime"), []).values[0] == moment
    short = moment.replace(second=0, microsecond=0)
    for written in ("%d.%m.%Y %H:%M", "%m/%d/%Y %I:%M %p", "%Y/%m/%d %H:%M", "%d %b %Y %H:%M"):
        text = short.strftime(written)
        assert written in datetime_formats(text)
        assert parse_datetime(text, written) == short
        assert parse(pl.Series([text]), Reading("datetime", written), []).values[0] == short


def test_the_row_path_loads_no_heavy_library() -> None:
    code = (
        "import sys; import groundup.data.values; "
        "print([name for name in ('polars', 'numpy', 'pydantic', 'sklearn') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
