"""One prediction from a dict: a loaded package's `predict_row` against the booster's own calls.

200 trees behind 12 mixed columns (6 numbers, 4 categories, a boolean, a date); from a dict of raw
values to a label. Run ``python benchmarks/serving_row.py`` (``--trees 200``, ``--pairs 30``).
"""

import argparse
import functools
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from one_row import c_call  # noqa: I001  (with `pairs` first: it sets one thread before NumPy loads)
from pairs import compare, show

import numpy as np
import polars as pl

from groundup.core.inputs import FloatArray
from groundup.core.schema import Column, Schema
from groundup.data.dataset import Dataset
from groundup.models.catalogue import make_learner
from groundup.models.contract import FitContext
from groundup.models.lightgbm_native import FittedLightGBM
from groundup.preparation.options import PreparationOptions
from groundup.preparation.table import TablePreparation
from groundup.serving.model import Model
from groundup.serving.options import DeploymentOptions
from groundup.serving.package import PackageContents, load_package, write_package
from groundup.training.rounds import run_rounds

N_CALLS = 2_000


def mixed_table(n_rows: int = 20_000) -> tuple[pl.DataFrame, Schema]:
    """Return rows of 12 mixed columns."""
    random = np.random.default_rng(0)
    numbers = {f"number_{index}": random.normal(size=n_rows) for index in range(6)}
    levels = [f"level {index}" for index in range(12)]
    categories = {f"category_{index}": random.choice(levels, n_rows) for index in range(4)}
    days = pl.Series(random.integers(0, 2_000, n_rows) * 86_400_000_000).cast(pl.Datetime("us"))
    frame = pl.DataFrame({**numbers, **categories, "member": random.random(n_rows) > 0.5, "since": days})
    schema = Schema(
        [
            *(Column(name, "number", "float") for name in numbers),
            *(Column(name, "category", "string") for name in categories),
            Column("member", "boolean", "boolean"),
            Column("since", "datetime", "datetime"),
        ]
    )
    return frame, schema


def packaged(n_trees: int) -> tuple[Model, FittedLightGBM, FloatArray, dict[str, Any]]:
    """Return a model that went through a package, its booster, its prepared first row, and that row."""
    frame, schema = mixed_table()
    y = (frame["number_0"] + frame["member"].cast(pl.Float64) > 0.5).cast(pl.Int64).to_numpy()
    learner = make_learner("lightgbm", {"n_estimators": n_trees, "learning_rate": 0.1})
    preparation = TablePreparation(PreparationOptions())
    inputs, _ = preparation.fit_transform(Dataset(frame.lazy(), schema, len(frame), "frame"), learner.needs())
    loop = functools.partial(
        run_rounds, early_stopping=None, emit=lambda **_: None, should_stop=lambda: False
    )
    context = FitContext("classification", 2, 0, 1, loop, lambda: False)
    fitted = learner.fit(inputs.with_target(y), None, context)
    contents = PackageContents(
        task="classification",
        target="y",
        positive="yes",
        classes=("no", "yes"),
        schema=schema,
        preparation=preparation,
        fitted=fitted,
        learner="lightgbm",
        fitted_reference=learner.fitted,
        deployment=DeploymentOptions(),
    )
    with tempfile.TemporaryDirectory() as folder:
        write_package(Path(folder) / "model", contents)
        model = load_package(Path(folder) / "model")
    return model, fitted, inputs.X[:1], frame.row(0, named=True)  # type: ignore[return-value]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trees", type=int, default=200)
    parser.add_argument("--pairs", type=int, default=30)
    arguments = parser.parse_args()
    from lightgbm import Booster

    model, fitted, prepared, row = packaged(arguments.trees)
    title = f"One row from a dict, LightGBM, {arguments.trees} trees, 12 mixed columns"
    ours = functools.partial(model.predict_row, row)
    measure = functools.partial(compare, n_pairs=arguments.pairs)
    many = (N_CALLS, N_CALLS)
    call = c_call(fitted, prepared[0].tolist())
    show(title, "the C call on a prepared buffer", "dict to label", measure(call, ours, n_calls=many))
    encode = functools.partial(model._encode_row, row)
    show(title, "preparing the row", "dict to label", measure(encode, ours, n_calls=many))
    booster = Booster(model_str=fitted._text.decode())
    show(
        title,
        "dict to label",
        "Booster.predict on a prepared one-row array",
        measure(ours, lambda: booster.predict(prepared, num_threads=1), n_calls=(N_CALLS, 500)),
    )


if __name__ == "__main__":
    main()
