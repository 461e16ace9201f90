"""What scikit-learn's histogram boosting needs around it: its rounds one at a time, its trees as arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from groundup.core.inputs import FloatArray
from groundup.models.tree_arrays import Trees

MAX_BINS: Final = 255
"""Bins of a feature, and levels of a category, that the histograms have room for."""


@dataclass(frozen=True)
class BoostingRound:
    """Where a boosting fit stands after a round, while it waits.

    Parameters
    ----------
    train_loss, validation_loss : callable or None
        Return the mean loss of the rows; None where there are none to validate on.
    has_split : bool
        Whether a tree of this round asks any question.
    """

    train_loss: Callable[[], float]
    validation_loss: Callable[[], float] | None
    has_split: bool


def observed(estimator_class: type[Any]) -> type[Any]:
    """Return a scikit-learn boosting class that calls ``on_round`` after the start and after every round.

    scikit-learn's own callback, `scoring`, would predict all trees again in every round. This is the
    method that looks at the loss (``early_stopping=True, scoring="loss"``); a test notices when it moves.
    """

    class Observed(estimator_class):  # type: ignore[misc]
        on_round: Callable[[BoostingRound], bool]

        def _check_early_stopping_loss(
            self,
            raw_predictions: FloatArray,
            y_train: FloatArray,
            sample_weight_train: FloatArray | None,
            raw_predictions_val: FloatArray | None,
            y_val: FloatArray | None,
            sample_weight_val: FloatArray | None,
            n_threads: int = 1,
        ) -> bool:
            def loss(y: FloatArray | None, raw: FloatArray, weight: FloatArray | None) -> float:
                return float(
                    self._loss(y_true=y, raw_prediction=raw, sample_weight=weight, n_threads=n_threads)
                )

            validation = raw_predictions_val
            return self.on_round(
                BoostingRound(
                    lambda: loss(y_train, raw_predictions, sample_weight_train),
                    None if validation is None else lambda: loss(y_val, validation, sample_weight_val),
                    any(len(tree.nodes) > 1 for tree in (self._predictors or [()])[-1]),
                )
            )

    return Observed


def known_categories(codes: FloatArray) -> FloatArray:
    """Return the category codes that training tells apart, sorted: the most frequent 255.

    Examples
    --------
    >>> known_categories(np.array([2.0, 0.0, np.nan, 2.0])).tolist()
    [0.0, 2.0]
    """
    known, counts = np.unique(codes[~np.isnan(codes)], return_counts=True)
    return np.sort(known[np.argsort(-counts, kind="stable")[:MAX_BINS]])


def without_rare(X: FloatArray, categories: Mapping[int, FloatArray]) -> FloatArray:
    """Return `X` with category codes beyond `categories` missing; a copy only if there are any."""
    for column, known in categories.items():
        is_rare = ~np.isin(X[:, column], known) & ~np.isnan(X[:, column])
        if is_rare.any():
            X = X.copy()
            X[is_rare, column] = np.nan
    return X


def trees_of_rounds(
    rounds: Sequence[Sequence[Any]], categories: Mapping[int, FloatArray], n_features: int
) -> tuple[Trees, FloatArray]:
    """Return scikit-learn's histogram trees as arrays, and each feature's gain over all of them.

    Parameters
    ----------
    rounds : sequence of sequences of TreePredictor
        One tree an output and round.
    categories : mapping of int to ndarray
        By column: the codes that scikit-learn numbered from 0.
    n_features : int
        Columns of the inputs.
    """
    predictors = [tree for each in rounds for tree in each]
    # scikit-learn puts the categorical columns first.
    columns = np.array([*categories, *(each for each in range(n_features) if each not in categories)])
    nodes = np.concatenate([tree.nodes for tree in predictors]) if predictors else _no_nodes()
    n_each = [len(tree.nodes) for tree in predictors]
    first = np.repeat(np.cumsum([0, *n_each])[:-1], n_each)
    is_leaf = nodes["is_leaf"] != 0
    reference = np.where(is_leaf, ~(np.cumsum(is_leaf) - 1), np.cumsum(~is_leaf) - 1).astype(np.int32)
    inner = nodes[~is_leaf]
    both = np.column_stack([inner["left"], inner["right"]]).astype(np.int64) + first[~is_leaf, None]
    feature = columns[inner["feature_idx"].astype(np.int64)]
    is_category = inner["is_categorical"] != 0
    table, answers = _category_answers(predictors, feature, inner, categories)
    trees = Trees(
        roots=reference[np.cumsum([0, *n_each])[:-1]],
        children=reference[both].reshape(-1, 2),
        feature=feature.astype(np.int32),
        threshold=np.where(is_category, 0.0, inner["num_threshold"]),
        missing_is_yes=inner["missing_go_to_left"].astype(np.uint8),
        leaves=nodes["value"][is_leaf][:, None].copy(),
        category_table=table,
        categories=answers,
        covers=nodes["count"][is_leaf].astype(np.float32),
    )
    return trees, np.bincount(feature, weights=inner["gain"], minlength=n_features).astype(np.float64)


def _no_nodes() -> Any:
    from sklearn.ensemble._hist_gradient_boosting.common import PREDICTOR_RECORD_DTYPE

    return np.zeros(0, PREDICTOR_RECORD_DTYPE)


def _category_answers(
    predictors: Sequence[Any], feature: Any, inner: Any, categories: Mapping[int, FloatArray]
) -> tuple[Any, Any]:
    """Return the table row of every inner node (-1: a number), and the answers by category code."""
    asked = np.flatnonzero(inner["is_categorical"])
    if not len(asked):
        return np.zeros(0, np.int32), np.zeros((0, 0), np.uint8)
    n_codes = int(max(known.max() for known in categories.values() if len(known))) + 1
    answers = np.repeat(inner["missing_go_to_left"][asked, None], n_codes, axis=1).astype(np.uint8)
    table = np.full(len(inner), -1, dtype=np.int32)
    table[asked] = np.arange(len(asked))
    tree_of_node = np.repeat(
        np.arange(len(predictors)), [int((tree.nodes["is_leaf"] == 0).sum()) for tree in predictors]
    )
    for row, node in enumerate(asked.tolist()):
        words = predictors[tree_of_node[node]].raw_left_cat_bitsets[inner["bitset_idx"][node]]
        bits = np.unpackbits(words.astype("<u4").view(np.uint8), bitorder="little")
        known = categories[int(feature[node])].astype(np.int64)
        answers[row, known] = bits[: len(known)]
    return table, answers
