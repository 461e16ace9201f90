"""Events: one fact at a time, emitted while a run goes on, and the observers who watch them.

Contract "Observer". Everything that watches a run (terminal, metrics store, run folder, studio)
consumes the same events in a fixed order and may answer with a request; nothing that emits knows
who is listening.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Literal, Protocol

EVENT_KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "run_started": "run (folder), name, source, target, resumed (bool)",
        "step_started": "step (1-8), name",
        "step_finished": "step (1-8), name, summary (sentences: what was done and why), seconds",
        "plan": "n_fits (how many fits are to come), learners (names)",
        "fit_started": "learner, fold (int, or null for the final fit), n_folds (of all repeats), n_repeats, "
        "outer (int in a nested cross-validation: the fold whose training rows are divided again; else null)",
        "round": "learner, fold, round (from 1), n_rounds (at most), metrics ({name: value})",
        "steps": "learner, fold, step (updates made), n_steps (at most), metrics (since the last ones)",
        "samples": "learner, fold, step, samples (what the network says of the same few rows)",
        "weights": "learner, fold, step, histograms ({layer: {edges, counts}} of its weights)",
        "fit_finished": "learner, fold, n_folds, n_repeats, outer, seconds, "
        "restored (bool: taken from an interrupted run), score",
        "candidate_finished": "learner, metric, score, low, high, standard_error, latency_us, size_bytes",
        "metric": "part (train|validation|test), name, value, low, high",
        "finding": "the finding as JSON",
        "checkpoint": "key",
        "note": "message",
        "run_stopped": "reason",
        "run_failed": "error",
        "run_finished": "run (folder), report (path), seconds",
    }
)
"""What can be emitted, with the keys of its data; lengths of time are seconds."""


@dataclass(frozen=True)
class Event:
    """One fact about a run.

    Parameters
    ----------
    kind : str
        A key of `EVENT_KINDS`.
    index : int
        Position in the run's stream, from 0.
    time_seconds : float
        Seconds since the run (or its resumption) started.
    data : mapping
        The fact: JSON values under the keys that `EVENT_KINDS` lists.
    """

    kind: str
    index: int
    time_seconds: float
    data: Mapping[str, Any] = field(default_factory=dict)


Request = Literal["stop"]
"""What an observer can ask for: `stop` ends training and keeps the best so far."""


class Observer(Protocol):
    """Watches a run. State it must keep over a resume goes through `state_dict`."""

    def on_event(self, event: Event) -> Request | None:
        """Take note of `event`; optionally ask for something."""

    def state_dict(self) -> dict[str, Any]:
        """Return what must survive a resume, as JSON values."""

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up the state of an earlier `state_dict`."""


class EventStream:
    """Hands each event to every observer, in order, and collects their requests.

    Parameters
    ----------
    observers : sequence of Observer
        Called in this order.
    clock : callable
        Returns seconds; `time.monotonic` in a run.

    Examples
    --------
    >>> stream = EventStream([], clock=lambda: 0.0)
    >>> stream.emit("note", message="hello")
    >>> stream.should_stop
    False
    """

    def __init__(self, observers: Sequence[Observer], *, clock: "Clock") -> None:
        self.observers = tuple(observers)
        self._clock = clock
        self._start = clock()
        self._n_events = 0
        self.should_stop = False

    def emit(self, kind: str, **data: Any) -> None:
        """Emit one fact; `data` are the keys that `EVENT_KINDS` lists for `kind`."""
        assert kind in EVENT_KINDS, kind
        event = Event(kind, self._n_events, self._clock() - self._start, data)
        self._n_events += 1
        for observer in self.observers:
            if observer.on_event(event) == "stop":
                self.should_stop = True


class Clock(Protocol):
    """Returns the time in seconds."""

    def __call__(self) -> float:
        """Return seconds from some fixed moment."""
