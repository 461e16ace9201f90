"""The rules about slices speak of clear gaps alone."""

import copy
from typing import Any

from groundup.doctor.contract import NotApplicable
from groundup.doctor.signals import FitSignals
from groundup.doctor.slice_rules import unequal_rates, worse_on_a_slice

GAP = {"value": 0.2, "low": 0.1, "high": 0.3, "p_value": 0.001, "is_clear": True}


def signals(**gaps: Any) -> FitSignals:
    scores = [{"accuracy": {"value": v}, "true_positive_rate": {"value": v}} for v in (0.9, 0.7)]
    slices = [
        {"label": label, "n_rows": 50, "scores": each} for label, each in zip("ab", scores, strict=True)
    ]
    column = {
        "column": "city",
        "slices": [*slices, {"label": "c", "n_rows": 1, "scores": None}],
        "gaps": gaps,
    }
    return FitSignals("classification", "ridge", metric="accuracy", slices={"columns": [column]})


def test_a_clear_gap_names_both_ends() -> None:
    (finding,) = worse_on_a_slice(signals(accuracy={"best": "a", "worst": "b", **GAP}))
    assert (finding.code, finding.column) == ("V001", "city")
    assert "`b`, accuracy is 0.7; where it is `a`, 0.9" in finding.message


def test_a_gap_that_may_be_chance_is_silent() -> None:
    gap = {**copy.deepcopy(GAP), "is_clear": False, "best": "a", "worst": "b"}
    gap["clearest"] = dict(gap)
    assert list(worse_on_a_slice(signals(accuracy=gap))) == []


def test_the_clearest_pair_speaks_where_the_extremes_cannot() -> None:
    clearest = {"best": "a", "worst": "b", **GAP}
    gap = {**GAP, "is_clear": False, "best": "a", "worst": "c", "clearest": clearest}
    (finding,) = worse_on_a_slice(signals(accuracy=gap))
    assert finding.evidence["worst"] == "b"


def test_rates_are_told_for_two_classes() -> None:
    gap = {"highest": "a", "lowest": "b", **GAP}
    (finding,) = unequal_rates(signals(true_positive_rate=gap))
    assert "is found where it is true for 90 % of `a` and 70 % of `b`" in finding.message
    assert isinstance(unequal_rates(signals(accuracy=gap)), NotApplicable)
    assert isinstance(unequal_rates(FitSignals("regression", "ridge")), NotApplicable)
