"""Bits per byte, cross-entropy and perplexity, with intervals that know that neighbours go together."""

import numpy as np
import pytest

from groundup.evaluation.intervals import BootstrapOptions
from groundup.evaluation.language import LANGUAGE_METRICS, language_scores


def test_scores_are_those_of_the_definition() -> None:
    random = np.random.default_rng(0)
    losses, n_bytes = random.exponential(1.5, 5_001), random.integers(1, 5, 5_001)
    scores = language_scores(losses, n_bytes, BootstrapOptions())
    assert list(scores) == list(LANGUAGE_METRICS)
    assert scores["cross_entropy"].value == pytest.approx(losses.mean())
    assert scores["perplexity"].value == pytest.approx(np.exp(losses.mean()))
    assert scores["bits_per_byte"].value == pytest.approx(losses.sum() / np.log(2) / n_bytes.sum())
    assert scores["perplexity"].low == pytest.approx(np.exp(scores["cross_entropy"].low or 0.0))


def test_passages_that_are_hard_as_a_whole_widen_the_interval() -> None:
    random = np.random.default_rng(1)
    alone = random.exponential(1.0, 64 * 256)
    passages = np.repeat(random.exponential(1.0, 32), 64 * 8)
    ones = np.ones(len(alone), dtype=np.int64)
    widths = []
    for losses in (alone, passages):
        score = language_scores(losses, ones, BootstrapOptions())["cross_entropy"]
        assert score.low is not None
        assert score.high is not None
        widths.append(score.high - score.low)
    assert widths[1] > 5 * widths[0]
