"""The end of a run in words: the score beside the baseline, the model, the findings, what to type next."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from groundup.cli.console import MARGIN, open_console, print_paragraph, styled
from groundup.cli.findings import print_findings
from groundup.cli.formats import beside, duration, interval, latency, number, one_line, size
from groundup.cli.tables import make_table
from groundup.cli.writing_summary import print_writing
from groundup.core.tasks import GENERATION
from groundup.core.wording import count

if TYPE_CHECKING:
    from rich.console import Console

N_METRICS: Final = 3
"""Metrics told, the deciding one first; the report has all of them."""


def print_summary(report: Mapping[str, Any], folder: Path) -> None:
    """Print what came out of a run.

    Parameters
    ----------
    report : mapping
        The run's `report.json`.
    folder : Path
        The run's folder.
    """
    console = open_console()
    console.print()
    if report["problem"]["task"] == GENERATION:
        print_writing(console, report, folder)
        return
    _print_scores(console, report)
    _print_choice(console, report)
    _print_nested(console, report)
    _print_decisions(console, report)
    _print_slices(console, report)
    print_findings(console, report["findings"])
    _print_next(console, folder, report)


def _print_scores(console: "Console", report: Mapping[str, Any]) -> None:
    leading, scores, baseline = report["problem"]["metric"], report["test"], report["baseline"]
    names = [leading, *(name for name in scores if name != leading)][:N_METRICS]
    where = f"on the {count(report['split']['n_test'], 'test row')}, which no choice has seen"
    stopped = "; training was stopped early" if report["status"] == "stopped" else ""
    print_paragraph(console, styled(where, (stopped, "yellow")), indent=MARGIN, label="Score")
    rows = [(name, interval(scores[name]), beside(baseline.get(name), scores[name])) for name in names]
    console.print(make_table(("", "model [95 % interval]", "baseline"), rows, bold_row=0))
    meaning = f"{leading}: {one_line(report['metrics'][leading]['explanation'])}"
    print_paragraph(console, styled((meaning, "dim")), indent=2)


def _print_choice(console: "Console", report: Mapping[str, Any]) -> None:
    selection, leaderboard = report["selection"], report["leaderboard"]
    why = f"{selection['name']}. {one_line(selection['reason'])}"
    if "sentence" in report["fit"]:  # a run that was stopped early may have nothing to judge by
        verdict, *_evidence = one_line(report["fit"]["sentence"]).split(". ")
        print_paragraph(console, styled(f"{verdict.rstrip('.')}."), indent=MARGIN, label="Fit")
    if outlook := report["fit"].get("more_rows"):
        print_paragraph(console, styled(one_line(outlook["sentence"])), indent=MARGIN, label="Rows")
    print_paragraph(console, styled(why), indent=MARGIN, label="Model")
    n_folds = report.get("training", {}).get("folds")
    if len(leaderboard) > 1:
        rows = [
            (
                ("→ " if entry["chosen"] else "  ") + entry["name"],
                interval({"value": entry["score"], "low": entry["low"], "high": entry["high"]}),
                duration(entry["seconds"]),
                latency(entry["latency_us"]),
                size(entry["size_bytes"]),
                _beside_best(entry),
            )
            for entry in leaderboard
        ]
        headers = (
            "  learner",
            f"{'cross-validated' if n_folds != 1 else 'held-out'} {report['problem']['metric']}",
            "fits",
            "one row",
            "size",
            "",
        )
        console.print(make_table(headers, rows))


def _print_nested(console: "Console", report: Mapping[str, Any]) -> None:
    """Print the score of the whole procedure, where that was asked for."""
    nested, metric = report.get("nested"), report["problem"]["metric"]
    if nested is not None:
        score = interval(nested["scores"][metric])
        words = f"{metric} {score} for the whole procedure, its choice included. {nested['sentence']}"
        print_paragraph(console, styled(one_line(words)), indent=MARGIN, label="Nested")


def _print_decisions(console: "Console", report: Mapping[str, Any]) -> None:
    """Print what calibration, threshold and costs came to, where they were asked for."""
    calibration, threshold = report.get("calibration") or {}, report.get("threshold") or {}
    sentences = []
    if calibration.get("reason"):
        error = interval(calibration["expected_calibration_error"])
        sentences.append(f"Calibration {calibration['method']}: {one_line(calibration['reason'])}.")
        sentences.append(f"Probabilities are off by {error} on average.")
    if threshold.get("reason"):
        sentences.append(f"Threshold {number(threshold['value'])}: {one_line(threshold['reason'])}.")
    if cost := threshold.get("cost"):
        constant = cost["cheaper_constant"]
        beside_it = f"{constant.replace('_', ' ')}: {number(cost[constant]['value'])}"
        sentences.append(f"A test row costs {interval(cost['model'])}; {beside_it}.")
    if sentences:
        print_paragraph(console, styled(" ".join(sentences)), indent=MARGIN, label="Answers")


def _beside_best(entry: Mapping[str, Any]) -> str:
    """Return whether the folds can tell a candidate from the best, where that was tested."""
    p_value = entry.get("p_value")
    if p_value is None:
        return ""
    return f"tied (p {p_value:.2g})" if entry["tied"] else f"behind (p {p_value:.2g})"


def _print_slices(console: "Console", report: Mapping[str, Any]) -> None:
    metric, label = report["problem"]["metric"], "Slices"
    for column in (report.get("slices") or {}).get("columns", ()):
        gap, n_small = column["gaps"].get(metric), sum(each["scores"] is None for each in column["slices"])
        small = f"; too few rows in {count(n_small, 'slice')}" if n_small else ""
        if gap is None:
            words = f"{metric} by {column['column']}: no two slices with enough rows{small}."
        else:
            clearest = gap["clearest"]
            sure = ", which may be chance"
            if gap["is_clear"]:
                sure = ""
            elif clearest["is_clear"]:
                sure = f"; clear only between {clearest['best']} and {clearest['worst']}"
            words = (
                f"{metric} by {column['column']}: best {gap['best']}, worst {gap['worst']}, "
                f"gap {interval(gap)}{sure}{small}."
            )
        print_paragraph(console, styled(one_line(words)), indent=MARGIN, label=label)
        label = ""


def _print_next(console: "Console", folder: Path, report: Mapping[str, Any]) -> None:
    from groundup.evaluation.report import names_of_rows

    seconds = report["cost"]["wall_seconds"]
    new, labelled = names_of_rows(report, "NEW.csv", "LABELLED.csv")
    lines = [
        ("Report", f"{folder / 'report.html'}"),
        ("Next", f"groundup predict {folder} {new} -o predictions.csv"),
        ("", f"groundup evaluate {folder} {labelled}"),
    ]
    for label, text in lines:
        # A path is for copying: it may leave the page, but no line break may fall into it.
        console.print(styled((f"{label:<{MARGIN}}", "bold"), text), soft_wrap=True)
    console.print(styled((f"Done in {duration(seconds)}.", "dim")))
