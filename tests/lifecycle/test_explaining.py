"""Contributions all the way: from the recipe to the report, the package and a file of predictions."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

import groundup as gu
from groundup.core.errors import NotExplainedError
from groundup.core.inputs import Contributions, FloatArray, Inputs
from groundup.data.options import DataOptions
from groundup.data.sources import read
from groundup.lifecycle import explaining, predict


@pytest.fixture(scope="module")
def titanic(tmp_path_factory: pytest.TempPathFactory) -> gu.Run:
    return gu.train(
        "sample:titanic",
        "survived",
        model=[{"name": "lightgbm", "n_estimators": 30}],
        runs=tmp_path_factory.mktemp("runs"),
        overrides={
            "evaluation.importance_repeats": 0,
            "evaluation.folds": 2,
            "preparation.columns.name.drop": True,
        },
    )


def test_the_report_says_what_moves_predictions(titanic: gu.Run) -> None:
    found = titanic.summary["contributions"]
    assert found["scale"] == "log_odds"
    assert found["of"] == titanic.model.manifest.positive
    assert found["n_rows"] == found["n_rows_part"] == titanic.summary["split"]["n_validation"]
    assert found["columns"][0]["column"] == "sex"
    assert {row["column"] for row in found["columns"]} == set(titanic.model.schema.names)
    assert [each["title"] for each in found["examples"]] == ["typical", "outstanding", "worst"]
    for each in found["examples"]:
        others = each["others"] or {"contribution": 0.0}
        parts = sum(term["contribution"] for term in each["terms"]) + others["contribution"]
        assert each["base_value"] + parts == pytest.approx(each["total"], abs=1e-9)
        assert each["probability"] == pytest.approx(1 / (1 + np.exp(-each["total"])), abs=1e-9)
    worst = found["examples"][-1]
    assert worst["answer"] != worst["observed"]
    page = titanic.report.read_text(encoding="utf-8")
    assert "What moves single predictions" in page
    assert "The largest error" in page


def test_an_example_is_the_row_it_names(titanic: gu.Run) -> None:
    rows = read(DataOptions(source="sample:titanic")).frame()  # every row of it has a target
    for each in titanic.summary["contributions"]["examples"]:
        row = rows.row(each["row"], named=True)
        assert row["survived"] == each["observed"]
        assert {term["column"]: term["value"] for term in each["terms"]} == {
            term["column"]: row[term["column"]] for term in each["terms"]
        }


def test_a_file_of_predictions_holds_them(titanic: gu.Run, tmp_path: Path) -> None:
    empty = dict.fromkeys(titanic.model.schema.names)
    result = predict(
        titanic.folder, [empty, {**empty, "sex": "female"}], tmp_path / "out.parquet", contributions=True
    )
    assert "log-odds" in result["contributions"]
    out = pl.read_parquet(tmp_path / "out.parquet")
    parts = out.select(pl.col("^contribution_.*$"), "base_value")
    assert parts.width == len(titanic.model.schema.names) + 1
    positive = f"probability_{titanic.model.manifest.positive}"
    np.testing.assert_allclose(1 / (1 + np.exp(-parts.to_numpy().sum(axis=1))), out[positive], atol=1e-9)


def test_what_cannot_be_explained_is_said_in_the_report_and_before_anything_is_written(
    tmp_path: Path,
) -> None:
    run = gu.train(
        "sample:iris",
        "species",
        model="knn",
        runs=tmp_path,
        overrides={"evaluation.folds": 2, "evaluation.importance_repeats": 1},
    )
    assert list(run.summary["contributions"]) == ["why_not"]
    assert "no sum over the columns" in run.report.read_text(encoding="utf-8")
    with pytest.raises(NotExplainedError, match="Permutation importance"):
        predict(run.folder, "sample:iris", tmp_path / "out.csv", contributions=True)
    assert not (tmp_path / "out.csv").exists()


def test_it_can_be_left_out(tmp_path: Path) -> None:
    overrides = {
        "evaluation.contribution_rows": 0,
        "evaluation.folds": 2,
        "evaluation.importance_repeats": 0,
    }
    run = gu.train("sample:iris", "species", model="logistic", runs=tmp_path, overrides=overrides)
    assert run.summary["contributions"] is None
    assert "What moves single predictions" not in run.report.read_text(encoding="utf-8")


def test_several_classes_are_explained_about_the_answer(tmp_path: Path) -> None:
    overrides = {"evaluation.folds": 2, "evaluation.importance_repeats": 0}
    run = gu.train("sample:iris", "species", model="logistic", runs=tmp_path, overrides=overrides)
    found = run.summary["contributions"]
    assert found["scale"] == "score"
    assert found["of"] in run.model.classes
    assert set(found["columns"][0]["by_class"]) == {str(label) for label in run.model.classes}
    assert all(each["of"] == each["answer"] for each in found["examples"])


class Slow:
    """Explains rows at a known price: a second each."""

    def __init__(self, clock: list[float]) -> None:
        self.clock, self.asked = clock, []

    def by_class(self, inputs: Inputs) -> Contributions:
        self.clock[0] += inputs.n_samples * self.price
        self.asked.append(inputs.n_samples)
        values: FloatArray = np.zeros((inputs.n_samples, 3, 1))
        return Contributions(values, "value")

    price = 0.02


def test_rows_are_as_many_as_there_is_time_for(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(explaining.time, "process_time", lambda: clock[0])
    inputs = Inputs({"X": np.zeros((1000, 2))})
    slow = Slow(clock)
    found, seconds = explaining._explained(slow, inputs)  # type: ignore[arg-type]
    assert slow.asked == [20, 130]
    assert len(found.values) == 150
    assert seconds == pytest.approx(3.0)
    Slow.price = 1.0
    slow = Slow(clock)
    assert len(explaining._explained(slow, inputs)[0].values) == 20  # type: ignore[arg-type]
    Slow.price = 0.0
    assert len(explaining._explained(Slow(clock), inputs)[0].values) == 1000  # type: ignore[arg-type]
