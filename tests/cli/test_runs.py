"""`groundup runs`: every run on a line."""

import json
from collections.abc import Callable
from pathlib import Path

from groundup.core.runs import RunFolder

Main = Callable[..., tuple[int, str, str]]


def test_the_newest_stands_first(groundup_main: Main, run_folder: Path) -> None:
    second = RunFolder.create(Path("runs"), "second", stem="titanic")
    second.update_summary(created="2999-01-01T00:00:00+00:00")
    code, out, err = groundup_main("runs")
    lines = [line.split() for line in out.splitlines()]
    assert (code, err) == (0, "")
    assert [line[0] for line in lines] == ["run", "second", "first"]
    assert "interrupted" in lines[1]
    assert lines[2][-4:] == ["roc_auc", "0.871", "5", "s"]


def test_json(groundup_main: Main, run_folder: Path) -> None:
    (summary,) = json.loads(groundup_main("runs", "--json")[1])
    assert (summary["name"], summary["status"], summary["value"]) == ("first", "finished", 0.871)


def test_no_runs_is_an_invitation(groundup_main: Main, tmp_path: Path) -> None:
    code, out, _ = groundup_main("runs", "--runs", str(tmp_path / "none"))
    assert code == 0
    assert "groundup train sample:" in out
