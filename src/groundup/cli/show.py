"""`groundup show`: what came out of a run."""

import json
from pathlib import Path

import click

from groundup.cli.parameters import json_option, run_argument, run_path, runs_option


@click.command()
@run_argument
@runs_option
@json_option
def show(run: str, runs: Path, as_json: bool) -> None:
    """Show what came out of a run.

    RUN is a path, a name inside --runs, or `last`.
    """
    from groundup.cli.summary import print_summary
    from groundup.core.runs import RunFolder

    folder = RunFolder(run_path(run, runs))
    report = folder.read_report()
    if as_json:
        click.echo(json.dumps(report, indent=1, ensure_ascii=False))
    else:
        print_summary(report, folder.path)
