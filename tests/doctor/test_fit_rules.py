"""Each rule about the fit speaks where it should, with the numbers, and is silent elsewhere."""

from typing import Any

import pytest

from groundup.core.findings import Finding
from groundup.doctor import fit_rules
from groundup.doctor.contract import NotApplicable
from groundup.doctor.signals import FitSignals, Span


def signals(learner: str = "lightgbm", **changes: Any) -> FitSignals:
    return FitSignals("regression", learner, **changes)


def only(answer: object) -> Finding:
    assert not isinstance(answer, NotApplicable), answer
    (finding,) = answer  # type: ignore[misc]
    assert isinstance(finding, Finding)
    return finding


def test_overfitting_halves_the_leaves() -> None:
    hyperparameters = {"num_leaves": 31, "min_child_samples": 20, "learning_rate": 0.1}
    finding = only(
        fit_rules.overfits(signals(verdict="overfits", sentence="It does.", hyperparameters=hyperparameters))
    )
    assert finding.message == "It does."
    assert finding.patch == {"model.name": "lightgbm", "model.num_leaves": 16, "model.min_child_samples": 40}


def test_a_hyperparameter_at_its_end_is_left_alone() -> None:
    finding = only(fit_rules.overfits(signals(verdict="overfits", hyperparameters={"num_leaves": 4})))
    assert finding.patch == {}


def test_underfitting_by_a_linear_model_asks_for_trees() -> None:
    assert only(fit_rules.underfits(signals("ridge", verdict="underfits"))).patch == {
        "model.name": "lightgbm"
    }


def test_underfitting_by_trees_asks_for_more_leaves() -> None:
    finding = only(fit_rules.underfits(signals(verdict="underfits", hyperparameters={"num_leaves": 31})))
    assert finding.patch == {"model.name": "lightgbm", "model.num_leaves": 62}


@pytest.mark.parametrize("rule", [fit_rules.overfits, fit_rules.underfits])
def test_no_verdict_is_not_applicable_and_a_good_fit_is_silence(rule: Any) -> None:
    assert isinstance(rule(signals()), NotApplicable)
    assert list(rule(signals(verdict="fits"))) == []


@pytest.mark.parametrize(
    ("improvement", "severity"), [(Span(0.1, -0.1, 0.3), "warning"), (Span(-0.2, -0.3, -0.1), "error")]
)
def test_no_better_than_the_baseline(improvement: Span, severity: str) -> None:
    finding = only(fit_rules.no_better_than_baseline(signals(improvement=improvement)))
    assert finding.severity == severity
    assert finding.evidence["improvement"] == improvement._asdict()


def test_better_than_the_baseline_is_silence() -> None:
    assert list(fit_rules.no_better_than_baseline(signals(improvement=Span(0.2, 0.1, 0.3)))) == []  # type: ignore[arg-type]
    assert isinstance(fit_rules.no_better_than_baseline(signals()), NotApplicable)


def test_the_baseline_itself_is_a_fault_only_where_others_were_tried() -> None:
    alone = fit_rules.no_better_than_baseline(signals("baseline", candidates=("baseline",)))
    assert isinstance(alone, NotApplicable)
    finding = only(fit_rules.no_better_than_baseline(signals("baseline", candidates=("baseline", "ridge"))))
    assert "`ridge`" in finding.message
    assert finding.severity == "error"


def test_an_optimizer_that_did_not_converge_gets_more_iterations() -> None:
    facts = {"converged": False, "n_iterations": 100}
    finding = only(
        fit_rules.not_converged(signals("logistic", facts=facts, hyperparameters={"max_iterations": 100}))
    )
    assert finding.evidence == {"learner": "logistic", **facts}
    assert finding.patch == {"model.name": "logistic", "model.max_iterations": 1000}


def rounds(
    best_round: int, *, stopped: str = "limit", curve: tuple[str, ...] = ("train", "validation")
) -> Any:
    return {
        "best_round": best_round,
        "n_rounds": 1000,
        "stopped": stopped,
        "curve": {name: [] for name in curve},
    }


@pytest.mark.parametrize(("best_round", "speaks"), [(1000, True), (951, True), (950, False), (3, False)])
def test_a_best_round_near_the_limit_asks_for_more_rounds(best_round: int, speaks: bool) -> None:
    answer = fit_rules.not_converged(signals(facts=rounds(best_round)))
    assert bool(list(answer)) is speaks  # type: ignore[arg-type]


@pytest.mark.parametrize("stopped", ["patience", "exhausted", "request"])
def test_training_that_ended_before_its_limit_did_not_hit_it(stopped: str) -> None:
    assert list(fit_rules.not_converged(signals(facts=rounds(990, stopped=stopped)))) == []  # type: ignore[arg-type]


@pytest.mark.parametrize("facts", [{}, rounds(1000, curve=("train",))])
def test_a_learner_whose_progress_was_not_followed_is_not_judged(facts: Any) -> None:
    assert isinstance(fit_rules.not_converged(signals(facts=facts)), NotApplicable)


def test_an_automatic_penalty_is_scaled_from_what_was_chosen() -> None:
    fit = signals(
        "ridge", verdict="overfits", hyperparameters={"alpha": "auto"}, facts={"chosen": {"alpha": 0.5}}
    )
    assert only(fit_rules.overfits(fit)).patch == {"model.name": "ridge", "model.alpha": 5.0}


@pytest.mark.parametrize(("outlook", "speaks"), [("helps", True), ("little", False), ("enough", False)])
def test_more_data_would_help_where_that_is_clear(outlook: str, speaks: bool) -> None:
    fit = signals(slope=Span(0.02, 0.01, 0.03), outlook=outlook, n_train=500)
    assert bool(list(fit_rules.more_data_would_help(fit))) is speaks  # type: ignore[arg-type]
    assert isinstance(fit_rules.more_data_would_help(signals()), NotApplicable)


def test_a_loss_that_rose_again_is_not_still_falling() -> None:
    facts = {"best_round": 1000, "n_rounds": 1000, "stopped": "limit"}
    rising = {"validation": [(1, 0.9), (300, 0.4), (1000, 0.7)]}
    falling = {"validation": [(1, 0.9), (300, 0.6), (1000, 0.5)]}
    assert fit_rules.not_converged(signals(facts={**facts, "curve": rising})) == ()
    assert fit_rules.not_converged(signals(facts={**facts, "curve": falling})) != ()


@pytest.mark.parametrize(("n_classes", "patch"), [(2, "auto"), (3, None)])
def test_shifted_probabilities_ask_for_a_calibrator(n_classes: int, patch: str | None) -> None:
    signals = FitSignals("classification", "logistic", shifted_by="resampling", n_classes=n_classes)
    (finding,) = fit_rules.probabilities_are_shifted(signals)  # type: ignore[misc]
    assert finding.message.startswith("Resampling made rare classes count more")
    assert finding.patch["training.calibrate"] == "auto"
    assert finding.patch.get("evaluation.threshold") == patch


def test_numbers_have_no_probabilities_to_be_shifted() -> None:
    answer = fit_rules.probabilities_are_shifted(FitSignals("regression", "ridge"))
    assert isinstance(answer, NotApplicable)
