"""Batches are the same every time, in another order every epoch."""

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from groundup.training import batches as module
from groundup.training.batches import Batch, Prefetched, TensorBatches


def rows_of(source: TensorBatches | Prefetched, epoch: int, start: int = 0) -> list[list[int]]:
    return [batch.targets.tolist() for batch in source.epoch(epoch, start)]


def make(n_rows: int, batch_size: int, *, seed: int | None = 0) -> TensorBatches:
    rows = torch.arange(n_rows)
    return TensorBatches((rows.float().unsqueeze(1), -rows), rows, batch_size, seed=seed)


@settings(deadline=None)
@given(n_rows=st.integers(1, 60), batch_size=st.integers(1, 70), epoch=st.integers(0, 3))
def test_an_epoch_shows_every_row_once_but_for_the_rest_of_a_batch(
    n_rows: int, batch_size: int, epoch: int
) -> None:
    source = make(n_rows, batch_size)
    batches = rows_of(source, epoch)
    shown = [row for batch in batches for row in batch]
    assert len(batches) == source.n_batches
    assert len(shown) == len(set(shown))
    assert len(shown) == (n_rows if n_rows < batch_size else n_rows - n_rows % batch_size)
    in_order = [row for batch in rows_of(replace(source, seed=None), epoch) for row in batch]
    assert in_order == list(range(n_rows))


@settings(deadline=None)
@given(n_rows=st.integers(1, 60), batch_size=st.integers(1, 20), start=st.integers(0, 8))
def test_an_epoch_can_be_taken_up_anywhere(n_rows: int, batch_size: int, start: int) -> None:
    source = make(n_rows, batch_size)
    assert rows_of(source, 2, start) == rows_of(source, 2)[start:]


def test_inputs_and_targets_stay_together_and_epochs_differ() -> None:
    source = make(50, 8)
    for batch in source.epoch(1):
        assert torch.equal(batch.inputs[0][:, 0].long(), batch.targets)
        assert torch.equal(batch.inputs[1], -batch.targets)
    assert rows_of(source, 0) != rows_of(source, 1)


def test_gathering_in_small_pieces_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = rows_of(make(100, 7), 3)
    monkeypatch.setattr(module, "GATHER_BYTES", 1)
    assert rows_of(make(100, 7), 3) == whole


def test_weights_go_with_their_rows_and_parts_divide_a_batch() -> None:
    source = replace(make(20, 10), weights=torch.arange(20.0))
    batch = next(source.epoch(0))
    assert batch.weights is not None
    assert torch.equal(batch.weights.long(), batch.targets)
    parts = batch.parts(3)
    assert [len(part.targets) for part in parts] == [4, 3, 3]
    assert torch.equal(torch.cat([part.targets for part in parts]), batch.targets)
    assert all(torch.equal(part.weights.long(), part.targets) for part in parts)  # type: ignore[union-attr]


def test_a_transform_draws_from_a_generator_of_its_batch() -> None:
    def shake(inputs: tuple[Tensor, ...], random: torch.Generator) -> tuple[Tensor, ...]:
        return (inputs[0] + torch.rand(inputs[0].shape, generator=random), *inputs[1:])

    source = replace(make(20, 5), transform=shake)
    first = [batch.inputs[0] for batch in source.epoch(0)]
    again = [batch.inputs[0] for batch in source.epoch(0, start=2)]
    assert all(torch.equal(one, other) for one, other in zip(first[2:], again, strict=True))
    assert not torch.equal(first[0] - first[0].floor(), first[1] - first[1].floor())


def test_prefetched_batches_are_those_of_their_source() -> None:
    source = make(40, 6)
    assert rows_of(Prefetched(source), 1, 2) == rows_of(source, 1, 2)


def test_leaving_early_ends_the_thread() -> None:
    batches = Prefetched(make(400, 2), depth=1).epoch(0)
    next(batches)
    batches.close()  # type: ignore[attr-defined]
    assert not [each for each in threading.enumerate() if each.name == "groundup-prefetch"]


def test_an_error_of_the_source_is_raised_where_its_batch_is_asked_for() -> None:
    class Broken(TensorBatches):
        def epoch(self, epoch: int, start: int = 0) -> Iterator[Batch]:
            yield next(super().epoch(epoch, start))
            raise OSError("a truncated file")

    rows = torch.arange(8)
    batches = Prefetched(Broken((rows,), rows, 2, seed=0)).epoch(0)
    next(batches)
    with pytest.raises(OSError, match="truncated"):
        next(batches)


def test_texts_of_like_length_share_a_batch() -> None:
    lengths = torch.arange(1, 129).repeat(4)
    tokens = torch.zeros(512, 128, dtype=torch.int32)
    for row, length in enumerate(lengths.tolist()):
        tokens[row, :length] = row + 1
    batches = TensorBatches((tokens,), torch.arange(512), 8, seed=3, lengths=lengths)
    found = list(batches.epoch(1))
    assert sorted(torch.cat([batch.targets for batch in found]).tolist()) == list(range(512))
    sizes = [batch.inputs[0].shape[1] for batch in found]
    longest = [int(lengths[batch.targets].max()) for batch in found]
    assert sizes == longest
    assert sum(sizes) / len(sizes) < 80  # at random the longest of eight rows would be 114 on average
    assert sizes != sorted(sizes)
    for batch in found:
        assert torch.equal(batch.inputs[0][:, 0].long(), batch.targets + 1)
    again = list(batches.epoch(1, start=20))
    assert [each.targets.tolist() for each in again] == [each.targets.tolist() for each in found[20:]]
