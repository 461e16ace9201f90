"""Missing numbers filled with the mean of the most similar training rows (k nearest neighbors).

A row that misses a number is compared with stored training rows, the donors, in every number, boolean and
level that both have; the nearest ones that have the number give their mean. Donors are stored with the
model, so there is a bound on how many.

References
----------
Troyanskaya et al. (2001), "Missing value estimation methods for DNA microarrays", Bioinformatics 17;
`sklearn.impute.KNNImputer`, whose distance over what both rows have this is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from groundup.core.inputs import FloatArray, IntArray
from groundup.core.wording import count
from groundup.preparation.scaling import LARGEST, mean
from groundup.preparation.stages.contract import GapFilling, StageContext, Told, tell_filled
from groundup.preparation.stages.one_scale import SUBSTANCE, OneScale


@dataclass(frozen=True, eq=False)
class NearestRows(GapFilling):
    """Fills some numbers with their mean over the most similar donors.

    Distances to donors at the same distance are told apart by their order, so that a row is filled the
    same whether it comes alone or in a batch.

    Parameters
    ----------
    feature_names : tuple of str
        Of all inputs.
    targets : tuple of int
        The inputs that are filled.
    scale : OneScale
        What rows are compared in.
    n_neighbors : int
        How many donors are averaged, at most.
    donors : ndarray of shape (n_donors, scale.width)
        Training rows on one scale, NaN where a number is missing.
    values : ndarray of shape (n_donors, n_targets)
        What they have in the inputs that are filled, NaN where it is missing.
    means : tuple of float
        By target: what fills it in a row that shares nothing with any donor.
    n_seen : int
        Training rows that the donors were drawn from.
    n_missing : tuple of int
        By target: in how many of them it was missing.
    """

    feature_names: tuple[str, ...]
    targets: tuple[int, ...]
    scale: OneScale
    n_neighbors: int
    donors: FloatArray
    values: FloatArray
    means: tuple[float, ...]
    n_seen: int
    n_missing: tuple[int, ...]
    kind: ClassVar[str] = "knn"

    def transform(self, X: FloatArray) -> FloatArray:
        """Return the rows with their missing numbers filled, shape (n_samples, n_features)."""
        filled = X.copy()
        rows = np.flatnonzero(np.isnan(X[:, list(self.targets)]).any(axis=1))
        for row, compared in zip(rows, self.scale.transform(X[rows]), strict=True):
            self._fill(filled[row], compared)
        return filled

    def transform_row(self, values: list[float]) -> list[float]:
        """Return one row with its missing numbers filled, the same bits as in a batch."""
        # Only NaN differs from itself; a complete row costs no more than this look.
        if any(values[target] != values[target] for target in self.targets):
            self._fill(values, self.scale.transform(np.array([values]))[0])
        return values

    def _fill(self, values: list[float] | FloatArray, compared: FloatArray) -> None:
        distances = self._distances(compared)
        for place, target in enumerate(self.targets):
            if values[target] != values[target]:
                values[target] = self._mean_of_nearest(place, distances)

    def _distances(self, compared: FloatArray) -> FloatArray:
        """Return the squared distance to each donor, as if both had everything; NaN if they share nothing."""
        n_numbers = len(self.scale.numbers)
        numbers, flags = compared[:n_numbers], compared[n_numbers:]
        is_missing = np.isnan(numbers)
        differences = self._numbers - np.where(is_missing, 0.0, numbers)
        differences[:, is_missing] = 0.0
        n_shared = np.full(len(self.donors), float(self.scale.width - is_missing.sum()))
        if self._is_present is not None:
            differences *= self._is_present
            n_shared = np.einsum("ij,j->i", self._is_present, (~is_missing).astype(float)) + len(flags)
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            squares = np.einsum("ij,ij->i", differences, differences)
            if len(flags):
                squares += self._n_flags + flags.sum() - 2 * np.einsum("ij,j->i", self._flags, flags)
            return np.asarray(np.where(n_shared > 0, squares * (self.scale.width / n_shared), np.nan))

    def _mean_of_nearest(self, place: int, distances: FloatArray) -> float:
        donors = self._donors_of[place]
        donors = donors[~np.isnan(distances[donors])]
        if not len(donors):
            return self.means[place]
        n_neighbors = min(self.n_neighbors, len(donors))
        near = distances[donors]
        limit = np.partition(near, n_neighbors - 1)[n_neighbors - 1]
        candidates = np.flatnonzero(near <= limit)
        nearest = candidates[np.argsort(near[candidates], kind="stable")[:n_neighbors]]
        return float(self.values[donors[nearest], place].mean())

    @cached_property
    def _numbers(self) -> FloatArray:
        numbers = self.donors[:, : len(self.scale.numbers)]
        return np.ascontiguousarray(np.where(np.isnan(numbers), 0.0, numbers))

    @cached_property
    def _is_present(self) -> FloatArray | None:
        is_present = ~np.isnan(self.donors[:, : len(self.scale.numbers)])
        return None if is_present.all() else np.ascontiguousarray(is_present, dtype=np.float64)

    @cached_property
    def _flags(self) -> FloatArray:
        return np.ascontiguousarray(self.donors[:, len(self.scale.numbers) :])

    @cached_property
    def _n_flags(self) -> FloatArray:
        return np.asarray(self._flags.sum(axis=1))

    @cached_property
    def _donors_of(self) -> list[IntArray]:
        return [np.flatnonzero(~np.isnan(column)) for column in self.values.T]

    def tell(self) -> Told:
        """Return which numbers are filled, and from how many rows."""
        filled = tell_filled([self.feature_names[target] for target in self.targets], self.n_missing)
        kept = f"{count(len(self.donors), 'training row')} stored with the model"
        if self.n_seen > len(self.donors):
            kept = f"{count(len(self.donors))} of {count(self.n_seen)} training rows, drawn and stored"
        return Told(
            f"{filled} the mean of the {self.n_neighbors} most similar of {kept}",
            f"a row that misses one of them is compared with {count(len(self.donors), 'stored row')} in "
            f"{count(self.scale.width, 'number')}; others cost nothing",
        )

    def state(self) -> dict[str, Any]:
        """Return all but the donors as JSON values."""
        return {
            "feature_names": list(self.feature_names),
            "targets": list(self.targets),
            "scale": self.scale.state(),
            "n_neighbors": self.n_neighbors,
            "means": list(self.means),
            "n_seen": self.n_seen,
            "n_missing": list(self.n_missing),
        }

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Return the donors; 0/1 columns take a byte a value."""
        n_numbers = len(self.scale.numbers)
        return {
            "numbers": np.ascontiguousarray(self.donors[:, :n_numbers]),
            "flags": np.ascontiguousarray(self.donors[:, n_numbers:], dtype=np.uint8),
            "values": self.values,
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any], arrays: Mapping[str, NDArray[np.generic]]) -> NearestRows:
        """Return the stage that `state` and `arrays` described."""
        scale, targets = OneScale.from_state(state["scale"]), tuple(state["targets"])
        donors = np.hstack([arrays["numbers"], arrays["flags"].astype(np.float64)])
        values = np.asarray(arrays["values"], dtype=np.float64)
        if donors.shape != (len(values), scale.width) or values.shape[1:] != (len(targets),):
            raise ValueError(f"{donors.shape} donors for {scale.width} numbers")
        names, means, n_missing = (tuple(state[name]) for name in ("feature_names", "means", "n_missing"))
        n_neighbors, n_seen = state["n_neighbors"], state["n_seen"]
        return cls(names, targets, scale, n_neighbors, donors, values, means, n_seen, n_missing)


def fit_nearest_rows(X: FloatArray, context: StageContext, targets: Sequence[int]) -> NearestRows:
    """Draw the donors and keep them.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Training rows, NaN where a number is missing.
    context : StageContext
        Its seed draws the donors where there are more than `impute_donors` rows.
    targets : sequence of int
        The columns to be filled.

    Returns
    -------
    NearestRows
    """
    scale = OneScale.fit(X, context.roles, context.n_levels, SUBSTANCE)
    rows = draw_rows(len(X), context.options.impute_donors, context.seed)
    values = np.clip(X[:, list(targets)], -LARGEST, LARGEST)
    return NearestRows(
        context.feature_names,
        tuple(targets),
        scale,
        context.options.impute_neighbors,
        scale.transform(X[rows]),
        values[rows],
        tuple(mean(column[~np.isnan(column)]) for column in values.T),
        len(X),
        tuple(np.isnan(values).sum(axis=0).tolist()),
    )


def draw_rows(n_rows: int, n_most: int, seed: int) -> IntArray:
    """Return the positions of all rows, or of `n_most` drawn at random, sorted.

    Examples
    --------
    >>> draw_rows(3, 5, 0).tolist(), len(draw_rows(100, 5, 0))
    ([0, 1, 2], 5)
    """
    if n_rows <= n_most:
        return np.arange(n_rows)
    return np.sort(np.random.default_rng(seed).choice(n_rows, n_most, replace=False))
