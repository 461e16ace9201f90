"""A population is stated by shares or by a file, in Python, in recipes and on the command line."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import groundup as gu
from groundup.core.errors import DataError, UnknownColumnError
from groundup.core.findings import Finding

SHARES = {"sex": {"f": 0.5, "m": 0.5}, "age": {"<40": 0.5, ">=40": 0.5}}


def people(n: int, *, women: float, seed: int = 0) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    age = rng.integers(20, 60, n)
    return pl.DataFrame(
        {
            "sex": np.where(rng.random(n) < women, "f", "m"),
            "age": age,
            "x": rng.normal(size=n),
            "y": np.where(rng.random(n) < 0.5, "yes", "no"),
        }
    )


def shortages(findings: tuple[Finding, ...]) -> list[str | None]:
    return [finding.column for finding in findings if finding.code == "D018"]


def test_shares_are_compared_with_the_training_rows() -> None:
    result = gu.check(people(1500, women=0.2), "y", overrides={"data.population": SHARES})
    assert shortages(result.findings) == ["sex"]
    sex = result.population["columns"][0]
    assert [group["status"] for group in sex["groups"]] == ["under", "over"]
    assert sum(group["n"] for group in sex["groups"]) == len(result.split.train)
    assert result.population["sentence"] == "Of 4 groups of the population, 1 is under-represented."
    json.dumps(result.to_json(), allow_nan=False)


def test_a_file_stands_for_the_population_and_its_path_is_relative_to_the_recipe(tmp_path: Path) -> None:
    people(600, women=0.2).write_csv(tmp_path / "rows.csv")
    people(900, women=0.5, seed=1).drop("y").write_csv(tmp_path / "census.csv")
    text = "data: {source: rows.csv, population: census.csv}\nproblem: {target: y}\n"
    (tmp_path / "recipe.yaml").write_text(text)
    run = gu.train(tmp_path / "recipe.yaml", model="naive_bayes", runs=tmp_path / "runs")
    assert shortages(tuple(run.findings)) == ["sex"]
    population = run.summary["population"]
    assert (population["n_population"], population["left_out"]) == (900, {})
    assert population["origin"] == str(tmp_path / "census.csv")
    page = run.report.read_text(encoding="utf-8")
    assert "Whom the rows represent" in page
    assert "under-represented" in page
    assert gu.reproduce(run.folder).equal


def test_without_a_population_nothing_is_judged(tmp_path: Path) -> None:
    result = gu.check(people(200, women=0.2), "y")
    assert result.population == {"not_applicable": "no population is stated; name one in `data.population`"}
    assert shortages(result.findings) == []


def test_rows_of_one_entity_count_as_one() -> None:
    frame = people(64, women=0.3).with_row_index("who")
    frame = frame.with_columns(sex=pl.when(pl.col("who") % 8 < 3).then(pl.lit("f")).otherwise(pl.lit("m")))
    frame = pl.concat([frame.with_columns(x=pl.lit(float(i))) for i in range(10)])
    overrides = {"data.population": {"sex": {"f": 0.5, "m": 0.5}}}
    assert shortages(gu.check(frame.drop("who"), "y", overrides=overrides).findings) == ["sex"]
    grouped = gu.check(frame, "y", overrides={**overrides, "data.split.group": "who"})
    assert shortages(grouped.findings) == []
    assert grouped.population["columns"][0]["n_independent"] < 50


def test_what_the_rows_do_not_have_is_refused() -> None:
    rows = people(100, women=0.5)
    with pytest.raises(UnknownColumnError, match="Did you mean `sex`"):
        gu.check(rows, "y", overrides={"data.population": {"sexx": {"f": 1.0}}})
    with pytest.raises(DataError, match=r"No training row belongs to a group of `sex`.*`f`, `m`"):
        gu.check(rows, "y", overrides={"data.population": {"sex": {"female": 0.5, "male": 0.5}}})


def test_a_file_without_a_column_of_the_rows_compares_nothing(tmp_path: Path) -> None:
    pl.DataFrame({"other": ["a", "b"] * 10}).write_csv(tmp_path / "census.csv")
    overrides = {"data.population": str(tmp_path / "census.csv")}
    result = gu.check(people(100, women=0.5), "y", overrides=overrides)
    assert "no column of the population" in result.population["not_applicable"]
