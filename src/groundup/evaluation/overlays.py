"""Charts that lay runs over each other, or parts of the rows beside each other."""

from collections.abc import Sequence
from typing import Any

from groundup.evaluation.drawing import (
    INK,
    MAX_SERIES,
    Row,
    Spec,
    chart,
    labels_axis,
    list_labels,
    quantity,
    series_color,
    thin,
    two_colors,
    unique_labels,
    vertical_mark,
)
from groundup.evaluation.formatting import interval_texts, is_number


def validation_curves(runs: Sequence[Row], *, loss: str = "loss") -> Spec:
    """Draw the validation loss of several runs, round by round.

    Parameters
    ----------
    runs : sequence of mapping
        `name`, and `curve`: rows with `round` and `validation`; at most `MAX_SERIES` are drawn.
    loss : str
        The loss's name, for the axis.
    """
    shown = runs[:MAX_SERIES]
    data = [
        {"x": row["round"], "y": row["validation"], "label": label}
        for label, run in zip(unique_labels([run["name"] for run in shown]), shown, strict=True)
        for row in thin(run["curve"])
        if is_number(row.get("validation"))
    ]
    encoding = {
        "x": {**quantity("x", "Round"), "axis": {"grid": False, "tickMinStep": 1}},
        "y": quantity("y", loss),
        "color": series_color(data),
    }
    return chart(
        f"{loss} on validation rows, round by round.", data, [{"mark": "line", "encoding": encoding}]
    )


def ranges(rows: Sequence[Row], *, title: str, mark: float | None = None, mark_text: str = "") -> Spec:
    """Draw values with their intervals, one a line, and what they are measured against.

    Parameters
    ----------
    rows : sequence of mapping
        `label`, `value`, and optionally `low`, `high` and `is_clear`, which colours the row.
    title : str
        What the values are.
    mark : float or None
        Where a dashed line stands: no difference, or the value of all rows.
    mark_text : str
        What stands beside that line.
    """
    usable = [row for row in rows if is_number(row.get("value"))]
    data = [_range(row, label) for row, label in zip(usable, _labels(usable), strict=True)]
    y, color = labels_axis(), two_colors("group", "clear", "other")
    interval = {"y": y, "x": quantity("low", title), "x2": {"field": "high"}, "color": color}
    point = {"y": y, "x": quantity("x", title), "color": color}
    text = {**point, "text": {"field": "text"}, "color": {"value": INK}}
    layers: list[Spec] = [] if mark is None else vertical_mark(mark, mark_text)
    layers += [
        {"mark": {"type": "rule", "strokeWidth": 2}, "encoding": interval},
        {"mark": {"type": "point", "filled": True, "size": 70, "opacity": 1}, "encoding": point},
        {"mark": {"type": "text", "dy": -13, "fontSize": 12}, "encoding": text},
    ]
    return chart(list_labels(data, title), data, layers, height=64 + 42 * len(data))


def _labels(rows: Sequence[Row]) -> list[str]:
    return unique_labels([row["label"] for row in rows])


def _range(row: Row, label: str) -> dict[str, Any]:
    value = row["value"]
    ends = {end: row[end] if is_number(row.get(end)) else value for end in ("low", "high")}
    text = interval_texts(value, row.get("low"), row.get("high"))[0]
    return {
        "label": label,
        "x": value,
        **ends,
        "group": "clear" if row.get("is_clear") else "other",
        "text": text,
    }
