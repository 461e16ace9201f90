"""`groundup check`: the columns and the findings."""

import json
from collections.abc import Callable
from typing import Any

Main = Callable[..., tuple[int, str, str]]


def test_it_prints_steps_columns_and_findings(groundup_main: Main, lifecycle: Any) -> None:
    code, out, err = groundup_main("check", "a.csv", "--target", "survived", "--task", "classification")
    assert (code, err) == (0, "")
    assert lifecycle.calls == [
        ("check", ("a.csv", "survived"), {"overrides": {"problem.task": "classification"}})
    ]
    assert "Step 2 of 8: Collect" in out
    assert "age     number  98 distinct values" in out
    assert "Findings 1 warning, 1 note" in out


def test_json_holds_nothing_else(groundup_main: Main, lifecycle: Any) -> None:
    _, out, _ = groundup_main("check", "a.csv", "--json")
    assert json.loads(out)["schema"][0]["name"] == "age"


def test_a_wide_table_is_told_in_part(groundup_main: Main, lifecycle: Any) -> None:
    lifecycle.columns *= 10_000
    _, out, _ = groundup_main("check", "a.csv")
    assert "and 9 960 columns more" in out
    assert len(out.splitlines()) < 90
