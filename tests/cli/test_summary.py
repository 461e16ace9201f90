"""The end of a run in words."""

from pathlib import Path
from typing import Any

import pytest

from groundup.cli.summary import print_summary


def test_it_is_short_and_complete(report: dict[str, Any], capfd: pytest.CaptureFixture[str]) -> None:
    print_summary(report, Path("runs/first"))
    out = capfd.readouterr().out
    assert len(out.splitlines()) <= 25
    for words in (
        "roc_auc   0.871 [0.822, 0.914]   0.500",
        "Score    on the 262 test rows",
        "  roc_auc: How often a yes outranks a no",
        "Fit      The model fits",
        "Model    linear. Within one standard error",
        "→ linear",
        "tied (p 0.4)",
        "Findings 1 warning, 1 note",
        "→ Ask whether the column can be collected",
        """--set 'data.drop=["age"]'""",
        "Report   runs/first/report.html",
        "groundup predict runs/first NEW.csv -o predictions.csv",
    ):
        assert words in out


def test_the_deciding_metric_stands_first(report: dict[str, Any], capfd: pytest.CaptureFixture[str]) -> None:
    report["test"] = dict(reversed(report["test"].items()))
    print_summary(report, Path("runs/first"))
    lines = capfd.readouterr().out.splitlines()
    assert lines[3].split()[0] == "roc_auc"


def test_one_learner_needs_no_leaderboard(report: dict[str, Any], capfd: pytest.CaptureFixture[str]) -> None:
    del report["leaderboard"][0]
    print_summary(report, Path("runs/first"))
    assert "cross-validated" not in capfd.readouterr().out


def test_missing_scores_do_not_break_the_end(
    report: dict[str, Any], capfd: pytest.CaptureFixture[str]
) -> None:
    report["test"]["accuracy"] = {"value": None, "low": None, "high": None}
    report["leaderboard"][0] |= {"score": None, "low": None, "high": None}
    del report["baseline"]["accuracy"]
    print_summary(report, Path("runs/first"))
    assert "accuracy  undefined" in capfd.readouterr().out


def test_long_paths_are_not_broken(report: dict[str, Any], capfd: pytest.CaptureFixture[str]) -> None:
    folder = Path("/" + "very-long/" * 20)
    print_summary(report, folder)
    assert f"Report   {folder}/report.html" in capfd.readouterr().out.splitlines()


def test_a_stopped_run_says_so(report: dict[str, Any], capfd: pytest.CaptureFixture[str]) -> None:
    report["status"] = "stopped"
    print_summary(report, Path("runs/first"))
    assert "training was stopped early" in capfd.readouterr().out


def test_what_was_decided_for_the_answers_is_told(
    report: dict[str, Any], capfd: pytest.CaptureFixture[str]
) -> None:
    cost = {"model": {"value": 0.5}, "always_yes": {"value": 0.75}, "cheaper_constant": "always_yes"}
    error = {"value": 0.03, "low": 0.01, "high": 0.05}
    report["calibration"] = {"method": "platt", "reason": "it helps", "expected_calibration_error": error}
    report["threshold"] = {"value": 0.2, "reason": "errors cost least", "cost": cost}
    print_summary(report, Path("runs/first"))
    out = " ".join(capfd.readouterr().out.split())
    assert "Answers Calibration platt: it helps. Probabilities are off by 0.030 [0.010, 0.050]" in out
    assert "Threshold 0.2: errors cost least. A test row costs 0.5; always yes: 0.75." in out
