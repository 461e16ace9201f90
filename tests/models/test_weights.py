"""Weighted fits against the libraries' own `class_weight` and `sample_weight`."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn import ensemble, linear_model, naive_bayes, svm, tree

from groundup.core.inputs import Inputs, Predictions
from groundup.core.losses import Loss
from groundup.core.tasks import Task
from groundup.models.catalogue import make_learner
from groundup.models.contract import FitContext, RoundsResult

CLASS_WEIGHT = {0: 0.5, 1: 4.0}


def all_rounds(advance: Callable[[], bool], scores: Any, *, n_rounds: int, monitor: str) -> RoundsResult:
    for _ in range(n_rounds):
        advance()
    return RoundsResult(n_rounds, n_rounds, {"train": [(n_rounds, scores(True)["train"])]}, "limit")


def context(task: Task, loss: Loss | None = None) -> FitContext:
    n_classes = 2 if task == "classification" else 0
    return FitContext(task, n_classes, 0, 1, all_rounds, lambda: False, loss or Loss("squared_error"))


def table(task: Task, n_samples: int = 300) -> Inputs:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_samples, 4))
    signal = X[:, 0] - X[:, 1] + rng.normal(size=n_samples)
    y = (signal > 1).astype(np.int64) if task == "classification" else 10 * signal
    return Inputs({"X": X, "y": y})


def predicted(name: str, inputs: Inputs, task: Task, loss: Loss | None = None, **options: Any) -> np.ndarray:
    found: Predictions = make_learner(name, options).fit(inputs, None, context(task, loss)).predict(inputs)
    return found.values if found.probabilities is None else found.probabilities[:, 1]


FOREST: dict[str, Any] = {"n_estimators": 10, "smoothing": 0.0}
BOOSTED: dict[str, Any] = {"n_estimators": 30, "learning_rate": 0.1}

CLASSIFIERS: list[tuple[str, dict[str, Any], Any]] = [
    ("logistic", {}, linear_model.LogisticRegression()),
    ("linear", {}, linear_model.LogisticRegression()),
    ("decision_tree", {"smoothing": 0.0}, tree.DecisionTreeClassifier(min_samples_leaf=5, random_state=0)),
    ("random_forest", FOREST, ensemble.RandomForestClassifier(10, random_state=0)),
    ("extra_trees", FOREST, ensemble.ExtraTreesClassifier(10, random_state=0)),
    (
        "hist_gradient_boosting",
        BOOSTED,
        ensemble.HistGradientBoostingClassifier(max_iter=30, early_stopping=False),
    ),
]


@pytest.mark.parametrize(("name", "options", "peer"), CLASSIFIERS, ids=[case[0] for case in CLASSIFIERS])
def test_class_weights_are_scikit_learns(name: str, options: dict[str, Any], peer: Any) -> None:
    inputs = table("classification")
    weight = np.where(inputs.y == 1, CLASS_WEIGHT[1], CLASS_WEIGHT[0])
    ours = predicted(name, inputs.with_weight(weight), "classification", **options)
    peer = peer.set_params(class_weight=CLASS_WEIGHT).fit(inputs.X.astype(np.float64), inputs.y)
    np.testing.assert_allclose(ours, peer.predict_proba(inputs.X)[:, 1], atol=1e-6)


def drawn(n_samples: int = 300) -> np.ndarray:
    return np.random.default_rng(1).uniform(0.1, 5, n_samples)


REGRESSORS: list[tuple[str, dict[str, Any], Any]] = [
    ("linear", {}, linear_model.LinearRegression()),
    ("ridge", {"alpha": 2.0}, linear_model.Ridge(alpha=2.0)),
    ("ridge", {}, linear_model.RidgeCV([10.0 ** (exponent / 2) for exponent in range(-6, 11)])),
    ("lasso", {"alpha": 0.1}, linear_model.Lasso(alpha=0.1)),
    ("elastic_net", {"alpha": 0.1}, linear_model.ElasticNet(alpha=0.1)),
    ("decision_tree", {}, tree.DecisionTreeRegressor(min_samples_leaf=5, random_state=0)),
    ("random_forest", {"n_estimators": 10}, ensemble.RandomForestRegressor(10, random_state=0)),
    (
        "hist_gradient_boosting",
        BOOSTED,
        ensemble.HistGradientBoostingRegressor(max_iter=30, early_stopping=False),
    ),
    (
        "adaboost",
        {"n_estimators": 10},
        ensemble.AdaBoostRegressor(tree.DecisionTreeRegressor(max_depth=3), n_estimators=10, random_state=0),
    ),
]


@pytest.mark.parametrize(("name", "options", "peer"), REGRESSORS)
def test_sample_weights_are_scikit_learns(name: str, options: dict[str, Any], peer: Any) -> None:
    inputs, weight = table("regression"), drawn()
    ours = predicted(name, inputs.with_weight(weight), "regression", **options)
    peer.fit(inputs.X, inputs.y, sample_weight=weight)
    np.testing.assert_allclose(ours, peer.predict(inputs.X), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("loss", [Loss("absolute_error"), Loss("quantile", 0.8)])
def test_histogram_boosting_takes_losses_and_weights_as_scikit_learn_does(loss: Loss) -> None:
    inputs, weight = table("regression"), drawn()
    ours = predicted("hist_gradient_boosting", inputs.with_weight(weight), "regression", loss, **BOOSTED)
    peer = ensemble.HistGradientBoostingRegressor(
        loss=loss.name, quantile=loss.quantile, max_iter=30, early_stopping=False
    )
    peer.fit(inputs.X, inputs.y, sample_weight=weight)
    np.testing.assert_allclose(ours, peer.predict(inputs.X), rtol=1e-6)


def test_quantile_regression_takes_weights_as_repeated_rows() -> None:
    inputs, weight = table("regression"), np.random.default_rng(0).integers(1, 4, 300)
    loss = Loss("quantile", 0.7)
    ours = predicted("quantile_regression", inputs.with_weight(weight.astype(float)), "regression", loss)
    peer = linear_model.QuantileRegressor(quantile=0.7, alpha=0.0).fit(
        inputs.X, inputs.y, sample_weight=weight
    )
    np.testing.assert_allclose(ours, peer.predict(inputs.X), atol=1e-6)


def test_naive_bayes_takes_weights_as_scikit_learn_does() -> None:
    inputs, weight = table("classification"), drawn()
    ours = predicted("naive_bayes", inputs.with_weight(weight), "classification", temperature=1.0)
    peer = naive_bayes.GaussianNB().fit(inputs.X, inputs.y, sample_weight=weight)
    np.testing.assert_allclose(ours, peer.predict_proba(inputs.X)[:, 1], atol=1e-6)


def test_naive_bayes_counts_categories_by_weight() -> None:
    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 3, (200, 2)).astype(float), rng.integers(0, 2, 200)
    inputs = Inputs({"X": X, "y": y}, categorical=(0, 1)).with_weight(drawn(200))
    ours = predicted("naive_bayes", inputs, "classification", temperature=1.0)
    peer = naive_bayes.CategoricalNB().fit(X, y, sample_weight=inputs.weight)
    np.testing.assert_allclose(ours, peer.predict_proba(X)[:, 1], atol=1e-9)


@pytest.mark.parametrize(
    ("name", "peer"), [("linear_svm", svm.LinearSVC(dual=False)), ("svm", svm.SVC(gamma=0.3))]
)
def test_support_vectors_take_class_weights_as_scikit_learn_does(name: str, peer: Any) -> None:
    """The probabilities are calibrated by weighted rows, too; the order they give is the boundary's."""
    inputs = table("classification")
    options = {"gamma": 0.3} if name == "svm" else {}
    weight = np.where(inputs.y == 1, CLASS_WEIGHT[1], CLASS_WEIGHT[0])
    ours = predicted(name, inputs.with_weight(weight), "classification", **options)
    scores = peer.set_params(class_weight=CLASS_WEIGHT).fit(inputs.X, inputs.y).decision_function(inputs.X)
    np.testing.assert_array_equal(np.argsort(np.argsort(ours)), np.argsort(np.argsort(scores)))


def test_lightgbm_takes_class_weights_as_its_own_interface_does() -> None:
    import lightgbm

    inputs = table("classification")
    weight = np.where(inputs.y == 1, CLASS_WEIGHT[1], CLASS_WEIGHT[0])
    options: dict[str, Any] = {**BOOSTED, "subsample": 1.0, "colsample_bytree": 1.0, "min_child_samples": 20}
    ours = predicted("lightgbm", inputs.with_weight(weight), "classification", **options)
    peer = lightgbm.LGBMClassifier(**options, class_weight=CLASS_WEIGHT, verbosity=-1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = peer.fit(inputs.X, inputs.y).predict_proba(inputs.X)
    np.testing.assert_allclose(ours, theirs[:, 1], atol=1e-6)


@pytest.mark.parametrize("loss", [Loss("absolute_error"), Loss("quantile", 0.8)])
def test_lightgbm_takes_losses_and_weights_as_its_own_interface_does(loss: Loss) -> None:
    import lightgbm

    inputs, weight = table("regression"), drawn()
    options: dict[str, Any] = {**BOOSTED, "subsample": 1.0, "colsample_bytree": 1.0, "min_child_samples": 20}
    ours = predicted("lightgbm", inputs.with_weight(weight), "regression", loss, **options)
    goal = {"objective": "mae"} if loss.name == "absolute_error" else {"objective": "quantile", "alpha": 0.8}
    peer = lightgbm.LGBMRegressor(**options, **goal, verbosity=-1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = peer.fit(inputs.X, inputs.y, sample_weight=weight).predict(inputs.X)
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)


def test_xgboost_takes_weights_as_its_own_interface_does() -> None:
    xgboost = pytest.importorskip("xgboost")
    inputs, weight = table("classification"), drawn()
    options: dict[str, Any] = {**BOOSTED, "subsample": 1.0, "colsample_bytree": 1.0}
    ours = predicted("xgboost", inputs.with_weight(weight), "classification", **options)
    start = float(np.average(inputs.y, weights=weight))
    peer = xgboost.XGBClassifier(**options, max_depth=6, tree_method="hist", base_score=start, n_jobs=1)
    theirs = peer.fit(inputs.X, inputs.y, sample_weight=weight).predict_proba(inputs.X)
    np.testing.assert_allclose(ours, theirs[:, 1], atol=1e-4)


@pytest.mark.parametrize("loss", [Loss("absolute_error"), Loss("quantile", 0.8)])
@pytest.mark.parametrize("name", ["xgboost", "catboost"])
def test_other_boosters_reach_the_loss_they_are_asked_for(name: str, loss: Loss) -> None:
    pytest.importorskip(name)
    inputs = table("regression", 1000)
    errors = inputs.y - predicted(name, inputs, "regression", loss, n_estimators=60, learning_rate=0.2)
    level = 0.5 if loss.name == "absolute_error" else 0.8
    assert np.mean(errors <= 0) == pytest.approx(level, abs=0.06)


def test_catboost_takes_weights_as_its_own_interface_does() -> None:
    catboost = pytest.importorskip("catboost")
    inputs, weight = table("classification"), drawn()
    options: dict[str, Any] = {
        "n_estimators": 20,
        "learning_rate": 0.1,
        "subsample": 1.0,
        "random_strength": 0.0,
    }
    ours = predicted("catboost", inputs.with_weight(weight), "classification", **options)
    settings = {**options, "bootstrap_type": "No", "border_count": 254, "one_hot_max_size": 2, "depth": 6}
    del settings["subsample"]
    peer = catboost.CatBoostClassifier(
        **settings, random_seed=0, thread_count=1, allow_writing_files=False, logging_level="Silent"
    )
    theirs = peer.fit(inputs.X.astype(np.float32), inputs.y, sample_weight=weight).predict_proba(inputs.X)
    np.testing.assert_allclose(ours, theirs[:, 1], atol=1e-6)


def test_stopping_follows_the_weighted_loss() -> None:
    """The losses of a round are those that are trained: weighted on both parts."""
    inputs, losses = table("classification"), {}
    weighted = inputs.with_weight(np.where(inputs.y == 1, 4.0, 0.5))

    for name in ("lightgbm", "hist_gradient_boosting", "xgboost", "catboost"):
        if name in ("xgboost", "catboost"):
            pytest.importorskip(name)

        def loop(advance: Any, scores: Any, *, n_rounds: int, monitor: str, name: str = name) -> RoundsResult:
            for _ in range(20):
                advance()
            losses[name] = scores(True)
            return RoundsResult(20, 20, {key: [(20, value)] for key, value in losses[name].items()}, "limit")

        plain = context("classification")
        fitted = make_learner(name, {"n_estimators": 20}).fit(
            weighted, weighted, FitContext("classification", 2, 0, 1, loop, plain.should_stop)
        )
        probabilities = fitted.predict(inputs).probabilities
        assert probabilities is not None
        own = -np.log(probabilities[np.arange(300), inputs.y])
        expected = np.average(own, weights=weighted.weight)
        assert losses[name]["validation"] == pytest.approx(expected, rel=1e-4), name
        assert losses[name]["train"] == pytest.approx(expected, rel=1e-4), name
