"""Parquet files: typed already, read column by column, and scanned lazily where they are large."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import polars as pl

from groundup.core.errors import DataError
from groundup.core.findings import Finding
from groundup.core.schema import Column, Schema
from groundup.data.columns import Collected, Wanted, typed_column
from groundup.data.dataset import Dataset
from groundup.data.frames import unique_names
from groundup.data.parsing import CANONICAL

_MAX_CELLS_IN_MEMORY: Final = 30_000_000


def is_parquet(path: Path) -> bool:
    """Return whether the file starts as Parquet files do, whatever its name."""
    with path.open("rb") as file:
        return file.read(4) == b"PAR1"


def read_parquet(path: Path, wanted_columns: Callable[[Sequence[str]], list[Wanted | None]]) -> Dataset:
    """Read a Parquet file; above 30 million cells its rows stay on disk until they are needed.

    Raises
    ------
    DataError
        If the file is damaged or empty, or a column holds no single values.
    """
    try:
        scan = pl.scan_parquet(path, glob=False)
        raw_names = scan.collect_schema().names()
        n_rows = int(scan.select(pl.len()).collect().item())
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(
            f"The Parquet file `{path}` is damaged ({str(error).splitlines()[0][:120]}). Copy or "
            "export it again."
        ) from None
    if n_rows == 0:
        raise DataError(f"The Parquet file `{path}` holds no rows. Export the data again.")
    wanted = wanted_columns(unique_names(raw_names))
    chosen = [(raw, each) for raw, each in zip(raw_names, wanted, strict=True) if each is not None]
    is_small = n_rows * len(chosen) <= _MAX_CELLS_IN_MEMORY
    collected: list[Collected] = []
    for raw, each in chosen:
        result = typed_column(_column(scan, raw, path), each)
        collected.append(result if is_small else replace(result, values=result.values.clear()))
    schema = Schema(each.column for each in collected)
    findings = tuple(finding for each in collected for finding in each.findings)
    if is_small:
        rows = pl.DataFrame([each.values for each in collected]).lazy()
    else:
        rows = scan.select(
            _lazily(raw, result.column, str(path)) for (raw, _), result in zip(chosen, collected, strict=True)
        )
    return Dataset(
        rows, schema, n_rows, str(path), (*_renamed(raw_names, schema), *findings), (("format", "Parquet"),)
    )


def _column(scan: pl.LazyFrame, name: str, path: Path) -> pl.Series:
    try:
        return scan.select(pl.col(name)).collect().to_series()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(
            f"The Parquet file `{path}` is damaged in column `{name}` ({str(error).splitlines()[0][:120]}). "
            "Copy or export it again."
        ) from None


def _lazily(raw: str, column: Column, origin: str) -> pl.Expr:
    """Return the expression that reads a column the way it was found."""
    wanted = Wanted(column.name, (), column=column, origin=origin)
    dtype = CANONICAL[column.storage]

    def convert(series: pl.Series) -> pl.Series:
        return typed_column(series, wanted).values.cast(dtype)

    return pl.col(raw).map_batches(convert, return_dtype=dtype, is_elementwise=True).alias(column.name)


def _renamed(names: Sequence[str], schema: Schema) -> tuple[Finding, ...]:
    changed = [
        (old, new)
        for old, new in zip(names, unique_names(names), strict=True)
        if old != new and new in schema
    ]
    if not changed:
        return ()
    shown = ", ".join(f"`{old}` → `{new}`" for old, new in changed[:8])
    return (
        Finding(
            "D002",
            "warning",
            f"{len(changed)} column name(s) were blank or taken, and changed: {shown}.",
            "Give every column a name of its own in the file.",
            {"renamed": [[old, new] for old, new in changed[:50]]},
        ),
    )
