"""Short text: words, pairs of words and runs of three characters, hashed into a fixed number of columns.

Nothing is learned from the words, so nothing has to be stored and no word is ever unknown. Counts are
whole numbers until the last division, so that the order of adding does not matter: one text and a
whole column, which go through the same function, give equal bits.

References
----------
Weinberger et al. (2009), "Feature hashing for large scale multitask learning", ICML.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeAlias

from groundup.core.schema import Column
from groundup.data.values import row_reader
from groundup.preparation.plan import Choice, Dropped, PlanKind, Seen, Write, WriteBlock

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from groundup.core.inputs import FloatArray
    from groundup.preparation.arrays import Texts

Hashes: TypeAlias = "NDArray[np.uint64]"

MAX_CHARACTERS: Final = 5_000
"""Characters of a text that are looked at."""

_CHUNK_CHARACTERS: Final = 400_000
"""Characters hashed at once: bounds memory at about 100 bytes each."""

_BASE: Final = 0x9E3779B97F4A7C15
_SALTS: Final = {"word": 0x1, "pair": 0x2, "run": 0x3}


@dataclass(frozen=True)
class TextPlan:
    """One text as `n_buckets` hashed counts, scaled to length 1 (all 0 where there is no word).

    Parameters
    ----------
    column : Column
        The raw column.
    seen : Seen
        Its training rows.
    n_buckets : int
        Features it is spread over, at least 1.
    """

    column: Column
    seen: Seen
    n_buckets: int
    is_categorical: ClassVar[bool] = False
    kind: ClassVar[PlanKind] = "text"

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names like "name #0"."""
        return tuple(f"{self.column.name} #{bucket}" for bucket in range(self.n_buckets))

    def encode(self, values: Texts) -> WriteBlock:
        """Encode texts; they are hashed as their block is written, repeated ones once a block."""
        texts = values.values

        def write(block: FloatArray, start: int, stop: int) -> None:
            shown = texts[start:stop]
            places = {text: place for place, text in enumerate(dict.fromkeys(shown))}
            distinct = _hash_in_chunks(list(places), self.n_buckets)
            block[:] = distinct if len(places) == len(shown) else distinct[[places[text] for text in shown]]

        return write

    def compile_row(self, start: int) -> Write:
        """Return what writes one text's hashed counts from index `start` on."""
        read, n_buckets = row_reader(self.column), self.n_buckets

        def write(value: Any, out: list[float]) -> None:
            text = read(value)
            if text:
                out[start : start + n_buckets] = hash_texts([text], n_buckets)[0].tolist()

        return write

    def steps(self) -> list[str]:
        """Return what is done, for people."""
        return [
            f"words, their pairs and runs of three characters are counted in {self.n_buckets} hashed columns",
            "each text is scaled to length 1",
            f"missing texts ({self.seen.share}) are all 0"
            if self.seen.missing
            else "a missing text is all 0",
        ]

    def state(self) -> dict[str, Any]:
        """Return the plan's sizes as JSON values."""
        return {"seen": [self.seen.rows, self.seen.missing], "n_buckets": self.n_buckets}

    @classmethod
    def from_state(cls, column: Column, state: dict[str, Any]) -> TextPlan:
        """Return the plan that `state` described."""
        return cls(column, Seen(*state["seen"]), state["n_buckets"])


def fit_text(column: Column, values: Texts, choice: Choice) -> TextPlan | Dropped:
    """Return the plan of one text column; Dropped when there is no text or no bucket.

    Parameters
    ----------
    column : Column
        The raw column.
    values : Texts
        Its training values.
    choice : Choice
        What is to be done.

    Returns
    -------
    TextPlan or Dropped
    """
    if not choice.buckets:
        return Dropped("it is text, and `text_buckets` is 0")
    seen = Seen(len(values.values), values.n_missing)
    if seen.missing == seen.rows:
        return Dropped("it has no value in the training rows")
    return TextPlan(column, seen, choice.buckets)


def hash_texts(texts: Sequence[str], n_buckets: int) -> FloatArray:
    """Return the hashed n-grams of each text, scaled to length 1.

    Parameters
    ----------
    texts : sequence of str, length n_samples
        Upper and lower case are the same; characters after `MAX_CHARACTERS` are not looked at.
    n_buckets : int
        At least 1.

    Returns
    -------
    ndarray of shape (n_samples, n_buckets)
        The hash also gives each n-gram a sign, so that collisions cancel on average.

    Examples
    --------
    >>> X = hash_texts(["A good day", "a GOOD day", ""], 64)
    >>> bool((X[0] == X[1]).all()), round(float((X**2).sum()), 6)
    (True, 2.0)
    """
    import numpy as np

    shown = [text[:MAX_CHARACTERS].lower() for text in texts]
    lengths = np.array([len(text) for text in shown], dtype=np.int64)
    # Each text stands between spaces, so that no word and no run crosses into its neighbour.
    joined = " " + " ".join(shown) + " "
    characters = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    text_of = np.repeat(np.arange(len(shown) + 1), np.append(lengths + 1, 1))[: len(characters)]
    rows, hashes = _n_grams(characters, text_of)
    buckets = (hashes >> np.uint64(1)) % np.uint64(n_buckets)
    signs = 1.0 - 2.0 * (hashes & np.uint64(1)).astype(np.float64)
    flat = rows * n_buckets + buckets.astype(np.int64)
    counts: FloatArray = np.bincount(flat, signs, len(shown) * n_buckets).astype(np.float64, copy=False)
    X = counts.reshape(len(shown), n_buckets)
    norms = np.sqrt(np.einsum("ij,ij->i", X, X))
    norms[norms == 0.0] = 1.0
    X /= norms[:, None]
    return X


def _hash_in_chunks(texts: Sequence[str], n_buckets: int) -> FloatArray:
    import numpy as np

    X = np.zeros((len(texts), n_buckets))
    start, n_characters = 0, 0
    for stop, text in enumerate(texts, start=1):
        n_characters += min(len(text), MAX_CHARACTERS) + 1
        if n_characters >= _CHUNK_CHARACTERS or stop == len(texts):
            X[start:stop] = hash_texts(texts[start:stop], n_buckets)
            start, n_characters = stop, 0
    return X


def _n_grams(characters: NDArray[Any], text_of: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return, for every n-gram, the text it stands in and its 64-bit hash."""
    import numpy as np

    is_word = _is_word_character(characters)
    codes = characters.astype(np.uint64) + np.uint64(1)
    edges = np.flatnonzero(np.diff(is_word.view(np.int8)))  # spaces at both ends: starts and stops alternate
    starts, stops = edges[::2] + 1, edges[1::2] + 1
    words = _mix(_span_hashes(codes, starts, stops) + np.uint64(_SALTS["word"]))
    word_texts = text_of[starts]
    is_pair = word_texts[1:] == word_texts[:-1]
    pairs = _mix((words[:-1] * np.uint64(3) + words[1:] + np.uint64(_SALTS["pair"]))[is_pair])
    # A blank before and after each word counts as a character: " da", "day", "ay ".
    blanked = np.where(is_word, codes, np.uint64(0))
    base = np.uint64(_BASE)
    runs = (blanked[:-2] * base + blanked[1:-1]) * base + blanked[2:]
    in_word = is_word[1:-1] & (is_word[:-2] | is_word[2:])
    runs = _mix(runs[in_word] + np.uint64(_SALTS["run"]))
    rows = np.concatenate([word_texts, word_texts[1:][is_pair], text_of[1:-1][in_word]])
    return rows, np.concatenate([words, pairs, runs])


def _span_hashes(codes: NDArray[Any], starts: NDArray[Any], stops: NDArray[Any]) -> NDArray[Any]:
    """Return a polynomial hash of each span, in 64-bit arithmetic that wraps around.

    The sum of ``codes[i] * base**i`` up to each place gives every span's sum by one subtraction; the
    base is odd, so it has an inverse modulo 2**64, which takes the span's position out again.
    """
    import numpy as np

    base, inverse = np.uint64(_BASE), np.uint64(pow(_BASE, -1, 2**64))
    powers = np.cumprod(np.full(len(codes), base))
    sums = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(codes * powers)])
    inverses = np.cumprod(np.full(len(codes), inverse))
    hashes: Hashes = (sums[stops] - sums[starts]) * inverses[starts]
    return hashes


def _mix(hashes: NDArray[Any]) -> NDArray[Any]:
    """Return the hashes with every bit spread over all others (the finaliser of MurmurHash3)."""
    import numpy as np

    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        hashes = (hashes ^ (hashes >> np.uint64(33))) * np.uint64(factor)
    mixed: Hashes = hashes ^ (hashes >> np.uint64(33))
    return mixed


def _is_word_character(characters: NDArray[Any]) -> NDArray[Any]:
    """Return which code points are letters, digits or `_`; beyond Latin-1 all but blocks of punctuation."""
    import numpy as np

    table = np.array([chr(code).isalnum() or chr(code) == "_" for code in range(256)])
    is_word: NDArray[np.bool_] = table[np.minimum(characters, 255)]
    for low, high in ((0x2000, 0x206F), (0x3000, 0x303F), (0xFF00, 0xFF0F)):
        is_word &= ~((characters >= low) & (characters <= high))
    return is_word
