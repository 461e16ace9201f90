"""The run folder: everything one execution of a recipe leaves behind. The folder is the truth."""

import contextlib
import fcntl
import json
import re
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

from groundup.core.errors import RunError, StorageError, did_you_mean
from groundup.core.files import cause_of, is_leftover, remove_leftovers, write_json

_REPORT_KEYS = {"status", "problem", "split", "test", "selection", "leaderboard", "findings", "cost"}

Status = Literal["running", "finished", "stopped", "failed"]


@dataclass(frozen=True)
class RunSummary:
    """What stands in `run.json`: enough to list a run without opening anything else.

    Parameters
    ----------
    name : str
        The folder's name.
    status : {"running", "finished", "stopped", "failed"}
        `running` without a process that holds the lock means interrupted: it can be resumed.
    created : str
        ISO 8601, UTC.
    source, target, model, metric : str
        What was trained on what; "" while unknown.
    value, low, high : float or None
        The test score on `metric` and its interval.
    seconds : float
        Wall time, over all resumptions.
    test_opened : int
        How often the sealed test part was opened.
    is_interrupted : bool
        Killed before its end (found out when the run is read).
    """

    name: str
    status: Status
    created: str
    source: str = ""
    target: str = ""
    model: str = ""
    metric: str = ""
    value: float | None = None
    low: float | None = None
    high: float | None = None
    seconds: float = 0.0
    test_opened: int = 0
    is_interrupted: bool = False


class RunFolder:
    """One run's folder: names its files, keeps its summary, and is held by one process at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.asked = path / "asked.yaml"
        self.recipe = path / "recipe.yaml"
        self.data = path / "data.json"
        self.metrics = path / "metrics.sqlite"
        self.checkpoints = path / "checkpoints"
        self.model = path / "model"
        self.report_html = path / "report.html"
        self.report_json = path / "report.json"
        self.findings = path / "findings.json"
        self.predictions = path / "predictions.safetensors"
        self._summary = path / "run.json"
        self._is_ours = False

    @classmethod
    def create(cls, runs: Path, name: str | None, *, stem: str) -> "RunFolder":
        """Make a new, empty run folder.

        Parameters
        ----------
        runs : Path
            The folder of runs; made when it is missing.
        name : str or None
            The run's name; None: `stem` and four random hexadecimal digits. A run of this name that
            was killed before it had written what was asked is started anew.
        stem : str
            What an unnamed run is called after, usually the file's name.

        Raises
        ------
        RunError
            If the name is taken or not usable as a folder name.
        StorageError
            If the folder cannot be made.
        """
        if name == "last":
            raise RunError("`last` means the newest run, so no run can be called that; choose another name.")
        if name is not None and not re.fullmatch(r"[\w][\w.\- ]{0,99}", name):
            raise RunError(
                f"`{name}` cannot be a run's name: use up to 100 letters, digits, `-`, `_`, `.` or blanks, "
                "beginning with a letter or digit."
            )
        clean_stem = re.sub(r"[^\w\-]+", "-", stem).strip("-")[:60] or "run"
        try:
            runs.mkdir(parents=True, exist_ok=True)
            while True:
                path = runs / (name or f"{clean_stem}-{uuid4().hex[:4]}")
                if not path.exists() or (name is not None and not cls(path)._has_begun()):
                    break
                if name is not None:
                    raise RunError(
                        f"There is a run `{name}` in `{runs}` already; choose another name, or continue "
                        f"it with: groundup resume {path}"
                    )
            path.mkdir(exist_ok=True)
        except OSError as error:
            raise StorageError(
                f"Cannot make a run folder in `{runs}`: {cause_of(error)}. Choose another place with --runs."
            ) from error
        folder = cls(path)
        try:
            folder.write_summary(
                RunSummary(path.name, "running", datetime.now(UTC).isoformat(timespec="seconds"))
            )
        except StorageError:
            with contextlib.suppress(OSError):
                path.rmdir()
            raise
        return folder

    def read_summary(self) -> RunSummary:
        """Return the run's summary, noting whether it was interrupted."""
        try:
            values = json.loads(self._summary.read_text(encoding="utf-8"))
            summary = RunSummary(**values)
            datetime.fromisoformat(summary.created)
        except (OSError, ValueError, TypeError) as error:
            raise RunError(f"`{self.path}` is not a run: its run.json cannot be read ({error}).") from error
        return replace(summary, is_interrupted=summary.status == "running" and not self._is_held())

    def read_report(self) -> dict[str, Any]:
        """Return what stands in `report.json`.

        Raises
        ------
        RunError
            If the run has not ended, or the file is damaged.
        """
        try:
            report = json.loads(self.report_json.read_text(encoding="utf-8"))
        except FileNotFoundError:
            summary = self.read_summary()
            word = "was interrupted" if summary.is_interrupted else f"is {summary.status}"
            if summary.status == "finished":
                raise self._damaged_report("it is gone") from None
            raise RunError(
                f"The run `{self.path}` has no report: it {word}. Go on with: groundup resume {self.path}"
            ) from None
        except (OSError, ValueError) as error:
            raise self._damaged_report(str(error)) from error
        if not isinstance(report, dict) or not report.keys() >= _REPORT_KEYS:
            raise self._damaged_report("parts of it are missing")
        return report

    def _damaged_report(self, how: str) -> RunError:
        return RunError(
            f"`{self.report_json}` is damaged or was edited ({how}). "
            f"Train again: groundup train {self.recipe}"
        )

    def write_summary(self, summary: RunSummary) -> None:
        """Replace the run's summary."""
        write_json(self._summary, asdict(replace(summary, is_interrupted=False)))

    def update_summary(self, **changes: Any) -> None:
        """Replace some fields of the run's summary."""
        self.write_summary(replace(self.read_summary(), **changes))

    def _has_begun(self) -> bool:
        """Return whether there is something in the folder that a new run must not write over."""
        if not self.path.is_dir() or self.asked.is_file() or self._is_held():
            return True
        # Without a `run.json` only an empty folder is ours: what is in others belongs to somebody.
        names = {path.name for path in self.path.iterdir() if not is_leftover(path.name)}
        return bool(names) and self._summary.name not in names

    def _is_held(self) -> bool:
        """Return whether a process holds the run: this one, or another."""
        if self._is_ours:
            return True
        try:
            with (self.path / ".lock").open() as lock:
                # A shared lock: several who list runs at once do not take each other for the holder.
                return not _lock(lock.fileno(), fcntl.LOCK_SH, attempts=1)
        except OSError:
            return False

    @contextlib.contextmanager
    def hold(self) -> Iterator[None]:
        """Hold the run for this process while the block lasts; the system lets go when it dies.

        What a killed process was writing is removed first.

        Raises
        ------
        RunError
            If another process holds it.
        """
        try:
            lock = (self.path / ".lock").open("w")
        except OSError as error:
            raise StorageError(f"Cannot write in `{self.path}`: {error.strerror}.") from error
        with lock:
            if not _lock(lock.fileno(), fcntl.LOCK_EX, attempts=10):
                raise RunError(
                    f"The run `{self.path}` is in use by another process; wait until it has ended."
                )
            self._is_ours = True
            try:
                remove_leftovers(self.path)
                yield
            finally:
                self._is_ours = False


def _lock(descriptor: int, how: int, *, attempts: int) -> bool:
    """Lock a file; who wants to write tries ten times, as one who lists runs holds it for an instant."""
    for attempt in range(1, attempts + 1):
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, how | fcntl.LOCK_NB)
            return True
        if attempt < attempts:
            time.sleep(0.02)
    return False


def find_run(name: str | Path, runs: Path) -> RunFolder:
    """Return a run by path, by its name inside `runs`, or the newest one by `last`.

    Raises
    ------
    RunError
        If there is none; names the nearest.
    """
    direct = Path(name)
    if (direct / "run.json").is_file():
        return RunFolder(direct)
    if (runs / name / "run.json").is_file():
        return RunFolder(runs / name)
    summaries = list_runs(runs)
    if str(name) == "last" and summaries:
        return RunFolder(runs / summaries[-1].name)
    raise RunError(
        f"There is no run `{name}` in `{runs}`.{did_you_mean(str(name), [s.name for s in summaries])}"
    )


def list_runs(runs: Path) -> list[RunSummary]:
    """Return the summaries of all runs in a folder, oldest first; costs one small file a run."""
    if not runs.is_dir():
        return []
    summaries = []
    for path in runs.iterdir():
        if (path / "run.json").is_file():
            with contextlib.suppress(RunError):
                summaries.append(RunFolder(path).read_summary())
    return sorted(summaries, key=lambda summary: (summary.created, summary.name))
