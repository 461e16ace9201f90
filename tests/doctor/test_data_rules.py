"""Each rule about the data speaks where it should, with the numbers, and is silent elsewhere."""

import dataclasses
from typing import Any

import pytest

from groundup.core.findings import Finding
from groundup.core.schema import Column, Kind, Schema
from groundup.doctor import data_rules
from groundup.doctor.contract import NotApplicable
from groundup.doctor.signals import DataSignals


def signals(*columns: tuple[str, Kind, int, int], n: int = 100, **changes: Any) -> DataSignals:
    """Return signals for columns of (name, kind, n_missing, n_unique)."""
    schema = Schema(
        [*(Column(name, kind, "string") for name, kind, _, _ in columns), Column("y", "number", "float")]
    )
    profile = [
        {"name": name, "n": n, "n_missing": missing, "n_unique": unique}
        for name, _, missing, unique in columns
    ]
    base = DataSignals(
        schema, "y", "regression", features=tuple(name for name, *_ in columns), profile=profile, n_train=n
    )
    return dataclasses.replace(base, **changes)


def found(answer: object) -> list[Finding]:
    assert not isinstance(answer, NotApplicable), answer
    return list(answer)  # type: ignore[call-overload]


@pytest.mark.parametrize(("n_missing", "severity"), [(5, "info"), (6, "warning"), (100, "warning")])
def test_rows_without_target_are_counted(n_missing: int, severity: str) -> None:
    answer = data_rules.rows_without_target(signals(n_rows_read=100, n_rows_without_target=n_missing))
    (finding,) = found(answer)
    assert (finding.severity, finding.column) == (severity, "y")
    assert finding.evidence == {"n_missing": n_missing, "n_rows": 100, "share": n_missing / 100}
    assert f"{n_missing} of 100" in finding.message


def test_no_row_without_target_is_silence() -> None:
    assert found(data_rules.rows_without_target(signals(n_rows_read=100))) == []
    assert isinstance(data_rules.rows_without_target(signals()), NotApplicable)


def test_a_column_of_all_missing_is_named_once() -> None:
    data = signals(("empty", "constant", 100, 0), ("full", "number", 0, 50))
    (finding,) = found(data_rules.missing_column(data))
    assert finding.column == "empty"
    assert finding.patch == {"preparation.columns.empty.drop": True}
    assert found(data_rules.constant_column(data)) == []
    assert found(data_rules.many_missing_values(data)) == []


def test_a_constant_column_may_have_missing_values() -> None:
    data = signals(("one", "number", 0, 1), ("one_or_none", "constant", 60, 1), ("two", "category", 0, 2))
    findings = found(data_rules.constant_column(data))
    assert [finding.column for finding in findings] == ["one", "one_or_none"]
    assert "all 40 training rows that have one" in findings[1].message


def test_one_row_makes_no_column_constant() -> None:
    assert found(data_rules.constant_column(signals(("a", "number", 0, 1), n=1))) == []


def test_an_identifier_is_found_by_its_kind() -> None:
    (finding,) = found(
        data_rules.identifier_column(signals(("id", "identifier", 0, 100), ("age", "number", 0, 100)))
    )
    assert (finding.column, finding.severity) == ("id", "info")
    assert finding.patch == {"data.columns.id": "category"}


@pytest.mark.parametrize(("n_missing", "speaks"), [(50, False), (51, True), (99, True), (100, False)])
def test_many_missing_values_are_more_than_half_and_not_all(n_missing: int, speaks: bool) -> None:
    assert bool(found(data_rules.many_missing_values(signals(("a", "number", n_missing, 1))))) is speaks


def test_more_columns_than_rows() -> None:
    columns: list[tuple[str, Kind, int, int]] = [(f"c{i}", "number", 0, 5) for i in range(11)]
    assert found(data_rules.more_columns_than_rows(signals(*columns, n=11))) == []
    (finding,) = found(data_rules.more_columns_than_rows(signals(*columns, n=10)))
    assert finding.evidence == {"n_features": 11, "n_train": 10}
    assert finding.patch == {"model.name": "lasso"}


def test_the_target_and_left_out_columns_are_not_looked_at() -> None:
    data = signals(("gone", "constant", 100, 0), ("kept", "number", 0, 9))
    data = dataclasses.replace(data, features=("kept",))
    assert found(data_rules.missing_column(data)) == []


def test_ten_thousand_columns_give_eleven_findings() -> None:
    columns: list[tuple[str, Kind, int, int]] = [(f"c{i}", "constant", 100, 0) for i in range(10_000)]
    findings = found(data_rules.missing_column(signals(*columns)))
    assert len(findings) == data_rules.MAX_FINDINGS + 1
    assert findings[-1].evidence["n_columns"] == 9_990
    assert "9 990 more columns: `c10`, `c11`, `c12` and 9 987 more" in findings[-1].message


@pytest.mark.parametrize("rule", [data_rules.missing_column, data_rules.identifier_column])
def test_nothing_to_look_at_is_not_applicable(rule: Any) -> None:
    assert isinstance(rule(signals()), NotApplicable)
    assert isinstance(rule(signals(("a", "number", 0, 3), profile=())), NotApplicable)


@pytest.mark.parametrize("name", ["", "v1.0", "a=b"])
def test_a_name_that_cannot_stand_in_a_path_has_no_patch(name: str) -> None:
    (finding,) = found(data_rules.missing_column(signals((name, "constant", 100, 0))))
    assert finding.patch == {}
