"""`groundup train`: the eight steps, from a data file or a recipe to a packaged model."""

from pathlib import Path

import click

from groundup.cli.call import Call
from groundup.cli.parameters import (
    overrides,
    progress_option,
    runs_option,
    set_option,
    source_argument,
    target_option,
    task_option,
)
from groundup.cli.progress import How, show_end, watching


@click.command()
@source_argument
@target_option
@task_option
@click.option(
    "--model",
    "-m",
    "models",
    multiple=True,
    metavar="NAME",
    help="A learner to train, see `groundup models`; of several (repeat, or commas) the best is kept.",
)
@set_option
@runs_option
@click.option("--name", help="The run's name; by default the data's name and four characters.")
@progress_option
@click.pass_obj
def train(
    call: Call,
    source_or_recipe: str,
    target: str | None,
    task: str | None,
    models: tuple[str, ...],
    settings: tuple[str, ...],
    runs: Path,
    name: str | None,
    progress: How,
) -> None:
    """Train a model, from a data file or a recipe.

    SOURCE_OR_RECIPE is a data file (CSV, TSV, Parquet; also .gz), `sample:NAME`, or a recipe that
    ends in .yaml, whose values the options replace.

    \b
    groundup train houses.csv --target price
    groundup train recipe.yaml --set model.name=linear --name first
    """  # noqa: D301 (click reads the \b)
    changes = overrides(settings, task=task)
    from groundup import lifecycle

    with watching(call, progress) as observers:
        run = lifecycle.train(
            source_or_recipe,
            target,
            model=_learners(models),
            overrides=changes,
            runs=runs,
            name=name,
            observers=observers,
        )
    show_end(progress, run)


def _learners(models: tuple[str, ...]) -> str | list[str] | None:
    names = [name.strip() for words in models for name in words.split(",") if name.strip()]
    return names[0] if len(names) == 1 else names or None
