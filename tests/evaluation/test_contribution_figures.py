"""Words and steps beside the charts of contributions."""

import math
from typing import Any

import pytest

from groundup.evaluation.contribution_figures import contribution_plans, explained_rows
from groundup.evaluation.figures import draw_figures
from groundup.evaluation.report import render_report

HOSTILE = "<script>alert(1)</script>"


def example(**changes: Any) -> dict[str, Any]:
    return {
        "title": "worst",
        "row": 12,
        "answer": "no",
        "observed": "yes",
        "of": "yes",
        "probability": 0.2,
        "base_value": -1.0,
        "total": -1.5,
        "terms": [
            {"column": HOSTILE, "value": HOSTILE, "contribution": -1.0},
            {"column": "age", "value": 31.0, "contribution": 0.5},
            *({"column": f"c{n}", "value": None, "contribution": 0.0} for n in range(9)),
        ],
        "others": {"n": 3, "contribution": 0.0},
        **changes,
    }


def report(**changes: Any) -> dict[str, Any]:
    found = {
        "scale": "log_odds",
        "of": "yes",
        "sentence": "They add up to the log-odds of `yes`.",
        "base_value": -1.0,
        "part": "validation",
        "n_rows": 50,
        "n_rows_part": 80,
        "seconds": 0.5,
        "columns": [
            {"column": HOSTILE, "mean_absolute": 0.7, "share": 0.7},
            {"column": "age", "mean_absolute": 0.3, "share": 0.3},
        ],
        "strips": [{"column": "age", "bins": [[0.1, 5, "low"]]}],
        "dependence": [
            {"column": "age", "points": [[1.0, 0.1], [2.0, 0.3]], "missing": {"n": 4, "mean": -0.25}}
        ],
        "examples": [example()],
        **changes,
    }
    return {"problem": {"target": "y", "task": "classification"}, "contributions": found}


def test_charts_are_there_where_there_are_contributions() -> None:
    names = ["contribution_sizes", "contribution_strips", "contribution_dependence_1"]
    assert [name for name, *_ in contribution_plans(report())] == names
    assert list(draw_figures(report())) == names
    assert list(contribution_plans({})) == []
    assert list(contribution_plans({"contributions": {"why_not": "no sum"}})) == []
    nothing = [{"column": "a", "mean_absolute": 0.0, "share": 0.0}]
    assert list(contribution_plans(report(columns=nothing))) == []
    notes = {name: note for name, _, _, note in contribution_plans(report())}
    assert "4 rows without a value get −0.25" in notes["contribution_dependence_1"]
    assert "Orange" in notes["contribution_strips"]
    no_order = report(strips=[{"column": "city", "bins": [[0.1, 5, "other"]]}])
    assert all("Orange" not in note for _, _, _, note in contribution_plans(no_order))


def test_a_row_is_told_in_words() -> None:
    (row,) = explained_rows(report())
    assert row["title"] == "The largest error"
    assert "`yes` gets 20" in row["note"]
    assert "the answer is `no`, but it was `yes`" in row["note"]
    assert "the log-odds of yes is −1 (27" in row["note"]
    assert "`age` = `31` raises it most" in row["note"]
    right = explained_rows(report(examples=[example(answer="yes")]))[0]
    assert "which is right" in right["note"]


@pytest.mark.parametrize("title", ["typical", "outstanding", "worst"])
def test_a_value_is_told_in_words(title: str) -> None:
    one = example(title=title, of=None, answer=3.5, observed=2.0, probability=None)
    (row,) = explained_rows(report(scale="value", of=None, examples=[one]))
    assert "The model says 3.5; it was 2." in row["note"]
    assert row["unit"] == "y"
    assert (row["title"] == "The largest prediction") == (title == "outstanding")


def test_steps_lead_from_the_base_value_to_the_prediction() -> None:
    (row,) = explained_rows(report())
    first, *moves, last = row["steps"]
    assert (first["text"], last["text"]) == ("−1", "−1.5")
    assert moves[-1]["label"] == "6 other columns"
    at = first["left"]
    for step in moves:
        left, right = step["left"], step["left"] + step["width"]
        assert at == pytest.approx(left if step["way"] == "up" else right, abs=0.11)
        at = right if step["way"] == "up" else left
        assert 0 <= left <= right <= 100.1
    assert at == pytest.approx(last["left"], abs=0.11)


def test_rows_without_numbers_are_left_out() -> None:
    assert explained_rows(report(examples=[example(base_value=None), example(total=math.inf)])) == []
    (row,) = explained_rows(report(examples=[example(terms=[], others=None, total=-1.0)]))
    assert [step["label"] for step in row["steps"]] == ["nothing known yet", "prediction"]


def test_the_page_shows_them_and_escapes_everything() -> None:
    page = render_report(report())
    assert "What moves single predictions" in page
    assert "50 of 80 validation rows" in page
    assert HOSTILE not in page.replace("<script>", "", 0).split("<main>")[1].split("</main>")[0]
    assert "nothing known yet" in page


def test_the_page_says_why_there_are_none() -> None:
    page = render_report({"contributions": {"why_not": "`knn` is no sum over the columns."}})
    assert "<code>knn</code> is no sum over the columns." in page
    assert "What moves single predictions" not in render_report({"contributions": None})
