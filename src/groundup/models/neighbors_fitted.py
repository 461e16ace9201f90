"""Fitted nearest neighbors: an exact search in NumPy; SciPy's tree helps large batches where it is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from groundup.core.inputs import FloatArray, Inputs, IntArray, Predictions
from groundup.models.parameters import read_parameters, refuse_unless, write_parameters

_WHAT: Final = "nearest neighbors"
_N_PAIRS_AT_ONCE: Final = 2_000_000  # distances held at a time: 16 MB, and about as much again beside them
_N_PAIRS_FOR_TREE: Final = 20_000_000
_MOST_FEATURES_FOR_TREE: Final = 12  # with more, a tree visits nearly every row
_LARGEST: Final = 1e15  # beyond, the tenth power of a difference would not be a number any more


class FittedNeighbors:
    """The training rows and how their answers are put together.

    Neighbors at equal distance are taken in the order of the training rows. Distances are first found
    approximately (in a matrix product or a tree) with a bound on the error; those that could be among
    the nearest are computed again one by one, so that a row's answer does not depend on its batch.

    A prediction costs ``n_training_rows * n_features`` operations; memory is bounded.

    Parameters
    ----------
    X : ndarray of shape (n_training_rows, n_features)
        The training rows, C-contiguous, finite.
    y : ndarray of shape (n_training_rows,)
        Their answers: values or class codes.
    n_classes : int
        Number of classes; 0 for regression.
    n_neighbors : int
        In [1, n_training_rows].
    weights : {"uniform", "distance"}
        Whether near neighbors count more.
    p : float
        Minkowski's exponent, at least 1.
    smoothing : float
        Number of neighbors that vote as the classes are frequent.
    facts : mapping
        What `facts` returns.

    Examples
    --------
    >>> settings = {"n_neighbors": 2, "weights": "uniform", "p": 2.0, "smoothing": 0.0, "facts": {}}
    >>> rows, answers = np.array([[0.0], [1.0], [5.0]]), np.array([10.0, 20.0, 90.0])
    >>> FittedNeighbors(rows, answers, n_classes=0, **settings).predict_row([0.4])
    15.0
    """

    def __init__(
        self,
        X: FloatArray,
        y: FloatArray,
        *,
        n_classes: int,
        n_neighbors: int,
        weights: Literal["uniform", "distance"],
        p: float,
        smoothing: float,
        facts: Mapping[str, Any],
    ) -> None:
        self._X, self._y = np.ascontiguousarray(X), np.ascontiguousarray(y)
        self.n_classes, self.n_neighbors = n_classes, n_neighbors
        self.weights, self.p, self.smoothing = weights, p, smoothing
        self._facts = dict(facts)
        self._squares = np.einsum("ij,ij->i", self._X, self._X)
        self._tree: Any = None
        if n_classes:
            counts = np.bincount(y.astype(np.int64), minlength=n_classes)
            self._frequencies = counts / counts.sum()

    def predict(self, inputs: Inputs) -> Predictions:
        """Return predictions for every row of `inputs`."""
        X = np.clip(inputs.X, -_LARGEST, _LARGEST)
        outputs = np.empty((len(X), max(1, self.n_classes)))
        size = max(1, _N_PAIRS_AT_ONCE // len(self._X))
        is_for_tree = len(X) * len(self._X) >= _N_PAIRS_FOR_TREE and X.shape[1] <= _MOST_FEATURES_FOR_TREE
        for start in range(0, len(X), size):
            part = X[start : start + size]
            neighbors, distances = self._by_tree(part) if is_for_tree else self._by_force(part)
            outputs[start : start + size] = self._answer(neighbors, distances)
        if not self.n_classes:
            return Predictions(outputs[:, 0])
        return Predictions(np.argmax(outputs, axis=1).astype(np.int64), outputs)

    def predict_row(self, values: Sequence[float]) -> float | list[float]:
        """Return one row's value or class probabilities, equal to those of `predict`."""
        row = np.clip(np.array(values, dtype=np.float64), -_LARGEST, _LARGEST)
        powers = self._powers(row, self._X)
        limit = np.partition(powers, self.n_neighbors - 1)[self.n_neighbors - 1]
        nearest = self._nearest(np.flatnonzero(powers <= limit), powers)
        outputs: list[float] = self._answer(nearest[0][None], nearest[1][None])[0].tolist()
        return outputs if self.n_classes else outputs[0]

    def facts(self) -> dict[str, Any]:
        """Return its title, and the number of neighbors where it was cut."""
        return dict(self._facts)

    def save(self, folder: Path) -> None:
        """Write ``weights.safetensors`` and ``learner.json``."""
        state = {
            "n_classes": self.n_classes,
            "n_neighbors": self.n_neighbors,
            "weights": self.weights,
            "p": self.p,
            "smoothing": self.smoothing,
            "facts": self._facts,
        }
        write_parameters(folder, {"X": self._X, "y": self._y}, state)

    @classmethod
    def load(cls, folder: Path) -> FittedNeighbors:
        """Return what `save` wrote.

        Raises
        ------
        PackageError
            If the files are not what `save` writes.
        """
        arrays, state = read_parameters(folder, _WHAT, {"X": 2, "y": 1})
        X, y = arrays["X"], arrays["y"]
        refuse_unless(_is_in_order(X, y, state), folder, _WHAT)
        return cls(X, y, **state)

    def _powers(self, row: FloatArray, rows: FloatArray) -> FloatArray:
        """Return the p-th power of the distance to each of `rows`, the same bits in any company."""
        differences = rows - row
        if self.p == 2:
            return np.asarray(np.einsum("ij,ij->i", differences, differences))
        np.abs(differences, out=differences)
        if self.p != 1:
            np.power(differences, self.p, out=differences)
        return np.asarray(np.einsum("ij->i", differences))

    def _nearest(self, candidates: IntArray, powers: FloatArray) -> tuple[IntArray, FloatArray]:
        """Return the nearest of `candidates` (ascending) and their distances; `powers` is of all rows."""
        order = np.argsort(powers[candidates], kind="stable")[: self.n_neighbors]
        nearest = candidates[order]
        return nearest, powers[nearest] ** (1 / self.p) if self.p != 2 else np.sqrt(powers[nearest])

    def _by_force(self, X: FloatArray) -> tuple[IntArray, FloatArray]:
        """Return the neighbors of every row of `X` and their distances, each (n_samples, n_neighbors)."""
        coarse, error = self._coarse(X)
        limits = np.partition(coarse, self.n_neighbors - 1, axis=1)[:, self.n_neighbors - 1] + 2 * error
        neighbors = np.empty((len(X), self.n_neighbors), dtype=np.int64)
        distances = np.empty((len(X), self.n_neighbors))
        for number, row in enumerate(X):
            candidates = np.flatnonzero(coarse[number] <= limits[number])
            powers = self._powers(row, self._X[candidates])
            order, distances[number] = self._nearest(np.arange(len(candidates)), powers)
            neighbors[number] = candidates[order]
        return neighbors, distances

    def _coarse(self, X: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return p-th powers of all distances, (n_samples, n_training_rows), and the error of each row's."""
        precision = 8 * (X.shape[1] + 8) * np.finfo(float).eps
        if self.p == 2:
            squares = np.einsum("ij,ij->i", X, X)
            coarse = _product_on_one_thread(X, self._X)
            coarse *= -2
            coarse += self._squares
            coarse += squares[:, None]
            return coarse, precision * (squares + self._squares.max())
        coarse = np.zeros((len(X), len(self._X)))
        for feature in range(X.shape[1]):
            differences = np.abs(X[:, feature, None] - self._X[:, feature])
            coarse += differences if self.p == 1 else differences**self.p
        return coarse, precision * coarse.max(axis=1)

    def _by_tree(self, X: FloatArray) -> tuple[IntArray, FloatArray]:
        """Return what `_by_force` returns, found in a tree; rows with a tie at the border by force."""
        try:
            from scipy.spatial import cKDTree
        except ImportError:
            return self._by_force(X)
        if self._tree is None:
            self._tree = cKDTree(self._X)
        n_found = min(self.n_neighbors + 1, len(self._X))
        found, rows = self._tree.query(X, k=np.arange(1, n_found + 1), p=self.p)
        neighbors = np.empty((len(X), self.n_neighbors), dtype=np.int64)
        distances = np.empty((len(X), self.n_neighbors))
        is_tied = np.zeros(len(X), dtype=bool)
        if n_found > self.n_neighbors:
            is_tied = found[:, -1] <= found[:, -2] * (1 + 1e-9)
        for number in np.flatnonzero(~is_tied):
            candidates = np.sort(rows[number, : self.n_neighbors])
            powers = self._powers(X[number], self._X[candidates])
            order, distances[number] = self._nearest(np.arange(len(candidates)), powers)
            neighbors[number] = candidates[order]
        if is_tied.any():
            neighbors[is_tied], distances[is_tied] = self._by_force(X[is_tied])
        return neighbors, distances

    def _answer(self, neighbors: IntArray, distances: FloatArray) -> FloatArray:
        """Return mean answers, or shares of the votes, shape (n_samples, 1 or n_classes)."""
        weights = np.full(distances.shape, 1 / self.n_neighbors)
        if self.weights == "distance":
            is_same = distances == 0
            with np.errstate(divide="ignore", invalid="ignore"):
                # A neighbor at distance zero is the row itself: such neighbors answer alone.
                nearest = distances[:, :1]
                weights = np.where(is_same.any(axis=1, keepdims=True), is_same, nearest / distances)
            weights /= np.einsum("ij->i", weights)[:, None]
        if not self.n_classes:
            return np.asarray(np.einsum("ij,ij->i", weights, self._y[neighbors])[:, None])
        votes = np.zeros((len(neighbors), self.n_classes))
        codes = self._y[neighbors].astype(np.int64)
        for place in range(self.n_neighbors):
            votes[np.arange(len(votes)), codes[:, place]] += weights[:, place]
        votes = votes * self.n_neighbors + self.smoothing * self._frequencies
        return np.asarray(votes / (self.n_neighbors + self.smoothing))


def _product_on_one_thread(X: FloatArray, rows: FloatArray) -> FloatArray:
    """Return ``X @ rows.T``; the caller knows how busy the machine is, so no further threads are taken."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        return np.asarray(X @ rows.T)


def _is_in_order(X: FloatArray, y: FloatArray, state: Mapping[str, Any]) -> bool:
    keys = {"n_classes", "n_neighbors", "weights", "p", "smoothing", "facts"}
    if set(state) != keys or len(X) != len(y) or not (np.isfinite(X).all() and np.isfinite(y).all()):
        return False
    n_classes, n_neighbors = state["n_classes"], state["n_neighbors"]
    return (
        isinstance(n_classes, int)
        and isinstance(n_neighbors, int)
        and 1 <= n_neighbors <= len(X)
        and (n_classes == 0 or bool(((y >= 0) & (y < n_classes)).all()))
        and state["weights"] in ("uniform", "distance")
        and all(isinstance(state[key], int | float) for key in ("p", "smoothing"))
        and isinstance(state["facts"], dict)
    )
