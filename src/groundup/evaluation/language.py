"""How well a text is predicted: bits per byte, cross-entropy per token, perplexity, with intervals."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import exp, log
from types import MappingProxyType
from typing import Final

import numpy as np

from groundup.core.inputs import FloatArray, IntArray
from groundup.evaluation.intervals import BootstrapOptions, Interval, ratio_interval

DECIDING: Final = "bits_per_byte"
_ROW_TOKENS: Final = 64


@dataclass(frozen=True)
class LanguageMetric:
    """What a metric is called and means."""

    title: str
    explanation: str


LANGUAGE_METRICS: Final[Mapping[str, LanguageMetric]] = MappingProxyType(
    {
        "bits_per_byte": LanguageMetric(
            "bits per byte",
            "The bits it would take to store the text with this model, for each byte of it; 8 without one. "
            "Lower is better, and models with different tokens can be compared.",
        ),
        "cross_entropy": LanguageMetric(
            "cross-entropy per token",
            "The mean surprise at the next token, -log of its probability; what training makes small.",
        ),
        "perplexity": LanguageMetric(
            "perplexity",
            "As unsure as if that many tokens were equally likely; 1 is certain.",
        ),
    }
)
"""Name → metric; the first decides. Lower is better for all."""


def language_scores(losses: FloatArray, n_bytes: IntArray, options: BootstrapOptions) -> dict[str, Interval]:
    """Return the metrics of a text with their intervals.

    Neighbouring tokens are hard or easy together, so that passages are drawn again, not tokens: runs of 64
    tokens in blocks of as many runs as depend on each other.

    Parameters
    ----------
    losses : ndarray of shape (n_tokens,)
        Surprise at each token of the text, in order, in nats.
    n_bytes : ndarray of shape (n_tokens,)
        Bytes that each token stands for.
    options : BootstrapOptions
        Confidence, resamples and seed.

    Examples
    --------
    >>> scores = language_scores(np.full(1000, log(4)), np.ones(1000, int), BootstrapOptions())
    >>> [round(scores[name].value, 3) for name in LANGUAGE_METRICS]
    [2.0, 1.386, 4.0]
    """
    starts = np.arange(0, len(losses), _ROW_TOKENS)
    sums = np.add.reduceat(losses, starts)
    counts = np.diff(np.append(starts, len(losses))).astype(np.float64)
    sizes = np.add.reduceat(n_bytes, starts).astype(np.float64)
    ordered = replace(options, times=starts)
    entropy = ratio_interval(sums, counts, options=ordered)
    return {
        "bits_per_byte": ratio_interval(sums / log(2), sizes, options=ordered),
        "cross_entropy": entropy,
        "perplexity": _exponential(entropy),
    }


def _exponential(interval: Interval) -> Interval:
    ends = (interval.value, interval.low, interval.high)
    value, low, high = (None if end is None else exp(end) for end in ends)
    return replace(interval, value=value, low=low, high=high)
