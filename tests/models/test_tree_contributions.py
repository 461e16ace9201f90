"""Contributions of trees against the definition, and against LightGBM's own."""

from itertools import combinations
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestClassifier, RandomForestRegressor

from groundup.core.inputs import FloatArray, Inputs, IntArray
from groundup.models.contract import FitContext
from groundup.models.forests import RandomForest
from groundup.models.histogram_trees import trees_of_rounds
from groundup.models.lightgbm import LightGBM
from groundup.models.tree_arrays import Trees
from groundup.models.tree_contributions import TreeContributions
from groundup.models.trees import trees_of
from groundup.training.rounds import run_rounds


def shapley(trees: Trees, tree: int, row: FloatArray) -> FloatArray:
    """Return the Shapley values of one tree by their definition, the base value last."""
    n = len(row)
    value = {
        known: said(trees, int(trees.roots[tree]), row, set(known))
        for size in range(n + 1)
        for known in combinations(range(n), size)
    }
    found = np.zeros((n + 1, trees.leaves.shape[1]))
    found[-1] = value[()]
    for known in value:
        for j in set(range(n)) - set(known):
            weight = 1 / (n * comb(n - 1, len(known)))
            found[j] += weight * (value[tuple(sorted({*known, j}))] - value[known])
    return found


def cover(trees: Trees, reference: int) -> float:
    if reference < 0:
        return float(trees.covers[~reference])
    return sum(cover(trees, int(child)) for child in trees.children[reference])


def said(trees: Trees, reference: int, row: FloatArray, known: set[int]) -> FloatArray:
    """Return what a tree says where only some inputs are known: both ways at the others, as rows went."""
    if reference < 0:
        return trees.leaves[~reference]
    yes, no = (int(child) for child in trees.children[reference])
    if int(trees.feature[reference]) in known:
        is_yes = bool(trees.are_yes(np.array([reference]), row[None])[0, 0])
        return said(trees, yes if is_yes else no, row, known)
    weights = np.array([cover(trees, yes), cover(trees, no)])
    parts = [said(trees, child, row, known) for child in (yes, no)]
    return np.asarray((weights[0] * parts[0] + weights[1] * parts[1]) / weights.sum())


def rows(n_samples: int, n_features: int = 5, seed: int = 0) -> tuple[FloatArray, FloatArray]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_samples, n_features))
    y = X[:, 0] + X[:, 1] * X[:, 2] + 0.3 * rng.normal(size=n_samples)
    X[rng.random(X.shape) < 0.1] = np.nan
    return X, y


def by_definition(trees: Trees, X: FloatArray) -> FloatArray:
    return np.array([sum(shapley(trees, tree, row) for tree in range(len(trees.roots))) for row in X])


@pytest.mark.parametrize("n_rows", [3, 9], ids=["few", "by tables"])
@pytest.mark.parametrize("n_classes", [0, 3])
def test_a_forest_is_divided_as_the_definition_says(n_classes: int, n_rows: int) -> None:
    X, y = rows(300)
    target = np.digitize(y, [-0.5, 0.5]) if n_classes else y
    forest = RandomForestClassifier if n_classes else RandomForestRegressor
    estimator = forest(3, max_depth=6, random_state=0).fit(X, target)
    trees = trees_of(estimator.estimators_)
    X = X[:n_rows]
    found = TreeContributions(trees, trees.leaves, max(1, n_classes), n_features=5).of(X)
    np.testing.assert_allclose(found, by_definition(trees, X), rtol=0, atol=1e-12)


def test_questions_about_categories_and_missing_values_are_divided_too() -> None:
    X, y = rows(400)
    X[:, 4] = np.random.default_rng(1).integers(0, 6, 400)
    y = y + 2.0 * np.isin(X[:, 4], [1.0, 4.0])
    estimator = HistGradientBoostingRegressor(
        max_iter=5, max_leaf_nodes=8, categorical_features=[4], early_stopping=False
    ).fit(X, y)
    known = {4: np.arange(6.0)}
    trees, _ = trees_of_rounds(estimator._predictors, known, 5)
    X = X[:8].copy()
    X[0, 4], X[1, 4] = np.nan, 99.0
    found = TreeContributions(trees, trees.leaves, 1, n_features=5).of(X)
    np.testing.assert_allclose(found, by_definition(trees, X), rtol=0, atol=1e-12)


def test_trees_that_speak_for_outputs_in_turn_keep_them_apart() -> None:
    X, y = rows(200)
    trees = trees_of([*RandomForestRegressor(4, max_depth=3, random_state=0).fit(X, y).estimators_])
    found = TreeContributions(trees, trees.leaves, 2, n_features=5).of(X[:9])
    each = [np.array([shapley(trees, tree, row) for row in X[:9]])[..., 0] for tree in range(4)]
    np.testing.assert_allclose(found[..., 0], each[0] + each[2], atol=1e-12)
    np.testing.assert_allclose(found[..., 1], each[1] + each[3], atol=1e-12)


@st.composite
def random_trees(draw: st.DrawFn) -> tuple[Trees, FloatArray]:
    """Return a tree of any shape, whose ways ask about features again and again, and some rows."""
    n_features = draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    n_nodes = draw(st.integers(0, 12))
    children, open_ends = np.zeros((n_nodes, 2), np.int32), [(-1, 0)]
    for node in range(n_nodes):
        parent, side = open_ends.pop(int(rng.integers(len(open_ends))))
        if parent >= 0:
            children[parent, side] = node
        open_ends += [(node, 0), (node, 1)]
    for leaf, (parent, side) in enumerate(open_ends):
        if parent >= 0:
            children[parent, side] = ~leaf
    n_leaves = len(open_ends)
    trees = Trees(
        roots=np.array([0 if n_nodes else -1], np.int32),
        children=children,
        feature=rng.integers(0, n_features, n_nodes).astype(np.int32),
        threshold=rng.integers(-2, 3, n_nodes).astype(np.float64),
        missing_is_yes=rng.integers(0, 2, n_nodes).astype(np.uint8),
        leaves=rng.normal(size=(n_leaves, 1)),
        covers=rng.integers(1, 50, n_leaves).astype(np.float32),
    )
    X = rng.integers(-3, 4, (draw(st.sampled_from([1, 9])), n_features)).astype(np.float64)
    X[rng.random(X.shape) < 0.1] = np.nan
    return trees, X


@settings(deadline=None, max_examples=60)
@given(random_trees())
def test_any_tree_is_divided_as_the_definition_says(case: tuple[Trees, FloatArray]) -> None:
    trees, X = case
    found = TreeContributions(trees, trees.leaves, 1, n_features=X.shape[1]).of(X)
    np.testing.assert_allclose(found, by_definition(trees, X), rtol=0, atol=1e-12)


def test_leaves_without_training_rows_are_no_trouble() -> None:
    X, y = rows(100)
    trees = trees_of(RandomForestRegressor(1, max_depth=4, random_state=0).fit(X, y).estimators_)
    covers = trees.covers.copy()
    covers[::2] = 0
    empty = Trees(**{**trees.arrays(), "covers": covers})
    found = TreeContributions(empty, empty.leaves, 1, n_features=5).of(X)
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found.sum(axis=1), trees.outputs(X, 1, np.zeros(1)), atol=1e-9)


def test_deep_trees_of_many_columns_add_up() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 60))
    y = np.where(X > 0.3, 2.0 ** -np.arange(60), 0.0).sum(axis=1) + rng.normal(size=400)
    forest = RandomForestRegressor(5, max_features=1, random_state=0).fit(X, y)
    trees = trees_of(forest.estimators_)
    found = TreeContributions(trees, trees.leaves, 1, n_features=60).of(X[:50])
    np.testing.assert_allclose(found.sum(axis=1)[:, 0], 5 * forest.predict(X[:50]), rtol=0, atol=1e-9)


def test_many_rows_get_what_few_rows_get() -> None:
    X, y = rows(500)
    trees = trees_of(RandomForestRegressor(20, random_state=0).fit(X, y).estimators_)
    divided = TreeContributions(trees, trees.leaves, 1, n_features=5)
    one_by_one = np.concatenate([divided.of(X[row : row + 1]) for row in range(10)])
    np.testing.assert_allclose(divided.of(X)[:10], one_by_one, rtol=0, atol=1e-12)
    assert divided.of(X[:0]).shape == (0, 6, 1)


def _field(block: str, name: str) -> list[str]:
    line = next(line for line in block.splitlines() if line.startswith(f"{name}="))
    return line.partition("=")[2].split()


def _references(names: list[str], first_node: int, first_leaf: int) -> IntArray:
    numbers = np.array(names, dtype=np.int64)
    return np.where(numbers >= 0, numbers + first_node, numbers - first_leaf)


def trees_of_lightgbm(text: str) -> Trees:
    """Return a LightGBM text model without categories and missing values as our arrays."""
    parts: dict[str, list[np.ndarray]] = {
        name: [] for name in ("roots", "children", "feature", "threshold", "leaves", "covers")
    }
    n_nodes = n_leaves = 0
    for block in text.split("Tree=")[1:]:
        yes, no = (
            _references(_field(block, name), n_nodes, n_leaves) for name in ("left_child", "right_child")
        )
        parts["roots"].append(np.array([n_nodes]))
        parts["children"].append(np.column_stack([yes, no]))
        parts["feature"].append(np.array(_field(block, "split_feature"), dtype=np.int64))
        parts["threshold"].append(np.array(_field(block, "threshold"), dtype=np.float64))
        parts["leaves"].append(np.array(_field(block, "leaf_value"), dtype=np.float64)[:, None])
        parts["covers"].append(np.array(_field(block, "leaf_count"), dtype=np.float64))
        n_nodes, n_leaves = n_nodes + len(yes), n_leaves + len(parts["leaves"][-1])
    types = {"leaves": np.float64, "threshold": np.float64, "covers": np.float32}
    return Trees(
        missing_is_yes=np.zeros(n_nodes, np.uint8),
        **{name: np.concatenate(each).astype(types.get(name, np.int32)) for name, each in parts.items()},
    )


def context(n_classes: int = 0) -> FitContext:
    task = "classification" if n_classes else "regression"

    def loop(*arguments: object, n_rounds: int, monitor: str) -> object:
        return run_rounds(
            *arguments,  # type: ignore[arg-type]
            n_rounds=n_rounds,
            monitor=monitor,
            early_stopping=None,
            emit=lambda **_: None,
            should_stop=lambda: False,
        )

    return FitContext(task, n_classes, 0, 1, loop, lambda: False)  # type: ignore[arg-type]


def test_lightgbm_divides_its_trees_in_the_same_way() -> None:
    """Another implementation of the same definition: LightGBM's own, of the same trees."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1000, 8))
    y = X[:, 0] + X[:, 1] * X[:, 2] + np.sin(3 * X[:, 3]) + 0.3 * rng.normal(size=1000)
    inputs = Inputs({"X": X, "y": y})
    fitted = LightGBM(n_estimators=30).fit(inputs, None, context())
    trees = trees_of_lightgbm(fitted._text.decode())
    found = TreeContributions(trees, trees.leaves, 1, n_features=8).of(X[:100])
    theirs = fitted.contributions(inputs.take(np.arange(100))).values
    np.testing.assert_allclose(found, theirs, rtol=0, atol=1e-9)


def test_a_forest_of_two_classes_is_divided_about_the_second() -> None:
    X, y = rows(200)
    inputs = Inputs({"X": X, "y": (y > 0).astype(np.int64)})
    fitted = RandomForest(n_estimators=5).fit(inputs, None, context(2))
    both = TreeContributions(fitted.trees, fitted.trees.leaves, 2, n_features=5).of(X)
    how = fitted.combination
    expected = both[:, :, 1]
    expected[:, -1] += how.start[1]
    np.testing.assert_allclose(
        fitted.contributions(inputs).values[..., 0], expected / how.divisor, atol=1e-12
    )
