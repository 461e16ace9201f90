"""Arguments and options that several verbs share, and what they mean for the lifecycle."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import click

CommandT = TypeVar("CommandT", bound=Callable[..., Any])


def source_argument(command: CommandT) -> CommandT:
    """Add SOURCE_OR_RECIPE."""
    return click.argument("source_or_recipe")(command)


def target_option(command: CommandT) -> CommandT:
    """Add --target."""
    return click.option("--target", "-t", metavar="COLUMN", help="The column to predict.")(command)


def task_option(command: CommandT) -> CommandT:
    """Add --task."""
    return click.option(
        "--task",
        type=click.Choice(["classification", "regression", "generation"]),
        help="What is asked for, where the target does not tell; generation: learn to write from a text.",
    )(command)


def set_option(command: CommandT) -> CommandT:
    """Add --set, repeatable."""
    return click.option(
        "--set",
        "settings",
        multiple=True,
        metavar="OPTION=VALUE",
        help="Any option of the recipe, e.g. training.seed=3. Repeatable.",
    )(command)


def runs_option(command: CommandT) -> CommandT:
    """Add --runs."""
    return click.option(
        "--runs",
        type=click.Path(path_type=Path, file_okay=False),
        default="runs",
        show_default=True,
        help="The folder of runs.",
    )(command)


def run_argument(command: CommandT) -> CommandT:
    """Add RUN."""
    return click.argument("run")(command)


def progress_option(command: CommandT) -> CommandT:
    """Add --progress."""
    return click.option(
        "--progress",
        type=click.Choice(["auto", "plain", "json", "quiet"]),
        default="auto",
        show_default=True,
        help="auto: live on a terminal, else plain; json: an event a line; quiet: only the run's folder.",
    )(command)


def json_option(command: CommandT) -> CommandT:
    """Add --json."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON instead.")(command)


def overrides(settings: Iterable[str], *, task: str | None = None) -> dict[str, str]:
    """Return what --task and --set ask for, as dotted path → text; --set comes last and wins.

    Raises
    ------
    click.BadParameter
        If a setting has no `=`.

    Examples
    --------
    >>> overrides(["training.seed=3"], task="regression")
    {'problem.task': 'regression', 'training.seed': '3'}
    """
    values = {} if task is None else {"problem.task": task}
    for setting in settings:
        path, equals, value = setting.partition("=")
        if not equals or not path.strip():
            raise click.BadParameter(
                f"`{setting}` is not OPTION=VALUE, e.g. training.seed=3.", param_hint="--set"
            )
        values[path.strip()] = value
    return values


def run_path(run: str, runs: Path) -> Path:
    """Return the folder of a run given by path, by name inside `runs`, or as `last`.

    Raises
    ------
    RunError
        If there is none; names the nearest.
    """
    from groundup.core.runs import find_run

    return find_run(run, runs).path


def model_path(run: str, runs: Path) -> Path:
    """Return the folder of a run (see `run_path`), or of a model package, which holds a manifest.

    Raises
    ------
    RunError
        If there is neither.
    """
    return Path(run) if (Path(run) / "manifest.json").is_file() else run_path(run, runs)
