"""Random forests grown by scikit-learn-intelex (an extra), where its trees can be read out as they answer."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from groundup.core.errors import MissingExtraError
from groundup.core.inputs import FloatArray, Inputs
from groundup.models.contract import FitContext
from groundup.models.tree_arrays import Trees
from groundup.models.trees import fit_estimator, leaf_values, single_precision, target_of, trees_of

LIBRARY: Final = "scikit-learn-intelex"
_TOLERANCE: Final = 1e-4  # in standard deviations of the target: it adds up numbers of 32 bits
_N_COMPARED: Final = 1_000


def grow(train: Inputs, context: FitContext, settings: dict[str, Any]) -> tuple[Trees, FloatArray] | str:
    """Return a forest's trees and how much each input gained, or why scikit-learn has to grow them.

    Two classes are fitted as the numbers 0 and 1: variance is then half the Gini impurity and a leaf's mean
    the share of the second class, so that the trees are the same. (The trees that scikit-learn-intelex gives
    out for classes name only the largest class of each leaf.) What the arrays say of up to 1 000 training
    rows must be what the library itself says.

    Parameters
    ----------
    train : Inputs
        The training rows.
    context : FitContext
        Task, seed and threads; the trees do not depend on the threads.
    settings : dict
        Arguments of scikit-learn's forest.

    Raises
    ------
    MissingExtraError
        If scikit-learn-intelex is not installed.
    TrainingError
        If it cannot fit.
    """
    try:
        from sklearnex.ensemble import RandomForestRegressor
    except ImportError as error:
        raise MissingExtraError(LIBRARY, "intelex", purpose="`training.accelerate`") from error
    X, y, present = single_precision(train.X), target_of(train, context), np.unique(train.y)
    reason = _what_it_cannot(train, context, n_present=len(present))
    if reason:
        return reason
    offset, scale = 0.0, 1.0
    if context.n_classes:
        y = (y == present[1]).astype(np.float64)
    else:  # in numbers of 32 bits a large mean would cost digits
        offset, scale = float(y.mean()), float(y.std()) or 1.0
        y = (y - offset) / scale
    estimator = RandomForestRegressor(**settings, n_jobs=context.threads, random_state=context.seed)
    fit_estimator(estimator.fit, X, y)
    if not hasattr(estimator, "_onedal_estimator"):
        return "it leaves this fit to scikit-learn itself"

    def said(tree: Any) -> FloatArray:
        values = leaf_values(tree)
        return np.hstack([1 - values, values]) if context.n_classes else values * scale + offset

    trees = trees_of(estimator.estimators_, said)
    rows = np.linspace(0, len(X) - 1, min(len(X), _N_COMPARED)).astype(np.int64)
    answers = mean_answers(trees, train.X[rows])
    if np.abs((answers - offset) / scale - estimator.predict(X[rows])).max() > _TOLERANCE:
        return "the trees that it gives out do not answer as it does itself"
    return trees, np.asarray(estimator.feature_importances_, dtype=np.float64)


def mean_answers(trees: Trees, X: FloatArray) -> FloatArray:
    """Return the mean over trees of what the last column of the leaves says, shape (n_samples,)."""
    width = trees.leaves.shape[1]
    return np.asarray(trees.outputs(X, width, np.zeros(width))[:, -1] / len(trees.roots))


def _what_it_cannot(train: Inputs, context: FitContext, *, n_present: int) -> str:
    if train.weight is not None:
        return "it cannot weigh the rows of a forest"
    if not np.isfinite(train.X).all():
        return "it takes no missing values in forests"
    if context.n_classes and n_present != 2:
        return "of more than two classes it gives out only the largest of each leaf"
    return ""
