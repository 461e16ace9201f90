"""Overlaid charts can be drawn, and say in words what they show."""

from groundup.evaluation.charts import to_svg
from groundup.evaluation.overlays import ranges, validation_curves


def test_curves_of_several_runs_are_drawn() -> None:
    curve = [{"round": n, "train": 0.1, "validation": 1 / n} for n in range(1, 400)]
    spec = validation_curves(
        [{"name": "a", "curve": curve}, {"name": "a", "curve": curve[:9]}], loss="Log loss"
    )
    assert {row["label"] for row in spec["data"]["values"]} == {"a (1)", "a (2)"}
    assert "<svg" in to_svg(spec)


def test_ranges_leave_out_what_is_undefined() -> None:
    rows = [
        {"label": "b", "value": 0.5, "low": 0.4, "high": 0.6, "is_clear": True},
        {"label": "c", "value": None},
    ]
    spec = ranges(rows, title="Difference", mark=0.0, mark_text="no difference")
    assert [row["group"] for row in spec["data"]["values"]] == ["clear"]
    assert "no difference" in to_svg(spec)
