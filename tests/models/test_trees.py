import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load, save
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from groundup.core.errors import PackageError, TrainingError
from groundup.core.inputs import FloatArray, Inputs
from groundup.models.contract import FitContext
from groundup.models.trees import DecisionTree, trees_of, widened
from groundup.models.trees_fitted import FittedTrees


def context(n_classes: int, seed: int = 0) -> FitContext:
    task = "classification" if n_classes else "regression"
    return FitContext(task, n_classes, seed, 1, None, lambda: False)  # type: ignore[arg-type]


def rows(n_samples: int, n_classes: int, seed: int = 0) -> Inputs:
    """Return rows with ties, missing values, and a target that depends on products."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_samples, 6))
    X[:, 3] = np.round(X[:, 3], 1)
    signal = X[:, 0] + X[:, 1] * X[:, 2] + 0.3 * rng.normal(size=n_samples)
    X[rng.random(X.shape) < 0.05] = np.nan
    y = np.digitize(signal, [0.0, 1.0][: n_classes - 1]) if n_classes else signal
    return Inputs({"X": X, "y": y})


def near_thresholds(X: FloatArray, tree: object, seed: int = 0) -> FloatArray:
    """Return rows of which many stand on a threshold, or just beside it in 32 or 64 bits."""
    rng = np.random.default_rng(seed)
    X = X.copy()
    finite = np.flatnonzero((tree.feature >= 0) & np.isfinite(tree.threshold))  # type: ignore[attr-defined]
    nodes = rng.choice(finite, len(X))
    values = tree.threshold[nodes]  # type: ignore[attr-defined]
    single = values.astype(np.float32)
    beside = np.nextafter(single, np.float32(np.inf)).astype(float)
    middle = (single.astype(float) + beside) / 2
    choices = [
        values,
        single.astype(float),
        beside,
        middle,
        np.nextafter(middle, np.inf),
        np.nextafter(middle, -1e9),
    ]
    X[np.arange(len(X)), tree.feature[nodes]] = np.choose(rng.integers(0, len(choices), len(X)), choices)  # type: ignore[attr-defined]
    return X


@pytest.mark.parametrize("n_classes", [0, 2, 3])
def test_predicts_exactly_as_scikit_learn(n_classes: int) -> None:
    train = rows(2000, n_classes)
    plain = (DecisionTreeClassifier if n_classes else DecisionTreeRegressor)(
        min_samples_leaf=2, random_state=0
    )
    plain.fit(train.X, train.y)
    learner = DecisionTree(min_samples_leaf=2, smoothing=0, ccp_alpha=0)
    fitted = learner.fit(train, None, context(n_classes))
    X = near_thresholds(rows(3000, n_classes, seed=1).X, plain.tree_)
    predictions = fitted.predict(Inputs({"X": X}))
    expected = plain.predict_proba(X) if n_classes else plain.predict(X)
    found = predictions.probabilities if n_classes else predictions.values
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(
        np.array([fitted.predict_row(row) for row in X[:200].tolist()]), expected[:200]
    )


@settings(deadline=None, max_examples=50)
@given(st.floats(-1e30, 1e30), st.integers(-3, 3))
def test_rounding_moves_into_the_threshold(threshold: float, steps: int) -> None:
    moved = widened(np.array([threshold]))[0]
    for start in (moved, threshold, float(np.float32(threshold))):
        value = start
        for _ in range(abs(steps)):
            value = float(np.nextafter(value, np.sign(steps) * np.inf))
        assert (value <= moved) == (float(np.float32(value)) <= threshold)


def test_validation_rows_choose_the_pruning_and_the_choice_gives_the_same_tree() -> None:
    train, validation = rows(500, 2), rows(300, 2, seed=1)
    fitted = DecisionTree(min_samples_leaf=1).fit(train, validation, context(2))
    facts = fitted.facts()
    strength = facts["chosen"]["ccp_alpha"]
    assert strength > 0
    again = DecisionTree(min_samples_leaf=1, ccp_alpha=strength).fit(train, validation, context(2))
    np.testing.assert_array_equal(
        again.predict(validation).probabilities, fitted.predict(validation).probabilities
    )
    unpruned = DecisionTree(min_samples_leaf=1, ccp_alpha=0).fit(train, validation, context(2))
    assert len(fitted.trees.leaves) < len(unpruned.trees.leaves)


def test_smoothing_leaves_no_class_impossible() -> None:
    train = rows(200, 3)
    probabilities = DecisionTree(min_samples_leaf=1).fit(train, None, context(3)).predict(train).probabilities
    assert probabilities is not None
    assert probabilities.min() > 0


def test_values_too_large_for_single_precision_are_fitted() -> None:
    X = np.array([[1e300], [-1e300], [1e300], [-1e300]])
    fitted = DecisionTree(min_samples_leaf=1).fit(Inputs({"X": X, "y": X[:, 0] / 1e300}), None, context(0))
    assert fitted.predict_row([1e300]) == 1


def test_a_target_that_is_no_number_is_a_training_error() -> None:
    train = rows(50, 0)
    with pytest.raises(TrainingError, match="could not fit"):
        DecisionTree().fit(train.with_target(np.full(50, np.nan)), None, context(0))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    DecisionTree(max_depth=2).fit(rows(100, 2), None, context(2)).save(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("roots", np.array([99], np.int32)),
        ("children", np.array([[0, -1]], np.int32)),
        ("feature", np.array([0], np.int32)),
        ("threshold", np.zeros(3, np.float32)),
        ("leaves", np.zeros((1, 2))),
        ("leaves", np.zeros((4, 3))),
        ("leaves", np.zeros(4)),
    ],
)
def test_damaged_arrays_are_refused(folder: Path, name: str, value: np.ndarray) -> None:
    path = folder / "trees.safetensors"
    path.write_bytes(save({**load(path.read_bytes()), name: value}))
    with pytest.raises(PackageError, match="Train the model again"):
        FittedTrees.load(folder)


def test_walks_cannot_go_round_in_circles(folder: Path) -> None:
    path = folder / "trees.safetensors"
    arrays = load(path.read_bytes())
    arrays["children"] = np.zeros_like(arrays["children"])
    path.write_bytes(save(arrays))
    with pytest.raises(PackageError, match="a child stands before its parent"):
        FittedTrees.load(folder)


@pytest.mark.parametrize("change", [{"combination": {}}, {"combination": None}, {"n_features": "many"}])
def test_a_damaged_state_is_refused(folder: Path, change: dict[str, object]) -> None:
    path = folder / "learner.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(PackageError):
        FittedTrees.load(folder)


def test_absent_arrays_are_refused(folder: Path) -> None:
    path = folder / "trees.safetensors"
    path.write_bytes(save({"roots": np.zeros(1, np.int32)}))
    with pytest.raises(PackageError, match="lack the array"):
        FittedTrees.load(folder)


def test_a_tree_without_questions_is_one_leaf() -> None:
    estimator = DecisionTreeRegressor().fit(np.ones((4, 1)), np.arange(4.0))
    trees = trees_of([estimator])
    assert trees.reached_by_row([5.0]) == [0]
    assert trees.outputs(np.ones((2, 1)), 1, np.zeros(1)).tolist() == [[1.5], [1.5]]
