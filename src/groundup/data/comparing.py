"""How alike two rows are, column by column, and how surprising that is.

Agreement on a rare value says more than agreement on a common one. It is counted in bits: minus the
logarithm of the share of training rows that agree as well with the same row. Only training rows
are counted; of any other row nothing but its own values is looked at.
"""

from typing import Final, Protocol, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from groundup.core.inputs import FloatArray, IntArray
from groundup.core.schema import Column

Bits: TypeAlias = NDArray[np.float32]
Hashes: TypeAlias = NDArray[np.uint64]

TOLERANCE: Final = 0.05
"""Numbers that differ by less than this many standard deviations count as the same."""

CELL_WIDTH: Final = 0.8
"""Width, in standard deviations, of the cells that numbers are rounded to when rows are looked up."""

EXPECTED_JITTER: Final = 0.01
"""Standard deviations by which a copy's numbers are expected to be off; decides how often to look."""

LARGEST: Final = 1e30
"""Numbers beyond this, or all below its inverse, are measured in their largest: 32 bits must hold them."""

N_SLOTS: Final = 64
SLOT_BITS: Final = np.float32(3.0)
"""What agreement in one slot of a text's signature counts: unrelated texts share about one in eight."""

SAME_TEXT: Final = 0.5
"""Share of their pieces that two texts must have in common to count as the same."""

BLOCK: Final = 20_000

LONG_TEXT: Final = 200
"""Characters, on average, from which on texts are compared by words."""


class Comparable(Protocol):
    """One column, ready to be compared between rows and to be looked up."""

    lookup_bits: float
    """How much a lookup by this column narrows the search, bits."""
    lookup_survival: float
    """How likely a near-equal value is looked up under the same hash."""

    def lookup(self, random: np.random.Generator) -> Hashes:
        """Return a hash a row, new at each call, that near-equal values are likely to share."""

    def same(self, rows: IntArray, others: IntArray) -> NDArray[np.bool_]:
        """Return whether each of `rows` is the same as each of `others`, small differences aside."""

    def agreement(self, rows: IntArray, others: IntArray) -> Bits:
        """Return the bits by which each of `rows` agrees with each of `others`.

        `rows` and `others` broadcast: (n, 1) against (1, m) compares all with all.
        """


def make_comparable(series: pl.Series, column: Column, train: IntArray) -> Comparable:
    """Return the column as something to compare; `train` are the positions that are counted."""
    if column.kind == "text" and column.storage == "string":
        return TextColumn(series)
    if column.storage in ("integer", "float", "datetime") and column.kind != "category":
        return NumberColumn(series, train)
    return CodeColumn(series, train)


def _surprise(counts: IntArray, n: int) -> Bits:
    """Return minus log2 of counts / n, where a count of 0 counts as 1."""
    return np.log2(n / np.maximum(counts, 1)).astype(np.float32)


class CodeColumn:
    """Values that are equal or not: categories, booleans."""

    lookup_survival = 1.0

    def __init__(self, series: pl.Series, train: IntArray) -> None:
        text = series.cast(pl.String)
        codes = text.rank("dense").fill_null(0).to_numpy().astype(np.int64)
        counts = np.bincount(codes[train], minlength=int(codes.max(initial=0)) + 1)
        self._codes = codes.astype(np.int32)
        self._bits = _surprise(counts, len(train))
        self.lookup_bits = float(-np.log2(max(np.sum((counts / len(train)) ** 2), 1e-12)))

    def lookup(self, random: np.random.Generator) -> Hashes:
        """See `Comparable`."""
        return _mixed(self._codes.astype(np.uint64), random)

    def same(self, rows: IntArray, others: IntArray) -> NDArray[np.bool_]:
        """See `Comparable`."""
        return np.equal(self._codes[rows], self._codes[others])

    def agreement(self, rows: IntArray, others: IntArray) -> Bits:
        """See `Comparable`."""
        return np.where(self.same(rows, others), self._bits[self._codes[rows]], np.float32(0))


class NumberColumn:
    """Numbers (and moments), the same within a tolerance; the closer, the more surprising."""

    def __init__(self, series: pl.Series, train: IntArray) -> None:
        raw = series.to_physical().cast(pl.Float64).fill_null(np.nan).to_numpy()
        values: FloatArray = np.where(np.isfinite(raw), raw, np.nan)
        largest = np.max(np.abs(values[train]), initial=0.0, where=~np.isnan(values[train]))
        if largest > 0 and not 1 / LARGEST < largest < LARGEST:
            with np.errstate(over="ignore"):
                values = values / largest
        values = np.clip(values, -LARGEST, LARGEST)
        counted = values[train]
        known = np.sort(counted[~np.isnan(counted)])
        self._values, self._known, self._n = values, known, len(train)
        spread = float(np.std(known)) if len(known) else 0.0
        self._spread = spread if spread > 0 and np.isfinite(spread) else 1.0
        self._tolerance = TOLERANCE * self._spread
        self._missing_bits = float(np.log2(len(train) / max(len(train) - len(known), 1)))
        cells = np.floor(known / (CELL_WIDTH * self._spread))
        shares = np.unique(cells, return_counts=True)[1] / len(train)
        missing = 1 - len(known) / len(train)
        self.lookup_bits = float(-np.log2(max(np.sum(shares**2) + missing**2, 1e-12)))
        # A value near the border of its cell is lost when it moves: E|N(0, s)| = 0.8 s.
        self.lookup_survival = 1 - 0.8 * EXPECTED_JITTER / CELL_WIDTH

    def lookup(self, random: np.random.Generator) -> Hashes:
        """See `Comparable`: cells of a grid that is shifted at random."""
        shifted = self._values / (CELL_WIDTH * self._spread) + random.random()
        cells = np.where(np.isnan(shifted), -(2.0**60), np.clip(np.floor(shifted), -(2.0**59), 2.0**59))
        return _mixed(cells.astype(np.int64).view(np.uint64), random)

    def standardized(self) -> FloatArray:
        """Return the values in standard deviations, missing ones as 0; shape (n_rows,)."""
        return np.nan_to_num(self._values / self._spread, posinf=0.0, neginf=0.0)

    def same(self, rows: IntArray, others: IntArray) -> NDArray[np.bool_]:
        """See `Comparable`; two missing numbers are the same."""
        values, against = self._values[rows], self._values[others]
        both_missing = np.isnan(values) & np.isnan(against)
        is_near: NDArray[np.bool_] = np.abs(values - against) <= self._tolerance
        return is_near | both_missing

    def agreement(self, rows: IntArray, others: IntArray) -> Bits:
        """See `Comparable`."""
        values, against = self._values[rows], self._values[others]
        exact, near = self._own_bits(values)
        distance = np.abs(values - against).astype(np.float32)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            closer = near + np.log2(np.float32(self._tolerance) / distance)
        bits = np.where(distance <= self._tolerance, np.minimum(closer, exact), np.float32(0))
        both_missing = np.isnan(values) & np.isnan(against)
        return np.where(both_missing, np.float32(self._missing_bits), bits)

    def _own_bits(self, values: FloatArray) -> tuple[Bits, Bits]:
        """Return the surprise of meeting exactly each value, and of meeting it within the tolerance."""

        def within(width: float) -> Bits:
            low = np.searchsorted(self._known, values - width, side="left")
            high = np.searchsorted(self._known, values + width, side="right")
            return _surprise(high - low, self._n)

        return within(0.0), within(self._tolerance)


class TextColumn:
    """Free text, compared by its set of words or, where it is short, of three-letter pieces.

    Each piece is hashed into one of `N_SLOTS` slots, and each slot keeps its smallest hash: of the slots that
    either text fills, the share in which two agree estimates the share of pieces they have in common.

    References
    ----------
    Li, Owen and Zhang (2012), "One permutation hashing", NIPS.
    """

    lookup_bits = 8.0
    lookup_survival = 0.5

    def __init__(self, series: pl.Series) -> None:
        text = series.fill_null("").str.to_lowercase()
        is_long = float(text.str.len_chars().mean() or 0) > LONG_TEXT  # type: ignore[arg-type]
        cut = _words if is_long else _letters
        # A piece takes some 40 bytes while it is hashed, so texts are cut a few at a time.
        blocks = [_signatures(*cut(text[start : start + BLOCK])) for start in range(0, len(text), BLOCK)]
        self._slots = np.concatenate([np.empty((0, N_SLOTS), dtype=np.uint32), *blocks])

    def lookup(self, random: np.random.Generator) -> Hashes:
        """See `Comparable`: the first two filled slots from a random one on."""
        turned = np.roll(self._slots, int(random.integers(N_SLOTS)), axis=1)
        every, is_filled = np.arange(len(turned)), turned > 0
        first = is_filled.argmax(axis=1)
        is_filled[every, first] = False
        second = is_filled.argmax(axis=1)
        pair = turned[every, first].astype(np.uint64) << np.uint64(32) | turned[every, second]
        return _mixed(pair, random)

    def same(self, rows: IntArray, others: IntArray) -> NDArray[np.bool_]:
        """See `Comparable`; two empty texts are the same."""
        n_equal, n_filled = self._counted(rows, others)
        return n_equal >= SAME_TEXT * n_filled

    def agreement(self, rows: IntArray, others: IntArray) -> Bits:
        """See `Comparable`; texts that have a few pieces in common agree a little."""
        return SLOT_BITS * self._counted(rows, others)[0]

    def _counted(self, rows: IntArray, others: IntArray) -> tuple[Bits, Bits]:
        """Return in how many slots two texts agree, and how many at least one of them fills."""
        shape = np.broadcast_shapes(rows.shape, others.shape)
        n_equal, n_filled = np.zeros(shape, dtype=np.float32), np.zeros(shape, dtype=np.float32)
        for slot in range(N_SLOTS):
            one, other = self._slots[rows, slot], self._slots[others, slot]
            is_filled = (one > 0) | (other > 0)
            n_filled += is_filled
            n_equal += (one == other) & is_filled
        return n_equal, n_filled


def _mixed(values: Hashes, random: np.random.Generator) -> Hashes:
    """Return well-spread hashes of integers, by another function at each call."""
    return _spread(values + random.integers(1, 2**63, dtype=np.uint64))


def _spread(values: Hashes) -> Hashes:
    """Return splitmix64's finalizer: every bit of the input changes about half of the output's."""
    mixed = values * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def _words(text: pl.Series) -> tuple[Hashes, IntArray]:
    """Return the hash of every word of every text, and how many each text has."""
    lists = text.str.extract_all(r"\S+")
    return lists.explode(empty_as_null=False).hash(1).to_numpy(), lists.list.len().to_numpy().astype(np.int64)


def _letters(text: pl.Series) -> tuple[Hashes, IntArray]:
    """Return a hash of every run of three bytes of every text (blanks around it), and how many each has."""
    padded = ("  " + text + "  ").to_list()
    encoded = [each.encode() for each in padded]
    lengths = np.fromiter((len(each) for each in encoded), dtype=np.int64, count=len(encoded))
    letters = np.frombuffer(b"".join(encoded), dtype=np.uint8).astype(np.uint64)
    if not len(letters):
        return np.empty(0, dtype=np.uint64), lengths
    runs = letters[:-2] << np.uint64(16) | letters[1:-1] << np.uint64(8) | letters[2:]
    ends = np.cumsum(lengths)
    inside = np.ones(len(letters), dtype=bool)
    inside[ends - 1] = inside[ends - 2] = False
    return runs[inside[:-2]], lengths - 2


def _signatures(pieces: Hashes, n_pieces: IntArray) -> NDArray[np.uint32]:
    """Return the smallest hash that each text has in each slot, 0 where it has none."""
    hashes = _spread(pieces)
    cells = np.repeat(np.arange(len(n_pieces)) * N_SLOTS, n_pieces) + (hashes % np.uint64(N_SLOTS)).astype(
        np.int64
    )
    slots = np.full(len(n_pieces) * N_SLOTS, 2**32 - 1, dtype=np.uint32)
    np.minimum.at(slots, cells, (hashes >> np.uint64(33)).astype(np.uint32) + np.uint32(1))
    slots[slots == 2**32 - 1] = 0
    return slots.reshape(-1, N_SLOTS)
