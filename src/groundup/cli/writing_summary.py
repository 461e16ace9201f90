"""The end of a run that learned to write: its scores beside counting, what it wrote, what to type next."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from groundup.cli.console import MARGIN, print_paragraph, styled
from groundup.cli.formats import beside, duration, interval, one_line
from groundup.cli.tables import make_table
from groundup.core.wording import count

if TYPE_CHECKING:
    from rich.console import Console

_SHOWN: Final = 160


def print_writing(console: "Console", report: Mapping[str, Any], folder: Path) -> None:
    """Print what came out of a run that learned to write.

    Parameters
    ----------
    console : Console
        Where to.
    report : mapping
        The run's `report.json`.
    folder : Path
        The run's folder.
    """
    _print_scores(console, report)
    model, training = report["model"], report["training"]
    words = (
        f"{model['name']}, {count(training['n_parameters'], 'weight')}. {training['ended']} "
        f"{count(round(training['tokens_per_second']), 'token')} a second."
    )
    print_paragraph(console, styled(one_line(words)), indent=MARGIN, label="Model")
    _print_samples(console, report["samples"])
    _print_next(console, report, folder)


def _print_scores(console: "Console", report: Mapping[str, Any]) -> None:
    where = f"on the last {count(report['split']['n_test'], 'character')}, which no choice has seen"
    stopped = "; training was stopped early" if report["status"] == "stopped" else ""
    print_paragraph(console, styled(where, (stopped, "yellow")), indent=MARGIN, label="Score")
    scores, baselines = report["test"], report["baselines"]
    rows = [
        (
            report["metrics"][name]["title"],
            interval(score),
            *(beside(baseline[name], score) for baseline in baselines.values()),
        )
        for name, score in scores.items()
    ]
    headers = ("", "model [95 % interval]", *(f"{name} counts" for name in baselines))
    console.print(make_table(headers, rows, bold_row=0))
    leading = report["problem"]["metric"]
    meaning = f"{leading}: {one_line(report['metrics'][leading]['explanation'])}"
    print_paragraph(console, styled((meaning, "dim")), indent=2)


def _print_samples(console: "Console", samples: list[Mapping[str, Any]]) -> None:
    """Print what it wrote before, while and after it learned."""
    middle = samples[len(samples) // 2 : len(samples) // 2 + 1] if len(samples) > 2 else []
    label = "Writes"
    for sample in (samples[0], *middle, samples[-1]):
        text = sample["text"][:_SHOWN].strip("\n").replace("\n", "⏎")
        print_paragraph(console, styled((f"{sample['when']}: ", "dim"), text), indent=MARGIN, label=label)
        label = ""


def _print_next(console: "Console", report: Mapping[str, Any], folder: Path) -> None:
    word = next((each for each in report["data"]["beginning"].split() if each.isalpha()), "The")
    lines = [
        ("Report", f"{folder / 'report.html'}"),
        ("Next", f"groundup generate {shlex.quote(str(folder))} --prompt {shlex.quote(word)}"),
    ]
    for label, text in lines:
        # A path is for copying: it may leave the page, but no line break may fall into it.
        console.print(styled((f"{label:<{MARGIN}}", "bold"), text), soft_wrap=True)
    console.print(styled((f"Done in {duration(report['cost']['wall_seconds'])}.", "dim")))
