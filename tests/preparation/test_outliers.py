import json
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundup.core.errors import DataError
from groundup.core.inputs import Needs
from groundup.core.schema import Column, Schema
from groundup.data.dataset import Dataset
from groundup.preparation.fitting import fit_table, tell_outliers
from groundup.preparation.numbers import NumberPlan
from groundup.preparation.options import ColumnPreparation, PreparationOptions
from groundup.preparation.outliers import Outliers, find_outliers
from groundup.preparation.plan import Choice
from groundup.preparation.table import TablePreparation

SCHEMA = Schema([Column("a", "number", "float"), Column("n", "number", "integer")])
CELLS = st.one_of(st.none(), st.floats(-1e300, 1e300), st.floats(-50, 50))


def dataset(values: list[Any]) -> Dataset:
    frame = pl.DataFrame(
        {"a": values, "n": list(range(len(values)))}, schema={"a": pl.Float64, "n": pl.Int64}
    )
    return Dataset(frame.lazy(), SCHEMA, len(frame), "frame")


def choice(action: str, rule: str = "iqr", reach: float = 1.5) -> Choice:
    return Choice("number", False, outliers=action, outlier_rule=rule, outlier_reach=reach)


def test_bounds_are_tukeys_fences_or_outer_quantiles() -> None:
    values = np.append(np.arange(1.0, 10.0), 100.0)
    first, third = np.quantile(values, (0.25, 0.75))
    found = find_outliers(values, choice("clip"))
    assert found is not None
    assert (found.low, found.high) == (first - 1.5 * (third - first), third + 1.5 * (third - first))
    assert found.n_outside == 1
    outer = find_outliers(values, choice("flag", "quantiles", 0.2))
    assert outer is not None
    assert (outer.low, outer.high) == tuple(np.quantile(values, (0.2, 0.8)))
    assert find_outliers(values, choice("none")) is None
    assert find_outliers(np.array([1.0, 1.0, 1.0, 1.0, 9.0]), choice("clip")) is None


def test_clipped_values_change_nothing_else() -> None:
    values = [float(value) for value in range(20)] + [1000.0, None]
    preparation = TablePreparation(PreparationOptions(outliers="clip"))
    X = preparation.fit_transform(dataset(values), Needs())[0].X
    high = X[:, 0].max()
    assert high < 50
    assert X[:19, 0].tolist() == values[:19]
    assert preparation.transform_row({"a": 1e9, "n": 3})[0] == high
    assert preparation.transform_row({"a": float("inf"), "n": 3})[:2] == [9.5 + 0.5, 1.0]


def test_flagged_values_are_kept() -> None:
    values = [float(value) for value in range(20)] + [1000.0, None]
    preparation = TablePreparation(PreparationOptions(columns={"a": ColumnPreparation(outliers="flag")}))
    inputs, _ = preparation.fit_transform(dataset(values), Needs())
    assert inputs.feature_names == ("a", "a (missing)", "a (outlier)", "n")
    assert inputs.X[-2].tolist() == [1000.0, 0.0, 1.0, 20.0]
    assert inputs.X[:, 2].sum() == 1
    assert "1 value (4.8 %)" in preparation.describe()[0]["steps"][0]


def test_rows_are_dropped_in_training_only() -> None:
    values = [float(value) for value in range(20)] + [1000.0, None]
    options = PreparationOptions(columns={"a": ColumnPreparation(outliers="drop_rows")})
    preparation = TablePreparation(options)
    inputs, kept = preparation.fit_transform(dataset(values), Needs())
    assert kept.tolist() == [*range(20), 21]
    assert inputs.X[:20, 0].tolist() == values[:20]
    assert preparation.transform(dataset(values).frame()).X[20, 0] == 1000.0
    step = preparation.describe()[0]["steps"][0]
    assert step.startswith("1 value (4.8 %) below ")
    assert step.endswith("taken out of training with their rows")
    again = TablePreparation(preparation.resolved_options())
    assert again.fit_transform(dataset(values), Needs())[0].X.tobytes() == inputs.X.tobytes()
    assert again.state() == preparation.state()


def test_no_row_left_is_an_error() -> None:
    frame = pl.DataFrame({"a": [0.0, 1.0], "b": [0.0, 1.0]})
    schema = Schema([Column("a", "number", "float"), Column("b", "number", "float")])
    options = PreparationOptions(outliers="drop_rows", outlier_rule="quantiles", outlier_share=0.4)
    with pytest.raises(DataError, match="is missing or an outlier"):
        fit_table(Dataset(frame.lazy(), schema, 2, "frame"), options, Needs())


def test_outliers_are_told_before_anything_is_done() -> None:
    values = [float(value) for value in range(20)] + [1000.0, None]
    assert tell_outliers(dataset(values), PreparationOptions()) == []
    own = PreparationOptions(columns={"a": ColumnPreparation(outliers="drop_rows")})
    (told,) = tell_outliers(dataset(values), own)
    assert told.startswith("`a`: 1 value (4.8 %) below -10 or above 30 (more than 1.5 interquartile ranges")
    assert len(tell_outliers(dataset(values), PreparationOptions(outliers="clip"))) == 1


@settings(deadline=None, max_examples=40)
@given(
    st.lists(CELLS, min_size=4, max_size=30),
    st.lists(CELLS, min_size=1, max_size=10),
    st.sampled_from(["clip", "flag", "drop_rows"]),
    st.sampled_from(["iqr", "quantiles"]),
    st.sampled_from([Needs(scaled=True), Needs(missing=True)]),
)
def test_rows_equal_batches(
    training: list[float | None], rows: list[float | None], action: str, rule: str, needs: Needs
) -> None:
    options = PreparationOptions(outliers=action, outlier_rule=rule)  # type: ignore[arg-type]
    preparation = TablePreparation(options)
    try:
        inputs, kept = preparation.fit_transform(dataset(training), needs)
    except DataError:
        return
    assert len(kept) == inputs.n_samples
    state = json.loads(json.dumps(preparation.state()[0], allow_nan=False))
    read = TablePreparation.from_state(state, {})
    new = dataset(rows).frame()
    batch = preparation.transform(new).X
    np.testing.assert_array_equal([preparation.transform_row(row) for row in new.to_dicts()], batch)
    assert read.transform(new).X.tobytes() == batch.tobytes()


def test_large_integers_are_compared_as_in_a_column() -> None:
    outliers = Outliers("flag", 0.0, 2.0**53, 0, 1, "")
    out = [0.0, 0.0]
    plan_write = outliers.compile_row(lambda value, out: out.__setitem__(0, value), 1)
    plan_write(2**53 + 1, out)
    assert out == [2.0**53, 0.0]
    plan_write(10**400, out)
    assert np.isnan(out[0])


def test_old_states_have_no_outliers() -> None:
    state = {
        "seen": [2, 0],
        "impute": "median",
        "fill": 1.0,
        "has_indicator": False,
        "scaling": ["none", 0, 1],
    }
    plan = NumberPlan.from_state(SCHEMA["a"], state)
    assert plan.outliers is None
    assert plan.state() == {**state, "scaling": ["none", 0, 1]}
