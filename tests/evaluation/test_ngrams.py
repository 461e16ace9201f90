"""Counting what follows what, against counting by hand."""

from collections import Counter
from itertools import pairwise

import numpy as np

from groundup.evaluation.ngrams import NGrams


def by_hand(train: list[int], before: int, token: int, n_vocabulary: int) -> tuple[float, float]:
    alone = (train.count(token) + 1) / (len(train) + n_vocabulary)
    following = Counter(second for first, second in pairwise(train) if first == before)
    if not following:
        return alone, alone
    return (following[token] + len(following) * alone) / (following.total() + len(following)), alone


def test_probabilities_are_those_of_the_definition_and_add_up() -> None:
    train = np.random.default_rng(0).integers(0, 8, 200)
    ngrams = NGrams(train, 10)  # two tokens never occur
    for before in range(10):
        losses = [ngrams.losses(before, np.array([token])) for token in range(10)]
        found = np.exp([[-float(each[name][0]) for name in ("bigram", "unigram")] for each in losses])
        expected = [by_hand(train.tolist(), before, token, 10) for token in range(10)]
        np.testing.assert_allclose(found, expected)
        np.testing.assert_allclose(found.sum(axis=0), 1.0)


def test_a_text_is_read_token_after_token() -> None:
    ngrams = NGrams(np.array([0, 1, 2] * 30), 3)
    losses = ngrams.losses(2, np.array([0, 1, 2, 0]))["bigram"]
    assert losses.shape == (4,)
    assert losses.max() < 0.05
