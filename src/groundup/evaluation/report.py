"""The report page: one HTML file that explains a run and works without a network.

Everything that comes from the data (names, labels, paths) is hostile until escaped: the templates
escape by default, and the page forbids every script but its own by a content security policy.
"""

import base64
import hashlib
import json
import re
import shlex
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from groundup.evaluation.contribution_figures import explained_rows
from groundup.evaluation.drawing import PALETTE
from groundup.evaluation.figures import draw_figures, loss_title
from groundup.evaluation.formatting import (
    DASH,
    duration,
    interval_decimals,
    interval_texts,
    is_number,
    number,
    percent,
    range_text,
    shorten,
    size,
)
from groundup.evaluation.headline import confidence_percent, levels_of, make_headline, metric_title
from groundup.evaluation.slices import RATES

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

COLUMNS_DRAWN: Final = 60
"""Columns whose distribution is drawn; the others stand in a plain table."""
COLUMNS_OPEN: Final = 13
"""Columns that are shown without unfolding anything, the target first."""
ROWS_LISTED: Final = 5000
"""Rows of a table that has one a column; with more the page would be too heavy for a browser."""
_SLICE_METRICS: Final = 3
_STOPPED: Final = {
    "limit": "Training ended at the most rounds allowed.",
    "patience": "Training ended early, because the validation loss had not improved for a while.",
    "exhausted": "Training ended because no further round could lower the loss.",
    "diverged": "Training ended because the loss was no longer a number; the last good weights are kept.",
    "request": "Training was asked to end, and the best round so far was kept.",
}
_SEVERITIES: Final = ("error", "warning", "info")
_PARTS: Final = (
    ("test", "Test"),
    ("baseline", "Baseline, on test"),
    ("cross_validation", "Cross-validation"),
    ("validation", "Validation"),
    ("train", "Training"),
)


def render_report(report: Mapping[str, Any]) -> str:
    """Return a run's report as one self-contained HTML page.

    Parameters
    ----------
    report : mapping
        The content of `report.json`. Every key may be absent or None: a run that was stopped has a
        report too, and the page says what is missing.

    Returns
    -------
    str
        HTML that requests nothing, reads without scripts, and suits light, dark, paper and phone.

    Examples
    --------
    >>> page = render_report({"run": "<b>first</b>", "status": "stopped"})
    >>> page.startswith("<!doctype html>"), "<b>first" in page
    (True, False)
    """
    environment = open_templates()
    script, digest = page_script(environment)
    context = {"report": report, "script": script, "script_digest": digest, **_context(report)}
    return environment.get_template("report.html.j2").render(context)


def page_script(environment: "Environment") -> tuple[str, str]:
    """Return the one script that a page may run, and the digest by which the page allows it."""
    loader = environment.loader
    assert loader is not None
    script = loader.get_source(environment, "page.js")[0]
    return script, base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _context(report: Mapping[str, Any]) -> dict[str, Any]:
    target = _get(report, "problem", "target")
    columns = sorted(_get(report, "data", "columns") or (), key=lambda column: column.get("name") != target)
    n_open = COLUMNS_OPEN if len(columns) > COLUMNS_OPEN + 3 else len(columns)
    stopped = _get(report, "training", "stopped")
    findings = sorted(report.get("findings") or (), key=_severity_rank)
    return {
        "figures": draw_figures(report),
        "headline": make_headline(report),
        "findings": findings,
        "urgent": [finding for finding in findings if finding.get("severity") != "info"][:3],
        "commands": _commands(report, findings),
        "open_columns": columns[:n_open],
        "folded_columns": columns[n_open:COLUMNS_DRAWN],
        "other_columns": columns[COLUMNS_DRAWN:],
        "metric_rows": _metric_rows(report),
        "parts": [part for part in _PARTS if report.get(part[0])],
        "tiles": _tiles(report),
        "board_decimals": widest_decimals(report.get("leaderboard") or (), "score"),
        "chosen": next((row for row in report.get("leaderboard") or () if row.get("chosen")), None),
        "loss": loss_title(report),
        "stopped": _STOPPED.get(str(stopped), stopped),
        "facts": _plain_facts(report),
        "fact_tables": _fact_tables(report),
        "confidence": confidence_percent(report),
        "palette": PALETTE,
        "rows_listed": ROWS_LISTED,
        "slice_tables": _slice_tables(report),
        "explained_rows": explained_rows(report),
        "dash": DASH,
    }


def _get(report: Mapping[str, Any], *keys: str) -> Any:
    value: Any = report
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _severity_rank(finding: Mapping[str, Any]) -> int:
    severity = finding.get("severity")
    return _SEVERITIES.index(severity) if severity in _SEVERITIES else len(_SEVERITIES)


def _metric_rows(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return one row a metric that any part was measured by, the deciding one first."""
    names = dict.fromkeys(name for part, _ in _PARTS for name in report.get(part) or ())
    decider = _get(report, "problem", "metric")
    known = report.get("metrics") or {}
    return [
        {
            "name": name,
            "title": metric_title(report, name),
            "decides": name == decider,
            "explanation": _get(known, name, "explanation"),
            "higher_is_better": _get(known, name, "higher_is_better"),
            "decimals": _decimals(report, name),
        }
        for name in sorted(names, key=lambda name: name != decider)
    ]


def _decimals(report: Mapping[str, Any], name: str) -> int | None:
    """Return the decimals that a metric's widest interval justifies, so that its row aligns."""
    return widest_decimals([_get(report, part, name) for part, _ in _PARTS], "value")


def widest_decimals(scores: Sequence[Any], key: str) -> int | None:
    """Return the decimals that the widest of several intervals justifies, so that they align."""
    found = [
        interval_decimals(score.get(key), score.get("low"), score.get("high"))
        for score in scores
        if isinstance(score, Mapping)
    ]
    return min((each for each in found if each is not None), default=None)


def _tiles(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return up to four measured metrics for the top of the page, the deciding one first."""
    part = "test" if report.get("test") else "validation"
    scores, baseline = report.get(part) or {}, report.get("baseline") or {}
    rows = [row for row in _metric_rows(report) if is_number(_get(scores, row["name"], "value"))]
    return [_tile(row, scores[row["name"]], _get(baseline, row["name"], "value")) for row in rows[:4]]


def _tile(row: Mapping[str, Any], score: Mapping[str, Any], baseline: Any) -> dict[str, Any]:
    bounds = [score.get(key) for key in ("value", "low", "high")]
    decimals = interval_decimals(*bounds)
    value, low, high = interval_texts(*bounds)
    beside = interval_texts(baseline, None, None, decimals=decimals)[0] if is_number(baseline) else None
    return {**row, "value": value, "range": range_text(low, high) if low else "", "baseline": beside}


def _slice_tables(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a table for each column of slices: the first metrics, then the rates, with their gaps."""
    rows = {row["name"]: row["title"] for row in _metric_rows(report)[:_SLICE_METRICS]}
    return [
        {
            **column,
            "measures": [
                {
                    "name": name,
                    "title": title,
                    "gap": _get(column, "gaps", name),
                    "decimals": widest_decimals(
                        [_get(each, "scores", name) for each in column["slices"]], "value"
                    ),
                }
                for name, title in {**rows, **{name: rate.title for name, rate in RATES.items()}}.items()
                if any(_get(each, "scores", name) for each in column["slices"])
            ],
        }
        for column in _get(report, "slices", "columns") or ()
    ]


def _plain_facts(report: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Return what was learned that fits on a line; what other parts of the page show is left out."""
    elsewhere = {"learner", "loss", "curve", "best_round", "stopped", "chosen", "chosen_by"}
    facts = _get(report, "model", "facts") or {}
    by = f" ({facts['chosen_by']})" if facts.get("chosen_by") else ""
    chosen = [
        (key.replace("_", " "), f"{number(value, 4) if is_number(value) else value}{by}")
        for key, value in (facts.get("chosen") or {}).items()
    ]
    return chosen + [
        (key.removeprefix("n_").replace("_", " "), value)
        for key, value in facts.items()
        if key not in elsewhere and not _is_table(value)
    ]


def _fact_tables(report: Mapping[str, Any]) -> list[tuple[str, list[str], list[Mapping[str, Any]]]]:
    """Return what was learned that needs a table: title, keys, rows."""
    facts = _get(report, "model", "facts") or {}
    return [(key.replace("_", " "), list(rows[0]), rows) for key, rows in facts.items() if _is_table(rows)]


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, Mapping) for row in value)


def names_of_rows(report: Mapping[str, Any], *files: str) -> list[str]:
    """Return what new rows are called in a command: files, or folders where the rows are pictures.

    Examples
    --------
    >>> names_of_rows({"data": {"columns": [{"kind": "image"}]}}, "NEW.csv")
    ['NEW/']
    """
    columns = (report.get("data") or {}).get("columns") or ()
    are_pictures = any(column.get("kind") == "image" for column in columns)
    return [f"{name.removesuffix('.csv')}/" if are_pictures else name for name in files]


def _commands(report: Mapping[str, Any], findings: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Return what to type next: (why, command) pairs."""
    folder = shlex.quote(str(report.get("folder") or "RUN"))
    if report.get("status") == "stopped":
        return [("Go on where it stopped", f"groundup resume {folder}")]
    new, labelled = names_of_rows(report, "new.csv", "new_labelled.csv")
    commands = [
        ("Predict new rows", f"groundup predict {folder} {new} -o predictions.csv"),
        ("Measure it on rows labelled later", f"groundup evaluate {folder} {labelled}"),
    ]
    patched = next((finding for finding in findings if finding.get("patch")), None)
    if patched:
        changes = " ".join(f"--set {shlex.quote(change)}" for change in _changes(patched["patch"]))
        recipe = shlex.quote(f"{report.get('folder') or 'RUN'}/recipe.yaml")
        commands.insert(0, (f"Act on {patched.get('code')}", f"groundup train {recipe} {changes}"))
    return commands


def _changes(patch: Mapping[str, Any]) -> list[str]:
    return [
        f"{path}={value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"
        for path, value in patch.items()
    ]


@cache
def open_templates() -> "Environment":
    """Return the templates with the filters that all pages use; they escape by default."""
    from jinja2 import ChainableUndefined, Environment, PackageLoader

    environment = Environment(
        loader=PackageLoader("groundup.evaluation", "templates"),
        autoescape=True,
        undefined=ChainableUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: "" if value is None else value,
    )
    environment.filters |= {
        "number": number,
        "percent": percent,
        "duration": duration,
        "bytes": size,
        "shorten": shorten,
        "prose": _prose,
        "repr": repr,
        "sentence": _sentence,
        "levels": levels_of,
        "fixed": _fixed,
        "score": _score,
        "value": _value_text,
        "changes": _changes,
        "bars_path": bars_path,
    }
    return environment


def _prose(text: Any) -> "Markup":
    """Return plain text as markup; what stands between backticks becomes code."""
    from markupsafe import Markup, escape

    if text is None or not str(text):
        return Markup()
    pieces = str(text).split("`")
    if len(pieces) % 2 == 0:  # an unpaired backtick is only a character
        return escape(text)
    marked = [
        Markup("<code>{}</code>").format(each) if i % 2 else escape(each) for i, each in enumerate(pieces)
    ]
    return Markup().join(marked)


def _sentence(text: Any) -> "Markup":
    """Return a clause or sentence as `_prose`, with a capital first letter and a full stop."""
    line = str(text or "").strip()
    if line and line[-1] not in ".!?…":
        line += "."
    return _prose(line[:1].upper() + line[1:])


def _score(score: Any, decimals: int | None = None) -> "Markup":
    """Return a value with its interval in small print."""
    from markupsafe import Markup

    if not isinstance(score, Mapping):
        return Markup("–")
    bounds = (score.get(key) for key in ("value", "low", "high"))
    value, low, high = interval_texts(*bounds, decimals=decimals)
    if not low:
        return Markup("{}").format(value)
    return Markup('{} <span class="range">{}</span>').format(value, range_text(low, high))


def _fixed(value: Any, decimals: int | None) -> str:
    """Return a number with one decimal more than the scores that it belongs to."""
    return interval_texts(value, None, None, decimals=None if decimals is None else decimals + 1)[0]


def _value_text(value: Any) -> str:
    """Return a JSON value as a reader wants it: numbers formatted, text as it is, the rest as JSON."""
    from jinja2 import Undefined

    if value is None or isinstance(value, Undefined):
        return DASH
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.+Z-]+", value):
        return value.removesuffix("T00:00:00").replace("T", " ")
    if isinstance(value, str | bool | int | float):
        return number(value)
    return json.dumps(value, ensure_ascii=False, default=str)


def bars_path(heights: Any, edges: Any = None, *, width: int = 120, height: int = 28) -> str:
    """Return the outline of a tiny bar chart as the `d` of one SVG path.

    Parameters
    ----------
    heights : sequence of float
        Shape (n,), non-negative: the count of each bar.
    edges : sequence of float or None
        Shape (n + 1,), ascending: bars as wide as their bins, and as tall as rows per width. None:
        bars of equal width, apart from each other.
    width, height : int
        Size of the drawing, pixels.

    Returns
    -------
    str
        Path data; "" when there is nothing to draw.

    Examples
    --------
    >>> bars_path([1, 2], width=10, height=4)
    'M0 4V2H4.2V4ZM5 4V0H9.2V4Z'
    """
    counts = [float(each) if is_number(each) else 0.0 for each in heights or ()]
    if not counts or max(counts) <= 0:
        return ""
    sides = _bar_sides(len(counts), edges, width)
    even = edges is None or len(edges) != len(counts) + 1
    tall = counts if even else [c / max(b - a, 1e-9) for c, (a, b) in zip(counts, sides, strict=True)]
    top = max(tall)
    return "".join(
        f"M{_px(a)} {height}V{_px(height - max(1.0, height * t / top))}H{_px(b)}V{height}Z"
        for (a, b), t in zip(sides, tall, strict=True)
        if t > 0
    )


def _px(length: float) -> str:
    return f"{length:.2f}".rstrip("0").rstrip(".")


def _bar_sides(n: int, edges: Any, width: int) -> list[tuple[float, float]]:
    usable = edges is not None and len(edges) == n + 1 and all(is_number(edge) for edge in edges)
    if not usable or not edges[-1] > edges[0]:
        pitch = width / n
        return [(i * pitch, (i + 0.84) * pitch) for i in range(n)]
    scale = width / (edges[-1] - edges[0])
    places = [(edge - edges[0]) * scale for edge in edges]
    return list(pairwise(places))
