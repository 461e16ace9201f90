"""The words of the terminal, frozen: a new one is a decision, a lost one breaks somebody's script."""

import click
import pytest

from groundup.cli.main import VERBS, cli

SET, TASK, TARGET, RUNS, PROGRESS = "--set", "--task", "--target -t", "--runs", "--progress"

FLAGS = {
    "check": ["SOURCE_OR_RECIPE", TARGET, TASK, SET, "--json"],
    "init": ["SOURCE", TARGET, TASK, SET, "--output -o", "--force"],
    "train": ["SOURCE_OR_RECIPE", TARGET, TASK, "--model -m", SET, RUNS, "--name", PROGRESS],
    "show": ["RUN", RUNS, "--json"],
    "runs": [RUNS, "--json"],
    "compare": ["RUN", RUNS, "--html", "--json"],
    "evaluate": ["RUN", "FILE", RUNS, "--json"],
    "predict": ["RUN", "FILE", "--output -o", RUNS, "--coverage", "--contributions"],
    "generate": ["RUN", "--prompt -p", "--tokens", "--temperature", "--top-k", "--seed", RUNS],
    "resume": ["RUN", RUNS, PROGRESS],
    "reproduce": ["RUN", RUNS, PROGRESS],
    "models": ["NAME"],
    "schema": [],
}


def test_the_verbs() -> None:
    assert list(VERBS) == list(FLAGS)


@pytest.mark.parametrize("verb", FLAGS)
def test_the_flags(verb: str) -> None:
    command = cli.get_command(click.Context(cli), verb)
    assert command is not None
    words = [
        each.human_readable_name if isinstance(each, click.Argument) else " ".join(each.opts)
        for each in command.params
    ]
    assert words == FLAGS[verb]
