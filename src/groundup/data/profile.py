"""What each column holds, in numbers that fit in a JSON file; and what framing needs of the target."""

import datetime
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import numpy as np
import polars as pl

from groundup.core.json import Json
from groundup.core.schema import Column, Schema
from groundup.data.dataset import Dataset
from groundup.problems.infer import TargetSummary

N_BINS: Final = 20
N_LEVELS: Final = 20
N_EXAMPLES: Final = 3
N_CLASSES: Final = 10_000
"""The most distinct values of a target that are listed with their counts."""


def summarize_target(dataset: Dataset, name: str, *, quantile: float = 0.5) -> TargetSummary:
    """Return what framing the problem needs to know of one column.

    Parameters
    ----------
    dataset : Dataset
        The whole table, before it is split: a target's type is a property of the question.
    name : str
        The column to predict.
    quantile : float, default=0.5
        Which quantile to look up, in (0, 1).

    Raises
    ------
    UnknownColumnError
        If there is no such column.

    Examples
    --------
    >>> rows = pl.DataFrame({"price": [1.5, 2.0, None, 2.0]}).lazy()
    >>> dataset = Dataset(rows, Schema([Column("price", "number", "float")]), 4, "frame")
    >>> summary = summarize_target(dataset, "price")
    >>> summary.n_missing, summary.n_unique, summary.top, summary.is_integer_like
    (1, 2, ((2.0, 2), (1.5, 1)), False)
    """
    column = dataset.schema[name]
    series = dataset.frame([name])[name]
    values = series.drop_nulls()
    is_number = column.storage in ("integer", "float") and len(values) > 0
    return TargetSummary(
        name=name,
        kind=column.kind,
        storage=column.storage,
        n_rows=len(series),
        n_missing=series.null_count(),
        n_unique=values.n_unique(),
        top=tuple(_most_frequent(values, N_CLASSES)) if column.storage != "datetime" else (),
        minimum=float(values.min()) if is_number else None,  # type: ignore[arg-type]
        maximum=float(values.max()) if is_number else None,  # type: ignore[arg-type]
        mean=float(values.mean()) if is_number else None,  # type: ignore[arg-type]
        skewness=_finite(values.skew()) if is_number else None,
        quantile=float(values.quantile(quantile, "linear")) if is_number else None,  # type: ignore[arg-type]
        is_integer_like=is_number and bool((values == values.round()).all()),
        is_increasing=is_number and len(values) == len(series) > 1 and bool((values.diff()[1:] > 0).all()),
    )


def profile(frame: pl.DataFrame, schema: Schema) -> list[dict[str, Any]]:
    """Return one JSON object a column: what it is, how much is missing, and how its values are spread.

    Each object has `name`, `kind`, `storage`, `n`, `n_missing`, `n_unique`; numbers also `minimum`,
    `maximum`, `mean`, `std`, `quartiles` (three) and `histogram` (`edges`, `counts`); dates the same
    without `mean` and `std`, as ISO text; categories and booleans `levels` (the most frequent, with
    counts); text and identifiers `examples`. Linear in the cells.

    Parameters
    ----------
    frame : polars.DataFrame
        The rows to describe, with the columns of `schema` in their canonical types.
    schema : Schema
        What each column is.

    Examples
    --------
    >>> frame = pl.DataFrame({"age": [20, 40, None], "city": ["Bonn", "Bonn", "Rome"]})
    >>> age, city = profile(
    ...     frame, Schema([Column("age", "number", "integer"), Column("city", "category", "string")])
    ... )
    >>> age["n_missing"], age["mean"], age["quartiles"], sum(age["histogram"]["counts"])
    (1, 30.0, [25.0, 30.0, 35.0], 2)
    >>> city["levels"]
    [{'value': 'Bonn', 'count': 2}, {'value': 'Rome', 'count': 1}]
    """
    statistics = _statistics(frame, schema)
    return [
        {
            "name": column.name,
            "kind": column.kind,
            "storage": column.storage,
            "n": len(frame),
            **statistics[column.name],
            **_details(frame[column.name], column, statistics[column.name]),
        }
        for column in schema
    ]


def _statistics(frame: pl.DataFrame, schema: Schema) -> dict[str, dict[str, Any]]:
    """Return the statistics that are one aggregation over many columns at once."""
    every = list(schema.names)
    numbers = [column.name for column in schema if column.storage in ("integer", "float")]
    ordered = numbers + [column.name for column in schema if column.storage == "datetime"]
    result: dict[str, dict[str, Any]] = {name: {} for name in every}

    def note(key: str, names: list[str], aggregate: Callable[[pl.Expr], pl.Expr]) -> None:
        if names:
            for name, value in frame.select(aggregate(pl.col(names))).row(0, named=True).items():
                result[name][key] = _json(value)

    note("n_missing", every, lambda column: column.null_count())
    note("n_unique", every, lambda column: column.drop_nulls().n_unique())
    note("minimum", ordered, lambda column: column.min())
    note("maximum", ordered, lambda column: column.max())
    note("mean", numbers, lambda column: column.mean())
    note("std", numbers, lambda column: column.std())
    for key, share in (("q1", 0.25), ("q2", 0.5), ("q3", 0.75)):
        note(key, ordered, lambda column, share=share: column.quantile(share, "linear"))  # type: ignore[misc]
    for name in ordered:
        result[name]["quartiles"] = [result[name].pop(key) for key in ("q1", "q2", "q3")]
    return result


def _details(series: pl.Series, column: Column, statistics: dict[str, Any]) -> dict[str, Any]:
    """Return what takes a look of its own at each column."""
    if statistics["n_missing"] == len(series):
        return {}
    values = series.drop_nulls() if statistics["n_missing"] else series
    if column.kind in ("text", "image", "identifier") and column.storage == "string":
        return {"examples": values.head(1000).unique(maintain_order=True).head(N_EXAMPLES).to_list()}
    if column.kind == "category" or column.storage in ("boolean", "string"):
        levels = _most_frequent(values, N_LEVELS)
        return {"levels": [{"value": _json(value), "count": n} for value, n in levels]}
    return {"histogram": _histogram(values)}


def _most_frequent(values: pl.Series, limit: int) -> Iterable[tuple[Any, int]]:
    """Return the most frequent values with their counts; equally frequent ones in their own order."""
    table = values.alias("value").value_counts(name="n")
    return table.sort("n", "value", descending=[True, False]).head(limit).rows()


def _histogram(values: pl.Series) -> dict[str, list[Json]]:
    """Return bins of equal width over the range; one bin a value for few whole numbers."""
    is_time = values.dtype.is_temporal()
    numbers = (values.to_physical() if is_time else values).to_numpy().astype(np.float64)
    numbers = numbers[np.isfinite(numbers)]
    if not len(numbers):
        return {"edges": [], "counts": []}
    low, high = float(numbers.min()), float(numbers.max())
    n_bins, span = N_BINS, (low, high)
    if values.dtype.is_integer() and high - low < N_BINS:
        n_bins, span = int(high - low) + 1, (low - 0.5, high + 0.5)
    elif not np.isfinite(high - low) or low + (high - low) / N_BINS == low:
        return {"edges": [low, high], "counts": [len(numbers)]}  # no room for edges in between
    counts, edges = np.histogram(numbers, bins=n_bins, range=span)
    if is_time:
        moments = pl.Series(edges.astype(np.int64)).cast(values.dtype)
        return {"edges": [_json(moment) for moment in moments], "counts": counts.tolist()}
    return {"edges": edges.tolist(), "counts": counts.tolist()}


def _json(value: Any) -> Any:
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    return _finite(value) if isinstance(value, float) else value


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def dominant_values(
    frame: pl.DataFrame, columns: Iterable[Mapping[str, Any]], *, above: float = 0.99
) -> list[tuple[str, Json, int, int]]:
    """Return the columns in which one of several values makes up more than a share of the known ones.

    Parameters
    ----------
    frame : polars.DataFrame
        The rows.
    columns : iterable of mapping
        Their statistics, as `profile` returns them; only columns with few distinct values are looked at.
    above : float, default=0.99
        The share.

    Returns
    -------
    list of (str, value, int, int)
        Name, value, rows with it, rows with any value.

    Examples
    --------
    >>> frame = pl.DataFrame({"flag": [0] * 399 + [1], "age": range(400)})
    >>> schema = Schema([Column("flag", "number", "integer"), Column("age", "number", "integer")])
    >>> dominant_values(frame, profile(frame, schema))
    [('flag', 0, 399, 400)]
    """
    found = []
    for column in columns:
        n_known = column["n"] - column["n_missing"]
        if not 1 < column["n_unique"] <= 1 + (1 - above) * n_known:
            continue
        ((value, n_same),) = _most_frequent(frame[column["name"]].drop_nulls(), 1)
        if n_same > above * n_known:
            found.append((str(column["name"]), _json(value), n_same, n_known))
    return found
