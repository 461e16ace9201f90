"""`groundup predict`: predictions for the rows of a file."""

from pathlib import Path

import click

from groundup.cli.parameters import model_path, run_argument, runs_option
from groundup.core.wording import count


@click.command()
@run_argument
@click.argument("file")
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="Where to write the predictions: .csv, .tsv, .jsonl, .arrow or .parquet.",
)
@runs_option
@click.option(
    "--coverage",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="Also write an interval or a set of classes that holds the truth this often, e.g. 0.9.",
)
@click.option(
    "--contributions",
    is_flag=True,
    help="Also write what each column adds to the prediction: contribution_COLUMN, and base_value.",
)
def predict(
    run: str, file: str, output: Path, runs: Path, coverage: float | None, contributions: bool
) -> None:
    """Predict for the rows of a file.

    RUN is a path, a name inside --runs, or `last`; FILE holds the columns the model was trained on.
    """
    from groundup import lifecycle
    from groundup.cli.console import open_console
    from groundup.cli.findings import print_findings

    result = lifecycle.predict(
        model_path(run, runs), file, output, coverage=coverage, contributions=contributions
    )
    click.echo(f"Wrote {count(result['n_rows'], 'prediction')} to {output}.")
    if contributions:
        click.echo(f"Each contribution_COLUMN is added to base_value. {result['contributions']}")
    if result["findings"]:
        print_findings(open_console(), result["findings"])
