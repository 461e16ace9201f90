"""The verbs, one after the other, on real data: from a sample to a reproduced model."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from groundup.cli.main import main
from groundup.data.options import DataOptions
from groundup.data.sources import read

Main = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the run `first`, and the rows it came from in `rows.csv`."""
    folder = tmp_path_factory.mktemp("terminal")
    read(DataOptions(source="sample:iris")).frame().write_csv(folder / "rows.csv")
    words = ["--target", "species", "--model", "logistic", "--set", "evaluation.folds=2"]
    words += ["--runs", str(folder / "runs"), "--name", "first", "--progress", "quiet"]
    assert main(["train", str(folder / "rows.csv"), *words]) == 0
    return folder / "runs"


def test_show_and_runs(groundup_main: Main, runs: Path) -> None:
    code, out, err = groundup_main("show", "last", "--runs", str(runs))
    assert (code, err) == (0, "")
    assert "Model    logistic" in out
    assert "first" in groundup_main("runs", "--runs", str(runs))[1]


def test_predict_gives_a_row_for_a_row(groundup_main: Main, runs: Path, tmp_path: Path) -> None:
    words = (str(runs.parent / "rows.csv"), "-o", str(tmp_path / "out.csv"))
    code, _, err = groundup_main("predict", str(runs / "first"), *words)
    assert (code, err) == (0, "")
    answers = pl.read_csv(tmp_path / "out.csv")
    rows = pl.read_csv(runs.parent / "rows.csv")
    assert (answers["species"] == rows["species"]).mean() > 0.9


def test_evaluate_the_package_alone(groundup_main: Main, runs: Path) -> None:
    rows = str(runs.parent / "rows.csv")
    code, out, err = groundup_main("evaluate", str(runs / "first" / "model"), rows, "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["metrics"]["accuracy"]["value"] > 0.9


def test_reproduce(groundup_main: Main, runs: Path) -> None:
    code, out, err = groundup_main("reproduce", str(runs / "first"), "--progress", "quiet")
    assert (code, err) == (0, "")
    assert "bit-equal" in out


def test_a_written_recipe_trains(groundup_main: Main, runs: Path, tmp_path: Path) -> None:
    recipe = str(tmp_path / "recipe.yaml")
    assert groundup_main("init", str(runs.parent / "rows.csv"), "--target", "species", "-o", recipe)[0] == 0
    flags = (
        "--model",
        "logistic",
        "--set",
        "evaluation.folds=2",
        "--runs",
        str(tmp_path),
        "--progress",
        "json",
    )
    code, out, err = groundup_main("train", recipe, *flags)
    assert (code, err) == (0, "")
    assert json.loads(out.splitlines()[-1])["kind"] == "run_finished"


def test_check_tells_the_columns(groundup_main: Main, runs: Path) -> None:
    code, out, err = groundup_main("check", str(runs.parent / "rows.csv"), "--target", "species")
    assert (code, err) == (0, "")
    assert "petal" in out


def test_ctrl_c_keeps_the_best_so_far(tmp_path: Path) -> None:
    words = ["train", "sample:titanic", "--target", "survived", "--progress", "json", "--name", "stopped"]
    process = subprocess.Popen(
        [sys.executable, "-m", "groundup", *words, "--runs", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert process.stdout is not None
    kinds = []
    for line in process.stdout:
        kinds.append(json.loads(line)["kind"])
        if kinds.count("fit_finished") == 6 and kinds[-1] == "fit_finished":
            process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "keeping the best so far" in err
    assert kinds[-2:] == ["run_stopped", "run_finished"]
    assert json.loads((tmp_path / "stopped" / "run.json").read_text())["status"] == "stopped"
    assert (tmp_path / "stopped" / "model" / "manifest.json").is_file()
