"""What gives the target away is named with its numbers, once."""

from typing import Any

import pytest

from groundup.core.findings import Finding
from groundup.core.schema import Column, Schema
from groundup.doctor.contract import NotApplicable
from groundup.doctor.fit_rules import more_data_would_help
from groundup.doctor.leak_rules import formula_text, gives_target_away, suspiciously_good
from groundup.doctor.signals import DataSignals, FitSignals, Span
from groundup.evaluation.formulas import Formula
from groundup.evaluation.giveaways import Giveaways, Presence

ERRORS = (("boat", 0.06), ("body", 0.3), ("sex", 0.6))
SCHEMA = Schema([*(Column(name, "number", "float") for name, _ in ERRORS), Column("y", "category", "string")])


def found(**changes: Any) -> list[Finding]:
    signals = DataSignals(
        SCHEMA,
        "y",
        "classification",
        features=("boat", "body", "sex"),
        class_counts={"died": 60, "lived": 40},
        giveaways=Giveaways(ERRORS, n_rows=100, **changes),
    )
    answer = gives_target_away(signals)
    assert not isinstance(answer, NotApplicable)
    return list(answer)


def test_an_honest_table_is_left_alone() -> None:
    assert found() == []


def test_a_column_is_named_beside_the_next_best() -> None:
    (finding,) = found(columns=("boat",), rest_error=0.5)
    assert finding.column == "boat"
    assert "`boat` alone leaves 6.0 %" in finding.message
    assert "together leave 50 %" in finding.message
    assert "(`body`) 30 %" in finding.message
    assert finding.patch == {"preparation.columns.boat.drop": True}
    assert finding.evidence["errors"] == [["boat", 0.06], ["body", 0.3], ["sex", 0.6]]


def test_a_column_filled_in_for_one_class_is_named_with_the_class() -> None:
    (finding,) = found(presences=(Presence("body", True, 0, 30, 1.0, 0.6),))
    assert "Where `body` is filled in (30 training rows), `y` is `died` in 100 %" in finding.message
    assert finding.evidence["class"] == "died"


def test_a_column_is_named_once() -> None:
    presence = Presence("boat", True, 1, 40, 0.99, 0.4)
    assert len(found(columns=("boat",), rest_error=0.5, presences=(presence,))) == 1


def test_a_formula_drops_its_columns() -> None:
    formula = Formula(("boat", "body"), (1.0, 1.0), 0.0, is_product=False)
    (finding,) = found(formula=formula, columns=("boat",), rest_error=0.5)
    assert "it is `boat` + `body`" in finding.message
    assert set(finding.patch) == {"preparation.columns.boat.drop", "preparation.columns.body.drop"}


def test_no_patch_leaves_no_column() -> None:
    formula = Formula(("boat", "body", "sex"), (1.0, 1.0, 2.0), 5.0, is_product=False)
    (finding,) = found(formula=formula)
    assert finding.patch == {}
    assert formula_text(formula) == "`boat` + `body` + 2 × `sex` + 5"


@pytest.mark.parametrize(("ratio", "speaks"), [(0.0099, True), (0.01, False), (0.5, False)])
def test_a_model_is_suspicious_below_a_hundredth_of_the_baseline(ratio: float, speaks: bool) -> None:
    slope = Span(0.2, 0.1, 0.3)
    signals = FitSignals("regression", "lightgbm", loss_ratio=ratio, slope=slope, outlook="helps")
    assert bool(suspiciously_good(signals)) is speaks
    assert bool(more_data_would_help(signals)) is not speaks


def test_what_was_not_measured_is_not_applicable() -> None:
    assert isinstance(gives_target_away(DataSignals(SCHEMA, "y", "regression")), NotApplicable)
    assert isinstance(suspiciously_good(FitSignals("regression", "lightgbm")), NotApplicable)
