"""The report's charts: one pure function a chart, from plain rows to a Vega-Lite specification.

A specification is a plain dict, so the same chart is drawn in the report, a notebook and a web page.
Data rows use fixed field names (`x`, `y`, `label`, …) and never a column's own name, because Vega-Lite
gives dots, brackets and quotes in field names a meaning.
"""

from collections.abc import Sequence
from html import escape
from typing import Any

from groundup.evaluation.drawing import (
    BLUE,
    GRID,
    INK,
    LOCALE,
    MAX_SERIES,
    ORANGE,
    WIDTH,
    Row,
    Spec,
    chart,
    labels_axis,
    list_labels,
    quantity,
    reference_line,
    sentence,
    series_color,
    text_at,
    thin,
    two_colors,
    unique_labels,
    vertical_mark,
)
from groundup.evaluation.formatting import duration, interval_texts, is_number, number, percent, shorten


def to_svg(spec: Spec, *, ids: str = "chart") -> str:
    """Return the chart as an SVG element that can stand in an HTML page.

    Parameters
    ----------
    spec : dict
        What a function of this module returned.
    ids : str, default="chart"
        Prefix of every `id` in the drawing; distinct for each chart of a page. Letters, digits, `-`.

    Returns
    -------
    str
        An ``<svg>`` element with ``role="img"`` and the specification's description as its label.

    Examples
    --------
    >>> svg = to_svg(class_balance([("yes", 3), ("no", 7)]), ids="balance")
    >>> svg.startswith("<svg "), 'role="img"' in svg
    (True, True)
    """
    import vl_convert

    svg: str = vl_convert.vegalite_to_svg(spec, format_locale=LOCALE, allowed_base_urls=[])
    svg = svg[svg.index("<svg") :].replace(' xmlns:xlink="http://www.w3.org/1999/xlink"', "")
    for quoted in ('id="', "url(#", 'href="#'):
        svg = svg.replace(quoted, f"{quoted}{ids}-")
    label = escape(str(spec.get("description", "")), quote=True)
    return svg.replace('class="marks"', f'class="marks" role="img" aria-label="{label}"', 1)


def leaderboard(rows: Sequence[Row], *, metric: str) -> Spec:
    """Draw each candidate's cross-validated score with its interval, the chosen one in colour.

    Parameters
    ----------
    rows : sequence of mapping
        `title` (or `name`), `score`, and optionally `low`, `high`, `chosen`; in the order to show.
    metric : str
        The score's title.

    Returns
    -------
    dict
        A Vega-Lite specification.
    """
    rows = [row for row in rows if is_number(row.get("score"))]
    data = [
        {
            "label": label,
            "x": row["score"],
            **_whiskers(row, row["score"]),
            "group": "chosen" if row.get("chosen") else "other",
            "text": interval_texts(row["score"], row.get("low"), row.get("high"))[0],
        }
        for label, row in zip(_titles(rows), rows, strict=True)
    ]
    y = labels_axis()
    color = two_colors("group", "chosen", "other")
    interval = {"y": y, "x": quantity("low", metric), "x2": {"field": "high"}, "color": color}
    point = {"y": y, "x": quantity("x", metric), "color": color}
    text = {**point, "text": {"field": "text"}, "color": {"value": INK}}
    layers = [
        {"mark": {"type": "rule", "strokeWidth": 2}, "encoding": interval},
        {"mark": {"type": "point", "filled": True, "size": 70, "opacity": 1}, "encoding": point},
        {"mark": {"type": "text", "dy": -13, "fontSize": 12}, "encoding": text},
    ]
    return chart(list_labels(data, f"{metric} by model"), data, layers, height=64 + 42 * len(data))


def fold_scores(rows: Sequence[Row], *, metric: str) -> Spec:
    """Draw each candidate's score fold by fold.

    Lines that run parallel say that the folds differ in difficulty and not the candidates in rank.

    Parameters
    ----------
    rows : sequence of mapping
        `title` (or `name`) and `fold_scores`, a sequence of numbers; at most `MAX_SERIES` are drawn.
    metric : str
        The score's title.
    """
    data = [
        {"x": fold, "y": score, "label": label}
        for label, row in zip(_titles(rows[:MAX_SERIES]), rows[:MAX_SERIES], strict=True)
        for fold, score in enumerate(row.get("fold_scores") or (), start=1)
        if is_number(score)
    ]
    folds = {"field": "x", "type": "ordinal", "title": "Fold", "axis": {"labelAngle": 0, "grid": False}}
    encoding = {"x": folds, "y": quantity("y", metric), "color": series_color(data)}
    mark = {"type": "line", "point": {"size": 36}, "strokeWidth": 1.5}
    return chart(f"{metric} of each model in each fold.", data, [{"mark": mark, "encoding": encoding}])


def learning_curve(
    curve: Sequence[Row], *, best_round: int | None = None, loss: str = "loss", unit: str = "Round"
) -> Spec:
    """Draw the loss on training and validation rows round by round, the best round marked.

    Parameters
    ----------
    curve : sequence of mapping
        `round` (from 1), `train`, `validation`; either loss may be None.
    best_round : int or None
        Where the validation loss is lowest.
    loss : str
        The loss's name, for the axis.
    unit : str
        What is counted along the other axis.
    """
    kept = thin(curve, keep={best_round})
    data = [
        {"x": row["round"], "y": row[part], "label": title}
        for part, title in (("train", "training rows"), ("validation", "validation rows"))
        for row in kept
        if is_number(row.get(part))
    ]
    encoding = {
        "x": {**quantity("x", unit), "axis": {"grid": False, "tickMinStep": 1}},
        "y": quantity("y", loss),
        "color": series_color(data),
    }
    layers: list[Spec] = [{"mark": {"type": "line"}, "encoding": encoding}]
    if best_round is not None:
        layers += vertical_mark(
            best_round, f"best: {number(best_round)}", near_end=_is_late(best_round, curve)
        )
    best = f" The best {unit.lower()} is {best_round}." if best_round is not None else ""
    return chart(f"{loss} by {unit.lower()} on training and validation rows.{best}", data, layers)


def data_fractions(
    fractions: Sequence[Row], *, loss: str = "loss", forecast: Sequence[Row] | None = None
) -> Spec:
    """Draw the loss against the number of training rows: on held-out rows, on those rows, and what comes.

    Parameters
    ----------
    fractions : sequence of mapping
        `n` (training rows), and optionally `held_out` with `low` and `high`, and `train` with `train_low`
        and `train_high`.
    loss : str
        The loss's name, for the axis.
    forecast : sequence of mapping, optional
        The held-out loss at more rows: `n`, `value`, `low`, `high`.
    """
    ahead = "held-out rows, forecast"
    series = (("training rows", "train", "train_"), ("held-out rows", "held_out", ""))
    data = [
        {"x": row["n"], "y": row[key], "label": label}
        | {end: row.get(prefix + end) for end in ("low", "high") if is_number(row.get(prefix + end))}
        for label, key, prefix in series
        for row in fractions
        if is_number(row.get(key))
    ]
    data += [
        {"x": row["n"], "y": row["value"], "label": ahead, "low": row["low"], "high": row["high"]}
        for row in forecast or ()
    ]
    measured = [row["n"] for row in fractions if is_number(row.get("held_out"))]
    ticks = measured[::-2] + [row["n"] for row in (forecast or ())[-1:]]
    x = quantity("x", "Rows fitted on (logarithmic scale)")
    x |= {"scale": {"type": "log", "base": 2, "nice": False}}
    x |= {"axis": {"grid": False, "values": ticks, "format": ",d"}}
    colors = {"training rows": BLUE, "held-out rows": ORANGE, ahead: ORANGE}
    color = series_color(data, colors)
    color["legend"] = color["legend"] and {**color["legend"], "symbolOpacity": 1}  # not as pale as the bands
    band = {"x": x, "y": quantity("low", loss), "y2": {"field": "high"}, "color": color}
    line = {"x": x, "y": quantity("y", loss), "color": color}
    is_ahead = f"datum.label == '{ahead}'"
    layers: list[Spec] = [
        {
            "transform": [{"filter": "isValid(datum.low) && isValid(datum.high)"}],
            "mark": {"type": "area", "opacity": 0.18},
            "encoding": band,
        },
        {
            "transform": [{"filter": f"!({is_ahead})"}],
            "mark": {"type": "line", "point": {"size": 36}},
            "encoding": line,
        },
        {
            "transform": [{"filter": is_ahead}],
            "mark": {"type": "line", "strokeDash": [4, 3]},
            "encoding": line,
        },
    ]
    return chart(f"{loss} for growing numbers of training rows.", data, layers)


def confusion(labels: Sequence[Any], counts: Sequence[Sequence[int]]) -> Spec:
    """Draw how often each actual class (rows) was predicted as each class (columns).

    Parameters
    ----------
    labels : sequence
        The n classes.
    counts : sequence of sequence of int
        Shape (n, n), actual by predicted. Numbers are written into the cells of up to 20 classes.
    """
    names = unique_labels(labels, 18)
    data = [
        {
            "actual": names[i],
            "predicted": names[j],
            "share": count / max(1, sum(row)),
            "color": "right" if i == j else "wrong",
            "text": number(int(count)),
            "percent": percent(count / max(1, sum(row)), 0),
        }
        for i, row in enumerate(counts)
        for j, count in enumerate(row)
    ]
    n = len(names)
    x: Spec = {"field": "predicted", "type": "nominal", "sort": None, "title": "Predicted class"}
    y: Spec = {"field": "actual", "type": "nominal", "sort": None, "title": "Actual class"}
    x["axis"] = {"orient": "top", "labelAngle": 0 if n <= 4 else -45, "domain": False, "labelLimit": 130}
    y["axis"] = {"domain": False, "labelLimit": 130}
    opacity = {"field": "share", "type": "quantitative", "scale": {"domain": [0, 1], "range": [0.03, 0.5]}}
    cell = {
        "x": x,
        "y": y,
        "fillOpacity": {**opacity, "legend": None},
        "fill": two_colors("color", "right", "wrong", other=ORANGE),
    }
    layers: list[Spec] = [{"mark": {"type": "rect", "stroke": GRID, "strokeWidth": 1}, "encoding": cell}]
    if n <= 20:
        layers += _cell_texts(n, x, y)
    wide = n > 8
    width = 2 * WIDTH if wide else WIDTH
    height = 110 + n * (72 if n <= 3 else 48 if n <= 8 else 30 if n <= 20 else 600 / n)
    return chart(_confusion_words(names, counts), data, layers, width=width, height=round(height))


def _cell_texts(n: int, x: Spec, y: Spec) -> list[Spec]:
    font = 13 if n <= 4 else 11 if n <= 8 else 10
    mark = {"type": "text", "fontSize": font, "color": INK}
    if n > 8:
        return [{"mark": mark, "encoding": {"x": x, "y": y, "text": {"field": "text"}}}]
    return [
        {
            "mark": {**mark, "dy": -7, "fontWeight": 600},
            "encoding": {"x": x, "y": y, "text": {"field": "text"}},
        },
        {
            "mark": {**mark, "dy": 9, "fontSize": font - 1},
            "encoding": {"x": x, "y": y, "text": {"field": "percent"}},
        },
    ]


def _confusion_words(names: Sequence[str], counts: Sequence[Sequence[int]]) -> str:
    right = [
        f"{name}: {percent(row[index] / sum(row))} right"
        for index, (name, row) in enumerate(zip(names, counts, strict=True))
        if sum(row)
    ]
    return "Confusion matrix, actual class by predicted class. " + sentence(right)


def roc(curves: Sequence[Row]) -> Spec:
    """Draw true-positive rate against false-positive rate for every threshold.

    Parameters
    ----------
    curves : sequence of mapping
        `label`, `auc`, `points` ((false-positive rate, true-positive rate) pairs); at most
        `MAX_SERIES` are drawn, the lowest areas first.
    """
    shown = _worst_first(curves, "auc")
    data, words = _curve_rows(shown, "auc", "area")
    layers = [
        reference_line([0, 1], [0, 1]),
        _curves_layer(data, "False-positive rate", "True-positive rate"),
    ]
    return chart(f"ROC curves. {words}", data, layers, height=330)


def precision_recall(curves: Sequence[Row]) -> Spec:
    """Draw precision against recall for every threshold, with the share of positives as reference.

    Parameters
    ----------
    curves : sequence of mapping
        `label`, `ap` (average precision), `share` (base rate), `points` ((recall, precision) pairs);
        at most `MAX_SERIES` are drawn, the lowest average precision first.
    """
    shown = _worst_first(curves, "ap")
    data, words = _curve_rows(shown, "ap", "average precision")
    layers = [_curves_layer(data, "Recall", "Precision")]
    shares = [curve["share"] for curve in shown if is_number(curve.get("share"))]
    if len(shown) == 1 and shares:
        text = {"x": 0.02, "y": shares[0], "text": f"guessing: {percent(shares[0])}"}
        layers.insert(0, reference_line([0, 1], [shares[0], shares[0]]))
        layers.append(text_at(text))
    return chart(f"Precision by recall. {words}", data, layers, height=330)


def calibration(curves: Sequence[Row]) -> Spec:
    """Draw the observed frequency against the predicted probability, in bins.

    Parameters
    ----------
    curves : sequence of mapping
        `label` and `points` ((mean predicted, observed frequency, rows) triples); at most
        `MAX_SERIES` are drawn.
    """
    shown = curves[:MAX_SERIES]
    data = [
        {"x": point[0], "y": point[1], "n": point[2], "label": label}
        for label, curve in zip(unique_labels([each["label"] for each in shown]), shown, strict=True)
        for point in curve["points"]
        if is_number(point[0]) and is_number(point[1])
    ]
    encoding = {
        "x": quantity("x", "Predicted probability", domain=[0, 1]),
        "y": quantity("y", "Observed frequency", domain=[0, 1]),
        "color": series_color(data),
    }
    size = {"field": "n", "type": "quantitative", "legend": None, "scale": {"range": [20, 160]}}
    layers = [
        reference_line([0, 1], [0, 1]),
        {"mark": {"type": "line", "strokeWidth": 1.5}, "encoding": encoding},
        {"mark": {"type": "point", "filled": True, "opacity": 0.85}, "encoding": {**encoding, "size": size}},
    ]
    return chart(
        "Observed frequency by predicted probability; the diagonal is perfect.", data, layers, height=330
    )


def predicted_and_actual(points: Sequence[Sequence[float]], *, target: str) -> Spec:
    """Draw the actual value against the predicted one, a point a row.

    Parameters
    ----------
    points : sequence of (predicted, actual)
        At most 600 are drawn, evenly picked.
    target : str
        The target's name, for the axes.
    """
    pairs = [(pair[0], pair[1]) for pair in points if is_number(pair[0]) and is_number(pair[1])]
    pairs = pairs[:: 1 + len(pairs) // 600]
    data = [{"x": predicted, "y": actual} for predicted, actual in pairs]
    values = [value for pair in pairs for value in pair]
    ends = [min(values), max(values)] if values else [0, 1]
    name = shorten(target, 30)
    encoding = {
        "x": quantity("x", f"Predicted {name}", domain=ends),
        "y": quantity("y", f"Actual {name}", domain=ends),
    }
    mark = {"type": "point", "filled": True, "size": 16, "opacity": 0.65, "color": BLUE, "clip": True}
    layers = [{"mark": mark, "encoding": encoding}, reference_line(ends, ends)]
    return chart(
        f"Actual by predicted {name}, {len(data)} rows; the diagonal is perfect.", data, layers, height=330
    )


def residual_histogram(edges: Sequence[float], counts: Sequence[int]) -> Spec:
    """Draw how often each error (actual − predicted) occurs.

    Parameters
    ----------
    edges : sequence of float
        Shape (n + 1,), ascending.
    counts : sequence of int
        Shape (n,).
    """
    data = [
        {"x": low, "x2": high, "y": count}
        for low, high, count in zip(edges[:-1], edges[1:], counts, strict=True)
    ]
    x = {**quantity("x", "Error (actual − predicted)"), "axis": {"grid": False}, "bin": "binned"}
    y = {**quantity("y", "Rows"), "scale": {"zero": True}, "axis": {"tickMinStep": 1, "tickCount": 4}}
    encoding = {"x": x, "x2": {"field": "x2"}, "y": y}
    bars = {"mark": {"type": "bar", "color": BLUE, "opacity": 0.8}, "encoding": encoding}
    return chart("Histogram of the errors.", data, [bars, *vertical_mark(0, "")], height=330)


def importance(rows: Sequence[Row], *, metric: str) -> Spec:
    """Draw how much worse the score gets when a column is shuffled, with intervals.

    Parameters
    ----------
    rows : sequence of mapping
        `column`, `importance`, and optionally `low`, `high`; the 20 largest are drawn, none without effect.
    metric : str
        The score's title.
    """
    usable = [row for row in rows if has_effect(row)]
    top = sorted(usable, key=lambda row: -float(row["importance"]))[:20]
    data = [
        {"label": label, "x": row["importance"], **_whiskers(row, row["importance"])}
        for label, row in zip(unique_labels([row["column"] for row in top]), top, strict=True)
    ]
    title = f"Worsening of {metric}"
    y = labels_axis()
    bar = {"y": y, "x": {**quantity("x", title), "scale": {"zero": True}}}
    rule = {"y": y, "x": quantity("low", title), "x2": {"field": "high"}}
    layers = [
        {"mark": {"type": "bar", "color": BLUE, "opacity": 0.75, "height": {"band": 0.62}}, "encoding": bar},
        {"mark": {"type": "rule", "color": INK, "strokeWidth": 1.2}, "encoding": rule},
    ]
    return chart(list_labels(data, title), data, layers, height=60 + 24 * len(data))


def has_effect(row: Row) -> bool:
    """Return whether shuffling the column of an `importance` row changed the score at all."""
    numbers = [row[key] for key in ("importance", "low", "high") if is_number(row.get(key))]
    return is_number(row.get("importance")) and any(numbers)


def missing_values(columns: Sequence[Row]) -> Spec:
    """Draw the share of missing values by column.

    Parameters
    ----------
    columns : sequence of mapping
        `name`, `n`, `n_missing`; the 20 columns with most missing values are drawn.
    """
    gaps = [row for row in columns if row.get("n") and row.get("n_missing")]
    top = sorted(gaps, key=lambda row: -row["n_missing"] / row["n"])[:20]
    return _share_bars([(row["name"], row["n_missing"] / row["n"]) for row in top], "Missing values")


def class_balance(counts: Sequence[tuple[Any, int]]) -> Spec:
    """Draw the share of rows of each class.

    Parameters
    ----------
    counts : sequence of (class, rows)
        In the order to show; at most 20 are drawn.
    """
    total = sum(count for _, count in counts) or 1
    return _share_bars([(label, count / total) for label, count in counts[:20]], "Share of rows")


def step_costs(steps: Sequence[Row]) -> Spec:
    """Draw the time each step took.

    Parameters
    ----------
    steps : sequence of mapping
        `step` (a number or None), `name`, `seconds`.
    """
    usable = [row for row in steps if is_number(row.get("seconds"))]
    names = [f"{row['step']} {row['name']}" if row.get("step") else row["name"] for row in usable]
    bars = [(name, row["seconds"], duration(row["seconds"])) for name, row in zip(names, usable, strict=True)]
    return _bars(bars, "Time")


def _share_bars(shares: Sequence[tuple[Any, float]], title: str) -> Spec:
    return _bars([(label, share, percent(share)) for label, share in shares], title)


def _bars(bars: Sequence[tuple[Any, float, str]], title: str) -> Spec:
    names = unique_labels([label for label, _, _ in bars])
    data = [
        {"label": name, "x": value, "text": text} for name, (_, value, text) in zip(names, bars, strict=True)
    ]
    largest = max((value for _, value, _ in bars), default=1) or 1
    # Room to the right of the longest bar for its number, which replaces an axis.
    x = {**quantity("x", title, domain=[0, largest * 1.18]), "axis": None}
    encoding = {"y": labels_axis(), "x": x}
    layers = [
        {
            "mark": {"type": "bar", "color": BLUE, "opacity": 0.75, "height": {"band": 0.62}},
            "encoding": encoding,
        },
        {
            "mark": {"type": "text", "align": "left", "dx": 5, "color": INK, "fontSize": 12},
            "encoding": {**encoding, "text": {"field": "text"}},
        },
    ]
    words = sentence([f"{row['label']}: {row['text']}" for row in data])
    return chart(f"{title}. {words}", data, layers, height=14 + 26 * len(data))


def _is_late(best_round: int, curve: Sequence[Row]) -> bool:
    return bool(curve) and best_round > 0.6 * max(row["round"] for row in curve)


def _worst_first(curves: Sequence[Row], key: str) -> list[Row]:
    if len(curves) <= MAX_SERIES:
        return list(curves)
    return sorted(curves, key=lambda curve: curve[key] if is_number(curve.get(key)) else 0.0)[:MAX_SERIES]


def _curve_rows(curves: Sequence[Row], key: str, what: str) -> tuple[list[Spec], str]:
    labels = unique_labels([curve["label"] for curve in curves], 24)
    data = [
        {"x": point[0], "y": point[1], "order": order, "label": label}
        for label, curve in zip(labels, curves, strict=True)
        for order, point in enumerate(thin(curve["points"]))
    ]
    words = [
        f"{label}: {what} {number(curve.get(key), 3)}" for label, curve in zip(labels, curves, strict=True)
    ]
    return data, sentence(words)


def _curves_layer(data: Sequence[Row], x_title: str, y_title: str) -> Spec:
    encoding = {
        "x": quantity("x", x_title, domain=[0, 1]),
        "y": quantity("y", y_title, domain=[0, 1]),
        "order": {"field": "order", "type": "quantitative"},
        "color": series_color(data),
    }
    return {"mark": {"type": "line", "clip": True}, "encoding": encoding}


def _titles(rows: Sequence[Row]) -> list[str]:
    return unique_labels([row.get("title") or row.get("name") for row in rows])


def _whiskers(row: Row, value: float) -> Spec:
    """Return the ends of a row's interval; the value itself where an end is not known."""
    return {end: row[end] if is_number(row.get(end)) else value for end in ("low", "high")}
