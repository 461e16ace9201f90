"""The page of a run that learned to write shows hostile text as text, and asks for nothing from outside."""

from typing import Any

from groundup.evaluation.writing_page import render_writing

HOSTILE = "<script>alert(1)</script>"
SCORE = {"value": 2.0, "low": 1.9, "high": 2.1}


def report(**changes: Any) -> dict[str, Any]:
    scores = {"bits_per_byte": SCORE}
    return {
        "groundup": "0.1.0",
        "run": HOSTILE,
        "folder": "runs/a b",
        "created": "2026-01-01T00:00:00+00:00",
        "confidence": 0.95,
        "status": "finished",
        "problem": {"question": "How does this text go on?"},
        "data": {"origin": HOSTILE, "n_characters": 10, "beginning": HOSTILE, "fingerprint": "f"},
        "split": {"n_train": 8, "n_validation": 1, "n_test": 1, "test_opened": 1, "reason": "in order"},
        "preparation": {"kind": "characters", "unit": "character", "reason": "r", "n_vocabulary": 9},
        "model": {"title": "Transformer decoder", "hyperparameters": {}},
        "training": {"curve": [{"round": 0, "validation": 4.0}, {"round": 9, "train": 2.0}], "best_round": 9},
        "validation": scores,
        "test": scores,
        "baselines": {"bigram": scores, "unigram": scores},
        "metrics": {"bits_per_byte": {"title": "bits per byte", "explanation": "e"}},
        "samples": [{"when": "before training", "step": 0, "text": HOSTILE}],
        "findings": [],
        "cost": {},
        **changes,
    }


def test_text_is_escaped_wherever_it_stands() -> None:
    page = render_writing(report())
    assert HOSTILE not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 4
    assert page.count("<script>") == 1


def test_a_stopped_run_says_how_to_go_on() -> None:
    assert "groundup resume &#39;runs/a b&#39;" in render_writing(report(status="stopped"))
    assert "groundup generate &#39;runs/a b&#39; --prompt The" in render_writing(report())
