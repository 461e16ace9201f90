"""Charts of contributions are drawings, whatever names and values there are."""

from typing import Any
from xml.etree import ElementTree

import pytest

from groundup.evaluation import contribution_charts as charts
from groundup.evaluation.charts import to_svg

HOSTILE = 'it\'s [a.b] "quoted" <script>alert(1)</script>'
SPECS: dict[str, dict[str, Any]] = {
    "sizes": charts.sizes(
        [{"column": HOSTILE, "mean_absolute": 0.5}, {"column": "b", "mean_absolute": 0.0}], unit=HOSTILE
    ),
    "strips": charts.strips(
        [
            {"column": HOSTILE, "bins": [[-0.1, 3, "low"], [0.4, 1, "high"]]},
            {"column": "b", "bins": [[0.0, 4, "other"]]},
        ],
        unit="the log-odds of yes",
    ),
    "numbers": charts.dependence({"column": HOSTILE, "points": [[1, 0.5], [2, 0.1], [None, 3]]}, unit="y"),
    "fractions": charts.dependence({"column": "a", "points": [[1.5, 0.5], [2, 0.1]]}, unit="y"),
    "dates": charts.dependence(
        {"column": "a", "points": [["2024-01-01T00:00:00", 0.5], ["2024-03-01T00:00:00", 0.1]]}, unit="y"
    ),
    "levels": charts.dependence(
        {
            "column": "a",
            "levels": [
                {"label": HOSTILE, "n": 2, "mean": 0.2, "contributions": [0.1, 0.3]},
                {"label": "x", "n": 1, "mean": -1, "contributions": [-1.0]},
            ],
        },
        unit=HOSTILE,
    ),
}


@pytest.mark.parametrize("name", SPECS)
def test_it_becomes_a_drawing(name: str) -> None:
    svg = to_svg(SPECS[name])
    root = ElementTree.fromstring(svg)
    assert root.attrib["aria-label"]
    assert "<script" not in svg
    assert "NaN" not in svg
    assert "undefined" not in svg


def test_marks_are_as_many_as_there_is_something_to_show() -> None:
    assert len(SPECS["sizes"]["data"]["values"]) == 1
    assert len(SPECS["numbers"]["data"]["values"]) == 2
    groups = {row["group"] for row in SPECS["strips"]["data"]["values"]}
    assert groups == {"low value", "high value", "no order, or missing"}
    assert max(row["share"] for row in SPECS["strips"]["data"]["values"]) == 1
