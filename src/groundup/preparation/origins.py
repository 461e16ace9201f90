"""Which raw columns the model's inputs come from, and sums over the inputs of one column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from groundup.core.inputs import FloatArray, IntArray


@dataclass(frozen=True)
class Origins:
    """The inputs, gathered by the raw column they come from.

    Parameters
    ----------
    names : tuple of str
        Raw columns; an input that comes from several or none stands for itself.
    group : ndarray of shape (n_features,)
        Position in `names` of every input.

    Examples
    --------
    >>> origins = Origins.of([("city",), ("city",), ("age",), ("age", "rent")], ["a", "b", "age", "pca 1"])
    >>> origins.names, origins.sums(np.array([[[1.0], [2.0], [3.0], [4.0]]]))[0, :, 0].tolist()
    (('city', 'age', 'pca 1'), [3.0, 3.0, 4.0])
    """

    names: tuple[str, ...]
    group: IntArray

    @classmethod
    def of(cls, sources: Sequence[tuple[str, ...]], feature_names: Sequence[str]) -> Origins:
        """Return the inputs gathered by `sources`, the raw columns that each of them comes from."""
        place: dict[tuple[str, ...], int] = {}
        names: list[str] = []
        group = []
        for columns, feature in zip(sources, feature_names, strict=True):
            key = columns if len(columns) == 1 else ("", feature)
            if key not in place:
                place[key] = len(names)
                names.append(columns[0] if len(columns) == 1 else feature)
            group.append(place[key])
        return cls(tuple(names), np.array(group, dtype=np.int64))

    def sums(self, values: FloatArray) -> FloatArray:
        """Return sums over the inputs of each name, shape (n_samples, n_names, n_outputs).

        Parameters
        ----------
        values : ndarray of shape (n_samples, n_features, n_outputs)
            One number an input and output.
        """
        if not len(self.group):
            return np.zeros((len(values), 0, values.shape[2]))
        order = np.argsort(self.group, kind="stable")
        firsts = np.flatnonzero(np.diff(self.group[order], prepend=-1))
        return np.asarray(np.add.reduceat(values[:, order], firsts, axis=1))
