"""What the words on the command line mean."""

from pathlib import Path

import click
import pytest

from groundup.cli.parameters import model_path, overrides, run_path
from groundup.core.errors import RunError


def test_a_value_may_hold_equals_signs() -> None:
    assert overrides(["data.missing=a=b", " training.seed =3"]) == {
        "data.missing": "a=b",
        "training.seed": "3",
    }


def test_what_is_set_last_wins() -> None:
    assert overrides(["problem.task=regression"], task="classification") == {"problem.task": "regression"}


@pytest.mark.parametrize("setting", ["training.seed", "=3"])
def test_a_setting_needs_a_name_and_a_value(setting: str) -> None:
    with pytest.raises(click.BadParameter, match="OPTION=VALUE"):
        overrides([setting])


def test_a_run_is_found_by_name_and_by_path(run_folder: Path) -> None:
    assert run_path("first", Path("runs")) == run_path("runs/first", Path("elsewhere")) == run_folder


def test_a_package_is_no_run(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{}")
    assert model_path(str(tmp_path), Path("runs")) == tmp_path
    with pytest.raises(RunError):
        run_path(str(tmp_path), tmp_path / "runs")
