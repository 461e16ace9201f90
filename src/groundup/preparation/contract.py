"""Contract "Preparation": fitted on training rows, then the same on a batch and on one row.

A row of a table is a dict of column name to value. The batch and the row path are bit-equal for
elementwise plans, otherwise within 1e-12; the conformance suite checks every implementation.
What learns from the target gives training rows out-of-fold values, so that no row meets its own target.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from groundup.core.inputs import Form, Inputs, Needs, Supervision
from groundup.data.dataset import Dataset
from groundup.preparation.options import PreparationOptions


class Preparation(Protocol):
    """Turns raw rows into model inputs of one form."""

    form: Form

    @property
    def columns(self) -> tuple[str, ...]:
        """The raw columns that are read, in order."""

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the inputs."""

    @property
    def feature_sources(self) -> tuple[tuple[str, ...], ...]:
        """The raw columns that each input comes from."""

    def fit_transform(
        self, dataset: Dataset, needs: Needs, supervision: Supervision | None = None
    ) -> tuple[Inputs, NDArray[np.int64]]:
        """Fit on `dataset` (training rows only) and return its inputs and the positions of the rows kept."""

    def transform(self, frame: pl.DataFrame) -> Inputs:
        """Return the inputs of every row of `frame`, whose columns have their canonical types."""

    def transform_row(self, row: Mapping[str, Any]) -> Any:
        """Return one row for a dict of column name to value, as `Fitted.predict_row` takes it."""

    @property
    def encode_row(self) -> Any:
        """`transform_row` as a plain function."""

    def stack(self, rows: Sequence[Any]) -> Inputs:
        """Return as inputs what `transform_row` returned for several rows."""

    def describe(self) -> list[dict[str, Any]]:
        """Return what is done to each raw column, for people."""

    def describe_stages(self) -> list[dict[str, Any]]:
        """Return what is done to all columns together, for people."""

    def resolved_options(self) -> PreparationOptions:
        """Return the options with every `auto` replaced."""

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return what was fitted, as JSON values and named arrays."""

    @classmethod
    def from_state(cls, state: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Return the preparation that `state` described, without anything but its arguments."""
