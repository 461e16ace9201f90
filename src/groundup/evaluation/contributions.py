"""What the contributions of many rows show: how much each column moves the predictions, and which way."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from groundup.core.inputs import FloatArray, IntArray

_N_BINS: Final = 48
_N_STRIPS: Final = 12
_N_DEPENDENCES: Final = 3
_N_POINTS: Final = 150
_N_LEVELS: Final = 8
_MOST_DISTINCT: Final = 0.5  # of a text's values: above, no level has rows enough to show anything
_N_TERMS: Final = 20
_LEVELS: Final = ("low", "middle", "high")


def column_sizes(names: Sequence[str], values: FloatArray, classes: Sequence[Any]) -> list[dict[str, Any]]:
    """Return how far each column moves the predictions of the rows, the farthest first.

    Parameters
    ----------
    names : sequence of str
        The columns.
    values : ndarray of shape (n_samples, n_columns + 1, n_outputs)
        Their contributions, the base value last.
    classes : sequence
        The labels, where there is an output a class.

    Returns
    -------
    list of dict
        ``column``; ``mean_absolute``: the mean absolute contribution, over rows and outputs; ``share`` of
        the sum over all columns; and ``by_class`` where there are several outputs.

    Examples
    --------
    >>> column_sizes(["a", "b"], np.array([[[1.0], [-3.0], [9.0]]]), [])[0]
    {'column': 'b', 'mean_absolute': 3.0, 'share': 0.75}
    """
    sizes = np.abs(values[:, :-1]).mean(axis=0)
    total = float(sizes.mean(axis=1).sum())
    rows = []
    for column in np.argsort(-sizes.mean(axis=1), kind="stable").tolist():
        size = float(sizes[column].mean())
        row = {"column": names[column], "mean_absolute": size, "share": size / total if total else 0.0}
        if sizes.shape[1] > 1:
            row["by_class"] = {
                str(label): each for label, each in zip(classes, sizes[column].tolist(), strict=True)
            }
        rows.append(row)
    return rows


def strips(
    columns: Sequence[str], contributions: Mapping[str, FloatArray], rows: pl.DataFrame
) -> list[dict[str, Any]]:
    """Return where the contributions of the first columns lie, in bins, and whether values there are high.

    Parameters
    ----------
    columns : sequence of str
        In the order to show; the first 12 are taken.
    contributions : mapping of str to ndarray of shape (n_samples,)
        By column.
    rows : polars.DataFrame
        The rows, with the raw columns there are.

    Returns
    -------
    list of dict
        ``column`` and ``bins``: ``[middle, rows, level]``, the level of most rows in the bin being
        ``low``, ``middle`` or ``high`` (by thirds of the column's values) or ``other``.
    """
    shown = columns[:_N_STRIPS]
    ends = [contributions[name] for name in shown]
    low, high = (float(each(each(part) for part in ends)) for each in (min, max)) if ends else (0.0, 0.0)
    if not high > low:
        return []
    width = (high - low) / _N_BINS
    return [
        {
            "column": name,
            "bins": _bins(
                np.minimum(((contributions[name] - low) / width).astype(np.int64), _N_BINS - 1),
                thirds(rows[name]) if name in rows.columns else np.full(len(rows), math.nan),
                low,
                width,
            ),
        }
        for name in shown
    ]


def _bins(place: IntArray, level: FloatArray, low: float, width: float) -> list[list[Any]]:
    found = []
    for each in np.unique(place).tolist():
        levels = level[place == each]
        known = levels[~np.isnan(levels)]
        name = _LEVELS[round(float(known.mean()))] if len(known) else "other"
        found.append([low + (each + 0.5) * width, len(levels), name])
    return found


def thirds(values: pl.Series) -> FloatArray:
    """Return 0, 1 or 2 for each value: in the low, middle or high third; NaN where there is no order.

    Examples
    --------
    >>> thirds(pl.Series([1, 2, 3, None])).tolist()[:3], thirds(pl.Series([0, 1, 1])).tolist()
    ([0.0, 1.0, 2.0], [0.0, 2.0, 2.0])
    """
    numbers = _as_numbers(values)
    known = numbers[~np.isnan(numbers)]
    if not len(known):
        return numbers
    distinct = np.unique(known)
    low, high = distinct[[0, -1]] if len(distinct) < 3 else np.quantile(known, [1 / 3, 2 / 3])
    level = np.where(numbers <= low, 0.0, np.where(numbers >= high, 2.0, 1.0))
    return np.where(np.isnan(numbers), math.nan, level)


def _as_numbers(values: pl.Series) -> FloatArray:
    """Return values that have an order as floats; NaN for all others, and what is missing."""
    if values.dtype.is_temporal():
        values = values.to_physical()
    if values.dtype.is_numeric() or values.dtype == pl.Boolean:
        return values.cast(pl.Float64).fill_null(math.nan).to_numpy()
    return np.full(len(values), math.nan)


def dependences(
    columns: Sequence[str], contributions: Mapping[str, FloatArray], rows: pl.DataFrame
) -> list[dict[str, Any]]:
    """Return value against contribution for the first columns that have values to show.

    Parameters
    ----------
    columns : sequence of str
        In the order to try; up to 3 are taken.
    contributions : mapping of str to ndarray of shape (n_samples,)
        By column.
    rows : polars.DataFrame
        The rows, with the raw columns there are.

    Returns
    -------
    list of dict
        ``column``; ``points``: up to 150 ``[value, contribution]`` of numbers and dates (dates as text), or
        ``levels``: of texts ``label``, ``n``, ``mean`` and up to 150 contributions over all levels;
        ``missing``: ``n`` and ``mean`` of rows without a value.
    """
    found: list[dict[str, Any]] = []
    for name in columns:
        if len(found) == _N_DEPENDENCES:
            break
        if name in rows.columns and (one := _dependence(rows[name], contributions[name])):
            found.append({"column": name, **one})
    return found


def _dependence(values: pl.Series, contributions: FloatArray) -> dict[str, Any]:
    is_known = values.is_not_null().to_numpy()
    n_missing = int((~is_known).sum())
    missing = {"n": n_missing, "mean": float(contributions[~is_known].mean()) if n_missing else None}
    known, parts = values.filter(pl.Series(is_known)), contributions[is_known]
    if known.n_unique() < 2:
        return {}
    if known.dtype.is_numeric() or known.dtype.is_temporal():
        pairs = zip(known[:_N_POINTS].to_list(), parts[:_N_POINTS].tolist(), strict=True)
        return {"points": [[plain_value(value), part] for value, part in pairs], "missing": missing}
    if known.n_unique() > _MOST_DISTINCT * len(known):
        return {}
    texts = known.cast(pl.String)
    counts = texts.value_counts(sort=True).head(_N_LEVELS)
    codes = texts.to_numpy()
    levels = []
    for label, n in counts.sort(["count", texts.name], descending=[True, False]).rows():
        own = parts[codes == label]
        levels.append(
            {
                "label": label,
                "n": n,
                "mean": float(own.mean()),
                "contributions": own[: _N_POINTS // len(counts)].tolist(),
            }
        )
    return {"levels": levels, "missing": missing}


def plain_value(value: Any) -> Any:
    """Return a cell as a JSON value: dates as text, what is not a finite number as None."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int | str) else value.isoformat()


def example_rows(losses: FloatArray, outstanding: FloatArray) -> dict[str, int]:
    """Return the positions of up to three different rows that are worth looking at.

    Parameters
    ----------
    losses : ndarray of shape (n_samples,)
        How wrong each prediction is.
    outstanding : ndarray of shape (n_samples,)
        How sure of itself (classes) or how large (values) each prediction is.

    Returns
    -------
    dict of str to int
        ``typical``, whose loss is the median one; ``outstanding``, the largest; ``worst``, the largest loss.

    Examples
    --------
    >>> example_rows(np.array([0.1, 0.2, 0.3, 9.0]), np.array([0.9, 0.8, 0.7, 0.6]))
    {'typical': 1, 'outstanding': 0, 'worst': 3}
    """
    distance = np.abs(losses - np.median(losses))
    wanted: tuple[tuple[str, NDArray[np.float64]], ...] = (
        ("worst", -losses),
        ("outstanding", -outstanding),
        ("typical", distance),
    )
    chosen: dict[str, int] = {}
    for name, order in wanted:
        left = [row for row in np.argsort(order, kind="stable").tolist() if row not in chosen.values()]
        if left:
            chosen[name] = left[0]
    return dict(reversed(chosen.items()))


def terms(
    names: Sequence[str], contributions: FloatArray, row: Mapping[str, Any]
) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
    """Return what each column adds to one row's prediction, the largest first, and the sum of the smallest.

    Parameters
    ----------
    names : sequence of str
        The columns.
    contributions : ndarray of shape (n_columns,)
        What each adds.
    row : mapping
        The row's raw values, where there are any.

    Returns
    -------
    list of dict
        ``column``, ``value`` (absent of what is made of several columns) and ``contribution``, at most 20.
    dict or None
        ``n`` columns that were left out, and their ``contribution``.
    """
    order = np.argsort(-np.abs(contributions), kind="stable")
    shown = [
        {
            "column": name,
            **({"value": plain_value(row[name])} if name in row else {}),
            "contribution": float(contributions[column]),
        }
        for column in order[:_N_TERMS].tolist()
        for name in [names[column]]
    ]
    others = order[_N_TERMS:]
    if not len(others):
        return shown, None
    return shown, {"n": len(others), "contribution": float(contributions[others].sum())}
