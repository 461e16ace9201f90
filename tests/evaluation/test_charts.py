"""Every chart is a plain dict that becomes a drawing, whatever its labels contain."""

import json
import re
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundup.evaluation import charts
from groundup.evaluation.drawing import MAX_POINTS, MAX_SERIES, PALETTE

HOSTILE = "<script>alert(1)</script>"
ODD = ["a.b", "a[0]", 'it\'s "quoted"', "back\\slash", HOSTILE, "", "new\nline", "nul\x00", "x" * 300]
BOARD = [
    {"title": "first", "score": 0.9, "low": 0.88, "high": 0.92, "fold_scores": [0.9, 0.91], "chosen": True},
    {"name": "two", "score": 0.7, "fold_scores": [0.6, 0.8]},
    {"name": "failed", "score": None, "fold_scores": None},
]
FRACTIONS = [{"n": n, "train": 0.9, "held_out": 0.8, "low": 0.7, "high": None} for n in (10, 20)]
BINS = [[0.1, 0.2, 10], [0.9, 0.8, 3], [0.5, None, 0]]
SHUFFLED = [{"column": "a", "importance": 0.2, "low": 0.1, "high": 0.3}, {"column": "b", "importance": 0.0}]
STEPS = [{"step": 6, "name": "fit", "seconds": 1.5}, {"name": "other", "seconds": 0}]
CURVE = [{"round": i, "train": 1 / i, "validation": 1 / i + i / 50} for i in range(1, 30)]
SPECS: dict[str, dict[str, Any]] = {
    "leaderboard": charts.leaderboard(BOARD, metric="accuracy"),
    "fold_scores": charts.fold_scores(BOARD, metric="accuracy"),
    "learning_curve": charts.learning_curve(CURVE, best_round=7, loss="log loss"),
    "data_fractions": charts.data_fractions(FRACTIONS, loss="log loss"),
    "data_fractions of a forecast": charts.data_fractions(
        FRACTIONS, forecast=[{"n": n, "value": 0.75, "low": 0.7, "high": 0.8} for n in (20, 40)]
    ),
    "confusion": charts.confusion(["a", "b"], [[5, 1], [0, 0]]),
    "confusion of 25": charts.confusion(list(range(25)), [[i * j for i in range(25)] for j in range(25)]),
    "roc": charts.roc([{"label": "a", "auc": 0.75, "points": [[0, 0], [0, 0.5], [1, 1]]}]),
    "precision_recall": charts.precision_recall(
        [{"label": "a", "ap": 0.75, "share": 0.25, "points": [[0, 1], [1, 0.25]]}]
    ),
    "calibration": charts.calibration([{"label": "a", "points": BINS}]),
    "predicted_and_actual": charts.predicted_and_actual([[1.0, 2.0], [3.0, 2.5]], target="price"),
    "residual_histogram": charts.residual_histogram([-1.0, 0.0, 1.0], [3, 4]),
    "importance": charts.importance(SHUFFLED, metric="r2"),
    "missing_values": charts.missing_values([{"name": "a", "n": 10, "n_missing": 3}, {"name": "b", "n": 10}]),
    "class_balance": charts.class_balance([("a", 3), ("b", 1)]),
    "step_costs": charts.step_costs(STEPS),
}


@pytest.mark.parametrize("name", SPECS)
def test_spec_becomes_a_drawing(name: str) -> None:
    svg = charts.to_svg(SPECS[name], ids="mine")
    root = ElementTree.fromstring(svg)
    assert root.tag.endswith("svg")
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-label"]
    assert all(found.startswith("mine-") for found in re.findall(r'\bid="([^"]*)"', svg))
    assert all(found.startswith("mine-") for found in re.findall(r"url\(#([^)]*)\)", svg))
    assert "NaN" not in svg
    assert "undefined" not in svg


@pytest.mark.parametrize("name", SPECS)
def test_spec_is_json_with_fixed_field_names(name: str) -> None:
    spec = SPECS[name]
    assert json.loads(json.dumps(spec, allow_nan=False)) == spec
    fields = {key for row in spec["data"]["values"] for key in row}
    assert all(field.isidentifier() for field in fields)


def test_every_chart_function_is_drawn_here() -> None:
    public = {name: thing for name, thing in vars(charts).items() if not name.startswith("_")}
    drawing = {name for name, thing in public.items() if getattr(thing, "__module__", "") == charts.__name__}
    assert drawing - {"to_svg", "has_effect"} == {name.split(" of ")[0] for name in SPECS}


def test_colours_are_the_palettes_so_that_dark_pages_can_swap_them() -> None:
    known = {light for light, _ in PALETTE.values()}
    for name, spec in SPECS.items():
        svg = charts.to_svg(spec)
        used = set(re.findall(r'(?:fill|stroke)="(#[0-9a-f]+)"', svg))
        assert used <= known, name
        assert not re.search(r'(?:fill|stroke)="(?:rgb|black|white)', svg), name


def test_odd_labels_are_drawn_as_text() -> None:
    square = [[1] * len(ODD) for _ in ODD]
    for spec in (
        charts.class_balance([(label, 5) for label in ODD]),
        charts.confusion(ODD, square),
        charts.importance([{"column": label, "importance": 1.0} for label in ODD], metric=HOSTILE),
        charts.roc([{"label": label, "auc": 0.5, "points": [[0, 0], [1, 1]]} for label in ODD[:8]]),
    ):
        svg = charts.to_svg(spec)
        ElementTree.fromstring(svg)
        assert "<script" not in svg


@settings(deadline=None, max_examples=15)
@given(st.lists(st.text(max_size=30), min_size=1, max_size=5))
def test_any_label_gives_well_formed_markup_and_its_own_bar(labels: list[str]) -> None:
    spec = charts.class_balance([(label, 1) for label in labels])
    assert len({row["label"] for row in spec["data"]["values"]}) == len(labels)
    ElementTree.fromstring(charts.to_svg(spec))


def test_histogram_bars_stand_on_zero_with_their_counts_as_heights() -> None:
    svg = charts.to_svg(charts.residual_histogram([-1.0, 0.0, 1.0, 3.0], [3, 4, 1]))
    bars = re.findall(r'd="M([\d.]+),([\d.]+)h([\d.]+)v([\d.]+)h-[\d.]+Z"[^>]*fill="#2563b0"', svg)
    _, tops, widths, heights = (list(map(float, each)) for each in zip(*bars, strict=True))
    feet = [top + height for top, height in zip(tops, heights, strict=True)]
    assert feet == pytest.approx([feet[0]] * 3)
    assert heights == pytest.approx([3 * heights[2], 4 * heights[2], heights[2]], rel=0.02)
    assert widths == pytest.approx([widths[0], widths[0], 2 * widths[0]], rel=0.05)


def test_long_inputs_are_thinned_and_keep_what_matters() -> None:
    curve = [{"round": i, "train": 1.0, "validation": 1.0} for i in range(1, 5001)]
    rows = charts.learning_curve(curve, best_round=4321)["data"]["values"]
    assert {1, 4321, 5000} <= {row["x"] for row in rows}
    assert len(rows) <= 2 * (MAX_POINTS + 2)
    points = [[i / 1e4, i / 1e4] for i in range(10_000)]
    assert len(charts.roc([{"label": "a", "auc": 0.5, "points": points}])["data"]["values"]) <= MAX_POINTS + 2
    assert len(charts.predicted_and_actual(points, target="y")["data"]["values"]) <= 600


def test_of_many_classes_the_hardest_are_drawn() -> None:
    curves = [{"label": f"c{i}", "auc": i / 20, "points": [[0, 0], [1, 1]]} for i in range(20)]
    labels = {row["label"] for row in charts.roc(curves)["data"]["values"]}
    assert labels == {f"c{i}" for i in range(MAX_SERIES)}


def test_importance_draws_the_twenty_largest_in_order() -> None:
    rows = [{"column": f"c{i}", "importance": float(i)} for i in range(30)]
    drawn = [row["label"] for row in charts.importance(rows, metric="r2")["data"]["values"]]
    assert drawn == [f"c{i}" for i in range(29, 9, -1)]


def test_description_says_the_numbers() -> None:
    assert "a: 75.0" in charts.class_balance([("a", 3), ("b", 1)])["description"]
    assert "area 0.75" in SPECS["roc"]["description"]
