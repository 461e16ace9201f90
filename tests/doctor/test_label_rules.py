"""Doubtful targets are told with their share and rows; numbers cautiously."""

import pytest

from groundup.core.findings import Finding
from groundup.doctor.contract import NotApplicable
from groundup.doctor.label_rules import labels_look_wrong
from groundup.doctor.signals import DoubtfulTargets, FitSignals, Span


def found(doubtful: DoubtfulTargets | None) -> list[Finding]:
    answer = labels_look_wrong(FitSignals("classification", "logistic", doubtful=doubtful, target="kind"))
    assert not isinstance(answer, NotApplicable)
    return list(answer)


def test_labels_are_counted_and_named() -> None:
    rows = ((17, "a", "b"), (3, "b", "a"))
    (finding,) = found(DoubtfulTargets(200, 22, Span(0.11, 0.06, 0.19), True, rows))
    assert finding.severity == "warning"
    assert "About 11 % of the labels in `kind`" in finding.message
    assert "row 17: `a`, probably `b`; row 3: `b`, probably `a`." in finding.message
    assert finding.evidence["rows"] == [[17, "a", "b"], [3, "b", "a"]]
    assert finding.evidence["low"] == 0.06


def test_labels_of_one_class_alone_are_told_with_caution() -> None:
    doubtful = DoubtfulTargets(200, 22, Span(0.2, 0.1, 0.3), True, ((17, "a", "b"),), one_sided="b")
    (finding,) = found(doubtful)
    assert finding.severity == "info"
    assert "About 20 % of the rows that look like `b` bear another label in `kind`" in finding.message
    assert "hangs on chance that no column knows. Most suspicious of 22 rows" in finding.message
    assert finding.evidence["one_sided"] == "b"


def test_numbers_are_told_with_caution() -> None:
    (finding,) = found(DoubtfulTargets(200, 1, None, True, ((9, 400.0, 4.5),)))
    assert finding.severity == "info"
    assert "row 9: `400`, expected about `4.5`" in finding.message
    assert "or true and rare" in finding.message


def test_what_does_not_stand_out_is_not_told() -> None:
    assert found(DoubtfulTargets(200, 22, Span(0.02, 0.0, 0.06), False)) == []


def test_a_model_that_cannot_judge_does_not() -> None:
    with pytest.raises(AssertionError):
        found(None)
