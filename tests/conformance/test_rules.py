"""Every rule keeps the contract: pure, documented, deterministic, silent on health, loud on a fault."""

import copy
import dataclasses
import inspect
import json
from collections.abc import Iterable
from typing import Any

import pytest

from groundup.core.findings import CODES, Finding
from groundup.core.schema import Column, Schema
from groundup.data.options import DataOptions
from groundup.doctor import data_rules, fit_rules
from groundup.doctor.contract import NotApplicable
from groundup.doctor.examine import load_rule
from groundup.doctor.rules import DATA_RULES, FIT_RULES, RULES, USE_RULES
from groundup.doctor.signals import DataSignals, DoubtfulTargets, FitSignals, Span, UseSignals
from groundup.evaluation.availability import Availability, Change, LaterDates
from groundup.evaluation.giveaways import Giveaways
from groundup.evaluation.options import EvaluationOptions
from groundup.models.catalogue import LEARNERS, make_learner
from groundup.monitoring.options import MonitoringOptions
from groundup.preparation.options import PreparationOptions
from groundup.problems.options import ProblemOptions
from groundup.serving.options import DeploymentOptions
from groundup.training.options import TrainingOptions
from groundup.tuning.options import TuningOptions

SECTIONS = {
    "problem": ProblemOptions,
    "data": DataOptions,
    "preparation": PreparationOptions,
    "training": TrainingOptions,
    "evaluation": EvaluationOptions,
    "tuning": TuningOptions,
    "deployment": DeploymentOptions,
    "monitoring": MonitoringOptions,
}

Signals = DataSignals | FitSignals | UseSignals

SCHEMA = Schema(
    [
        Column("age", "number", "integer"),
        Column("city", "category", "string"),
        Column("id", "identifier", "string", reason="as many values as rows"),
        Column("y", "category", "string"),
    ]
)


def column(name: str, n_missing: int = 0, n_unique: int = 30) -> dict[str, Any]:
    return {"name": name, "n": 100, "n_missing": n_missing, "n_unique": n_unique}


def population(status: str) -> dict[str, Any]:
    """Return a comparison with a population in which one group of `city` has this status."""
    group = {"label": "Ulm", "n": 20, "share": 0.2, "low": 0.1, "high": 0.3, "population": 0.5, "ratio": 0.4}
    groups = [{**group, "p_value": 0.001, "status": status}]
    return {"columns": [{"column": "city", "n": 100, "distance": 0.3, "groups": groups}], "joint": []}


HEALTHY_DATA = DataSignals(
    SCHEMA,
    "y",
    "classification",
    features=("age", "city"),
    profile=(column("age", 3), column("city"), column("id", 0, 100), column("y", 0, 2)),
    n_rows_read=160,
    n_rows_without_target=0,
    n_train=100,
    n_validation=30,
    n_test=30,
    class_counts={"no": 60, "yes": 40},
    giveaways=Giveaways((("age", 0.6), ("city", 0.9)), n_rows=100),
    population=population("alike"),
    availability=Availability("day"),
)

GAPS = {"roc_auc": ("best", "worst"), "selection_rate": ("highest", "lowest")}


def slices(clear: str = "") -> dict[str, Any]:
    """Return what slices by city showed; the gap of the metric `clear` is more than chance."""
    levels = [
        {"label": label, "n_rows": 50, "scores": {name: {"value": value} for name in GAPS}}
        for label, value in (("a", 0.9), ("b", 0.7))
    ]
    gaps = {
        name: {
            **dict(zip(ends, "ab", strict=True)),
            "value": 0.2,
            "low": 0.1,
            "high": 0.3,
            "is_clear": name == clear,
        }
        for name, ends in GAPS.items()
    }
    gaps = {name: {**gap, "clearest": gap} for name, gap in gaps.items()}
    return {"columns": [{"column": "city", "slices": levels, "gaps": gaps}]}


HEALTHY_FIT = FitSignals(
    "classification",
    "lightgbm",
    candidates=("baseline", "logistic", "lightgbm"),
    hyperparameters=make_learner("lightgbm").model_dump(),
    verdict="fits",
    sentence="It fits.",
    gap=Span(0.01, -0.01, 0.03),
    slope=Span(0.0, -0.01, 0.01),
    improvement=Span(0.2, 0.15, 0.25),
    loss="log loss",
    facts={"best_round": 120, "n_rounds": 170, "stopped": "patience", "curve": {"validation": []}},
    n_train=100,
    loss_ratio=0.4,
    n_features=2,
    doubtful=DoubtfulTargets(100, 2, Span(0.01, 0.0, 0.06), False, ((7, "no", "yes"),)),
    metric="roc_auc",
    n_classes=2,
    slices=slices(),
)

HEALTHY_USE = UseSignals(100, ({"name": "age", "n": 100, "missing": (3, 0.03), "outside": (1, 0.02)},))

PLANTED: dict[str, dict[str, Any]] = {
    "D004": {"n_rows_without_target": 16},
    "D005": {"profile": (column("age", 100, 0), column("city"))},
    "D006": {"profile": (column("age", 0, 1), column("city"))},
    "D007": {"features": ("age", "city", "id")},
    "D010": {"profile": (column("age", 80), column("city"))},
    "D012": {"n_train": 1},
    "D015": {"giveaways": Giveaways((("age", 0.01), ("city", 0.9)), ("age",), 0.8, n_rows=100)},
    "D016": {"dominant": (("age", 0, 999, 1000),)},
    "D017": {"forced_identifiers": {"city": "a different code in each of 100 rows"}},
    "D018": {"population": population("under")},
    "D019": {"availability": Availability("day", later=(LaterDates("age", 40, 100),))},
    "D020": {"availability": Availability("day", changes=(Change("age", "tie", 0.5, 0.0, 100),))},
    "F001": {"verdict": "overfits", "sentence": "It overfits by 0.3."},
    "F002": {"verdict": "underfits", "sentence": "It underfits."},
    "F003": {"improvement": Span(0.01, -0.1, 0.12)},
    "F004": {
        "facts": {"best_round": 1000, "n_rounds": 1000, "stopped": "limit", "curve": {"validation": []}}
    },
    "F005": {"slope": Span(0.05, 0.02, 0.08), "outlook": "helps"},
    "F006": {"loss_ratio": 0.001},
    "F007": {"doubtful": DoubtfulTargets(100, 9, Span(0.1, 0.05, 0.2), True, ((7, "no", "yes"),))},
    "F008": {"improvement": Span(0.2, 0.05, 0.35), "n_features": 30},
    "F009": {"shifted_by": "class weights"},
    "F010": {
        "facts": {
            "best_round": 80,
            "n_rounds": 120,
            "stopped": "diverged",
            "curve": {"validation": []},
            "training_options": [{"option": "learning_rate", "value": 0.5, "why": "as asked"}],
        }
    },
    "M001": {"columns": ({"name": "age", "n": 100, "missing": (60, 0.03)},)},
    "V001": {"slices": slices("roc_auc")},
    "V002": {"slices": slices("selection_rate")},
}
"""Code → the change of healthy signals that it must find."""


def healthy(code: str) -> Signals:
    if code in USE_RULES:
        return HEALTHY_USE
    return HEALTHY_DATA if code in DATA_RULES else HEALTHY_FIT


def planted(code: str) -> Signals:
    return dataclasses.replace(healthy(code), **PLANTED[code])


def answer(code: str, signals: object) -> list[Finding]:
    result = load_rule(RULES[code])(signals)
    assert isinstance(result, Iterable), result
    return list(result)


def test_every_rule_has_a_planted_fault() -> None:
    assert sorted(PLANTED) == sorted(RULES)
    assert set(RULES) <= set(CODES)
    assert not set(DATA_RULES) & set(FIT_RULES)


@pytest.mark.parametrize("code", RULES)
def test_a_rule_says_which_code_it_finds(code: str) -> None:
    rule = load_rule(RULES[code])
    assert inspect.getdoc(rule), "a rule has a docstring"
    assert str(inspect.getdoc(rule)).startswith(f"{code}: ")
    assert list(inspect.signature(rule).parameters) == ["signals"]


@pytest.mark.parametrize("code", RULES)
def test_a_rule_is_silent_on_health(code: str) -> None:
    assert answer(code, healthy(code)) == []


@pytest.mark.parametrize("code", RULES)
def test_a_rule_finds_the_planted_fault_and_nothing_else_does(code: str) -> None:
    findings = answer(code, planted(code))
    assert [finding.code for finding in findings] == [code]
    (finding,) = findings
    assert finding.message.endswith(".")
    assert finding.remedy.endswith(".")
    assert finding.evidence, "numbers behind the message"
    json.dumps(finding.to_json(), allow_nan=False)
    for other in next(table for table in (DATA_RULES, FIT_RULES, USE_RULES) if code in table):
        if other != code:
            assert answer(other, planted(code)) == []


@pytest.mark.parametrize("code", RULES)
def test_a_rule_is_deterministic_and_changes_nothing(code: str) -> None:
    signals = planted(code)
    before = copy.deepcopy(signals)
    assert answer(code, signals) == answer(code, signals)
    assert signals == before


@pytest.mark.parametrize("code", RULES)
def test_a_rule_answers_signals_that_hold_nothing(code: str) -> None:
    empty: Signals
    if code in USE_RULES:
        empty = UseSignals(0)
    elif code in DATA_RULES:
        empty = DataSignals(SCHEMA, "y", "classification")
    else:
        empty = FitSignals("classification", "ridge")
    assert isinstance(load_rule(RULES[code])(empty), NotApplicable)


def every_patch() -> list[dict[str, Any]]:
    """Return the patch of each planted fault, and of the over- and underfit of each learner."""
    patches = [dict(finding.patch) for code in RULES for finding in answer(code, planted(code))]
    patches += [dict(patch) for patch in data_rules.SPARSE_MODEL.values()]
    for name in LEARNERS:
        hyperparameters = make_learner(name).model_dump()
        changes: list[dict[str, Any]] = [
            {"verdict": "overfits"},
            {"verdict": "underfits"},
            {"facts": {"converged": False}},
        ]
        for change in changes:
            fit = FitSignals("regression", name, hyperparameters=hyperparameters, **change)
            for code in ("F001", "F002", "F004"):
                result = load_rule(RULES[code])(fit)
                if not isinstance(result, NotApplicable):
                    patches += [dict(finding.patch) for finding in result]
    return [patch for patch in patches if patch]


@pytest.mark.parametrize("patch", every_patch(), ids=str)
def test_a_patch_is_a_change_that_the_recipe_accepts(patch: dict[str, Any]) -> None:
    model = {key.removeprefix("model."): value for key, value in patch.items() if key.startswith("model.")}
    if model:
        make_learner(str(model.pop("name")), model)
    for path, value in patch.items():
        section, *keys = path.split(".")
        if section != "model":
            nested: Any = value
            for key in reversed(keys):
                nested = {key: nested}
            SECTIONS[section].model_validate(nested)


@pytest.mark.parametrize("table", [fit_rules.SIMPLER, fit_rules.RICHER, fit_rules.ROUNDS])
def test_the_tables_name_hyperparameters_that_exist(table: Any) -> None:
    for name, fields in table.items():
        assert set(fields) <= set(type(make_learner(name)).model_fields)
