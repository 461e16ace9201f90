"""`groundup resume`: go on with a run that was interrupted."""

from pathlib import Path

import click

from groundup.cli.call import Call
from groundup.cli.parameters import progress_option, run_argument, run_path, runs_option
from groundup.cli.progress import How, show_end, watching


@click.command()
@run_argument
@runs_option
@progress_option
@click.pass_obj
def resume(call: Call, run: str, runs: Path, progress: How) -> None:
    """Go on with a run that was interrupted.

    RUN is a path, a name inside --runs, or `last`. Finished fits are kept; the one that was
    interrupted starts again.
    """
    from groundup import lifecycle

    folder = run_path(run, runs)
    with watching(call, progress) as observers:
        resumed = lifecycle.resume(folder, observers=observers)
    show_end(progress, resumed)
