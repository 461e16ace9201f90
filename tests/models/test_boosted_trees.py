from functools import partial

import numpy as np
import pytest
from sklearn import ensemble

from groundup.core.errors import TrainingError
from groundup.core.inputs import Inputs
from groundup.models.boosted_trees import AdaBoost, HistGradientBoosting
from groundup.models.contract import FitContext
from groundup.models.paused_fit import PausedFit
from groundup.training.options import EarlyStopping
from groundup.training.rounds import run_rounds


def context(n_classes: int, patience: int = 10) -> FitContext:
    task = "classification" if n_classes else "regression"
    loop = partial(
        run_rounds,
        early_stopping=EarlyStopping(patience_rounds=patience),
        emit=lambda **_: None,
        should_stop=lambda: False,
    )
    return FitContext(task, n_classes, 0, 1, loop, lambda: False)  # type: ignore[arg-type]


def rows(n_samples: int, n_classes: int, seed: int = 0, *, has_missing: bool = True) -> Inputs:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_samples, 6))
    X[:, 3] = np.round(X[:, 3], 1)
    X[:, 5] = 3 * rng.integers(0, 12, n_samples)
    signal = X[:, 0] + X[:, 1] * X[:, 2] + np.isin(X[:, 5], [3, 9, 27]) + 0.3 * rng.normal(size=n_samples)
    if has_missing:
        X[rng.random(X.shape) < 0.05] = np.nan
    y = np.digitize(signal, [0.0, 1.0][: n_classes - 1]) if n_classes else signal
    return Inputs({"X": X, "y": y}, categorical=(5,))


@pytest.mark.parametrize("n_classes", [0, 2, 3])
def test_boosting_predicts_exactly_as_scikit_learn(n_classes: int) -> None:
    train, validation, test = (rows(n, n_classes, seed) for seed, n in enumerate((800, 300, 3000)))
    test.X[:20, 5] = [1, 40, 1e6, 12, 3] * 4  # levels that training has not seen
    fitted = HistGradientBoosting(learning_rate=0.3, max_leaf_nodes=9).fit(
        train, validation, context(n_classes)
    )
    facts = fitted.facts()
    assert facts["stopped"] == "patience"
    kind = ensemble.HistGradientBoostingClassifier if n_classes else ensemble.HistGradientBoostingRegressor
    plain = kind(
        max_iter=facts["best_round"],
        learning_rate=0.3,
        max_leaf_nodes=9,
        early_stopping=False,
        random_state=0,
        categorical_features=[5],
    ).fit(train.X, train.y)
    # Splits stand between the values of training; put some rows on them.
    nodes = plain._predictors[0][0].nodes
    split = nodes[(nodes["is_leaf"] == 0) & (nodes["is_categorical"] == 0)][0]
    column = split["feature_idx"] - 1  # the categorical column comes first there
    test.X[100:200, column] = split["num_threshold"]
    test.X[200:300, column] = np.nextafter(split["num_threshold"], np.inf)
    start = np.array(fitted.combination.start)
    np.testing.assert_array_equal(fitted.trees.outputs(test.X, len(start), start), plain._raw_predict(test.X))
    predictions = fitted.predict(test)
    np.testing.assert_array_equal(predictions.values, plain.predict(test.X))
    found = predictions.probabilities if n_classes else predictions.values
    if n_classes:
        np.testing.assert_allclose(found, plain.predict_proba(test.X), rtol=0, atol=1e-15)
    by_row = np.array([fitted.predict_row(row) for row in test.X[:300].tolist()])
    np.testing.assert_allclose(by_row, found[:300], rtol=1e-13, atol=1e-15)  # type: ignore[index]


@pytest.mark.parametrize("n_classes", [0, 2])
def test_the_curve_is_the_loss_of_the_kept_rounds(n_classes: int) -> None:
    train, validation = rows(400, n_classes), rows(400, n_classes, seed=1)
    fitted = HistGradientBoosting().fit(train, validation, context(n_classes))
    facts, predictions = fitted.facts(), fitted.predict(validation)
    if predictions.probabilities is None:
        loss = np.sqrt(np.mean((predictions.values - validation.y) ** 2))
    else:
        loss = -np.log(predictions.probabilities[np.arange(400), validation.y.astype(int)]).mean()
    assert dict(facts["curve"]["validation"])[facts["best_round"]] == pytest.approx(loss, rel=1e-5)
    assert facts["loss"] == ("binary_logloss" if n_classes else "rmse")


def test_many_levels_keep_the_most_frequent() -> None:
    rng = np.random.default_rng(0)
    codes = np.concatenate([np.arange(400), rng.integers(0, 20, 2000)]).astype(float)
    y = np.isin(codes, (1, 4, 7)).astype(float)
    train = Inputs({"X": codes[:, None], "y": y}, categorical=(0,))
    fitted = HistGradientBoosting(n_estimators=50).fit(train, train, context(0))
    for code, expected in ((1, 1), (2, 0), (4, 1), (399, 0), (1000, 0)):
        assert fitted.predict_row([float(code)]) == pytest.approx(expected, abs=0.1)


def test_a_table_without_any_split_gives_the_constant() -> None:
    y = rows(50, 2).y
    train = Inputs({"X": np.ones((50, 2)), "y": y})
    fitted = HistGradientBoosting().fit(train, train, context(2))
    assert fitted.facts()["stopped"] == "exhausted"
    assert fitted.predict_row([0.0, 0.0]) == pytest.approx([1 - y.mean(), y.mean()])


def test_an_error_inside_the_paused_fit_is_a_training_error() -> None:
    train = rows(50, 0)
    with pytest.raises(TrainingError, match="could not fit"):
        HistGradientBoosting().fit(train.with_target(np.full(50, np.inf)), None, context(0))


def test_a_paused_fit_that_is_never_asked_does_not_run() -> None:
    ran = []
    with PausedFit[int](lambda _: ran.append(1)):
        pass
    assert ran == []


def test_a_paused_fit_ends_when_nobody_asks_any_more() -> None:
    seen = []

    def fit(pause: object) -> None:
        for number in range(100):
            seen.append(number)
            if pause(number):  # type: ignore[operator]
                return

    with PausedFit[int](fit) as rounds:
        assert (rounds.next(), rounds.next()) == (0, 1)
    assert seen == [0, 1]


@pytest.mark.parametrize("n_classes", [0, 2, 3])
def test_adaboost_predicts_as_scikit_learn(n_classes: int) -> None:
    train, test = (rows(n, n_classes, seed, has_missing=False) for seed, n in enumerate((400, 2000)))
    fitted = AdaBoost(sharpness=1).fit(train, None, context(n_classes))
    plain = (ensemble.AdaBoostClassifier if n_classes else ensemble.AdaBoostRegressor)(
        random_state=0, **({} if n_classes else {"estimator": None})
    ).fit(train.X, train.y)
    predictions = fitted.predict(test)
    np.testing.assert_array_equal(predictions.values, plain.predict(test.X))
    if n_classes:
        np.testing.assert_allclose(predictions.probabilities, plain.predict_proba(test.X), rtol=1e-13)


def test_adaboost_is_sharpened_on_the_validation_rows() -> None:
    train, validation = (rows(400, 3, seed, has_missing=False) for seed in (0, 1))
    fitted = AdaBoost().fit(train, validation, context(3))
    chosen = fitted.facts()["chosen"]
    assert chosen["max_depth"] == 1
    again = AdaBoost(**chosen).fit(train, validation, context(3))
    plain = AdaBoost(sharpness=1).fit(train, validation, context(3))

    def loss(model: object) -> float:
        probabilities = model.predict(validation).probabilities  # type: ignore[attr-defined]
        return float(-np.log(probabilities[np.arange(400), validation.y.astype(int)]).mean())

    assert loss(fitted) < loss(plain)
    assert loss(again) == loss(fitted)
    np.testing.assert_array_equal(fitted.predict(validation).values, plain.predict(validation).values)
