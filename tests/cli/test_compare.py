"""`groundup compare`: scores side by side, and what differs."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import groundup as gu

Main = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two finished runs on the same rows."""
    folder = tmp_path_factory.mktemp("runs")
    for name, model in (("first", "linear"), ("guess", "baseline")):
        few = {"evaluation.importance_repeats": 0, "evaluation.folds": 2}
        gu.train("sample:diabetes", "progression", model=model, runs=folder, name=name, overrides=few)
    return folder


def test_it_prints_scores_differences_and_settings(groundup_main: Main, runs: Path, tmp_path: Path) -> None:
    page = tmp_path / "out.html"
    code, out, err = groundup_main("compare", "first", "guess", "--runs", str(runs), "--html", str(page))
    assert (code, err) == (0, "")
    for words in ("were tested on the same 88 rows", "guess − first", "worse", "model.name", str(page)):
        assert words in out.replace("\n", " ")
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_three_runs_are_told_metric_by_metric(groundup_main: Main, runs: Path) -> None:
    code, out, _ = groundup_main("compare", "first", "guess", "first", "--runs", str(runs))
    assert code == 0
    assert "minus first" in out
    assert "equal" in out


def test_equal_runs_have_no_settings_to_show(groundup_main: Main, runs: Path) -> None:
    assert "all options are the same" in groundup_main("compare", "first", "first", "--runs", str(runs))[1]


def test_json(groundup_main: Main, runs: Path) -> None:
    _, out, _ = groundup_main("compare", "first", "guess", "--runs", str(runs), "--json")
    assert json.loads(out)["metrics"][0]["differences"][0]["verdict"] == "worse"


def test_one_run_is_not_enough(groundup_main: Main, runs: Path) -> None:
    code, _, err = groundup_main("compare", "first", "--runs", str(runs))
    assert code == 2
    assert "at least two" in err
