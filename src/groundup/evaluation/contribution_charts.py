"""Charts of contributions: how much each column moves predictions, and which way."""

from collections.abc import Sequence
from typing import Final

from groundup.evaluation.drawing import (
    BLUE,
    INK,
    ORANGE,
    PALETTE,
    RULE,
    Row,
    Spec,
    chart,
    labels_axis,
    list_labels,
    quantity,
    unique_labels,
    vertical_mark,
)
from groundup.evaluation.formatting import shorten

_MOST_COLUMNS: Final = 15
_TEAL: Final = PALETTE["teal"][0]
_LEVELS: Final = {"low": BLUE, "middle": RULE, "high": ORANGE, "other": _TEAL}
_TITLES: Final = {
    "low": "low value",
    "middle": "middle",
    "high": "high value",
    "other": "no order, or missing",
}


def sizes(rows: Sequence[Row], *, unit: str) -> Spec:
    """Draw how far each column moves predictions, in the mean.

    Parameters
    ----------
    rows : sequence of mapping
        `column` and `mean_absolute`, the largest first; the first 15 are drawn.
    unit : str
        What is moved.
    """
    top = [row for row in rows if row["mean_absolute"] > 0][:_MOST_COLUMNS]
    labels = unique_labels([row["column"] for row in top])
    data = [{"label": label, "x": row["mean_absolute"]} for label, row in zip(labels, top, strict=True)]
    title = f"Mean size of the contribution to {unit}"
    encoding = {"y": labels_axis(), "x": {**quantity("x", title), "scale": {"zero": True}}}
    mark = {"type": "bar", "color": BLUE, "opacity": 0.75, "height": {"band": 0.62}}
    layers = [{"mark": mark, "encoding": encoding}]
    return chart(list_labels(data, title), data, layers, height=60 + 24 * len(data))


def strips(rows: Sequence[Row], *, unit: str) -> Spec:
    """Draw where the contributions of each column lie, coloured by how high its values there are.

    Parameters
    ----------
    rows : sequence of mapping
        `column` and `bins` of (middle, rows, level): what `contributions.strips` returns.
    unit : str
        What is moved.
    """
    labels = unique_labels([row["column"] for row in rows])
    data = [
        {"label": label, "x": middle, "share": n / max(each[1] for each in row["bins"]), "level": level}
        for label, row in zip(labels, rows, strict=True)
        for middle, n, level in row["bins"]
    ]
    present = [level for level in _LEVELS if any(row["level"] == level for row in data)]
    color = {
        "field": "group",
        "type": "nominal",
        "scale": {
            "domain": [_TITLES[level] for level in present],
            "range": [_LEVELS[level] for level in present],
        },
        "legend": {"symbolType": "square"},
    }
    for row in data:
        row["group"] = _TITLES[row.pop("level")]
    size = {
        "field": "share",
        "type": "quantitative",
        "legend": None,
        "scale": {"domain": [0, 1], "range": [3, 22]},
    }
    encoding = {
        "y": labels_axis(),
        "x": quantity("x", f"Contribution to {unit}"),
        "size": size,
        "color": color,
    }
    mark = {"type": "tick", "orient": "vertical", "thickness": 5, "opacity": 1}
    layers = [*vertical_mark(0, ""), {"mark": mark, "encoding": encoding}]
    words = f"Contributions to {unit} of {len(rows)} columns, by whether the column's value is low or high."
    return chart(words, data, layers, height=84 + 27 * len(rows))


def dependence(row: Row, *, unit: str) -> Spec:
    """Draw a column's contributions against its values.

    Parameters
    ----------
    row : mapping
        `column`, and `points` of (value, contribution) or `levels`, as
        `groundup.evaluation.contributions.dependences` makes them.
    unit : str
        What is moved.
    """
    name, title = shorten(row["column"], 30), f"Contribution to {unit}"
    if "points" not in row:
        return _levels(row["levels"], title, name)
    data = [{"x": value, "y": part} for value, part in row["points"] if value is not None]
    is_date = bool(data) and isinstance(data[0]["x"], str)
    # Room beside the outermost points, which would else be cut in half.
    x: Spec = {**quantity("x", name), "scale": {"zero": False, "padding": 6}}
    if is_date:
        x = {"field": "x", "type": "temporal", "title": name, "axis": {"tickCount": 4}}
    elif all(row["x"] == int(row["x"]) for row in data):
        x["axis"] = {"tickCount": 4, "tickMinStep": 1, "format": "d"}
    encoding = {"x": x, "y": {**quantity("y", title), "scale": {"zero": False, "padding": 6}}}
    mark = {"type": "point", "filled": True, "size": 22, "opacity": 0.5, "color": BLUE}
    zero = {"mark": {"type": "rule", "color": RULE, "strokeDash": [4, 4]}, "encoding": {"y": {"datum": 0}}}
    return chart(f"{title} by {name}, {len(data)} rows.", data, [zero, {"mark": mark, "encoding": encoding}])


def _levels(levels: Sequence[Row], title: str, name: str) -> Spec:
    labels = unique_labels([level["label"] for level in levels])
    pairs = list(zip(labels, levels, strict=True))
    data = [{"label": label, "x": part} for label, level in pairs for part in level["contributions"]]
    means = [{"label": label, "x": level["mean"]} for label, level in pairs]
    encoding = {"y": labels_axis(), "x": quantity("x", title)}
    point = {"type": "point", "filled": True, "size": 22, "opacity": 0.4, "color": BLUE}
    tick = {"type": "tick", "color": INK, "thickness": 2, "size": 20}
    layers: list[Spec] = [
        *vertical_mark(0, ""),
        {"mark": point, "encoding": encoding},
        {"data": {"values": means}, "mark": tick, "encoding": encoding},
    ]
    words = list_labels(means, f"Mean of the {title[:1].lower()}{title[1:]} by level of {name}")
    return chart(words, data, layers, height=max(150, 64 + 27 * len(levels)))
