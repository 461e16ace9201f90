"""The page that shows runs beside each other: the report's look, and nothing loaded from a network."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from groundup.evaluation import charts, overlays
from groundup.evaluation.drawing import MAX_SERIES, PALETTE, WIDTH, Spec
from groundup.evaluation.figures import Figure, loss_title
from groundup.evaluation.formatting import DASH, number, shorten
from groundup.evaluation.headline import confidence_percent, in_sentence
from groundup.evaluation.report import open_templates, page_script, widest_decimals

_VERDICTS: Final = {
    "better": "`{other}` is better than `{first}` by {metric}: {difference}.",
    "worse": "`{other}` is worse than `{first}` by {metric}: {difference}.",
    "equal": "By {metric}, `{other}` and `{first}` are equal.",
    "unclear": "By {metric}, these rows cannot tell `{other}` from `{first}`: {difference}.",
}


def render_comparison(comparison: Mapping[str, Any]) -> str:
    """Return a comparison as one self-contained HTML page.

    Parameters
    ----------
    comparison : mapping
        As `groundup.lifecycle.comparison.Comparison.to_json` returns it.

    Returns
    -------
    str
        HTML that requests nothing.

    Examples
    --------
    >>> empty = {"runs": [{"name": "a<"}, {"name": "b"}], "settings": [], "metrics": [], "pairings": []}
    >>> page = render_comparison(empty)
    >>> "a&lt;" in page, "<b>a<" in page
    (True, False)
    """
    environment = open_templates()
    script, digest = page_script(environment)
    context = {
        "comparison": comparison,
        "sentences": say_differences(comparison),
        "metric_rows": [_metric_row(metric) for metric in comparison["metrics"]],
        "figures": _figures(comparison),
        "confidence": confidence_percent(comparison),
        "palette": PALETTE,
        "dash": DASH,
        "script": script,
        "script_digest": digest,
    }
    return environment.get_template("comparison.html.j2").render(context)


def say_differences(comparison: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each run but the first: whether it is better by the deciding metric."""
    if not comparison["metrics"]:
        return []
    metric, (first, *others) = comparison["metrics"][0], comparison["runs"]
    return [
        _VERDICTS[difference["verdict"]].format(
            first=shorten(first["name"]),
            other=shorten(run["name"]),
            metric=in_sentence(metric["title"]),
            difference=_difference_text(difference),
        )
        for run, difference in zip(others, metric["differences"], strict=True)
    ]


def _difference_text(difference: Mapping[str, Any]) -> str:
    if difference.get("value") is None:
        return str(difference.get("note") or "undefined")
    ends = [_signed(difference[end]) if difference[end] is not None else DASH for end in ("low", "high")]
    return f"the difference is {_signed(difference['value'])} ({ends[0]} to {ends[1]})"


def _signed(value: float) -> str:
    return f"+{number(value, 2)}" if value > 0 else number(value, 2)


def _metric_row(metric: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **metric,
        "decimals": widest_decimals(metric["scores"], "value"),
        "difference_decimals": widest_decimals(metric["differences"], "value"),
    }


def _figures(comparison: Mapping[str, Any]) -> dict[str, Figure]:
    figures = {}
    for name, plan in _PLANS.items():
        spec, title, note = plan(comparison) or (None, "", "")
        if spec is not None:
            svg = charts.to_svg(spec, ids=f"fig-{name.replace('_', '-')}")
            figures[name] = Figure(svg, title, note, spec["width"] > WIDTH)
    return figures


_Plan = tuple[Spec, str, str]


def _scores(comparison: Mapping[str, Any]) -> _Plan | None:
    if not comparison["metrics"]:
        return None
    metric = comparison["metrics"][0]
    rows = [
        {"label": run["name"], **score}
        for run, score in zip(comparison["runs"], metric["scores"], strict=True)
    ]
    better = "right" if metric["higher_is_better"] else "left"
    note = f"On each run's own test rows, with intervals; further {better} is better."
    return overlays.ranges(rows, title=metric["title"]), "Scores", note


def _differences(comparison: Mapping[str, Any]) -> _Plan | None:
    if not comparison["metrics"]:
        return None
    metric, (first, *others) = comparison["metrics"][0], comparison["runs"]
    rows = [
        {"label": run["name"], **difference, "is_clear": difference["verdict"] in ("better", "worse")}
        for run, difference in zip(others, metric["differences"], strict=True)
    ]
    if not any(row.get("value") is not None for row in rows):
        return None
    note = (
        f"Each run minus `{shorten(first['name'])}`. An interval that does not reach the dashed line is a "
        "clear difference (in colour); two intervals of scores may overlap and the difference still be clear."
    )
    title = f"Difference in {in_sentence(metric['title'])}"
    return overlays.ranges(rows, title=title, mark=0.0), title, note


def _roc(comparison: Mapping[str, Any]) -> _Plan | None:
    curves = [{**run["roc"][0], "label": run["name"]} for run in comparison["runs"] if run.get("roc")]
    if len(curves) < 2:
        return None
    note = "Each point is a threshold: rows of the class found (up) against false alarms (right)."
    return charts.roc(curves[:MAX_SERIES]), "ROC curves", note


def _learning(comparison: Mapping[str, Any]) -> _Plan | None:
    runs: Sequence[Mapping[str, Any]] = [run for run in comparison["runs"] if run.get("curve")]
    losses = {run.get("loss") for run in runs}
    if not runs or len(losses) > 1:
        return None
    loss = loss_title({"training": {"loss": next(iter(losses))}}) or "loss"
    left_out = len(comparison["runs"]) - len(runs)
    note = "The loss on validation rows; lower is better." + (
        f" {left_out} of {len(comparison['runs'])} runs did not train in rounds." if left_out else ""
    )
    title = loss[:1].upper() + loss[1:]
    return overlays.validation_curves(runs, loss=title), "Learning curves", note


_PLANS: Final[Mapping[str, Callable[[Mapping[str, Any]], _Plan | None]]] = {
    "scores": _scores,
    "differences": _differences,
    "roc_curves": _roc,
    "learning_curves": _learning,
}
