"""Conformal scores promise what they keep: at least the coverage, at most a little more."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundup.core.errors import PredictionInputError
from groundup.core.inputs import Predictions
from groundup.evaluation.conformal import ConformalScores, conformal_scores, in_sets


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 3000), st.floats(0.01, 0.99))
def test_the_radius_has_the_rank_that_the_promise_needs(n: int, coverage: float) -> None:
    scores = ConformalScores.fit(np.arange(1.0, n + 1))
    if coverage > scores.highest_coverage:
        with pytest.raises(PredictionInputError, match="at most"):
            scores.radius(coverage)
        return
    rank = scores.radius(coverage)
    assert rank >= (n + 1) * coverage - 1e-6
    assert rank <= (n + 1) * coverage + 2 + n / 500


def test_coverage_is_exact_on_average() -> None:
    random, covered = np.random.default_rng(0), []
    for _ in range(300):
        radius = ConformalScores.fit(np.abs(random.standard_t(3, 99))).radius(0.9)
        covered.append((np.abs(random.standard_t(3, 200)) <= radius).mean())
    assert np.mean(covered) == pytest.approx(0.9, abs=0.008)


def test_scores_and_sets_belong_together() -> None:
    random = np.random.default_rng(0)
    probabilities = random.dirichlet(np.ones(4), 500)
    y_true = random.integers(0, 4, 500)
    scores = conformal_scores(y_true, Predictions(probabilities.argmax(axis=1), probabilities))
    sets = in_sets(probabilities, 0.9)
    assert sets.any(axis=1).all()
    is_inside = sets[np.arange(500), y_true]
    assert (is_inside >= (scores <= 0.9)).all()


@pytest.mark.parametrize("coverage", [0, 1, -0.1, 90, True, "0.9", float("nan")])
def test_a_coverage_is_a_share(coverage: Any) -> None:
    with pytest.raises(PredictionInputError, match="share between 0 and 1"):
        ConformalScores.fit(np.arange(50.0)).radius(coverage)


@pytest.mark.parametrize("n", [1, 500, 501, 4000])
def test_the_state_is_json(n: int) -> None:
    scores = ConformalScores.fit(np.random.default_rng(0).random(n))
    assert len(scores.scores) == min(n, 500)
    assert ConformalScores.from_state(json.loads(json.dumps(scores.state()))) == scores


@pytest.mark.parametrize("state", [{"n": 2, "scores": [2.0, 1.0]}, {"n": 3, "scores": [1.0]}])
def test_a_state_that_misfits_is_refused(state: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="not sorted"):
        ConformalScores.from_state(state)
