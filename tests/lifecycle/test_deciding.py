"""Calibration, threshold and conformal scores, from the recipe to the package and the report."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import groundup as gu
from groundup.core.errors import ProblemError
from groundup.lifecycle import predict


def skewed(n: int = 900) -> pl.DataFrame:
    """Return two classes and inputs that repeat each other, so that naive Bayes is far too sure."""
    random = np.random.default_rng(0)
    signal = random.normal(0, 1, n)
    columns = {f"x{index}": signal + random.normal(0, 0.3, n) for index in range(8)}
    answer = np.where(random.random(n) < 1 / (1 + np.exp(2 - signal)), "buys", "leaves")
    return pl.DataFrame({**columns, "bought": answer})


@pytest.fixture(scope="module")
def decided(tmp_path_factory: pytest.TempPathFactory) -> gu.Run:
    overrides = {"training.calibrate": "auto", "evaluation.cost": {"false_positive": 1, "false_negative": 8}}
    runs = tmp_path_factory.mktemp("runs")
    return gu.train(skewed(), "bought", model="naive_bayes", overrides=overrides, runs=runs)


def test_a_model_that_is_too_sure_is_calibrated(decided: gu.Run) -> None:
    calibration = decided.summary["calibration"]
    assert calibration["method"] == decided.recipe.training.calibrate == "platt"
    assert calibration["gain"]["low"] > 0
    before = calibration["before"]["expected_calibration_error"]
    assert calibration["expected_calibration_error"]["value"] < before["value"]
    assert "Do the probabilities come true?" in decided.report.read_text()


def test_the_threshold_lowers_the_cost_and_decides_predictions(decided: gu.Run) -> None:
    threshold, cost = decided.summary["threshold"], decided.summary["threshold"]["cost"]
    assert threshold["value"] == decided.model.threshold == decided.recipe.evaluation.threshold < 0.4
    assert cost["model"]["value"] < cost["at_half"]["value"]
    frame = skewed().drop("bought")
    is_buyer = decided.model.predict_proba(frame)["buys"] >= threshold["value"]
    assert decided.model.predict(frame).to_list() == np.where(is_buyer, "buys", "leaves").tolist()
    scores = gu.evaluate(decided.folder, skewed())
    share = (decided.model.predict(frame) == skewed()["bought"]).mean()
    assert scores["metrics"]["accuracy"]["value"] == pytest.approx(share)


def test_the_resolved_recipe_gives_the_same_package(decided: gu.Run) -> None:
    assert gu.reproduce(decided.folder).equal


def test_coverage_is_measured_and_written(decided: gu.Run, tmp_path: Path) -> None:
    levels = {each["coverage"]: each for each in decided.summary["conformal"]["levels"]}
    assert levels[0.9]["covered"]["value"] > 0.8
    assert levels[0.8]["size"] <= levels[0.95]["size"]
    predict(decided.folder, skewed(20), tmp_path / "out.csv", coverage=0.9)
    names = ["bought", "probability_buys", "probability_leaves", "in_set_buys", "in_set_leaves"]
    assert pl.read_csv(tmp_path / "out.csv").columns == names


def test_numbers_get_intervals(tmp_path: Path) -> None:
    run = gu.train("sample:diabetes", model="ridge", target="progression", runs=tmp_path)
    assert {"calibration", "threshold"}.isdisjoint(run.summary)
    assert run.summary["conformal"]["levels"][1]["covered"]["value"] > 0.75
    assert "Intervals that hold the truth" in run.report.read_text()
    result: Any = predict(run.folder, "sample:diabetes", tmp_path / "out.csv", coverage=0.8)
    table = pl.read_csv(tmp_path / "out.csv")
    assert table.columns == ["progression", "low", "high"]
    assert result["n_rows"] == len(table)


def test_auto_takes_the_best_threshold_for_the_metric(tmp_path: Path) -> None:
    overrides = {"evaluation.threshold": "auto", "problem.metric": "f1"}
    run = gu.train(skewed(), "bought", model="logistic", overrides=overrides, runs=tmp_path)
    assert 0 < run.summary["threshold"]["value"] < 0.5
    assert run.summary["threshold"]["reason"].startswith("`f1` is best")


@pytest.mark.parametrize(
    ("source", "target", "overrides", "message"),
    [
        ("sample:iris", "species", {"evaluation.threshold": "auto"}, "`evaluation.threshold` needs two"),
        ("sample:diabetes", "progression", {"evaluation.cost": {}}, "`evaluation.cost` needs two"),
        ("sample:iris", "species", {"training.calibrate": "platt"}, "Use `temperature` or `isotonic`"),
        ("sample:diabetes", "progression", {"training.calibrate": "isotonic"}, "Set it to `none`"),
    ],
)
def test_what_the_question_does_not_allow_is_refused_at_once(
    source: str, target: str, overrides: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(ProblemError, match=message):
        gu.train(source, target, overrides=overrides, runs=tmp_path)
    assert not any(tmp_path.iterdir())
