"""Contract "Preparation": fitted on training rows, then the same on a batch and on one row.

A row of a table is a dict of column name to value. The batch and the row path are bit-equal for
elementwise plans, otherwise within 1e-12; the conformance suite checks every implementation.
What learns from the target gives training rows out-of-fold values, so that no row meets its own target.
"""

from collections.abc import Mapping
from typing import Any, Protocol, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from groundup.core.inputs import Inputs, Needs, Supervision
from groundup.data.dataset import Dataset


class Preparation(Protocol):
    """Turns raw rows into model inputs."""

    def fit_transform(
        self, dataset: Dataset, needs: Needs, supervision: Supervision | None = None
    ) -> tuple[Inputs, NDArray[np.int64]]:
        """Fit on `dataset` (training rows only) and return its inputs and the positions of the rows kept."""

    def transform(self, frame: pl.DataFrame) -> Inputs:
        """Return the inputs of every row of `frame`, whose columns have their canonical types."""

    def transform_row(self, row: Mapping[str, Any]) -> list[float]:
        """Return one row of ``Inputs.X`` for a dict of column name to value."""

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[np.generic]]]:
        """Return what was fitted, as JSON values and named arrays."""

    @classmethod
    def from_state(cls, state: Mapping[str, Any], arrays: Mapping[str, NDArray[np.generic]]) -> Self:
        """Return the preparation that `state` described, without anything but its arguments."""
