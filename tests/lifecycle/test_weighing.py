"""Weights from the recipe to the report: what they change, what they leave alone, what is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import groundup as gu
from groundup.core.errors import DataError, ProblemError, RecipeError, UnknownColumnError
from groundup.recipe import Recipe

QUICK = {"evaluation.folds": 2, "evaluation.resamples": 50, "evaluation.importance_repeats": 0}


def rare(n_rows: int = 600) -> pl.DataFrame:
    """Return rows of which one in ten is `bad`, with a column of weights that says nothing of the class."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_rows, 2))
    label = np.where(X[:, 0] + rng.normal(size=n_rows) > 1.9, "bad", "good")
    weight = rng.integers(0, 4, n_rows)
    return pl.DataFrame({"a": X[:, 0], "b": X[:, 1], "times": weight, "label": label})


def train(runs: Path, model: str = "logistic", **training: object) -> gu.Run:
    overrides: dict[str, Any] = QUICK | {f"training.{name}": value for name, value in training.items()}
    return gu.train(rare(), "label", model=model, runs=runs, overrides=overrides)


@pytest.fixture(scope="module")
def balanced(tmp_path_factory: pytest.TempPathFactory) -> gu.Run:
    return train(tmp_path_factory.mktemp("runs"), class_weight="balanced")


def codes(run: gu.Run) -> list[str]:
    return [finding["code"] for finding in run.summary["findings"]]


def test_the_weights_used_stand_in_recipe_and_report(balanced: gu.Run) -> None:
    recipe, training = Recipe.load(balanced.folder / "recipe.yaml"), balanced.summary["training"]
    used = recipe.training.class_weight
    assert isinstance(used, dict)
    assert used == training["class_weight"]
    n_train = balanced.summary["split"]["n_train"]
    counts = {label: n_train / (2 * weight) for label, weight in used.items()}
    assert sum(counts.values()) == pytest.approx(n_train)
    assert counts["bad"] == pytest.approx(round(counts["bad"]))
    assert "balanced" in (balanced.folder / "recipe.yaml").read_text(encoding="utf-8")
    assert "`bad` " in balanced.summary["cost"]["steps"][5]["summary"]
    assert gu.reproduce(balanced.folder).equal


def test_weights_find_more_of_the_rare_class_and_say_what_that_costs(
    balanced: gu.Run, tmp_path: Path
) -> None:
    plain = train(tmp_path)
    assert balanced.metrics["recall"]["value"] > plain.metrics["recall"]["value"] + 0.2
    assert "F009" in codes(balanced)
    assert "F009" not in codes(plain)
    assert "P002" in codes(plain)
    offered = {each["code"]: each["patch"] for each in plain.summary["findings"]}
    assert offered["P002"] == {"training.class_weight": "balanced"}
    assert {each["code"]: each["patch"] for each in balanced.summary["findings"]}["P002"] == {}


def test_the_fit_is_judged_with_the_weights_undone(balanced: gu.Run, tmp_path: Path) -> None:
    plain = train(tmp_path)
    judged, expected = (run.summary["fit"]["fractions"][-2]["held_out"] for run in (balanced, plain))
    assert judged == pytest.approx(expected, rel=0.1)
    assert balanced.summary["validation"]["log_loss"]["value"] > 1.2 * judged
    assert "F003" not in codes(balanced)


def test_calibration_makes_frequencies_again(tmp_path: Path) -> None:
    run = train(tmp_path, class_weight={"bad": 9}, calibrate="platt")
    said = run.model.predict_proba(rare())["bad"].mean()
    assert said == pytest.approx((rare()["label"] == "bad").mean(), abs=0.03)
    assert "F009" not in codes(run)
    assert run.summary["calibration"]["shifted_by"] is None
    assert run.summary["training"]["class_weight"] == {"bad": 9.0, "good": 1.0}


def test_more_than_two_classes_are_calibrated_by_what_can_undo_weights(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    a = rng.normal(size=900)
    label = np.digitize(a + rng.normal(size=900), [-2.0, 2.0])
    rows = pl.DataFrame({"a": a, "label": label}).with_columns(pl.col("label").cast(pl.String))
    overrides = QUICK | {"training.class_weight": "balanced", "training.calibrate": "auto"}
    run = gu.train(rows, "label", model="logistic", runs=tmp_path, overrides=overrides)
    assert run.summary["calibration"]["method"] == "isotonic"


def test_a_column_of_weights_is_no_feature_and_zeros_are_left_out(tmp_path: Path) -> None:
    weighted, rows = train(tmp_path, sample_weight="times"), rare()
    assert "times" not in {row["column"] for row in weighted.summary["preparation"]["columns"]}
    np.testing.assert_allclose(
        weighted.model.predict_proba(rows.drop("times"))["bad"], weighted.model.predict_proba(rows)["bad"]
    )
    assert weighted.summary["training"]["sample_weight"] == "times"
    plain = train(tmp_path)
    assert weighted.summary["baseline"] == plain.summary["baseline"], "scores count every row once"
    assert weighted.metrics != plain.metrics


def test_numbers_can_be_weighed_by_a_column(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = pl.DataFrame({"a": rng.normal(size=400), "often": rng.uniform(0.5, 2, 400)})
    rows = rows.with_columns(y=pl.col("a") * 2 + pl.col("often"))
    overrides = QUICK | {"training.sample_weight": "often"}
    run = gu.train(rows, "y", model="linear", runs=tmp_path, overrides=overrides)
    rest = rows["y"] - 2 * rows["a"]
    assert run.model.predict(rows).mean() > rest.mean() + 0.05  # rows with a large y count more


@pytest.mark.parametrize(
    ("training", "error", "message"),
    [
        ({"class_weight": {"worse": 2}}, ProblemError, "`training.class_weight` names `worse`.*`bad`"),
        ({"class_weight": "balanced", "resample": "over"}, RecipeError, "Use one of them"),
        ({"class_weight": "balanced", "calibrate": "temperature"}, ProblemError, "Use `auto`, or `platt`"),
        ({"resample": "over", "calibrate": "temperature"}, ProblemError, "Use `auto`, or `platt`"),
        ({"sample_weight": "timse"}, UnknownColumnError, "Did you mean `times`"),
        ({"sample_weight": "a"}, DataError, r"rows of \d+ hold no number from 0 on, e.g. `-"),
    ],
)
def test_weights_that_cannot_be_are_refused(
    training: dict[str, object], error: type[Exception], message: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=message):
        train(tmp_path, **training)


def test_what_is_wrong_is_said_before_training_begins(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"`knn` cannot count some rows more.*`logistic`, .*`lightgbm`"):
        train(tmp_path, "knn", class_weight="balanced")
    with pytest.raises(RecipeError, match="weighs classes, and `a` is a number"):
        gu.check(rare(), "a", overrides={"training.class_weight": "balanced"})
    with pytest.raises(DataError, match="holds no numbers"):
        gu.check(rare(), "a", overrides={"training.sample_weight": "label"})
    assert not list(tmp_path.iterdir())
