"""Every observer keeps the contract: takes each kind of event, never raises, answers only with a request."""

import ast
import inspect
import json
import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, get_args

import pytest

import groundup
from groundup.cli.call import Call
from groundup.cli.live import LiveProgress
from groundup.cli.progress import JsonProgress, PlainProgress, Progress, QuietProgress, StopOnSignal
from groundup.core.events import EVENT_KINDS, Event, EventStream, Observer, Request
from groundup.core.findings import Finding
from groundup.core.metrics_store import MetricsStore
from groundup.core.tensorboard import TensorBoardWriter

OBSERVERS: dict[str, Callable[[Path], Observer]] = {
    "MetricsStore": lambda folder: MetricsStore(folder / "metrics.sqlite"),
    "TensorBoardWriter": TensorBoardWriter,
    "Progress": lambda _: Progress(),
    "QuietProgress": lambda _: QuietProgress(),
    "JsonProgress": lambda _: JsonProgress(),
    "PlainProgress": lambda _: PlainProgress(),
    "LiveProgress": lambda _: LiveProgress(),
    "StopOnSignal": lambda _: StopOnSignal(Call(), QuietProgress()),
}

FINDING = Finding("D010", "warning", "`age` is missing.", "Drop it.", {"share": 0.2}, {"data.drop": ["a"]})
FIT = {"learner": "lightgbm", "fold": 1}
OF = {"n_folds": 10, "n_repeats": 2, "outer": None}
LONG = "a line\nthat [bold]breaks[/bold] \x1b[31m and goes on " * 20

EXAMPLES: dict[str, list[dict[str, Any]]] = {
    "run_started": [
        {"run": "runs/a", "name": "a", "source": "a.csv", "target": "y", "resumed": False},
        {"run": "runs/a", "name": "a", "source": None, "target": None, "resumed": True},
    ],
    "step_started": [{"step": 6, "name": "Train"}],
    "plan": [{"n_fits": 0, "learners": []}, {"n_fits": 6, "learners": ["baseline", "lightgbm"]}],
    "fit_started": [{**FIT, **OF}, {**FIT, **OF, "fold": None}, {**FIT, **OF, "outer": 0}],
    "round": [
        {**FIT, "round": 1, "n_rounds": 100, "metrics": {"train": 0.5, "validation": 0.6}},
        {**FIT, "fold": None, "round": 100, "n_rounds": 100, "metrics": {"train": math.nan}},
        {**FIT, "round": 2, "n_rounds": 100, "metrics": {}},
        {**FIT, "round": 3, "n_rounds": 100, "metrics": {"train": math.inf}},
    ],
    "steps": [
        {**FIT, "step": 10, "n_steps": 90, "metrics": {"loss": 0.5, "samples_per_second": 12_345.6}},
        {**FIT, "fold": None, "step": 90, "n_steps": 90, "metrics": {"loss": math.nan}},
        {**FIT, "step": 20, "n_steps": 90, "metrics": {}},
    ],
    "samples": [
        {**FIT, "step": 0, "samples": [[1, 0.4], [0, 0.6]]},
        {**FIT, "fold": None, "step": 90, "samples": [[3.5, None]]},
        {**FIT, "step": 90, "samples": []},
    ],
    "weights": [
        {**FIT, "step": 90, "histograms": {"layers.0": {"edges": [-1.0, 0.0, 1.0], "counts": [3, 5]}}},
        {**FIT, "fold": None, "step": 0, "histograms": {}},
    ],
    "fit_finished": [
        {**FIT, **OF, "seconds": 0.5, "restored": True, "score": 0.9},
        {**FIT, **OF, "fold": None, "seconds": 0.0, "restored": False, "score": None},
        {**FIT, **OF, "seconds": 4000.0, "restored": False, "score": math.nan},
        {**FIT, **OF, "outer": 0, "seconds": 1.0, "restored": False, "score": 0.9},
    ],
    "candidate_finished": [
        {
            "learner": "lightgbm",
            "metric": "roc_auc",
            "score": 0.9,
            "low": 0.8,
            "high": 0.95,
            "standard_error": 0.01,
            "latency_us": 12.0,
            "size_bytes": 2000,
        },
        {
            "learner": "baseline",
            "metric": "roc_auc",
            "score": None,
            "low": None,
            "high": None,
            "standard_error": None,
            "latency_us": 0.0,
            "size_bytes": 0,
        },
    ],
    "metric": [
        {"part": "test", "name": "accuracy", "value": 0.9, "low": 0.8, "high": 1.0},
        {"part": "train", "name": "roc_auc", "value": None, "low": None, "high": None},
    ],
    "finding": [FINDING.to_json()],
    "checkpoint": [{"key": "lightgbm-fold-2"}],
    "note": [{"message": LONG}, {"message": ""}],
    "step_finished": [{"step": 6, "name": "Train", "summary": LONG, "seconds": 0.6}],
    "run_stopped": [{"reason": "You asked to stop."}],
    "run_failed": [{"error": LONG}],
    "run_finished": [{"run": "runs/a", "report": "runs/a/report.html", "seconds": 5.0}],
}
"""Kind → data as documented, in the order of a run, with what may be null or no number."""


def documented_keys(kind: str) -> set[str]:
    """Return the keys that `EVENT_KINDS` lists for a kind."""
    if kind == "finding":
        return set(FINDING.to_json())
    return set(re.sub(r"\([^()]*(\([^()]*\)[^()]*)*\)", "", EVENT_KINDS[kind]).replace(" ", "").split(","))


@pytest.fixture(params=OBSERVERS)
def observer(request: pytest.FixtureRequest, tmp_path: Path) -> Observer:
    return OBSERVERS[request.param](tmp_path)


def test_every_observer_is_tested() -> None:
    """Every class with an `on_event`, its own or a parent's, stands in the table."""
    bases: dict[str, set[str]] = {}
    is_observer: set[str] = set()
    for path in Path(groundup.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                bases[node.name] = {base.id for base in node.bases if isinstance(base, ast.Name)}
                if any(isinstance(each, ast.FunctionDef) and each.name == "on_event" for each in node.body):
                    is_observer.add(node.name)
    is_observer |= {name for name, parents in bases.items() if parents & is_observer}
    assert is_observer - {"Observer"} == set(OBSERVERS)


def test_the_examples_are_what_is_documented() -> None:
    assert set(EXAMPLES) == set(EVENT_KINDS)
    for kind, examples in EXAMPLES.items():
        for example in examples:
            assert set(example) == documented_keys(kind), kind


def test_every_kind_of_event_is_taken(observer: Observer) -> None:
    for index, (kind, examples) in enumerate(EXAMPLES.items()):
        for example in examples:
            answer = observer.on_event(Event(kind, index, 0.5, example))
            assert answer is None or answer in get_args(Request)


@pytest.mark.parametrize("kind", EXAMPLES)
def test_events_may_come_alone(observer: Observer, kind: str) -> None:
    """An observer that joins late, or a run that fails early, is no reason to raise."""
    for example in EXAMPLES[kind]:
        observer.on_event(Event(kind, 0, 0.0, example))


def test_data_are_left_as_they_are(observer: Observer) -> None:
    before = json.dumps(EXAMPLES)
    for kind, examples in EXAMPLES.items():
        for example in examples:
            observer.on_event(Event(kind, 0, 0.0, example))
    assert json.dumps(EXAMPLES) == before


def test_the_state_survives_a_resume_as_json(observer: Observer, tmp_path: Path) -> None:
    for kind in ("run_started", "plan", "fit_started", "round", "fit_finished"):
        observer.on_event(Event(kind, 0, 0.0, EXAMPLES[kind][0]))
    state = observer.state_dict()
    text = json.dumps(state, allow_nan=False)
    (tmp_path / "resumed").mkdir()
    resumed = OBSERVERS[type(observer).__name__](tmp_path / "resumed")
    resumed.load_state_dict(json.loads(text))
    assert resumed.state_dict() == state


def test_an_observer_can_be_asked_by_its_names_alone(observer: Observer) -> None:
    for name, method in inspect.getmembers(Observer, inspect.isfunction):
        if not name.startswith("_"):
            parameters = inspect.signature(getattr(observer, name)).parameters
            assert list(parameters) == list(inspect.signature(method).parameters)[1:]


class Keeper:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def on_event(self, event: Event) -> Request | None:
        self.events.append(event)
        return None

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        pass


def test_a_run_emits_what_is_documented(tmp_path: Path) -> None:
    keeper = Keeper()
    groundup.train("sample:iris", "species", model="lightgbm", runs=tmp_path, observers=[keeper])
    assert [event.index for event in keeper.events] == list(range(len(keeper.events)))
    times = [event.time_seconds for event in keeper.events]
    assert times == sorted(times)
    for event in keeper.events:
        assert set(event.data) == documented_keys(event.kind), event
        json.dumps(dict(event.data), allow_nan=False)
    told = {event.kind for event in keeper.events}
    of_networks = {"steps", "samples", "weights"}
    assert told >= set(EVENT_KINDS) - {"finding", "note", "run_stopped", "run_failed"} - of_networks


def test_an_observer_is_told_in_its_turn(observer: Observer) -> None:
    first, last = Keeper(), Keeper()
    stream = EventStream([first, observer, last], clock=lambda: 0.0)
    for kind, examples in EXAMPLES.items():
        for example in examples:
            stream.emit(kind, **example)
    assert first.events == last.events
    assert not stream.should_stop
