"""An exact search for the rows nearest to others, in NumPy; SciPy's tree helps where features are few."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from groundup.core.inputs import FloatArray, IntArray

_N_PAIRS_AT_ONCE: Final = 1_000_000  # distances held at a time where that makes products of many rows …
_N_ROWS_AT_ONCE: Final = 64  # … but at least of so many, which is what a matrix product needs to be fast,
_MOST_PAIRS_AT_ONCE: Final = 16_000_000  # … while memory is bounded.
_N_PAIRS_FOR_TREE: Final = 20_000_000
_MOST_FEATURES_FOR_TREE: Final = 12  # with more, a tree visits nearly every row
_MOST_CANDIDATES: Final = 32  # a neighbor; with more, the search is made again with more digits
_MOST_GROUPS_A_NEIGHBOR: Final = 128


class NearestRows:
    """Finds the nearest of the rows it holds, those at equal distance in their order.

    Distances are first found approximately, in a matrix product of 32 bits or in a tree, with a bound on the
    error of each; those that could be among the nearest are computed again one by one in 64 bits, so that
    what a row finds does not depend on the rows it is asked with.

    A search costs ``n_rows * n_features`` operations; memory is bounded.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_features)
        C-contiguous, finite, at most 1e15.
    n_neighbors : int
        In [1, n_rows].
    p : float
        Minkowski's exponent, at least 1.

    Examples
    --------
    >>> search = NearestRows(np.array([[0.0], [1.0], [5.0]]), n_neighbors=2, p=2.0)
    >>> neighbors, distances = search.nearest(np.array([[4.0]]))
    >>> neighbors.tolist(), distances.tolist()
    ([[2, 1]], [[1.0, 3.0]])
    """

    def __init__(self, rows: FloatArray, n_neighbors: int, p: float) -> None:
        self.rows, self.n_neighbors, self.p = rows, n_neighbors, p
        self._center = rows.mean(axis=0)
        self._factors: dict[type, NDArray[np.floating]] = {}
        self._tree: Any = None

    def nearest(self, X: FloatArray) -> tuple[IntArray, FloatArray]:
        """Return the neighbors of every row of `X` and their distances, each (n_samples, n_neighbors)."""
        from threadpoolctl import threadpool_limits

        neighbors = np.empty((len(X), self.n_neighbors), dtype=np.int64)
        distances = np.empty((len(X), self.n_neighbors))
        size = max(_N_ROWS_AT_ONCE, _N_PAIRS_AT_ONCE // len(self.rows))
        size = max(1, min(size, _MOST_PAIRS_AT_ONCE // len(self.rows)))
        is_for_tree = len(X) * len(self.rows) >= _N_PAIRS_FOR_TREE and X.shape[1] <= _MOST_FEATURES_FOR_TREE
        search = self._by_tree if is_for_tree else self._by_force
        with threadpool_limits(1):  # the caller knows how busy the machine is
            for start in range(0, len(X), size):
                part = slice(start, start + size)
                neighbors[part], distances[part] = search(X[part])
        return neighbors, distances

    def nearest_to_row(self, row: FloatArray) -> tuple[IntArray, FloatArray]:
        """Return what `nearest` returns for one row of shape (n_features,), each (n_neighbors,)."""
        powers = self._powers(self.rows - row)
        limit = np.partition(powers, self.n_neighbors - 1)[self.n_neighbors - 1]
        candidates = np.flatnonzero(powers <= limit)
        nearest = candidates[np.argsort(powers[candidates], kind="stable")[: self.n_neighbors]]
        return nearest, self._root(powers[nearest])

    def _powers(self, differences: FloatArray) -> FloatArray:
        """Return the p-th power of each row's length, the same bits in any company; destroys its argument."""
        if self.p == 2:
            return np.asarray(np.einsum("ij,ij->i", differences, differences))
        np.abs(differences, out=differences)
        if self.p != 1:
            np.power(differences, self.p, out=differences)
        return np.asarray(np.einsum("ij->i", differences))

    def _root(self, powers: FloatArray) -> FloatArray:
        return np.asarray(np.sqrt(powers) if self.p == 2 else powers ** (1 / self.p))

    def _ranked(self, X: FloatArray, of: IntArray, candidates: IntArray) -> tuple[IntArray, FloatArray]:
        """Return the nearest among pairs: `candidates`, ascending, of the rows `of` of `X`, ascending."""
        powers = self._powers_of_pairs(X, of, candidates)
        order = np.lexsort((powers, of))  # which leaves equal ones as they stand
        first = np.searchsorted(of, np.arange(len(X)))
        nearest = order[first[:, None] + np.arange(self.n_neighbors)]
        return candidates[nearest], self._root(powers[nearest])

    def _powers_of_pairs(self, X: FloatArray, of: IntArray, candidates: IntArray) -> FloatArray:
        size = max(1, _N_PAIRS_AT_ONCE // X.shape[1])
        parts = (slice(start, start + size) for start in range(0, len(of), size))
        return np.concatenate([self._powers(self.rows[candidates[part]] - X[of[part]]) for part in parts])

    def _by_force(self, X: FloatArray) -> tuple[IntArray, FloatArray]:
        """Search among all rows: bound all distances from below, keep what may be near enough."""
        for precision in (np.float32, np.float64):
            lower, offsets = self._lower_bounds(X, precision)
            limits = self._some_near(X, lower) - offsets
            limits = np.nextafter(limits.astype(precision), np.inf)
            places = np.flatnonzero(lower <= limits[:, None])
            if len(places) <= _MOST_CANDIDATES * self.n_neighbors * len(X):
                break
        of = places // len(self.rows)
        return self._ranked(X, of, places - of * len(self.rows))

    def _some_near(self, X: FloatArray, lower: NDArray[np.floating]) -> FloatArray:
        """Return a p-th power that at least `n_neighbors` distances of each row do not exceed.

        The rows fall into groups, by their number's remainder: the smallest of a group is found faster than
        the smallest of all.
        """
        n_neighbors = self.n_neighbors
        n_each = max(1, len(self.rows) // (n_neighbors * _MOST_GROUPS_A_NEIGHBOR))
        n_groups = len(self.rows) // n_each
        grouped = lower[:, : n_each * n_groups].reshape(len(X), n_each, n_groups)
        smallest = grouped.min(axis=1)
        groups = np.argpartition(smallest, n_neighbors - 1, axis=1)[:, :n_neighbors]
        members = np.take_along_axis(grouped, groups[:, None, :], axis=2).argmin(axis=1)
        near = (members * n_groups + groups).reshape(-1)
        of = np.repeat(np.arange(len(X)), n_neighbors)
        powers = self._powers_of_pairs(X, of, near).reshape(len(X), n_neighbors)
        return np.asarray(powers.max(axis=1))

    def _lower_bounds(
        self, X: FloatArray, precision: type[np.floating]
    ) -> tuple[NDArray[np.floating], FloatArray]:
        """Return what p-th powers of distances cannot fall below, (n_samples, n_rows), less an offset a row.

        Of squares ``|x - r|² = |x|² + |r|² - 2 x·r`` the computed value is wrong by at most ``error`` times
        ``|x|² + |r|²``, so that share is taken off; ``|x|²`` is the offset.
        """
        error = 4 * (X.shape[1] + 8) * float(np.finfo(precision if self.p == 2 else np.float64).eps)
        if self.p == 2:
            centered = X - self._center
            ones = np.ones((len(X), 1))
            product = np.hstack([-2 * centered, ones]).astype(precision) @ self._factor(precision, error)
            return product, (1 - error) * np.einsum("ij,ij->i", centered, centered)
        lower = np.zeros((len(X), len(self.rows)))
        for feature in range(X.shape[1]):
            differences = np.abs(X[:, feature, None] - self.rows[:, feature])
            lower += differences if self.p == 1 else differences**self.p
        return lower * (1 - error), np.zeros(len(X))

    def _factor(self, precision: type[np.floating], error: float) -> NDArray[np.floating]:
        """Return the rows around their mean, and below them their squares, (n_features + 1, n_rows)."""
        if precision not in self._factors:
            centered = self.rows - self._center
            squares = (1 - error) * np.einsum("ij,ij->i", centered, centered)
            self._factors[precision] = np.vstack([centered.T, squares]).astype(precision)
        return self._factors[precision]

    def _by_tree(self, X: FloatArray) -> tuple[IntArray, FloatArray]:
        """Return what `_by_force` returns, found in a tree; rows with a tie at the border by force."""
        try:
            from scipy.spatial import cKDTree
        except ImportError:
            return self._by_force(X)
        if self._tree is None:
            self._tree = cKDTree(self.rows)
        n_found = min(self.n_neighbors + 1, len(self.rows))
        found, rows = self._tree.query(X, k=np.arange(1, n_found + 1), p=self.p)
        is_tied = np.zeros(len(X), dtype=bool)
        if n_found > self.n_neighbors:
            is_tied = found[:, -1] <= found[:, -2] * (1 + 1e-9)
        candidates = np.sort(rows[:, : self.n_neighbors], axis=1).reshape(-1)
        of = np.repeat(np.arange(len(X)), self.n_neighbors)
        neighbors, distances = self._ranked(X, of, candidates)
        if is_tied.any():
            neighbors[is_tied], distances[is_tied] = self._by_force(X[is_tied])
        return neighbors, distances
