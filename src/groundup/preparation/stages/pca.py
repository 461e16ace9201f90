"""Principal components: the directions in which training rows differ most, in the place of the inputs.

References
----------
Jolliffe (2002), "Principal component analysis"; `sklearn.decomposition.PCA`, which fits them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from groundup.core.inputs import FloatArray
from groundup.core.wording import count, percent
from groundup.preparation.stages.contract import StageContext, Told

FARTHEST: Final = 1e100
"""Inputs are kept within ±FARTHEST, so that their squares can be summed."""

N_LOADINGS: Final = 4
"""Inputs named for each component: those with the largest weights."""


@dataclass(frozen=True, eq=False)
class PrincipalComponents:
    """Replaces inputs by their components, which are named "pca 1", "pca 2" and so on.

    Parameters
    ----------
    inputs : tuple of str
        The inputs' names.
    mean : ndarray of shape (n_inputs,)
        Of the training rows.
    components : ndarray of shape (n_components, n_inputs)
        Directions of length 1; the largest weight of each is positive.
    variances : ndarray of shape (n_components,)
        Of the training rows along each direction.
    total_variance : float
        Of the training rows, along all directions.
    note : str
        What a reader should know; "" where there is nothing.
    """

    inputs: tuple[str, ...]
    mean: FloatArray
    components: FloatArray
    variances: FloatArray
    total_variance: float
    note: str = ""
    kind: ClassVar[str] = "pca"
    option: ClassVar[str] = "reduce"

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the components."""
        return tuple(f"pca {number}" for number in range(1, len(self.components) + 1))

    @property
    def origins(self) -> None:
        """Components are mixtures."""
        return

    def transform(self, X: FloatArray) -> FloatArray:
        """Return the components of every row, shape (n_samples, n_components)."""
        # einsum and not BLAS: it starts no threads, and a row's bits do not depend on its batch.
        centred = np.clip(X, -FARTHEST, FARTHEST) - self.mean
        return np.asarray(np.einsum("ij,kj->ik", centred, self.components))

    def transform_row(self, values: list[float]) -> list[float]:
        """Return the components of one row."""
        components: list[float] = self.transform(np.array([values]))[0].tolist()
        return components

    @cached_property
    def shares(self) -> FloatArray:
        """The share of the variance along each component, shape (n_components,)."""
        return self.variances / self.total_variance if self.total_variance > 0 else self.variances

    def tell(self) -> Told:
        """Return how much of the variance the components hold, and what they are made of."""
        n_components, n_inputs = self.components.shape
        held = percent(min(1.0, float(self.shares.sum())))
        verb = "holds" if n_components == 1 else "hold"
        rows = [
            (name, float(share), float(so_far), self._loadings(component))
            for name, share, so_far, component in zip(
                self.feature_names, self.shares, self.shares.cumsum(), self.components, strict=True
            )
        ]
        return Told(
            f"{count(n_components, 'component')} {verb} {held} of the variance of "
            f"{count(n_inputs, 'input')}{self.note}",
            f"{count(self.components.size, 'multiplication')}",
            "What the components are made of",
            ("Component", "Share of the variance", "Together", "Largest weights"),
            tuple(rows),
        )

    def _loadings(self, component: FloatArray) -> str:
        largest = np.argsort(-np.abs(component), kind="stable")[:N_LOADINGS]
        return ", ".join(f"{component[place]:+.2f} {self.inputs[place]}" for place in largest)

    def state(self) -> dict[str, Any]:
        """Return the names as JSON values."""
        return {"inputs": list(self.inputs), "total_variance": self.total_variance, "note": self.note}

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Return the directions and what they hold."""
        return {"mean": self.mean, "components": self.components, "variances": self.variances}

    @classmethod
    def from_state(
        cls, state: Mapping[str, Any], arrays: Mapping[str, NDArray[np.generic]]
    ) -> PrincipalComponents:
        """Return the stage that `state` and `arrays` described."""
        inputs = tuple(state["inputs"])
        mean, components, variances = (
            np.ascontiguousarray(arrays[name], dtype=np.float64)
            for name in ("mean", "components", "variances")
        )
        if components.shape != (len(variances), len(inputs)) or mean.shape != (len(inputs),):
            raise ValueError(f"{components.shape} components of {len(inputs)} inputs")
        return cls(inputs, mean, components, variances, float(state["total_variance"]), state["note"])


def fit_pca(X: FloatArray, context: StageContext) -> PrincipalComponents:
    """Find the components with scikit-learn.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Training rows, nothing missing; numbers on one scale unless the recipe forbids it.
    context : StageContext
        Its options say how many components.

    Returns
    -------
    PrincipalComponents
        All there are, where the rows or inputs are fewer than the components asked for.
    """
    from sklearn.decomposition import PCA

    asked, n_most = context.options.reduce_components, min(X.shape)
    limited = np.clip(X, -FARTHEST, FARTHEST)
    mean = limited.mean(axis=0)
    limited -= mean
    total = float(limited.var(axis=0, ddof=1).sum()) if len(X) > 1 else 0.0
    components, variances = np.eye(1, X.shape[1]), np.zeros(1)
    if total > 0:
        # The covariance takes less time and memory where rows are many; it needs more of them than inputs.
        solver = "covariance_eigh" if len(X) > X.shape[1] else "full"
        n_components = min(asked, n_most) if isinstance(asked, int) else asked
        pca = PCA(n_components, svd_solver=solver).fit(limited)
        components, variances = np.ascontiguousarray(pca.components_), pca.explained_variance_
    note = f" ({count(asked)} were asked for)" if isinstance(asked, int) and asked > n_most else ""
    if context.options.scale == "none":
        note += "; numbers are on their own scales, as the recipe asks, so large ones decide"
    return PrincipalComponents(context.feature_names, mean, components, variances, total, note)
