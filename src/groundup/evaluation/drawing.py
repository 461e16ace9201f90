"""What all charts share: the palette, the frame, axes, labels, reference lines.

Colours come from `PALETTE`. Each has a twin for dark pages; every hex value is used for one purpose
only, so that a style sheet can swap it by its attribute (``[fill="#2563b0"]``).
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from groundup.evaluation.formatting import number, shorten

Spec = dict[str, Any]
Row = Mapping[str, Any]

PALETTE: Final[Mapping[str, tuple[str, str]]] = {
    "ink": ("#1f2830", "#e6e9ed"),
    "muted": ("#59636e", "#a0abb6"),
    "grid": ("#e2e6ea", "#2d343c"),
    "rule": ("#7a848f", "#848f9b"),
    "blue": ("#2563b0", "#7fb2f5"),
    "orange": ("#bf5415", "#f29d63"),
    "teal": ("#0e7566", "#52c4b0"),
    "purple": ("#7547b5", "#b899ef"),
    "red": ("#b0303a", "#f0868d"),
    "olive": ("#66700f", "#c3ce5e"),
    "pink": ("#ab2d76", "#ef90c6"),
    "cyan": ("#0a6f8c", "#62c6e2"),
}
"""Name of a colour → its hex value on a light page and on a dark one."""

INK, MUTED, GRID, RULE = (PALETTE[name][0] for name in ("ink", "muted", "grid", "rule"))
BLUE, ORANGE = PALETTE["blue"][0], PALETTE["orange"][0]
_SERIES: Final = tuple(
    PALETTE[name][0] for name in ("blue", "orange", "teal", "purple", "red", "olive", "pink", "cyan")
)
WIDTH: Final = 430
"""Total width of a chart, pixels: two stand side by side on a page, one fits a phone."""
HEIGHT: Final = 270
MAX_SERIES: Final = len(_SERIES)
"""Lines a chart can hold and still be told apart."""
MAX_POINTS: Final = 250
"""Points a line keeps; more could not be seen."""

_FONT: Final = "Arial, Liberation Sans, Arimo, Helvetica, sans-serif"
"""Families of equal letter widths, so that labels fit wherever the page is opened."""
_LEGEND_LETTERS: Final = 66
"""Letters that fit beside each other in a legend of a chart's width."""
LOCALE: Final = {"decimal": ".", "thousands": "\u202f", "grouping": [3], "currency": ["", ""], "minus": "−"}


def chart(
    description: str, data: list[Spec], layers: list[Spec], *, width: int = WIDTH, height: int = HEIGHT
) -> Spec:
    """Return a specification: `layers` over `data`, in the look that all charts share.

    Parameters
    ----------
    description : str
        The chart in words, for those who cannot see it.
    data : list of dict
        Rows that layers without data of their own draw.
    layers : list of dict
        Marks with their encodings, the lowest first.
    width, height : int
        Total size with axes and legend, pixels.
    """
    axis = {
        "labelColor": MUTED,
        "titleColor": MUTED,
        "titleFontWeight": 500,
        "gridColor": GRID,
        "domainColor": RULE,
        "tickColor": RULE,
        "labelLimit": 170,
        "titlePadding": 8,
        "tickSize": 4,
        "labelSeparation": 8,
    }
    legend = {"orient": "top", "title": None, "labelColor": MUTED, "labelLimit": 200, "symbolStrokeWidth": 2}
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "description": description,
        "data": {"values": data},
        "layer": layers,
        "width": width,
        "height": height,
        "autosize": {"type": "fit", "contains": "padding"},
        "background": None,
        "padding": 4,
        "config": {
            "aria": False,
            "font": _FONT,
            "view": {"stroke": None},
            "axis": {**axis, "labelFontSize": 12, "titleFontSize": 12},
            "legend": {**legend, "labelFontSize": 12, "columns": 3},
            "line": {"strokeWidth": 2},
        },
    }


def quantity(field: str, title: str, *, domain: Sequence[float] | None = None) -> Spec:
    """Return the encoding of a number by position; without a `domain` the axis fits the data."""
    scale: Spec = {"zero": False} if domain is None else {"domain": list(domain)}
    return {"field": field, "type": "quantitative", "title": title, "scale": scale, "axis": {"tickCount": 4}}


def labels_axis() -> Spec:
    """Return the encoding of the field `label` by vertical position, in the order of the data."""
    axis = {"labelLimit": 190, "domain": False, "ticks": False, "labelPadding": 6, "labelColor": INK}
    return {"field": "label", "type": "nominal", "sort": None, "title": None, "axis": axis}


def series_color(data: Sequence[Row], colors: Mapping[str, str] | None = None) -> Spec:
    """Return the encoding of the field `label` by colour, with a legend if there are several.

    Labels take the palette's colours in turn, unless `colors` gives each its own.
    """
    labels = list(dict.fromkeys(row["label"] for row in data))
    chosen = [colors[label] for label in labels] if colors else list(_SERIES[: len(labels)])
    scale = {"domain": labels, "range": chosen or [BLUE]}
    longest = max((len(label) for label in labels), default=0)
    legend: Spec | None = {
        "symbolType": "stroke",
        "columns": max(1, min(3, _LEGEND_LETTERS // (longest + 5))),
    }
    return {
        "field": "label",
        "type": "nominal",
        "scale": scale,
        "legend": legend if len(labels) > 1 else None,
    }


def two_colors(field: str, first: str, second: str, *, other: str = RULE) -> Spec:
    """Return the encoding that draws the value `first` in blue and `second` in the colour `other`."""
    scale = {"domain": [first, second], "range": [BLUE, other]}
    return {"field": field, "type": "nominal", "scale": scale, "legend": None}


def reference_line(x: Sequence[float], y: Sequence[float]) -> Spec:
    """Return a layer with a dashed line through the given points."""
    values = [{"rx": a, "ry": b} for a, b in zip(x, y, strict=True)]
    encoding = {
        "x": {"field": "rx", "type": "quantitative"},
        "y": {"field": "ry", "type": "quantitative"},
    }
    mark = {"type": "line", "color": RULE, "strokeDash": [4, 4], "strokeWidth": 1.2}
    return {"data": {"values": values}, "mark": mark, "encoding": encoding}


def text_at(row: Row) -> Spec:
    """Return a layer with the row's `text`, starting above (`x`, `y`)."""
    encoding = {
        "x": {"field": "x", "type": "quantitative"},
        "y": {"field": "y", "type": "quantitative"},
        "text": {"field": "text"},
    }
    mark = {"type": "text", "align": "left", "dy": -7, "color": MUTED, "fontSize": 12}
    return {"data": {"values": [dict(row)]}, "mark": mark, "encoding": encoding}


def vertical_mark(x: float, text: str, *, near_end: bool = False) -> list[Spec]:
    """Return layers with a dashed vertical line at `x` and its text, left of it if `near_end`."""
    data = {"values": [{"x": x, "text": text}]}
    position = {"x": {"field": "x", "type": "quantitative"}}
    rule = {
        "mark": {"type": "rule", "color": RULE, "strokeDash": [4, 4]},
        "encoding": position,
        "data": data,
    }
    if not text:
        return [rule]
    align = {"align": "right", "dx": -5} if near_end else {"align": "left", "dx": 5}
    mark = {"type": "text", "color": INK, "baseline": "top", "fontSize": 12, **align}
    label = {
        "mark": mark,
        "encoding": {**position, "y": {"value": 2}, "text": {"field": "text"}},
        "data": data,
    }
    return [rule, label]


def thin(points: Sequence[Any], keep: set[int | None] | None = None) -> list[Any]:
    """Return at most about `MAX_POINTS`, the first and last among them, and rounds in `keep`."""
    step = max(1, math.ceil(len(points) / MAX_POINTS))
    last = len(points) - 1
    return [
        point
        for index, point in enumerate(points)
        if index % step == 0 or index == last or (keep and point["round"] in keep)
    ]


def unique_labels(values: Sequence[Any], limit: int = 30) -> list[str]:
    """Return the values as short labels; what shortening made equal is numbered.

    Examples
    --------
    >>> unique_labels(["a", "b", "a"])
    ['a (1)', 'b', 'a (2)']
    """
    texts = [shorten(value, limit) for value in values]
    total, seen = Counter(texts), Counter[str]()
    labels = []
    for text in texts:
        seen[text] += 1
        labels.append(text if total[text] == 1 else f"{text} ({seen[text]})")
    return labels


def list_labels(data: Sequence[Row], what: str) -> str:
    """Return each row's `label` with its `x` in words."""
    return f"{what}. " + sentence([f"{row['label']}: {number(row['x'])}" for row in data])


def sentence(parts: Sequence[str], limit: int = 20) -> str:
    """Return the parts as one sentence; those above `limit` are only counted."""
    shown = "; ".join(parts[:limit])
    return f"{shown}; and {len(parts) - limit} more." if len(parts) > limit else f"{shown}." if shown else ""
