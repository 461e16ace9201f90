"""The live display, drawn on a terminal of 80 columns that is a string."""

import io
from collections.abc import Callable

import pytest
from rich.console import Console

from groundup.cli.live import LiveProgress, Pace
from groundup.core.events import Event


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Console]:
    def make(**options: object) -> Console:
        console = Console(
            file=io.StringIO(), force_terminal=True, width=80, markup=False, highlight=False, **options
        )
        monkeypatch.setattr("groundup.cli.live.open_console", lambda: console)
        return console

    return make


def told(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def moving_line(progress: LiveProgress) -> str:
    console = Console(file=io.StringIO(), width=80)
    console.print(progress._moving())
    return told(console)


def test_each_step_is_told_once_done(terminal: Callable[..., Console], events: list[Event]) -> None:
    console = terminal(color_system=None)
    with LiveProgress() as progress:
        for event in events:
            progress.on_event(event)
    out = told(console)
    assert all(f"✓ {step} " in out for step in range(1, 9))
    assert "  warning D010: Many values are missing (age)" in out
    assert out.index("✓ 2") < out.index("D010") < out.index("✓ 3")


def test_the_moving_line_names_fit_round_loss_and_time_left(
    terminal: Callable[..., Console], events: list[Event]
) -> None:
    terminal()
    progress = LiveProgress()
    lines = {}
    for event in events:
        progress.on_event(event)
        lines[event.kind, event.data.get("learner"), event.data.get("fold")] = moving_line(progress)
    line = lines["round", "linear", 1]
    assert "6 Train · linear, fold 2/2, round 3, loss 0.25" in line
    assert "26% ~2 s left" in line
    assert "left" not in lines["fit_started", "linear", 0]
    assert all(len(row) <= 80 for each in lines.values() for row in each.splitlines())


def test_the_moving_line_fits_80_columns(terminal: Callable[..., Console]) -> None:
    terminal()
    progress = LiveProgress()
    fit = {"learner": "lightgbm", "fold": 1, "n_folds": 5}
    loss = {"round": 1000, "n_rounds": 1000, "metrics": {"train": 0.2, "validation": 0.12345}}
    for kind, data in (
        ("step_started", {"step": 6, "name": "Train"}),
        ("plan", {"n_fits": 16, "learners": ["lightgbm"]}),
        ("fit_finished", {**fit, "seconds": 3.0, "restored": False, "score": 0.5}),
        ("fit_started", fit),
        ("round", {**fit, **loss}),
    ):
        progress.on_event(Event(kind, 0, 0.0, data))
    (line,) = moving_line(progress).splitlines()
    assert "6 Train · lightgbm, fold 2/5, round 1000, loss 0.123" in line
    assert line.rstrip().endswith("% ~42 s left")


def test_a_stop_is_said_on_the_moving_line(terminal: Callable[..., Console]) -> None:
    terminal()
    progress = LiveProgress()
    progress.announce_stop()
    assert "keeping the best so far" in moving_line(progress)
    progress.on_event(Event("run_stopped", 0, 0.0, {"reason": "asked"}))
    assert "keeping the best so far" not in moving_line(progress)


def test_what_was_found_is_told_even_if_the_run_fails(
    terminal: Callable[..., Console], events: list[Event]
) -> None:
    console = terminal(color_system=None)
    progress = LiveProgress()
    for event in events[:5]:
        progress.on_event(event)
    assert "D010" not in told(console)
    progress.on_event(Event("run_failed", 5, 0.0, {"error": "x"}))
    assert "D010" in told(console)


def test_no_colour_is_respected(
    terminal: Callable[..., Console], events: list[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    console = terminal()
    progress = LiveProgress()
    for event in events:
        progress.on_event(event)
    assert "\x1b[3" not in told(console)


def test_pace_follows_the_present_learner() -> None:
    pace = Pace(n_fits=4)
    assert pace.seconds_left("linear") is None
    pace.finish("baseline", 0.01)
    pace.finish("linear", 10.0)
    pace.advance(0.5)
    assert pace.share == 0.625
    assert pace.seconds_left("linear") == 15.0
    pace.finish("linear", 20.0)
    pace.finish("linear", 20.0)
    pace.finish("linear", 20.0)
    assert pace.share == 1.0
    assert pace.seconds_left("linear") == 0.0
