"""Tables in memory: pandas, Polars, Arrow or plain rows in, and the same kind back out.

pandas and pyarrow are never imported here: a value can only be one of theirs if the caller has
imported them already. Everything meets in Polars; NaN, NaT and `pandas.NA` become null on the way.
"""

import datetime
import decimal
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, TypeGuard

import numpy as np
import polars as pl

from groundup.core.errors import DataError

FrameKind = Literal["pandas", "polars", "arrow", "rows"]
"""What came in: `rows` is a list of dicts, or a dict of columns."""

ACCEPTED: Final = (
    "a pandas or Polars DataFrame, an Arrow table, a list of dicts (one per row), or a dict of columns"
)

Values = Sequence[Any] | np.ndarray[Any, Any]


def frame_kind(frame: object) -> FrameKind | None:
    """Return which kind of table `frame` is, or None when it is none that is accepted.

    Examples
    --------
    >>> frame_kind([{"age": 3}]), frame_kind(pl.DataFrame()), frame_kind("houses.csv")
    ('rows', 'polars', None)
    """
    if isinstance(frame, pl.DataFrame | pl.LazyFrame):
        return "polars"
    if _is_instance(frame, "pandas", "DataFrame"):
        return "pandas"
    if _is_instance(frame, "pyarrow", "Table") or _is_instance(frame, "pyarrow", "RecordBatch"):
        return "arrow"
    if _is_rows(frame) or _is_columns(frame):
        return "rows"
    return None


def to_polars(frame: object) -> tuple[pl.DataFrame, FrameKind]:
    """Return a table as a Polars frame, and which kind it was.

    Columns keep their order; names are made strings and unique as `unique_names` does. Categories
    become their values; a column of mixed Python values becomes text. Costs one pass over the cells.

    Parameters
    ----------
    frame : object
        A pandas or Polars DataFrame (or LazyFrame), an Arrow Table or RecordBatch, a list of dicts
        (a key that a row lacks is missing there), or a dict of columns of equal length.

    Returns
    -------
    frame : polars.DataFrame
        The same rows and columns; NaN is null.
    kind : {"pandas", "polars", "arrow", "rows"}
        What it was, for reading; `series_like` and `frame_like` find the way back themselves.

    Raises
    ------
    DataError
        If it is anything else, or its columns differ in length.

    Examples
    --------
    >>> table, kind = to_polars([{"age": 3, "city": "Bonn"}, {"age": 4.5}])
    >>> kind, table.to_dicts()
    ('rows', [{'age': 3.0, 'city': 'Bonn'}, {'age': 4.5, 'city': None}])
    """
    kind = frame_kind(frame)
    if kind is None:
        raise DataError(_refusal(frame))
    if kind == "polars":
        assert isinstance(frame, pl.DataFrame | pl.LazyFrame)
        columns = frame.lazy().collect(engine="streaming").get_columns()
    elif kind == "pandas":
        columns = _pandas_columns(frame)
    elif kind == "arrow":
        columns = _arrow_columns(frame)
    else:
        columns = _row_columns(frame)
    names = unique_names([series.name for series in columns])
    return pl.DataFrame(
        [_plain(series).alias(name) for series, name in zip(columns, names, strict=True)]
    ), kind


def column_names(frame: object) -> list[str]:
    """Return the names of a table's columns as they came, as strings; they may repeat or be blank.

    Examples
    --------
    >>> column_names({"age": [1], 7: [2]})
    ['age', '7']
    """
    kind = frame_kind(frame)
    if kind == "polars":
        assert isinstance(frame, pl.DataFrame | pl.LazyFrame)
        return frame.lazy().collect_schema().names()
    if kind == "rows":
        return [_text_of_name(key) for key in (frame if isinstance(frame, Mapping) else _keys(frame))]
    names: Sequence[object] = getattr(frame, "columns" if kind == "pandas" else "column_names", ())
    return [_text_of_name(name) for name in names]


def unique_names(names: Sequence[str]) -> list[str]:
    """Return the names with blank ones numbered and repeated ones told apart.

    Examples
    --------
    >>> unique_names(["age", "age", "", "age_2"])
    ['age', 'age_3', 'column_3', 'age_2']
    """
    trimmed = [name.strip() or f"column_{position}" for position, name in enumerate(names, start=1)]
    taken, seen, result = set(trimmed), set[str](), []
    for name in trimmed:
        unique, count = name, 1
        while unique in seen or (unique != name and unique in taken):
            count += 1
            unique = f"{name}_{count}"
        seen.add(unique)
        result.append(unique)
    return result


def series_like(frame: object, name: str, values: Values) -> Any:
    """Return one value a row as the kind of column that belongs to `frame`.

    Parameters
    ----------
    frame : object
        What `to_polars` was given.
    name : str
        Name of the column, where the kind has names.
    values : sequence or ndarray of shape (n_rows,)
        One value a row.

    Returns
    -------
    pandas.Series, polars.Series, pyarrow.Array or list
        A pandas Series has the index of `frame`.

    Examples
    --------
    >>> series_like([{"age": 3}], "price", np.array([1.5]))
    [1.5]
    """
    kind = frame_kind(frame)
    if kind == "pandas":
        return sys.modules["pandas"].Series(values, index=frame.index, name=name)  # type: ignore[attr-defined]
    if kind == "arrow":
        return sys.modules["pyarrow"].array(values)
    if kind == "polars":
        return pl.Series(name, values)
    return _python_values(values)


def frame_like(frame: object, columns: Mapping[str, Values]) -> Any:
    """Return columns as the kind of table that `frame` is.

    Parameters
    ----------
    frame : object
        What `to_polars` was given.
    columns : mapping of str to sequence or ndarray of shape (n_rows,)
        The columns, by name.

    Returns
    -------
    pandas.DataFrame, polars.DataFrame, pyarrow.Table, list of dict or dict of list
        A pandas DataFrame has the index of `frame`; an Arrow RecordBatch gives a Table.

    Examples
    --------
    >>> frame_like([{"age": 3}, {"age": 4}], {"no": [0.9, 0.2], "yes": [0.1, 0.8]})
    [{'no': 0.9, 'yes': 0.1}, {'no': 0.2, 'yes': 0.8}]
    """
    kind = frame_kind(frame)
    if kind == "pandas":
        return sys.modules["pandas"].DataFrame(dict(columns), index=frame.index)  # type: ignore[attr-defined]
    if kind == "arrow":
        return sys.modules["pyarrow"].table(dict(columns))
    if kind == "polars":
        return pl.DataFrame(dict(columns))
    plain = {name: _python_values(values) for name, values in columns.items()}
    if isinstance(frame, Mapping):
        return plain
    return [dict(zip(plain, row, strict=True)) for row in zip(*plain.values(), strict=True)]


def _python_values(values: Values) -> list[Any]:
    return values.tolist() if isinstance(values, np.ndarray) else list(values)


def _is_instance(value: object, module: str, name: str) -> bool:
    kind = getattr(sys.modules.get(module), name, None)
    return isinstance(kind, type) and isinstance(value, kind)


def _is_rows(frame: object) -> TypeGuard[Sequence[Mapping[Any, Any]]]:
    return isinstance(frame, list | tuple) and all(isinstance(row, Mapping) for row in frame)


def _is_columns(frame: object) -> TypeGuard[Mapping[Any, Values]]:
    return isinstance(frame, Mapping) and all(_is_column(values) for values in frame.values())


def _is_column(values: object) -> bool:
    if isinstance(values, np.ndarray):
        return values.ndim == 1
    return isinstance(values, list | tuple | range | pl.Series) or _is_instance(values, "pandas", "Series")


def _refusal(frame: object) -> str:
    kind = f"{type(frame).__module__}.{type(frame).__qualname__}".removeprefix("builtins.")
    if isinstance(frame, Mapping):
        hint = " A dict of single values is one row: put it into a list, or use `predict_row`."
    elif isinstance(frame, np.ndarray):
        hint = " An array has no column names: give them as `pl.DataFrame(array, schema=names)`."
    elif _is_instance(frame, "pandas", "Series") or isinstance(frame, pl.Series):
        hint = " A single column becomes a table by `.to_frame()`."
    elif isinstance(frame, list | tuple):
        odd = next(position for position, row in enumerate(frame) if not isinstance(row, Mapping))
        hint = f" Item {odd} of the list is of type `{type(frame[odd]).__name__}`, not a dict."
    else:
        hint = ""
    return f"A table was expected: {ACCEPTED}; what came is of type `{kind}`.{hint}"


def _text_of_name(name: object) -> str:
    if isinstance(name, tuple):  # one column of a pandas MultiIndex
        return ".".join(text for part in name if (text := _text_of_name(part)))
    return "" if _is_missing(name) else str(name)


def _keys(rows: object) -> list[Any]:
    """Return the union of the rows' keys in order of first sight."""
    assert _is_rows(rows)
    return list(dict.fromkeys(key for row in rows for key in row))


def _row_columns(frame: object) -> list[pl.Series]:
    if _is_columns(frame):
        lengths = {_text_of_name(key): len(values) for key, values in frame.items()}
        if len(set(lengths.values())) > 1:
            shown = ", ".join(f"`{name}` {length}" for name, length in list(lengths.items())[:5])
            raise DataError(f"The columns of a table must be equally long; these are not: {shown}.")
        return [_column_of(values).alias(_text_of_name(key)) for key, values in frame.items()]
    assert _is_rows(frame)
    return [series_of([row.get(key) for row in frame]).alias(_text_of_name(key)) for key in _keys(frame)]


def _column_of(values: Values) -> pl.Series:
    if isinstance(values, pl.Series):
        return values
    if _is_instance(values, "pandas", "Series"):
        return _pandas_series(values)
    if isinstance(values, np.ndarray) and values.dtype.kind in "biufmM":
        return pl.Series(_without_narrow_units(values))
    return series_of(_python_values(values))


def _arrow_columns(table: Any) -> list[pl.Series]:
    columns = (table.column(position) for position in range(table.num_columns))
    return [pl.Series(name, column) for name, column in zip(table.schema.names, columns, strict=True)]


def _pandas_columns(frame: Any) -> list[pl.Series]:
    # By position, since names may repeat.
    return [
        _pandas_series(frame.iloc[:, position]).alias(_text_of_name(name))
        for position, name in enumerate(frame.columns)
    ]


def _pandas_series(column: Any) -> pl.Series:
    """Convert by kind of dtype, without the pyarrow that Polars' own conversion requires."""
    dtype = column.dtype
    if isinstance(dtype, np.dtype) and dtype.kind in "biufmM":
        return pl.Series(_without_narrow_units(column.to_numpy()))
    if hasattr(dtype, "categories"):
        levels = _pandas_series(column.cat.categories.to_series())
        codes = column.cat.codes.to_numpy().astype(np.int64)
        return levels.gather(pl.Series(codes).replace(-1, None))
    if str(getattr(dtype, "tz", None)) != "None" and dtype.kind == "M":
        return _zoned(column)
    if dtype.kind in "biuf":  # nullable, or backed by Arrow
        return _masked(column)
    return series_of(column.to_numpy(dtype=object, na_value=None).tolist())


def _masked(column: Any) -> pl.Series:
    plain = {"b": np.bool_, "i": np.int64, "u": np.uint64, "f": np.float64}[column.dtype.kind]
    series = pl.Series(column.to_numpy(dtype=plain, na_value=plain(0)))
    missing = pl.Series(column.isna().to_numpy(dtype=bool))
    return pl.select(pl.when(~missing).then(series)).to_series()


def _zoned(column: Any) -> pl.Series:
    moments = pl.Series(_without_narrow_units(column.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy()))
    in_utc = moments.dt.replace_time_zone("UTC")
    try:
        return in_utc.dt.convert_time_zone(str(column.dtype.tz))
    except pl.exceptions.ComputeError:  # a fixed offset, which Polars has no name for
        return in_utc


def _without_narrow_units(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return half floats as float32, and moments in a unit that Polars knows."""
    if values.dtype == np.float16:
        return values.astype(np.float32)
    if values.dtype.kind in "mM" and np.datetime_data(values.dtype)[0] not in ("ns", "us", "ms"):
        return values.astype(f"{values.dtype.kind}8[us]")
    return values


_NUMBERS: Final = (int, float, decimal.Decimal)
_MOMENTS: Final = (datetime.date, datetime.datetime)


def series_of(values: list[Any]) -> pl.Series:
    """Return Python values as the first of boolean, integer, float, date-time, text that holds them all."""
    # Text is by far the most common; skip the per-value work that only scalars of NumPy and pandas need.
    types = set(map(type, values))
    if types <= {str, type(None)}:
        return pl.Series(values, dtype=pl.String)
    plain = [None if _is_missing(value) else _scalar(value) for value in values]
    types = set(map(type, plain)) - {type(None)}
    if types == {bool}:
        return pl.Series(plain, dtype=pl.Boolean)
    if types == {int} and all(value is None or -(2**63) <= value < 2**63 for value in plain):
        return pl.Series(plain, dtype=pl.Int64)
    if types and all(issubclass(kind, _NUMBERS) for kind in types) and bool not in types:
        return pl.Series([None if value is None else float(value) for value in plain], dtype=pl.Float64)
    if types and all(issubclass(kind, _MOMENTS) for kind in types):
        return _moments(plain)
    return pl.Series([None if value is None else str(value) for value in plain], dtype=pl.String)


def _moments(values: list[Any]) -> pl.Series:
    """Return dates and date-times as date-times; a zone's wall clock is kept, the zone is not."""
    stamps = [
        value.replace(tzinfo=None)
        if isinstance(value, datetime.datetime)
        else value and datetime.datetime.combine(value, datetime.time())
        for value in values
    ]
    return pl.Series(stamps, dtype=pl.Datetime("us"))


def _scalar(value: Any) -> Any:
    """Return the Python value of a NumPy scalar or a pandas Timestamp; anything else as it is."""
    if isinstance(value, np.datetime64):
        return value.astype("datetime64[us]").item()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, datetime.datetime) and hasattr(value, "to_pydatetime"):
        return value.to_pydatetime(warn=False)
    return value


def _is_missing(value: object) -> bool:
    """Whether it is None, NaN, NaT or `pandas.NA`."""
    if value is None or type(value).__name__ == "NAType":
        return True
    return isinstance(value, float | np.generic | datetime.datetime | decimal.Decimal) and value != value


def _plain(series: pl.Series) -> pl.Series:
    """Return categories as text, every NaN as null, and nameless nulls as text."""
    if isinstance(series.dtype, pl.Categorical | pl.Enum) or series.dtype == pl.Null:
        return series.cast(pl.String)
    return series.fill_nan(None) if series.dtype.is_float() else series
