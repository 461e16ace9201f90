"""Columns that give the target away are found by their lead; honest tables are left alone."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from groundup.data.options import DataOptions
from groundup.data.sources import read
from groundup.evaluation.formulas import find_formula
from groundup.evaluation.giveaways import Giveaways, find_giveaways
from groundup.evaluation.single_columns import as_numbers
from groundup.preparation.target import TargetPlan
from planted import unseen_faults
from planted.data_faults import HONEST, LEAKS, Table


def looked_at(table: Table) -> Giveaways | None:
    dataset = read(DataOptions(), frame=table.frame)
    target = TargetPlan.fit(dataset.frame()[table.target], table.task)
    names = [name for name in dataset.schema.names if name != table.target]
    frame = dataset.frame()
    return find_giveaways(
        frame.select(names),
        dataset.schema.select(names),
        target.encode(frame[table.target]),
        task=table.task,
        seed=1,
    )


def accused(found: Giveaways | None) -> set[str]:
    if found is None:
        return set()
    formula = () if found.formula is None else found.formula.columns
    return {*found.columns, *formula, *(each.column for each in found.presences)}


IN_TIME = {
    "next value",
    "week around",
    "month so far",
}  # told by the order of the rows, see test_availability


@pytest.mark.parametrize("name", sorted({*LEAKS, *unseen_faults.LEAKS} - IN_TIME))
def test_planted_leaks_are_found(name: str) -> None:
    table = {**LEAKS, **unseen_faults.LEAKS}[name](np.random.default_rng(5))
    assert set(table.leaks) <= accused(looked_at(table))


@pytest.mark.parametrize("name", sorted({*HONEST, *unseen_faults.HONEST}))
def test_honest_generated_tables_are_left_alone(name: str) -> None:
    assert accused(looked_at({**HONEST, **unseen_faults.HONEST}[name](np.random.default_rng(6)))) == set()


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("iris", "species"),
        ("wine", "cultivar"),
        ("breast_cancer", "diagnosis"),
        ("digits", "digit"),
        ("penguins", "species"),
        ("titanic", "survived"),
    ],
)
def test_honest_samples_are_left_alone(name: str, target: str) -> None:
    frame = read(DataOptions(source=f"sample:{name}")).frame()
    assert accused(looked_at(Table(frame, target, "classification"))) == set()


def test_wheat_seeds_are_honest_and_bike_counts_are_a_sum(shared_data: Callable[[str], Path]) -> None:
    seeds = read(DataOptions(source=str(shared_data("wheat-seeds") / "wheat_seeds.csv.gz"))).frame()
    assert accused(looked_at(Table(seeds, "variety", "classification"))) == set()
    bikes = read(DataOptions(source=str(shared_data("bike-hourly") / "hour.csv.gz"))).frame()
    assert accused(looked_at(Table(bikes, "cnt", "regression"))) == {"casual", "registered"}


def test_the_columns_left_out_of_titanic_are_found() -> None:
    from groundup.data.samples import _OPENML, SAMPLES, _arff, _folder, _text

    file = f"{_OPENML}id_40945/data-v1-dl-16826755.arff.gz"
    frame = _arff()([_text(_folder(SAMPLES["titanic"]) / file, SAMPLES["titanic"])])
    found = looked_at(Table(frame, "survived", "classification"))
    assert accused(found) == {"boat", "body"}


def test_errors_are_shares_of_guessing() -> None:
    random = np.random.default_rng(0)
    y = random.normal(size=400)
    found = looked_at(
        Table(pl.DataFrame({"copy": y, "noise": random.normal(size=400), "y": y}), "y", "regression")
    )
    assert found is not None
    (best, low), (_, high) = found.errors
    assert best == "copy"
    assert low < 0.01
    assert 0.8 < high < 2


def test_few_rows_or_one_column_are_not_compared() -> None:
    random = np.random.default_rng(0)
    frame = pl.DataFrame({"a": random.normal(size=40), "b": random.normal(size=40), "y": [0, 1] * 20})
    assert looked_at(Table(frame, "y", "classification")) is None
    long = pl.concat([frame] * 5)
    assert looked_at(Table(long.select("a", "y"), "y", "classification")) is None
    assert looked_at(Table(long, "y", "classification")) is not None


def test_the_result_is_the_same_twice() -> None:
    table = LEAKS["copy with noise"](np.random.default_rng(1))
    assert looked_at(table) == looked_at(table)


def test_products_are_formulas() -> None:
    random = np.random.default_rng(0)
    frame = pl.DataFrame({name: random.uniform(1, 9, 200) for name in ("price", "pieces", "weight")})
    schema = read(DataOptions(), frame=frame).schema
    found = find_formula(frame, schema, (frame["price"] * frame["pieces"]).to_numpy(), seed=0)
    assert found is not None
    assert (found.columns, found.is_product) == (("price", "pieces"), True)
    assert found.factors == pytest.approx((1.0, 1.0))


def test_extreme_values_are_no_trouble() -> None:
    random = np.random.default_rng(0)
    frame = pl.DataFrame({"a": random.normal(size=200) * 1e300, "b": [None, 1.0] * 100, "y": [0, 1] * 100})
    found = looked_at(Table(frame, "y", "classification"))
    assert found is not None
    assert "b" in accused(found)


def test_dates_are_numbers_in_order() -> None:
    days = pl.Series(["2024-01-02", None, "2024-01-01"]).str.to_datetime("%Y-%m-%d")
    first, missing, last = as_numbers(days)
    assert first > last
    assert np.isnan(missing)
