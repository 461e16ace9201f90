"""Fitting a table: which rows are kept, every column looked at once, as many together as memory allows."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final, TypeAlias

import numpy as np
import polars as pl

from groundup.core.errors import DataError
from groundup.core.inputs import FloatArray, IntArray, Needs, Supervision
from groundup.core.schema import Column
from groundup.data.dataset import Dataset
from groundup.preparation.arrays import Arrays, Factor, Numbers, Wanted, read_arrays
from groundup.preparation.booleans import fit_boolean
from groundup.preparation.categories import fit_category
from groundup.preparation.choices import check_columns, choose, needs_of_plans, own_options, resolve
from groundup.preparation.dates import fit_date
from groundup.preparation.numbers import NumberPlan, fit_number
from groundup.preparation.options import ColumnPreparation, PreparationOptions
from groundup.preparation.outliers import Outliers, find_outliers
from groundup.preparation.plan import Choice, ColumnPlan, Dropped, PlanKind
from groundup.preparation.target_encoding import fit_target_category
from groundup.preparation.text import fit_text
from groundup.preparation.tfidf import fit_tfidf

FitColumn: TypeAlias = Callable[[Column, Any, Choice], ColumnPlan | Dropped]

FITTERS: Final[Mapping[PlanKind, FitColumn]] = MappingProxyType(
    {
        "number": fit_number,
        "category": fit_category,
        "date": fit_date,
        "boolean": fit_boolean,
        "text": fit_text,
        "tfidf": fit_tfidf,
    }
)
"""What fits each kind of plan that needs no target."""

FIT_BYTES: Final = 64 * 2**20
"""Raw values looked at together, bytes; one column at least."""

_VALUE_BYTES: Final = MappingProxyType({"string": 32})


@dataclass(frozen=True)
class TableFit:
    """What fitting a table found.

    Parameters
    ----------
    plans : tuple of ColumnPlan
        Of the columns used, in the order of the schema.
    dropped : dict of str to Dropped
        The columns left out.
    resolved : dict
        The options with every `auto` replaced, as JSON values.
    kept : ndarray of shape (n_kept,)
        Positions of the rows kept, sorted.
    arrays : list of Arrays or None
        The kept rows of each plan, where they fitted into memory together.
    out_of_fold : dict of str to ndarray of shape (n_kept, n_features)
        By column, what its training rows get in the place of what the plan makes of them.
    """

    plans: tuple[ColumnPlan, ...]
    dropped: dict[str, Dropped]
    resolved: dict[str, Any]
    kept: IntArray
    arrays: list[Arrays] | None
    out_of_fold: Mapping[str, FloatArray]


def fit_table(
    dataset: Dataset, options: PreparationOptions, needs: Needs, supervision: Supervision | None = None
) -> TableFit:
    """Fit every column's plan; memory is bounded by `FIT_BYTES` or the largest column.

    Parameters
    ----------
    dataset : Dataset
        Training rows with the feature columns only.
    options : PreparationOptions
        What is asked for.
    needs : Needs
        What the learner declares.
    supervision : Supervision, optional
        The targets of the rows, for `encode: target`.

    Returns
    -------
    TableFit

    Raises
    ------
    DataError
        If there are no rows, or no column is left.
    RecipeError
        If an option cannot be meant for a column.
    """
    check_columns(options, dataset.schema)
    needs = needs_of_plans(options, needs)
    general = resolve(options, needs)
    chosen = {column.name: choose(column, options, general, needs) for column in dataset.schema}
    choices = {name: choice for name, choice in chosen.items() if isinstance(choice, Choice)}
    outliers = _outliers_to_drop(dataset, choices)
    kept, rows = _kept_rows(dataset, choices, outliers)
    known = None if supervision is None else supervision.take(kept)
    fitted, arrays, out_of_fold = _fit_columns(dataset, rows, choices, known, n_rows=len(kept))
    for name, found in outliers.items():
        plan = fitted[name]
        fitted[name] = replace(plan, outliers=found) if isinstance(plan, NumberPlan) else plan
    results = {name: each for name, each in {**chosen, **fitted}.items() if not isinstance(each, Choice)}
    dropped = {name: each for name, each in results.items() if isinstance(each, Dropped)}
    useless = {name: dropped[name] for name in dropped if _leaves_rows_out(chosen[name])}
    if useless:  # a column that is left out must not cost rows
        own = {**options.columns, **dict.fromkeys(useless, ColumnPreparation(drop=True))}
        again = fit_table(dataset, options.model_copy(update={"columns": own}), needs, supervision)
        return replace(again, dropped={**again.dropped, **useless})
    plans = tuple(each for each in results.values() if not isinstance(each, Dropped))
    if not plans:
        raise DataError(_nothing_left(dropped))
    columns = {
        name: ColumnPreparation(drop=True) if name in dropped else own_options(choices[name])
        for name in chosen
    }
    # Columns dropped before this keep their place, so that resolving again changes nothing.
    resolved = general.model_copy(update={"columns": {**options.columns, **columns}})
    kept_arrays = None if arrays is None else [arrays[plan.column.name] for plan in plans]
    return TableFit(plans, dropped, resolved.model_dump(mode="json"), kept, kept_arrays, out_of_fold)


def tell_outliers(dataset: Dataset, options: PreparationOptions) -> list[str]:
    """Return how many outliers each column has for which the options ask, before anything is done to them.

    Parameters
    ----------
    dataset : Dataset
        Training rows with the feature columns only.
    options : PreparationOptions
        What is asked for.

    Returns
    -------
    list of str
        A clause for each such column that has any: "`age`: 3 values (1 %) below 0 or above 80 (…): moved …".
    """
    if options.outliers == "none" and all(own.outliers is None for own in options.columns.values()):
        return []
    needs = Needs(categories="codes", missing=True)  # under which no option is refused
    general = resolve(options, needs)
    told = []
    for column in dataset.schema:
        choice = choose(column, options, general, needs)
        if isinstance(choice, Choice) and choice.plan == "number":
            observed = _observed(dataset, column)
            found = find_outliers(observed, choice) if len(observed) else None
            told += [] if found is None or not found.n_outside else [f"`{column.name}`: {found.step()}"]
    return told


def _outliers_to_drop(dataset: Dataset, choices: Mapping[str, Choice]) -> dict[str, Outliers]:
    found: dict[str, Outliers] = {}
    for name, choice in choices.items():
        if choice.outliers == "drop_rows":
            observed = _observed(dataset, dataset.schema[name])
            outliers = find_outliers(observed, choice) if len(observed) else None
            found |= {} if outliers is None else {name: outliers}
    return found


def _observed(dataset: Dataset, column: Column) -> FloatArray:
    arrays = read_arrays(dataset.rows.select(column.name).collect(), [Wanted(column, "number")])[0]
    assert isinstance(arrays, Numbers)
    return arrays.observed


def _kept_rows(
    dataset: Dataset, choices: Mapping[str, Choice], outliers: Mapping[str, Outliers]
) -> tuple[IntArray, pl.LazyFrame]:
    """Return the positions of the rows that no `drop_rows` leaves out, and those rows."""
    strict = [name for name, choice in choices.items() if choice.impute == "drop_rows"]
    if not strict and not outliers:
        if not dataset.n_rows:
            raise DataError("There are no rows to learn from.")
        return np.arange(dataset.n_rows), dataset.rows
    is_present = pl.all_horizontal(
        *(_is_present(pl.col(name), dataset.schema[name]) for name in strict),
        *(_is_inside(pl.col(name), found) for name, found in outliers.items()),
    )
    kept = np.flatnonzero(dataset.rows.select(is_present).collect().to_series().to_numpy())
    if not len(kept):
        names = ", ".join(f"`{name}`" for name in dict.fromkeys([*strict, *outliers]))
        remedy = " or an outlier. Fill them in or clip" if outliers else ". Fill"
        raise DataError(
            f"`drop_rows` leaves no row: in each of the {dataset.n_rows} rows one of {names} is missing"
            f"{remedy} them instead."
        )
    return kept, dataset.rows.filter(is_present)


def _leaves_rows_out(choice: Choice | Dropped) -> bool:
    return isinstance(choice, Choice) and "drop_rows" in (choice.impute, choice.outliers)


def _is_present(values: pl.Expr, column: Column) -> pl.Expr:
    return values.is_finite().fill_null(value=False) if column.storage == "float" else values.is_not_null()


def _is_inside(values: pl.Expr, outliers: Outliers) -> pl.Expr:
    numbers = values.cast(pl.Float64)
    is_outside = numbers.is_finite() & ((numbers < outliers.low) | (numbers > outliers.high))
    return ~is_outside.fill_null(value=False)


def _fit_columns(
    dataset: Dataset,
    rows: pl.LazyFrame,
    choices: Mapping[str, Choice],
    supervision: Supervision | None,
    *,
    n_rows: int,
) -> tuple[dict[str, ColumnPlan | Dropped], dict[str, Arrays] | None, dict[str, FloatArray]]:
    fitted: dict[str, ColumnPlan | Dropped] = {}
    out_of_fold: dict[str, FloatArray] = {}
    groups = list(_groups([dataset.schema[name] for name in choices], n_rows))
    arrays: dict[str, Arrays] = {}
    for names in groups:
        wanted = [Wanted(dataset.schema[name], choices[name].plan) for name in names]
        arrays = dict(zip(names, read_arrays(rows.select(names).collect(), wanted), strict=True))
        for name in names:
            choice, values, column = choices[name], arrays[name], dataset.schema[name]
            if choice.plan != "target_category":
                fitted[name] = FITTERS[choice.plan](column, values, choice)
                continue
            assert isinstance(values, Factor)
            found = fit_target_category(column, values, choice, supervision)
            if isinstance(found, Dropped):
                fitted[name] = found
            else:
                fitted[name], out_of_fold[name] = found
    return fitted, arrays if len(groups) == 1 else None, out_of_fold


def _groups(columns: Sequence[Column], n_rows: int) -> Iterator[list[str]]:
    """Yield the columns' names in order, together what fits into `FIT_BYTES`."""
    group: list[str] = []
    n_bytes = 0
    for column in columns:
        size = _n_bytes(column) * n_rows
        if group and n_bytes + size > FIT_BYTES:
            yield group
            group, n_bytes = [], 0
        group.append(column.name)
        n_bytes += size
    if group:
        yield group


def _n_bytes(column: Column) -> int:
    return _VALUE_BYTES.get(column.storage, 8)


def _nothing_left(dropped: Mapping[str, Dropped]) -> str:
    reasons = "; ".join(f"`{name}`: {each.why}" for name, each in list(dropped.items())[:5])
    more = f"; and {len(dropped) - 5} more" if len(dropped) > 5 else ""
    return (
        f"No column is left to learn from ({reasons or 'there is none'}{more}). "
        "Add columns, or say with `data.columns` what they are."
    )
