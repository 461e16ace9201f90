"""Text by its own words: how often each occurs in a text, times how few training rows it occurs in.

One plain function weighs a text, for a whole column as for one row, so both give equal bits. The words
come from the training rows; any other is not seen.

References
----------
Spärck Jones (1972), "A statistical interpretation of term specificity and its application in
retrieval", Journal of Documentation.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import log, sqrt
from typing import TYPE_CHECKING, Any, ClassVar, Final

from groundup.core.schema import Column
from groundup.core.wording import count
from groundup.data.values import row_reader
from groundup.preparation.plan import Choice, Dropped, PlanKind, Seen, Write, WriteBlock
from groundup.preparation.text import MAX_CHARACTERS

if TYPE_CHECKING:
    from groundup.core.inputs import FloatArray
    from groundup.preparation.arrays import Texts

_WORD: Final = re.compile(r"\w+")


@dataclass(frozen=True)
class TfidfPlan:
    """One text as weighted counts of the words in `terms`, scaled to length 1 (all 0 where there is none).

    Parameters
    ----------
    column : Column
        The raw column.
    seen : Seen
        Its training rows.
    n_words : int
        The longest run of words that is a term of its own.
    terms : tuple of str
        Words, and words that follow each other with a space between; one feature each.
    weights : tuple of float
        What one occurrence of each term counts.
    """

    column: Column
    seen: Seen
    n_words: int
    terms: tuple[str, ...]
    weights: tuple[float, ...]
    is_categorical: ClassVar[bool] = False
    kind: ClassVar[PlanKind] = "tfidf"

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names like "name: word"."""
        return tuple(f"{self.column.name}: {term}" for term in self.terms)

    def _weigher(self) -> Callable[[str], list[tuple[int, float]]]:
        places = {term: place for place, term in enumerate(self.terms)}
        weights, n_words = self.weights, self.n_words

        def weigh(text: str) -> list[tuple[int, float]]:
            counts = Counter(places[term] for term in split_terms(text, n_words) if term in places)
            # In the order of the features, so that the sum of squares has the same bits every time.
            found = [(place, counts[place] * weights[place]) for place in sorted(counts)]
            length = sqrt(sum(weight * weight for _, weight in found))
            return [(place, weight / length) for place, weight in found]

        return weigh

    def encode(self, values: Texts) -> WriteBlock:
        """Encode texts; they are weighed as their block is written, repeated ones once a block."""
        texts, weigh = values.values, self._weigher()

        def write(block: FloatArray, start: int, stop: int) -> None:
            known: dict[str, list[tuple[int, float]]] = {"": []}
            for row, text in enumerate(texts[start:stop]):
                if text not in known:
                    known[text] = weigh(text)
                for place, weight in known[text]:
                    block[row, place] = weight

        return write

    def compile_row(self, start: int) -> Write:
        """Return what writes one text's weights from index `start` on."""
        read, weigh = row_reader(self.column), self._weigher()

        def write(value: Any, out: list[float]) -> None:
            text = read(value)
            if text:
                for place, weight in weigh(text):
                    out[start + place] = weight

        return write

    def steps(self) -> list[str]:
        """Return what is done, for people."""
        runs = "" if self.n_words == 1 else f" or runs of up to {self.n_words} words"
        return [
            f"{count(len(self.terms), 'word')}{runs} of the training rows are counted, the rarer weighing "
            "more (tf-idf)",
            "each text is scaled to length 1",
            f"missing texts ({self.seen.share}) are all 0"
            if self.seen.missing
            else "a missing text is all 0",
        ]

    def state(self) -> dict[str, Any]:
        """Return the terms and their weights as JSON values."""
        return {
            "seen": [self.seen.rows, self.seen.missing],
            "n_words": self.n_words,
            "terms": list(self.terms),
            "weights": list(self.weights),
        }

    @classmethod
    def from_state(cls, column: Column, state: dict[str, Any]) -> TfidfPlan:
        """Return the plan that `state` described."""
        tuples = {"terms": tuple(state["terms"]), "weights": tuple(state["weights"])}
        return cls(column, **{**state, **tuples, "seen": Seen(*state["seen"])})


def split_terms(text: str, n_words: int) -> Iterator[str]:
    """Yield the words of a text and the runs of up to `n_words` of them.

    Parameters
    ----------
    text : str
        Upper and lower case are the same; characters after `MAX_CHARACTERS` are not looked at.
    n_words : int
        At least 1.

    Yields
    ------
    str

    Examples
    --------
    >>> list(split_terms("Not very good!", 2))
    ['not', 'very', 'good', 'not very', 'very good']
    """
    words = _WORD.findall(text[:MAX_CHARACTERS].lower())
    yield from words
    for length in range(2, n_words + 1):
        for start in range(len(words) - length + 1):
            yield " ".join(words[start : start + length])


def fit_tfidf(column: Column, values: Texts, choice: Choice) -> TfidfPlan | Dropped:
    """Return the plan of one text column; Dropped when there is no word.

    Parameters
    ----------
    column : Column
        The raw column.
    values : Texts
        Its training values.
    choice : Choice
        What is to be done: the `text_features` terms that most rows have are kept.

    Returns
    -------
    TfidfPlan or Dropped
    """
    seen = Seen(len(values.values), values.n_missing)
    n_rows = Counter(term for text in values.values for term in set(split_terms(text, choice.text_words)))
    if not n_rows:
        return Dropped("it has no word in the training rows")
    terms = sorted(n_rows, key=lambda term: (-n_rows[term], term))[: choice.text_features]
    n_texts = seen.rows - seen.missing
    weights = tuple(log((1 + n_texts) / (1 + n_rows[term])) + 1 for term in terms)
    return TfidfPlan(column, seen, choice.text_words, tuple(terms), weights)
