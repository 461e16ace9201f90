"""Forests grown by scikit-learn-intelex, and what it must not grow."""

import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from groundup.core.errors import MissingExtraError
from groundup.core.inputs import Inputs
from groundup.models import accelerated
from groundup.models.contract import FitContext
from groundup.models.forests import RandomForest
from groundup.models.trees_fitted import FittedTrees

needs_intelex = pytest.mark.skipif(
    find_spec("sklearnex") is None, reason="scikit-learn-intelex is not installed"
)
FOREST = RandomForest(n_estimators=20, smoothing=0)


def rows(n_classes: int, n_samples: int = 600, seed: int = 0) -> Inputs:
    random = np.random.default_rng(seed)
    X = random.normal(size=(n_samples, 6))
    X[:, 3:] = np.round(X[:, 3:])  # ties
    signal = X[:, 0] + X[:, 1] * X[:, 3] + 0.5 * random.normal(size=n_samples)
    y = np.digitize(signal, [0.0, 1.0][: n_classes - 1]) if n_classes else 1e9 + signal
    return Inputs({"X": X, "y": y}, feature_names=("a", "b", "c", "d", "e", "f"))


def context(n_classes: int, notes: list[str]) -> FitContext:
    task = "classification" if n_classes else "regression"
    return FitContext(
        task,
        n_classes,
        0,
        1,
        None,
        lambda: False,
        accelerate=True,
        note=notes.append,  # type: ignore[arg-type]
    )


@needs_intelex
@pytest.mark.parametrize("n_classes", [0, 2])
def test_is_as_good_as_the_forest_of_scikit_learn(n_classes: int) -> None:
    train, test, notes = rows(n_classes), rows(n_classes, seed=1), []
    fast = FOREST.fit(train, None, context(n_classes, notes))
    plain = FOREST.fit(train, None, replace(context(n_classes, notes), accelerate=False))
    assert fast.facts()["fitted_by"] == "scikit-learn-intelex"
    assert "fitted_by" not in plain.facts()
    assert notes == []
    errors = []
    for fitted in (fast, plain):
        said = fitted.predict(test)
        right = said.values if said.probabilities is None else said.probabilities[:, 1]
        errors.append(float(np.mean((right - test.y) ** 2)))
    assert errors[0] < 1.1 * errors[1]
    assert errors[0] < 0.6 * float(test.y.astype(float).var())


@needs_intelex
@pytest.mark.parametrize("n_classes", [0, 2])
def test_leaves_say_the_mean_of_their_rows(n_classes: int) -> None:
    train = rows(n_classes)
    alone = RandomForest(n_estimators=1, min_samples_leaf=20, max_features=1.0, smoothing=0)
    fitted = alone.fit(train, None, context(n_classes, []))
    leaves = fitted.trees.reached(train.X, 0, 1)[0]
    said = fitted.trees.leaves[:, -1]
    assert len(np.unique(said)) > 5
    # The rows are drawn anew for the tree, so a leaf's rows here are near those it was grown on.
    means = np.array([train.y[leaves == leaf].mean() for leaf in np.unique(leaves)])
    np.testing.assert_allclose(means, said[np.unique(leaves)], atol=0.6)
    if n_classes:
        np.testing.assert_allclose(fitted.trees.leaves.sum(axis=1), 1)
        assert np.any((said > 0.05) & (said < 0.95))


@needs_intelex
@pytest.mark.parametrize("n_classes", [0, 2])
def test_threads_and_repetition_change_nothing(n_classes: int) -> None:
    first, *others = (
        FOREST.fit(rows(n_classes), None, replace(context(n_classes, []), threads=threads)).trees.arrays()
        for threads in (1, 1, 2)
    )
    for other in others:
        assert all(np.array_equal(first[name], other[name]) for name in first)


@needs_intelex
@pytest.mark.parametrize("n_classes", [0, 2])
def test_trees_that_answer_otherwise_are_grown_by_scikit_learn(
    n_classes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    train, notes = rows(n_classes), []
    true = accelerated.mean_answers

    def one_row_off(*arguments: object) -> np.ndarray:
        answers = true(*arguments)  # type: ignore[arg-type]
        answers[7] += 0.01
        return answers

    monkeypatch.setattr(accelerated, "mean_answers", one_row_off)
    fitted = FOREST.fit(train, None, context(n_classes, notes))
    assert "do not answer as it does itself" in notes[0]
    plain = FOREST.fit(train, None, replace(context(n_classes, []), accelerate=False))
    assert "fitted_by" not in fitted.facts()
    np.testing.assert_array_equal(fitted.trees.threshold, plain.trees.threshold)


@needs_intelex
@pytest.mark.parametrize("why", ["weigh", "missing", "more than two classes"])
def test_what_it_cannot_do_is_said(why: str) -> None:
    n_classes, notes = 3 if "classes" in why else 2, []
    train = rows(n_classes)
    if why == "weigh":
        train = train.with_weight(np.ones(train.n_samples))
    if why == "missing":
        train.X[3, 0] = np.nan
    fitted = FOREST.fit(train, None, context(n_classes, notes))
    assert len(notes) == 1
    assert why in notes[0]
    assert "fitted_by" not in fitted.facts()


def test_without_the_extra_the_message_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearnex.ensemble", None)
    with pytest.raises(MissingExtraError, match=r"groundup\[intelex\]"):
        FOREST.fit(rows(0), None, context(0, []))


@needs_intelex
def test_predicts_where_the_extra_cannot_be_imported(tmp_path: Path) -> None:
    train = rows(2)
    fitted = FOREST.fit(train, None, context(2, []))
    fitted.save(tmp_path)
    code = (
        "import sys; sys.modules.update(dict.fromkeys(['sklearn', 'sklearnex', 'daal4py', 'onedal']))\n"
        "from pathlib import Path\n"
        "from groundup.models.trees_fitted import FittedTrees\n"
        f"print(FittedTrees.load(Path({str(tmp_path)!r})).predict_row({train.X[0].tolist()!r}))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.strip() == str(FittedTrees.load(tmp_path).predict_row(train.X[0].tolist()))
