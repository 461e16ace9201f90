"""The comparison's page says who is better, and is safe to open."""

from typing import Any

import pytest

from groundup.evaluation.comparison_page import render_comparison, say_differences

CURVE = [{"round": n, "train": 0.5, "validation": 0.6 / n} for n in range(1, 5)]
ROC = [{"label": "yes", "auc": 0.8, "points": [[0.0, 0.0], [0.2, 0.7], [1.0, 1.0]]}]


def comparison(verdict: str = "better") -> dict[str, Any]:
    run = {"model": "lightgbm", "source": "a.csv", "n_test": 200, "curve": CURVE, "loss": "log_loss"}
    difference = {"value": 0.04, "low": 0.01, "high": 0.07, "verdict": verdict}
    metric = {
        "name": "roc_auc",
        "title": "ROC-AUC",
        "higher_is_better": True,
        "scores": [{"value": 0.8, "low": 0.7, "high": 0.9}, {"value": 0.84, "low": 0.75, "high": 0.92}],
        "differences": [difference],
    }
    return {
        "runs": [{**run, "name": name, "roc": ROC, "findings": []} for name in ("a", "<script>b")],
        "settings": [{"option": "training.seed", "values": [0, [1, 2]]}],
        "metrics": [metric],
        "pairings": [{"run": "b", "how": "same", "n_rows": 200, "sentence": "The same rows."}],
        "confidence": 0.95,
    }


def test_the_page_holds_everything() -> None:
    page = render_comparison(comparison())
    assert "<script>b" not in page
    assert page.count("<svg ") == 4
    for words in ("The same rows.", "training.seed", "[1, 2]", "is better than", "ROC-AUC"):
        assert words in page


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        ("better", "is better than"),
        ("worse", "is worse than"),
        ("unclear", "cannot tell"),
        ("equal", "are equal"),
    ],
)
def test_each_verdict_has_its_sentence(verdict: str, words: str) -> None:
    (sentence,) = say_differences(comparison(verdict))
    assert words in sentence


def test_a_comparison_without_metrics_or_curves_is_a_page_too() -> None:
    empty = {**comparison(), "metrics": [], "settings": []}
    empty["runs"] = [{**run, "curve": None, "roc": []} for run in empty["runs"]]
    page = render_comparison(empty)
    assert "no curves" in page
    assert "Every option" in page


def test_an_undefined_difference_says_why() -> None:
    undefined = comparison("unclear")
    undefined["metrics"][0]["differences"] = [
        {"value": None, "low": None, "high": None, "note": "undefined on these rows", "verdict": "unclear"}
    ]
    assert "undefined on these rows" in say_differences(undefined)[0]
    assert "Difference in" not in render_comparison(undefined)
