"""`groundup runs`: the runs in a folder, newest first."""

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from groundup.cli.formats import duration, value_of
from groundup.cli.parameters import json_option, runs_option

if TYPE_CHECKING:
    from groundup.core.runs import RunSummary


@click.command()
@runs_option
@json_option
def runs(runs: Path, as_json: bool) -> None:
    """List the runs, newest first."""
    from groundup.core.runs import list_runs

    summaries = list_runs(runs)[::-1]
    if as_json:
        click.echo(json.dumps([asdict(summary) for summary in summaries], indent=1, ensure_ascii=False))
    elif summaries:
        _print_table(summaries)
    else:
        click.echo(f"There are no runs in {runs}. Make one: groundup train sample:titanic --target survived")


def _print_table(summaries: list["RunSummary"]) -> None:
    from groundup.cli.console import open_console
    from groundup.cli.tables import make_table

    headers = ("run", "started", "status", "target", "model", "score", "took")
    rows = [
        (
            summary.name,
            f"{datetime.fromisoformat(summary.created).astimezone():%Y-%m-%d %H:%M}",
            "interrupted" if summary.is_interrupted else summary.status,
            summary.target,
            summary.model,
            f"{summary.metric} {value_of(asdict(summary))}" if summary.value is not None else "",
            duration(summary.seconds) if summary.seconds else "",
        )
        for summary in summaries
    ]
    open_console().print(make_table(headers, rows, wrapped=("run", "target", "score")))
