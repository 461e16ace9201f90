"""Checkpoints are whole, and a damaged one is noticed."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundup.core.checkpoints import Checkpoint, CheckpointStore


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path)
    store.save(
        "a-fold-1", Checkpoint({"score": 0.1 + 0.2}, {"p": np.array([0.1, np.nan]), "n": np.arange(3)})
    )
    loaded = store.load("a-fold-1")
    assert loaded is not None
    assert loaded.facts == {"score": 0.1 + 0.2}
    np.testing.assert_array_equal(loaded.arrays["p"], [0.1, np.nan])
    assert store.load("other") is None
    assert store.damaged == []


@settings(max_examples=40, deadline=None)
@given(position=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_a_flipped_bit_anywhere_is_noticed(
    tmp_path_factory: pytest.TempPathFactory, position: int, bit: int
) -> None:
    store = CheckpointStore(tmp_path_factory.mktemp("checkpoints"))
    store.save("a", Checkpoint({"score": 1.0}, {"p": np.arange(50.0)}))
    path = store.folder / "a.checkpoint"
    content = bytearray(path.read_bytes())
    content[position % len(content)] ^= 1 << bit
    path.write_bytes(content)
    assert store.load("a") is None
    assert store.damaged == ["a"]


def test_a_truncated_file_is_noticed(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path)
    store.save("a", Checkpoint({}, {"p": np.arange(50.0)}))
    path = tmp_path / "a.checkpoint"
    path.write_bytes(path.read_bytes()[:-9])
    assert store.load("a") is None
