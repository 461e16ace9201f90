"""Checkpoints of a fit: pruned, the newest whole one first, and never the end of a fit by themselves."""

from pathlib import Path

import numpy as np
import pytest

from groundup.core.checkpoints import CheckpointStore
from groundup.core.errors import StorageError
from groundup.training.checkpointing import CheckpointKeeper, Snapshot


def snapshot(step: int) -> Snapshot:
    return Snapshot(step, {"position": step}, {"weights": np.full(3, step), "count": np.array(step)})


def make(folder: Path, told: list[str], name: str = "mlp-0") -> CheckpointKeeper:
    return CheckpointKeeper(CheckpointStore(folder), name, "recipe and data", told.append, n_kept=2)


def test_the_last_two_are_kept_and_the_newest_is_read(tmp_path: Path) -> None:
    told: list[str] = []
    keeper = make(tmp_path, told)
    for step in (5, 10, 200, 1000):
        keeper.save(snapshot(step))
    keeper.wait()
    assert len(list(tmp_path.iterdir())) == 2
    found = make(tmp_path, told).latest()
    assert found is not None
    assert (found.step, dict(found.facts)) == (1000, {"position": 1000})
    assert found.arrays["count"].shape == ()
    assert found.arrays["weights"].tolist() == [1000] * 3
    assert told == []


def test_a_damaged_one_is_noticed_and_the_one_before_used(tmp_path: Path) -> None:
    told: list[str] = []
    keeper = make(tmp_path, told)
    for step in (1, 2):
        keeper.save(snapshot(step))
    keeper.wait()
    newest = sorted(tmp_path.iterdir())[-1]
    content = bytearray(newest.read_bytes())
    content[-3] ^= 4
    newest.write_bytes(content)
    found = make(tmp_path, told).latest()
    assert found is not None
    assert found.step == 1
    assert len(told) == 1
    assert "is damaged" in told[0]


def test_fits_do_not_see_each_others_checkpoints(tmp_path: Path) -> None:
    one, other = make(tmp_path, [], "mlp-1"), make(tmp_path, [], "mlp-10")
    one.save(snapshot(3))
    one.wait()
    assert other.latest() is None
    one.clear()
    assert one.latest() is None
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_costs_a_note_and_what_was_there_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    keeper = make(tmp_path, told)
    keeper.save(snapshot(1))
    keeper.wait()

    def refuse(*_arguments: object) -> None:
        raise StorageError("Cannot write `x`: the disk is full; free some space.")

    with monkeypatch.context() as patched:
        patched.setattr(CheckpointStore, "save", refuse)
        keeper.save(snapshot(2))
        keeper.wait()
    assert len(told) == 1
    assert "training goes on without it" in told[0]
    found = keeper.latest()
    assert found is not None
    assert found.step == 1
