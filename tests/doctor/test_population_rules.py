"""What is said of groups that are too rare, and what the patch does."""

import dataclasses
from typing import Any

from groundup.core.findings import Finding
from groundup.core.schema import Column, Schema
from groundup.doctor.contract import NotApplicable
from groundup.doctor.population_rules import under_represented
from groundup.doctor.signals import DataSignals

SIGNALS = DataSignals(Schema([Column("y", "category", "string")]), "y", "classification")


def group(label: str, status: str, ratio: float) -> dict[str, Any]:
    share = 0.2 * ratio
    facts = {"label": label, "n": round(100 * share), "share": share, "low": share / 2, "high": 2 * share}
    return {**facts, "population": 0.2, "ratio": ratio, "p_value": 0.001, "status": status}


def found(*groups: dict[str, Any], joint: tuple[dict[str, Any], ...] = (), **signals: Any) -> list[Finding]:
    columns = [{"column": "city", "n": 100, "distance": 0.2, "groups": list(groups)}]
    population = {"columns": columns, "joint": list(joint)}
    answer = under_represented(dataclasses.replace(SIGNALS, population=population, **signals))
    assert not isinstance(answer, NotApplicable)
    return list(answer)


def test_the_rarest_groups_come_first() -> None:
    groups = [group(name, "under", ratio) for name, ratio in (("a", 0.7), ("b", 0.3), ("c", 0.6), ("d", 0.5))]
    (finding,) = found(*groups, group("e", "absent", 0.0), group("f", "over", 2.0))
    assert finding.message.startswith(
        "By `city`, the training rows do not represent the population: `e` is absent, and should be 20 % of "
        "the rows; `b` is 6.0 % of the rows (3.0 % to 12 %), and should be 20 %; `d` is"
    )
    assert finding.message.endswith("; and 2 more groups.")
    assert finding.patch == {"evaluation.slices": ["city"]}


def test_columns_that_are_sliced_already_stay_so() -> None:
    rare = group("a", "under", 0.5)
    assert found(rare, sliced=("age",))[0].patch == {"evaluation.slices": ["age", "city"]}
    assert found(rare, sliced=("city",))[0].patch == {}


def test_pairs_are_one_finding() -> None:
    pair = {"columns": ["age", "sex"], "labels": [">60", "f"], "n": 3, "expected": 20.0, "p_value": 0.001}
    (finding,) = found(group("a", "alike", 1.0), joint=(pair,))
    assert "`age` `>60` and `sex` `f` have 3 rows where 20 would be expected" in finding.message
    assert finding.column is None


def test_without_a_population_it_says_what_to_state() -> None:
    answer = under_represented(dataclasses.replace(SIGNALS, population={"not_applicable": "none; state one"}))
    assert answer == NotApplicable("none; state one")
