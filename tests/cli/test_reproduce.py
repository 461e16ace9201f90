"""`groundup reproduce`: the exit code says whether the models are equal."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

Main = Callable[..., tuple[int, str, str]]


def test_equal(groundup_main: Main, lifecycle: Any, run_folder: Path) -> None:
    code, out, err = groundup_main("reproduce", "first", "--progress", "quiet")
    assert (code, err) == (0, "")
    assert out.startswith("Equal: ")
    assert "bit-equal" in out


def test_different(groundup_main: Main, lifecycle: Any, run_folder: Path) -> None:
    lifecycle.differences = ["`model/weights.safetensors` differs."]
    code, out, _ = groundup_main("reproduce", "first", "--progress", "quiet")
    assert code == 1
    assert out.startswith("Different: ")
    assert "`model/weights.safetensors` differs." in out


def test_json_prints_events_alone(groundup_main: Main, lifecycle: Any, run_folder: Path) -> None:
    _, out, _ = groundup_main("reproduce", "first", "--progress", "json")
    assert all(line.startswith("{") for line in out.splitlines())
