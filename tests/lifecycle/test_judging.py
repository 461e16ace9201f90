"""What is predicted follows from the metric: means, medians, quantiles, from the recipe to the report."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

import groundup as gu
from groundup.core.errors import ProblemError, RecipeError, RunError
from groundup.recipe import Recipe

QUICK = {"evaluation.folds": 3, "evaluation.resamples": 50, "evaluation.importance_repeats": 0}


def skewed(n_rows: int = 800) -> pl.DataFrame:
    """Return rows whose target has a mean, a median and a 90 % quantile that are far apart."""
    rng = np.random.default_rng(0)
    a = rng.uniform(0, 3, n_rows)
    return pl.DataFrame({"a": a, "y": a * rng.exponential(size=n_rows) + 1})


def test_a_quantile_is_predicted_judged_and_told(tmp_path: Path) -> None:
    run = gu.train(skewed(), "y", runs=tmp_path, overrides=QUICK | {"problem.quantile": 0.9})
    assert set(run.metrics) == {"pinball_loss_0.9"}
    assert [row["name"] for row in run.leaderboard][:2] != ["baseline"]
    assert {row["name"] for row in run.leaderboard} == {"baseline", "quantile_regression", "lightgbm"}
    rows = skewed()
    below = (rows["y"] <= run.model.predict(rows)).mean()
    assert below == pytest.approx(0.9, abs=0.04)
    told = run.summary["quantile"]
    assert told["asked"] == 0.9
    assert told["found"]["low"] <= told["found"]["value"] <= told["found"]["high"]
    baseline = run.model.card["baseline_prediction"]
    assert baseline == pytest.approx(np.quantile(rows["y"], 0.9), rel=0.1)
    recipe = Recipe.load(run.folder / "recipe.yaml")
    assert (recipe.problem.metric, recipe.problem.quantile) == ("pinball_loss_0.9", 0.9)
    assert "Loss: pinball loss" in run.summary["training"]["optimizer"]
    assert run.summary["fit"]["loss"] == "Mean pinball loss"
    assert gu.reproduce(run.folder).equal
    assert set(gu.evaluate(run.folder, rows)["metrics"]) == {"pinball_loss_0.9"}


def test_mae_is_made_small_and_the_baseline_is_the_median(tmp_path: Path) -> None:
    overrides = QUICK | {"problem.metric": "mae"}
    models = ["quantile_regression", "ridge", "lightgbm"]
    run = gu.train(skewed(), "y", model=models, runs=tmp_path, overrides=overrides)
    scores = {row["name"]: row["score"] for row in run.leaderboard}
    assert scores["quantile_regression"] < scores["ridge"], "the mean has a larger absolute error"
    median = float(np.median(skewed()["y"]))
    assert run.model.card["baseline_prediction"] == pytest.approx(median, rel=0.1)
    told = run.summary["training"]["optimizer"]
    assert "Loss: absolute error" in told
    assert "That is for the squared error: it cannot make the absolute error small." in told
    *_, largest, _whole = run.summary["fit"]["fractions"]
    assert largest["held_out"] == pytest.approx(run.summary["cross_validation"]["mae"]["value"], rel=1e-3)
    assert "Always answering the median" in (run.folder / "report.html").read_text(encoding="utf-8")


def test_runs_of_different_quantiles_are_not_compared(tmp_path: Path) -> None:
    runs = [
        gu.train(skewed(), "y", model="baseline", runs=tmp_path, overrides=QUICK | {"problem.quantile": each})
        for each in (0.1, 0.9)
    ]
    with pytest.raises(RunError, match=r"share no metric: .* pinball_loss_0\.1, .* pinball_loss_0\.9"):
        gu.compare(*runs)


def test_a_learner_that_answers_means_is_refused_where_a_quantile_is_asked_for(tmp_path: Path) -> None:
    overrides = {"problem.quantile": 0.9}
    with pytest.raises(RecipeError, match="`ridge` cannot make the pinball loss of the 90 % quantile small"):
        gu.train(skewed(), "y", model=["ridge", "lightgbm"], runs=tmp_path, overrides=overrides)
    mixed = {"name": "voting", "members": ["ridge", "lightgbm"]}
    with pytest.raises(RecipeError, match="`voting` cannot"):
        gu.train(skewed(), "y", model=[mixed], runs=tmp_path, overrides=overrides)
    with pytest.raises(ProblemError, match="does not measure that quantile"):
        gu.check(skewed(), "y", overrides=overrides | {"problem.metric": "rmse"})
