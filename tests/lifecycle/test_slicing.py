"""Slices all the way: from the recipe to the report, the findings and the terminal."""

import json
from pathlib import Path

import pytest

import groundup as gu
from groundup.cli.summary import print_summary
from groundup.core.errors import UnknownColumnError

FEW = {"evaluation.importance_repeats": 0, "evaluation.folds": 2}


def test_slices_stand_in_the_report(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    overrides = {
        **FEW,
        "evaluation.slices": ["sex", "age", "embarked"],
        "preparation.columns.sex.drop": True,  # a slice need not be a feature
    }
    run = gu.train("sample:titanic", "survived", model="logistic", runs=tmp_path, overrides=overrides)
    slices = run.summary["slices"]
    assert [column["column"] for column in slices["columns"]] == ["sex", "age", "embarked"]
    assert slices["all"]["roc_auc"]["value"] == pytest.approx(run.metrics["roc_auc"]["value"])
    for column in slices["columns"]:
        assert sum(each["n_rows"] for each in column["slices"]) == run.summary["split"]["n_test"]
    page = run.report.read_text(encoding="utf-8")
    assert "Parts of the test rows" in page
    assert "ROC AUC by slice" in page
    print_summary(json.loads((run.folder / "report.json").read_text()), run.folder)
    out = " ".join(capfd.readouterr().out.split())
    assert "Slices roc_auc by sex: best" in out
    assert "too few rows in" in out


def test_without_slices_nothing_is_said(tmp_path: Path) -> None:
    run = gu.train("sample:iris", "species", model="baseline", runs=tmp_path, overrides=FEW)
    assert run.summary["slices"] is None
    assert "Parts of the test rows" not in run.report.read_text(encoding="utf-8")


def test_a_column_that_does_not_exist_is_refused_before_training(tmp_path: Path) -> None:
    with pytest.raises(UnknownColumnError, match="Did you mean `sex`"):
        gu.train("sample:titanic", "survived", runs=tmp_path, overrides={"evaluation.slices": ["sexx"]})
    assert not list(tmp_path.iterdir())
