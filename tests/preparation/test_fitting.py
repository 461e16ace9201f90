from pathlib import Path

import polars as pl

from groundup.core.inputs import Needs
from groundup.core.schema import Column, Schema
from groundup.data.dataset import Dataset
from groundup.preparation.fitting import FITTERS, fit_table
from groundup.preparation.options import ColumnPreparation, PreparationOptions
from groundup.preparation.row import PLANS

FRAME = pl.DataFrame({"a": [1.0, 2.0, None], "b": ["x", "y", "y"], "c": [1, 1, 1]})
SCHEMA = Schema(
    [Column("a", "number", "float"), Column("b", "category", "string"), Column("c", "number", "integer")]
)


def dataset(names: list[str]) -> Dataset:
    return Dataset(FRAME.lazy().select(names), SCHEMA.select(names), 3, "frame")


def test_every_kind_of_plan_has_a_fitter() -> None:
    assert {*FITTERS, "target_category"} == set(PLANS)


def test_plans_stand_in_the_order_of_the_schema() -> None:
    fit = fit_table(dataset(["b", "c", "a"]), PreparationOptions(rare_below=1), Needs())
    assert [plan.column.name for plan in fit.plans] == ["b", "a"]
    assert list(fit.dropped) == ["c"]
    assert fit.kept.tolist() == [0, 1, 2]


def test_columns_dropped_earlier_stay_dropped_in_the_resolved_options() -> None:
    first = fit_table(dataset(["a", "b", "c"]), PreparationOptions(rare_below=1), Needs())
    resolved = PreparationOptions.model_validate(first.resolved)
    assert resolved.columns["c"] == ColumnPreparation(drop=True)
    again = fit_table(dataset(["a", "b"]), resolved, Needs())
    assert list(again.resolved["columns"]) == ["a", "b", "c"]
    assert again.resolved == first.resolved


def test_rows_are_read_from_a_file_as_from_memory(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    FRAME.write_parquet(path)
    scanned = Dataset(pl.scan_parquet(path), SCHEMA, 3, "file")
    options = PreparationOptions(columns={"a": ColumnPreparation(impute="drop_rows")}, rare_below=1)
    fit = fit_table(scanned, options, Needs())
    assert fit.kept.tolist() == [0, 1]
    assert fit.plans == fit_table(dataset(["a", "b", "c"]), options, Needs()).plans
