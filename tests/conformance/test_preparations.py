"""Contract "Preparation": one suite that every preparation passes."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest
from safetensors.numpy import load, save

from groundup.core.inputs import Inputs, Needs, Supervision
from groundup.core.schema import Column, Schema
from groundup.data.dataset import Dataset
from groundup.preparation.contract import Preparation
from groundup.preparation.options import PreparationOptions
from groundup.preparation.table import TablePreparation

PREPARATIONS: dict[str, Callable[[], Preparation]] = {
    "table": lambda: TablePreparation(PreparationOptions()),
    "rank": lambda: TablePreparation(
        PreparationOptions(scale="quantile_normal", outliers="flag", encode="frequency", text="tfidf")
    ),
    "target": lambda: TablePreparation(PreparationOptions(encode="target", outliers="clip")),
}
OUT_OF_FOLD = ("target",)
NEEDS = {
    "linear": Needs(scaled=True),
    "trees": Needs(categories="codes", missing=True),
    "plain": Needs(),
}
EACH = [(name, needs) for name in PREPARATIONS for needs in NEEDS]
SUPERVISION = Supervision(np.random.default_rng(3).integers(0, 2, 120), n_classes=2)
SCHEMA = Schema(
    [
        Column("age", "number", "float"),
        Column("city", "category", "string"),
        Column("since", "datetime", "datetime"),
        Column("member", "boolean", "boolean"),
    ]
)


def dataset(n_rows: int = 120, seed: int = 0) -> Dataset:
    random = np.random.default_rng(seed)

    def holes(values: list[object]) -> list[object]:
        return [None if random.random() < 0.1 else value for value in values]

    frame = pl.DataFrame(
        {
            "age": holes(random.normal(40, 12, n_rows).tolist()),
            "city": holes(random.choice(["Rome", "Bonn", "Oslo"], n_rows).tolist()),
            "since": holes(
                [datetime(2020, 1, 1) + timedelta(days=int(d)) for d in random.integers(0, 999, n_rows)]
            ),
            "member": holes([bool(each) for each in random.integers(0, 2, n_rows)]),
        },
        schema={"age": pl.Float64, "city": pl.String, "since": pl.Datetime("us"), "member": pl.Boolean},
    )
    return Dataset(frame.lazy(), SCHEMA, n_rows, "frame")


def fitted(name: str, needs: str) -> tuple[Preparation, Inputs]:
    preparation = PREPARATIONS[name]()
    inputs, kept = preparation.fit_transform(dataset(), NEEDS[needs], SUPERVISION)
    assert len(kept) == inputs.n_samples
    return preparation, inputs


@pytest.mark.parametrize(("name", "needs"), EACH)
def test_inputs_are_what_learners_expect(name: str, needs: str) -> None:
    _, inputs = fitted(name, needs)
    assert inputs.X.dtype == np.float64
    assert inputs.X.flags.c_contiguous
    assert inputs.X.shape == (inputs.n_samples, len(inputs.feature_names))
    assert len(set(inputs.feature_names)) == len(inputs.feature_names)
    assert NEEDS[needs].missing or np.isfinite(inputs.X).all()
    assert name != "table" or bool(inputs.categorical) == (NEEDS[needs].categories == "codes")
    if NEEDS[needs].scaled:
        assert np.abs(inputs.X).max() < 10


@pytest.mark.parametrize(("name", "needs"), EACH)
def test_training_rows_transform_to_the_same_inputs(name: str, needs: str) -> None:
    preparation, inputs = fitted(name, needs)
    again = preparation.transform(dataset().frame())
    assert (again.X.tobytes() == inputs.X.tobytes()) != (name in OUT_OF_FOLD)
    assert (again.feature_names, again.categorical) == (inputs.feature_names, inputs.categorical)


@pytest.mark.parametrize(("name", "needs"), EACH)
def test_rows_equal_batches(name: str, needs: str) -> None:
    preparation, _ = fitted(name, needs)
    new = dataset(40, seed=1).frame()
    rows = [preparation.transform_row(row) for row in new.to_dicts()]
    assert all(type(value) is float for row in rows for value in row)
    np.testing.assert_array_equal(rows, preparation.transform(new).X)


@pytest.mark.parametrize(("name", "needs"), EACH)
def test_state_is_json_and_arrays_and_comes_back(name: str, needs: str) -> None:
    preparation, inputs = fitted(name, needs)
    state, arrays = preparation.state()
    read = type(preparation).from_state(json.loads(json.dumps(state, allow_nan=False)), load(save(arrays)))
    again = preparation.transform(dataset().frame())
    assert read.transform(dataset().frame()).X.tobytes() == again.X.tobytes()
    assert again.feature_names == inputs.feature_names
    row = dataset(1, seed=2).frame().to_dicts()[0]
    np.testing.assert_array_equal(read.transform_row(row), preparation.transform_row(row))


@pytest.mark.parametrize(("name", "needs"), EACH)
def test_fitting_twice_gives_the_same_bits(name: str, needs: str) -> None:
    (one, first), (other, second) = fitted(name, needs), fitted(name, needs)
    assert first.X.tobytes() == second.X.tobytes()
    assert json.dumps(one.state()[0]) == json.dumps(other.state()[0])
