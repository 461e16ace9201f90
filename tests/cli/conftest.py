"""A run as the terminal sees it: the events in their order, the report at the end, and no training."""

import copy
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import groundup
from groundup.cli.main import main
from groundup.core.events import Event
from groundup.core.files import write_json
from groundup.core.runs import RunFolder

FINDING = {
    "code": "D010",
    "title": "Many values are missing",
    "severity": "warning",
    "message": "`age` is missing in 20 % of the rows.",
    "remedy": "Ask whether the column can be collected better, or drop it.",
    "evidence": {"share": 0.2},
    "patch": {"data.drop": ["age"]},
    "column": "age",
}
NOTE = {**FINDING, "code": "D006", "title": "A column is constant", "severity": "info", "column": "ship"}

STEPS = {
    1: ("Define the problem", "`survived` has 2 values, so this is binary classification."),
    2: ("Collect and preprocess data", "1 309 rows and 13 columns from sample:titanic."),
    3: ("Design the model", "`linear` adds up; `lightgbm` asks yes-or-no questions."),
    4: ("Initialise", "Seed 0 decides every random choice."),
    5: ("Choose loss and optimizer", "Loss: log loss, the surprise at the true class."),
    6: ("Train", "2 learners, each fitted on 2 folds."),
    7: ("Tune and evaluate", "The test part was opened once."),
    8: ("Deploy and monitor", "The package needs no training code."),
}


def _fits() -> Iterator[tuple[str, dict[str, Any]]]:
    yield "plan", {"n_fits": 5, "learners": ["linear", "lightgbm"]}
    for learner in ("linear", "lightgbm"):
        for fold in (0, 1):
            fit = {"learner": learner, "fold": fold}
            yield "fit_started", {**fit, "n_folds": 2}
            yield "round", {**fit, "round": 3, "n_rounds": 10, "metrics": {"train": 0.2, "validation": 0.25}}
            yield "fit_finished", {**fit, "seconds": 0.5, "restored": fold == 0, "score": 0.8125}
    for learner in ("linear", "lightgbm"):
        yield (
            "candidate_finished",
            {
                "learner": learner,
                "metric": "roc_auc",
                "score": 0.861,
                "low": 0.83,
                "high": 0.89,
                "standard_error": 0.01,
                "latency_us": 12.0,
                "size_bytes": 2000,
            },
        )
    yield "fit_started", {"learner": "linear", "fold": None, "n_folds": 2}
    yield (
        "fit_finished",
        {"learner": "linear", "fold": None, "seconds": 1.0, "restored": False, "score": None},
    )


def _script(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    start = {"run": str(folder), "name": folder.name, "source": "sample:titanic", "target": "survived"}
    yield "run_started", {**start, "resumed": False}
    for step, (name, summary) in STEPS.items():
        yield "step_started", {"step": step, "name": name}
        if step == 2:
            yield "finding", FINDING
            yield "finding", NOTE
        if step == 6:
            yield from _fits()
        if step == 7:
            yield "metric", {"part": "test", "name": "roc_auc", "value": 0.87, "low": 0.82, "high": 0.91}
        yield "step_finished", {"step": step, "name": name, "summary": summary, "seconds": 0.6}
    yield "run_finished", {"run": str(folder), "report": str(folder / "report.html"), "seconds": 5.0}


REPORT: dict[str, Any] = {
    "status": "finished",
    "split": {"n_test": 262},
    "metrics": {
        "roc_auc": {"title": "ROC AUC", "explanation": "How often a yes outranks a no; 0.5 is chance."}
    },
    "problem": {
        "task": "classification",
        "target": "survived",
        "metric": "roc_auc",
        "question": "Did this passenger survive?",
        "baseline": "Always saying `no` is right for 62 %.",
    },
    "test": {
        "roc_auc": {"value": 0.871, "low": 0.822, "high": 0.914},
        "accuracy": {"value": 0.805, "low": 0.756, "high": 0.851},
    },
    "validation": {},
    "train": {},
    "baseline": {"roc_auc": {"value": 0.5}, "accuracy": {"value": 0.618}},
    "selection": {"name": "linear", "reason": "Within one standard error of the best, and simpler."},
    "fit": {"verdict": "fits", "sentence": "The model fits: train and held-out rows score alike."},
    "leaderboard": [
        {
            "name": name,
            "title": title,
            "score": score,
            "low": score - 0.03,
            "high": score + 0.03,
            "standard_error": 0.01,
            "seconds": 1.5,
            "latency_us": 12.0,
            "size_bytes": 20_480,
            "chosen": name == "linear",
            "within_one_standard_error": True,
            "p_value": 0.4 if name == "linear" else None,
            "tied": True,
        }
        for name, title, score in (("lightgbm", "boosted trees", 0.868), ("linear", "linear model", 0.861))
    ],
    "findings": [NOTE, FINDING],
    "cost": {"wall_seconds": 5.0, "cpu_seconds": 6.0},
}


@pytest.fixture
def report() -> dict[str, Any]:
    """Return the `report.json` of the run."""
    return copy.deepcopy(REPORT)


@pytest.fixture
def events(tmp_path: Path) -> list[Event]:
    """Return the events of the run, in their order."""
    return [
        Event(kind, index, index / 10, data)
        for index, (kind, data) in enumerate(_script(tmp_path / "runs" / "first"))
    ]


class FakeLifecycle(SimpleNamespace):
    """Stands in for `groundup.lifecycle`: plays the events and remembers what it was asked."""

    def __init__(self, events: list[Event], report: Mapping[str, Any], folder: Path) -> None:
        self.calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []
        self.requests: list[object] = []
        self.differences: list[str] = []
        self.columns = [{"name": "age", "kind": "number", "reason": "98 distinct values"}]
        self.population: dict[str, Any] = {"not_applicable": "no population is stated"}
        self.before_event: Callable[[Event], None] = lambda _event: None
        self.run = SimpleNamespace(folder=folder, name=folder.name, summary=report)
        self._events = events

    def _play(self, verb: str, *arguments: Any, observers: tuple[Any, ...] = (), **options: Any) -> Any:
        self.calls.append((verb, arguments, options))
        for event in self._events:
            self.before_event(event)
            self.requests += [observer.on_event(event) for observer in observers]
        return self.run

    def train(self, *arguments: Any, **options: Any) -> Any:
        return self._play("train", *arguments, **options)

    def resume(self, *arguments: Any, **options: Any) -> Any:
        return self._play("resume", *arguments, **options)

    def reproduce(self, *arguments: Any, **options: Any) -> Any:
        run = self._play("reproduce", *arguments, **options)
        return SimpleNamespace(equal=not self.differences, run=run, differences=self.differences)

    def check(self, *arguments: Any, **options: Any) -> Any:
        self._play("check", *arguments, **options)
        facts = {"problem": {}, "schema": self.columns, "split": {}, "findings": [NOTE, FINDING]}
        facts["population"] = self.population
        return SimpleNamespace(to_json=lambda: facts)

    def init(self, *arguments: Any, **options: Any) -> str:
        self.calls.append(("init", arguments, options))
        return "problem:\n  target: survived\n"

    def evaluate(self, *arguments: Any) -> dict[str, Any]:
        self.calls.append(("evaluate", arguments, {}))
        return {
            "metrics": {"roc_auc": {"value": 0.81, "low": 0.7, "high": 0.9}},
            "baseline": {"roc_auc": {"value": 0.5, "low": 0.5, "high": 0.5}},
            "n_rows": 1309,
            "findings": [],
        }

    def predict(self, *arguments: Any, **options: Any) -> dict[str, Any]:
        self.calls.append(("predict", arguments, options))
        added_up = "They add up to the predicted `price`, in its own unit."
        return {"n_rows": 1309, "output": "out.csv", "contributions": added_up, "findings": [FINDING]}


@pytest.fixture
def lifecycle(
    monkeypatch: pytest.MonkeyPatch, events: list[Event], report: dict[str, Any], tmp_path: Path
) -> FakeLifecycle:
    """Put a stand-in in the place of `groundup.lifecycle`, and work in an empty folder."""
    fake = FakeLifecycle(events, report, tmp_path / "runs" / "first")
    monkeypatch.setitem(sys.modules, "groundup.lifecycle", fake)  # type: ignore[arg-type]
    monkeypatch.setattr(groundup, "lifecycle", fake, raising=False)
    monkeypatch.chdir(tmp_path)
    return fake


@pytest.fixture
def run_folder(tmp_path: Path, report: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a finished run `first` in `runs`, and work beside it."""
    monkeypatch.chdir(tmp_path)
    folder = RunFolder.create(Path("runs"), "first", stem="titanic")
    write_json(folder.report_json, report)
    score = {"metric": "roc_auc", "value": 0.871, "low": 0.822, "high": 0.914}
    folder.update_summary(status="finished", target="survived", model="linear", seconds=5.0, **score)
    return folder.path


@pytest.fixture
def groundup_main(capfd: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Return a function that runs `groundup` with some words: (exit code, stdout, stderr)."""

    def run(*words: str) -> tuple[int, str, str]:
        code = main(words)
        return code, *capfd.readouterr()

    return run
