"""`groundup reproduce`: train a run's recipe again and compare the models bit by bit."""

from pathlib import Path

import click

from groundup.cli.call import Call
from groundup.cli.parameters import progress_option, run_argument, run_path, runs_option
from groundup.cli.progress import How, watching


@click.command()
@run_argument
@runs_option
@progress_option
@click.pass_context
def reproduce(ctx: click.Context, run: str, runs: Path, progress: How) -> None:
    """Train a run's recipe again and say whether the model is equal.

    RUN is a path, a name inside --runs, or `last`. Exit code 0: bit-equal; 1: not.
    """
    from groundup import lifecycle

    folder = run_path(run, runs)
    with watching(ctx.ensure_object(Call), progress) as observers:
        reproduction = lifecycle.reproduce(folder, observers=observers)
    if progress != "json":
        again = reproduction.run.folder
        if reproduction.equal:
            click.echo(f"Equal: the model in {again} is bit-equal to the one in {folder}.")
        else:
            click.echo(f"Different: the model in {again} is not the one in {folder}.")
            for difference in reproduction.differences:
                click.echo(f"  {difference}")
    ctx.exit(0 if reproduction.equal else 1)
