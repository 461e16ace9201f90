"""Nearest neighbors: the training rows are the model."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from groundup.core.errors import TrainingError
from groundup.core.inputs import Inputs, Needs
from groundup.core.tasks import Task
from groundup.models.contract import Choice, FitContext, Learner, Range, SearchSpace
from groundup.models.neighbors_fitted import FittedNeighbors


class KNN(Learner):
    """Each row is answered by the training rows that are most like it.

    The saved model holds every training row (inputs and answers): do not give it to anybody who may
    not see them. A prediction costs time in proportion to the training rows.
    """

    title: ClassVar[str] = "nearest neighbors"
    idea: ClassVar[str] = "Looks up the training rows most like this one and answers as they did."
    reference: ClassVar[str] = (
        "Cover and Hart (1967), Nearest neighbor pattern classification, IEEE Transactions on Information "
        "Theory; Dudani (1976), The distance-weighted k-nearest-neighbor rule, IEEE Transactions on SMC"
    )
    optimizer: ClassVar[str] = "remembers the training rows; there is nothing to optimise."
    tasks: ClassVar[tuple[Task, ...]] = ("classification", "regression")
    fitted: ClassVar[str] = "groundup.models.neighbors_fitted:FittedNeighbors"

    n_neighbors: int = Field(default=5, ge=1, le=10_000)
    """Training rows that answer together; never more than there are."""
    weights: Literal["uniform", "distance"] = "uniform"
    """Whether all neighbors count alike, or near ones more (by the inverse of their distance)."""
    p: float = Field(default=2.0, ge=1, le=10)
    """How differences add up to a distance (Minkowski's exponent): 2 as the crow flies, 1 along the axes."""
    smoothing: float = Field(default=1.0, ge=0)
    """Further neighbors, in classification, that vote as the classes are frequent, so that no class is
    called impossible because five rows lack it; up to 1 they outvote no majority of equal votes."""

    def needs(self) -> Needs:
        """Return scaled numbers, one-hot categories, nothing missing."""
        return Needs(scaled=True, categories="one_hot", missing=False)

    def search_space(self) -> SearchSpace:
        """Return the numbers of neighbors, weights and distances worth trying."""
        return {
            "n_neighbors": Range(1, 100, log=True, integer=True),
            "weights": Choice(("uniform", "distance")),
            "p": Choice((1.0, 2.0)),
        }

    def fit(self, train: Inputs, validation: Inputs | None, context: FitContext) -> FittedNeighbors:  # noqa: ARG002
        """Remember the training rows."""
        y = train.y.astype(np.float64)
        if not (np.isfinite(train.X).all() and np.isfinite(y).all()):
            raise TrainingError("The inputs or the target hold values that are not finite numbers.")
        n_neighbors = min(self.n_neighbors, train.n_samples)
        facts: dict[str, Any] = {"learner": self.title}
        if n_neighbors < self.n_neighbors:
            facts |= {"chosen": {"n_neighbors": n_neighbors}, "chosen_by": "there are no more training rows"}
        return FittedNeighbors(
            train.X,
            y,
            n_classes=context.n_classes,
            n_neighbors=n_neighbors,
            weights=self.weights,
            p=self.p,
            smoothing=self.smoothing,
            facts=facts,
        )
