"""How often conformal intervals and sets hold the truth, over many calibration parts (goal: 90 ± 1.5 %).

Each resample draws training, validation and test rows anew, fits a learner, keeps the scores of the
validation part as `groundup train` does, and counts how many of 1 000 test rows are inside. Once with
a learner that never saw the validation part, and once with boosted trees that it stopped early, to
show what that costs. One resample varies by about 100 * sqrt(0.9 * 0.1 / (n + 2)) points; the mean of
200 by a fourteenth of it.

Under half a minute of CPU with the defaults. `--resamples 1000` for a closer look.
"""

import os

for _name in ("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[_name] = "1"

import argparse  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from functools import partial  # noqa: E402

import numpy as np  # noqa: E402

from groundup.core.inputs import FloatArray, Inputs, IntArray  # noqa: E402
from groundup.core.tasks import Task  # noqa: E402
from groundup.evaluation.conformal import ConformalScores, conformal_scores, in_sets  # noqa: E402
from groundup.models.catalogue import make_learner  # noqa: E402
from groundup.models.contract import FitContext  # noqa: E402
from groundup.training.options import EarlyStopping  # noqa: E402
from groundup.training.rounds import run_rounds  # noqa: E402

N_TRAIN, N_TEST, N_COLUMNS, N_CLASSES = 400, 1000, 5, 3
CASES: tuple[tuple[Task, str, dict[str, object]], ...] = (
    ("regression", "ridge", {}),
    ("regression", "lightgbm", {"n_estimators": 200, "num_leaves": 8}),
    ("classification", "logistic", {}),
    ("classification", "lightgbm", {"n_estimators": 200, "num_leaves": 8}),
)


def draw(task: Task, n: int, random: np.random.Generator) -> tuple[FloatArray, FloatArray | IntArray]:
    """Return rows whose noise has heavy tails and grows, or whose classes overlap."""
    X = random.normal(size=(n, N_COLUMNS))
    if task == "regression":
        noise = random.standard_t(4, n) * (0.5 + np.abs(X[:, 1]))
        return X, np.sin(2 * X[:, 0]) * 2 + X[:, 2] + noise
    logits = np.stack([X[:, 0], X[:, 1] * X[:, 2], np.abs(X[:, 3]) - 1], axis=1) * 1.2
    return X, (logits + random.gumbel(size=(n, N_CLASSES))).argmax(axis=1)


def coverage(task: Task, name: str, values: dict[str, object], n_validation: int, seed: int) -> float:
    """Return the share of test rows whose truth is inside, for one resample."""
    random = np.random.default_rng(seed)
    names = tuple(f"x{index}" for index in range(N_COLUMNS))
    parts = []
    for n in (N_TRAIN, n_validation, N_TEST):
        X, y = draw(task, n, random)
        parts.append(Inputs({"X": X, "y": y}, names))
    train, validation, test = parts
    rounds = partial(
        run_rounds,
        early_stopping=EarlyStopping(patience_rounds=20),
        emit=lambda **_fact: None,
        should_stop=lambda: False,
    )
    n_classes = N_CLASSES if task == "classification" else 0
    context = FitContext(task, n_classes, 0, 1, rounds, lambda: False)
    fitted = make_learner(name, values).fit(train, validation, context)
    scores = conformal_scores(validation.y, fitted.predict(validation))
    radius, predictions = ConformalScores.fit(scores).radius(0.9), fitted.predict(test)
    if predictions.probabilities is None:
        return float((conformal_scores(test.y, predictions) <= radius).mean())
    sets = in_sets(predictions.probabilities, radius)
    return float(sets[np.arange(N_TEST), test.y.astype(np.int64)].mean())


def main() -> int:
    """Print the table; 1 if a mean coverage is outside 90 ± 1.5 %."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--resamples", type=int, default=200)
    parser.add_argument("--validation", type=int, default=150)
    arguments = parser.parse_args()
    n, is_good = arguments.validation, True
    print(f"{arguments.resamples} resamples; {N_TRAIN} training, {n} validation, {N_TEST} test rows (90 %)")
    print(f"  {'':<32}{'mean':>8}{'± of the mean':>16}{'5 % to 95 %':>18}")
    for task, name, values in CASES:
        found = np.array([coverage(task, name, values, n, seed) for seed in range(arguments.resamples)])
        mean, error = found.mean(), found.std(ddof=1) / np.sqrt(len(found))
        low, high = np.quantile(found, [0.05, 0.95])
        print(f"  {task + ', ' + name:<32}{mean:>8.1%}{error:>16.2%}{low:>10.1%} to {high:.1%}", flush=True)
        is_good &= abs(mean - 0.9) <= 0.015
    print(f"{time.process_time():.0f} s of CPU   (goal: every mean within 1.5 points of 90 %)")
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
