"""Columns of a frame to be predicted, in the types that training had; lossy conversions are refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from groundup.core.errors import PredictionInputError, did_you_mean
from groundup.core.schema import Column, Storage

DTYPES: Final[Mapping[Storage, pl.DataType]] = {
    "integer": pl.Int64(),
    "float": pl.Float64(),
    "string": pl.String(),
    "boolean": pl.Boolean(),
    "datetime": pl.Datetime("us"),
}
"""The Polars type of each storage."""


def canonical_column(frame: pl.DataFrame, column: Column) -> pl.Series:
    """Return one column of `frame` in a type that the column's plan takes.

    Parameters
    ----------
    frame : polars.DataFrame
        Rows to predict.
    column : Column
        The column as it was in training.

    Returns
    -------
    polars.Series
        Numeric for "integer" and "float", else of the storage's own type.

    Raises
    ------
    PredictionInputError
        If the column is absent, or holds values of another type.
    """
    try:
        values = frame.get_column(column.name)
    except pl.exceptions.ColumnNotFoundError:
        raise PredictionInputError(
            f"The rows have no column `{column.name}`, which the model needs."
            f"{did_you_mean(column.name, frame.columns)}"
        ) from None
    wanted, dtype = DTYPES[column.storage], values.dtype
    if dtype == wanted:
        return values
    if dtype == pl.Null:
        return values.cast(wanted)
    if isinstance(dtype, pl.Categorical | pl.Enum):
        values, dtype = values.cast(pl.String), pl.String()
    if column.storage in ("integer", "float"):
        if dtype.is_numeric() or dtype == pl.Boolean:
            return values if dtype.is_integer() or dtype.is_float() else values.cast(pl.Float64)
        return _read_text(values, column)
    if column.storage == "datetime" and dtype.is_temporal() and dtype not in (pl.Time, pl.Duration):
        return _without_zone(values)
    if column.storage == "string" and dtype.is_integer():
        return values.cast(pl.String)
    if column.storage == "boolean" and dtype.is_integer() and values.drop_nulls().is_between(0, 1).all():
        return values.cast(pl.Boolean)
    return _read_text(values, column)


def _without_zone(values: pl.Series) -> pl.Series:
    if isinstance(values.dtype, pl.Datetime) and values.dtype.time_zone is not None:
        values = values.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    return values.cast(pl.Datetime("us"))


def _read_text(values: pl.Series, column: Column) -> pl.Series:
    """Read each distinct value as the single-row path does; the first that cannot be read is named."""
    from groundup.data.values import row_reader

    read = row_reader(column)
    distinct = values.unique(maintain_order=True)
    wanted = DTYPES[column.storage]
    parsed = []
    for value in distinct.to_list():
        try:
            parsed.append(read(value))
        except PredictionInputError as error:
            row = values.eq_missing(pl.Series([value], dtype=values.dtype)).arg_max()
            raise PredictionInputError(f"{error} It stands in row {row} (counted from 0).") from None
    table = pl.DataFrame(
        {"value": distinct, "parsed": pl.Series(parsed, dtype=pl.Float64 if wanted == pl.Int64 else wanted)}
    )
    joined = values.to_frame("value").join(
        table, on="value", how="left", nulls_equal=True, maintain_order="left"
    )
    return joined.get_column("parsed").alias(column.name)
