"""Naive Bayes against scikit-learn's Gaussian and categorical ones."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.metrics import log_loss
from sklearn.naive_bayes import BernoulliNB, CategoricalNB, GaussianNB
from sklearn.preprocessing import scale

from groundup.core.errors import PackageError, TrainingError
from groundup.core.inputs import Inputs
from groundup.models.contract import FitContext
from groundup.models.naive_bayes import NaiveBayes
from groundup.models.naive_bayes_fitted import FittedNaiveBayes

TEXTBOOK = NaiveBayes(temperature=1.0)


def context(n_classes: int) -> FitContext:
    return FitContext("classification", n_classes, seed=0, threads=1, run_rounds=None, should_stop=bool)  # type: ignore[arg-type]


def mixed() -> tuple[Inputs, np.ndarray]:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 400)
    X = np.column_stack(
        [rng.normal(y), rng.integers(0, 5, 400), (rng.random(400) < 0.2 + 0.3 * y), rng.normal(size=400)]
    )
    return Inputs({"X": X, "y": y}, categorical=(1,)), y


def test_numbers_equal_gaussian() -> None:
    X, y = load_wine(return_X_y=True)
    X = scale(X)
    found = TEXTBOOK.fit(Inputs({"X": X, "y": y}), None, context(3)).predict(Inputs({"X": X}))
    np.testing.assert_allclose(found.probabilities, GaussianNB().fit(X, y).predict_proba(X), atol=1e-9)


def test_mixed_inputs_equal_the_product_of_scikit_learns() -> None:
    train, y = mixed()
    numbers, codes, flags = train.X[:, [0, 3]], train.X[:, [1]].astype(int), train.X[:, [2]]
    found = TEXTBOOK.fit(train, None, context(3)).predict(train)
    gaussian = GaussianNB(var_smoothing=0).fit(numbers, y)
    logs = gaussian.predict_joint_log_proba(numbers)
    for estimator, part in ((CategoricalNB(), codes), (BernoulliNB(), flags)):
        logs += estimator.fit(part, y).predict_joint_log_proba(part) - np.log(gaussian.class_prior_)
    expected = np.exp(logs - logs.max(axis=1, keepdims=True))
    expected /= expected.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found.probabilities, expected, atol=1e-7)


def test_missing_values_and_unknown_levels_say_nothing() -> None:
    train, y = mixed()
    fitted = TEXTBOOK.fit(train, None, context(3))
    nothing = [float("nan")] * 4
    np.testing.assert_allclose(fitted.predict_row(nothing), np.bincount(y) / len(y))
    assert fitted.predict_row([float("nan"), 99.0, float("nan"), float("nan")]) == fitted.predict_row(nothing)
    holes = train.X.copy()
    holes[:200, 0] = np.nan
    partly = TEXTBOOK.fit(Inputs({"X": holes, "y": y}, categorical=(1,)), None, context(3))
    without = TEXTBOOK.fit(train.take(np.arange(200, 400)), None, context(3))
    np.testing.assert_allclose(partly._arrays["means"][0], without._arrays["means"][0])


def test_the_unit_of_a_number_does_not_matter() -> None:
    train, y = mixed()
    other = Inputs({"X": train.X * [1e-6, 1, 1, 1e6], "y": y}, categorical=(1,))
    first, second = (
        TEXTBOOK.fit(each, None, context(3)).predict(each).probabilities for each in (train, other)
    )
    np.testing.assert_allclose(first, second, atol=1e-9)


def test_the_temperature_keeps_the_classes_and_lowers_the_loss() -> None:
    X, y = load_breast_cancer(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(y))
    whole = Inputs({"X": X[order], "y": y[order]})
    train, validation, test = (whole.take(part) for part in np.array_split(np.arange(len(y)), 3))
    plain, warm = (
        learner.fit(train, validation, context(2)).predict(test) for learner in (TEXTBOOK, NaiveBayes())
    )
    np.testing.assert_array_equal(plain.values, warm.values)
    assert log_loss(test.y, warm.probabilities) < 0.7 * log_loss(test.y, plain.probabilities)


def test_rows_in_plain_python_equal_batches() -> None:
    train, _ = mixed()
    fitted = NaiveBayes().fit(train, None, context(3))
    rows = np.array([fitted.predict_row(row) for row in train.X.tolist()])
    np.testing.assert_allclose(rows, fitted.predict(train).probabilities, atol=1e-12)
    assert np.isfinite(fitted.predict_row([1e300, 0.0, 0.0, -1e300])).all()


def test_infinite_inputs_are_refused() -> None:
    with pytest.raises(TrainingError, match="infinite"):
        NaiveBayes().fit(Inputs({"X": np.full((2, 1), np.inf), "y": np.array([0, 1])}), None, context(2))


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    train, _ = mixed()
    fitted = NaiveBayes().fit(train, None, context(3))
    fitted.save(tmp_path)
    (tmp_path / "weights.safetensors").write_bytes(save({**fitted._arrays, "means": np.ones((9, 3))}))
    with pytest.raises(PackageError):
        FittedNaiveBayes.load(tmp_path)
