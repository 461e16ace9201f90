"""Batches: what a network is shown, in which order, known by epoch and place so that any can be made again.

An order depends on the seed and the epoch alone; a run that goes on in the middle of an epoch asks for
the batches from there on and gets exactly those that are left.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from queue import Empty, Queue
from threading import Thread
from typing import Final, NamedTuple, Protocol

import torch
from torch import Tensor

from groundup.core.seeds import derive_seed

GATHER_BYTES: Final = 4 * 2**20
"""Rows gathered at once, in the order of the epoch: one indexed copy for many batches, which then are plain
slices; few enough to stay in the processor's cache."""


_SORTED: Final = 16  # batches whose rows are sorted by length together


class Batch(NamedTuple):
    """Rows that the network is shown together.

    Parameters
    ----------
    inputs : tuple of Tensor
        What the network is called with, each of shape (batch_size, …).
    targets : Tensor of shape (batch_size, …)
        What it should say.
    weights : Tensor of shape (batch_size,) or None
        What each row counts in the loss.
    """

    inputs: tuple[Tensor, ...]
    targets: Tensor
    weights: Tensor | None = None

    def parts(self, n_parts: int) -> "list[Batch]":
        """Return the rows in `n_parts` batches, the first of which may be one row longer."""
        pieces = zip(*(tensor.tensor_split(n_parts) for tensor in (*self.inputs, self.targets)), strict=True)
        weights: Sequence[Tensor | None] = [None] * n_parts
        if self.weights is not None:
            weights = self.weights.tensor_split(n_parts)
        return [Batch(each[:-1], each[-1], own) for each, own in zip(pieces, weights, strict=True)]

    def to(self, device: torch.device, *, non_blocking: bool = True) -> "Batch":
        """Return the batch on a device."""
        moved = [tensor.to(device, non_blocking=non_blocking) for tensor in (*self.inputs, self.targets)]
        weights = None if self.weights is None else self.weights.to(device, non_blocking=non_blocking)
        return Batch(tuple(moved[:-1]), moved[-1], weights)


class Batches(Protocol):
    """Where batches come from."""

    @property
    def n_samples(self) -> int:
        """Rows in an epoch."""

    @property
    def n_batches(self) -> int:
        """Batches in an epoch, at least 1."""

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """Yield the batches of an epoch (counted from 0), from the batch `start` on; the same every time."""

    def on(self, device: torch.device) -> "Batches":
        """Return the same batches on a device."""


Transform = Callable[[tuple[Tensor, ...], torch.Generator], tuple[Tensor, ...]]
"""Changes the inputs of a batch at random, e.g. flips images; all chance comes from the generator."""


@dataclass(frozen=True, eq=False)
class TensorBatches:
    """Batches of tensors in memory.

    Parameters
    ----------
    inputs : tuple of Tensor
        Each of shape (n_samples, …).
    targets : Tensor of shape (n_samples, …)
        What the network should say.
    batch_size : int
        Rows of a batch, at least 1.
    weights : Tensor of shape (n_samples,) or None
        What each row counts in the loss.
    seed : int or None
        Of the order of rows, another in each epoch; None: the rows' own order. With a seed the rows that are
        left over after the last whole batch wait for another epoch: a batch of one row would teach little and
        its statistics be wrong.
    transform : callable, optional
        Changes the inputs of a batch at random.
    lengths : Tensor of shape (n_samples,) or None
        Of sequences: what of each row is not padding. Rows of like lengths then share a batch, which is cut
        to its longest.

    Examples
    --------
    >>> batches = TensorBatches((torch.arange(10.0),), torch.arange(10), 4, seed=0)
    >>> batches.n_batches, next(batches.epoch(0)).targets.shape
    (2, torch.Size([4]))
    >>> [b.targets.tolist() for b in batches.epoch(3, start=1)] == [
    ...     b.targets.tolist() for b in batches.epoch(3)
    ... ][1:]
    True
    """

    inputs: tuple[Tensor, ...]
    targets: Tensor
    batch_size: int
    weights: Tensor | None = None
    seed: int | None = None
    transform: Transform | None = None
    lengths: Tensor | None = None

    @property
    def n_samples(self) -> int:
        """Rows in an epoch."""
        return len(self.targets)

    @property
    def n_batches(self) -> int:
        """Batches in an epoch, at least 1."""
        whole = self.n_samples // self.batch_size
        return max(1, whole) if self.seed is not None else -(-self.n_samples // self.batch_size)

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """Yield the batches of an epoch, from the batch `start` on."""
        n_rows = min(self.n_samples, self.n_batches * self.batch_size)
        order = None if self.seed is None else self._order(epoch)
        per_chunk = max(1, GATHER_BYTES // max(1, self._row_bytes() * self.batch_size)) * self.batch_size
        for low in range(start * self.batch_size, n_rows, per_chunk):
            high = min(low + per_chunk, n_rows)
            chunk = self._rows(slice(low, high) if order is None else order[low:high])
            for place in range(0, high - low, self.batch_size):
                batch = _cut(chunk, place, place + self.batch_size)
                if self.lengths is not None:
                    batch = batch._replace(inputs=tuple(_trimmed(each) for each in batch.inputs))
                if self.transform is not None:
                    batch = self._transformed(batch, epoch, (low + place) // self.batch_size)
                yield batch

    def on(self, device: torch.device) -> "TensorBatches":
        """Return the same batches of tensors that all lie on a device, so that none is moved again."""
        weights = None if self.weights is None else self.weights.to(device)
        inputs = tuple(tensor.to(device) for tensor in self.inputs)
        return replace(self, inputs=inputs, targets=self.targets.to(device), weights=weights)

    def _order(self, epoch: int) -> Tensor:
        """Return the rows in the order of an epoch."""
        assert self.seed is not None
        random = torch.Generator().manual_seed(derive_seed(self.seed, "order", epoch))
        order = torch.randperm(self.n_samples, generator=random)
        if self.lengths is None:
            return order
        n_whole, size = self.n_batches, self.batch_size
        kept = order[: n_whole * size]
        blocks = [block[self.lengths[block].argsort(stable=True)] for block in kept.split(_SORTED * size)]
        batches = torch.cat(blocks).split(size)
        return torch.cat(
            [batches[place] for place in torch.randperm(len(batches), generator=random).tolist()]
        )

    def _row_bytes(self) -> int:
        tensors = (*self.inputs, self.targets)
        return sum(tensor.element_size() * tensor[:1].numel() for tensor in tensors)

    def _rows(self, rows: Tensor | slice) -> Batch:
        def pick(tensor: Tensor) -> Tensor:
            return tensor[rows] if isinstance(rows, slice) else tensor.index_select(0, rows.to(tensor.device))

        weights = None if self.weights is None else pick(self.weights)
        return Batch(tuple(pick(tensor) for tensor in self.inputs), pick(self.targets), weights)

    def _transformed(self, batch: Batch, epoch: int, number: int) -> Batch:
        assert self.transform is not None
        random = torch.Generator().manual_seed(derive_seed(self.seed or 0, "transform", epoch, number))
        return batch._replace(inputs=self.transform(batch.inputs, random))


def _cut(chunk: Batch, low: int, high: int) -> Batch:
    weights = None if chunk.weights is None else chunk.weights[low:high]
    return Batch(tuple(tensor[low:high] for tensor in chunk.inputs), chunk.targets[low:high], weights)


def _trimmed(sequences: Tensor) -> Tensor:
    """Return sequences without the places at the end that are padding (0) in all of them."""
    used = (sequences != 0).any(dim=0).nonzero()
    return sequences[:, : int(used[-1]) + 1] if len(used) else sequences[:, :1]


@dataclass(frozen=True, eq=False)
class Prefetched:
    """Batches that are made in a thread of their own while the network works on the one before.

    For sources that read files or decode images; what lies in memory needs no thread.

    Parameters
    ----------
    source : Batches
        Where they come from.
    depth : int
        Batches made ahead, at least 1.
    device : device
        Where they go.
    """

    source: Batches
    depth: int = 2
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    def on(self, device: torch.device) -> "Prefetched":
        """Return the same batches, each moved to a device by the thread that makes it."""
        return replace(self, device=device)

    @property
    def n_samples(self) -> int:
        """Rows in an epoch."""
        return self.source.n_samples

    @property
    def n_batches(self) -> int:
        """Batches in an epoch."""
        return self.source.n_batches

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """Yield the batches of an epoch, from the batch `start` on; an error of the source is raised here."""
        ready: Queue[Batch | BaseException | None] = Queue(self.depth)
        is_over = False

        def work() -> None:
            try:
                for batch in self.source.epoch(epoch, start):
                    if is_over:
                        return
                    ready.put(batch.to(self.device))
                ready.put(None)
            except BaseException as error:
                ready.put(error)

        worker = Thread(target=work, name="groundup-prefetch", daemon=True)
        worker.start()
        try:
            while (item := ready.get()) is not None:
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            is_over = True
            while worker.is_alive():  # it may wait for room
                with contextlib.suppress(Empty):
                    ready.get(timeout=0.01)
