"""The forms that inputs take, and which preparation makes each: a matrix, token numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Protocol, Self

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from groundup.core.inputs import Form, Inputs, IntArray, Needs, Supervision
    from groundup.data.dataset import Dataset
    from groundup.preparation.options import PreparationOptions

PREPARATIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "matrix": "groundup.preparation.table:TablePreparation",
        "tokens": "groundup.preparation.tokens:TokenPreparation",
    }
)
"""Form → ``module:class``; a package says its form, and never what is imported for it."""


class Preparation(Protocol):
    """From raw columns to what a learner sees; learned from training rows, the same for one row or many."""

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
    ) -> tuple[Inputs, IntArray]:
        """Learn from training rows; return their inputs and which rows were kept."""

    def transform(self, frame: pl.DataFrame) -> Inputs:
        """Return the inputs of every row of a frame."""

    def transform_row(self, row: Mapping[str, Any]) -> Any:
        """Return the inputs of one row, as `Fitted.predict_row` takes them."""

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
        """Return what was learned, as JSON values and arrays."""

    @classmethod
    def from_state(cls, state: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Return the preparation that a state describes."""


def _class_of(form: str) -> Any:
    module, _, name = PREPARATIONS[form].partition(":")
    return getattr(import_module(module), name)


def make_preparation(options: PreparationOptions, form: Form) -> Preparation:
    """Return a preparation that is yet to learn from training rows.

    Parameters
    ----------
    options : PreparationOptions
        What the recipe asks for.
    form : Form
        What the learner takes (`Needs.form`).
    """
    preparation: Preparation = _class_of(form)(options)
    return preparation


def preparation_from_state(state: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Preparation:
    """Return the preparation that a package holds.

    Raises
    ------
    ValueError
        If its form is unknown.
    """
    form = state.get("form", "matrix")
    if form not in PREPARATIONS:
        raise ValueError(f"there is no preparation of the form `{form}`")
    preparation: Preparation = _class_of(form).from_state(state, arrays)
    return preparation
