from datetime import date, datetime

import polars as pl
import pytest

from groundup.core.errors import PredictionInputError
from groundup.core.schema import Column
from groundup.preparation.canonical import canonical_column

AGE, CITY = Column("age", "number", "float"), Column("city", "category", "string")
OK, WHEN = Column("ok", "boolean", "boolean"), Column("when", "datetime", "datetime")


def read(column: Column, values: pl.Series) -> list[object]:
    return canonical_column(values.alias(column.name).to_frame(), column).to_list()


@pytest.mark.parametrize(
    ("column", "values", "expected"),
    [
        (AGE, pl.Series([1, None], dtype=pl.UInt8), [1, None]),
        (AGE, pl.Series(["1.5", " 2 ", None, "NA"]), [1.5, 2.0, None, None]),
        (AGE, pl.Series(["1"], dtype=pl.Categorical), [1.0]),
        (AGE, pl.Series([True]), [1.0]),
        (AGE, pl.Series([None]), [None]),
        (CITY, pl.Series(["a"], dtype=pl.Categorical), ["a"]),
        (CITY, pl.Series([7, None]), ["7", None]),
        (CITY, pl.Series([7.0, 2.5]), ["7", "2.5"]),
        (OK, pl.Series([1, 0, None]), [True, False, None]),
        (OK, pl.Series(["yes", "no"]), [True, False]),
        (WHEN, pl.Series([date(2024, 1, 2)]), [datetime(2024, 1, 2)]),
        (WHEN, pl.Series(["2024-01-02"]), [datetime(2024, 1, 2)]),
        (
            WHEN,
            pl.Series([datetime(2024, 1, 2)], dtype=pl.Datetime("ms", "Europe/Berlin")),
            [datetime(2024, 1, 2)],
        ),
    ],
)
def test_what_loses_nothing_is_read(column: Column, values: pl.Series, expected: list[object]) -> None:
    assert read(column, values) == expected


def test_an_absent_column_is_named_with_the_nearest() -> None:
    with pytest.raises(PredictionInputError, match=r"no column `age`.* Did you mean `Age`"):
        canonical_column(pl.DataFrame({"Age": [1.0]}), AGE)


def test_a_value_that_cannot_be_read_is_named_with_its_row() -> None:
    with pytest.raises(PredictionInputError, match=r"`'old'` of column `age`.* row 2"):
        read(AGE, pl.Series(["1", None, "old"]))
    with pytest.raises(PredictionInputError, match=r"column `ok`.* row 1"):
        read(OK, pl.Series([1, 2]))
