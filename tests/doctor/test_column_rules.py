"""Columns that say little are named with their counts; few rows are told as such."""

import pytest

from groundup.core.schema import Column, Schema
from groundup.doctor.column_rules import identifier_as_feature, near_constant_column, too_little_data
from groundup.doctor.contract import NotApplicable
from groundup.doctor.signals import DataSignals, FitSignals, Span

SCHEMA = Schema([Column("flag", "number", "integer"), Column("y", "number", "float")])


def data(**changes: object) -> DataSignals:
    return DataSignals(SCHEMA, "y", "regression", features=("flag",), **changes)  # type: ignore[arg-type]


def test_a_nearly_constant_column_is_counted() -> None:
    answer = near_constant_column(data(dominant=(("flag", 0, 399, 400),)))
    assert not isinstance(answer, NotApplicable)
    (finding,) = answer
    assert "`flag` is `0` in 399 of 400 training rows (99.8 %); the other 1 " in finding.message
    assert finding.patch == {"preparation.columns.flag.drop": True}


def test_a_forced_identifier_is_told_with_its_reason() -> None:
    answer = identifier_as_feature(data(forced_identifiers={"flag": "counts the rows from 1 to 9"}))
    assert not isinstance(answer, NotApplicable)
    (finding,) = answer
    assert "used as a number" in finding.message
    assert finding.patch == {"data.columns.flag": "identifier"}


@pytest.mark.parametrize(
    ("improvement", "n_train", "speaks"),
    [
        (Span(1.0, 0.4, 1.6), 50, True),
        (Span(1.0, 0.4, 1.6), 500, False),  # rows enough for ten columns
        (Span(1.0, 0.6, 1.4), 50, False),  # known well enough
        (Span(1.0, -0.1, 2.1), 50, False),  # F003 says it
    ],
)
def test_few_rows_are_told_where_the_gain_is_vague(improvement: Span, n_train: int, speaks: bool) -> None:
    signals = FitSignals("regression", "ridge", improvement=improvement, n_train=n_train, n_features=10)
    assert bool(too_little_data(signals)) is speaks
