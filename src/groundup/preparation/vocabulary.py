"""Vocabularies: text to token numbers and back, learned from the training texts alone.

References
----------
Sennrich, Haddow and Birch (2016), "Neural machine translation of rare words with subword units", ACL (byte
pairs); Radford et al. (2019), "Language models are unsupervised multitask learners" (on bytes, so that no
text is unknown).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Protocol, Self

from groundup.core.errors import DataError, MissingExtraError, PackageError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

SPECIAL: Final = ("[PAD]", "[START]", "[END]", "[UNKNOWN]")
PADDING, START, END, UNKNOWN = range(4)
"""The tokens that stand for no text: what fills up, begins and ends a text, and what was never seen."""


class Vocabulary(Protocol):
    """Turns text into token numbers and back."""

    @property
    def size(self) -> int:
        """How many tokens there are, the special ones included."""

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the token numbers of each text, without start and end."""

    def decode(self, tokens: Iterable[int]) -> str:
        """Return the text of some tokens; special ones are left out."""

    def sizes(self) -> list[int]:
        """Return how many bytes of UTF-8 each token stands for, by its number; 1 where it stands for none."""

    def state(self) -> dict[str, Any]:
        """Return the vocabulary as JSON values, with its ``kind``."""


class Characters:
    """Every character is a token; one that training never saw is `UNKNOWN`.

    Parameters
    ----------
    characters : str
        Those that training saw, each once.

    Examples
    --------
    >>> vocabulary = Characters.learn(["abba"], most=100)
    >>> vocabulary.encode(["bat"]), vocabulary.decode([4, 5, 2])
    ([[5, 4, 3]], 'ab')
    """

    kind: Final = "characters"

    def __init__(self, characters: str) -> None:
        self.characters = characters
        self._numbers = {character: number for number, character in enumerate(characters, len(SPECIAL))}

    @classmethod
    def learn(cls, texts: Iterable[str], most: int) -> Self:
        """Return the vocabulary of some texts: their `most` frequent characters, in their own order."""
        counts: Counter[str] = Counter()
        for text in texts:
            counts.update(text)
        frequent = sorted(counts, key=lambda each: (-counts[each], each))[: most - len(SPECIAL)]
        if not frequent:
            raise DataError("The training texts hold no character at all, so there is nothing to learn.")
        return cls("".join(sorted(frequent)))

    @property
    def size(self) -> int:
        """How many tokens there are."""
        return len(self.characters) + len(SPECIAL)

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the token numbers of each text."""
        numbers = self._numbers
        return [[numbers.get(character, UNKNOWN) for character in text] for text in texts]

    def decode(self, tokens: Iterable[int]) -> str:
        """Return the text of some tokens; an unknown one is shown as `�`."""
        first, shown = len(SPECIAL), {UNKNOWN: "\ufffd"}
        return "".join(
            self.characters[token - first] if token >= first else shown.get(token, "") for token in tokens
        )

    def sizes(self) -> list[int]:
        """Return how many bytes each token stands for."""
        return [1] * len(SPECIAL) + [len(character.encode()) for character in self.characters]

    def state(self) -> dict[str, Any]:
        """Return the vocabulary as JSON values."""
        return {"kind": self.kind, "characters": self.characters}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """Return the vocabulary that `state` described."""
        return cls(str(state["characters"]))


class BytePairs:
    """Frequent runs of bytes are tokens, single bytes at worst, so that no text is unknown.

    Parameters
    ----------
    tokenizer : tokenizers.Tokenizer
        Trained.
    """

    kind: Final = "byte_pairs"

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._tokenizer.encode_special_tokens = True  # what looks like one in a text is only text

    @classmethod
    def learn(cls, texts: Iterable[str], most: int, *, is_lowercased: bool = False) -> Self:
        """Return the vocabulary of some texts, at most `most` tokens; a pair that occurs once is none."""
        tokenizers = _tokenizers()
        tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
        steps = [tokenizers.normalizers.NFC()]
        steps += [tokenizers.normalizers.Lowercase()] if is_lowercased else []
        tokenizer.normalizer = tokenizers.normalizers.Sequence(steps)
        tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = tokenizers.decoders.ByteLevel()
        trainer = tokenizers.trainers.BpeTrainer(
            vocab_size=most,
            min_frequency=2,
            special_tokens=list(SPECIAL),
            initial_alphabet=sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet()),
            show_progress=False,
        )
        tokenizer.train_from_iterator(texts, trainer)
        return cls(tokenizer)

    @property
    def size(self) -> int:
        """How many tokens there are."""
        return int(self._tokenizer.get_vocab_size())

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the token numbers of each text; what looks like a special token in a text is only text."""
        encoded = self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        return [each.ids for each in encoded]

    def decode(self, tokens: Iterable[int]) -> str:
        """Return the text of some tokens; bytes that are no UTF-8 are shown as `�`."""
        text: str = self._tokenizer.decode([token for token in tokens if token >= len(SPECIAL)])
        return text

    def sizes(self) -> list[int]:
        """Return how many bytes each token stands for; the tokenizer spells each byte as one letter."""
        words = sorted(self._tokenizer.get_vocab().items(), key=lambda pair: pair[1])
        return [len(word) if number >= len(SPECIAL) else 1 for word, number in words]

    def state(self) -> dict[str, Any]:
        """Return the vocabulary as JSON values."""
        return {"kind": self.kind, "tokenizer": json.loads(self._tokenizer.to_str())}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """Return the vocabulary that `state` described."""
        text = json.dumps(state["tokenizer"])
        try:
            return cls(_tokenizers().Tokenizer.from_str(text))
        except MissingExtraError:
            raise
        except Exception as error:  # the library raises nothing more precise
            raise ValueError(str(error)) from error


VOCABULARIES: Final[Mapping[str, type[Characters] | type[BytePairs]]] = MappingProxyType(
    {"characters": Characters, "byte_pairs": BytePairs}
)
"""Kind → vocabulary."""


def vocabulary_from_state(state: Mapping[str, Any]) -> Vocabulary:
    """Return the vocabulary that a state describes.

    Raises
    ------
    PackageError
        If it is damaged or of an unknown kind.
    """
    try:
        return VOCABULARIES[state["kind"]].from_state(state)
    except (KeyError, TypeError, ValueError) as error:
        raise PackageError(f"The vocabulary is damaged: `{error!r}`. Copy the package again.") from error


def _tokenizers() -> Any:
    try:
        import tokenizers
        import tokenizers.decoders
        import tokenizers.models
        import tokenizers.normalizers
        import tokenizers.pre_tokenizers
        import tokenizers.trainers
    except ImportError as error:
        raise MissingExtraError("tokenizers", "text", purpose="A vocabulary of byte pairs") from error
    return tokenizers
