"""Contract "Source": from where data is, and how to read it, to a dataset.

A source is a text file (any delimiter, encoding and quoting, also compressed), a Parquet file, a
table in memory, or a sample that ships with a required package. All of them meet in the same
canonical types, so the same data give the same fingerprint wherever they come from.
"""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from groundup.core.errors import DataError, UnknownColumnError
from groundup.core.findings import Finding
from groundup.core.schema import Schema
from groundup.data.columns import Collected, Wanted, typed_column
from groundup.data.dataset import Dataset
from groundup.data.frames import to_polars, unique_names
from groundup.data.options import DataOptions
from groundup.data.parquet import is_parquet, read_parquet
from groundup.data.samples import load_sample
from groundup.data.tables import RawTable, read_text_table
from groundup.data.text import check_readable

SAMPLE_PREFIX = "sample:"


def read(options: DataOptions, *, frame: object | None = None, schema: Schema | None = None) -> Dataset:
    """Read a source into a dataset.

    Parameters
    ----------
    options : DataOptions
        Where the data are (`source`) and how to read them.
    frame : object or None
        A table in memory instead of `source`: pandas, Polars, Arrow, a list of dicts.
    schema : Schema or None
        What the columns were in training. Then columns are read as that, further ones are left
        out, absent ones stay absent, and values that do not fit become missing (finding D008).

    Returns
    -------
    Dataset
        Rows in canonical types, with their schema, findings, and facts about how they were read.

    Raises
    ------
    DataError
        If there is nothing to read or it is no table; the text says what to do.
    UnknownColumnError
        If `options.columns` or `options.drop` names a column that is not there.

    Examples
    --------
    >>> dataset = read(DataOptions(), frame=[{"age": 31, "city": "Bonn"}, {"age": 42, "city": "?"}])
    >>> dataset.schema, dataset.n_rows
    (Schema(age: number, city: category), 2)
    """
    if frame is not None:
        table, _ = to_polars(frame)
        return _read_frame(table, options, schema, "frame")
    if options.source is None:
        raise DataError("No data were named. Set data.source to a file or `sample:NAME`, or pass a table.")
    if options.source.startswith(SAMPLE_PREFIX):
        name = options.source.removeprefix(SAMPLE_PREFIX)
        return _read_frame(load_sample(name), options, schema, options.source)
    path = Path(options.source).expanduser()
    check_readable(path)
    if is_parquet(path):
        return read_parquet(path, lambda names: wanted_columns(names, options, schema, str(path)))
    raw = read_text_table(path, options, lambda names: wanted_columns(names, options, schema, str(path)))
    return _dataset(raw, str(path))


def wanted_columns(
    names: Sequence[str], options: DataOptions, schema: Schema | None, origin: str
) -> list[Wanted | None]:
    """Return what is known of each column, in order; None for those that are left out.

    Raises
    ------
    UnknownColumnError
        If the options name a column that is not among `names`.
    """
    if schema is not None:
        return [
            Wanted(name, options.missing, column=schema[name], origin=origin) if name in schema else None
            for name in names
        ]
    for name in (*options.columns, *options.drop):
        if name not in names:
            raise UnknownColumnError(name, names)
    dropped = set(options.drop)
    return [
        None if name in dropped else Wanted(name, options.missing, options.columns.get(name), origin=origin)
        for name in names
    ]


def _read_frame(frame: pl.DataFrame, options: DataOptions, schema: Schema | None, origin: str) -> Dataset:
    names = unique_names(frame.columns)
    wanted = wanted_columns(names, options, schema, origin)
    collected = [
        typed_column(series, each)
        for series, each in zip(frame.get_columns(), wanted, strict=True)
        if each is not None
    ]
    return _dataset(RawTable(collected, len(frame)), origin)


def _dataset(raw: RawTable, origin: str) -> Dataset:
    if not raw.columns and raw.n_rows == 0:
        raise DataError(f"{origin}: there are no columns. Check that it is the right table.")
    frame = pl.DataFrame([each.values for each in raw.columns])
    schema = Schema(each.column for each in raw.columns)
    findings = (*raw.findings, *_column_findings(raw.columns))
    return Dataset(frame.lazy(), schema, raw.n_rows, origin, findings, raw.facts, raw.read_as)


def _column_findings(columns: Sequence[Collected]) -> tuple[Finding, ...]:
    return tuple(finding for each in columns for finding in each.findings)
