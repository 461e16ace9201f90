"""`groundup init`: a commented recipe with everything that was inferred from the data."""

from pathlib import Path

import click

from groundup.cli.parameters import overrides, set_option, target_option, task_option
from groundup.core.errors import StorageError


@click.command()
@click.argument("source")
@target_option
@task_option
@set_option
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    default="recipe.yaml",
    show_default=True,
    help="Where to write the recipe.",
)
@click.option("--force", is_flag=True, help="Replace a file that is there.")
def init(
    source: str, target: str | None, task: str | None, settings: tuple[str, ...], output: Path, force: bool
) -> None:
    """Write a commented recipe with everything that was inferred.

    SOURCE is a data file (CSV, TSV, Parquet; also .gz) or `sample:NAME`.
    """
    changes = overrides(settings, task=task)
    from groundup import lifecycle
    from groundup.core.files import write_text

    if output.exists() and not force:
        raise StorageError(
            f"`{output}` is there already; replace it with --force, or name another file with -o."
        )
    text = lifecycle.init(source, target, overrides=changes)
    write_text(output, text)
    click.echo(f"Wrote {output}. Read it, change what you like, then: groundup train {output}")
