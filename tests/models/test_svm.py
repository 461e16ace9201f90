"""Support vector machines against scikit-learn's own predictions."""

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler, scale
from sklearn.svm import SVC, SVR, LinearSVC, LinearSVR

from groundup.core.errors import PackageError, TrainingError
from groundup.core.inputs import Inputs
from groundup.models.contract import FitContext
from groundup.models.svm import SVM, LinearSVM
from groundup.models.svm_fitted import FittedSVM


def context(n_classes: int = 0, seed: int = 3) -> FitContext:
    task = "classification" if n_classes else "regression"
    return FitContext(task, n_classes, seed=seed, threads=1, run_rounds=None, should_stop=bool)  # type: ignore[arg-type]


def classes(sample: str) -> Inputs:
    load = {"iris": load_iris, "wine": load_wine, "breast_cancer": load_breast_cancer}[sample]
    X, y = load(return_X_y=True)
    return Inputs({"X": np.ascontiguousarray(scale(X)), "y": y.astype(np.int64)})


def numbers() -> Inputs:
    X, y = load_diabetes(return_X_y=True)
    return Inputs({"X": np.ascontiguousarray(scale(X)), "y": y})


POLYNOMIAL = {"kernel": "poly", "degree": 2, "coef0": 1.0, "gamma": 0.1, "C": 3.0}
ESTIMATORS = [
    (LinearSVM(), LinearSVC(max_iter=10_000, random_state=3, dual="auto")),
    (SVM(gamma=0.1), SVC(gamma=0.1)),  # scikit-learn's own default would differ from fold to fold
    (SVM(**POLYNOMIAL), SVC(**POLYNOMIAL)),
]


@pytest.mark.parametrize("sample", ["iris", "wine", "breast_cancer"])
@pytest.mark.parametrize(("learner", "estimator"), ESTIMATORS)
def test_probabilities_equal_scikit_learns_calibration(
    sample: str, learner: SVM | LinearSVM, estimator: SVC | LinearSVC
) -> None:
    train = classes(sample)
    fitted = learner.fit(train, None, context(int(train.y.max()) + 1))  # type: ignore[call-overload]
    folds = StratifiedKFold(3, shuffle=True, random_state=3)
    expected = CalibratedClassifierCV(estimator, cv=folds, ensemble=False).fit(train.X, train.y)
    found = fitted.predict(train).probabilities
    np.testing.assert_allclose(found, expected.predict_proba(train.X), atol=1e-9)


@pytest.mark.parametrize(
    ("learner", "estimator"),
    [
        (
            LinearSVM(epsilon=0.1),
            LinearSVR(
                loss="squared_epsilon_insensitive", epsilon=0.1, dual="auto", random_state=3, max_iter=10_000
            ),
        ),
        (SVM(C=2.0), SVR(C=2.0)),
        (SVM(kernel="poly", coef0=1.0), SVR(kernel="poly", coef0=1.0)),
    ],
)
def test_values_equal_scikit_learns_on_a_standardised_target(
    learner: SVM | LinearSVM, estimator: SVR | LinearSVR
) -> None:
    train = numbers()
    fitted = learner.fit(train, None, context())
    expected = TransformedTargetRegressor(estimator, transformer=StandardScaler()).fit(train.X, train.y)
    np.testing.assert_allclose(fitted.predict(train).values, expected.predict(train.X), rtol=1e-9)


def test_the_unit_of_the_target_does_not_matter() -> None:
    train = numbers()
    first = SVM().fit(train, None, context()).predict(train).values
    larger = train.with_target(train.y.astype(float) * 1000 + 5)
    np.testing.assert_allclose(
        SVM().fit(larger, None, context()).predict(train).values, first * 1000 + 5, rtol=1e-6
    )


def test_gamma_is_said_and_fits_the_same_when_given() -> None:
    train = classes("iris")
    fitted = SVM().fit(train, None, context(3))
    chosen = fitted.facts()["chosen"]
    assert chosen["gamma"] == pytest.approx(1 / (4 * train.X.var()))
    again = SVM(**chosen).fit(train, None, context(3))
    np.testing.assert_array_equal(again.predict(train).probabilities, fitted.predict(train).probabilities)


@pytest.mark.parametrize("learner", [SVM(), LinearSVM()])
def test_a_class_with_one_row_leaves_no_folds(learner: SVM | LinearSVM) -> None:
    train = classes("iris").take(np.arange(101))
    fitted = learner.fit(train, None, context(3))
    assert fitted.facts()["chosen"]["n_calibration_folds"] == 1
    again = type(learner)(n_calibration_folds=1).fit(train, None, context(3))
    np.testing.assert_array_equal(again.predict(train).probabilities, fitted.predict(train).probabilities)


def test_too_few_iterations_are_a_fact() -> None:
    facts = SVM(max_iterations=1).fit(classes("wine"), None, context(3)).facts()
    assert facts["converged"] is False
    assert facts["max_iterations"] == 1


@pytest.mark.parametrize("learner", [SVM(), LinearSVM()])
def test_extreme_values_are_refused(learner: SVM | LinearSVM) -> None:
    X = np.ones((4, 1))
    with pytest.raises(TrainingError):
        learner.fit(Inputs({"X": X * np.inf, "y": np.ones(4)}), None, context())
    with pytest.raises(TrainingError):
        learner.fit(Inputs({"X": X, "y": np.array([1e308, 1e308, -1e308, 0])}), None, context())


@pytest.mark.parametrize(
    "change", [{"n_classes": 2}, {"scale": "x"}, {"kernel": {"name": "rbf"}}, {"kernel": {"no": 1}}]
)
def test_damaged_files_are_refused(change: dict[str, object], tmp_path: Path) -> None:
    LinearSVM().fit(classes("iris"), None, context(3)).save(tmp_path)
    state = json.loads((tmp_path / "learner.json").read_text())
    (tmp_path / "learner.json").write_text(json.dumps({**state, **change}))
    with pytest.raises(PackageError):
        FittedSVM.load(tmp_path)
