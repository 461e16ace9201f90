"""The observer that keeps every scalar of a run, step by step, in SQLite."""

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from groundup.core.errors import StorageError
from groundup.core.events import Event, Request

_SCHEMA: Final = """
create table if not exists scalars (
    learner text not null, fold integer, name text not null, step integer not null,
    value real, time_seconds real not null
)
"""


_DELETE_FROM: Final = "delete from scalars where learner = ? and fold is ? and step >= ?"
_FLUSHED: Final = {"checkpoint", "fit_finished", "run_finished", "run_stopped"}


class MetricsStore:
    """Writes metrics of `round` and `steps` as rows (learner, fold, name, step, value, time), 1 000 at once.

    Parameters
    ----------
    path : Path
        The database; made when it is missing. Write-ahead log: a killed process loses at most
        the batch that was not yet written, and leaves the file readable. A value that is not a
        number is stored as null.
    batch : int, default=1000
        Rows per commit.
    """

    def __init__(self, path: Path, *, batch: int = 1000) -> None:
        self._batch = batch
        self._rows: list[tuple[str, int | None, str, int, float, float]] = []
        self._to_replace: tuple[str, int | None] | None = None
        try:
            self._connection = sqlite3.connect(path)
            self._connection.execute("pragma journal_mode=wal")
            self._connection.execute("pragma synchronous=normal")
            self._connection.execute(_SCHEMA)
        except sqlite3.Error as error:
            raise StorageError(f"Cannot write the metrics to `{path}`: {error}.") from error

    def on_event(self, event: Event) -> Request | None:
        """Take the scalars out of `round` and `steps` events; write them when a fit ends."""
        data = event.data
        if event.kind in ("round", "steps"):
            step = data["round" if event.kind == "round" else "step"]
            self._replace_earlier(step)
            self._rows.extend(
                (data["learner"], data["fold"], name, step, value, event.time_seconds)
                for name, value in data["metrics"].items()
            )
        elif event.kind == "fit_started" and data.get("outer") is None:  # inner fits tell no rounds
            self._to_replace = (data["learner"], data["fold"])
        if len(self._rows) >= self._batch or event.kind in _FLUSHED:
            self.flush()
        return None

    def _replace_earlier(self, step: int) -> None:
        """Remove what a killed attempt at the present fit wrote from a step on, once this one comes to it.

        A fit that is taken from before starts as well, but has no rounds: its rows stay.
        """
        if self._to_replace is not None:
            self.flush()
            self._run(_DELETE_FROM, [(*self._to_replace, step)])
            self._to_replace = None

    def flush(self) -> None:
        """Write what is waiting.

        Raises
        ------
        StorageError
            If the disk is full or the file cannot be written.
        """
        self._run("insert into scalars values (?, ?, ?, ?, ?, ?)", self._rows)
        self._rows.clear()

    def _run(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        try:
            with self._connection:
                self._connection.executemany(statement, rows)
        except sqlite3.Error as error:
            raise StorageError(
                f"Cannot write the metrics of this run: {error}. Free some disk space."
            ) from error

    def close(self) -> None:
        """Write what is waiting and close the file."""
        self.flush()
        self._connection.close()

    def state_dict(self) -> dict[str, Any]:
        """Write what is waiting, so that a fit that counts as finished has its rows; return nothing."""
        self.flush()
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up nothing."""
