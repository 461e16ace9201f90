"""One column: kinds that are declared, types that are kept, and what is told."""

import datetime as dt
import decimal

import polars as pl
import pytest

from groundup.core.errors import DataError
from groundup.core.schema import Column
from groundup.data.columns import Collected, TextColumn, Wanted, canonical, text_of, typed_column

MISSING = ("", "NA", "?")


def read(values: object, **wanted: object) -> Collected:
    series = values if isinstance(values, pl.Series) else pl.Series("x", values)
    return typed_column(series, Wanted("x", MISSING, **wanted))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("series", "storage", "first"),
    [
        (pl.Series([1, 2], dtype=pl.Int8), "integer", 1),
        (pl.Series([2**63 + 1, 2], dtype=pl.UInt64), "float", 2.0**63),
        (pl.Series([1.5, 2.5], dtype=pl.Float32), "float", 1.5),
        (pl.Series([decimal.Decimal("1.5"), decimal.Decimal("2.5")]), "float", 1.5),
        (pl.Series([True, False]), "boolean", True),
        (pl.Series([dt.date(2020, 1, 2), dt.date(2020, 1, 3)]), "datetime", dt.datetime(2020, 1, 2)),
        (
            pl.Series([dt.datetime(2020, 1, 2, 12)]).dt.replace_time_zone("Europe/Berlin"),
            "datetime",
            dt.datetime(2020, 1, 2, 11),
        ),
        (pl.Series([dt.timedelta(seconds=90), None]), "float", 90.0),
        (pl.Series([dt.time(1, 2), None]), "string", "01:02:00"),
        (pl.Series([b"ab", None]), "string", "ab"),
    ],
)
def test_types_become_canonical(series: pl.Series, storage: str, first: object) -> None:
    values, found, _ = canonical(series.alias("x"), "frame")
    assert found == storage
    assert values[0] == first


@pytest.mark.parametrize(
    ("series", "what"),
    [
        (pl.Series("x", [[1], [2]]), "lists"),
        (pl.Series("x", [{"a": 1}]), "structures"),
        (pl.Series("x", [b"\xff\xfe"]), "bytes"),
    ],
)
def test_what_is_no_single_value_is_an_error(series: pl.Series, what: str) -> None:
    with pytest.raises(DataError, match=rf"column `x` holds {what}.*data.drop: \[x\]"):
        read(series)


def test_infinite_and_nan_are_missing() -> None:
    collected = read([1.0, float("inf"), float("nan"), -float("inf")])
    assert collected.values.to_list() == [1.0, None, None, None]
    assert [finding.code for finding in collected.findings] == ["D009"]
    assert collected.findings[0].evidence["n_values"] == 2


def test_text_in_a_typed_source_is_read_like_a_file() -> None:
    assert read(["1,5", "2,5"]).column.format == "1.234,5"
    assert read(pl.Series("x", ["a", "b", "a"], dtype=pl.Categorical)).column.kind == "category"
    assert read(pl.Series("x", [None, None])).column.kind == "constant"


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        ([1, 2], "category", ["1", "2"]),
        ([1.0, 2.5], "category", ["1", "2.5"]),
        ([True, False], "category", ["true", "false"]),
        ([1, 0], "boolean", [True, False]),
        ([20200131], "datetime", [dt.datetime(2020, 1, 31)]),
        ([1, 2], "identifier", [1, 2]),
        (["x", "y"], "text", ["x", "y"]),
        ([1, 2], "number", [1, 2]),
    ],
)
def test_a_declared_kind_is_obeyed(values: list[object], kind: str, expected: list[object]) -> None:
    collected = read(values, kind=kind)
    assert collected.column.kind == kind
    assert collected.values.to_list() == expected


def test_a_declared_kind_says_what_was_found_instead() -> None:
    assert read([1, 2], kind="identifier").column.reason == (
        "set in data.columns (found: number, whole numbers, 2 distinct values)"
    )


@pytest.mark.parametrize(
    ("values", "kind", "value"),
    [(["1", "two"], "number", "two"), ([1, 2], "boolean", "2"), (["2020-01-01", "soon"], "datetime", "soon")],
)
def test_an_impossible_kind_names_the_first_value(values: list[object], kind: str, value: str) -> None:
    with pytest.raises(DataError, match=rf"row 2, column `x`: `{value}` is no {kind}"):
        read(values, kind=kind)


@pytest.mark.parametrize(
    ("column", "values", "expected", "storage"),
    [
        (Column("x", "number", "integer"), [1.0, 2.0], [1, 2], "integer"),
        (Column("x", "number", "integer"), [1.5, 2.0], [1.5, 2.0], "float"),
        (Column("x", "number", "float"), [1, 2], [1.0, 2.0], "integer"),
        (Column("x", "number", "float"), [True, False], [1, 0], "integer"),
        (Column("x", "number", "float", "1.234,5"), ["1.000,5", "2"], [1000.5, 2.0], "float"),
        (Column("x", "number", "integer"), ["1", "2.5"], [1.0, 2.5], "float"),
        (Column("x", "category", "string"), [1, 2], ["1", "2"], "string"),
        (Column("x", "category", "string", missing=("?",)), ["?", "NA"], [None, "NA"], "string"),
        (Column("x", "boolean", "boolean"), ["yes", "0"], [True, False], "boolean"),
        (Column("x", "boolean", "boolean"), [1, 0], [True, False], "boolean"),
        (Column("x", "datetime", "datetime"), [dt.date(2020, 1, 1)], [dt.datetime(2020, 1, 1)], "datetime"),
        (
            Column("x", "datetime", "datetime", "%d.%m.%Y"),
            ["1.2.2020"],
            [dt.datetime(2020, 2, 1)],
            "datetime",
        ),
        (
            Column("x", "datetime", "datetime", "%d.%m.%Y"),
            ["2020-02-01"],
            [dt.datetime(2020, 2, 1)],
            "datetime",
        ),
    ],
)
def test_later_data_become_what_was_trained_on(
    column: Column, values: list[object], expected: list[object], storage: str
) -> None:
    collected = read(values, column=column)
    assert collected.values.to_list() == expected
    assert collected.column.storage == storage
    assert not collected.findings


def test_later_values_that_do_not_fit_become_missing_with_a_finding() -> None:
    collected = read(["1", "two", "two", "NA"], column=Column("x", "number", "integer"))
    assert collected.values.to_list() == [1, None, None, None]
    assert collected.findings[0].code == "D008"
    assert collected.findings[0].evidence == {"n_values": 2, "examples": ["two"]}


def blockwise(*blocks: list[str | None]) -> tuple[TextColumn, pl.Series]:
    reader = TextColumn(Wanted("x", MISSING))
    pieces = [pl.Series("x", block, dtype=pl.String) for block in blocks]
    for piece in pieces:
        reader.add(piece)
    return reader, pl.concat(pieces)


@pytest.mark.parametrize(
    "blocks",
    [
        (["1", "2"], ["3", "4.5"]),
        (["1", "2"], ["3", "abc"]),
        (["1", "2"], ["003"]),
        ([None, "NA"], ["1", "2"]),
        ([None, ""], ["a", "b"]),
        (["01/02/2020", "02/03/2020"], ["31/01/2020"]),
        (["true", "false"], ["maybe"]),
        (["a", "b"], ["1", "?"]),
        (["1.5", "2.5"], ["1,5"]),
    ],
)
def test_blocks_lead_to_the_same_column_as_the_whole(blocks: tuple[list[str | None], ...]) -> None:
    reader, whole = blockwise(*blocks)
    collected = reader.finish(None if reader.is_settled else whole)
    at_once = read(whole)
    assert collected.values.to_list() == at_once.values.to_list()
    assert collected.column == at_once.column


def test_mixed_columns_are_told() -> None:
    few = read([str(value) for value in range(40)] + ["error"])
    assert few.column.kind == "number"
    assert [finding.code for finding in few.findings] == ["D008"]
    assert few.findings[0].patch == {"data.columns.x": "category"}
    many = read([str(value) for value in range(100)] + [f"C{value}" for value in range(8)])
    assert many.values.dtype == pl.String
    assert [(finding.code, finding.severity) for finding in many.findings] == [("D008", "info")]


def test_ambiguous_dates_are_told() -> None:
    collected = read(["01/02/2020", "03/04/2020", "02/03/2020"])
    assert [finding.code for finding in collected.findings] == ["D011"]
    assert "%m/%d/%Y" in collected.findings[0].message


def test_values_as_text() -> None:
    assert text_of(pl.Series("x", [1.0, 2.5, None])).to_list() == ["1", "2.5", None]
    assert text_of(pl.Series("x", [dt.datetime(2020, 1, 2, 3)])).to_list() == ["2020-01-02T03:00:00"]
