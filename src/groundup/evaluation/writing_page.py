"""The report page of a language model: the report's look, and nothing loaded from a network."""

import shlex
from collections.abc import Mapping
from typing import Any

from groundup.evaluation import charts
from groundup.evaluation.drawing import PALETTE, WIDTH
from groundup.evaluation.figures import Figure, draw_figures
from groundup.evaluation.headline import confidence_percent
from groundup.evaluation.report import open_templates, page_script, widest_decimals


def render_writing(report: Mapping[str, Any]) -> str:
    """Return the report of a run that learned to write as one self-contained HTML page.

    Parameters
    ----------
    report : mapping
        The content of `report.json`, as `groundup.lifecycle.writing_report` gathers it.

    Returns
    -------
    str
        HTML that requests nothing.
    """
    environment = open_templates()
    script, digest = page_script(environment)
    context = {
        "report": report,
        "rows": _rows(report),
        "figures": _figures(report),
        "commands": _commands(report),
        "confidence": confidence_percent(report),
        "palette": PALETTE,
        "findings": report["findings"],
        "script": script,
        "script_digest": digest,
    }
    return environment.get_template("writing.html.j2").render(context)


def _rows(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a row each metric: what the network reached, and what counting reaches."""
    rows = []
    for name, told in report["metrics"].items():
        scores = [report["test"][name], *(each[name] for each in report["baselines"].values())]
        rows.append(
            {
                **told,
                "name": name,
                "scores": scores,
                "validation": report["validation"][name],
                "decimals": widest_decimals(scores, "value"),
            }
        )
    return rows


def _figures(report: Mapping[str, Any]) -> dict[str, Figure]:
    figures = draw_figures({"cost": report["cost"]})
    training = report["training"]
    spec = charts.learning_curve(
        training["curve"], best_round=training["best_round"], loss="Cross-entropy", unit="Step"
    )
    note = (
        "Lower is better. While both lines fall, the model learns what holds for all of the text. Once the "
        "validation line turns up, further steps only memorise the training part."
    )
    svg = charts.to_svg(spec, ids="fig-learning-curve")
    return {**figures, "learning_curve": Figure(svg, "Learning curve", note, spec["width"] > WIDTH)}


def _commands(report: Mapping[str, Any]) -> list[tuple[str, str]]:
    folder = shlex.quote(str(report["folder"]))
    if report["status"] == "stopped":
        return [("Go on where it stopped", f"groundup resume {folder}")]
    word = next((each for each in report["data"]["beginning"].split() if each.isalpha()), "The")
    return [("Let it write", f"groundup generate {folder} --prompt {shlex.quote(word)}")]
