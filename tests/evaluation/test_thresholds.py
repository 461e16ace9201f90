"""The threshold is the cheapest, or the best for the metric, on the rows it is chosen on."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundup.core.inputs import Predictions
from groundup.evaluation.intervals import BootstrapOptions
from groundup.evaluation.metrics import METRICS, compute_metrics
from groundup.evaluation.options import Costs
from groundup.evaluation.thresholds import (
    best_threshold,
    cheapest_threshold,
    cost_facts,
    follows_threshold,
    row_costs,
)

ROWS = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 1)), min_size=1, max_size=40)


@settings(deadline=None, max_examples=50)
@given(ROWS, st.floats(0.1, 20))
def test_no_threshold_is_cheaper(rows: list[tuple[float, int]], miss: float) -> None:
    scores, y_true = np.array([p for p, _ in rows]), np.array([y for _, y in rows])
    costs = Costs(false_negative=miss)
    chosen = cheapest_threshold(scores, y_true, costs)
    assert 0 < chosen < 1
    cost = row_costs(y_true, scores >= chosen, costs).sum()
    for other in np.linspace(0.001, 0.999, 60):
        assert cost <= row_costs(y_true, scores >= other, costs).sum() + 1e-9


def test_right_probabilities_give_the_ratio_of_the_costs() -> None:
    random = np.random.default_rng(0)
    scores = random.random(50_000)
    y_true = (random.random(50_000) < scores).astype(np.int64)
    chosen = cheapest_threshold(scores, y_true, Costs(false_positive=1, false_negative=4))
    assert chosen == pytest.approx(0.2, abs=0.04)


@pytest.mark.parametrize("metric", ["f1", "balanced_accuracy", "mcc", "accuracy"])
def test_the_metric_is_as_good_as_anywhere(metric: str) -> None:
    random = np.random.default_rng(0)
    scores = random.beta(1, 4, 150)
    y_true = (random.random(150) < scores).astype(np.int64)
    both = np.stack([1 - scores, scores], axis=1)

    def at(threshold: float) -> float:
        said = Predictions((scores >= threshold).astype(np.int64), both)
        return compute_metrics([metric], y_true, said)[metric]

    chosen = at(best_threshold(both, y_true, metric, positive=1))
    assert all(not at(other) > chosen for other in np.linspace(0.01, 0.9, 80))


def test_which_metrics_a_threshold_moves() -> None:
    moved = {name for name in METRICS if follows_threshold(name)}
    assert {"f1", "accuracy", "f1_macro", "mcc"} <= moved
    assert not moved & {"roc_auc", "log_loss", "brier", "pr_auc", "rmse"}


def test_costs_stand_beside_those_of_constant_answers() -> None:
    y_true, scores = np.array([0, 0, 0, 1] * 50), np.array([0.1, 0.2, 0.6, 0.7] * 50)
    costs = Costs(false_positive=1, false_negative=2)
    facts = cost_facts(
        y_true, (scores > 0.65).astype(np.int64), scores, costs, options=BootstrapOptions(resamples=200)
    )
    values = {name: facts[name]["value"] for name in ("model", "at_half", "always_no", "always_yes", "saved")}
    assert values == {"model": 0, "at_half": 0.25, "always_no": 0.5, "always_yes": 0.75, "saved": 0.5}
    assert facts["cheaper_constant"] == "always_no"
