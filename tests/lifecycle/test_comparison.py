"""Runs beside each other: paired where the rows are the same, and plain about it where they are not."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import groundup as gu
from groundup.core.errors import RunError
from groundup.core.inputs import Predictions
from groundup.core.runs import RunFolder
from groundup.evaluation.intervals import paired_difference
from groundup.lifecycle.measured_rows import MeasuredRows, pair_rows, read_measured


def train(runs: Path, name: str, model: str, **overrides: object) -> gu.Run:
    few = {"evaluation.importance_repeats": 0, "evaluation.folds": 2, **overrides}
    return gu.train("sample:titanic", "survived", model=model, runs=runs, name=name, overrides=few)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, gu.Run]:
    """Runs with another model, another split, and hardly a test row in common."""
    folder = tmp_path_factory.mktemp("runs")
    return {
        "first": train(folder, "first", "logistic"),
        "boosted": train(folder, "boosted", "lightgbm"),
        "guess": train(folder, "guess", "baseline"),
        "larger": train(folder, "larger", "logistic", **{"data.split.test": 0.3}),
        "other": train(folder, "other", "logistic", **{"training.seed": 7, "data.split.test": 0.05}),
    }


def measured(run: gu.Run) -> MeasuredRows:
    return read_measured(RunFolder(run.folder), run.summary)


def test_predictions_of_the_test_rows_are_kept_with_their_digest(runs: dict[str, gu.Run]) -> None:
    rows, report = measured(runs["first"]), runs["first"].summary
    assert rows.n_rows == report["split"]["n_test"] == report["predictions"]["n_rows"]
    assert (rows.predictions.values == rows.y_true).mean() == pytest.approx(
        report["test"]["accuracy"]["value"]
    )
    assert rows.losses.mean() == pytest.approx(report["test"]["log_loss"]["value"])


def test_the_same_rows_are_compared_in_pairs(runs: dict[str, gu.Run]) -> None:
    comparison = gu.compare(runs["first"], runs["guess"])
    assert comparison.pairings[0]["how"] == "same"
    metrics = {metric["name"]: metric for metric in comparison.metrics}
    assert comparison.metrics[0]["name"] == "roc_auc"
    assert metrics["roc_auc"]["differences"][0]["verdict"] == "worse"
    expected = paired_difference(measured(runs["guess"]).losses, measured(runs["first"]).losses)
    difference = metrics["log_loss"]["differences"][0]
    assert difference["value"] == pytest.approx(expected.value)
    assert difference["low"] == pytest.approx(expected.low, rel=0.15)
    assert metrics["accuracy"]["scores"] == [runs[name].metrics["accuracy"] for name in ("first", "guess")]


def test_a_run_is_equal_to_itself(runs: dict[str, gu.Run]) -> None:
    comparison = gu.compare(runs["first"].folder, str(runs["first"].folder))
    assert {each["differences"][0]["verdict"] for each in comparison.metrics} == {"equal"}
    assert comparison.settings == []


def test_only_settings_that_differ_are_listed(runs: dict[str, gu.Run]) -> None:
    comparison = gu.compare(runs["first"], runs["larger"])
    assert comparison.settings == [{"option": "data.split.test", "values": [0.2, 0.3]}]
    options = {row["option"] for row in gu.compare(runs["first"], runs["boosted"]).settings}
    assert {"model.name", "model.C", "model.num_leaves"} <= options


def test_shared_rows_are_compared_where_there_are_enough(runs: dict[str, gu.Run]) -> None:
    (pairing,) = gu.compare(runs["first"], runs["larger"]).pairings
    assert pairing["how"] == "shared"
    assert 30 <= pairing["n_rows"] <= 262
    assert "the split differs" in pairing["sentence"]


def test_separate_rows_are_said_to_be_separate(runs: dict[str, gu.Run]) -> None:
    comparison = gu.compare(runs["first"], runs["other"])
    assert comparison.pairings[0]["how"] == "separate"
    assert comparison.pairings[0]["n_rows"] is None
    difference = comparison.metrics[0]["differences"][0]
    paired = gu.compare(runs["first"], runs["boosted"]).metrics[0]["differences"][0]
    assert difference["high"] - difference["low"] > paired["high"] - paired["low"]


def test_a_comparison_is_a_page_and_json(runs: dict[str, gu.Run]) -> None:
    comparison = gu.compare(*runs.values())
    assert isinstance(comparison, gu.Comparison)
    page = comparison._repr_html_()
    assert page.count("<svg ") == 4
    assert json.loads(json.dumps(comparison.to_json(), allow_nan=False))["runs"][1]["name"] == "boosted"


def test_damaged_or_missing_predictions_are_refused(runs: dict[str, gu.Run], tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(runs["first"].folder, copy)
    file = RunFolder(copy).predictions
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    with pytest.raises(RunError, match="digest"):
        gu.compare(runs["first"], copy)
    file.unlink()
    with pytest.raises(RunError, match="is gone"):
        gu.compare(runs["first"], copy)
    report = json.loads((copy / "report.json").read_text())
    del report["predictions"]
    (copy / "report.json").write_text(json.dumps(report))
    with pytest.raises(RunError, match="earlier version"):
        gu.compare(runs["first"], copy)


def test_other_questions_and_single_runs_are_refused(runs: dict[str, gu.Run], tmp_path: Path) -> None:
    iris = gu.train("sample:iris", "species", model="baseline", runs=tmp_path)
    with pytest.raises(RunError, match="different questions"):
        gu.compare(runs["first"], iris)
    with pytest.raises(RunError, match="at least two"):
        gu.compare(runs["first"])


def test_equal_rows_are_paired_in_their_order() -> None:
    def rows(keys: list[int]) -> MeasuredRows:
        n = len(keys)
        zeros = np.zeros(n)
        return MeasuredRows(np.arange(n), np.array(keys, np.uint64), zeros, Predictions(zeros), zeros)

    one, other = pair_rows(rows([5, 7, 5, 9]), rows([5, 5, 5, 9]), is_same_data=False)
    assert (one.tolist(), other.tolist()) == ([0, 2, 3], [0, 1, 3])
