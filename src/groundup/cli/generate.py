"""`groundup generate`: a model that learned to write goes on from a prompt."""

from pathlib import Path

import click

from groundup.cli.formats import visible
from groundup.cli.parameters import model_path, run_argument, runs_option


@click.command()
@run_argument
@click.option("--prompt", "-p", default="\n", help="What it goes on from; by default a new line.")
@click.option("--tokens", type=click.IntRange(0), default=400, show_default=True, help="Tokens to write.")
@click.option(
    "--temperature",
    type=click.FloatRange(0, 100),
    default=0.8,
    show_default=True,
    help="0: always the likeliest token; below 1: likelier ones more often; above 1: less.",
)
@click.option("--top-k", type=click.IntRange(1), help="Draw among this many likeliest tokens.")
@click.option("--seed", type=int, default=0, show_default=True, help="The same seed writes the same text.")
@runs_option
def generate(
    run: str, prompt: str, tokens: int, temperature: float, top_k: int | None, seed: int, runs: Path
) -> None:
    """Let a model that learned to write go on from a prompt.

    RUN is a path, a name inside --runs, or `last`; the text appears as it is written.
    """
    from groundup.serving.writer import load_writer

    writer = load_writer(model_path(run, runs))
    pieces = writer.generate(prompt, n_tokens=tokens, temperature=temperature, top_k=top_k, seed=seed)
    click.echo(visible(prompt.lstrip("\n")), nl=False)
    for piece in pieces:
        click.echo(visible(piece), nl=False)
    click.echo()
