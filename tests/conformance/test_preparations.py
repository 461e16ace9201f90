"""Contract "Preparation": one suite that every preparation passes."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import get_args

import numpy as np
import polars as pl
import pytest
from safetensors.numpy import load, save

from groundup.core.inputs import Inputs, Needs, Supervision
from groundup.core.schema import Column, Schema
from groundup.data.dataset import Dataset
from groundup.preparation.contract import Preparation
from groundup.preparation.options import PreparationOptions
from groundup.preparation.stages.catalogue import IMPUTATIONS, REDUCTIONS, STAGES
from groundup.preparation.table import TablePreparation

PREPARATIONS: dict[str, Callable[[], Preparation]] = {
    "table": lambda: TablePreparation(PreparationOptions()),
    "rank": lambda: TablePreparation(
        PreparationOptions(scale="quantile_normal", outliers="flag", encode="frequency", text="tfidf")
    ),
    "target": lambda: TablePreparation(PreparationOptions(encode="target", outliers="clip")),
}
SELECTIONS = [
    each for each in get_args(PreparationOptions.model_fields["select"].annotation) if each != "none"
]
STAGED = {
    **{impute: PreparationOptions(impute_numbers=impute, impute_donors=90) for impute in IMPUTATIONS},
    **{select: PreparationOptions(select=select, select_threshold=0.1) for select in SELECTIONS},
    **{reduce: PreparationOptions(reduce=reduce, reduce_components=3) for reduce in REDUCTIONS},
    "all stages": PreparationOptions(
        encode="target", impute_numbers="iterative", select="model", select_features=5, reduce="pca"
    ),
}
"""Every stage by itself, and several together; a new one is here as soon as it is in its table."""
PREPARATIONS |= {name: lambda options=options: TablePreparation(options) for name, options in STAGED.items()}
OUT_OF_FOLD = ("target", "all stages")
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
        Column("income", "number", "float"),
        Column("visits", "number", "integer"),
        Column("city", "category", "string"),
        Column("since", "datetime", "datetime"),
        Column("member", "boolean", "boolean"),
    ]
)


def dataset(n_rows: int = 120, seed: int = 0) -> Dataset:
    random = np.random.default_rng(seed)
    age = random.normal(40, 12, n_rows)

    def holes(values: list[object]) -> list[object]:
        return [None if random.random() < 0.1 else value for value in values]

    frame = pl.DataFrame(
        {
            "age": holes(age.tolist()),
            "income": holes((900 * age + random.normal(0, 9_000, n_rows)).tolist()),
            "visits": random.integers(0, 9, n_rows).tolist(),
            "city": holes(random.choice(["Rome", "Bonn", "Oslo"], n_rows).tolist()),
            "since": holes(
                [datetime(2020, 1, 1) + timedelta(days=int(d)) for d in random.integers(0, 999, n_rows)]
            ),
            "member": holes([bool(each) for each in random.integers(0, 2, n_rows)]),
        },
        schema={
            "age": pl.Float64,
            "income": pl.Float64,
            "visits": pl.Int64,
            "city": pl.String,
            "since": pl.Datetime("us"),
            "member": pl.Boolean,
        },
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
    # What acts on one column alone is equal to the last bit; sums over columns are not.
    tolerance = 1e-12 if name in STAGED else 0
    np.testing.assert_allclose(rows, preparation.transform(new).X, rtol=tolerance, atol=tolerance)


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
    assert save(one.state()[1]) == save(other.state()[1])


@pytest.mark.parametrize(("name", "needs"), [(name, needs) for name in STAGED for needs in NEEDS])
def test_stages_are_told_and_come_again_from_the_resolved_options(name: str, needs: str) -> None:
    preparation, inputs = fitted(name, needs)
    assert isinstance(preparation, TablePreparation)
    told = preparation.describe_stages()
    assert len(told) == len(preparation.stages) > 0
    assert {each["stage"] for each in told} <= set(STAGES)
    assert told[-1]["n_features"] == inputs.X.shape[1] == len(preparation.feature_sources)
    assert all(each["what"] and each["cost"] for each in told)
    assert all(len(row) == len(each["heading"]) for each in told for row in each["rows"])
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    again = TablePreparation(preparation.resolved_options())
    assert again.fit_transform(dataset(), NEEDS[needs], SUPERVISION)[0].X.tobytes() == inputs.X.tobytes()
    assert json.dumps(again.state()[0]) == json.dumps(preparation.state()[0])


def test_every_stage_is_in_the_suite() -> None:
    found = {stage.kind for name in STAGED for stage in fitted(name, "plain")[0].stages}  # type: ignore[attr-defined]
    assert found == set(STAGES)
