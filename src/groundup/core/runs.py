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
from groundup.core.files import write_json

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
        self.recipe = path / "recipe.yaml"
        self.data = path / "data.json"
        self.metrics = path / "metrics.sqlite"
        self.checkpoints = path / "checkpoints"
        self.model = path / "model"
        self.report_html = path / "report.html"
        self.report_json = path / "report.json"
        self.findings = path / "findings.json"
        self._summary = path / "run.json"

    @classmethod
    def create(cls, runs: Path, name: str | None, *, stem: str) -> "RunFolder":
        """Make a new, empty run folder.

        Parameters
        ----------
        runs : Path
            The folder of runs; made when it is missing.
        name : str or None
            The run's name; None: `stem` and four random hexadecimal digits.
        stem : str
            What an unnamed run is called after, usually the file's name.

        Raises
        ------
        RunError
            If the name is taken or not usable as a folder name.
        StorageError
            If the folder cannot be made.
        """
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
                try:
                    path.mkdir()
                    break
                except FileExistsError:
                    if name is not None:
                        raise RunError(
                            f"There is a run `{name}` in `{runs}` already; choose another name, or continue "
                            f"it with: groundup resume {path}"
                        ) from None
        except OSError as error:
            raise StorageError(
                f"Cannot make a run folder in `{runs}`: {error.strerror}. Choose another place with --runs."
            ) from error
        folder = cls(path)
        folder.write_summary(
            RunSummary(path.name, "running", datetime.now(UTC).isoformat(timespec="seconds"))
        )
        return folder

    def read_summary(self) -> RunSummary:
        """Return the run's summary, noting whether it was interrupted."""
        try:
            values = json.loads(self._summary.read_text(encoding="utf-8"))
            summary = RunSummary(**values)
        except (OSError, ValueError, TypeError) as error:
            raise RunError(f"`{self.path}` is not a run: its run.json cannot be read ({error}).") from error
        return replace(summary, is_interrupted=summary.status == "running" and not self._is_held())

    def write_summary(self, summary: RunSummary) -> None:
        """Replace the run's summary."""
        write_json(self._summary, asdict(replace(summary, is_interrupted=False)))

    def update_summary(self, **changes: Any) -> None:
        """Replace some fields of the run's summary."""
        self.write_summary(replace(self.read_summary(), **changes))

    def _is_held(self) -> bool:
        try:
            with self.hold():
                return False
        except RunError:
            return True

    @contextlib.contextmanager
    def hold(self) -> Iterator[None]:
        """Hold the run for this process while the block lasts; the system lets go when it dies.

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
            if not _lock(lock.fileno()):
                raise RunError(
                    f"The run `{self.path}` is in use by another process; wait until it has ended."
                )
            yield


def _lock(descriptor: int, *, attempts: int = 10) -> bool:
    """Lock a file, trying for a fifth of a second: somebody who lists runs holds it for an instant."""
    for _ in range(attempts):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            time.sleep(0.02)
        else:
            return True
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
