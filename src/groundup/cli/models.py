"""`groundup models`: the learners, what they do, and their hyperparameters."""

import json
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console

    from groundup.models.contract import Choice, Learner, Range
    from groundup.models.writers import TransformerWriter

    Listed = type[Learner] | type[TransformerWriter]


@click.command()
@click.argument("name", required=False)
def models(name: str | None) -> None:
    """List the learners and their hyperparameters.

    With NAME: one learner with its search space and where it comes from.
    """
    from groundup.cli.console import open_console
    from groundup.models.catalogue import learner_class, learner_names
    from groundup.models.writers import WRITERS

    console = open_console()
    if name is None:
        learners = [(each, learner_class(each)) for each in learner_names()]
        _print_learners(console, [*learners, *WRITERS.items()])
        return
    if name not in WRITERS or name in learner_names():
        _print_learner(console, name, learner_class(name))
    if name in WRITERS:  # another learner of tables may have the name, as the task tells them apart
        _print_learner(console, name, WRITERS[name])
    console.print("Details: groundup models NAME · train one: groundup train … --model NAME")


def _print_learners(console: "Console", learners: list[tuple[str, "Listed"]]) -> None:
    from groundup.cli.tables import make_table

    rows = []
    for name, learner in learners:
        settings = ", ".join(f"{field}={default}" for field, default in _defaults(learner).items())
        what = f"{learner.title}: {learner.idea}" + (f"\n{settings}" if settings else "")
        rows.append((name, "\n".join(learner.tasks), what))
    console.print(make_table(("name", "tasks", "what it is"), rows, wrapped=("what it is",)))


def _print_learner(console: "Console", name: str, learner: "Listed") -> None:
    from groundup.cli.console import styled
    from groundup.cli.tables import make_table

    console.print(styled((name, "bold"), f" — {learner.title} ({', '.join(learner.tasks)})"))
    console.print(styled(learner.idea))
    space = learner().search_space()
    rows = [
        (field, default, _told(space[field]) if field in space else "", _meaning(learner, field))
        for field, default in _defaults(learner).items()
    ]
    if rows:
        headers = ("option", "default", "search", "meaning")
        console.print(make_table(headers, rows, wrapped=("meaning", "search")))
        console.print(
            styled(f"Set one: groundup train … --model {name} --set model.{rows[0][0]}={rows[0][1]}")
        )
    console.print(styled((f"Reference: {learner.reference}", "dim")))


def _defaults(learner: "Listed") -> dict[str, str]:
    """Return each hyperparameter's default as a recipe writes it."""
    defaults = {
        name: field.get_default(call_default_factory=True, validated_data={})
        for name, field in learner.model_fields.items()
    }
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in defaults.items()}


def _meaning(learner: "Listed", field: str) -> str:
    return " ".join((learner.model_fields[field].description or "").split())


def _told(space: "Range | Choice") -> str:
    from groundup.cli.formats import number
    from groundup.models.contract import Choice

    if isinstance(space, Choice):
        return ", ".join(map(str, space.values))
    return f"{number(space.low)} to {number(space.high)}{' (log)' if space.log else ''}"
