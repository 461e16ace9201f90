"""Resampling: equally many training rows of every class, by repeating rows or by leaving rows out."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from groundup.core.inputs import IntArray


def resample(y: NDArray[np.generic], method: Literal["over", "under"], *, seed: int) -> IntArray:
    """Return the positions of rows in which all classes are equally frequent.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        Class codes of the rows that one fit learns from; never of rows that it is judged on.
    method : {"over", "under"}
        `over` keeps every row and repeats rows, drawn at random, of all classes but the largest; `under`
        leaves out rows, drawn at random, of all classes but the smallest.
    seed : int
        The same seed draws the same rows.

    Returns
    -------
    ndarray of shape (n_resampled,)
        Sorted; with `over` some stand there several times.

    Examples
    --------
    >>> resample(np.array([0, 0, 0, 1]), "over", seed=0).tolist()
    [0, 1, 2, 3, 3, 3]
    >>> len(resample(np.array([0, 0, 0, 1]), "under", seed=0))
    2
    """
    random = np.random.default_rng(seed)
    classes, counts = np.unique(y, return_counts=True)
    drawn: list[IntArray] = []
    for code in classes:
        rows = np.flatnonzero(y == code)
        if method == "over":
            drawn += [rows, random.choice(rows, int(counts.max()) - len(rows))]
        else:
            drawn.append(random.choice(rows, int(counts.min()), replace=False))
    return np.sort(np.concatenate(drawn))
