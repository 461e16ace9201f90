"""Observers that print: plain lines for logs, events as JSON, nothing; the live display is in `live.py`."""

import contextlib
import json
import math
import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, Final, Literal, Self

import click

from groundup.cli.call import Call
from groundup.cli.findings import finding_title
from groundup.cli.formats import duration, number, one_line, visible
from groundup.core.events import Event, Observer, Request
from groundup.core.wording import count

if TYPE_CHECKING:
    from groundup.lifecycle import Run

How = Literal["auto", "plain", "json", "quiet"]
"""The choices of --progress."""

STOPPING: Final = "Stopping soon, keeping the best so far; Ctrl-C again leaves at once."


_WRITTEN: Final = 72  # characters

QUIET_SECONDS: Final = 10.0
"""Fits of one learner share a line of a log until they have taken this long."""


class Progress:
    """Shows a run while it goes on; a subclass says what by methods named `on_<kind>(data)`.

    A context manager, so that a live display ends with the block. This base shows nothing.
    """

    def on_event(self, event: Event) -> Request | None:
        """Show `event`, if the subclass has a method for its kind."""
        show = getattr(self, f"on_{event.kind}", None)
        if show is not None:
            show(event.data)
        return None

    def state_dict(self) -> dict[str, Any]:
        """Return nothing: what was shown has been seen."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up nothing."""

    def announce_stop(self) -> None:
        """Say that the run will stop soon. Called inside a signal handler, so it only writes bytes."""
        os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, f"\n{STOPPING}\n".encode())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        return None


class QuietProgress(Progress):
    """Shows nothing."""


class JsonProgress(Progress):
    """Prints one event a line as soon as it happens: kind, index, time_seconds, data."""

    def on_event(self, event: Event) -> Request | None:
        """Print `event`; numbers that JSON cannot hold become null."""
        line = {
            "kind": event.kind,
            "index": event.index,
            "time_seconds": round(event.time_seconds, 6),
            "data": _finite(event.data),
        }
        click.echo(json.dumps(line, ensure_ascii=False))
        return None


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return str(value) if isinstance(value, Path) else value


class PlainProgress(Progress):
    """Prints one plain line per notable event."""

    def __init__(self) -> None:
        self._unsaid: list[Mapping[str, Any]] = []

    def _line(self, text: str) -> None:
        click.echo(visible(text))

    def on_run_started(self, data: Mapping[str, Any]) -> None:
        """Say what is trained and where it is kept."""
        self._line(opening(data))

    def on_step_started(self, data: Mapping[str, Any]) -> None:
        """Name the step."""
        self._line(f"Step {data['step']} of 8: {data['name']}")

    def on_finding(self, data: Mapping[str, Any]) -> None:
        """Name a finding, but for notes; the end tells all of them and what to do."""
        if data["severity"] != "info":
            self._line(f"  {finding_title(data)}")

    def on_plan(self, data: Mapping[str, Any]) -> None:
        """Say how much is to come."""
        self._line(f"  {count(data['n_fits'], 'fit')} to come: {', '.join(data['learners'])}")

    def on_samples(self, data: Mapping[str, Any]) -> None:
        """Show what a network writes while it learns to."""
        if written := written_line(data):
            self._line(f"  {written}")

    def on_fit_finished(self, data: Mapping[str, Any]) -> None:
        """Say that a fit is done; quick folds of one learner share a line."""
        if self._unsaid and bool(self._unsaid[-1].get("restored")) != bool(data.get("restored")):
            self._say_fits()
        self._unsaid.append(data)
        if is_last_fold(data) or sum(fit["seconds"] for fit in self._unsaid) >= QUIET_SECONDS:
            self._say_fits()

    def on_step_finished(self, data: Mapping[str, Any]) -> None:
        """Say what the step did and why."""
        self._say_fits()
        self._line(f"  {one_line(data['summary'])}")

    def _say_fits(self) -> None:
        """Say the fits of one learner that have not been said yet."""
        fits, self._unsaid = self._unsaid, []
        if not fits:
            return
        first, last = fits[0], fits[-1]
        if first.get("outer") is not None:
            self._say_inner_fits(fits)
            return
        which = which_fit(first)
        if len(fits) > 1:
            which = f"{which.replace('fold', 'folds')} to {which_fit(last).rpartition(' ')[2]}"
        scores = [number(fit["score"]) for fit in fits if fit.get("score") is not None]
        told = f": {', '.join(scores)}" if scores else ""
        self._line(f"  {last['learner']}, {which}{told} ({_how_long(fits)})")

    def _say_inner_fits(self, fits: Sequence[Mapping[str, Any]]) -> None:
        """Say how many fits of a nested cross-validation are done; what they led to is told by a note."""
        outer = fits[0]["outer"] + 1
        self._line(
            f"  among the training rows of fold {outer}: {count(len(fits), 'fit')} ({_how_long(fits)})"
        )

    def on_note(self, data: Mapping[str, Any]) -> None:
        """Pass on a note."""
        self._say_fits()
        self._line(f"  {one_line(data['message'])}")

    def on_run_stopped(self, data: Mapping[str, Any]) -> None:
        """Say that the run stops before its end."""
        self._line(f"Stopped: {one_line(data['reason'])}")


def opening(data: Mapping[str, Any]) -> str:
    """Return the first line of a run, from its event `run_started`."""
    if data.get("resumed"):
        target = f" → {data['target']}" if data["target"] else ""
        return f"Going on with {data['run']}: {data['source']}{target}"
    question = f"Learning to predict {data['target']}" if data["target"] else "Reading"
    return f"{question} from {data['source']}; everything is kept in {data['run']}"


def written_line(data: Mapping[str, Any]) -> str:
    r"""Return what a network wrote as one line, from its event `samples`; "" where it wrote no text.

    Examples
    --------
    >>> written_line({"step": 40, "samples": ["To be,\nor not"]})
    'step 40 writes: To be,⏎or not'
    """
    samples = data["samples"]
    if not (samples and isinstance(samples[0], str)):
        return ""
    text = samples[0].strip().replace("\n", "⏎")
    return f"step {data['step']} writes: {text[:_WRITTEN]}"


def _how_long(fits: Sequence[Mapping[str, Any]]) -> str:
    is_restored = all(fit.get("restored") for fit in fits)
    return "kept from before" if is_restored else duration(sum(fit["seconds"] for fit in fits))


def which_fit(data: Mapping[str, Any]) -> str:
    """Return which fit an event is about: a fold, or the final one.

    Examples
    --------
    >>> which_fit({"fold": None}), which_fit({"fold": 1, "n_folds": 5})
    ('final fit', 'fold 2')
    >>> which_fit({"fold": 7, "n_folds": 10, "n_repeats": 2})
    'repeat 2, fold 3'
    >>> which_fit({"fold": 2, "n_folds": 5, "outer": 0})
    'inside fold 1, fold 3'
    """
    if data.get("fold") is None:
        return "final fit"
    inside = "" if data.get("outer") is None else f"inside fold {data['outer'] + 1}, "
    if data.get("n_repeats", 1) == 1:
        return f"{inside}fold {data['fold'] + 1}"
    repeat, fold = divmod(data["fold"], data["n_folds"] // data["n_repeats"])
    return f"{inside}repeat {repeat + 1}, fold {fold + 1}"


def is_last_fold(data: Mapping[str, Any]) -> bool:
    """Return whether a fit is the last of its learner, or of its repeat; inner fits have no last one."""
    if data.get("fold") is None or "n_folds" not in data:
        return True
    n_folds = data["n_folds"] // data.get("n_repeats", 1)
    return data.get("outer") is None and (data["fold"] + 1) % n_folds == 0


class StopOnSignal:
    """Turns the first Ctrl-C (or SIGTERM) into the request "stop", the second into KeyboardInterrupt.

    Parameters
    ----------
    call : Call
        Learns the run's folder, for the door.
    progress : Progress
        Tells the user.
    """

    def __init__(self, call: Call, progress: Progress) -> None:
        self._call, self._progress = call, progress
        self._previous: dict[signal.Signals, Any] = {}
        self.is_requested = False

    def __enter__(self) -> Self:
        for each in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(each) is not signal.SIG_IGN:  # `nohup` and `&` ask to be left alone
                self._previous[each] = signal.signal(each, self._on_signal)
        return self

    def __exit__(self, *_error: object) -> None:
        for each, handler in self._previous.items():
            signal.signal(each, handler)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        if self.is_requested:
            raise KeyboardInterrupt
        self.is_requested = True
        self._progress.announce_stop()

    def on_event(self, event: Event) -> Request | None:
        """Ask to stop, once somebody wants to."""
        if event.kind == "run_started":
            self._call.run_folder = Path(event.data["run"])
        return "stop" if self.is_requested else None

    def state_dict(self) -> dict[str, Any]:
        """Return nothing: a resumed run has not been asked to stop."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up nothing."""


def show_progress(how: How = "auto") -> Progress:
    """Return an observer that tells a person how a run goes; `groundup.show_progress` in Python.

    Parameters
    ----------
    how : {"auto", "plain", "json", "quiet"}, default="auto"
        `auto` is live on a terminal that can redraw, else plain.
    """
    if how == "json":
        return JsonProgress()
    if how == "quiet":
        return QuietProgress()
    if how == "plain" or not sys.stdout.isatty() or os.environ.get("TERM") == "dumb":
        return PlainProgress()
    from groundup.cli.live import LiveProgress

    return LiveProgress()


@contextlib.contextmanager
def watching(call: Call, how: How) -> Iterator[tuple[Observer, ...]]:
    """Yield the observers of a run in the terminal: its display, and what turns Ctrl-C into "stop"."""
    with show_progress(how) as progress, StopOnSignal(call, progress) as stop:
        yield (progress, stop)


def show_end(how: How, run: "Run") -> None:
    """Print what came out of `run`, unless events or silence were asked for."""
    if how == "quiet":
        click.echo(str(run.folder))
    elif how != "json":
        from groundup.cli.summary import print_summary

        print_summary(run.summary, run.folder)
