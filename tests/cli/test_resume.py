"""`groundup resume`: the run is found, and its end is told."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

Main = Callable[..., tuple[int, str, str]]


def test_it_goes_on_and_tells_the_end(groundup_main: Main, lifecycle: Any, run_folder: Path) -> None:
    code, out, err = groundup_main("resume", "first")
    assert (code, err) == (0, "")
    assert lifecycle.calls == [("resume", (Path("runs/first"),), {})]
    assert "kept from before" in out
    assert "Score    on the 262 test rows" in out


def test_an_unknown_run(groundup_main: Main, lifecycle: Any, run_folder: Path) -> None:
    code, _, err = groundup_main("resume", "frist")
    assert code == 2
    assert "Did you mean `first`?" in err
