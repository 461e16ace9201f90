"""Learners on data whose verdict is known by construction: they overfit, they underfit, or they fit."""

from collections.abc import Callable
from typing import Any

import lightgbm
import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from groundup.core.inputs import Predictions
from groundup.core.losses import LOG_LOSS, SQUARED_ERROR
from groundup.core.tasks import Task
from groundup.evaluation.fit_evidence import mixed_losses
from groundup.evaluation.fit_verdict import FitEvidence, FitVerdict, judge_fit
from groundup.evaluation.folds import make_folds
from groundup.evaluation.intervals import BootstrapOptions
from groundup.evaluation.row_losses import row_losses

Data = tuple[np.ndarray, np.ndarray]
Curve = dict[str, list[tuple[int, float]]]
Fitted = tuple[Callable[[np.ndarray], Predictions], Curve | None, int | None]
Fit = Callable[[np.ndarray, np.ndarray], Fitted]


# The data: X and y of a seed; floats for regression, codes for classes.


def linear(seed: int, n: int = 300, p: int = 6, noise: float = 1.0) -> Data:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    return X, X @ np.linspace(1, 0.2, p) + noise * rng.normal(size=n)


def linear_classes(seed: int, n: int = 300, p: int = 6, noise: float = 1.0, flipped: float = 0.0) -> Data:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    y = X @ np.linspace(1, 0.2, p) + noise * rng.logistic(size=n) > 0
    return X, (y ^ (rng.random(n) < flipped)).astype(int)


def xor(seed: int, n: int = 300) -> Data:
    rng = np.random.default_rng(seed)
    X = rng.uniform(-1, 1, (n, 2))
    return X, ((X[:, 0] * X[:, 1] > 0) ^ (rng.random(n) < 0.1)).astype(int)


def circles(seed: int, n: int = 300) -> Data:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 2))
    return X, ((X**2).sum(axis=1) + 0.3 * rng.normal(size=n) > 1.4).astype(int)


def sine(seed: int, n: int = 300, cycles: int = 2) -> Data:
    rng = np.random.default_rng(seed)
    X = rng.uniform(-1, 1, (n, 1))
    return X, np.sin(np.pi * cycles * X[:, 0]) + 0.3 * rng.normal(size=n)


def curved(seed: int, n: int = 1000, noise: float = 1.0) -> Data:
    """Friedman's first function (1991) with three columns that do not matter."""
    rng = np.random.default_rng(seed)
    X = rng.random((n, 8))
    waves = 10 * np.sin(np.pi * X[:, 0] * X[:, 1]) + 20 * (X[:, 2] - 0.5) ** 2
    return X, waves + 10 * X[:, 3] + 5 * X[:, 4] + noise * rng.normal(size=n)


def faint(seed: int, n: int = 1500) -> Data:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 10))
    signal = 0.5 * X[:, 0] + 0.4 * np.sin(2 * X[:, 1])
    return X, (rng.random(n) < 1 / (1 + np.exp(-signal))).astype(int)


def blobs(seed: int, n: int = 300, k: int = 3, noise: float = 1.0) -> Data:
    rng = np.random.default_rng(seed)
    centres, y = 1.5 * rng.normal(size=(k, 4)), rng.integers(0, k, n)
    return centres[y] + noise * rng.normal(size=(n, 4)), y


def only_noise(seed: int) -> Data:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(200, 5)), rng.normal(size=200)


def breast_cancer(seed: int) -> Data:
    X, y = load_breast_cancer(return_X_y=True)
    return X, y


def diabetes(seed: int) -> Data:
    X, y = load_diabetes(return_X_y=True)
    return X, y


# The learners.


def as_predictions(answer: Any, y: np.ndarray) -> Predictions:
    if y.dtype.kind == "f":
        return Predictions(answer)
    p = answer if answer.ndim == 2 else np.stack([1 - answer, answer], axis=1)
    return Predictions(p.argmax(axis=1), p)


def estimator(make: Callable[[], Any]) -> Fit:
    def fit(X: np.ndarray, y: np.ndarray) -> Fitted:
        model = make().fit(X, y)
        ask = model.predict if y.dtype.kind == "f" else model.predict_proba
        return lambda rows: as_predictions(ask(rows), y), None, None

    return fit


def boosted(n_rounds: int, *, is_stopped_early: bool = False, **settings: float) -> Fit:
    def fit(X: np.ndarray, y: np.ndarray) -> Fitted:
        is_train = np.random.default_rng(len(y)).permutation(len(y)) >= len(y) // 5
        k = 0 if y.dtype.kind == "f" else int(y.max()) + 1
        objective = {0: "regression", 2: "binary"}.get(k, "multiclass")
        options = {"objective": objective, "verbosity": -1, "num_threads": 1, **settings}
        options |= {"num_class": k} if k > 2 else {}
        train = lightgbm.Dataset(X[is_train], y[is_train])
        validation = lightgbm.Dataset(X[~is_train], y[~is_train], reference=train)
        record: dict[str, dict[str, list[float]]] = {}
        watch = [lightgbm.record_evaluation(record)]
        watch += [lightgbm.early_stopping(30, verbose=False)] if is_stopped_early else []
        names = ["train", "validation"]
        model = lightgbm.train(
            options, train, n_rounds, valid_sets=[train, validation], valid_names=names, callbacks=watch
        )
        best = model.best_iteration if is_stopped_early else n_rounds
        curve = {name: list(enumerate(next(iter(record[name].values())), start=1)) for name in names}
        return lambda rows: as_predictions(model.predict(rows, num_iteration=best), y), curve, best

    return fit


def baseline(X: np.ndarray, y: np.ndarray) -> Fitted:
    if y.dtype.kind == "f":
        return lambda rows: Predictions(np.full(len(rows), y.mean())), None, None
    shares = np.bincount(y) / len(y)
    return lambda rows: as_predictions(np.tile(shares, (len(rows), 1)), y), None, None


LOGISTIC = estimator(lambda: make_pipeline(StandardScaler(), LogisticRegression(max_iter=3000)))
LOOSE_LOGISTIC = estimator(lambda: make_pipeline(StandardScaler(), LogisticRegression(C=1e6, max_iter=9000)))
LINEAR = estimator(LinearRegression)
RIDGE = estimator(lambda: make_pipeline(StandardScaler(), Ridge(10.0)))
STRONG_RIDGE = estimator(lambda: Ridge(1000.0))
TREE = estimator(lambda: DecisionTreeRegressor(random_state=0))
CLASS_TREE = estimator(lambda: DecisionTreeClassifier(random_state=0))
STUMP = estimator(lambda: DecisionTreeRegressor(max_depth=1))
SMALL_TREE = estimator(lambda: DecisionTreeRegressor(max_depth=4, min_samples_leaf=20))
PROBE = boosted(50, num_leaves=7, min_data_in_leaf=5, lambda_l2=1.0)


def cubic(degree: int) -> Fit:
    return estimator(lambda: make_pipeline(PolynomialFeatures(degree), LinearRegression()))


PLANTED: dict[str, list[tuple[str, Callable[[int], Data], Fit]]] = {
    "overfits": [
        ("tree, numbers, 100 rows", lambda seed: linear(seed, 100), TREE),
        ("tree, numbers, 300 rows", linear, TREE),
        ("tree, little noise", lambda seed: linear(seed, noise=0.5), TREE),
        ("tree, sine", sine, TREE),
        ("tree, only noise", only_noise, TREE),
        ("tree, two classes", linear_classes, CLASS_TREE),
        ("tree, three classes", lambda seed: blobs(seed, noise=2.0), CLASS_TREE),
        ("polynomial of degree 15", lambda seed: sine(seed, 60, 1), cubic(15)),
        ("cubes of six columns", lambda seed: linear(seed, 120), cubic(3)),
        ("60 columns, 100 rows", lambda seed: linear(seed, 100, 60, 3.0), LINEAR),
        ("40 columns, 120 rows", lambda seed: linear_classes(seed, 120, 40, 3.0), LOOSE_LOGISTIC),
        ("label noise, 200 rows", lambda seed: linear_classes(seed, 200, flipped=0.2), boosted(300)),
        ("label noise, 600 rows", lambda seed: linear_classes(seed, 600, flipped=0.2), boosted(300)),
        (
            "boosted too long, numbers",
            lambda seed: linear(seed, 200, noise=2.0),
            boosted(300, min_data_in_leaf=3),
        ),
        ("boosted too long, faint", lambda seed: faint(seed, 600), boosted(200)),
    ],
    "underfits": [
        ("line, xor, 100 rows", lambda seed: xor(seed, 100), LOGISTIC),
        ("line, xor, 500 rows", lambda seed: xor(seed, 500), LOGISTIC),
        ("line, circles", circles, LOGISTIC),
        ("line, sine, 100 rows", lambda seed: sine(seed, 100), LINEAR),
        ("line, sine, 500 rows", lambda seed: sine(seed, 500), LINEAR),
        ("line, waves", curved, LINEAR),
        ("stump, sine", sine, STUMP),
        ("too strong a penalty", linear, STRONG_RIDGE),
        ("3 rounds, numbers", curved, boosted(3)),
        ("3 rounds, two classes", circles, boosted(3)),
        ("3 rounds, four classes", lambda seed: blobs(seed, 600, 4, 0.5), boosted(3)),
        ("10 small steps", curved, boosted(10, learning_rate=0.02)),
    ],
    "fits": [
        ("line on a line, 150 rows", lambda seed: linear(seed, 150), LINEAR),
        ("line on a line, 300 rows", linear, LINEAR),
        ("line on a line, hardly noisy", lambda seed: linear(seed, noise=0.1), LINEAR),
        ("line on 20 columns", lambda seed: linear(seed, 300, 20), LINEAR),
        ("logistic, 300 rows", linear_classes, LOGISTIC),
        ("logistic, 1 000 rows", lambda seed: linear_classes(seed, 1000), LOGISTIC),
        ("logistic, three classes", blobs, LOGISTIC),
        ("logistic, breast cancer", breast_cancer, LOGISTIC),
        ("ridge, diabetes", diabetes, RIDGE),
        ("polynomial of the right degree", lambda seed: sine(seed, 300, 1), cubic(5)),
        ("small tree on steps", lambda seed: linear(seed, 1000, 1, 1.0), SMALL_TREE),
        ("stopped early, numbers", lambda seed: curved(seed, 1500, 2.0), boosted(400, is_stopped_early=True)),
        (
            "stopped early, faint",
            faint,
            boosted(400, is_stopped_early=True, learning_rate=0.05, num_leaves=7),
        ),
        (
            "stopped early, two classes",
            lambda seed: linear_classes(seed, 1500),
            boosted(400, is_stopped_early=True, num_leaves=7),
        ),
    ],
}


def out_of_fold(X: np.ndarray, y: np.ndarray, fit: Fit) -> Predictions:
    task: Task = "regression" if y.dtype.kind == "f" else "classification"
    values: np.ndarray = np.zeros(len(y))
    probabilities = None if task == "regression" else np.zeros((len(y), int(y.max()) + 1))
    for train, held_out in make_folds(y, task=task, k=5, seed=0):
        answer = fit(X[train], y[train])[0](X[held_out])
        values[held_out] = answer.values
        if probabilities is not None:
            probabilities[held_out] = answer.probabilities
    return Predictions(values if probabilities is None else values.astype(int), probabilities)


def judge(data: Data, fit: Fit) -> FitVerdict:
    X, y = data
    loss = SQUARED_ERROR if y.dtype.kind == "f" else LOG_LOSS
    model, guesses, probe = (out_of_fold(X, y, each) for each in (fit, baseline, PROBE))
    predict, curve, best_round = fit(X, y)
    return judge_fit(
        FitEvidence(
            in_sample=row_losses(loss, y, predict(X)),
            held_out=row_losses(loss, y, model),
            baseline=row_losses(loss, y, guesses),
            shrunk=mixed_losses(loss, y, model, guesses),
            probed=mixed_losses(loss, y, model, probe),
            curve=curve,
            best_round=best_round,
            options=BootstrapOptions(resamples=300),
        )
    )
