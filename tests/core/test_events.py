"""Events reach every observer in order; a request to stop is remembered."""

from collections.abc import Mapping
from typing import Any

import pytest

from groundup.core.events import Event, EventStream, Request


class Recorder:
    """An observer that keeps what it saw and may ask to stop."""

    def __init__(self, log: list[tuple[str, str, int]], name: str, *, stops_at: int | None = None) -> None:
        self.log, self.name, self.stops_at = log, name, stops_at

    def on_event(self, event: Event) -> Request | None:
        self.log.append((self.name, event.kind, event.index))
        return "stop" if event.index == self.stops_at else None

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        pass


def test_observers_see_every_event_in_their_order() -> None:
    log: list[tuple[str, str, int]] = []
    stream = EventStream([Recorder(log, "a"), Recorder(log, "b", stops_at=1)], clock=lambda: 0.0)
    stream.emit("note", message="x")
    assert not stream.should_stop
    stream.emit("plan", n_fits=1, learners=[])
    assert stream.should_stop
    assert log == [("a", "note", 0), ("b", "note", 0), ("a", "plan", 1), ("b", "plan", 1)]


def test_an_unknown_kind_is_our_mistake() -> None:
    with pytest.raises(AssertionError):
        EventStream([], clock=lambda: 0.0).emit("nothing")
