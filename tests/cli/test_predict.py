"""`groundup predict`: how many rows were written, and what was odd about them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

Main = Callable[..., tuple[int, str, str]]


def test_it_says_what_it_wrote_and_found(groundup_main: Main, lifecycle: Any, run_folder: Path) -> None:
    code, out, err = groundup_main("predict", "first", "new.csv", "-o", "out.csv")
    assert (code, err) == (0, "")
    asked = {"coverage": None, "contributions": False}
    assert lifecycle.calls == [("predict", (run_folder, "new.csv", Path("out.csv")), asked)]
    assert out.startswith("Wrote 1 309 predictions to out.csv.\n")
    assert "D010" in out


def test_it_needs_a_place_for_the_answers(groundup_main: Main) -> None:
    code, _, err = groundup_main("predict", "first", "new.csv")
    assert code == 2
    assert "--output" in err


def test_a_coverage_is_a_share_and_is_passed_on(
    groundup_main: Main, lifecycle: Any, run_folder: Path
) -> None:
    groundup_main("predict", "first", "new.csv", "-o", "out.csv", "--coverage", "0.8")
    asked = {"coverage": 0.8, "contributions": False}
    assert lifecycle.calls == [("predict", (run_folder, "new.csv", Path("out.csv")), asked)]
    code, _, err = groundup_main("predict", "first", "new.csv", "-o", "out.csv", "--coverage", "90")
    assert (code, "--coverage" in err) == (2, True)


def test_contributions_are_asked_for_and_explained(
    groundup_main: Main, lifecycle: Any, run_folder: Path
) -> None:
    _, out, _ = groundup_main("predict", "first", "new.csv", "-o", "out.csv", "--contributions")
    asked = {"coverage": None, "contributions": True}
    assert lifecycle.calls == [("predict", (run_folder, "new.csv", Path("out.csv")), asked)]
    assert "Each contribution_COLUMN is added to base_value. They add up to" in out
