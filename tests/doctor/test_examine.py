"""Examining asks every rule once and keeps the answers apart."""

import json

from groundup.core.schema import Column, Schema
from groundup.doctor.examine import examine
from groundup.doctor.rules import DATA_RULES, FIT_RULES
from groundup.doctor.signals import DataSignals, FitSignals

SCHEMA = Schema([Column("a", "number", "float"), Column("y", "number", "float")])


def test_findings_come_in_the_order_of_the_rules() -> None:
    profile = [{"name": "a", "n": 10, "n_missing": 10, "n_unique": 0}]
    signals = DataSignals(
        SCHEMA, "y", "regression", features=("a",), profile=profile, n_rows_read=20, n_rows_without_target=10
    )
    diagnosis = examine(signals, DATA_RULES)
    assert [finding.code for finding in diagnosis.findings] == ["D004", "D005"]
    assert diagnosis.not_applicable.keys() == {"D012", "D015", "D018", "D019", "D020"}
    assert diagnosis.not_applicable["D012"] == "the rows were not split"


def test_without_rules_nothing_is_said() -> None:
    diagnosis = examine(FitSignals("regression", "ridge"), {})
    assert diagnosis.findings == ()
    assert diagnosis.not_applicable == {}


def test_a_diagnosis_is_json() -> None:
    diagnosis = examine(FitSignals("regression", "ridge", verdict="overfits", sentence="So."), FIT_RULES)
    document = json.loads(json.dumps(diagnosis.to_json(), allow_nan=False))
    assert document["findings"][0]["code"] == "F001"
    assert set(document["not_applicable"]) == {f"F{i:03}" for i in range(3, 11)} | {"V001", "V002"}
