"""Every learner learns: better than the baseline on real data, exact where it can be."""

from functools import partial
from importlib.util import find_spec

import numpy as np
import pytest
from sklearn import datasets

from groundup.core.inputs import Inputs
from groundup.core.tasks import Task
from groundup.models.catalogue import LEARNERS, check_task, default_candidates, learner_class, make_learner
from groundup.models.contract import FitContext, Fitted
from groundup.training.gradient_options import GradientOptions
from groundup.training.network_loop import network_loop
from groundup.training.options import EarlyStopping
from groundup.training.rounds import run_rounds

REAL: dict[Task, tuple[str, ...]] = {
    "classification": ("breast_cancer", "iris", "wine"),
    "regression": ("diabetes",),
}
CASES = [
    (name, task, sample)
    for name in LEARNERS
    if name != "baseline" and make_learner(name).needs().form == "matrix"
    for task in learner_class(name).tasks
    for sample in REAL[task]
]


EXTRAS = {"xgboost": "xgboost", "catboost": "catboost", "mlp": "torch"}  # learner: extra


@pytest.fixture(autouse=True)
def _skip_without_its_extra(request: pytest.FixtureRequest) -> None:
    name = getattr(request.node, "callspec", None) and request.node.callspec.params.get("name")
    if name in EXTRAS and find_spec(EXTRAS[name]) is None:
        pytest.skip(f'`{name}` needs an extra; run: pip install "groundup[{EXTRAS[name]}]"')


def parts(sample: str, task: Task) -> tuple[Inputs, Inputs, Inputs]:
    """Return train, validation and test of a real data set, every feature on one scale."""
    X, y = getattr(datasets, f"load_{sample}")(return_X_y=True)
    y = y.astype(np.int64 if task == "classification" else np.float64)
    order = np.random.default_rng(1).permutation(len(y))
    test, validation, train = np.split(order, [len(y) // 4, len(y) // 2])
    scaled = (X - X[train].mean(axis=0)) / X[train].std(axis=0)
    whole = Inputs({"X": scaled, "y": y})
    return whole.take(train), whole.take(validation), whole.take(test)


def fit(name: str, train: Inputs, validation: Inputs | None, task: Task, **hyperparameters: object) -> Fitted:
    loop = partial(
        run_rounds, early_stopping=EarlyStopping(), emit=lambda **_: None, should_stop=lambda: False
    )
    n_classes = int(train.y.max()) + 1 if task == "classification" else 0
    network = network_loop(options=GradientOptions(), early_stopping=EarlyStopping(), threads=1)
    context = FitContext(task, n_classes, 0, 1, loop, lambda: False, train_network=network)
    return make_learner(name, hyperparameters).fit(train, validation, context)


def loss(fitted: Fitted, test: Inputs) -> float:
    """Return the log loss or the squared error."""
    predictions = fitted.predict(test)
    if predictions.probabilities is None:
        return float(np.mean((predictions.values.astype(float) - test.y.astype(float)) ** 2))
    return float(-np.log(predictions.probabilities[np.arange(len(test.y)), test.y.astype(int)]).mean())


@pytest.mark.parametrize(("name", "task", "sample"), CASES)
def test_beats_the_baseline_on_real_data(name: str, task: Task, sample: str) -> None:
    train, validation, test = parts(sample, task)
    floor = loss(fit("baseline", train, validation, task), test)
    reached = loss(fit(name, train, validation, task), test)
    assert reached < 0.7 * floor


def test_baseline_is_the_best_constant() -> None:
    train, _, _ = parts("wine", "classification")
    counts = np.bincount(train.y.astype(int))
    fitted = fit("baseline", train, None, "classification")
    np.testing.assert_allclose(fitted.predict_row([]), counts / counts.sum())
    train, _, _ = parts("diabetes", "regression")
    assert fit("baseline", train, None, "regression").predict_row([]) == pytest.approx(train.y.mean())


@pytest.mark.parametrize(
    ("name", "tolerance"), [("linear", 1e-9), ("ridge", 1e-2), ("lasso", 0.5), ("elastic_net", 0.5)]
)
def test_recovers_a_noiseless_linear_function(name: str, tolerance: float) -> None:
    X = np.random.default_rng(0).normal(size=(200, 5))
    weights = np.array([3.0, -2.0, 0.0, 0.5, 10.0])
    train = Inputs({"X": X, "y": X @ weights + 7})
    fitted = fit(name, train, None, "regression")
    np.testing.assert_allclose(fitted.predict(train).values, train.y, atol=tolerance)


def test_lasso_leaves_features_out() -> None:
    X = np.random.default_rng(0).normal(size=(200, 20))
    y = 5 * X[:, 0] + np.random.default_rng(1).normal(size=200)
    facts = fit("lasso", Inputs({"X": X, "y": y}), None, "regression", alpha=0.5).facts()
    assert facts["coefficients"][0] == {"feature": "feature 0", "coefficient": pytest.approx(4.5, abs=0.3)}
    assert sum(entry["coefficient"] != 0 for entry in facts["coefficients"]) == 1


def test_lightgbm_learns_exclusive_or_and_linear_models_cannot() -> None:
    X = np.random.default_rng(0).integers(0, 2, size=(400, 2)).astype(float)
    train = Inputs({"X": X, "y": (X[:, 0] != X[:, 1]).astype(np.int64)})
    assert loss(fit("lightgbm", train, train, "classification"), train) < 0.01
    assert loss(fit("logistic", train, train, "classification"), train) > 0.65


def test_lightgbm_splits_on_categories_and_on_missing_values() -> None:
    random = np.random.default_rng(0)
    codes = random.integers(0, 6, size=1000).astype(float)
    number = random.normal(size=1000)
    number[::3] = np.nan
    y = np.isin(codes, (1, 4)) + 10.0 * np.isnan(number)
    train = Inputs({"X": np.column_stack([codes, number]), "y": y}, categorical=(0,))
    fitted = fit("lightgbm", train, train, "regression")
    np.testing.assert_allclose(fitted.predict(train).values, y, atol=0.05)
    assert fitted.predict_row([float("nan"), float("nan")]) > 9  # type: ignore[operator]


@pytest.mark.parametrize(
    ("task", "sample"), [("classification", "breast_cancer"), ("regression", "diabetes")]
)
def test_early_stopping_keeps_the_best_round(task: Task, sample: str) -> None:
    train, validation, _ = parts(sample, task)
    fitted = fit("lightgbm", train, validation, task)
    facts = fitted.facts()
    assert facts["stopped"] == "patience"
    assert facts["n_rounds"] == facts["best_round"] + 50
    curve = dict(facts["curve"]["validation"])
    squared_or_log = loss(fitted, validation)
    reached = squared_or_log**0.5 if task == "regression" else squared_or_log
    assert curve[facts["best_round"]] == pytest.approx(reached, rel=1e-5)
    assert min(curve.values()) == curve[facts["best_round"]]


def test_learning_curves_show_both_parts() -> None:
    train, validation, _ = parts("breast_cancer", "classification")
    curve = fit("lightgbm", train, validation, "classification", learning_rate=0.01).facts()["curve"]
    for name in ("train", "validation"):
        rounds = [number for number, _ in curve[name]]
        assert rounds == sorted(set(rounds))
        assert len(rounds) <= 201
        assert curve[name][0][1] > curve[name][-1][1]


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_default_candidates_can_do_the_task(task: Task) -> None:
    for name in default_candidates(task):
        check_task(name, task)
