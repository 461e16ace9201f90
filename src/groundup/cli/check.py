"""`groundup check`: look at the data and the question, train nothing."""

import json
from collections.abc import Mapping
from typing import Any, Final

import click

from groundup.cli.call import Call
from groundup.cli.parameters import (
    json_option,
    overrides,
    set_option,
    source_argument,
    target_option,
    task_option,
)
from groundup.cli.progress import watching
from groundup.core.wording import count

N_COLUMNS: Final = 40
"""Columns told; --json has all of them."""


@click.command()
@source_argument
@target_option
@task_option
@set_option
@json_option
@click.pass_obj
def check(
    call: Call,
    source_or_recipe: str,
    target: str | None,
    task: str | None,
    settings: tuple[str, ...],
    as_json: bool,
) -> None:
    """Look at the data and say what was found; train nothing.

    SOURCE_OR_RECIPE is a data file, `sample:NAME`, or a recipe that ends in .yaml.
    """
    changes = overrides(settings, task=task)
    from groundup import lifecycle

    with watching(call, "quiet" if as_json else "auto") as observers:
        result = lifecycle.check(source_or_recipe, target, overrides=changes, observers=observers)
    if as_json:
        click.echo(json.dumps(result.to_json(), indent=1, ensure_ascii=False))
    else:
        _print_result(result.to_json())


def _print_result(result: Mapping[str, Any]) -> None:
    from groundup.cli.console import open_console
    from groundup.cli.findings import print_findings
    from groundup.cli.tables import make_table

    columns = result["schema"]
    console = open_console()
    console.print()
    rows = [(column["name"], column["kind"], column["reason"]) for column in columns[:N_COLUMNS]]
    console.print(make_table(("column", "kind", "why"), rows, wrapped=("column", "why")))
    if len(columns) > N_COLUMNS:
        console.print(f"  … and {count(len(columns) - N_COLUMNS, 'column')} more; --json lists all.")
    print_findings(console, result["findings"])
    console.print("Next: groundup init writes this down as a recipe; groundup train learns from it.")
