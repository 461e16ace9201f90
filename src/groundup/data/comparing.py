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

N_SLOTS: Final = 16
SLOT_BITS: Final = 4.0
"""What agreement in one slot of a text's signature counts: unrelated texts share a slot once in sixteen."""

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

    def agreement(self, rows: IntArray, others: IntArray) -> Bits:
        """Return the bits by which each of `rows` agrees with each of `others`; 0 is "differs".

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

    def agreement(self, rows: IntArray, others: IntArray) -> Bits:
        """See `Comparable`."""
        codes = self._codes[rows]
        # A value that everybody has still agrees: never exactly 0 bits.
        bits = np.maximum(self._bits[codes], 1e-3)
        return np.where(codes == self._codes[others], bits, np.float32(0))


class NumberColumn:
    """Numbers (and moments), the same within a tolerance; the closer, the more surprising."""

    def __init__(self, series: pl.Series, train: IntArray) -> None:
        values = series.to_physical().cast(pl.Float64).fill_null(np.nan).to_numpy()
        counted = values[train]
        known = np.sort(counted[~np.isnan(counted)])
        self._values, self._known, self._n = values, known, len(train)
        spread = float(np.std(known)) if len(known) else 0.0
        self._spread = spread if spread > 0 and np.isfinite(spread) else 1.0
        self._tolerance = TOLERANCE * self._spread
        self._missing_bits = max(float(np.log2(len(train) / max(len(train) - len(known), 1))), 1e-3)
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

    def agreement(self, rows: IntArray, others: IntArray) -> Bits:
        """See `Comparable`."""
        values, against = self._values[rows], self._values[others]
        exact, near = self._own_bits(values)
        distance = np.abs(values - against).astype(np.float32)
        with np.errstate(divide="ignore", invalid="ignore"):
            closer = near + np.log2(np.float32(self._tolerance) / distance)
        bits = np.where(distance <= self._tolerance, np.minimum(closer, exact), np.float32(0))
        both_missing = np.isnan(values) & np.isnan(against)
        return np.where(both_missing, np.float32(self._missing_bits), bits)

    def _own_bits(self, values: FloatArray) -> tuple[Bits, Bits]:
        """Return the surprise of meeting exactly each value, and of meeting it within the tolerance."""

        def within(width: float) -> Bits:
            low = np.searchsorted(self._known, values - width, side="left")
            high = np.searchsorted(self._known, values + width, side="right")
            return np.maximum(_surprise(high - low, self._n), np.float32(1e-3))

        return within(0.0), within(self._tolerance)


class TextColumn:
    """Free text, compared by its set of words or, where it is short, of three-letter pieces.

    A signature of `N_SLOTS` minima of hashes is kept (MinHash): the share of slots in which two
    signatures agree estimates the share of pieces that two texts have in common.

    References
    ----------
    Broder (1997), "On the resemblance and containment of documents".
    """

    lookup_bits = 2 * SLOT_BITS
    lookup_survival = 0.6

    def __init__(self, series: pl.Series) -> None:
        text = series.fill_null("").str.to_lowercase()
        is_long = float(text.str.len_chars().mean() or 0) > LONG_TEXT  # type: ignore[arg-type]
        pieces = _words(text) if is_long else _letters(text)
        self._slots, n_pieces = _signatures(*pieces, len(text))
        self._weight = (SLOT_BITS * np.clip(n_pieces / N_SLOTS, 1 / N_SLOTS, 1)).astype(np.float32)

    def lookup(self, random: np.random.Generator) -> Hashes:
        """See `Comparable`: two slots, drawn at random."""
        first, second = random.choice(N_SLOTS, size=2, replace=False)
        pair = self._slots[:, first].astype(np.uint64) << np.uint64(32) | self._slots[:, second]
        return _mixed(pair, random)

    def agreement(self, rows: IntArray, others: IntArray) -> Bits:
        """See `Comparable`."""
        slots = self._slots
        equal = sum((slots[rows, slot] == slots[others, slot]).astype(np.float32) for slot in range(N_SLOTS))
        return np.where(equal >= N_SLOTS / 2, equal * self._weight[rows], np.float32(0)).astype(np.float32)


def _mixed(values: Hashes, random: np.random.Generator) -> Hashes:
    """Return well-spread hashes of integers, another function at each call (splitmix64)."""
    salt = random.integers(1, 2**63, dtype=np.uint64)
    mixed = (values + salt) * np.uint64(0x9E3779B97F4A7C15)
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


def _signatures(pieces: Hashes, n_pieces: IntArray, n_rows: int) -> tuple[NDArray[np.uint32], IntArray]:
    """Return the minimum of each of `N_SLOTS` hash functions over each text's pieces; 0 for an empty text."""
    slots = np.zeros((n_rows, N_SLOTS), dtype=np.uint32)
    filled = n_pieces > 0
    starts = (np.cumsum(n_pieces) - n_pieces)[filled]
    random = np.random.default_rng(0)  # the functions are arbitrary but must be the same for all texts
    for slot in range(N_SLOTS if len(pieces) else 0):
        hashes = (_mixed(pieces, random) >> np.uint64(32)).astype(np.uint32)
        slots[filled, slot] = np.minimum.reduceat(hashes, starts)
    return slots, n_pieces
