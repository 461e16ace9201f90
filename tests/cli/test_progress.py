"""Observers that print."""

import json
import math
import signal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from groundup.cli.call import Call
from groundup.cli.live import LiveProgress
from groundup.cli.progress import (
    JsonProgress,
    PlainProgress,
    Progress,
    QuietProgress,
    StopOnSignal,
    opening,
    show_end,
    show_progress,
    watching,
)
from groundup.core.events import EVENT_KINDS, Event


@pytest.mark.parametrize(
    ("how", "kind"), [("json", JsonProgress), ("quiet", QuietProgress), ("plain", PlainProgress)]
)
def test_the_choice(how: Any, kind: type[Progress]) -> None:
    assert type(show_progress(how)) is kind


@pytest.mark.parametrize(
    ("is_terminal", "term", "kind"),
    [
        (True, "xterm", LiveProgress),
        (True, "dumb", PlainProgress),
        (False, "xterm", PlainProgress),
    ],
)
def test_auto_is_live_where_lines_can_move(
    monkeypatch: pytest.MonkeyPatch, is_terminal: bool, term: str, kind: type[Progress]
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: is_terminal, raising=False)
    monkeypatch.setenv("TERM", term)
    assert type(show_progress("auto")) is kind


def test_plain_is_at_most_a_few_lines_an_event(
    events: list[Event], capfd: pytest.CaptureFixture[str]
) -> None:
    with PlainProgress() as progress:
        for event in events:
            before = capfd.readouterr().out
            assert progress.on_event(event) is None
            assert before.count("\n") <= 2
    assert progress.state_dict() == {}
    progress.load_state_dict({})


def test_plain_tells_fits_and_findings(events: list[Event], capfd: pytest.CaptureFixture[str]) -> None:
    progress = PlainProgress()
    for event in events:
        progress.on_event(event)
    lines = capfd.readouterr().out.splitlines()
    assert "  warning D010: Many values are missing (age)" in lines
    assert "  linear, fold 1: 0.8125 (kept from before)" in lines
    assert "  linear, fold 2: 0.8125 (0.5 s)" in lines
    assert "  linear, final fit (1 s)" in lines


def test_quick_folds_share_a_line_and_slow_ones_do_not(capfd: pytest.CaptureFixture[str]) -> None:
    progress = PlainProgress()
    fit = {"learner": "ridge", "n_folds": 3, "score": 0.5, "restored": False}
    for seconds in (0.5, 60.0):
        for fold in range(3):
            data = {**fit, "fold": fold, "seconds": seconds}
            progress.on_event(Event("fit_started", 0, 0.0, data))
            progress.on_event(Event("fit_finished", 0, 0.0, data))
    assert capfd.readouterr().out.splitlines() == [
        "  ridge, folds 1 to 3: 0.5, 0.5, 0.5 (1.5 s)",
        "  ridge, fold 1: 0.5 (1 min 00 s)",
        "  ridge, fold 2: 0.5 (1 min 00 s)",
        "  ridge, fold 3: 0.5 (1 min 00 s)",
    ]


def test_plain_tells_stops_notes_and_resumption(capfd: pytest.CaptureFixture[str]) -> None:
    progress = PlainProgress()
    start = {"run": "runs/a", "name": "a", "source": "a.csv", "target": "b", "resumed": True}
    for kind, data in (
        ("run_started", start),
        ("note", {"message": "Something\nto know."}),
        ("run_stopped", {"reason": "asked"}),
    ):
        progress.on_event(Event(kind, 0, 0.0, data))
    assert capfd.readouterr().out.splitlines() == [
        "Going on with runs/a: a.csv → b",
        "  Something to know.",
        "Stopped: asked",
    ]


def test_the_opening_without_a_target() -> None:
    start = {"run": "runs/a", "source": "a.csv", "target": None, "resumed": False}
    assert opening(start) == "Reading from a.csv; everything is kept in runs/a"


def test_json_holds_every_event_and_no_nan(capfd: pytest.CaptureFixture[str]) -> None:
    data = {"metrics": {"train": math.nan, "validation": [math.inf, 0.5]}, "run": Path("runs/a")}
    JsonProgress().on_event(Event("round", 7, 1.25, data))
    assert json.loads(capfd.readouterr().out) == {
        "kind": "round",
        "index": 7,
        "time_seconds": 1.25,
        "data": {"metrics": {"train": None, "validation": [None, 0.5]}, "run": "runs/a"},
    }


def test_methods_are_named_for_events() -> None:
    kinds = {
        name.removeprefix("on_")
        for each in (PlainProgress, LiveProgress)
        for name in dir(each)
        if name.startswith("on_")
    }
    assert kinds - {"event"} <= set(EVENT_KINDS)


def test_an_ignored_signal_stays_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with StopOnSignal(Call(), QuietProgress()):
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_the_first_signal_becomes_a_request(capfd: pytest.CaptureFixture[str]) -> None:
    call = Call()
    with watching(call, "quiet") as (_, stop):
        event = Event("run_started", 0, 0.0, {"run": "runs/a"})
        assert stop.on_event(event) is None
        signal.raise_signal(signal.SIGINT)
        assert stop.on_event(event) == "stop"
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
    assert "Ctrl-C again" in capfd.readouterr().err
    assert call.run_folder == Path("runs/a")


def test_the_end(report: dict[str, Any], capfd: pytest.CaptureFixture[str]) -> None:
    run: Any = SimpleNamespace(folder=Path("runs/first"), summary=report)
    show_end("json", run)
    assert capfd.readouterr().out == ""
    show_end("quiet", run)
    assert capfd.readouterr().out == "runs/first\n"
    show_end("plain", run)
    assert "Score" in capfd.readouterr().out
