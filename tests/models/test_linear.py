import itertools
import math
import warnings
from collections.abc import Mapping
from functools import partial

import numpy as np
import pytest
import sklearn
from sklearn.linear_model import LogisticRegression

from groundup.core.errors import TrainingError
from groundup.core.inputs import Inputs
from groundup.core.tasks import Task
from groundup.models.contract import FitContext, Learner
from groundup.models.linear import ElasticNet, Lasso, Linear, Logistic, Ridge
from groundup.models.linear_fitted import FittedLinear
from groundup.training.rounds import run_rounds


def fit(learner: Learner, X: np.ndarray, y: np.ndarray, *, names: tuple[str, ...] = ()) -> FittedLinear:
    task: Task = "classification" if np.issubdtype(y.dtype, np.integer) else "regression"
    loop = partial(run_rounds, early_stopping=None, emit=lambda **_: None, should_stop=lambda: False)
    n_classes = int(y.max()) + 1 if task == "classification" else 0
    context = FitContext(task, n_classes, seed=0, threads=1, run_rounds=loop, should_stop=lambda: False)
    fitted = learner.fit(Inputs({"X": X, "y": y}, feature_names=names), None, context)
    assert isinstance(fitted, FittedLinear)
    return fitted


def noisy(n_samples: int = 100, n_features: int = 4) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_samples, n_features))
    return X, 3 * X[:, 0] - X[:, 1] + 5 + rng.normal(size=n_samples)


def test_linear_solves_the_normal_equations() -> None:
    X, y = noisy()
    fitted = fit(Linear(), X, y)
    with_constant = np.column_stack([X, np.ones(len(X))])
    expected = np.linalg.solve(with_constant.T @ with_constant, with_constant.T @ y)
    np.testing.assert_allclose([*fitted.coef_[0], *fitted.intercept_], expected)


def test_ridge_solves_the_penalised_normal_equations() -> None:
    X, y = noisy()
    fitted = fit(Ridge(alpha=7.0), X, y)
    centered = X - X.mean(axis=0)
    expected = np.linalg.solve(centered.T @ centered + 7 * np.eye(4), centered.T @ (y - y.mean()))
    np.testing.assert_allclose(fitted.coef_[0], expected)
    assert "chosen" not in fitted.facts()


def test_ridge_chooses_the_penalty_with_the_least_leave_one_out_error() -> None:
    X, y = noisy(n_samples=30, n_features=20)
    facts = fit(Ridge(), X, y).facts()

    def left_out_error(alpha: float) -> float:
        rows = np.arange(len(y))
        errors = [
            fit(Ridge(alpha=alpha), X[rows != row], y[rows != row]).predict_row(X[row].tolist()) - y[row]
            for row in rows
        ]
        return float(np.mean(np.square(errors)))

    grid = [10.0 ** (exponent / 2) for exponent in range(-6, 11)]
    assert facts["chosen"]["alpha"] == pytest.approx(min(grid, key=left_out_error))
    assert "leave-one-out" in facts["chosen_by"]


@pytest.mark.parametrize("learner", [Lasso(), ElasticNet()])
def test_penalties_chosen_by_cross_validation_are_stated_and_repeat(learner: Learner) -> None:
    X, y = noisy()
    facts = fit(learner, X, y).facts()
    assert 0 < facts["chosen"]["alpha"] < 3
    assert facts["converged"] is True
    assert facts == fit(learner, X, y).facts()
    chosen = type(learner)(alpha=facts["chosen"]["alpha"])
    np.testing.assert_allclose(fit(chosen, X, y).coef_, fit(learner, X, y).coef_)


@pytest.mark.parametrize("learner", [Ridge(), Lasso(), ElasticNet()])
@pytest.mark.parametrize("n_samples", [2, 3, 9])
def test_few_rows_or_a_constant_target_still_fit(learner: Learner, n_samples: int) -> None:
    X, y = noisy(n_samples)
    assert fit(learner, X, y).facts()["chosen"]["alpha"] > 0
    constant = fit(learner, X, np.full(n_samples, 4.0))
    np.testing.assert_allclose(constant.predict(Inputs({"X": X})).values, 4.0)


@pytest.mark.parametrize(
    "learner",
    [
        Logistic(max_iterations=1),
        Logistic(max_iterations=1, l1_ratio=0.5),
        Lasso(alpha=1e-4, max_iterations=1),
    ],
)
def test_a_fit_that_does_not_converge_says_so_without_a_warning(learner: Learner) -> None:
    X, y = noisy()
    target = y if isinstance(learner, Lasso) else (y > 5).astype(np.int64)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        facts = fit(learner, X, target).facts()
    assert facts["converged"] is False
    assert facts["n_iterations"] == facts["max_iterations"] == 1


@pytest.mark.parametrize("n_classes", [2, 3])
def test_logistic_equals_scikit_learn(n_classes: int) -> None:
    X, y = noisy()
    labels = np.digitize(y, np.quantile(y, np.arange(1, n_classes) / n_classes)).astype(np.int64)
    expected = LogisticRegression(C=0.5, max_iter=1000).fit(X, labels).predict_proba(X)
    fitted = fit(Logistic(C=0.5), X, labels)
    np.testing.assert_allclose(fitted.predict(Inputs({"X": X})).probabilities, expected, rtol=1e-10)
    assert fitted.facts()["converged"] is True


def test_logistic_with_the_absolute_penalty_leaves_features_out() -> None:
    X, y = noisy(n_features=10)
    fitted = fit(Logistic(C=0.05, l1_ratio=1.0), X, (y > 5).astype(np.int64))
    assert fitted.coef_[0, 0] > 0
    assert (fitted.coef_ == 0).sum() >= 7


def test_linear_classification_is_logistic_regression_with_defaults() -> None:
    X, y = noisy()
    labels = (y > 5).astype(np.int64)
    np.testing.assert_array_equal(fit(Linear(), X, labels).coef_, fit(Logistic(), X, labels).coef_)


@pytest.mark.parametrize(
    ("version", "l1_ratio", "expected"),
    [
        ("1.9.1", 0.0, {"l1_ratio": 0.0}),
        ("1.8.0", 0.5, {"l1_ratio": 0.5}),
        ("1.5.2", 0.0, {"penalty": "l2"}),
        ("1.7.dev0", 1.0, {"penalty": "elasticnet", "l1_ratio": 1.0}),
    ],
)
def test_speaks_to_old_and_new_scikit_learn(
    monkeypatch: pytest.MonkeyPatch, version: str, l1_ratio: float, expected: Mapping[str, object]
) -> None:
    monkeypatch.setattr(sklearn, "__version__", version)
    received: dict[str, object] = {}
    monkeypatch.setattr(
        "sklearn.linear_model.LogisticRegression", lambda **settings: received.update(settings)
    )
    Logistic(l1_ratio=l1_ratio)._estimator(seed=0)
    assert {key: received[key] for key in ("penalty", "l1_ratio") if key in received} == expected


@pytest.mark.parametrize("present", [[0], [1], [2], [0, 1], [1, 3], [0, 2, 3]])
def test_classes_without_training_rows_get_probability_zero(present: list[int]) -> None:
    X, _ = noisy()
    y = np.resize(np.array(present), len(X)).astype(np.int64)
    X[:, 0] += 3 * y
    loop = partial(run_rounds, early_stopping=None, emit=lambda **_: None, should_stop=lambda: False)
    context = FitContext("classification", 4, 0, 1, loop, lambda: False)
    fitted = Logistic().fit(Inputs({"X": X, "y": y}), None, context)
    probabilities = fitted.predict(Inputs({"X": X})).probabilities
    assert probabilities is not None
    assert probabilities.shape == (100, 4)
    absent = [label for label in range(4) if label not in present]
    assert (probabilities[:, absent] == 0).all()
    assert (fitted.predict(Inputs({"X": X})).values == y).mean() > 0.8


@pytest.mark.parametrize(
    ("learner", "value"),
    [
        *itertools.product(
            [Linear(), Ridge(), Ridge(alpha=1.0), Lasso(), Lasso(alpha=1.0)], [math.nan, math.inf, 1e308]
        ),
        *itertools.product([Logistic()], [math.nan, math.inf]),
    ],
)
def test_values_that_cannot_be_fitted_are_a_training_error(learner: Learner, value: float) -> None:
    X, y = noisy()
    X[::2] = value
    X[1::4] = -value
    target = (y > 5).astype(np.int64) if isinstance(learner, Logistic) else y
    with pytest.raises(TrainingError, match="extreme values"):
        fit(learner, X, target)


def test_facts_name_the_largest_coefficients_first() -> None:
    X, y = noisy(n_features=60)
    names = tuple(f"column {position}" for position in range(60))
    facts = fit(Ridge(alpha=1.0), X, y, names=names).facts()
    sizes = [abs(entry["coefficient"]) for entry in facts["coefficients"]]
    assert sizes == sorted(sizes, reverse=True)
    assert len(sizes) == 50
    assert facts["n_coefficients"] == 60
    assert facts["coefficients"][0]["feature"] == "column 0"
