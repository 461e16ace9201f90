"""Pruned trees against scikit-learn's, and the chosen strength against trying all of them."""

import numpy as np
import pytest
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from groundup.models.pruning import GrownTree, best_strength, node_losses, pruned


def rows(n_samples: int, n_classes: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    X = random.normal(size=(n_samples, 4))
    X[:, 2] = np.round(X[:, 2])
    signal = X[:, 0] + X[:, 1] * X[:, 2] + random.normal(size=n_samples)
    X[random.random(X.shape) < 0.02] = np.nan
    return X, np.digitize(signal, np.arange(n_classes - 1)) if n_classes else signal


def grown(n_classes: int, *, weight: np.ndarray | None = None) -> DecisionTreeClassifier:
    X, y = rows(700, n_classes, seed=0)
    kind = DecisionTreeClassifier if n_classes else DecisionTreeRegressor
    return kind(random_state=0).fit(X, y, weight)


@pytest.mark.parametrize("n_classes", [0, 2, 3])
@pytest.mark.parametrize("is_weighted", [False, True])
def test_prunes_as_scikit_learn_does(n_classes: int, is_weighted: bool) -> None:
    X, y = rows(700, n_classes, seed=0)
    weight = np.random.default_rng(1).uniform(0.2, 3, len(X)) if is_weighted else None
    estimator = grown(n_classes, weight=weight)
    path = estimator.cost_complexity_pruning_path(X, y, weight).ccp_alphas
    tree = GrownTree.of(estimator.tree_)
    for strength in (0.0, *np.sqrt(path[1:-1] * path[2:])[::-12], 2 * path[-1]):
        plain = estimator.set_params(ccp_alpha=strength).fit(X, y, weight).tree_
        kept = pruned(tree, strength)
        for name in ("children_left", "children_right", "feature", "value", "impurity"):
            is_inner = plain.children_left >= 0 if name == "feature" else slice(None)
            np.testing.assert_array_equal(getattr(kept, name)[is_inner], getattr(plain, name)[is_inner])
        gains = kept.gains(4)
        shares = gains / max(gains.sum(), 1e-300)
        np.testing.assert_allclose(shares, estimator.feature_importances_, atol=1e-12)


@pytest.mark.parametrize("n_classes", [0, 2, 3])
def test_the_chosen_strength_loses_least_of_all(n_classes: int) -> None:
    estimator, (X, y) = grown(n_classes), rows(300, n_classes, seed=1)
    tree = GrownTree.of(estimator.tree_)
    weight = np.random.default_rng(1).uniform(0.2, 3, len(X))
    said = np.maximum(tree.value[:, 0, :], 1e-3) if n_classes else tree.value[:, 0, :]
    leaves = estimator.tree_.apply(X.astype(np.float32))
    losses = node_losses(tree, said, leaves, y, weight)
    chosen = best_strength(tree, losses)

    def loss(strength: float) -> float:
        train = rows(700, n_classes, seed=0)
        plain = estimator.set_params(ccp_alpha=strength).fit(*train)
        if not n_classes:
            return float((weight * (plain.predict(X) - y) ** 2).sum())
        likely = np.maximum(plain.predict_proba(X), 1e-3)[np.arange(len(y)), y]
        return float(-(weight * np.log(likely)).sum())

    tried = [loss(strength) for strength in np.geomspace(1e-5, 0.9 * tree.costs()[0], 30)]
    assert loss(chosen) <= 1.01 * min(tried)
    assert losses[0] > min(tried)


def test_a_tree_without_questions_is_left_alone() -> None:
    tree = GrownTree.of(DecisionTreeRegressor().fit(np.ones((4, 1)), np.arange(4.0)).tree_)
    assert best_strength(tree, np.ones(1)) == 0
    assert pruned(tree, 1.0).node_count == 1
