"""`groundup check`: look at the data and the question, train nothing."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

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

if TYPE_CHECKING:
    from rich.console import Console

N_COLUMNS: Final = 40
"""Columns told; --json has all of them."""

_STATUS: Final = {
    "alike": "close to the population",
    "over": "more than in the population",
    "under": "under-represented",
    "unclear": "too few rows to tell",
}


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
    if any(finding["severity"] == "info" for finding in result["findings"]):
        console.print("  --json says each note in full.", style="dim")
    _print_population(console, result["population"])
    console.print("Next: groundup init writes this down as a recipe; groundup train learns from it.")


def _print_population(console: "Console", population: Mapping[str, Any]) -> None:
    """Print the groups of a stated population beside those of the rows; of many, those that differ."""
    from groundup.cli.console import print_paragraph, styled
    from groundup.cli.tables import make_table

    if "not_applicable" in population:
        words = f"Whom the rows represent is not judged: {population['not_applicable']}."
        print_paragraph(console, styled((words, "dim")))
        return
    groups = [(column, group) for column in population["columns"] for group in column["groups"]]
    differ = [pair for pair in groups if pair[1]["status"] not in ("alike", "unclear")]
    shown = groups if len(groups) <= N_COLUMNS else differ[:N_COLUMNS]
    console.print()
    headers = ("population", "group", "training rows", "share", "should be", "")
    rows = [_group_row(column["column"], group) for column, group in shown]
    if rows:
        console.print(make_table(headers, rows, wrapped=("population", "group")))
    if len(shown) < len(groups):
        more = count(len(groups) - len(shown), "more group")
        console.print(f"  … and {more}, close to the population or too few to tell; --json lists all.")


def _group_row(column: str, group: Mapping[str, Any]) -> tuple[str, ...]:
    from groundup.core.wording import percent

    share = "" if group["share"] is None else percent(group["share"])
    status = _STATUS.get(group["status"], group["status"])
    return column, group["label"], count(group["n"]), share, percent(group["population"]), status
