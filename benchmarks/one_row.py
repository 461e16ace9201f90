"""One prediction from a prepared row: `Fitted.predict_row` against the booster's own calls.

Run ``python benchmarks/one_row.py`` (``--trees 200``, ``--pairs 30``).
"""

import argparse
import ctypes
import functools
import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from pairs import compare, show  # noqa: I001  (sets one thread before NumPy loads)

import numpy as np

from groundup.core.inputs import Inputs
from groundup.models.catalogue import make_learner
from groundup.models.contract import FitContext
from groundup.models.lightgbm_native import FittedLightGBM
from groundup.training.rounds import run_rounds

N_CALLS = 2_000


def fit(name: str, n_features: int, hyperparameters: dict[str, object]) -> tuple[FittedLightGBM, list[float]]:
    """Return a fitted learner for two classes and one row."""
    random = np.random.default_rng(0)
    X = random.normal(size=(20_000, n_features))
    y = (X[:, 0] + X[:, 1] * X[:, 2] + random.normal(size=len(X)) > 0).astype(np.int64)
    loop = functools.partial(
        run_rounds, early_stopping=None, emit=lambda **_: None, should_stop=lambda: False
    )
    context = FitContext("classification", 2, 0, 1, loop, lambda: False)
    fitted = make_learner(name, hyperparameters).fit(Inputs({"X": X, "y": y}), None, context)
    return fitted, X[0].tolist()  # type: ignore[return-value]


def c_call(fitted: FittedLightGBM, row: list[float]) -> functools.partial[int]:
    """Return LightGBM's single-row fast call on a prepared buffer and nothing else."""
    from lightgbm.basic import _LIB, Booster

    booster = Booster(model_str=fitted._text.decode())
    config, n_written = ctypes.c_void_p(), ctypes.c_int64()
    _LIB.LGBM_BoosterPredictForMatSingleRowFastInit(
        booster._handle, 0, 0, -1, 1, len(row), b"num_threads=1", ctypes.byref(config)
    )
    buffer, output = (ctypes.c_double * len(row))(), (ctypes.c_double * 1)()
    struct.pack_into(f"={len(row)}d", buffer, 0, *row)
    call = functools.partial(
        _LIB.LGBM_BoosterPredictForMatSingleRowFast,
        config,
        ctypes.byref(buffer),
        ctypes.byref(n_written),
        ctypes.byref(output),
    )
    call.booster = booster  # type: ignore[attr-defined]  # keeps the model alive
    assert call() == 0
    assert [1 - output[0], output[0]] == fitted.predict_row(row)
    return call


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trees", type=int, default=200)
    parser.add_argument("--pairs", type=int, default=30)
    arguments = parser.parse_args()
    from lightgbm import Booster

    fitted, row = fit("lightgbm", 12, {"n_estimators": arguments.trees, "learning_rate": 0.1})
    title = f"One row, LightGBM, {arguments.trees} trees, 12 features"
    ours = functools.partial(fitted.predict_row, row)
    many = (N_CALLS, N_CALLS)
    show(
        title,
        "the C call on a prepared buffer",
        "predict_row",
        compare(c_call(fitted, row), ours, n_pairs=arguments.pairs, n_calls=many),
    )
    booster = Booster(model_str=fitted._text.decode())
    array = np.array([row])
    show(
        title,
        "predict_row",
        "Booster.predict on a one-row array",
        compare(
            ours,
            lambda: booster.predict(array, num_threads=1),
            n_pairs=arguments.pairs,
            n_calls=(N_CALLS, 500),
        ),
    )
    linear, row = fit("logistic", 100, {})
    one = Inputs({"X": np.array([row])})
    show(
        "One row, logistic regression, 100 features",
        "predict_row",
        "predict on a one-row array",
        compare(
            functools.partial(linear.predict_row, row),
            lambda: linear.predict(one),
            n_pairs=arguments.pairs,
            n_calls=many,
        ),
    )


if __name__ == "__main__":
    main()
