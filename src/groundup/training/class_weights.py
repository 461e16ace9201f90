"""Class weights: how often a row of each class counts in the loss."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from groundup.core.inputs import FloatArray, Inputs


def class_weights(
    asked: Literal["balanced"] | FloatArray,
    y: NDArray[np.generic],
    n_classes: int,
    weight: FloatArray | None = None,
) -> FloatArray:
    """Return how often a row of each class counts in one fit.

    Parameters
    ----------
    asked : "balanced" or ndarray of shape (n_classes,)
        `balanced`: as often as makes all classes that occur count the same in sum, and all rows together
        as much as without weights.
    y : ndarray of shape (n_samples,)
        Class codes of the rows that the fit learns from; never of rows that it is judged on.
    n_classes : int
        How many classes there are.
    weight : ndarray of shape (n_samples,), optional
        How often each row counts already.

    Returns
    -------
    ndarray of shape (n_classes,)
        1 for a class that does not occur.

    References
    ----------
    King and Zeng (2001), "Logistic regression in rare events data", Political Analysis 9; scikit-learn's
    ``class_weight="balanced"``.

    Examples
    --------
    >>> class_weights("balanced", np.array([0, 0, 0, 1]), 2).round(3).tolist()
    [0.667, 2.0]
    """
    if not isinstance(asked, str):
        return asked
    counts = np.bincount(y.astype(np.int64), weight, minlength=n_classes)
    occurs = counts > 0
    return np.where(occurs, counts.sum() / (occurs.sum() * np.where(occurs, counts, 1.0)), 1.0)


def weighed(inputs: Inputs, per_class: FloatArray | None) -> Inputs:
    """Return rows with how often each counts, by its class and its own weight, but for those that never do.

    Parameters
    ----------
    inputs : Inputs
        With their targets; weights of rows are kept as a factor.
    per_class : ndarray of shape (n_classes,) or None
        From `class_weights`; None: all classes count alike.

    Examples
    --------
    >>> inputs = Inputs({"y": np.array([0, 1, 1]), "weight": np.array([1.0, 0.0, 3.0])})
    >>> weighed(inputs, np.array([1.0, 2.0])).weight.tolist()
    [1.0, 6.0]
    """
    if per_class is not None:
        inputs = inputs.with_weight(inputs.weight_or_one * per_class[inputs.y.astype(np.int64)])
    if inputs.weight is None or inputs.weight.all():
        return inputs
    return inputs.take(np.flatnonzero(inputs.weight))
