"""Cost-complexity pruning: which questions of a grown tree are worth the answers they add.

For a given strength the best pruned tree is found in one pass from the leaves to the root, as is what each
of many strengths would lose on validation rows. scikit-learn finds the same trees one question at a time, in
time that grows with the square of their number, and copies the tree for every strength.

References
----------
Breiman, Friedman, Olshen and Stone (1984), "Classification and regression trees", chapters 3 and 10.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from groundup.core.inputs import FloatArray, IntArray

_N_STRENGTHS: Final = 40
_N_AT_ONCE: Final = 8
_LEAST: Final = float(np.finfo(float).tiny)


@dataclass(frozen=True)
class GrownTree:
    """A tree in scikit-learn's arrays, each with one entry a node; -1 among the children marks a leaf."""

    children_left: IntArray
    children_right: IntArray
    feature: IntArray
    threshold: FloatArray
    missing_go_to_left: NDArray[np.uint8]
    value: FloatArray
    impurity: FloatArray
    weighted_n_node_samples: FloatArray

    @classmethod
    def of(cls, tree: Any) -> GrownTree:
        """Return the arrays of a scikit-learn ``tree_``."""
        return cls(*(np.array(getattr(tree, field.name)) for field in fields(cls)))

    @property
    def tree_(self) -> GrownTree:
        """Itself: an estimator's tree stands there under this name."""
        return self

    @property
    def node_count(self) -> int:
        """Questions and answers."""
        return len(self.feature)

    def costs(self) -> FloatArray:
        """Return each node's impurity as a share of all rows, shape (n_nodes,)."""
        return np.asarray(self.weighted_n_node_samples * self.impurity / self.weighted_n_node_samples[0])

    def gains(self, n_features: int) -> FloatArray:
        """Return how much impurity the questions about each feature take away, shape (n_features,)."""
        inner = np.flatnonzero(self.children_left >= 0)
        costs = self.costs()
        gains = costs[inner] - costs[self.children_left[inner]] - costs[self.children_right[inner]]
        return np.bincount(self.feature[inner], gains, minlength=n_features).astype(np.float64)

    def levels(self) -> list[IntArray]:
        """Return the questions, those of each depth together, the root first."""
        levels, nodes = [], np.zeros(1, dtype=np.int64)
        while len(nodes := nodes[self.children_left[nodes] >= 0]):
            levels.append(nodes)
            nodes = np.concatenate([self.children_left[nodes], self.children_right[nodes]])
        return levels


def pruned(tree: GrownTree, strength: float) -> GrownTree:
    """Return the smallest pruned tree with the least impurity plus `strength` a leaf; 0: the whole tree."""
    if strength == 0:
        return tree
    levels = tree.levels()
    is_kept = _worth_asking(tree, levels, np.array([strength]), tree.costs()[:, None])[1][:, 0]
    is_there = np.zeros(tree.node_count, dtype=bool)
    is_there[0] = True
    for nodes in levels:
        asking = nodes[is_there[nodes] & is_kept[nodes]]
        is_there[tree.children_left[asking]] = is_there[tree.children_right[asking]] = True
    kept = np.flatnonzero(is_there)
    arrays = {field.name: getattr(tree, field.name)[kept] for field in fields(tree)}
    place = np.cumsum(is_there) - 1
    for name in ("children_left", "children_right"):
        arrays[name] = np.where(is_kept[kept], place[arrays[name]], -1)
    return GrownTree(**arrays)


def best_strength(tree: GrownTree, node_losses: FloatArray) -> float:
    """Return the strength of pruning with the lowest loss, among 40 that leave at least one question.

    Parameters
    ----------
    tree : GrownTree
        The whole tree.
    node_losses : ndarray of shape (n_nodes,)
        What each node would lose on the validation rows that reach it, if it were a leaf.
    """
    costs, levels = tree.costs(), tree.levels()
    if not levels or not costs[0] > 0:
        return 0.0
    least = costs[0] / (10 * tree.weighted_n_node_samples[0])
    grid = [float(f"{strength:.4g}") for strength in np.geomspace(least, costs[0], _N_STRENGTHS)]
    strengths = np.array([0.0, *grid])
    losses = []
    for start in range(0, len(strengths), _N_AT_ONCE):
        part = strengths[start : start + _N_AT_ONCE]
        totals, is_kept = _worth_asking(tree, levels, part, node_losses[:, None])
        losses.append(np.where(is_kept[0] | (part == 0), totals[0], np.inf))
    return float(strengths[np.argmin(np.concatenate(losses))])


def _worth_asking(
    tree: GrownTree, levels: list[IntArray], strengths: FloatArray, losses: FloatArray
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Return what each node and all below it lose once pruned, and which questions are kept, by strength."""
    costs = tree.costs()[:, None] + strengths
    totals = np.repeat(losses, len(strengths), axis=1)
    is_kept = np.zeros(costs.shape, dtype=bool)
    for nodes in reversed(levels):
        left, right = tree.children_left[nodes], tree.children_right[nodes]
        asked = costs[left] + costs[right]
        is_better = (asked < costs[nodes]) | (strengths == 0)
        is_kept[nodes] = is_better
        costs[nodes] = np.where(is_better, asked, costs[nodes])
        totals[nodes] = np.where(is_better, totals[left] + totals[right], totals[nodes])
    return totals, is_kept


def node_losses(
    tree: GrownTree, said: FloatArray, leaves: IntArray, y: NDArray[np.generic], weight: FloatArray
) -> FloatArray:
    """Return what each node would lose on the rows that reach it: log loss, or squared error.

    Parameters
    ----------
    tree : GrownTree
        The whole tree.
    said : ndarray of shape (n_nodes, n_outputs)
        What the nodes say: probabilities, or (one output) values.
    leaves : ndarray of shape (n_samples,)
        The leaf that each row reaches.
    y : ndarray of shape (n_samples,)
        Positions among the outputs, or values.
    weight : ndarray of shape (n_samples,)
        How often each row counts.
    """
    n_nodes, n_outputs = said.shape
    if n_outputs > 1:
        cells = leaves * n_outputs + y.astype(np.int64)
        at_leaves = np.bincount(cells, weight, minlength=n_nodes * n_outputs).astype(np.float64)
        counts = _added_up(tree, at_leaves.reshape(n_nodes, n_outputs))
        return np.asarray(-(counts * np.log(np.maximum(said, _LEAST))).sum(axis=1))
    # Around one value for all, so that no digits are lost between the sums.
    values, center = y.astype(np.float64) - said[0, 0], said[:, 0] - said[0, 0]
    moments = [np.bincount(leaves, weight * values**power, minlength=n_nodes) for power in (0, 1, 2)]
    counts, sums, squares = _added_up(tree, np.column_stack(moments)).T
    return np.asarray(squares - 2 * center * sums + center**2 * counts)


def _added_up(tree: GrownTree, at_leaves: FloatArray) -> FloatArray:
    """Return for every node the sum over its leaves."""
    sums = at_leaves.copy()
    for nodes in reversed(tree.levels()):
        sums[nodes] = sums[tree.children_left[nodes]] + sums[tree.children_right[nodes]]
    return sums
