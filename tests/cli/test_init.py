"""`groundup init`: a recipe that is never written over by accident."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

Main = Callable[..., tuple[int, str, str]]


def test_it_writes_a_recipe_and_says_how_to_go_on(
    groundup_main: Main, lifecycle: Any, tmp_path: Path
) -> None:
    code, out, err = groundup_main("init", "a.csv", "--target", "survived", "-o", "my.yaml")
    assert (code, err) == (0, "")
    assert (tmp_path / "my.yaml").read_text() == "problem:\n  target: survived\n"
    assert "groundup train my.yaml" in out


def test_a_file_that_is_there_stays(groundup_main: Main, lifecycle: Any, tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text("mine")
    code, _, err = groundup_main("init", "a.csv")
    assert code == 2
    assert "`recipe.yaml` is there already" in err
    assert (tmp_path / "recipe.yaml").read_text() == "mine"
    assert lifecycle.calls == []
    assert groundup_main("init", "a.csv", "--force")[0] == 0
    assert (tmp_path / "recipe.yaml").read_text() != "mine"
