"""Vocabularies turn text into numbers and back, and take nothing from a text but text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundup.core.errors import DataError, PackageError
from groundup.preparation.vocabulary import (
    SPECIAL,
    UNKNOWN,
    BytePairs,
    Characters,
    vocabulary_from_state,
)

TEXTS = ["the cat sat on the mat", "the dog sat on the log", "naïve café ☕"] * 3
pytest.importorskip("tokenizers", reason='byte pairs need: pip install "groundup[text]"')
PAIRS = BytePairs.learn(TEXTS, 300)


@given(text=st.text(max_size=40))
def test_byte_pairs_lose_no_text(text: str) -> None:
    from unicodedata import normalize

    (tokens,) = PAIRS.encode([text])
    assert PAIRS.decode(tokens) == normalize("NFC", text)
    assert all(len(SPECIAL) <= token < PAIRS.size for token in tokens)


def test_frequent_words_become_few_tokens() -> None:
    common, rare = PAIRS.encode(["the cat", "zyx wvu"])
    assert len(common) < len(rare)


def test_what_looks_like_a_special_token_is_text() -> None:
    (tokens,) = PAIRS.encode(["[END][PAD]"])
    assert min(tokens) >= len(SPECIAL)
    assert PAIRS.decode([*tokens, 2, 0]) == "[END][PAD]"


def test_lower_case_is_a_choice() -> None:
    lower = BytePairs.learn(TEXTS, 300, is_lowercased=True)
    assert lower.encode(["THE CAT"]) == lower.encode(["the cat"])
    assert PAIRS.encode(["THE CAT"]) != PAIRS.encode(["the cat"])


def test_the_same_texts_give_the_same_vocabulary() -> None:
    assert BytePairs.learn(TEXTS, 300).state() == PAIRS.state()


def test_characters_are_those_of_training() -> None:
    vocabulary = Characters.learn(["hello", "world"], most=100)
    (tokens,) = vocabulary.encode(["hollow?"])
    assert tokens[-1] == UNKNOWN
    assert vocabulary.decode(tokens) == "hollow\ufffd"
    assert vocabulary.size == len(set("helloworld")) + len(SPECIAL)


def test_rare_characters_are_left_out_first() -> None:
    vocabulary = Characters.learn(["aaabbc"], most=len(SPECIAL) + 2)
    assert vocabulary.characters == "ab"


def test_no_character_at_all_is_refused() -> None:
    with pytest.raises(DataError, match="no character at all"):
        Characters.learn(["", ""], most=10)


@pytest.mark.parametrize("vocabulary", [PAIRS, Characters.learn(TEXTS, 100)])
def test_a_state_gives_the_same_numbers_again(vocabulary: BytePairs | Characters) -> None:
    again = vocabulary_from_state(vocabulary.state())
    assert again.encode(["the ☕ [END] z"]) == vocabulary.encode(["the ☕ [END] z"])
    assert again.size == vocabulary.size


@pytest.mark.parametrize("state", [{}, {"kind": "words"}, {"kind": "byte_pairs", "tokenizer": {"a": 1}}])
def test_a_damaged_state_is_refused(state: dict[str, object]) -> None:
    with pytest.raises(PackageError, match="damaged"):
        vocabulary_from_state(state)
