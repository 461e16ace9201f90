"""One row: a dict of raw values to a list of floats, without NumPy or Polars.

Each column's plan is compiled once into a closure that writes its features into their places; a row is
then a copied template and one call per column.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from groundup.core.errors import PackageError, PredictionInputError, did_you_mean
from groundup.core.schema import Column
from groundup.preparation.booleans import BooleanPlan
from groundup.preparation.categories import CategoryPlan
from groundup.preparation.dates import DatePlan
from groundup.preparation.numbers import NumberPlan
from groundup.preparation.plan import ColumnPlan
from groundup.preparation.target_encoding import TargetCategoryPlan
from groundup.preparation.text import TextPlan
from groundup.preparation.tfidf import TfidfPlan

if TYPE_CHECKING:
    from groundup.preparation.stages.contract import Stage

EncodeRow: TypeAlias = Callable[[Mapping[str, Any]], list[float]]

PLANS: Final[Mapping[str, type[ColumnPlan]]] = MappingProxyType(
    {
        "number": NumberPlan,
        "category": CategoryPlan,
        "date": DatePlan,
        "boolean": BooleanPlan,
        "text": TextPlan,
        "tfidf": TfidfPlan,
        "target_category": TargetCategoryPlan,
    }
)
"""Every kind of plan, by its name in a state."""

VERSION: Final = 1
"""Format of a state without stages."""

VERSION_WITH_STAGES: Final = 2
"""Format of a state with stages, which versions that know of none must refuse."""


def plans_from_state(state: Mapping[str, Any]) -> list[ColumnPlan]:
    """Return the column plans that a preparation's state holds.

    Raises
    ------
    PackageError
        If the state is of another format or incomplete.
    """
    if state.get("version") not in (VERSION, VERSION_WITH_STAGES):
        raise PackageError(
            f"The preparation is of format `{state.get('version')}`; this version of groundup reads "
            f"{VERSION} and {VERSION_WITH_STAGES}. Train the model again, or load it with the version that "
            "wrote it."
        )
    try:
        return [_plan_from_state(entry) for entry in state["columns"]]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise PackageError(
            f"The preparation's state is damaged: `{error!r}`. Copy the package again."
        ) from error


def _plan_from_state(entry: Mapping[str, Any]) -> ColumnPlan:
    column = Column(**{**entry["column"], "missing": tuple(entry["column"]["missing"])})
    return PLANS[entry["plan"]].from_state(column, entry["fitted"])


def compile_row(plans: Sequence[ColumnPlan], stages: Sequence[Stage] = ()) -> EncodeRow:
    """Return the function that turns one row's dict into one row of ``X``.

    Parameters
    ----------
    plans : sequence of ColumnPlan
        In the order of their features.
    stages : sequence of Stage
        What the row goes through then.

    Returns
    -------
    callable
        From a mapping of column name to raw value to a list of n_features floats. Columns that no
        plan uses are ignored. It raises PredictionInputError, naming the column, when a column is
        absent or holds what cannot be read.
    """
    writers, n_features = [], 0
    for plan in plans:
        writers.append((plan.column.name, plan.compile_row(n_features)))
        n_features += len(plan.feature_names)
    template = [0.0] * n_features

    def encode_row(row: Mapping[str, Any]) -> list[float]:
        out = template.copy()
        try:
            for name, write in writers:
                write(row[name], out)
        except KeyError:
            _refuse_absent(row, [name for name, _ in writers])
            raise
        return out

    return _through(encode_row, stages) if stages else encode_row


def _through(encode_row: EncodeRow, stages: Sequence[Stage]) -> EncodeRow:
    steps = [stage.transform_row for stage in stages]

    def encode_through(row: Mapping[str, Any]) -> list[float]:
        values = encode_row(row)
        for step in steps:
            values = step(values)
        return values

    return encode_through


def row_encoder(state: Mapping[str, Any]) -> EncodeRow:
    """Return `compile_row` of the plans in the state of a preparation that has no stages."""
    return compile_row(plans_from_state(state))


def _refuse_absent(row: Mapping[str, Any], names: Sequence[str]) -> None:
    absent = next((name for name in names if name not in row), None)
    if absent is not None:
        raise PredictionInputError(
            f"The row has no column `{absent}`, which the model needs.{did_you_mean(absent, row)} "
            "Give it, as None where it is missing."
        )
