"""A run that is killed at a random moment and resumed ends like one that was left alone."""

import random
from pathlib import Path

import pytest

from groundup.core.runs import RunFolder
from planted.kills import Moment, Reference, kill_and_resume, leftovers, run_reference


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    words = ["sample:penguins", "--target", "species", "--model", "logistic,lightgbm"]
    return run_reference(words, tmp_path_factory.mktemp("runs"))


def position_of(reference: Reference, kind: str, **data: object) -> int:
    """Return the position of an event by its kind and some of its data."""
    return next(
        position
        for position, event in enumerate(reference.events)
        if event["kind"] == kind and data.items() <= event["data"].items()
    )


def check(reference: Reference, moments: list[Moment], runs: Path) -> None:
    trial = kill_and_resume(reference, moments, runs, "killed")
    assert trial is not None
    assert trial.moments == tuple(moments[: len(trial.moments)])
    assert (trial.differences, trial.leftovers) == ((), ())
    assert trial.n_restored == trial.n_finished


def test_killed_twice_while_it_trains(reference: Reference, tmp_path: Path) -> None:
    draw = random.Random(0)
    later = position_of(reference, "fit_finished", learner="lightgbm", fold=1)
    moments = [
        Moment(position_of(reference, "round", learner="lightgbm", fold=0), draw.uniform(0, 0.02)),
        Moment(draw.randrange(30, later), 0.0),
    ]
    check(reference, moments, tmp_path)


def test_killed_after_the_resolved_recipe_was_written(reference: Reference, tmp_path: Path) -> None:
    # The report is drawn behind step 8: the recipe names the chosen learner alone by then.
    check(reference, [Moment(position_of(reference, "step_finished", step=8), 0.0)], tmp_path)


def test_networks_go_on_from_the_step_they_were_killed_at(tmp_path: Path) -> None:
    words = ["sample:penguins", "--target", "species", "--model", "mlp", "--set", "evaluation.folds=2"]
    words += ["--set", "training.epochs=6", "--set", "training.checkpoint_seconds=0.02"]
    reference = run_reference(words, tmp_path / "whole")
    draw = random.Random(1)
    steps = [at for at, event in enumerate(reference.events) if event["kind"] == "steps"]
    moments = [Moment(draw.choice(steps[len(steps) // 2 :]), draw.uniform(0, 0.05)) for _ in range(3)]
    check(reference, sorted(moments, key=lambda each: each.after), tmp_path / "killed")


def test_a_run_left_alone_has_no_leftovers(reference: Reference) -> None:
    folder = Path(reference.events[0]["data"]["run"])
    assert leftovers(folder) == []
    assert not RunFolder(folder).read_summary().is_interrupted
