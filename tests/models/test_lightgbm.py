import math
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from groundup.core.errors import TrainingError
from groundup.core.inputs import Inputs
from groundup.core.tasks import Task
from groundup.models.contract import FitContext
from groundup.models.lightgbm import LightGBM
from groundup.models.lightgbm_native import FittedLightGBM
from groundup.training.options import EarlyStopping
from groundup.training.rounds import run_rounds


def make_context(task: Task = "classification", n_classes: int = 2, *, seed: int = 0) -> FitContext:
    loop = partial(
        run_rounds,
        early_stopping=EarlyStopping(patience_rounds=10),
        emit=lambda **_: None,
        should_stop=lambda: False,
    )
    return FitContext(task, n_classes, seed=seed, threads=1, run_rounds=loop, should_stop=lambda: False)


def make_rows(n_samples: int, seed: int = 0) -> Inputs:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_samples, 3))
    y = (X[:, 0] + 0.5 * rng.normal(size=n_samples) > 0).astype(np.int64)
    return Inputs({"X": X, "y": y}, feature_names=("signal", "noise", "more noise"))


@pytest.mark.parametrize(
    ("task", "n_classes", "objective", "metric"),
    [
        ("regression", 0, "regression", "rmse"),
        ("classification", 2, "binary", "binary_logloss"),
        ("classification", 5, "multiclass", "multi_logloss"),
    ],
)
def test_settings_follow_the_task(task: Task, n_classes: int, objective: str, metric: str) -> None:
    settings = LightGBM().settings(make_context(task, n_classes), n_samples=1000)
    assert (settings["objective"], settings["metric"]) == (objective, metric)
    assert settings.get("num_class", 0) == (5 if n_classes == 5 else 0)
    assert settings["deterministic"] is True
    assert settings["num_threads"] == 1


@pytest.mark.parametrize(
    ("n_samples", "chosen", "expected"),
    [(10_000, "auto", 20), (100, "auto", 20), (50, "auto", 10), (3, "auto", 2), (50, 7, 7)],
)
def test_leaves_need_fewer_rows_in_small_tables(n_samples: int, chosen: int, expected: int) -> None:
    settings = LightGBM(min_child_samples=chosen).settings(make_context(), n_samples)
    assert settings["min_child_samples"] == expected


@pytest.mark.parametrize("seed", range(8))
def test_the_kept_rounds_are_those_that_were_scored(seed: int) -> None:
    """Few rows and features a tree, so that some rounds find no split at first and draw again."""
    learner = LightGBM(subsample=0.3, colsample_bytree=0.4, min_child_samples=8, num_leaves=3)
    train, validation = make_rows(60, seed), make_rows(60, seed + 100)
    fitted = learner.fit(train, validation, make_context(seed=seed))
    facts = fitted.facts()
    predictions = fitted.predict(validation)
    assert predictions.probabilities is not None
    loss = -np.log(predictions.probabilities[np.arange(60), validation.y.astype(int)]).mean()
    assert dict(facts["curve"]["validation"])[facts["best_round"]] == pytest.approx(loss, rel=1e-5)


def test_a_table_without_any_split_gives_the_constant() -> None:
    train = make_rows(50)
    constant = Inputs({"X": np.ones_like(train.X), "y": train.y})
    fitted = LightGBM().fit(constant, constant, make_context())
    facts = fitted.facts()
    assert (facts["best_round"], facts["n_rounds"], facts["stopped"]) == (0, 0, "exhausted")
    assert fitted.predict_row([0.0, 0.0, 0.0]) == pytest.approx([1 - train.y.mean(), train.y.mean()])


def test_importance_finds_the_signal() -> None:
    importance = LightGBM().fit(make_rows(300), make_rows(300, 1), make_context()).facts()["importance"]
    assert importance[0]["feature"] == "signal"
    assert sum(entry["share"] for entry in importance) == pytest.approx(1, abs=1e-5)


def test_long_curves_are_thinned() -> None:
    learner = LightGBM(n_estimators=900, learning_rate=0.001)
    curve = learner.fit(make_rows(100), make_rows(100, 1), make_context()).facts()["curve"]
    assert [number for number, _ in curve["validation"]][:3] == [1, 6, 11]
    assert curve["validation"][-1][0] == 900
    assert [number for number, _ in curve["train"]][:3] == [1, 9, 18]


def test_keeps_no_settings_in_the_model() -> None:
    fitted = LightGBM(n_estimators=3).fit(make_rows(100), None, make_context())
    assert isinstance(fitted, FittedLightGBM)
    assert b"num_threads" not in fitted._text


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_target_that_is_no_number_is_a_training_error(value: float) -> None:
    train = make_rows(50)
    broken = train.with_target(np.where(np.arange(50) == 3, value, 1.0))
    with pytest.raises(TrainingError, match="The target holds"):
        LightGBM().fit(broken, None, make_context("regression", 0))


def test_a_target_of_extreme_size_is_a_training_error() -> None:
    train = make_rows(50)
    huge = train.with_target(train.y * 1e300)
    with pytest.raises(TrainingError, match="extreme values"):
        LightGBM().fit(huge, huge, make_context("regression", 0))


@pytest.mark.parametrize("mean", [0.0, 2000.0, 1.7e9, -1e12])
def test_a_target_far_from_zero_keeps_its_precision(mean: float, tmp_path: Path) -> None:
    train = make_rows(300)
    seconds = train.with_target(mean + 10.0 * train.y)
    fitted = LightGBM().fit(seconds, seconds, make_context("regression", 0))
    near = LightGBM().fit(
        train.with_target(10.0 * train.y), train.with_target(10.0 * train.y), make_context("regression", 0)
    )
    np.testing.assert_allclose(
        fitted.predict(seconds).values - mean,
        near.predict(train).values,
        atol=1e-3 if abs(mean) < 1e10 else 0.1,
    )
    fitted.save(tmp_path)
    loaded = FittedLightGBM.load(tmp_path)
    np.testing.assert_array_equal(loaded.predict(seconds).values, fitted.predict(seconds).values)
    assert loaded.predict_row(seconds.X[0].tolist()) == fitted.predict(seconds).values[0]


def test_an_error_of_the_library_is_a_training_error(monkeypatch: pytest.MonkeyPatch) -> None:
    import lightgbm

    def refuse(*_: object) -> bool:
        raise lightgbm.basic.LightGBMError("out of patience")

    monkeypatch.setattr(lightgbm.Booster, "update", refuse)
    with pytest.raises(TrainingError, match="LightGBM could not go on: out of patience"):
        LightGBM().fit(make_rows(50), None, make_context())
