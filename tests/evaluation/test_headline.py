"""The score in plain words never claims more than the interval allows."""

from typing import Any

import pytest

from groundup.evaluation.headline import make_headline


def _report(value: float, low: float, high: float, baseline: float | None = 0.7) -> dict[str, Any]:
    return {
        "problem": {"task": "classification", "metric": "accuracy", "target": "y"},
        "split": {"n_test": 3256},
        "test": {"accuracy": {"value": value, "low": low, "high": high}},
        "baseline": {"accuracy": {"value": baseline}} if baseline is not None else None,
        "data": {"columns": [{"name": "y", "top": [["<=50K", 7], [">50K", 3]]}]},
    }


@pytest.mark.parametrize(
    ("low", "high", "expected"), [(0.8, 0.9, "better"), (0.6, 0.9, "unclear"), (0.5, 0.6, "worse")]
)
def test_comparison_follows_the_interval(low: float, high: float, expected: str) -> None:
    headline = make_headline(_report((low + high) / 2, low, high))
    assert headline is not None
    assert headline.against_baseline == expected


def test_sentences_name_rows_interval_and_baseline_answer() -> None:
    headline = make_headline(_report(0.871, 0.859, 0.882, 0.761))
    assert headline is not None
    text = " ".join(headline.sentences).replace("\u202f", " ")
    assert text == (
        "On 3 256 rows it had never seen, the model was right on 87.1 % (95 % interval 85.9–88.2). "
        "Always answering `<=50K` would be right on 76.1 %."
    )


def test_lower_is_better_for_errors() -> None:
    report = {
        "problem": {"task": "regression", "metric": "rmse", "target": "price"},
        "test": {"mae": {"value": 1.0, "low": 0.9, "high": 1.1}, "rmse": {"value": 2.0}},
        "baseline": {"mae": {"value": 3.0}, "rmse": {"value": 4.0}},
        "metrics": {"mae": {"higher_is_better": False, "title": "Mean absolute error"}},
    }
    headline = make_headline(report)
    assert headline is not None
    assert headline.against_baseline == "better"
    assert headline.caption == "Mean absolute error on test rows"
    assert "`price` were off by 1.00 on average" in headline.sentences[0]
    assert any("rmse" in sentence.lower() for sentence in headline.sentences)


def test_without_scores_there_is_no_headline() -> None:
    assert make_headline({}) is None
    assert make_headline({"test": {"accuracy": None}, "problem": None}) is None
    assert make_headline({"test": {"r2": {"value": None}}, "problem": {"metric": "r2"}}) is None


def test_bars_need_a_baseline_and_no_negative_number() -> None:
    without = make_headline(_report(0.8, 0.7, 0.9, None))
    assert without is not None
    assert without.bars == ()
    report = _report(0.8, 0.7, 0.9)
    report["problem"] = {"metric": "r2", "task": "regression"}
    report["test"] = {"r2": {"value": -0.1, "low": -0.2, "high": 0.1}}
    report["baseline"] = {"r2": {"value": 0.0}}
    negative = make_headline(report)
    assert negative is not None
    assert negative.bars == ()


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_bars_stay_on_their_track(value: float) -> None:
    headline = make_headline(_report(value, max(0.0, value - 0.1), min(1.0, value + 0.1)))
    assert headline is not None
    for bar in headline.bars:
        assert 0 <= bar.share <= 1
        assert bar.low is None or 0 <= bar.low <= (bar.high or 0) <= 1
