"""Fitting through groundup against calling the same library with the same settings on the same arrays.

Run ``python benchmarks/fit_overhead.py`` (``--only lightgbm|logistic``, ``--pairs 30``).
"""

import argparse
import functools
import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from pairs import compare, show  # noqa: I001  (sets one thread before NumPy loads)

import numpy as np

from groundup.core.inputs import Inputs
from groundup.models.catalogue import make_learner
from groundup.models.contract import FitContext
from groundup.models.lightgbm import LightGBM
from groundup.training.options import EarlyStopping
from groundup.training.rounds import run_rounds

PATIENCE = 20


def problem(n_samples: int, n_features: int, seed: int, n_classes: int = 2) -> Inputs:
    """Half numbers, half 0/1 columns; classes that overlap."""
    random = np.random.default_rng(seed)
    X = random.normal(size=(n_samples, n_features))
    X[:, n_features // 2 :] = X[:, n_features // 2 :] > 1
    weights = np.random.default_rng(0).normal(size=n_features) / 3
    signal = X @ weights + np.sin(2 * X[:, 0]) * X[:, 1]
    y = np.digitize(signal + random.logistic(size=n_samples), np.arange(n_classes - 1))
    return Inputs({"X": X, "y": y.astype(np.int64)})


def context(n_classes: int = 2) -> FitContext:
    """Everything that happens in a run, with nobody listening."""
    loop = functools.partial(
        run_rounds,
        early_stopping=EarlyStopping(patience_rounds=PATIENCE),
        emit=lambda **_: None,
        should_stop=lambda: False,
    )
    return FitContext("classification", n_classes, 0, 1, loop, lambda: False)


def compare_lightgbm(n_pairs: int) -> None:
    """Against `lightgbm.train` with early stopping."""
    import lightgbm

    train, validation = problem(40_000, 20, seed=1), problem(10_000, 20, seed=2)
    learner = LightGBM(learning_rate=0.05)
    settings = learner.settings(context(), train.n_samples)
    rounds: dict[str, int] = {}

    def ours() -> None:
        rounds["groundup"] = learner.fit(train, validation, context()).facts()["best_round"]

    def library() -> None:
        binned = lightgbm.Dataset(train.X, train.y, params=settings)
        held_out = lightgbm.Dataset(validation.X, validation.y, reference=binned, params=settings)
        booster = lightgbm.train(
            settings,
            binned,
            num_boost_round=learner.n_estimators,
            valid_sets=[held_out],
            callbacks=[lightgbm.early_stopping(PATIENCE, verbose=False)],
        )
        rounds["lightgbm"] = booster.best_iteration

    result = compare(library, ours, n_pairs=n_pairs)
    assert len(set(rounds.values())) == 1, rounds
    show(f"LightGBM, 40 000 × 20, {rounds['groundup']} rounds kept", "lightgbm.train", "groundup", result)


def compare_logistic(n_pairs: int) -> None:
    """Against scikit-learn's `LogisticRegression`."""
    from sklearn.linear_model import LogisticRegression

    train = problem(400_000, 60, seed=1, n_classes=3)
    learner = make_learner("logistic")
    result = compare(
        lambda: LogisticRegression(max_iter=1_000).fit(train.X, train.y),
        lambda: learner.fit(train, None, context(3)),
        n_pairs=n_pairs,
    )
    show("Logistic regression, 400 000 × 60, 3 classes", "LogisticRegression.fit", "groundup", result)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=["lightgbm", "logistic"])
    parser.add_argument("--pairs", type=int, default=30)
    arguments = parser.parse_args()
    warnings.simplefilter("error")
    if arguments.only != "logistic":
        compare_lightgbm(arguments.pairs)
    if arguments.only != "lightgbm":
        compare_logistic(arguments.pairs)


if __name__ == "__main__":
    main()
