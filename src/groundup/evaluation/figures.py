"""Which charts a report holds: from the report's parts to captioned drawings."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from groundup.evaluation import charts, overlays
from groundup.evaluation.contribution_figures import contribution_plans
from groundup.evaluation.drawing import MAX_SERIES, WIDTH, Spec
from groundup.evaluation.formatting import is_number, number, percent, shorten
from groundup.evaluation.headline import in_sentence, levels_of, metric_title

Report = Mapping[str, Any]


@dataclass(frozen=True)
class Figure:
    """One drawing with its words.

    Parameters
    ----------
    svg : str
        The drawing, trusted markup.
    title : str
        What it shows.
    note : str
        How to read it; backticks mark names.
    is_wide : bool
        Whether it needs the page's full width.
    """

    svg: str
    title: str
    note: str
    is_wide: bool = False


@dataclass(frozen=True)
class _Plan:
    spec: Spec
    title: str
    note: str


def loss_title(report: Report) -> str | None:
    """Return the name of the loss that training made small, in words."""
    loss = _part(report, "training", "loss")
    return None if loss is None else _LOSSES.get(str(loss), str(loss))


_LOSSES: Final = {
    "binary_logloss": "log loss",
    "multi_logloss": "log loss",
    "log_loss": "log loss",
    "rmse": "root mean squared error",
    "squared_error": "squared error",
    "absolute_error": "mean absolute error",
    "pinball_loss": "mean pinball loss",
    "quantile": "mean pinball loss",
}


def draw_figures(report: Report) -> dict[str, Figure]:
    """Draw every chart that the report has numbers for.

    Parameters
    ----------
    report : mapping
        The report as in `report.json`.

    Returns
    -------
    dict of str to Figure
        By name; a chart without data is absent.

    Examples
    --------
    >>> list(draw_figures({"cost": {"steps": [{"step": 6, "name": "fit", "seconds": 1.5}]}}))
    ['step_costs']
    """
    plans = {name: plan for name, plan_of in _PLANS.items() if (plan := plan_of(report)) is not None}
    plans |= {name: _Plan(spec, title, note) for name, spec, title, note in contribution_plans(report)}
    figures = {}
    for name, plan in plans.items():
        try:
            svg = charts.to_svg(plan.spec, ids=f"fig-{name.replace('_', '-')}")
        except ValueError:  # Vega cannot draw numbers near the smallest float; the others can be drawn
            continue
        figures[name] = Figure(svg, plan.title, plan.note, plan.spec["width"] > WIDTH)
    return figures


def _part(report: Report, *keys: str) -> Any:
    value: Any = report
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _score_title(report: Report) -> str:
    name = _part(report, "selection", "metric") or _part(report, "problem", "metric")
    return metric_title(report, name) if name else "score"


def _class_balance(report: Report) -> _Plan | None:
    target = _part(report, "problem", "target")
    columns = _part(report, "data", "columns") or ()
    pairs = next((levels_of(column) for column in columns if column.get("name") == target), [])
    if _part(report, "problem", "task") == "regression" or not pairs:
        return None
    more = f" The {len(pairs) - 20} rarest of {len(pairs)} classes are not drawn." if len(pairs) > 20 else ""
    note = f"The share of each value of `{shorten(target, 40)}`. Rare classes are harder to learn.{more}"
    return _Plan(charts.class_balance(pairs), "Class balance", note)


def _missing_values(report: Report) -> _Plan | None:
    columns = _part(report, "data", "columns") or ()
    n_gaps = sum(1 for column in columns if column.get("n_missing") and column.get("n"))
    if not n_gaps:
        return None
    which = "the 20 with most are drawn" if n_gaps > 20 else "all are drawn"
    note = f"{number(n_gaps)} of {number(len(columns))} columns have gaps; {which}."
    return _Plan(charts.missing_values(columns), "Missing values by column", note)


def _learning_curve(report: Report) -> _Plan | None:
    curve, best = _part(report, "training", "curve"), _part(report, "training", "best_round")
    if not curve:
        return None
    loss = loss_title(report) or "loss"
    note = (
        "Lower is better. While both lines fall, the model learns what holds in general. Once the validation "
        "line turns up, further rounds only memorise the training rows."
    )
    spec = charts.learning_curve(curve, best_round=best, loss=loss[:1].upper() + loss[1:])
    return _Plan(spec, "Learning curve", note)


def _leaderboard(report: Report) -> _Plan | None:
    rows, left_out = _board(report, "score")
    if not rows:
        return None
    title = _score_title(report)
    better = "right" if _part(report, "selection", "higher_is_better") is not False else "left"
    note = (
        f"Mean over the folds with its interval; further {better} is better. The chosen model is in colour."
    )
    spec = charts.leaderboard(rows, metric=title)
    return _Plan(spec, "Models compared by cross-validation", note + left_out)


def _board(report: Report, needed: str) -> tuple[list[Any], str]:
    """Return the candidates to draw, without the baseline: it would squeeze the others together."""
    rows = [row for row in report.get("leaderboard") or () if row.get(needed) is not None]
    models = [row for row in rows if row.get("name") != "baseline"]
    if len(models) < 2 or len(models) == len(rows):
        return rows, ""
    return models, " The baseline is left out, because it would set the scale."


def _fold_scores(report: Report) -> _Plan | None:
    rows, left_out = _board(report, "fold_scores")
    if not rows or max(len(row["fold_scores"]) for row in rows) < 2:
        return None
    repeats = _part(report, "training", "repeats") or 1
    drawn = f", in each of {repeats} repeats, one beside the other" if repeats > 1 else ""
    note = (
        f"Each fold was held out once{drawn}. A model that is ahead in every fold is better; lines that "
        "cross say that the order depends on the rows."
    )
    spec = charts.fold_scores(rows, metric=_score_title(report))
    return _Plan(spec, "Scores fold by fold", note + left_out)


def _data_fractions(report: Report) -> _Plan | None:
    n_train = _part(report, "split", "n_train") or 0
    fractions = [
        {**row, "n": row.get("n") or round((row.get("share") or 0) * n_train)}
        for row in _part(report, "fit", "fractions") or ()
    ]
    if sum(is_number(row.get("held_out")) for row in fractions) < 2:
        return None
    forecast = _part(report, "fit", "more_rows", "forecast") or None
    losses = {"classification": "Log loss", "regression": "Mean squared error"}
    loss = _part(report, "fit", "loss") or losses.get(str(_part(report, "problem", "task")), "Loss")
    note = (
        "The same model on growing parts of each fold's rows, averaged over the folds, with intervals; lower "
        "is better. While the two lines draw near each other, more rows help."
    )
    note += " The broken line is what up to twice the rows would come to." if forecast else ""
    spec = charts.data_fractions(fractions, loss=loss, forecast=forecast)
    return _Plan(spec, "Loss by number of training rows", note)


def _confusion(report: Report) -> _Plan | None:
    matrix = _part(report, "curves", "confusion")
    if not matrix or not matrix.get("counts"):
        return None
    note = "Each row is an actual class, each column what the model answered. The diagonal is right."
    shares = (
        " Percentages are of the row."
        if len(matrix["labels"]) <= 8
        else " The stronger, the larger the share."
    )
    return _Plan(charts.confusion(matrix["labels"], matrix["counts"]), "Confusion matrix", note + shares)


def _roc(report: Report) -> _Plan | None:
    curves = _part(report, "curves", "roc")
    if not curves:
        return None
    note = (
        "Each point is a threshold: how many rows of the class are found (up) at the price of how many false "
        "alarms (right). The diagonal is guessing."
    )
    areas = _named(curves, "auc", "area")
    return _Plan(charts.roc(curves), "ROC curve", f"{note} {areas}{_left_out(curves)}")


def _precision_recall(report: Report) -> _Plan | None:
    curves = _part(report, "curves", "precision_recall")
    if not curves:
        return None
    note = (
        "Of the rows that are flagged, how many are right (precision), against how many of all are found "
        "(recall). More telling than ROC when a class is rare."
    )
    areas = _named(curves, "ap", "average precision")
    return _Plan(
        charts.precision_recall(curves), "Precision and recall", f"{note} {areas}{_left_out(curves)}"
    )


def _calibration(report: Report) -> _Plan | None:
    curves = _part(report, "curves", "calibration")
    if not curves:
        return None
    note = (
        "Rows are grouped by predicted probability. On the diagonal, “70 %” happens 70 % of the time; below "
        "it, the model is too sure of the class. Larger dots hold more rows."
    )
    return _Plan(charts.calibration(curves), "Calibration", note + _left_out(curves))


def _predicted_and_actual(report: Report) -> _Plan | None:
    points = _part(report, "curves", "residuals", "points")
    if not points:
        return None
    target = str(_part(report, "problem", "target") or "value")
    note = "Each dot is a test row. On the dashed line the answer is exact; above it, it was too low."
    return _Plan(charts.predicted_and_actual(points, target=target), "Predicted and actual", note)


def _residual_histogram(report: Report) -> _Plan | None:
    histogram = _part(report, "curves", "residuals", "histogram")
    if not histogram or not histogram.get("counts"):
        return None
    spec = charts.residual_histogram(histogram["edges"], histogram["counts"])
    note = "Good errors are small, centred on zero and even on both sides. Look into the rows of a long tail."
    if (asked := _part(report, "quantile", "asked")) is not None:
        note = f"Good errors are small, and {percent(asked)} of them on the side of answers too high."
    return _Plan(spec, "Errors", note)


def _importance(report: Report) -> _Plan | None:
    tried = report.get("importance") or ()
    rows = [row for row in tried if charts.has_effect(row)]
    if not rows:
        return None
    title = _score_title(report)
    n_drawn = min(20, len(rows))
    first = f"{number(n_drawn)} of {number(len(tried))} columns; the others matter less. "
    note = (
        f"{first if n_drawn < len(tried) else ''}How much worse {in_sentence(title)} gets when a column's "
        "values are shuffled. Columns that say the same share their importance. "
        "It tells what the model uses, not what causes the target."
    )
    return _Plan(charts.importance(rows, metric=title), "Importance of columns", note)


def _slices(report: Report) -> _Plan | None:
    name = _part(report, "problem", "metric")
    rows = [
        {
            "label": f"{column['column']}: {each['label']}",
            **each["scores"][name],
            "is_clear": bool(gap.get("is_clear")) and each["label"] in (gap["best"], gap["worst"]),
        }
        for column in _part(report, "slices", "columns") or ()
        for own in [column["gaps"].get(name) or {}]
        for gap in [own if own.get("is_clear") else own.get("clearest") or {}]
        for each in column["slices"]
        if each["scores"] and is_number(_part(each["scores"], name, "value"))
    ]
    if not rows:
        return None
    n_drawn = min(len(rows), _MOST_SLICES_DRAWN)
    note = (
        "Each part of the test rows with its interval; the dashed line is all of them. Best and worst are in "
        "colour where the gap is more than chance; where it is not, the clearest pair that is."
    ) + (f" The first {n_drawn} of {len(rows)} are drawn." if n_drawn < len(rows) else "")
    whole = _part(report, "slices", "all", name, "value")
    title = _score_title(report)
    return _Plan(overlays.ranges(rows[:n_drawn], title=title, mark=whole), f"{title} by slice", note)


_MOST_SLICES_DRAWN: Final = 24


def _population(report: Report) -> _Plan | None:
    groups = [
        {
            "label": f"{column['column']}: {group['label']}",
            "value": group["ratio"],
            "low": group["low"] / group["population"],
            "high": group["high"] / group["population"],
            "is_clear": group["status"] in ("absent", "under"),
        }
        for column in _part(report, "population", "columns") or ()
        for group in column["groups"]
        if is_number(group["ratio"])
    ]
    if not groups:
        return None
    shown = groups
    if len(groups) > _MOST_SLICES_DRAWN:
        shown = sorted(groups, key=lambda group: float(group["value"]))[:_MOST_SLICES_DRAWN]
    note = (
        "A group's share in the training rows as a part of its share in the population, with its interval; "
        "on the dashed line it is as it should be. Under-represented groups are in colour."
    ) + (f" The {len(shown)} smallest of {len(groups)} are drawn." if len(shown) < len(groups) else "")
    spec = overlays.ranges(shown, title="Share, as a part of what it should be", mark=1.0)
    return _Plan(spec, "Groups beside the population", note)


def _step_costs(report: Report) -> _Plan | None:
    steps = [row for row in _part(report, "cost", "steps") or () if is_number(row.get("seconds"))]
    if not steps:
        return None
    total = sum(row["seconds"] for row in steps) or 1.0
    most = max(steps, key=lambda row: float(row["seconds"]))
    note = f"“{most['name']}” took most of it: {percent(most['seconds'] / total, 0)}."
    return _Plan(charts.step_costs(steps), "Time by step", note)


def _named(curves: Any, key: str, what: str) -> str:
    if len(curves) > 8:
        return ""
    listed = ", ".join(f"{number(curve.get(key), 3)} for `{shorten(curve['label'], 30)}`" for curve in curves)
    return f"{what[:1].upper()}{what[1:]}: {listed}."


def _left_out(curves: Any) -> str:
    n = len(curves)
    if n <= MAX_SERIES:
        return ""
    return f" {MAX_SERIES} of {n} classes are drawn; all of them stand in report.json."


_PLANS: Final[Mapping[str, Callable[[Report], _Plan | None]]] = {
    "class_balance": _class_balance,
    "missing_values": _missing_values,
    "population": _population,
    "learning_curve": _learning_curve,
    "leaderboard": _leaderboard,
    "fold_scores": _fold_scores,
    "data_fractions": _data_fractions,
    "confusion": _confusion,
    "roc": _roc,
    "precision_recall": _precision_recall,
    "calibration": _calibration,
    "predicted_and_actual": _predicted_and_actual,
    "residual_histogram": _residual_histogram,
    "importance": _importance,
    "slices": _slices,
    "step_costs": _step_costs,
}
