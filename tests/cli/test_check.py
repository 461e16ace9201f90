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


def group(label: str, status: str) -> dict[str, Any]:
    return {"label": label, "n": 1200, "share": 0.25, "population": 0.4, "status": status}


def test_groups_stand_beside_the_population(groundup_main: Main, lifecycle: Any) -> None:
    _, out, _ = groundup_main("check", "a.csv")
    assert "Whom the rows represent is not judged: no population is stated." in out
    groups = [group("f", "under"), group("m", "alike")]
    lifecycle.population = {"columns": [{"column": "sex", "groups": groups}]}
    _, out, _ = groundup_main("check", "a.csv")
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert "sex f 1 200 25 % 40 % under-represented" in lines
    assert "sex m 1 200 25 % 40 % close to the population" in lines


def test_of_many_groups_those_are_told_that_differ(groundup_main: Main, lifecycle: Any) -> None:
    groups = [group("f", "absent"), *(group(str(n), "unclear") for n in range(99))]
    lifecycle.population = {"columns": [{"column": "sex", "groups": groups}]}
    _, out, _ = groundup_main("check", "a.csv")
    assert "absent" in out
    assert "and 99 more groups" in out
    assert len(out.splitlines()) < 40
