"""`groundup show`: what came out of a run."""

import json
from pathlib import Path

import click

from groundup.cli.parameters import json_option, run_argument, run_path, runs_option
from groundup.core.errors import RunError


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
    try:
        text = folder.report_json.read_text(encoding="utf-8")
    except FileNotFoundError:
        status = folder.read_summary()
        word = "was interrupted" if status.is_interrupted else f"is {status.status}"
        raise RunError(
            f"The run `{folder.path}` has no report: it {word}. Go on with: groundup resume {folder.path}"
        ) from None
    if as_json:
        click.echo(text)
    else:
        print_summary(json.loads(text), folder.path)
