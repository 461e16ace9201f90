"""`groundup show`: the end of a run, again."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from groundup.core.runs import RunFolder

Main = Callable[..., tuple[int, str, str]]


def test_it_prints_what_the_end_of_the_run_printed(groundup_main: Main, run_folder: Path) -> None:
    code, out, err = groundup_main("show", "first")
    assert (code, err) == (0, "")
    assert "roc_auc   0.871 [0.822, 0.914]   0.500" in out
    assert "groundup predict runs/first" in out


def test_a_run_by_path_name_or_last(groundup_main: Main, run_folder: Path) -> None:
    told = {groundup_main("show", run)[1] for run in ("first", "runs/first", "last")}
    assert len(told) == 1


def test_json_is_the_report(groundup_main: Main, run_folder: Path, report: dict[str, Any]) -> None:
    assert json.loads(groundup_main("show", "first", "--json")[1]) == report


def test_an_unknown_run_names_the_nearest(groundup_main: Main, run_folder: Path) -> None:
    code, _, err = groundup_main("show", "frist")
    assert code == 2
    assert "Did you mean `first`?" in err


def test_a_run_without_a_report_says_how_to_go_on(groundup_main: Main, run_folder: Path) -> None:
    (run_folder / "report.json").unlink()
    RunFolder(run_folder).update_summary(status="stopped")
    code, _, err = groundup_main("show", "first")
    assert code == 2
    assert "groundup resume runs/first" in err
