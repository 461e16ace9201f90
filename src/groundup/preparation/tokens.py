"""The preparation of texts for networks: the columns that hold text as one row of token numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from groundup.core.errors import DataError, RecipeError
from groundup.core.inputs import Form, Inputs
from groundup.core.wording import count, listed, percent
from groundup.preparation.vocabulary import (
    PADDING,
    BytePairs,
    Characters,
    Vocabulary,
    vocabulary_from_state,
)
from groundup.preparation.whole import WholePreparation

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from groundup.core.inputs import Needs, Supervision
    from groundup.data.dataset import Dataset
    from groundup.preparation.options import PreparationOptions, TokenOptions

VERSION: Final = 1
_LONGEST: Final = 512
_STEP: Final = 8  # lengths are multiples of it, which processors multiply best
_MOST_COVERED: Final = 0.99


class TokenPreparation(WholePreparation):
    """Turns the text of a row into token numbers.

    What is asked for stands in the section ``tokens`` of its options.

    Attributes
    ----------
    columns : tuple of str
        The raw columns that are read, in order; several are joined by a line break.
    n_tokens : int
        Size of the vocabulary.
    length : int
        Tokens of a row; longer texts are cut, shorter ones filled up.
    """

    form: Form = "tokens"

    vocabulary: Vocabulary
    length: int

    def fit_transform(
        self,
        dataset: Dataset,
        needs: Needs,  # noqa: ARG002
        supervision: Supervision | None = None,  # noqa: ARG002
    ) -> tuple[Inputs, NDArray[np.int64]]:
        """Learn the vocabulary from training rows and return their inputs and the positions of all of them.

        Raises
        ------
        RecipeError
            If there is no column of text.
        DataError
            If the texts are all empty.
        """
        offered = self._offered(dataset)
        self._set_columns([column for column in offered if column.kind == "text"], tuple(dataset.schema))
        if not self._columns:
            names = listed([each.name for each in offered], limit=6)
            raise RecipeError(
                f"This learner reads texts, and none of {names} is a text. Say which one is: "
                "`data.columns: {COLUMN: text}`, or choose a learner for tables."
            )
        texts = self._texts(dataset.frame(self.columns))
        if not any(texts):
            raise DataError(
                f"The texts in {listed(self.columns)} are empty in all {len(texts)} training rows."
            )
        tokens = self._options.tokens
        self.vocabulary = _learn(texts, tokens)
        encoded = self.vocabulary.encode(texts)
        self.length = _length(encoded) if tokens.length is None else tokens.length
        self._share_cut = float(np.mean([len(each) > self.length for each in encoded]))
        return self._inputs(encoded), np.arange(len(texts))

    def transform(self, frame: pl.DataFrame) -> Inputs:
        """Return the inputs of every row of `frame`: ``tokens`` of shape (n_rows, length)."""
        self._check_present(frame)
        return self._inputs(self.vocabulary.encode(self._texts(frame)))

    def transform_row(self, row: Mapping[str, Any]) -> NDArray[np.int32]:
        """Return the token numbers of one row, shape (length,)."""
        pieces = [value or "" for value in self._values_of(row)]
        tokens: NDArray[np.int32] = self._filled(self.vocabulary.encode(["\n".join(pieces)]))[0]
        return tokens

    @property
    def n_tokens(self) -> int:
        """Size of the vocabulary."""
        return self.vocabulary.size

    def stack(self, rows: Sequence[NDArray[np.int32]] | NDArray[np.int32]) -> Inputs:
        """Return as inputs what `transform_row` returned for several rows."""
        tokens = np.asarray(rows, dtype=np.int32).reshape(len(rows), self.length)
        return Inputs({"tokens": tokens}, feature_names=self.columns, n_tokens=self.n_tokens)

    def describe(self) -> list[dict[str, Any]]:
        """Return what is done to each raw column, for people (see `TablePreparation.describe`)."""
        kind = "characters" if isinstance(self.vocabulary, Characters) else "byte pairs"
        steps = [
            f"cut into tokens of a vocabulary of {count(self.n_tokens)} {kind}, learned from the training "
            "rows",
            f"{count(self.length)} tokens a row: shorter texts are filled up, {percent(self._share_cut)} "
            "were longer and are cut",
        ]
        return self._described(steps, self.length, "a network that reads texts looks at nothing else")

    def resolved_options(self) -> PreparationOptions:
        """Return the options with every `auto` replaced."""
        kind = "characters" if isinstance(self.vocabulary, Characters) else "byte_pairs"
        tokens = self._options.tokens.model_copy(update={"kind": kind, "length": self.length})
        return self._options.model_copy(update={"tokens": tokens})

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return what was fitted, as JSON values and named arrays (none are needed)."""
        state = {
            "form": self.form,
            "version": VERSION,
            "columns": self._columns_state(),
            "length": self.length,
            "share_cut": self._share_cut,
            "vocabulary": self.vocabulary.state(),
        }
        return state, {}

    @classmethod
    def from_state(cls, state: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:  # noqa: ARG003
        """Return the preparation that `state` described; it can transform, not be fitted again."""
        preparation = cls.__new__(cls)
        preparation._set_columns_state(state["columns"])
        preparation.length, preparation._share_cut = int(state["length"]), float(state["share_cut"])
        preparation.vocabulary = vocabulary_from_state(state["vocabulary"])
        return preparation

    def _texts(self, frame: pl.DataFrame) -> list[str]:
        import polars as pl

        parts = [pl.col(name).cast(pl.String).fill_null("") for name in self.columns]
        return frame.select(pl.concat_str(parts, separator="\n")).to_series().to_list()

    def _inputs(self, encoded: Sequence[Sequence[int]]) -> Inputs:
        return self.stack(self._filled(encoded))

    def _filled(self, encoded: Sequence[Sequence[int]]) -> NDArray[np.int32]:
        tokens = np.full((len(encoded), self.length), PADDING, dtype=np.int32)
        for row, found in enumerate(encoded):
            kept = found[: self.length]
            tokens[row, : len(kept)] = kept
        return tokens


def _learn(texts: Sequence[str], options: TokenOptions) -> Vocabulary:
    if options.kind == "characters":
        return Characters.learn(texts, options.vocabulary)
    return BytePairs.learn(texts, options.vocabulary, is_lowercased=options.lowercase)


def _length(encoded: Sequence[Sequence[int]]) -> int:
    """Return a length that holds nearly all texts whole."""
    longest = float(np.quantile([len(each) for each in encoded], _MOST_COVERED))
    return int(min(_LONGEST, max(_STEP, -(-longest // _STEP) * _STEP)))
