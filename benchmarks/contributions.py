"""Contributions of our trees against TreeExplainer of the package `shap`, of the same trees, in pairs.

`shap` brings a compiler along, so it stays in an environment of its own, in a process that answers with
the CPU time it took::

    python -m venv /tmp/peer && /tmp/peer/bin/pip install shap scikit-learn==VERSION
    python benchmarks/contributions.py --peer /tmp/peer/bin/python

VERSION is that of the environment that runs this file, so that both fit the same trees. Without
``--peer`` only our own times are shown. (``--pairs 30``; one row of each learner with ``--rows 1``.)
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parent))

from pairs import Comparison, cpu_seconds, keep_memory, readable, show  # noqa: I001  (one thread before NumPy)

import numpy as np

N_TRAIN, N_FEATURES = 5_000, 12
CASES = {  # learner → hyperparameters as scikit-learn names them, rows at a time
    "random_forest": ({"n_estimators": 100}, 20),
    "random_forest, leaves of 20 rows": ({"n_estimators": 100, "min_samples_leaf": 20}, 200),
    "hist_gradient_boosting": ({"max_iter": 200}, 500),
}


def data() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return training rows, their target, and rows to explain."""
    random = np.random.default_rng(0)
    X = random.normal(size=(N_TRAIN + 1_000, N_FEATURES))
    y = X[:, 0] + X[:, 1] * X[:, 2] + np.sin(3 * X[:, 3]) + random.normal(size=len(X))
    return X[:N_TRAIN], y[:N_TRAIN], X[N_TRAIN:]


def serve() -> None:
    """Answer lines ``[case, n_rows, file]`` with CPU seconds; write what was found if a file is named."""
    import shap
    from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor

    X, y, rows = data()
    explainers = {}
    for case, (settings, _) in CASES.items():
        if case.startswith("random_forest"):
            model = RandomForestRegressor(random_state=0, max_features=1.0, **settings)
        else:
            model = HistGradientBoostingRegressor(
                random_state=0, min_samples_leaf=20, early_stopping=False, **settings
            )
        model.fit(X.astype(np.float32) if case.startswith("random_forest") else X, y)
        explainers[case] = shap.TreeExplainer(model, feature_perturbation="tree_path_dependent")
    print("ready", flush=True)
    for line in sys.stdin:
        case, n_rows, file = json.loads(line)
        start = time.process_time()
        values = explainers[case].shap_values(rows[:n_rows], check_additivity=False)
        seconds = time.process_time() - start
        if file:
            np.save(file, values)
        print(seconds, flush=True)


class Peer:
    """The process with `shap`."""

    def __init__(self, python: str) -> None:
        self.process = subprocess.Popen(
            [python, __file__, "--serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline().strip() == "ready"

    def ask(self, case: str, n_rows: int, file: str = "") -> float:
        """Return the CPU seconds that explaining the first rows took."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps([case, n_rows, file]) + "\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())


def fit(case: str) -> object:
    """Return our learner, fitted."""
    import functools

    from groundup.core.inputs import Inputs
    from groundup.models.catalogue import make_learner
    from groundup.models.contract import FitContext
    from groundup.training.rounds import run_rounds

    X, y, _ = data()
    loop = functools.partial(
        run_rounds, early_stopping=None, emit=lambda **_: None, should_stop=lambda: False
    )
    settings = {name.replace("max_iter", "n_estimators"): value for name, value in CASES[case][0].items()}
    learner = make_learner(case.partition(",")[0], settings)
    return learner.fit(Inputs({"X": X, "y": y}), None, FitContext("regression", 0, 0, 1, loop, lambda: False))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", help="a Python that has shap and the same scikit-learn")
    parser.add_argument("--pairs", type=int, default=30)
    parser.add_argument("--rows", type=int, help="rows at a time, instead of as many as suit the case")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve()
        return
    from groundup.core.inputs import Inputs

    keep_memory()
    peer = Peer(arguments.peer) if arguments.peer else None
    rows = data()[2]
    for case, (_, usual) in CASES.items():
        fitted, n_rows = fit(case), arguments.rows or usual
        inputs = Inputs({"X": rows[:n_rows]})
        found = fitted.contributions(inputs).values  # type: ignore[attr-defined]
        error = np.abs(found.sum(axis=1)[:, 0] - fitted.predict(inputs).values).max()  # type: ignore[attr-defined]
        title = f"{case}, {n_rows} rows of {N_FEATURES} columns; sums are off by {error:.1e} at most"

        def ours(fitted: object = fitted, inputs: Inputs = inputs) -> object:
            return fitted.contributions(inputs)  # type: ignore[attr-defined]

        if peer is None:
            seconds = median(cpu_seconds(ours) for _ in range(arguments.pairs))
            print(f"{title}: {readable(seconds / n_rows)} a row")
            continue
        with tempfile.NamedTemporaryFile(suffix=".npy") as file:
            peer.ask(case, n_rows, file.name)
            theirs = np.load(file.name)
        apart = np.abs(theirs - found[:, :-1, 0]).max() / np.abs(theirs).max()
        pairs = [(cpu_seconds(ours), peer.ask(case, n_rows)) for _ in range(arguments.pairs)]
        comparison = Comparison(*(tuple(each) for each in zip(*pairs, strict=True)))
        show(f"{title}, apart from shap's by {apart:.1e} of the largest", "groundup", "shap", comparison)


if __name__ == "__main__":
    main()
