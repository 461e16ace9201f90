"""Nearest neighbors against scikit-learn and against the definition."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

from groundup.core.errors import PackageError, TrainingError
from groundup.core.inputs import Inputs
from groundup.models import nearest_rows
from groundup.models.contract import FitContext
from groundup.models.neighbors import KNN
from groundup.models.neighbors_fitted import FittedNeighbors


def context(n_classes: int = 0) -> FitContext:
    task = "classification" if n_classes else "regression"
    return FitContext(task, n_classes, seed=0, threads=1, run_rounds=None, should_stop=bool)  # type: ignore[arg-type]


def rows(n_samples: int = 300, n_features: int = 5, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n_samples, n_features))


@pytest.mark.parametrize("weights", ["uniform", "distance"])
@pytest.mark.parametrize("p", [1.0, 2.0, 3.0])
@pytest.mark.parametrize("n_neighbors", [1, 7])
def test_equals_scikit_learn(weights: str, p: float, n_neighbors: int) -> None:
    X, new = rows(), np.concatenate([rows(seed=1), rows()[:20]])
    same = {"n_neighbors": n_neighbors, "weights": weights, "p": p}
    learner = KNN(smoothing=0.0, **same)  # type: ignore[arg-type]
    y = X[:, 0] + X[:, 1] ** 2
    found = learner.fit(Inputs({"X": X, "y": y}), None, context()).predict(Inputs({"X": new}))
    np.testing.assert_allclose(found.values, KNeighborsRegressor(**same).fit(X, y).predict(new), rtol=1e-9)
    codes = np.digitize(y, [0.0, 1.0])
    found = learner.fit(Inputs({"X": X, "y": codes}), None, context(3)).predict(Inputs({"X": new}))
    expected = KNeighborsClassifier(**same).fit(X, codes)
    np.testing.assert_allclose(found.probabilities, expected.predict_proba(new), atol=1e-9)
    np.testing.assert_array_equal(found.values, expected.predict(new))


@pytest.mark.parametrize("n_neighbors", [1, 3, 15])
def test_smoothing_outvotes_no_majority(n_neighbors: int) -> None:
    X = rows()
    y = (X[:, 0] > 1).astype(np.int64)
    train = Inputs({"X": X, "y": y})
    plain, smooth = (
        KNN(n_neighbors=n_neighbors, smoothing=each).fit(train, None, context(2)).predict(train)
        for each in (0.0, 1.0)
    )
    np.testing.assert_array_equal(plain.values, smooth.values)
    assert smooth.probabilities is not None
    assert smooth.probabilities.min() > 0


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 10_000), st.integers(1, 8), st.sampled_from([1.0, 2.0]), st.booleans())
def test_ties_go_to_earlier_rows_in_batches_rows_and_trees(
    seed: int, n_neighbors: int, p: float, is_for_tree: bool
) -> None:
    rng = np.random.default_rng(seed)
    X, new = (rng.integers(0, 3, size=(n, 2)).astype(float) for n in (30, 12))
    y = rng.normal(size=30)
    fitted = KNN(n_neighbors=n_neighbors, p=p).fit(Inputs({"X": X, "y": y}), None, context())
    powers = (np.abs(new[:, None] - X) ** p).sum(axis=2)
    expected = y[np.argsort(powers, axis=1, kind="stable")[:, :n_neighbors]].mean(axis=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nearest_rows, "_N_PAIRS_FOR_TREE", 0 if is_for_tree else 10**9)
        found = fitted.predict(Inputs({"X": new})).values
    np.testing.assert_allclose(found, expected, atol=1e-12)
    np.testing.assert_array_equal([fitted.predict_row(row) for row in new.tolist()], found)


def test_the_tree_and_the_search_agree_bit_for_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    X = rows(2000, 4)
    fitted = KNN(weights="distance").fit(Inputs({"X": X, "y": X[:, 0]}), None, context())
    new = Inputs({"X": rows(500, 4, seed=1)})
    by_force = fitted.predict(new).values
    monkeypatch.setattr(nearest_rows, "_N_PAIRS_FOR_TREE", 0)
    np.testing.assert_array_equal(fitted.predict(new).values, by_force)


def test_far_rows_and_far_clusters_are_still_exact() -> None:
    X = rows(50) + 1e9
    fitted = KNN(n_neighbors=1).fit(Inputs({"X": X, "y": np.arange(50.0)}), None, context())
    np.testing.assert_array_equal(fitted.predict(Inputs({"X": X})).values, np.arange(50))
    assert np.isfinite(fitted.predict(Inputs({"X": np.full((1, 5), 1e300)})).values).all()


def test_more_neighbors_than_rows_are_cut_and_said() -> None:
    X = rows(3)
    fitted = KNN(n_neighbors=10).fit(Inputs({"X": X, "y": np.array([1.0, 2.0, 6.0])}), None, context())
    assert fitted.predict_row(X[0].tolist()) == pytest.approx(3.0)
    assert fitted.facts()["chosen"] == {"n_neighbors": 3}


def test_infinite_inputs_are_refused() -> None:
    with pytest.raises(TrainingError, match="not finite"):
        KNN().fit(Inputs({"X": np.full((3, 1), np.inf), "y": np.ones(3)}), None, context())


@pytest.mark.parametrize("arrays", [{}, {"X": np.ones((2, 2))}, {"X": np.ones((2, 2)), "y": np.ones(3)}])
def test_damaged_files_are_refused(arrays: dict[str, np.ndarray], tmp_path: Path) -> None:
    KNN().fit(Inputs({"X": rows(), "y": np.ones(300)}), None, context()).save(tmp_path)
    (tmp_path / "weights.safetensors").write_bytes(save(arrays))
    with pytest.raises(PackageError):
        FittedNeighbors.load(tmp_path)
