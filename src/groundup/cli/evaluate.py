"""`groundup evaluate`: measure a trained model on rows whose answer is known."""

import json
from pathlib import Path

import click

from groundup.cli.formats import beside, interval
from groundup.cli.parameters import json_option, model_path, run_argument, runs_option
from groundup.core.wording import count


@click.command()
@run_argument
@click.argument("file")
@runs_option
@json_option
def evaluate(run: str, file: str, runs: Path, as_json: bool) -> None:
    """Measure a trained model on rows whose answer is known.

    RUN is a path, a name inside --runs, or `last`; FILE holds the target beside the columns the
    model was trained on.
    """
    from groundup import lifecycle

    scores = lifecycle.evaluate(model_path(run, runs), file)
    if as_json:
        click.echo(json.dumps(scores, indent=1, ensure_ascii=False))
        return
    from groundup.cli.console import open_console
    from groundup.cli.findings import print_findings
    from groundup.cli.tables import make_table

    console = open_console()
    rows = [
        (name, interval(score), beside(scores["baseline"].get(name), score))
        for name, score in scores["metrics"].items()
    ]
    console.print(f"Measured on {count(scores['n_rows'], 'row')} of {file}.")
    console.print(make_table(("metric", "model [95 % interval]", "baseline"), rows))
    print_findings(console, scores["findings"])
