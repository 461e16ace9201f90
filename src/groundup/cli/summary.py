"""The end of a run in words: the score beside the baseline, the model, the findings, what to type next."""

import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from groundup.cli.console import open_console, print_paragraph, styled
from groundup.cli.formats import beside, duration, interval, latency, size
from groundup.cli.progress import one_line
from groundup.cli.tables import make_table
from groundup.core.wording import count

if TYPE_CHECKING:
    from rich.console import Console

N_METRICS: Final = 4
"""Metrics told, the deciding one first; the report has all of them."""

N_FINDINGS: Final = 5
"""Findings told in full; the report has all of them."""

_MARGIN: Final = 9  # columns that the labels take
_SEVERITIES: Final = ("error", "warning", "info")
_SEVERITY_WORDS: Final = {"error": "serious", "warning": "warning", "info": "note"}
_SEVERITY_STYLES: Final = {"error": "bold red", "warning": "yellow", "info": "dim"}


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
    _print_scores(console, report)
    _print_choice(console, report)
    print_findings(console, report["findings"])
    _print_next(console, folder, report)


def _print_scores(console: "Console", report: Mapping[str, Any]) -> None:
    leading, scores, baseline = report["problem"]["metric"], report["test"], report["baseline"]
    names = [leading, *(name for name in scores if name != leading)][:N_METRICS]
    where = f"on the {count(report['split']['n_test'], 'test row')}, which no choice has seen"
    stopped = "; training was stopped early" if report["status"] == "stopped" else ""
    print_paragraph(console, styled(where, (stopped, "yellow")), indent=_MARGIN, label="Score")
    rows = [(name, interval(scores[name]), beside(baseline.get(name), scores[name])) for name in names]
    console.print(make_table(("", "model [95 % interval]", "baseline"), rows, bold_row=0))
    meaning = f"{leading}: {one_line(report['metrics'][leading]['explanation'])}"
    print_paragraph(console, styled((meaning, "dim")), indent=2)


def _print_choice(console: "Console", report: Mapping[str, Any]) -> None:
    selection, leaderboard = report["selection"], report["leaderboard"]
    why = f"{selection['name']}. {one_line(selection['reason'])}"
    print_paragraph(console, styled(one_line(report["fit"]["sentence"])), indent=_MARGIN, label="Fit")
    print_paragraph(console, styled(why), indent=_MARGIN, label="Model")
    if len(leaderboard) > 1:
        rows = [
            (
                ("→ " if entry["chosen"] else "  ") + entry["name"],
                interval({"value": entry["score"], "low": entry["low"], "high": entry["high"]}),
                duration(entry["seconds"]),
                latency(entry["latency_us"]),
                size(entry["size_bytes"]),
            )
            for entry in leaderboard
        ]
        headers = ("  learner", f"cross-validated {report['problem']['metric']}", "fits", "one row", "size")
        console.print(make_table(headers, rows))


def print_findings(console: "Console", findings: Sequence[Mapping[str, Any]]) -> None:
    """Print findings, the most serious first, each with its remedy.

    Parameters
    ----------
    console : Console
        Where.
    findings : sequence of mapping
        Findings as JSON objects.
    """
    if not findings:
        print_paragraph(console, styled("none"), indent=_MARGIN, label="Findings")
        return
    ranked = sorted(findings, key=lambda finding: _SEVERITIES.index(finding["severity"]))
    told = [finding for finding in ranked if finding["severity"] != "info"][:N_FINDINGS]
    print_paragraph(console, styled(count_findings(findings)), indent=_MARGIN, label="Findings")
    for finding in told:
        _print_finding(console, finding)


def _print_finding(console: "Console", finding: Mapping[str, Any]) -> None:
    severity = finding["severity"]
    label = (f"{_SEVERITY_WORDS[severity]} {finding['code']}", _SEVERITY_STYLES[severity])
    text = styled(label, f" {one_line(finding['message'])} ", (f"→ {one_line(finding['remedy'])}", "cyan"))
    patch = " ".join(_as_flag(path, value) for path, value in finding["patch"].items())
    if patch:
        text.append_text(styled((f" ({patch})", "dim")))
    print_paragraph(console, text, indent=2)


def _as_flag(path: str, value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"--set {shlex.quote(f'{path}={text}')}"


def count_findings(findings: Iterable[Mapping[str, Any]]) -> str:
    """Return how many findings there are of each severity.

    Examples
    --------
    >>> count_findings([{"severity": "info"}, {"severity": "warning"}, {"severity": "info"}])
    '1 warning, 2 notes'
    """
    severities = [finding["severity"] for finding in findings]
    numbers = [(severities.count(each), _SEVERITY_WORDS[each]) for each in _SEVERITIES]
    return ", ".join(count(n, word, "serious" if word == "serious" else "") for n, word in numbers if n)


def _print_next(console: "Console", folder: Path, report: Mapping[str, Any]) -> None:
    seconds = report["cost"]["wall_seconds"]
    lines = [
        ("Report", f"{folder / 'report.html'}"),
        ("Package", f"{folder / 'model'}"),
        ("Next", f"groundup predict {folder} NEW.csv -o predictions.csv"),
        ("", f"groundup evaluate {folder} LABELLED.csv"),
        ("", f"groundup show {folder}"),
    ]
    for label, text in lines:
        # A path is for copying: it may leave the page, but no line break may fall into it.
        console.print(styled((f"{label:<{_MARGIN}}", "bold"), text), soft_wrap=True)
    console.print(styled((f"Done in {duration(seconds)}.", "dim")))
