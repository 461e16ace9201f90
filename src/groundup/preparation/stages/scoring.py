"""How much each input says of the target, by itself or to a model: what inputs are selected by.

Scores are computed by scikit-learn on inputs on one scale (`one_scale`), a missing number counting as the
mean. A category that arrives as codes has several columns there and gets the best of their scores (their
sum, where scores add up).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from groundup.core.inputs import FloatArray, IntArray, Supervision
from groundup.preparation.scaling import fit_scaling
from groundup.preparation.stages.nearest_rows import draw_rows
from groundup.preparation.stages.one_scale import OneScale
from groundup.preparation.target_encoding import make_parts

SLOW_ROWS: Final = 20_000
"""Rows that mutual information and models see, at most; where there are more, they are drawn at random."""

N_PARTS: Final = 5
"""Parts of the training rows in an inner cross-validation."""

N_TREES: Final = 100

LEAST_WEIGHT: Final = 1e-5
"""Weights below this are taken for 0, as `sklearn.feature_selection.SelectFromModel` does."""


@dataclass(frozen=True)
class Scored:
    """What was found of each input.

    Parameters
    ----------
    scores : ndarray of shape (n_features,)
        Larger is better; never NaN.
    is_enough : ndarray of shape (n_features,)
        Which inputs are kept when no number is asked for.
    by : str
        What a score is: "variance".
    enough : str
        What was enough: "a variance above 0.1".
    """

    scores: FloatArray
    is_enough: NDArray[np.bool_]
    by: str
    enough: str


def score_univariate(
    Z: FloatArray, scale: OneScale, supervision: Supervision, *, score: str, p_value: float
) -> Scored:
    """Return the F statistic or the mutual information of each input with the target.

    Parameters
    ----------
    Z : ndarray of shape (n_samples, scale.width)
        Inputs on one scale, none missing.
    scale : OneScale
        Which input each column comes from.
    supervision : Supervision
        The targets of the rows.
    score : {"f", "mutual_info"}
        `sklearn.feature_selection`'s ``f_classif`` or ``f_regression``, or ``mutual_info_classif`` or
        ``mutual_info_regression``.
    p_value : float
        For `f`: what is enough.
    """
    from sklearn import feature_selection as selection

    y, is_class = supervision.y, supervision.n_classes > 0
    if score == "f":
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # constant inputs: NaN, which counts as no relation
            found = (selection.f_classif if is_class else selection.f_regression)(Z, y)
        F, p = np.nan_to_num(found[0], nan=0.0), np.nan_to_num(found[1], nan=1.0)
        return Scored(
            _by_feature(F, scale, np.maximum),
            _by_feature(p, scale, np.minimum) < p_value,
            "F statistic",
            f"a p-value below {p_value:g} in the F test",
        )
    rows = draw_rows(len(Z), SLOW_ROWS, supervision.seed)
    is_yes_no = np.array([len(np.unique(column)) <= 2 for column in Z[rows].T])
    information = (selection.mutual_info_classif if is_class else selection.mutual_info_regression)(
        Z[rows], y[rows], discrete_features=is_yes_no, random_state=supervision.seed
    )
    scores = _by_feature(information, scale, np.maximum)
    return Scored(scores, scores > 0, "mutual information", "any mutual information")


def score_linear(Z: FloatArray, scale: OneScale, supervision: Supervision) -> Scored:
    """Return the penalty under which each input loses its weight in a linear regression with an L1 penalty.

    The target of a classification is 0 or 1 for each class, and an input is in for all classes or for none
    (`sklearn.linear_model.LassoCV`, ``MultiTaskLassoCV``). Penalties are shares of the one under which no
    input has a weight. Enough is a weight under the penalty with the least error in a cross-validation
    over `N_PARTS` parts.
    """
    from sklearn.linear_model import LassoCV, MultiTaskLassoCV

    rows = draw_rows(len(Z), SLOW_ROWS, supervision.seed)
    known = supervision.take(rows)
    y = target_columns(known)
    parts = make_parts(known, N_PARTS)
    withstood, is_weighted = np.zeros(scale.width), np.zeros(scale.width, dtype=bool)
    if parts.any() and np.ptp(y, axis=0).any():
        folds = [(np.flatnonzero(parts != part), np.flatnonzero(parts == part)) for part in np.unique(parts)]
        estimator: Any = LassoCV(cv=folds) if y.shape[1] == 1 else MultiTaskLassoCV(cv=folds)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # small penalties at the end of the path may not converge
            y = y[:, 0] if y.shape[1] == 1 else y
            estimator.fit(Z[rows], y)
            path = estimator.path(
                Z[rows] - Z[rows].mean(axis=0), y - y.mean(axis=0), alphas=estimator.alphas_
            )
        has_weight = (np.abs(path[1]).reshape(-1, scale.width, len(path[0])) >= LEAST_WEIGHT).any(axis=0)
        withstood = (has_weight * path[0]).max(axis=1) / path[0].max()
        is_weighted = (np.abs(np.atleast_2d(estimator.coef_)) >= LEAST_WEIGHT).any(axis=0)
    return Scored(
        _by_feature(withstood, scale, np.maximum),
        _by_feature(is_weighted, scale, np.maximum) > 0,
        "penalty withstood in an L1 regression",
        "a weight in an L1 regression",
    )


def score_trees(Z: FloatArray, scale: OneScale, supervision: Supervision) -> Scored:
    """Return the importance of each input in extremely randomised trees; at least the mean is enough.

    References
    ----------
    Geurts, Ernst and Wehenkel (2006), "Extremely randomized trees", Machine Learning 63.
    """
    from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

    rows = draw_rows(len(Z), SLOW_ROWS, supervision.seed)
    trees = ExtraTreesClassifier if supervision.n_classes else ExtraTreesRegressor
    fitted = trees(N_TREES, random_state=supervision.seed, n_jobs=1).fit(Z[rows], supervision.y[rows])
    scores = _by_feature(fitted.feature_importances_, scale, np.add)
    by = f"importance in {N_TREES} extremely randomised trees"
    return Scored(scores, scores >= scores.mean(), by, f"at least the mean {by}")


def target_columns(supervision: Supervision) -> FloatArray:
    """Return the target as numbers, shape (n_samples, n_outputs).

    A number has mean 0 and deviation 1, two classes are 0 and 1, more have a 0/1 column each.
    """
    y, n_classes = supervision.y, supervision.n_classes
    if n_classes == 0:
        scaling = fit_scaling(y.astype(np.float64), None, "standard")
        return scaling.all(y.astype(np.float64))[:, None]
    codes: IntArray = np.arange(n_classes) if n_classes > 2 else np.array([1])
    return np.asarray(y[:, None] == codes, dtype=np.float64)


def _n_features(scale: OneScale) -> int:
    return int(scale.origins.max()) + 1


def _by_feature(scores: FloatArray, scale: OneScale, together: Any) -> FloatArray:
    """Return one score for each input from those of its columns."""
    of_feature: FloatArray = np.full(_n_features(scale), np.inf if together is np.minimum else 0.0)
    together.at(of_feature, scale.origins, scores)
    return of_feature
