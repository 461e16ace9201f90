"""The reference: what each column looked like in training, so that later rows can be compared with it.

It repeats the profile's numbers and adds the bins that drift is measured on: the report's histogram
has bins of equal width, which are good to look at; these have equal counts, which makes the measure
as sensitive in the middle as at the ends. It is plain JSON and stands in the run's `data.json`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from groundup.core.schema import Schema

_STATISTICS: Final = ("name", "kind", "n", "n_missing", "n_unique", "minimum", "maximum", "mean", "std")
"""What is taken over from the profile, as far as a column has it."""

_COUNTED_BY_LEVEL: Final = ("category", "boolean", "constant")


def build_reference(
    frame: pl.DataFrame, schema: Schema, statistics: Sequence[Mapping[str, Any]], *, bins: int
) -> list[dict[str, Any]]:
    """Describe the training rows of every column, with bins where they make sense.

    Costs one sort of each number and one grouping of each category.

    Parameters
    ----------
    frame : polars.DataFrame
        The training rows, in their canonical types.
    schema : Schema
        What each column of `frame` is.
    statistics : sequence of mapping
        What `groundup.data.profile.profile` says of these rows.
    bins : int
        Bins of a number, and the most levels kept per category; at least 2.

    Returns
    -------
    list of dict
        One JSON object a column: ``name``, ``kind``, ``n``, ``n_missing``, ``n_unique``, and for what
        can be ordered ``minimum``, ``maximum`` (numbers also ``mean``, ``std``), as
        `groundup.data.profile.profile` says; and ``bins``:

        - numbers: ``{"edges": [...], "counts": [...]}``, one count more than edges; bin i holds the
          values in (edges[i - 1], edges[i]], the first and the last bin are open to the outside. The
          edges are values of the column, chosen so that the counts are as equal as its ties allow.
        - categories, booleans: ``{"levels": [...], "counts": [...], "n_other": 0}``, most frequent first.
        - other columns: None. Of dates and times, the profile's minimum and maximum are the range.

        Missing values are in no bin; ``n_missing`` counts them.

    Examples
    --------
    >>> from groundup.core.schema import Column
    >>> from groundup.data.profile import profile
    >>> schema = Schema([Column("rooms", "number", "integer")])
    >>> frame = pl.DataFrame({"rooms": [1, 2, 2, 3, 4, 9, None]})
    >>> build_reference(frame, schema, profile(frame, schema), bins=3)[0]["bins"]
    {'edges': [2.0, 3.0], 'counts': [3, 1, 2]}
    """
    return [
        {
            **{key: column[key] for key in _STATISTICS if key in column},
            "bins": _bins(frame[column["name"]], schema[column["name"]].kind, bins),
        }
        for column in statistics
    ]


def _bins(values: pl.Series, kind: str, bins: int) -> dict[str, Any] | None:
    if kind in _COUNTED_BY_LEVEL:
        return level_counts(values, n_levels=bins)
    if kind == "number":
        return quantile_bins(values.drop_nulls().cast(pl.Float64).sort().to_numpy(), bins=bins)
    return None


def quantile_bins(ascending: NDArray[np.float64], *, bins: int) -> dict[str, Any]:
    """Divide sorted values into bins of nearly equal counts.

    Parameters
    ----------
    ascending : ndarray of shape (n_values,)
        Finite values in ascending order.
    bins : int
        The most bins; ties make them fewer, for a value is in one bin only.

    Returns
    -------
    dict
        ``edges`` (ascending, each below the maximum) and ``counts`` (one more).

    Examples
    --------
    >>> quantile_bins(np.array([0.0, 0.0, 0.0, 5.0]), bins=4)
    {'edges': [0.0], 'counts': [3, 1]}
    """
    n_values = len(ascending)
    if n_values == 0:
        return {"edges": [], "counts": [0]}
    last_of_bin = (np.arange(1, bins) * n_values + bins - 1) // bins - 1
    edges = np.unique(ascending[last_of_bin])
    edges = edges[edges < ascending[-1]]
    ends = np.searchsorted(ascending, edges, side="right")
    counts = np.diff(ends, prepend=0, append=n_values)
    return {"edges": edges.tolist(), "counts": counts.tolist()}


def level_counts(values: pl.Series, *, n_levels: int) -> dict[str, Any]:
    """Count the most frequent levels; equally frequent ones in the order of their names.

    Parameters
    ----------
    values : polars.Series
        One value a row; missing ones are not counted.
    n_levels : int
        The most levels to name.

    Returns
    -------
    dict
        ``levels`` (text), ``counts``, and ``n_other``, the rows of all other levels.

    Examples
    --------
    >>> level_counts(pl.Series(["b", "a", "b", "c", None]), n_levels=2)
    {'levels': ['b', 'a'], 'counts': [2, 1], 'n_other': 1}
    """
    known = values.drop_nulls().cast(pl.String).alias("level")
    counted = known.value_counts(name="count").sort("count", "level", descending=[True, False])
    kept = counted.head(n_levels)
    n_other = len(known) - int(kept["count"].sum())
    return {"levels": kept["level"].to_list(), "counts": kept["count"].to_list(), "n_other": n_other}
