"""Decision trees as flat arrays: all nodes of all trees in one table, walked by NumPy or in plain Python."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from groundup.core.errors import PackageError
from groundup.core.inputs import FloatArray, IntArray

_N_CURSORS: Final = 1 << 16  # walked together: their arrays stay in the processor's second cache
_N_ROWS: Final = 1 << 12


@dataclass(frozen=True)
class _Columns:
    """The nodes as lists, for the walk in plain Python.

    Of a question about a category `members` has the codes that lead to `yes`; all others and missing ones
    lead to `missing`, and its threshold is NaN, which no value is at most.
    """

    roots: list[int]
    feature: list[int]
    threshold: list[float]
    yes: list[int]
    no: list[int]
    missing: list[int]
    members: dict[int, frozenset[float]]


_DTYPES: Final = {
    "roots": "i4",
    "children": "i4",
    "feature": "i4",
    "threshold": "f8",
    "missing_is_yes": "u1",
    "leaves": "f8",
    "category_table": "i4",
    "categories": "u1",
    "covers": "f4",
}


@dataclass(frozen=True)
class Trees:
    """Trees whose inner nodes ask ``X[feature] <= threshold`` or ``X[feature] in categories``.

    A reference to a node is its position if it is an inner node, and ``~leaf`` if it is a leaf, so a
    walk goes on while the reference is at least 0. Children stand behind their parents.

    Parameters
    ----------
    roots : ndarray of shape (n_trees,), int32
        Where each tree starts.
    children : ndarray of shape (n_nodes, 2), int32
        Where the answer yes (first) and the answer no (second) lead.
    feature : ndarray of shape (n_nodes,), int32
        The column that is asked about.
    threshold : ndarray of shape (n_nodes,), float64
        The answer is yes up to and including this value.
    missing_is_yes : ndarray of shape (n_nodes,), uint8
        1 where a missing value counts as yes; so does a category that training did not see.
    leaves : ndarray of shape (n_leaves, width), float64
        What each leaf says.
    category_table : ndarray of shape (n_nodes,), int32
        The row of `categories` of a question about a category, -1 for one about a number; empty where
        no node asks about categories.
    categories : ndarray of shape (n_tables, n_codes), uint8
        1 where the code's answer is yes; larger codes count as missing.
    covers : ndarray of shape (n_leaves,), float32
        The weight of the training rows that each leaf answered; empty where trees were saved without it,
        and then they cannot say what each input adds.
    """

    roots: NDArray[np.int32]
    children: NDArray[np.int32]
    feature: NDArray[np.int32]
    threshold: FloatArray
    missing_is_yes: NDArray[np.uint8]
    leaves: FloatArray
    category_table: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    categories: NDArray[np.uint8] = field(default_factory=lambda: np.zeros((0, 0), np.uint8))
    covers: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))

    def outputs(self, X: FloatArray, n_outputs: int, start: FloatArray) -> FloatArray:
        """Return ``start`` plus what the trees say, added up in their order, shape (n_samples, n_outputs).

        Leaves of width `n_outputs` speak for all outputs; leaves of width 1 belong to the outputs in turn.
        """
        totals = np.tile(start, (len(X), 1))
        for first in range(0, len(X), _N_ROWS):
            rows = X[first : first + _N_ROWS]
            part = totals[first : first + _N_ROWS]
            step = max(1, _N_CURSORS // len(rows))
            for tree in range(0, len(self.roots), step):
                for position, reached in enumerate(self.reached(rows, tree, tree + step), tree):
                    if self.leaves.shape[1] == n_outputs:
                        part += self.leaves.take(reached, axis=0)
                    else:
                        part[:, position % n_outputs] += self.leaves[:, 0].take(reached)
        return totals

    def reached(self, X: FloatArray, first: int, last: int) -> IntArray:
        """Return the leaf each row of `X` reaches in the trees `first` to `last`, (n_trees, n_samples)."""
        roots = self.roots[first:last].astype(np.int64)
        found = np.repeat(roots, len(X))
        place = np.flatnonzero(found >= 0)
        node = found[place]
        cell = (place % max(len(X), 1)) * X.shape[1]
        flat = np.ascontiguousarray(X).reshape(-1)
        has_missing = bool(np.isnan(flat).any())
        feature, children = self._walked
        while len(node):
            is_no = self._are_no(node, flat.take(cell + feature.take(node)), has_missing=has_missing)
            node = children.take(2 * node + is_no)
            is_inner = node >= 0
            if not is_inner.all():
                found[place[~is_inner]] = node[~is_inner]
                node, place, cell = node[is_inner], place[is_inner], cell[is_inner]
        return (~found).reshape(len(roots), len(X))

    def are_yes(self, nodes: IntArray, X: FloatArray) -> NDArray[np.bool_]:
        """Return what rows of `X` answer at inner nodes, shape (n_nodes, n_samples)."""
        values = np.ascontiguousarray(X.T)[self._walked[0].take(nodes)].reshape(-1)
        has_missing = bool(np.isnan(X).any())
        is_no = self._are_no(nodes.repeat(len(X)), values, has_missing=has_missing)
        return ~is_no.reshape(len(nodes), len(X))

    def _are_no(self, node: IntArray, values: FloatArray, *, has_missing: bool) -> NDArray[np.bool_]:
        is_no = values > self.threshold.take(node)
        if has_missing:
            is_no = np.where(np.isnan(values), self.missing_is_yes.take(node) == 0, is_no)
        if len(self.category_table):
            self._ask_categories(node, values, is_no)
        return is_no

    def _ask_categories(self, node: IntArray, values: FloatArray, is_no: NDArray[np.bool_]) -> None:
        table = self.category_table.take(node)
        asked = np.flatnonzero((table >= 0) & ~np.isnan(values))
        codes = values[asked]
        is_code = (codes >= 0) & (codes < self.categories.shape[1])
        is_yes = self.missing_is_yes.take(node[asked]).astype(bool)
        known = asked[is_code]
        is_yes[is_code] = self.categories[table[known], values[known].astype(np.int64)] != 0
        is_no[asked] = ~is_yes

    @cached_property
    def _walked(self) -> tuple[IntArray, IntArray]:
        return self.feature.astype(np.int64), self.children.astype(np.int64).reshape(-1)

    def reached_by_row(self, values: Sequence[float]) -> list[int]:
        """Return the leaf that one row reaches in every tree, walked in plain Python."""
        columns, reached = self._columns, []
        feature, threshold, yes, no = columns.feature, columns.threshold, columns.yes, columns.no
        missing, members = columns.missing, columns.members
        for node in columns.roots:
            while node >= 0:
                value = values[feature[node]]
                if value <= threshold[node]:
                    node = yes[node]
                elif node in members:
                    node = yes[node] if value in members[node] else missing[node]
                else:  # only a missing value differs from itself
                    node = no[node] if value == value else missing[node]
            reached.append(~node)
        return reached

    @cached_property
    def _columns(self) -> _Columns:
        # Lists of numbers: one tuple a node would be twice as slow to walk and six times as slow to make.
        yes, no = self.children[:, 0], self.children[:, 1]
        missing = np.where(self.missing_is_yes, yes, no)
        columns = _Columns(
            self.roots.tolist(),
            self.feature.tolist(),
            self.threshold.tolist(),
            yes.tolist(),
            no.tolist(),
            missing.tolist(),
            {},
        )
        for node in np.flatnonzero(self.category_table >= 0).tolist():
            flags = self.categories[self.category_table[node]] != self.missing_is_yes[node]
            columns.members[node] = frozenset(map(float, np.flatnonzero(flags).tolist()))
            columns.threshold[node] = math.nan
            columns.yes[node] = int(no[node] if self.missing_is_yes[node] else yes[node])
        return columns

    @cached_property
    def leaf_numbers(self) -> list[float]:
        """What the leaves say, leaf by leaf in one list."""
        numbers: list[float] = self.leaves.reshape(-1).tolist()
        return numbers

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays by name, for a file."""
        return {name: np.ascontiguousarray(getattr(self, name)) for name in self.__dataclass_fields__}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], n_features: int) -> Trees:
        """Return the trees that `arrays` described.

        Raises
        ------
        PackageError
            If an array is absent, of another type, or leads out of the tables or round in circles.
        """
        try:
            # Packages have covers since they explain their predictions.
            known = {"covers": np.zeros(0, np.float32), **arrays}
            trees = cls(**{name: known[name] for name in cls.__dataclass_fields__})
        except KeyError as error:
            raise PackageError(f"The trees lack the array {error}. Train the model again.") from None
        fault = trees._fault(n_features)
        if fault:
            raise PackageError(f"The trees are damaged: {fault}. Train the model again.")
        return trees

    def _fault(self, n_features: int) -> str:
        """Return what is wrong with the arrays, or nothing."""
        for name, dtype in _DTYPES.items():
            if getattr(self, name).dtype != np.dtype(dtype):
                return f"`{name}` holds `{getattr(self, name).dtype}`"
        n_nodes, n_leaves = len(self.feature), len(self.leaves)
        shapes = {"children": (n_nodes, 2), "threshold": (n_nodes,), "missing_is_yes": (n_nodes,)}
        if len(self.category_table):
            shapes["category_table"] = (n_nodes,)
        if len(self.covers):
            shapes["covers"] = (n_leaves,)
        for name, shape in shapes.items():
            if getattr(self, name).shape != shape:
                return f"`{name}` has the shape `{getattr(self, name).shape}`"
        if (self.roots.ndim, self.leaves.ndim, self.categories.ndim) != (1, 2, 2):
            return "`roots`, `leaves` or `categories` has another shape"
        references = np.concatenate([self.roots, self.children.reshape(-1)])
        if (references >= n_nodes).any() or (~references >= n_leaves).any():
            return "a reference leads to no node"
        if ((self.children >= 0) & (self.children <= np.arange(n_nodes)[:, None])).any():
            return "a child stands before its parent"
        if ((self.feature < 0) | (self.feature >= n_features)).any():
            return f"a node asks about a column beyond the `{n_features}` there are"
        if (self.category_table >= len(self.categories)).any():
            return "a node asks about categories that are not there"
        if not (np.isfinite(self.covers) & (self.covers >= 0)).all():
            return "`covers` holds what is no weight"
        return ""
