"""Fit and predict through groundup against calling the same library with the same settings.

Each side fits on the same arrays and predicts the same held-out rows, a quarter as many as it was fitted
on, as in one fold of a cross-validation. Where a fit stops early, both sides look at the same rows.

Run ``python benchmarks/fit_overhead.py`` (some 20 minutes; ``--only random_forest``, ``--pairs 30``).
Ends with 1 where a learner costs more than 5 % above the library.
"""

import argparse
import functools
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from pairs import compare, show  # noqa: I001  (sets one thread before NumPy loads)

import numpy as np

from groundup.core.inputs import FloatArray, Inputs
from groundup.core.losses import Loss
from groundup.models.catalogue import make_learner
from groundup.models.contract import FitContext
from groundup.training.options import EarlyStopping
from groundup.training.rounds import run_rounds

GOAL = 1.05
PATIENCE = 20


@dataclass(frozen=True)
class Parts:
    """What both sides are given; `validation` is there for what stops early."""

    train: Inputs
    test: Inputs
    validation: Inputs | None


def problem(n_samples: int, n_features: int, seed: int, n_classes: int, *, has_flags: bool = True) -> Inputs:
    """Half numbers, half 0/1 columns; classes that overlap, or (without classes) values with noise."""
    random = np.random.default_rng(seed)
    X = random.normal(size=(n_samples, n_features))
    if has_flags:
        X[:, n_features // 2 :] = X[:, n_features // 2 :] > 1
    weights = np.random.default_rng(0).normal(size=n_features) / 3
    signal = X @ weights + np.sin(2 * X[:, 0]) * X[:, 1] + random.logistic(size=n_samples)
    y = np.digitize(signal, np.arange(n_classes - 1)).astype(np.int64) if n_classes else signal
    return Inputs({"X": X, "y": y})


def context(n_classes: int) -> FitContext:
    """Everything that happens in a run, with nobody listening."""
    loop = functools.partial(
        run_rounds,
        early_stopping=EarlyStopping(patience_rounds=PATIENCE),
        emit=lambda **_: None,
        should_stop=lambda: False,
    )
    task = "classification" if n_classes else "regression"
    return FitContext(task, n_classes, 0, 1, loop, lambda: False)  # type: ignore[arg-type]


Library = Callable[[Parts], FloatArray]


def fitted(estimator: Any, parts: Parts) -> FloatArray:
    """Fit a scikit-learn estimator and return its probabilities (or values) of the test rows."""
    estimator.fit(parts.train.X, parts.train.y)
    ask = getattr(estimator, "predict_proba", estimator.predict)
    return np.asarray(ask(parts.test.X))


def lightgbm_train(parts: Parts) -> FloatArray:
    import lightgbm

    assert parts.validation is not None
    settings = make_learner("lightgbm").settings(context(2), parts.train.n_samples)  # type: ignore[attr-defined]
    binned = lightgbm.Dataset(parts.train.X, parts.train.y, params=settings)
    held_out = lightgbm.Dataset(parts.validation.X, parts.validation.y, reference=binned, params=settings)
    booster = lightgbm.train(
        settings,
        binned,
        num_boost_round=2_000,
        valid_sets=[held_out],
        callbacks=[lightgbm.early_stopping(PATIENCE, verbose=False)],
    )
    return np.asarray(booster.predict(parts.test.X))


def xgboost_train(parts: Parts) -> FloatArray:
    import xgboost

    assert parts.validation is not None
    settings = make_learner("xgboost").settings(context(2))  # type: ignore[attr-defined]
    del settings["base_score"]  # XGBoost's own is the classes' frequency, as is ours
    binned = xgboost.QuantileDMatrix(parts.train.X, parts.train.y)
    held_out = xgboost.QuantileDMatrix(parts.validation.X, parts.validation.y, ref=binned)
    booster = xgboost.train(
        settings,
        binned,
        num_boost_round=2_000,
        evals=[(held_out, "validation")],
        early_stopping_rounds=PATIENCE,
        verbose_eval=False,
    )
    kept = (0, booster.best_iteration + 1)
    return np.asarray(booster.inplace_predict(parts.test.X, iteration_range=kept))


def catboost_fit(parts: Parts) -> FloatArray:
    import catboost

    assert parts.validation is not None
    settings = make_learner("catboost").settings(context(2), "Logloss", parts.train.n_samples)  # type: ignore[attr-defined]
    model = catboost.CatBoost(settings)
    model.fit(
        parts.train.X,
        parts.train.y,
        eval_set=(parts.validation.X, parts.validation.y),
        early_stopping_rounds=PATIENCE,
    )
    return np.asarray(model.predict(parts.test.X, prediction_type="Probability"))


def hist_gradient_boosting(parts: Parts) -> FloatArray:
    from sklearn.ensemble import HistGradientBoostingClassifier

    assert parts.validation is not None
    estimator = HistGradientBoostingClassifier(
        max_iter=500, early_stopping=True, scoring="loss", n_iter_no_change=PATIENCE, tol=0, random_state=0
    )
    estimator.fit(parts.train.X, parts.train.y, X_val=parts.validation.X, y_val=parts.validation.y)
    return np.asarray(estimator.predict_proba(parts.test.X))


def calibrated(estimator: Any) -> Any:
    """Return a support vector machine whose probabilities come from three folds, as by default here."""
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.model_selection import StratifiedKFold

    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    return CalibratedClassifierCV(estimator, method="sigmoid", cv=folds, ensemble=False)


def estimators() -> dict[str, Callable[[], Any]]:
    """Return how a user of scikit-learn would write each learner."""
    from lightgbm import LGBMClassifier
    from sklearn.ensemble import (
        AdaBoostClassifier,
        BaggingClassifier,
        ExtraTreesClassifier,
        RandomForestClassifier,
        StackingClassifier,
        VotingClassifier,
    )
    from sklearn.linear_model import (
        ElasticNetCV,
        LinearRegression,
        LogisticRegression,
        QuantileRegressor,
        RidgeCV,
    )
    from sklearn.model_selection import KFold
    from sklearn.naive_bayes import GaussianNB
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.svm import SVC, LinearSVC
    from sklearn.tree import DecisionTreeClassifier

    def members() -> list[tuple[str, Any]]:
        lightgbm = LGBMClassifier(
            n_estimators=100,
            learning_rate=0.1,
            num_leaves=31,
            n_jobs=1,
            verbosity=-1,
            deterministic=True,
            force_row_wise=True,
        )
        forest = RandomForestClassifier(n_estimators=30, random_state=0)
        return [("logistic", LogisticRegression(max_iter=1_000)), ("forest", forest), ("lightgbm", lightgbm)]

    def stacking() -> Any:
        return StackingClassifier(members(), LogisticRegression(max_iter=1_000), cv=5)

    def path(l1_ratio: float) -> Any:
        folds = KFold(5, shuffle=True, random_state=0)
        return ElasticNetCV(l1_ratio=l1_ratio, alphas=50, cv=folds, max_iter=10_000)

    return {
        "linear": lambda: LinearRegression(),
        "lasso": lambda: path(1.0),
        "elastic_net": lambda: path(0.5),
        "quantile_regression": lambda: QuantileRegressor(alpha=0.0),
        "logistic": lambda: LogisticRegression(max_iter=1_000),
        "ridge": lambda: RidgeCV(alphas=10.0 ** np.arange(-3, 5.5, 0.5)),
        "knn": lambda: KNeighborsClassifier(),
        "linear_svm": lambda: calibrated(LinearSVC(dual="auto", max_iter=10_000, random_state=0)),
        "svm": lambda: calibrated(SVC(cache_size=500)),
        "naive_bayes": lambda: GaussianNB(),
        "decision_tree": lambda: DecisionTreeClassifier(min_samples_leaf=5, random_state=0),
        "random_forest": lambda: RandomForestClassifier(random_state=0),
        "extra_trees": lambda: ExtraTreesClassifier(random_state=0),
        "bagging": lambda: BaggingClassifier(
            DecisionTreeClassifier(min_samples_leaf=5), n_estimators=20, random_state=0
        ),
        "adaboost": lambda: AdaBoostClassifier(DecisionTreeClassifier(max_depth=1), random_state=0),
        "voting": lambda: VotingClassifier(members(), voting="soft"),
        "stacking": stacking,
    }


BOOSTERS: dict[str, Library] = {
    "lightgbm": lightgbm_train,
    "xgboost": xgboost_train,
    "catboost": catboost_fit,
    "hist_gradient_boosting": hist_gradient_boosting,
}
MEMBERS = (
    "logistic",
    {"name": "random_forest", "n_estimators": 30, "smoothing": 0.0},
    {"name": "lightgbm", "n_estimators": 100, "learning_rate": 0.1},
)
EXACT_TREE = {"name": "decision_tree", "ccp_alpha": 0.0, "smoothing": 0.0}

# Of each learner: rows, features, classes, and what differs from our defaults so that both do the same.
CASES: dict[str, tuple[int, int, int, dict[str, Any]]] = {
    "lightgbm": (40_000, 20, 2, {}),
    "xgboost": (40_000, 20, 2, {}),
    "catboost": (24_000, 20, 2, {}),
    "hist_gradient_boosting": (40_000, 20, 2, {}),
    "logistic": (200_000, 60, 3, {}),
    "linear": (400_000, 60, 0, {}),
    "ridge": (200_000, 60, 0, {}),
    "lasso": (100_000, 60, 0, {}),
    "elastic_net": (100_000, 60, 0, {}),
    "quantile_regression": (5_000, 10, 0, {}),
    "knn": (16_000, 20, 2, {"smoothing": 0.0}),
    "linear_svm": (60_000, 20, 2, {}),
    "svm": (4_000, 20, 2, {}),
    "naive_bayes": (1_000_000, 20, 2, {"temperature": 1.0}),
    "decision_tree": (80_000, 20, 2, {"ccp_alpha": 0.0, "smoothing": 0.0}),
    "random_forest": (8_000, 20, 2, {"smoothing": 0.0}),
    "extra_trees": (12_000, 20, 2, {"smoothing": 0.0}),
    "bagging": (10_000, 20, 2, {"learner": EXACT_TREE}),
    "adaboost": (20_000, 20, 2, {"sharpness": 1.0}),
    "voting": (15_000, 20, 2, {"members": MEMBERS}),
    "stacking": (4_000, 20, 2, {"members": MEMBERS, "final": "logistic"}),
}


def library_call(name: str) -> tuple[str, Library]:
    """Return what the other side is called, and the call."""
    if name in BOOSTERS:
        return {"hist_gradient_boosting": "scikit-learn"}.get(name, f"{name} itself"), BOOSTERS[name]
    make = estimators()[name]
    return "scikit-learn", lambda parts: fitted(make(), parts)


def measure(name: str, n_pairs: int) -> float:
    """Print the comparison of one learner and return its ratio."""
    n_samples, n_features, n_classes, settings = CASES[name]
    draw = functools.partial(problem, n_features=n_features, n_classes=n_classes)
    draw = functools.partial(draw, has_flags=name != "naive_bayes")  # which takes flags for categories
    train, test = draw(n_samples, seed=1), draw(n_samples // 4, seed=2)
    validation = draw(n_samples // 4, seed=3) if name in BOOSTERS else None
    parts, learner = Parts(train, test, validation), make_learner(name, settings)
    title, library = library_call(name)
    asked = context(n_classes)
    if name == "quantile_regression":
        asked = replace(asked, loss=Loss("absolute_error"))

    def ours() -> FloatArray:
        found = learner.fit(train, validation, asked).predict(test)
        return found.values if found.probabilities is None else found.probabilities

    expected, got = library(parts), ours()
    if got.ndim == 2 and expected.ndim == 1:
        expected = np.column_stack([1 - expected, expected])
    result = compare(lambda: library(parts), ours, n_pairs=n_pairs)
    show(f"{name}, {n_samples:,} × {n_features}".replace(",", " "), title, "groundup", result)
    print(f"  largest difference between their predictions: {np.abs(got - expected).max():.1e}")
    return result.ratio


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=sorted(CASES), nargs="+")
    parser.add_argument("--pairs", type=int, default=30)
    arguments = parser.parse_args()
    warnings.simplefilter("error")
    ratios = {name: measure(name, arguments.pairs) for name in arguments.only or CASES}
    missed = {name: ratio for name, ratio in ratios.items() if ratio > GOAL}
    print("\n" + "  ".join(f"{name} {ratio:.2f}" for name, ratio in ratios.items()))
    if missed:
        sys.exit(f"Above {GOAL}: {', '.join(missed)}")


if __name__ == "__main__":
    main()
