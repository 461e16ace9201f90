"""Pairs of rows in different parts that are nearly equal, found without comparing all with all.

Near means that every column agrees (numbers within 5 % of a standard deviation, texts in half of
their pieces), except for at most one. Candidates come from hash tables in which near rows are
likely to fall into one bucket:

* one table per block of columns, over the exact values of all *other* columns: whatever single
  column was changed, one of the tables does not see it;
* some tables over a random choice of columns, numbers rounded on a randomly shifted grid and texts
  by random slots of their signature: small changes everywhere survive in most of them.

In a table rows are sorted by bucket, and each is compared with the next few of its bucket only.
So the cost is that of some twenty sorts: O(n log n) in the rows, linear in the columns. The memory
is a few numbers a cell (256 bytes a text); above `MOST_ROWS` rows, a random choice of that many is
looked at.

Whether a near pair is worth reporting depends on what chance gives: see `stand_out`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from groundup.core.inputs import FloatArray, IntArray
from groundup.core.schema import Schema
from groundup.core.seeds import generator
from groundup.data.comparing import Bits, Comparable, Hashes, NumberColumn, make_comparable

MOST_ROWS: Final = 1_000_000
MOST_BLOCKS: Final = 16
MOST_ROUNDS: Final = 12
WINDOW: Final = 16
MOST_JUDGED: Final = 500
MOST_COUNTED: Final = 100_000
MOST_PAIRS_A_TABLE: Final = 300_000
WANTED_BITS: Final = 8.0
"""Bits beyond log2(n) that a lookup should narrow by, so that a bucket holds few rows by chance."""

NEIGHBOURS: Final = 6
"""Chance is judged by the sixth nearest training row, so that up to five copies do not hide each other."""

MARGIN_BITS: Final = 8.0
"""How much nearer than chance a pair must be. Chosen on real tables: planted copies stood out in 80 to
100 of 100 cases (least where most columns are coarse), and 0 to 4 of 100 other rows where few copies
are known."""


@dataclass(frozen=True)
class NearPairs:
    """Pairs of near-equal, not equal, rows in different parts.

    Parameters
    ----------
    rows, others : ndarray of int64, shape (n_pairs,)
        Positions; `rows` are in the later part (test after validation after train).
    bits : ndarray of float32, shape (n_pairs,)
        How surprising their agreement is.
    changed : ndarray of int64, shape (n_pairs,)
        Which feature differs; -1 if none does by more than the tolerance.
    stands_out : ndarray of bool, shape (n_pairs,)
        The two agree far more than chance explains.
    n_looked_at : int
        Rows that were looked at.
    """

    rows: IntArray
    others: IntArray
    bits: Bits
    changed: IntArray
    stands_out: NDArray[np.bool_]
    n_looked_at: int


def near_pairs(frame: pl.DataFrame, schema: Schema, parts: NDArray[np.int8], *, seed: int) -> NearPairs:
    """Return the pairs of near-equal rows that are in different parts.

    Parameters
    ----------
    frame : polars.DataFrame of n_rows rows
        The features alone; no target.
    schema : Schema
        What each feature is.
    parts : ndarray of int8, shape (n_rows,)
        0 train, 1 validation, 2 test. Frequencies are counted in train only.
    seed : int
        The run's seed.

    Examples
    --------
    >>> from groundup.core.schema import Column
    >>> values = np.random.default_rng(0).normal(size=(200, 8))
    >>> values[150] = values[20]; values[150, 3] = 9.9
    >>> frame = pl.DataFrame(values)
    >>> schema = Schema(Column(name, "number", "float") for name in frame.columns)
    >>> pairs = near_pairs(frame, schema, np.repeat(np.array([0, 2], dtype=np.int8), 100), seed=0)
    >>> pairs.rows.tolist(), pairs.others.tolist(), pairs.changed.tolist(), pairs.stands_out.tolist()
    ([150], [20], [3], [True])
    """
    random = generator(seed, "near duplicates")
    kept = _looked_at(frame, parts, random)
    frame, parts = frame[kept], parts[kept]
    train = np.flatnonzero(parts == 0)
    if not len(train) or not frame.width:
        nothing = np.empty(0, dtype=np.int64)
        return NearPairs(
            nothing, nothing, nothing.astype(np.float32), nothing, nothing.astype(bool), len(kept)
        )
    columns = [make_comparable(frame[column.name], column, train) for column in schema]
    rows, others = _candidates(frame, columns, parts, random)
    changed = _changed(columns, rows, others)
    near = changed >= -1
    rows, others, changed = rows[near], others[near], changed[near]
    bits = _agreement(columns, rows, others)
    stands_out = stand_out(columns, rows, bits, train, random=random)
    return NearPairs(kept[rows], kept[others], bits, changed, stands_out, len(kept))


def repeats_stand_out(
    frame: pl.DataFrame, schema: Schema, rows: IntArray, train: IntArray, *, seed: int
) -> float:
    """Return the share of `rows` for which an equal training row is more than chance gives.

    Parameters
    ----------
    frame : polars.DataFrame
        The features alone.
    schema : Schema
        What each feature is.
    rows : ndarray of int64, shape (n,), n >= 1
        Positions of rows that have an equal one in another part; at most `MOST_JUDGED` are judged.
    train : ndarray of int64
        Positions of training rows.
    seed : int
        The run's seed.
    """
    random = generator(seed, "repeats")
    judged = random.choice(rows, min(len(rows), MOST_JUDGED), replace=False)
    counted = random.choice(train, min(len(train), MOST_COUNTED), replace=False)
    frame = frame[np.concatenate([judged, counted])]
    rows, train = np.arange(len(judged)), np.arange(len(judged), len(frame))
    columns = [make_comparable(frame[column.name], column, train) for column in schema]
    bits = _agreement(columns, rows, rows)
    return float(np.mean(stand_out(columns, rows, bits, train, random=random)))


def _looked_at(frame: pl.DataFrame, parts: NDArray[np.int8], random: np.random.Generator) -> IntArray:
    """Return the positions to look at: one of each set of equal rows a part, at most `MOST_ROWS`."""
    keys = frame.hash_rows(0).to_numpy() + parts.astype(np.uint64)
    first = np.sort(np.unique(keys, return_index=True)[1])
    if len(first) > MOST_ROWS:
        first = np.sort(random.choice(first, MOST_ROWS, replace=False))
    return first


def _candidates(
    frame: pl.DataFrame, columns: Sequence[Comparable], parts: NDArray[np.int8], random: np.random.Generator
) -> tuple[IntArray, IntArray]:
    """Return unequal rows of different parts that met in a bucket; the first is of the later part."""
    n_rows = len(frame)
    whole = np.zeros(n_rows, dtype=np.uint64)
    for position, series in enumerate(frame.iter_columns()):
        whole += series.hash(position + 1).to_numpy()
    order_within = _projection(columns, n_rows, random)
    found = [np.empty(0, dtype=np.int64)]
    for keys in _tables(frame, whole, columns, random):
        first, second = _neighbours(keys, order_within, parts)
        differs = whole[first] != whole[second]
        first, second = first[differs], second[differs]
        is_later = parts[first] > parts[second]
        later, earlier = np.where(is_later, first, second), np.where(is_later, second, first)
        found.append(later * n_rows + earlier)
    codes = np.unique(np.concatenate(found))
    return codes // n_rows, codes % n_rows


def _tables(
    frame: pl.DataFrame, whole: Hashes, columns: Sequence[Comparable], random: np.random.Generator
) -> Iterator[Hashes]:
    """Yield the bucket of every row, table by table."""
    n_blocks = min(frame.width, MOST_BLOCKS)
    if n_blocks >= 3:
        order = random.permutation(frame.width)
        for block in range(n_blocks):
            without = whole.copy()
            for position in order[block::n_blocks]:
                without -= frame.to_series(int(position)).hash(int(position) + 1).to_numpy()
            yield without
    chosen, survival = _chosen(columns, len(whole), random)
    n_rounds = int(np.clip(np.ceil(np.log(0.002) / np.log1p(-min(survival, 0.99))), 2, MOST_ROUNDS))
    for _ in range(n_rounds):
        keys = np.zeros(len(whole), dtype=np.uint64)
        for column in chosen:
            keys += column.lookup(random)
        yield keys
        chosen, _ = _chosen(columns, len(whole), random)


def _chosen(
    columns: Sequence[Comparable], n_rows: int, random: np.random.Generator
) -> tuple[list[Comparable], float]:
    """Return columns, at random, that together narrow a lookup enough, and how likely a copy survives it."""
    wanted, chosen, survival = np.log2(n_rows) + WANTED_BITS, list[Comparable](), 1.0
    for position in random.permutation(len(columns)):
        if wanted <= 0:
            break
        chosen.append(columns[position])
        wanted -= columns[position].lookup_bits
        survival *= columns[position].lookup_survival
    return chosen, survival


def _projection(columns: Sequence[Comparable], n_rows: int, random: np.random.Generator) -> FloatArray:
    """Return one number a row in [0, 1) that is close for near rows, to sort full buckets by."""
    total = np.zeros(n_rows)
    for column in columns:
        if isinstance(column, NumberColumn):
            total += random.normal() * np.clip(column.standardized(), -10, 10)
    return np.argsort(np.argsort(total, kind="stable"), kind="stable") / n_rows


def _neighbours(keys: Hashes, order_within: FloatArray, parts: NDArray[np.int8]) -> tuple[IntArray, IntArray]:
    """Return the pairs of rows of different parts that share a bucket and are close in it."""
    n_low = np.uint64(20)
    sortable = keys >> n_low << n_low | (order_within * 2**20).astype(np.uint64)
    order = np.argsort(sortable)
    buckets = sortable[order] >> n_low
    same = buckets[1:] == buckets[:-1]
    shared = np.zeros(len(keys), dtype=bool)
    shared[1:] |= same
    shared[:-1] |= same
    order, buckets = order[shared], buckets[shared]
    found_first, found_second, n_found = [order[:0]], [order[:0]], 0
    for step in range(1, WINDOW + 1):
        meets = (buckets[step:] == buckets[:-step]) & (parts[order[step:]] != parts[order[:-step]])
        at = np.flatnonzero(meets)
        found_first.append(order[at])
        found_second.append(order[at + step])
        n_found += len(at)
        if n_found > MOST_PAIRS_A_TABLE:
            break
    return np.concatenate(found_first), np.concatenate(found_second)


def _changed(columns: Sequence[Comparable], rows: IntArray, others: IntArray) -> IntArray:
    """Return which column of each pair differs: -1 if none, -2 if too many."""
    n_changed = np.zeros(len(rows), dtype=np.int64)
    changed = np.full(len(rows), -1, dtype=np.int64)
    for position, column in enumerate(columns):
        differs = ~column.same(rows, others)
        n_changed += differs
        changed[differs] = position
    changed[n_changed > (1 if len(columns) >= 3 else 0)] = -2
    return changed


def _agreement(columns: Sequence[Comparable], rows: IntArray, others: IntArray) -> Bits:
    """Return the bits of agreement over all columns; `rows` and `others` broadcast."""
    total = np.zeros(np.broadcast_shapes(rows.shape, others.shape), dtype=np.float32)
    for column in columns:
        total += column.agreement(rows, others)
    return total


def stand_out(
    columns: Sequence[Comparable], rows: IntArray, bits: Bits, train: IntArray, *, random: np.random.Generator
) -> NDArray[np.bool_]:
    """Return which pairs agree far more than a row agrees with other training rows.

    In a table of few or coarse columns every row has near-equal neighbours by chance, and each comes
    with others that are nearly as near. A copy comes alone: between it and the next there is a
    gap. So the bits of a pair are compared with those of the sixth nearest of a sample of training
    rows, plus what a larger sample would have brought, plus a margin.

    Parameters
    ----------
    columns : sequence of Comparable
        The features.
    rows : ndarray of int64, shape (n_pairs,)
        The row of each pair for which chance is judged.
    bits : ndarray of float32, shape (n_pairs,)
        The agreement of each pair.
    train : ndarray of int64
        Positions of training rows.
    random : numpy.random.Generator
        Draws the sample.
    """
    distinct, inverse = np.unique(rows, return_inverse=True)
    if not len(distinct):
        return np.zeros(0, dtype=bool)
    n_sampled = int(np.clip(4_000_000 // len(distinct), 64, 2048))
    sample = random.choice(train, min(n_sampled, len(train)), replace=False)
    rank = min(NEIGHBOURS, len(sample))
    by_chance = np.empty(len(distinct), dtype=np.float32)
    step = max(1, 1_000_000 // len(sample))
    for start in range(0, len(distinct), step):
        block = distinct[start : start + step, None]
        agreement = _agreement(columns, block, sample[None, :])
        by_chance[start : start + step] = -np.partition(-agreement, rank - 1, axis=1)[:, rank - 1]
    # Were columns independent, the best of twice as many rows would be nearer by one bit.
    by_chance += np.log2(rank * len(train) / len(sample)) + MARGIN_BITS
    return bits > by_chance[inverse]
