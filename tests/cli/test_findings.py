"""Findings in the terminal."""

import copy
from typing import Any, get_args

import pytest

from groundup.cli.console import open_console
from groundup.cli.findings import N_FINDINGS, SEVERITIES, print_findings
from groundup.core.findings import Severity


def test_every_severity_has_a_word() -> None:
    assert set(SEVERITIES) == set(get_args(Severity))


def test_the_most_serious_comes_first_and_equal_notes_share_a_line(
    report: dict[str, Any], capfd: pytest.CaptureFixture[str]
) -> None:
    serious = {**copy.deepcopy(report["findings"][1]), "severity": "error", "code": "S001"}
    print_findings(open_console(), [*report["findings"] * 4, serious])
    lines = capfd.readouterr().out.splitlines()
    assert lines[0] == "Findings 1 serious, 4 warnings, 4 notes"
    assert lines[1].startswith("  serious S001")
    assert sum("D010" in line for line in lines) == N_FINDINGS - 1
    assert lines[-1] == "  notes D006: A column is constant (ship) (4 times)."


def test_a_note_is_one_line_and_a_warning_has_its_remedy(
    report: dict[str, Any], capfd: pytest.CaptureFixture[str]
) -> None:
    print_findings(open_console(), report["findings"])
    lines = capfd.readouterr().out.splitlines()
    assert lines[-1] == "  notes D006: A column is constant (ship)."
    assert "→ Ask whether the column can be collected" in " ".join(lines)
    assert """--set 'data.drop=["age"]'""" in lines[-2]


def test_more_than_a_few_are_counted(report: dict[str, Any], capfd: pytest.CaptureFixture[str]) -> None:
    warning = report["findings"][0] if report["findings"][0]["severity"] != "info" else report["findings"][1]
    print_findings(open_console(), [warning] * (N_FINDINGS + 2))
    assert capfd.readouterr().out.splitlines()[-1] == "  … and 2 more"


def test_no_findings(capfd: pytest.CaptureFixture[str]) -> None:
    print_findings(open_console(), [])
    assert capfd.readouterr().out == "Findings none\n"
