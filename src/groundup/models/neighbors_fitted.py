"""Fitted nearest neighbors: the training rows, and how the answers of the nearest are put together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from groundup.core.inputs import FloatArray, Inputs, IntArray, Predictions
from groundup.models.nearest_rows import NearestRows
from groundup.models.parameters import read_parameters, refuse_unless, write_parameters

_WHAT: Final = "nearest neighbors"
_N_NEIGHBORS_AT_ONCE: Final = 4_000_000  # held at a time, with their distances
_LARGEST: Final = 1e15  # beyond, the tenth power of a difference would not be a number any more


class FittedNeighbors:
    """The training rows and how their answers are put together.

    Neighbors at equal distance are taken in the order of the training rows, and a row's answer does not
    depend on its batch.

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
        self._X, self._y = np.clip(X, -_LARGEST, _LARGEST, order="C"), np.ascontiguousarray(y)
        self.n_classes, self.n_neighbors = n_classes, n_neighbors
        self.weights, self.p, self.smoothing = weights, p, smoothing
        self._facts = dict(facts)
        self._search = NearestRows(self._X, n_neighbors, p)
        if n_classes:
            counts = np.bincount(y.astype(np.int64), minlength=n_classes)
            self._frequencies = counts / counts.sum()

    def predict(self, inputs: Inputs) -> Predictions:
        """Return predictions for every row of `inputs`."""
        X = np.clip(inputs.X, -_LARGEST, _LARGEST)
        outputs = np.empty((len(X), max(1, self.n_classes)))
        size = max(1, _N_NEIGHBORS_AT_ONCE // self.n_neighbors)
        for start in range(0, len(X), size):
            part = slice(start, start + size)
            outputs[part] = self._answer(*self._search.nearest(X[part]))
        if not self.n_classes:
            return Predictions(outputs[:, 0])
        return Predictions(np.argmax(outputs, axis=1).astype(np.int64), outputs)

    def predict_row(self, values: Sequence[float]) -> float | list[float]:
        """Return one row's value or class probabilities, equal to those of `predict`."""
        row = np.clip(np.array(values, dtype=np.float64), -_LARGEST, _LARGEST)
        neighbors, distances = self._search.nearest_to_row(row)
        outputs: list[float] = self._answer(neighbors[None], distances[None])[0].tolist()
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
