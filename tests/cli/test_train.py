"""`groundup train`: what its words ask of the lifecycle, and what it prints."""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from groundup.core.events import Event

Main = Callable[..., tuple[int, str, str]]


def test_options_cross_to_the_lifecycle(groundup_main: Main, lifecycle: Any) -> None:
    flags = "--task regression --set training.seed=3 --set data.drop=[a] --runs out --name first"
    groundup_main("train", "houses.csv", *flags.split(), "--progress", "quiet")
    verb, arguments, options = lifecycle.calls[0]
    assert (verb, arguments) == ("train", ("houses.csv", None))
    assert options["overrides"] == {
        "problem.task": "regression",
        "training.seed": "3",
        "data.drop": "[a]",
    }
    assert (options["runs"], options["name"]) == (Path("out"), "first")
    assert options["model"] is None


@pytest.mark.parametrize(
    ("flags", "model"),
    [
        ("--model ridge", "ridge"),
        ("--model ridge,lightgbm", ["ridge", "lightgbm"]),
        ("-m a -m b", ["a", "b"]),
    ],
)
def test_learners_are_repeated_or_listed(
    groundup_main: Main, lifecycle: Any, flags: str, model: object
) -> None:
    groundup_main("train", "houses.csv", *flags.split(), "--progress", "quiet")
    assert lifecycle.calls[0][2]["model"] == model


def test_piped_it_tells_the_eight_steps_and_the_end(groundup_main: Main, lifecycle: Any) -> None:
    code, out, err = groundup_main("train", "sample:titanic", "--target", "survived")
    lines = out.splitlines()
    assert (code, err) == (0, "")
    assert [line[:12] for line in lines if line.startswith("Step")] == [
        f"Step {n} of 8:"[:12] for n in range(1, 9)
    ]
    assert "roc_auc   0.871 [0.822, 0.914]   0.500" in out
    assert f"Report   {lifecycle.run.folder}/report.html" in lines
    assert len(lines) <= 50
    assert "\x1b" not in out


def test_json_prints_events_and_nothing_else(
    groundup_main: Main, lifecycle: Any, events: list[Event]
) -> None:
    code, out, err = groundup_main("train", "sample:titanic", "--progress", "json")
    told = [json.loads(line) for line in out.splitlines()]
    assert (code, err) == (0, "")
    assert [(each["kind"], each["index"]) for each in told] == [(event.kind, event.index) for event in events]


def test_quiet_prints_the_folder(groundup_main: Main, lifecycle: Any) -> None:
    assert groundup_main("train", "a.csv", "--progress", "quiet") == (0, f"{lifecycle.run.folder}\n", "")


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_asks_to_stop(groundup_main: Main, lifecycle: Any, sent: signal.Signals) -> None:
    def interrupt(event: Event) -> None:
        if event.kind == "plan":
            os.kill(os.getpid(), sent)

    lifecycle.before_event = interrupt
    before = signal.getsignal(sent)
    code, _, _ = groundup_main("train", "a.csv", "--progress", "quiet")
    assert code == 0
    assert lifecycle.requests.index("stop") > 0
    assert signal.getsignal(sent) is before


def test_the_second_signal_leaves(groundup_main: Main, lifecycle: Any) -> None:
    def interrupt(event: Event) -> None:
        if event.kind in ("plan", "fit_started"):
            os.kill(os.getpid(), signal.SIGINT)

    lifecycle.before_event = interrupt
    code, _, err = groundup_main("train", "a.csv", "--progress", "quiet")
    assert code == 130
    assert "keeping the best so far" in err
    assert "groundup resume" in err
