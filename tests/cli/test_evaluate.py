"""`groundup evaluate`: scores with intervals beside the baseline."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

Main = Callable[..., tuple[int, str, str]]


def test_it_prints_scores_with_intervals(groundup_main: Main, lifecycle: Any, run_folder: Path) -> None:
    code, out, err = groundup_main("evaluate", "first", "new.csv")
    assert (code, err) == (0, "")
    assert lifecycle.calls == [("evaluate", (run_folder, "new.csv"), {})]
    assert "1 309 rows of new.csv" in out
    assert "roc_auc  0.81 [0.70, 0.90]      0.50" in out


def test_json(groundup_main: Main, lifecycle: Any, run_folder: Path) -> None:
    _, out, _ = groundup_main("evaluate", "last", "new.csv", "--json")
    assert json.loads(out)["metrics"]["roc_auc"]["low"] == 0.7


def test_a_package_is_taken_as_it_is(groundup_main: Main, lifecycle: Any, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{}")
    groundup_main("evaluate", str(tmp_path), "new.csv")
    assert lifecycle.calls[0][1][0] == tmp_path
