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


def test_a_fit_that_is_taken_from_before_keeps_its_rows(tmp_path: Path) -> None:
    for is_restored in (False, True):
        store = MetricsStore(tmp_path / "metrics.sqlite")
        stream = EventStream([store], clock=lambda: 0.0)
        for fold in (0, 1):
            stream.emit("fit_started", learner="lightgbm", fold=fold, n_folds=2)
            if not is_restored or fold == 1:
                metrics = {"train": float("nan"), "validation": 0.5 - 0.25 * is_restored}
                stream.emit("round", learner="lightgbm", fold=fold, round=1, n_rounds=2, metrics=metrics)
            assert store.state_dict() == {}  # written before the fit counts as finished
        store._connection.close()
    path = tmp_path / "metrics.sqlite"
    assert [row for row in rows(path) if row[2] == "validation"] == [
        ("lightgbm", 0, "validation", 1, 0.5),
        ("lightgbm", 1, "validation", 1, 0.25),
    ]
    assert [row[4] for row in rows(path) if row[2] == "train"] == [None, None]


def test_a_place_that_cannot_be_written_is_a_storage_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="metrics"):
        MetricsStore(tmp_path / "nowhere" / "metrics.sqlite")
