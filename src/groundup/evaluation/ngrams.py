"""Counting what follows what: the simplest models of a text, to show what a network is worth.

References
----------
Witten and Bell (1991), "The zero-frequency problem", IEEE Transactions on Information Theory 37; Chen and
Goodman (1999), "An empirical study of smoothing techniques for language modeling".
"""

from collections.abc import Mapping

import numpy as np

from groundup.core.inputs import FloatArray, IntArray


class NGrams:
    """How often each token, and each pair of tokens, occurs in a training text.

    Parameters
    ----------
    tokens : ndarray of shape (n_tokens,)
        The training text; numbers in [0, n_vocabulary).
    n_vocabulary : int
        Tokens there are.

    Examples
    --------
    >>> ngrams = NGrams(np.array([0, 1, 0, 1, 0, 1]), 2)
    >>> losses = ngrams.losses(0, np.array([1, 0]))
    >>> [round(float(np.exp(-losses[name]).mean()), 2) for name in ("unigram", "bigram")]
    [0.5, 0.85]
    """

    def __init__(self, tokens: IntArray, n_vocabulary: int) -> None:
        self._n_vocabulary = n_vocabulary
        self._counts = np.bincount(tokens, minlength=n_vocabulary)
        pairs = tokens[:-1].astype(np.int64) * n_vocabulary + tokens[1:]
        self._pairs, self._pair_counts = np.unique(pairs, return_counts=True)
        first = self._pairs // n_vocabulary
        self._n_followers = np.bincount(first, minlength=n_vocabulary)
        self._n_following = np.bincount(first, weights=self._pair_counts, minlength=n_vocabulary)

    def losses(self, before: int, tokens: IntArray) -> Mapping[str, FloatArray]:
        """Return the surprise at each token of another text, in nats, by model.

        Parameters
        ----------
        before : int
            The token in front of the text.
        tokens : ndarray of shape (n_tokens,)
            The text.

        Returns
        -------
        mapping of str to ndarray of shape (n_tokens,)
            ``"bigram"``: each token as frequent as it was after the one before it, mixed with how frequent it
            is at all; ``"unigram"``: only that, each token counted once more than it occurred.
        """
        alone = (self._counts[tokens] + 1) / (self._counts.sum() + self._n_vocabulary)
        previous = np.concatenate([[before], tokens[:-1]])
        n_pair, n_kinds = self._count(previous, tokens), self._n_followers[previous]
        n_before = self._n_following[previous]
        after = (n_pair + n_kinds * alone) / np.maximum(n_before + n_kinds, 1)
        return {
            "bigram": -np.log(np.where(n_before > 0, after, alone)),
            "unigram": -np.log(alone),
        }

    def _count(self, first: IntArray, second: IntArray) -> IntArray:
        """Return how often each pair occurred."""
        wanted = first.astype(np.int64) * self._n_vocabulary + second
        places = np.minimum(np.searchsorted(self._pairs, wanted), len(self._pairs) - 1)
        return np.where(self._pairs[places] == wanted, self._pair_counts[places], 0)
