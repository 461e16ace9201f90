"""Every scalar of a run, round by round."""

import sqlite3
from pathlib import Path

import pytest

from groundup.core.errors import StorageError
from groundup.core.events import EventStream
from groundup.core.metrics_store import MetricsStore


def rows(path: Path) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(
            "select learner, fold, name, step, value from scalars order by 3, 4"
        ).fetchall()
    finally:
        connection.close()


def test_rounds_are_stored_and_a_fit_that_starts_again_replaces_them(tmp_path: Path) -> None:
    store = MetricsStore(tmp_path / "metrics.sqlite")
    stream = EventStream([store], clock=lambda: 0.0)
    for value in (0.5, 0.25):
        stream.emit("fit_started", learner="lightgbm", fold=None, n_folds=5)
        stream.emit(
            "round", learner="lightgbm", fold=None, round=1, n_rounds=2, metrics={"validation": value}
        )
    stream.emit("fit_finished", learner="lightgbm", fold=None, seconds=1, restored=False, score=None)
    store.close()
    assert rows(tmp_path / "metrics.sqlite") == [("lightgbm", None, "validation", 1, 0.25)]


def test_a_place_that_cannot_be_written_is_a_storage_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="metrics"):
        MetricsStore(tmp_path / "nowhere" / "metrics.sqlite")
