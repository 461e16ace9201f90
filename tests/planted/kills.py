"""Kill `groundup train` at a random moment, resume it, and compare with a run that was left alone."""

import itertools
import json
import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from groundup.core.checkpoints import CheckpointStore
from groundup.core.errors import GroundupError
from groundup.core.runs import RunFolder
from groundup.recipe import Recipe
from groundup.serving.package import load_package

Event = dict[str, Any]
Fit = tuple[str, int, int | None]

_PARTS = (
    "test",
    "validation",
    "train",
    "cross_validation",
    "baseline",
    "nested",
    "fit",
    "importance",
    "findings",
)
_MEASURED = {"seconds", "latency_us"}  # times differ from run to run


@dataclass(frozen=True)
class Moment:
    """When to kill: `delay_seconds` after the event at position `after`."""

    after: int
    delay_seconds: float


@dataclass(frozen=True)
class Reference:
    """A run that was left alone: its command, its events, and what it left behind."""

    words: tuple[str, ...]
    events: list[Event]
    outcome: dict[str, Any]

    def draw_moment(self, draw: random.Random) -> Moment:
        """Return a moment inside the run: half of them at any event, half of them at any time."""
        times = [event["time_seconds"] for event in self.events]
        gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
        weights = None if draw.random() < 0.5 else gaps
        (position,) = draw.choices(range(len(gaps)), weights)
        return Moment(position, draw.uniform(0.0, gaps[position]))


@dataclass(frozen=True)
class Trial:
    """What came of one killed run.

    Parameters
    ----------
    moments : tuple of Moment
        The kills that met a process at work.
    n_finished, n_restored : int
        Folds that were finished before the last kill, and those of them that were not fitted again.
    differences : tuple of str
        What differs from the reference; () where everything is equal, bit for bit.
    leftovers : tuple of str
        Half-written or damaged files.
    """

    moments: tuple[Moment, ...]
    n_finished: int
    n_restored: int
    differences: tuple[str, ...]
    leftovers: tuple[str, ...]


def run_reference(words: Sequence[str], runs: Path) -> Reference:
    """Train to the end: `groundup train` and these words."""
    events, code = _watch(_start("train", *words, "--runs", str(runs), "--name", "reference"), None)
    assert code == 0, events[-1:]
    return Reference(tuple(words), events, outcome_of(runs / "reference"))


def kill_and_resume(reference: Reference, moments: Sequence[Moment], runs: Path, name: str) -> Trial | None:
    """Start the reference's run again, kill it at each moment in turn, and let the last resumption end.

    Parameters
    ----------
    reference : Reference
        What to start, and what to compare with.
    moments : sequence of Moment
        The first kill is of `groundup train`, the others of `groundup resume`.
    runs : Path
        The folder of runs.
    name : str
        The run's name.

    Returns
    -------
    Trial or None
        None when the first kill came after the run had ended.
    """
    finished: set[Fit] = set()
    restored: set[Fit] | None = None
    met: list[Moment] = []
    for moment in (*moments, None):
        if _has_ended(runs / name):
            break
        events, code = _watch(_start(*_next_words(reference, runs, name)), moment)
        if code == 0:
            restored = _folds(events, is_restored=True)
            break
        if moment is None:
            return Trial(tuple(met), len(finished), 0, (f"resuming ended with exit code {code}",), ())
        met.append(moment)
        finished |= _folds(events)
    if not met:
        return None
    outcome = outcome_of(runs / name)
    return Trial(
        moments=tuple(met),
        n_finished=len(finished),
        n_restored=len(finished if restored is None else finished & restored),
        differences=tuple(part for part in outcome if outcome[part] != reference.outcome[part]),
        leftovers=tuple(leftovers(runs / name)),
    )


def _next_words(reference: Reference, runs: Path, name: str) -> tuple[str, ...]:
    """Return what to type: `resume`, or `train` if the run was killed before there was anything to resume."""
    if RunFolder(runs / name).asked.is_file():
        return "resume", str(runs / name)
    return "train", *reference.words, "--runs", str(runs), "--name", name


def outcome_of(folder: Path) -> dict[str, Any]:
    """Return everything of a finished run that must not depend on when it was killed."""
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    board = [
        {key: value for key, value in row.items() if key not in _MEASURED} for row in report["leaderboard"]
    ]
    connection = sqlite3.connect(folder / "metrics.sqlite")
    try:
        rounds = connection.execute(
            "select learner, fold, name, step, value from scalars where name <> 'samples_per_second' "
            "order by 1, 2, 3, 4"
        )
        curves = rounds.fetchall()
    finally:
        connection.close()
    return {
        "digest": load_package(folder / "model").digest,
        **{part: report[part] for part in _PARTS},
        "leaderboard": board,
        "recipe": Recipe.load(folder / "recipe.yaml").model_dump(mode="json"),
        "rounds": curves,
        "status": RunFolder(folder).read_summary().status,
    }


def leftovers(folder: Path) -> list[str]:
    """Return what a kill left half done in a run's folder: temporary files, checkpoints that do not load."""
    names = [path.name for path in folder.rglob("*")]
    found = [name for name in names if ".tmp" in name or name.endswith((".old", "-wal", "-shm"))]
    store = CheckpointStore(folder / "checkpoints")
    for path in store.folder.glob("*.checkpoint"):
        if store.load(path.stem) is None:
            found.append(path.name)
    return found


def _start(*words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "groundup", *words, "--progress", "json"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _watch(process: subprocess.Popen[str], moment: Moment | None) -> tuple[list[Event], int]:
    """Read a process's events, kill it at a moment, and return what it told and its exit code."""
    assert process.stdout is not None
    lines: list[str] = []
    with process:
        if moment is not None:
            while len(lines) <= moment.after and (line := process.stdout.readline()):
                lines.append(line)
            time.sleep(moment.delay_seconds)
            process.kill()
        lines += process.stdout
    # What was printed up to the kill counts; the last line may be cut.
    events = [json.loads(line) for line in lines if line.endswith("\n")]
    has_ended = bool(events) and events[-1]["kind"] == "run_finished"
    return events, 0 if has_ended else process.returncode


def _folds(events: Sequence[Event], *, is_restored: bool = False) -> set[Fit]:
    """Return the folds that were finished, or only those that were taken from before."""
    facts = [event["data"] for event in events if event["kind"] == "fit_finished"]
    return {
        (fact["learner"], fact["fold"], fact["outer"])
        for fact in facts
        if fact["fold"] is not None and (fact["restored"] or not is_restored)
    }


def _has_ended(folder: Path) -> bool:
    """Return whether a run has written everything: the kill came before its last event was told."""
    try:
        return RunFolder(folder).read_summary().status == "finished"
    except GroundupError:
        return False
