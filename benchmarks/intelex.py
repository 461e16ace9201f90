"""Random forests: scikit-learn, scikit-learn-intelex, and groundup with `training.accelerate`.

All fit on the same arrays and predict a quarter as many rows. scikit-learn-intelex has its forest for classes
and is given numbers of 32 bits, as scikit-learn's trees use. Goal: where it is itself at least three
times as fast as scikit-learn, so is groundup with it. Beside the times stand the scores on the test rows.

Run ``python benchmarks/intelex.py`` (some minutes; ``--pairs 30``); needs the extra ``intelex``.
"""

import argparse
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from fit_overhead import Parts, context, fitted, problem  # noqa: I001  (sets one thread before NumPy loads)
from pairs import compare, show

import numpy as np
import sklearn.ensemble
import sklearnex.ensemble
from sklearn.metrics import r2_score, roc_auc_score

from groundup.core.inputs import FloatArray
from groundup.models.forests import RandomForest

GOAL = 3.0
# Of each case: rows, classes (0: numbers), whether half of the columns are 0/1.
CASES = {
    "two classes": (40_000, 2, False),
    "two classes, half the columns 0/1": (40_000, 2, True),
    "numbers": (6_000, 0, False),
    "numbers, half the columns 0/1": (6_000, 0, True),
}
N_TREES, N_FEATURES = 30, 20


def sides(parts: Parts, n_classes: int) -> dict[str, Callable[[], FloatArray]]:
    """Return the three ways of fitting a forest and predicting the test rows."""
    kind = "RandomForestClassifier" if n_classes else "RandomForestRegressor"
    accelerated = replace(context(n_classes), accelerate=True, note=refuse)

    def library(module: Any) -> FloatArray:
        said = fitted(getattr(module, kind)(N_TREES, random_state=0, n_jobs=1), parts)
        return said[:, 1] if n_classes else said

    def ours() -> FloatArray:
        learner = RandomForest(n_estimators=N_TREES, smoothing=0.0)
        said = learner.fit(parts.train, None, accelerated).predict(parts.test)
        return said.values if said.probabilities is None else said.probabilities[:, 1]

    return {
        "scikit-learn": lambda: library(sklearn.ensemble),
        "scikit-learn-intelex": lambda: library(sklearnex.ensemble),
        "groundup": ours,
    }


def refuse(message: str) -> None:
    """Stop where scikit-learn had to grow the forest after all."""
    raise AssertionError(message)


def measure(name: str, n_pairs: int) -> bool:
    """Print one case and return whether the goal is met."""
    n_rows, n_classes, has_flags = CASES[name]
    train = problem(n_rows, N_FEATURES, 1, n_classes, has_flags=has_flags)
    test = problem(n_rows // 4, N_FEATURES, 2, n_classes, has_flags=has_flags)
    for part in (train, test):
        part.arrays["X"][:] = part.X.astype(np.float32)  # the same values for all, in 64 bits
    ways = sides(Parts(train, test, None), n_classes)
    score = roc_auc_score if n_classes else r2_score
    scores = {way: score(test.y, predict()) for way, predict in ways.items()}
    print(
        f"\n== {name}, {n_rows} x {N_FEATURES}, {N_TREES} trees; "
        + ", ".join(f"{way} {each:.4f}" for way, each in scores.items())
    )
    ratios = {}
    for way in ("scikit-learn-intelex", "groundup"):
        result = compare(ways[way], ways["scikit-learn"], n_pairs=n_pairs)
        show(name, way, "scikit-learn", result)
        ratios[way] = result.ratio
    return ratios["groundup"] >= GOAL or ratios["scikit-learn-intelex"] < GOAL


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=CASES, nargs="+")
    parser.add_argument("--pairs", type=int, default=30)
    arguments = parser.parse_args()
    missed = [name for name in arguments.only or CASES if not measure(name, arguments.pairs)]
    if missed:
        sys.exit(f"Not {GOAL:g} times as fast, as scikit-learn-intelex itself is: {', '.join(missed)}")


if __name__ == "__main__":
    main()
