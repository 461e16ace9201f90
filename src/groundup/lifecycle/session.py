"""What the eight steps of one run share: the recipe, the folder, the events, the reasons."""

import contextlib
import hashlib
import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from groundup.core.checkpoints import Checkpoint, CheckpointStore
from groundup.core.events import EventStream
from groundup.core.files import write_text
from groundup.core.findings import Finding
from groundup.core.runs import RunFolder
from groundup.core.seeds import derive_seed
from groundup.recipe import Recipe
from groundup.training.checkpointing import CheckpointKeeper


@dataclass
class Step:
    """One of the eight steps while it goes on; `say` collects what was done and why."""

    number: int
    name: str
    sentences: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def say(self, sentence: str) -> None:
        """Add a sentence to the step's summary."""
        self.sentences.append(sentence)


class Session:
    """One run while it goes on.

    Parameters
    ----------
    recipe : Recipe
        What was asked, with the source's full path.
    folder : RunFolder
        Where the run leaves what it makes.
    events : EventStream
        Where facts are told.
    """

    def __init__(self, recipe: Recipe, folder: RunFolder, events: EventStream) -> None:
        self.recipe = recipe
        self.folder = folder
        self.events = events
        self.reasons: dict[str, str] = {}
        self.findings: list[Finding] = []
        self.steps: list[Step] = []
        self.started = time.monotonic()
        self.data_fingerprint = ""
        self._store = CheckpointStore(folder.checkpoints)

    def write_recipe(self) -> None:
        """Write what was asked and the number of threads, so that the run can be resumed.

        `recipe.yaml`, which `deploy` writes, names the one learner that was chosen: a run resumed
        from that would compare nothing, and throw finished folds away.
        """
        write_text(self.folder.asked, self.recipe.to_yaml(reasons=self.reasons))

    def seed(self, *purpose: str | int) -> int:
        """Return the seed for one purpose, derived from `training.seed`."""
        return derive_seed(self.recipe.training.seed, *purpose)

    @contextlib.contextmanager
    def step(self, number: int, name: str) -> Iterator[Step]:
        """Tell when a step starts and, with its summary and duration, when it has finished."""
        step = Step(number, name)
        self.events.emit("step_started", step=number, name=name)
        start = time.monotonic()
        yield step
        step.seconds = time.monotonic() - start
        self.steps.append(step)
        summary = " ".join(step.sentences)
        self.events.emit("step_finished", step=number, name=name, summary=summary, seconds=step.seconds)

    def report_findings(self, findings: Iterable[Finding]) -> None:
        """Keep findings for the report and tell them."""
        for finding in findings:
            self.findings.append(finding)
            self.events.emit("finding", **finding.to_json())

    def restore(self, key: str) -> Checkpoint | None:
        """Return what an interrupted run had finished under `key`, if recipe and data are the same."""
        n_damaged = len(self._store.damaged)
        checkpoint = self._store.load(key)
        if len(self._store.damaged) > n_damaged:
            self.events.emit("note", message=f"The checkpoint `{key}` is damaged; this part is done again.")
        if checkpoint is None or checkpoint.facts["origin"] != self._origin():
            return None
        observers, states = self.events.observers, checkpoint.facts["observers"]
        if [type(observer).__name__ for observer in observers] == [name for name, _ in states]:
            for observer, (_, state) in zip(observers, states, strict=True):
                observer.load_state_dict(state)
        return checkpoint

    def keep(self, key: str, facts: dict[str, Any], arrays: dict[str, Any]) -> None:
        """Keep what was finished under `key`, so that a killed run goes on behind it."""
        states = [[type(observer).__name__, observer.state_dict()] for observer in self.events.observers]
        self._store.save(key, Checkpoint({**facts, "origin": self._origin(), "observers": states}, arrays))
        self.events.emit("checkpoint", key=key)

    def keeper(self, name: str) -> CheckpointKeeper:
        """Return where a fit that is under way keeps its checkpoints."""
        return CheckpointKeeper(
            self._store,
            name,
            self._origin(),
            lambda message: self.events.emit("note", message=message),
            n_kept=self.recipe.training.keep_checkpoints,
        )

    def _origin(self) -> str:
        """Return what a checkpoint depends on: the recipe and the data."""
        asked = json.dumps(self.recipe.model_dump(mode="json"), sort_keys=True)
        return f"{hashlib.sha256(asked.encode()).hexdigest()} {self.data_fingerprint}"


def as_row(step: Step) -> dict[str, Any]:
    """Return a step for the report's cost table."""
    return {key: value for key, value in asdict(step).items() if key != "sentences"} | {
        "step": step.number,
        "summary": " ".join(step.sentences),
    }
