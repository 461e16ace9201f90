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
from itertools import pairwise
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from groundup.core.inputs import FloatArray, IntArray
from groundup.models.tree_arrays import Trees

_N_EDGES: Final = 1 << 12  # of the trees that are worked on together
_N_CELLS: Final = 1 << 18  # edges x rows x points at a time: some arrays of them fit the second cache
_N_FEW: Final = 8  # rows below which making tables would cost more than they save
_N_KEPT: Final = 1 << 18  # edges x points up to which tables are kept for the next rows: 13 MB
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

        They add up to the sum of what the trees say. A row costs about 8 ns x edges x points, where
        points are half the different inputs on the longest way; 80 bytes an edge are kept for the next rows.
        """
        found = np.zeros((len(X), self.n_features + 1, self.n_outputs))
        flat, room = found.reshape(len(X), (self.n_features + 1) * self.n_outputs), _Room()
        for group, tables in zip(self._groups, self._kept_tables, strict=True):
            found[:, -1] += group.base
            if tables is None and len(X) >= _N_FEW:
                tables = group.tables()
            size = max(1, _N_CELLS // max(1, group.n_edges * len(group.points.t)))
            for start in range(0, len(X) if group.n_edges else 0, size):
                group.add(self.trees, X[start : start + size], flat[start : start + size], room, tables)
        return found

    @cached_property
    def _groups(self) -> tuple[_Group, ...]:
        """The trees in groups of about as many edges."""
        size = max(1, len(self.trees.roots) * _N_EDGES // max(1, 2 * len(self.trees.feature)))
        return tuple(
            _Group(_Ways(self.trees, first, first + size), self.leaves, self.n_outputs)
            for first in range(0, len(self.trees.roots), size)
        )

    @cached_property
    def _kept_tables(self) -> tuple[_Terms | None, ...]:
        is_small = sum(group.n_edges * len(group.points.t) for group in self._groups) <= _N_KEPT
        return tuple(group.tables() if is_small else None for group in self._groups)


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
    """The edges of some trees: those that lead to nodes, level by level, then those that lead to leaves.

    Edge `n_edges` stands for the way into a root: it answers nothing, and all training rows took it.
    """

    def __init__(self, trees: Trees, first: int, last: int) -> None:
        roots = trees.roots[first:last].astype(np.int64)
        tree = np.arange(first, first + len(roots))
        self.lone_leaves, self.lone_trees = ~roots[roots < 0], tree[roots < 0]
        levels = list(_levels(trees, roots, tree))
        parts = zip(*levels, strict=True) if levels else [[np.zeros(0, np.int64)]] * 4
        self.nodes, leads_to, parent, of_tree = (np.concatenate(list(each)) for each in parts)
        is_leaf = leads_to < 0
        order = np.argsort(is_leaf, kind="stable")
        place = np.append(np.argsort(order), len(order))  # of each edge, and of -1
        self.n_inner = len(order) - int(is_leaf.sum())
        self.node, self.is_yes = order // 2, order % 2 == 0
        self.parent: IntArray = place[parent[order]]
        self.tree = of_tree[order]
        self.leaves = ~leads_to[order[self.n_inner :]]
        # The inner edges lead to the nodes that are no roots, in their order.
        below = place[:-1].reshape(-1, 2)[len(self.nodes) - self.n_inner :]
        self.yes, self.no = np.ascontiguousarray(below.T)
        ends = np.cumsum([len(level[0]) for level in levels]) - (len(self.nodes) - self.n_inner)
        self.levels = [slice(*each) for each in pairwise(ends.tolist())]
        self.feature = trees.feature.astype(np.int64)[self.nodes[self.node]]
        self.above = self._nearest_alike()
        self.odds, self.share, self.n_asked = self._shares(trees.covers)

    @property
    def all_levels(self) -> list[slice]:
        """Edges whose parents stand in earlier ones: each level of inner edges, then the leaves."""
        return [*self.levels, slice(self.n_inner, len(self.parent))]

    def _nearest_alike(self) -> IntArray:
        """Return the nearest edge above each that is about the same feature, or `n_edges`."""
        root, above = len(self.parent), self.parent.copy()
        todo = np.flatnonzero(above < root)
        while len(todo):
            todo = todo[self.feature[above[todo]] != self.feature[todo]]
            above[todo] = self.parent[above[todo]]
            todo = todo[above[todo] < root]
        return above

    def _shares(self, covers: NDArray[np.float32]) -> tuple[FloatArray, FloatArray, int]:
        """Return of the training rows: the share that took each edge, and z of its feature down to there.

        The third value is how many different features the way to a leaf asks about at most.
        """
        n_edges = len(self.parent)
        weight = np.zeros(n_edges)
        weight[self.n_inner :] = np.maximum(covers, covers.max(initial=0) * _LEAST_SHARE)[self.leaves]
        for level in self.levels[::-1]:
            weight[level] = weight[self.yes[level]] + weight[self.no[level]]
        odds = weight / np.bincount(self.node, weight, minlength=len(self.nodes))[self.node]
        share, n_asked = np.ones(n_edges + 1), np.zeros(n_edges + 1, dtype=np.int64)
        for level in self.all_levels:
            above = self.above[level]
            share[level] = odds[level] * share[above]
            n_asked[level] = n_asked[self.parent[level]] + (above == n_edges)
        return odds, share, int(n_asked.max())

    def probability(self) -> FloatArray:
        """Return the share of a tree's training rows that reached each leaf."""
        probability = np.ones(len(self.parent) + 1)
        for level in self.all_levels:
            probability[level] = self.odds[level] * probability[self.parent[level]]
        return np.asarray(probability[self.n_inner : -1])


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
    ) -> _Terms:
        """Return how the product changes at edges, and what the integrand gets there.

        `answer` is o and `share` is z of the edge's feature down to there, or down to the edge above.
        """
        factor = answer[..., None] * self.t + share[..., None] * (1 - self.t)
        factor_above = answer_above[..., None] * self.t + share_above[..., None] * (1 - self.t)
        gained = (answer - share)[..., None] / factor
        gained -= (answer_above - share_above)[..., None] / factor_above
        gained *= self.weights
        factor /= factor_above
        n_points = len(self.t)
        return factor.reshape(-1, n_points), gained.reshape(-1, n_points)


_Terms: TypeAlias = tuple[FloatArray, FloatArray]
"""How the product changes, and what the integrand gets: one row a case, one column a point."""


class _Group:
    """What is known of some trees before any row is."""

    def __init__(self, ways: _Ways, leaves: FloatArray, n_outputs: int) -> None:
        self.ways, self.points = ways, _Points.of(ways.n_asked)
        self.n_edges, width = len(ways.parent), leaves.shape[1]
        self.values = leaves[ways.leaves].T.copy()
        place = ways.feature * n_outputs + (0 if width == n_outputs else ways.tree % n_outputs)
        self.order = np.argsort(place, kind="stable")
        self.firsts = np.flatnonzero(np.diff(place[self.order], prepend=-1))
        # Where sums over edges belong in a row of (feature, output), shape (width, n_firsts).
        self.places = place[self.order][self.firsts] + np.arange(width)[:, None]
        said = np.concatenate([self.values.T * ways.probability()[:, None], leaves[ways.lone_leaves]])
        if width == n_outputs:
            self.base = said.sum(axis=0)
        else:
            speaker = np.concatenate([ways.tree[ways.n_inner :], ways.lone_trees])
            self.base = np.bincount(speaker % n_outputs, said[:, 0], minlength=n_outputs)

    def tables(self) -> _Terms:
        """Return the terms of all edges for the three cases there are.

        An answer above led elsewhere; all above led here, this one does not; this one does too.
        """
        every, share = np.ones(self.n_edges), self.ways.share
        answer, answer_above = np.outer([0, 0, 1], every), np.outer([0, 1, 1], every)
        return self.points.terms(share[:-1], answer, share[self.ways.above], answer_above)

    def add(self, trees: Trees, X: FloatArray, found: FloatArray, room: _Room, tables: _Terms | None) -> None:
        """Add the contributions of some rows to `found`, shape (n_samples, places)."""
        ways, shape = self.ways, (len(X), len(self.points.t))
        case, (moved, gained) = self._cases(trees.are_yes(ways.nodes, X), tables)
        product, n_inner = room.array("product", self.n_edges + 1, *shape), ways.n_inner
        at_leaves = room.array("leaves", self.n_edges - n_inner, *shape)
        spare = room.array("spare", self.n_edges, *shape)
        product[-1] = 1.0
        for level in ways.all_levels:
            part = product[level] if level.start < n_inner else at_leaves
            _take(moved, case[level], part)
            part *= _take(product, ways.parent[level], spare[: len(part)])
        gain = _take(gained, case, room.array("gain", self.n_edges, *shape))
        for value, places in zip(self.values, self.places, strict=True):
            np.multiply(at_leaves, value[:, None, None], out=product[n_inner:-1])
            for level in ways.levels[::-1]:
                n = level.stop - level.start
                yes = _take(product, ways.yes[level], spare[:n])
                np.add(yes, _take(product, ways.no[level], spare[n : 2 * n]), out=product[level])
            shares = np.einsum("erq,erq->er", product[:-1], gain)
            found[:, places] += np.add.reduceat(shares[self.order], self.firsts, axis=0).T

    def _cases(self, is_yes: NDArray[np.bool_], tables: _Terms | None) -> tuple[IntArray, _Terms]:
        """Return which row of the terms holds for each edge and row of inputs, and the terms."""
        ways, n_rows = self.ways, is_yes.shape[1]
        leads = (is_yes.take(ways.node, axis=0) == ways.is_yes[:, None]).view(np.uint8)
        answer = np.ones((self.n_edges + 1, n_rows), dtype=np.uint8)
        for level in ways.all_levels:
            np.multiply(answer.take(ways.above[level], axis=0), leads[level], out=answer[level])
        answer_above = answer.take(ways.above, axis=0)
        if tables is not None:
            case = (answer[:-1] + answer_above) * np.int64(self.n_edges)
            case += np.arange(self.n_edges)[:, None]
            return case, tables
        share, known = ways.share[:, None], answer.astype(np.float64)
        terms = self.points.terms(share[:-1], known[:-1], share[ways.above], known[ways.above])
        return np.arange(self.n_edges * n_rows).reshape(-1, n_rows), terms


def _take(table: FloatArray, rows: IntArray, out: FloatArray) -> FloatArray:
    # Every index is in range; `mode` only spares NumPy a copy.
    return table.take(rows, axis=0, out=out, mode="clip")
