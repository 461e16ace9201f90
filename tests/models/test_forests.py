import numpy as np
import pytest
from sklearn import ensemble

from groundup.core.inputs import Inputs
from groundup.models.contract import FitContext
from groundup.models.forests import ExtraTrees, RandomForest


def context(n_classes: int, *, stop: bool = False) -> FitContext:
    task = "classification" if n_classes else "regression"
    return FitContext(task, n_classes, 0, 1, None, lambda: stop)  # type: ignore[arg-type]


def rows(n_samples: int, n_classes: int, seed: int = 0) -> Inputs:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_samples, 6))
    signal = X[:, 0] + X[:, 1] * X[:, 2] + 0.3 * rng.normal(size=n_samples)
    X[rng.random(X.shape) < 0.05] = np.nan
    y = np.digitize(signal, [0.0, 1.0][: n_classes - 1]) if n_classes else signal
    return Inputs({"X": X, "y": y}, feature_names=("a", "b", "c", "d", "e", "f"))


@pytest.mark.parametrize("n_classes", [0, 2, 3])
@pytest.mark.parametrize(
    ("learner", "plain"),
    [
        (RandomForest(n_estimators=23, smoothing=0), "RandomForest"),
        (ExtraTrees(n_estimators=23, smoothing=0), "ExtraTrees"),
    ],
)
def test_predicts_exactly_as_scikit_learn(
    learner: RandomForest | ExtraTrees, plain: str, n_classes: int
) -> None:
    train, test = rows(600, n_classes), rows(3000, n_classes, seed=1)
    kind = getattr(ensemble, plain + ("Classifier" if n_classes else "Regressor"))
    estimator = kind(n_estimators=23, random_state=0).fit(train.X, train.y)
    fitted = learner.fit(train, None, context(n_classes))
    predictions = fitted.predict(test)
    expected = estimator.predict_proba(test.X) if n_classes else estimator.predict(test.X)
    found = predictions.probabilities if n_classes else predictions.values
    np.testing.assert_array_equal(found, expected)
    by_row = np.array([fitted.predict_row(row) for row in test.X[:100].tolist()])
    np.testing.assert_array_equal(by_row, expected[:100])
    read_out = fitted.predict(test)  # predict_row has made the trees' arrays
    np.testing.assert_array_equal(read_out.probabilities if n_classes else read_out.values, expected)


@pytest.mark.parametrize("learner", [RandomForest(n_estimators=9), ExtraTrees(n_estimators=9)])
def test_arrays_say_what_the_grown_trees_say_also_about_extreme_values(learner: RandomForest) -> None:
    train = rows(300, 2)
    train.X[::7, 0] = 1e300
    train.X[::11, 1] = -1e300
    test = rows(200, 2, seed=1)
    test.X[:40, 0] = [np.inf, -np.inf, 1e300, 3.5e38, 0.0] * 8
    fitted = learner.fit(train, None, context(2))
    grown = fitted.predict(test).probabilities
    assert fitted.trees.roots.shape == (9,)
    np.testing.assert_array_equal(fitted.predict(test).probabilities, grown)


def test_choices_are_told() -> None:
    facts = RandomForest(n_estimators=3).fit(rows(50, 2), None, context(2)).facts()
    assert facts["chosen"] == {"max_features": "sqrt"}
    assert (
        "chosen"
        not in RandomForest(n_estimators=3, max_features=0.5).fit(rows(50, 2), None, context(2)).facts()
    )
    assert facts["importance"][0]["feature"] in ("a", "b", "c")


def test_a_request_to_stop_keeps_the_trees_there_are() -> None:
    fitted = RandomForest(n_estimators=50).fit(rows(50, 2), None, context(2, stop=True))
    assert len(fitted.trees.roots) == 1


def test_smoothing_counts_as_one_more_tree() -> None:
    train = rows(200, 2)
    plain = RandomForest(n_estimators=4, smoothing=0).fit(train, None, context(2)).predict(train)
    smooth = RandomForest(n_estimators=4, smoothing=1).fit(train, None, context(2)).predict(train)
    assert plain.probabilities is not None
    shares = np.bincount(train.y.astype(int)) / 200
    np.testing.assert_allclose(smooth.probabilities, (4 * plain.probabilities + shares) / 5)


def test_fewer_rows_may_be_drawn() -> None:
    fitted = RandomForest(n_estimators=5, max_samples=0.05).fit(rows(200, 0), None, context(0))
    assert len(fitted.trees.leaves) <= 50
