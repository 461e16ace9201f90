"""The verdict on planted cases whose answer is known by construction, and on its parts."""

import json
from collections import Counter

import numpy as np
import pytest

from groundup.evaluation.fit_verdict import FEWEST_ROWS, FitEvidence, judge_fit
from groundup.evaluation.intervals import Interval
from planted.fits import PLANTED, Curve, judge

SEEDS = (1,)  # 41 cases; with seeds 1 to 6, 244 of 246 are right and 2 undecided


@pytest.fixture(scope="module")
def confusion() -> dict[str, Counter[str]]:
    """Return how often each planted truth was given each verdict, with the misses by name."""
    found: dict[str, Counter[str]] = {}
    for truth, cases in PLANTED.items():
        answers = [judge(data(seed), fit).verdict for _, data, fit in cases for seed in SEEDS]
        found[truth] = Counter(answers)
    return found


@pytest.mark.parametrize("truth", PLANTED)
def test_planted_cases_are_recognised(truth: str, confusion: dict[str, Counter[str]]) -> None:
    answers = confusion[truth]
    assert answers[truth] / answers.total() >= 0.9, dict(answers)


def test_well_fitted_models_are_left_in_peace(confusion: dict[str, Counter[str]]) -> None:
    answers = confusion["fits"]
    assert (answers["overfits"] + answers["underfits"]) / answers.total() <= 0.05, dict(answers)


def losses(in_sample: float, held_out: float, baseline: float, n: int = 400) -> dict[str, np.ndarray]:
    noise = np.random.default_rng(0).uniform(0.5, 1.5, n)
    return {"in_sample": in_sample * noise, "held_out": held_out * noise, "baseline": baseline * noise}


def test_few_rows_are_undecided() -> None:
    verdict = judge_fit(FitEvidence(**losses(0.1, 1.0, 1.0, FEWEST_ROWS - 1)))
    assert verdict.verdict == "undecided"
    assert "Too few rows" in verdict.sentence


def test_a_perfect_model_fits() -> None:
    assert judge_fit(FitEvidence(**losses(0.0, 0.0, 1.0))).verdict == "fits"


def test_a_gap_alone_is_not_overfitting() -> None:
    parts = losses(0.2, 0.4, 1.0)
    verdict = judge_fit(FitEvidence(**parts, shrunk=parts["held_out"], probed=parts["held_out"]))
    assert verdict.verdict == "fits"
    assert verdict.gap.value == pytest.approx(0.2, rel=0.05)
    assert verdict.relative_gap.value == pytest.approx(0.5)
    assert verdict.sentence.startswith("The model fits")


def test_what_is_no_better_than_the_baseline_is_undecided() -> None:
    parts = losses(0.98, 1.0, 1.0)
    verdict = judge_fit(FitEvidence(**parts, shrunk=parts["held_out"], probed=parts["held_out"]))
    assert verdict.verdict == "undecided"
    assert "not clearly better than the baseline" in verdict.sentence


def test_a_lost_gain_is_overfitting_where_nothing_else_is_known() -> None:
    assert judge_fit(FitEvidence(**losses(0.1, 0.8, 1.0))).verdict == "overfits"
    verdict = judge_fit(FitEvidence(**losses(0.4, 0.45, 1.0)))
    assert verdict.verdict == "undecided"
    assert "Nothing was tried" in verdict.sentence


def curve(validation: list[float]) -> Curve:
    return {"validation": list(enumerate(validation, start=1))}


def test_rounds_that_raised_the_loss_are_overfitting() -> None:
    falling_then_rising = curve([1.0, 0.6, 0.5, 0.6, 0.8])
    verdict = judge_fit(FitEvidence(**losses(0.2, 0.8, 1.0), curve=falling_then_rising))
    assert verdict.verdict == "overfits"
    assert "earlier round" in verdict.sentence
    kept_the_best = FitEvidence(**losses(0.4, 0.5, 1.0), curve=falling_then_rising, best_round=3)
    assert judge_fit(kept_the_best).verdict == "fits"


def test_rounds_that_still_lower_the_loss_are_underfitting() -> None:
    verdict = judge_fit(FitEvidence(**losses(0.48, 0.5, 1.0), curve=curve([1.0, 0.8, 0.6, 0.5])))
    assert verdict.verdict == "underfits"
    assert "rounds still lowered" in verdict.sentence


def test_rows_that_would_help_decide_a_middling_gap() -> None:
    gain, rising = Interval(0.05, 0.02, 0.08), curve([1.0, 0.45, 0.5])
    assert judge_fit(FitEvidence(**losses(0.4, 0.5, 1.0), curve=rising)).verdict == "fits"
    assert judge_fit(FitEvidence(**losses(0.4, 0.5, 1.0), curve=rising, gain=gain)).verdict == "overfits"
    unclear = Interval(0.05, -0.02, 0.12)
    assert judge_fit(FitEvidence(**losses(0.4, 0.5, 1.0), curve=rising, gain=unclear)).verdict == "fits"


def test_the_evidence_is_json() -> None:
    parts = losses(0.2, 0.4, 1.0)
    verdict = judge_fit(FitEvidence(**parts, shrunk=parts["held_out"], curve=curve([1.0, 0.4])))
    json.dumps(verdict.evidence, allow_nan=False)
    assert verdict.evidence["relative_gap"]["value"] == pytest.approx(0.5)
