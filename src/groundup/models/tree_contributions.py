"""What each input adds to what trees say: exact Shapley values, many trees and rows at a time.

Of a set of known inputs a tree says this: it follows their answers, and where it asks about any other
input it goes both ways, as often as its training rows did ("path-dependent"). A leaf with the value v
then counts ``v * product over k of x_k``, k being the inputs asked about on its way: x_k is 1 or 0 as
the row's answers lead there, or, where k is not known, the share z_k of the training rows that they led
there. With x_k = t o_k + (1 - t) z_k this is Owen's multilinear extension on its diagonal, and the
Shapley value of input j is the integral over t in [0, 1] of ``v (o_j - z_j) * product over k != j``: a
polynomial, which Gauss-Legendre quadrature integrates exactly. That these values add up is the
fundamental theorem of calculus. All terms are positive, so nothing cancels, and the sum over leaves is
taken once an edge and not once a leaf.

References
----------
Owen (1972), "Multilinear extensions of games", Management Science; Lundberg et al. (2020), "From local
explanations to global understanding with explainable AI for trees", Nature Machine Intelligence; Yu, Bifet,
Read and Xu (2022), "Linear TreeShap", NeurIPS, whose summation over edges this is.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from groundup.core.inputs import FloatArray, IntArray
from groundup.models.tree_arrays import Trees

_N_EDGES: Final = 1 << 13  # of the trees that are worked on together
_N_CELLS: Final = 1 << 18  # edges x rows x points at a time: some arrays of them fit the second cache
_N_FEW: Final = 8  # rows below which tables would cost more than they save
_LEAST_SHARE: Final = 1e-12  # of the training rows, so that a leaf without any can be reached


class TreeContributions:
    """Divides what trees say among the inputs.

    Parameters
    ----------
    trees : Trees
        With `covers`.
    leaves : ndarray of shape (n_leaves, n_outputs) or (n_leaves, 1)
        What each leaf says; of width 1, trees speak for the outputs in turn.
    n_outputs : int
        How many outputs there are.
    n_features : int
        Columns of the inputs.

    Examples
    --------
    >>> trees = Trees(
    ...     roots=np.array([0], np.int32),
    ...     children=np.array([[-1, -2]], np.int32),
    ...     feature=np.array([0], np.int32),
    ...     threshold=np.array([0.5]),
    ...     missing_is_yes=np.array([0], np.uint8),
    ...     leaves=np.array([[10.0], [20.0]]),
    ...     covers=np.array([30, 10], np.float32),
    ... )
    >>> TreeContributions(trees, trees.leaves, 1, n_features=2).of(np.array([[1.0, 7.0]]))[0, :, 0].tolist()
    [7.5, 0.0, 12.5]
    """

    def __init__(self, trees: Trees, leaves: FloatArray, n_outputs: int, *, n_features: int) -> None:
        self.trees, self.leaves, self.n_outputs, self.n_features = trees, leaves, n_outputs, n_features

    def of(self, X: FloatArray) -> FloatArray:
        """Return the contributions, the base value last, shape (n_samples, n_features + 1, n_outputs).

        They add up to the sum of what the trees say. A row costs about 10 ns x edges x points, where
        points are half the different inputs on the longest way; 50 bytes an edge are kept for the next rows.
        """
        found = np.zeros((len(X), self.n_features + 1, self.n_outputs))
        flat, room = found.reshape(len(X), (self.n_features + 1) * self.n_outputs), _Room()
        for group in self._groups:
            found[:, -1] += group.base
            tables = group.tables() if len(X) >= _N_FEW else None
            size = max(1, _N_CELLS // max(1, len(group.order) * len(group.points.t)))
            for start in range(0, len(X) if group.levels else 0, size):
                group.add(self.trees, X[start : start + size], flat[start : start + size], room, tables)
        return found

    @cached_property
    def _groups(self) -> tuple[_Group, ...]:
        """The trees in groups of about as many edges."""
        size = max(1, len(self.trees.roots) * _N_EDGES // max(1, 2 * len(self.trees.feature)))
        return tuple(
            _group_of(_Ways(self.trees, first, first + size), self.leaves, self.n_outputs)
            for first in range(0, len(self.trees.roots), size)
        )


class _Room:
    """Memory that is used again and again: fresh pages would cost more than the arithmetic."""

    def __init__(self) -> None:
        self._held: dict[str, FloatArray] = {}

    def array(self, name: str, *shape: int) -> FloatArray:
        """Return an array whose content is what was left there."""
        size = math.prod(shape)
        held = self._held.get(name)
        if held is None or held.size < size:
            held = self._held[name] = np.empty(size)
        return held[:size].reshape(shape)


class _Ways:
    """The edges of some trees, level by level, two of each node (yes, no) beside each other.

    Edge `n_edges` stands for the way into a root: it answers nothing, and all training rows took it.
    """

    def __init__(self, trees: Trees, first: int, last: int) -> None:
        roots = trees.roots[first:last].astype(np.int64)
        tree = np.arange(first, first + len(roots))
        self.lone_leaves, self.lone_trees = ~roots[roots < 0], tree[roots < 0]
        levels = list(_levels(trees, roots, tree))
        self.starts = np.cumsum([0, *(len(level[1]) for level in levels)]).tolist()
        parts = zip(*levels, strict=True) if levels else [[np.zeros(0, np.int64)]] * 4
        self.nodes, self.children, self.parent, self.tree = (np.concatenate(list(each)) for each in parts)
        self.feature = trees.feature.astype(np.int64)[self.nodes].repeat(2)
        self.above = self._nearest_alike()
        for each in (self.parent, self.above):
            each[each < 0] = len(self.children)
        self.odds, self.share, self.n_asked = self._shares(trees.covers)

    def _nearest_alike(self) -> IntArray:
        """Return the nearest edge above each that is about the same feature, or -1."""
        above = self.parent.copy()
        todo = np.flatnonzero(above >= 0)
        while len(todo):
            todo = todo[self.feature[above[todo]] != self.feature[todo]]
            above[todo] = self.parent[above[todo]]
            todo = todo[above[todo] >= 0]
        return above

    def _shares(self, covers: NDArray[np.float32]) -> tuple[FloatArray, FloatArray, int]:
        """Return of the training rows: the share that took each edge, and z of its feature down to there.

        The third value is how many different features the way to a leaf asks about at most.
        """
        is_leaf = self.children < 0
        weight = np.zeros(len(self.children))
        weight[is_leaf] = np.maximum(covers, covers.max(initial=0) * _LEAST_SHARE)[~self.children[is_leaf]]
        for level in range(len(self.starts) - 3, -1, -1):
            start, middle, end = self.starts[level : level + 3]
            below = weight[middle:end]
            weight[start:middle][~is_leaf[start:middle]] = below[0::2] + below[1::2]
        odds = weight / (weight[0::2] + weight[1::2]).repeat(2)
        share, n_asked = np.ones(len(odds) + 1), np.zeros(len(odds) + 1, dtype=np.int64)
        for start, end in zip(self.starts[:-1], self.starts[1:], strict=True):
            above = self.above[start:end]
            share[start:end] = odds[start:end] * share[above]
            n_asked[start:end] = n_asked[self.parent[start:end]] + (above == len(odds))
        return odds, share, int(n_asked.max())


def _levels(
    trees: Trees, roots: IntArray, tree: IntArray
) -> Iterator[tuple[IntArray, IntArray, IntArray, IntArray]]:
    """Yield of each level its nodes, and of their edges: where they lead, the edge above, the tree."""
    reference, parent, n_edges = roots, np.full(len(roots), -1), 0
    while (is_inner := reference >= 0).any():
        nodes, parent, tree = reference[is_inner], parent[is_inner].repeat(2), tree[is_inner].repeat(2)
        reference = trees.children[nodes].astype(np.int64).reshape(-1)
        yield nodes, reference, parent, tree
        parent = np.arange(n_edges, n_edges + len(reference))
        n_edges += len(reference)


@dataclass(frozen=True)
class _Level:
    """Edges `start` to `end`, with the edges above them; `inner` leads to the nodes of the next level."""

    start: int
    end: int
    parent: IntArray
    above: IntArray
    inner: IntArray


@dataclass(frozen=True)
class _Points:
    """Where the integrand is evaluated, and the weights there; exact for a product of `n_asked` factors."""

    t: FloatArray
    weights: FloatArray

    @classmethod
    def of(cls, n_asked: int) -> _Points:
        t, weights = np.polynomial.legendre.leggauss(max(1, (n_asked + 1) // 2))
        return cls((t + 1) / 2, weights / 2)

    def terms(
        self, share: FloatArray, answer: FloatArray, share_above: FloatArray, answer_above: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return how the product changes at edges, and what the integrand gets there; points come last.

        `answer` is o and `share` is z of the edge's feature down to there, or down to the edge above.
        """
        factor = answer[..., None] * self.t + share[..., None] * (1 - self.t)
        factor_above = answer_above[..., None] * self.t + share_above[..., None] * (1 - self.t)
        gained = (answer - share)[..., None] / factor
        gained -= (answer_above - share_above)[..., None] / factor_above
        return factor / factor_above, gained * self.weights


@dataclass(frozen=True)
class _Group:
    """What is known of some trees before any row is."""

    nodes: IntArray
    levels: tuple[_Level, ...]
    points: _Points
    share: FloatArray  # (n_edges + 1,)
    above: IntArray
    leaf_edges: IntArray
    values: FloatArray  # (n_leaf_edges, width)
    order: IntArray
    firsts: IntArray
    places: IntArray  # (width, n_firsts): where sums over edges belong in a row of (feature, output)
    base: FloatArray

    def tables(self) -> tuple[FloatArray, FloatArray]:
        """Return the terms of all edges, (3 * n_edges, n_points), for the three cases there are.

        An answer above led elsewhere; all above led here, this one does not; this one does too.
        """
        every = np.ones(len(self.above))
        answer, answer_above = np.outer([0, 0, 1], every), np.outer([0, 1, 1], every)
        terms = self.points.terms(self.share[:-1], answer, self.share[self.above], answer_above)
        moved, gained = (each.reshape(-1, len(self.points.t)) for each in terms)
        return moved, gained

    def add(
        self,
        trees: Trees,
        X: FloatArray,
        found: FloatArray,
        room: _Room,
        tables: tuple[FloatArray, FloatArray] | None,
    ) -> None:
        """Add the contributions of some rows to `found`, shape (n_samples, places)."""
        moved, gained = self._terms(trees.are_yes(self.nodes, X), room, tables)
        product = room.array("product", len(moved) + 1, *moved.shape[1:])
        product[-1] = 1.0
        for level in self.levels:
            part = slice(level.start, level.end)
            so_far = room.array("level", len(level.parent), *moved.shape[1:])
            product.take(level.parent, axis=0, out=so_far, mode="clip")
            np.multiply(so_far, moved[part], out=product[part])
        at_leaves = room.array("leaves", len(self.leaf_edges), *moved.shape[1:])
        product.take(self.leaf_edges, axis=0, out=at_leaves, mode="clip")
        for value, places in zip(self.values.T, self.places, strict=True):
            product[self.leaf_edges] = at_leaves * value[:, None, None]
            for level, lower in zip(self.levels[-2::-1], self.levels[:0:-1], strict=True):
                below = product[lower.start : lower.end]
                product[level.inner] = below[0::2] + below[1::2]
            shares = np.einsum("erq,erq->er", product[:-1], gained)
            found[:, places] += np.add.reduceat(shares[self.order], self.firsts, axis=0).T

    def _terms(
        self, is_yes: NDArray[np.bool_], room: _Room, tables: tuple[FloatArray, FloatArray] | None
    ) -> tuple[FloatArray, FloatArray]:
        """Return the terms of every edge and row, shape (n_edges, n_samples, n_points)."""
        n_edges, n_rows = 2 * len(is_yes), is_yes.shape[1]
        leads = np.stack([is_yes, ~is_yes], axis=1).reshape(n_edges, n_rows).view(np.uint8)
        answer = np.ones((n_edges + 1, n_rows), dtype=np.uint8)
        for level in self.levels:
            part = slice(level.start, level.end)
            np.multiply(answer.take(level.above, axis=0), leads[part], out=answer[part])
        answer_above = answer.take(self.above, axis=0)
        if tables is None:
            share, known = self.share[:, None], answer.astype(np.float64)
            return self.points.terms(share[:-1], known[:-1], share[self.above], known[self.above])
        case = (answer[:-1] + answer_above) * np.int64(n_edges) + np.arange(n_edges)[:, None]
        moved, gained = (
            # Every index is in range, and so `mode` only spares NumPy a copy.
            table.take(case, axis=0, out=room.array(name, *case.shape, len(self.points.t)), mode="clip")
            for name, table in zip(("moved", "gained"), tables, strict=True)
        )
        return moved, gained


def _group_of(ways: _Ways, leaves: FloatArray, n_outputs: int) -> _Group:
    width = leaves.shape[1]
    leaf_edges = np.flatnonzero(ways.children < 0)
    values = leaves[~ways.children[leaf_edges]]
    place = ways.feature * n_outputs + (0 if width == n_outputs else ways.tree % n_outputs)
    order = np.argsort(place, kind="stable")
    firsts = np.flatnonzero(np.diff(place[order], prepend=-1))
    levels = tuple(_levels_of(ways))
    said = np.concatenate([values * _probability(ways, levels)[leaf_edges, None], leaves[ways.lone_leaves]])
    if width == n_outputs:
        base = said.sum(axis=0)
    else:
        speaker = np.concatenate([ways.tree[leaf_edges], ways.lone_trees])
        base = np.bincount(speaker % n_outputs, said[:, 0], minlength=n_outputs)
    return _Group(
        nodes=ways.nodes,
        levels=levels,
        points=_Points.of(ways.n_asked),
        share=ways.share,
        above=ways.above,
        leaf_edges=leaf_edges,
        values=values,
        order=order,
        firsts=firsts,
        places=place[order][firsts] + np.arange(width)[:, None],
        base=base,
    )


def _levels_of(ways: _Ways) -> Iterator[_Level]:
    for start, end in zip(ways.starts[:-1], ways.starts[1:], strict=True):
        part = slice(start, end)
        inner = start + np.flatnonzero(ways.children[part] >= 0)
        yield _Level(start, end, ways.parent[part], ways.above[part], inner)


def _probability(ways: _Ways, levels: tuple[_Level, ...]) -> FloatArray:
    """Return the share of a tree's training rows that passed each edge."""
    probability = np.ones(len(ways.odds) + 1)
    for level in levels:
        part = slice(level.start, level.end)
        probability[part] = ways.odds[part] * probability[level.parent]
    return probability
