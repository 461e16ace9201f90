"""`groundup compare`: runs beside each other."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from groundup.cli.parameters import json_option, run_path, runs_option

if TYPE_CHECKING:
    from rich.console import Console

N_METRICS: Final = 3
"""Metrics told of more than two runs, the deciding one first; the page and --json have all of them."""


@click.command()
@click.argument("run", nargs=-1, required=True)
@runs_option
@click.option(
    "--html",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Also write a page with charts.",
)
@json_option
def compare(run: tuple[str, ...], runs: Path, html: Path | None, as_json: bool) -> None:
    """Compare runs: settings, scores, and whether they differ.

    RUN is a path, a name inside --runs, or `last`; the others are measured against the first.
    """
    from groundup import lifecycle

    comparison = lifecycle.compare(*(run_path(name, runs) for name in run))
    if html is not None:
        from groundup.core.files import write_text

        write_text(html, comparison.to_html())
    if as_json:
        click.echo(json.dumps(comparison.to_json(), indent=1, ensure_ascii=False))
        return
    from groundup.cli.console import open_console

    print_comparison(open_console(), comparison.to_json())
    if html is not None:
        click.echo(f"Page     {html}")


def print_comparison(console: "Console", comparison: Mapping[str, Any]) -> None:
    """Print the scores, the differences and the settings that differ.

    Parameters
    ----------
    console : Console
        Where to.
    comparison : mapping
        As `Comparison.to_json` returns it.
    """
    from groundup.cli.console import MARGIN, print_paragraph, styled
    from groundup.cli.tables import make_table
    from groundup.core.wording import percent

    names = [run["name"] for run in comparison["runs"]]
    for pairing in comparison["pairings"]:
        style = "" if pairing["how"] == "same" else "yellow"
        print_paragraph(console, styled((pairing["sentence"], style)), indent=MARGIN, label="Rows")
    level = percent(comparison["confidence"])
    print_paragraph(
        console, styled(f"on the test rows, with {level} intervals"), indent=MARGIN, label="Scores"
    )
    if len(names) == 2:
        _print_two(console, names, comparison["metrics"])
    else:
        _print_many(console, names, comparison["metrics"][:N_METRICS])
    settings = [(row["option"], *map(_text, row["values"])) for row in comparison["settings"]]
    if not settings:
        print_paragraph(console, styled("all options are the same"), indent=MARGIN, label="Settings")
        return
    print_paragraph(console, styled("that differ"), indent=MARGIN, label="Settings")
    console.print(make_table(("", *names), settings, wrapped=names))


def _print_two(console: "Console", names: Sequence[str], metrics: Sequence[Mapping[str, Any]]) -> None:
    from groundup.cli.formats import interval
    from groundup.cli.tables import make_table

    rows = [
        (
            metric["name"],
            *map(interval, metric["scores"]),
            interval(metric["differences"][0]),
            _WORDS[metric["differences"][0]["verdict"]],
        )
        for metric in metrics
    ]
    headers = ("", *names, f"{names[1]} − {names[0]}", f"{names[1]} is")
    console.print(make_table(headers, rows, bold_row=0, wrapped=headers[1:]))


def _print_many(console: "Console", names: Sequence[str], metrics: Sequence[Mapping[str, Any]]) -> None:
    from groundup.cli.formats import interval
    from groundup.cli.tables import make_table

    for metric in metrics:
        beside = [("", "")] + [(interval(each), _WORDS[each["verdict"]]) for each in metric["differences"]]
        rows = [
            (name, interval(score), *words)
            for name, score, words in zip(names, metric["scores"], beside, strict=True)
        ]
        console.print(make_table(("", metric["name"], f"minus {names[0]}", "it is"), rows, wrapped=("",)))


_WORDS = {"better": "better", "worse": "worse", "equal": "equal", "unclear": "cannot tell"}


def _text(value: object) -> str:
    if value is None:
        return "–"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
