"""Parts that overlap in time, where what is predicted depends on time.

A model tested on a Tuesday between two Mondays and Wednesdays that it has learnt from interpolates.
Used for next week it must extrapolate, which is harder, and the score did not say so.
"""

from typing import Final

import numpy as np
import polars as pl

from groundup.core.findings import Finding
from groundup.core.inputs import FloatArray
from groundup.core.wording import percent
from groundup.data.dataset import Dataset
from groundup.data.split import Split

STRONG: Final = 0.3
"""Correlation of the target with itself one time earlier from which on a random split misleads."""

WEAK: Final = 0.1
FEWEST_TIMES: Final = 30


def find_overlap(dataset: Dataset, split: Split, *, target: str, time: str | None) -> list[Finding]:
    """Return S004 for the column of dates on which the target depends most, if the parts overlap in it.

    The dependence is the correlation between the mean target of each time and of the time before, in
    the training part alone. Costs a sort of one column per column of dates.

    Parameters
    ----------
    dataset : Dataset
        All rows.
    split : Split
        Which row is in which part.
    target : str
        The column to predict.
    time : str or None
        The column that the split went by, if any; the parts do not overlap in it.

    Examples
    --------
    >>> from datetime import datetime, timedelta
    >>> from groundup.core.schema import Column, Schema
    >>> frame = pl.DataFrame({
    ...     "day": [datetime(2024, 1, 1) + timedelta(days=row) for row in range(200)],
    ...     "y": np.sin(np.arange(200) / 10),
    ... })
    >>> schema = Schema([Column("day", "datetime", "datetime"), Column("y", "number", "float")])
    >>> rows = np.random.default_rng(0).permutation(200)
    >>> split = Split(np.sort(rows[:120]), np.sort(rows[120:160]), np.sort(rows[160:]), "random", "")
    >>> (found,) = find_overlap(Dataset(frame.lazy(), schema, 200, "frame"), split, target="y", time=None)
    >>> found.severity, dict(found.patch)
    ('warning', {'data.split.time': 'day'})
    """
    if time is not None and split.method == "time":
        return []
    found = []
    for column in dataset.schema:
        if column.storage != "datetime" or column.name == target:
            continue
        times = dataset.frame([column.name])[column.name]
        overlap = _share_before_the_end(times, split)
        if overlap == 0:
            continue
        dependence = _dependence(times.gather(split.train), _training_target(dataset, split, target))
        if dependence >= WEAK:
            found.append((dependence, column.name, overlap))
    return [_finding(*max(found))] if found else []


def _share_before_the_end(times: pl.Series, split: Split) -> float:
    """Return the share of test rows that are not later than every training row."""
    last = times.gather(split.train).max()
    tested = times.gather(split.test).drop_nulls()
    return 0.0 if last is None or not len(tested) else float((tested <= last).mean())  # type: ignore[arg-type]


def _training_target(dataset: Dataset, split: Split, target: str) -> FloatArray:
    """Return the target of training rows as numbers: classes as "is it the most frequent one"."""
    values = dataset.frame([target])[target].gather(split.train)
    if dataset.schema[target].storage not in ("integer", "float"):
        values = (values == values.mode().sort()[0]).cast(pl.Float64)
    return values.cast(pl.Float64).to_numpy()


def _dependence(times: pl.Series, target: FloatArray) -> float:
    """Return the correlation of the mean target with that of the time before; 0 if chance gives it."""
    known = times.is_not_null() & pl.Series(~np.isnan(target))
    by_time = (
        pl.DataFrame({"time": times, "y": target}).filter(known).group_by("time").agg(pl.col("y").mean())
    )
    # Ranks, so that a few extreme values decide nothing.
    series = by_time.sort("time")["y"].rank().to_numpy()
    if len(series) < FEWEST_TIMES or np.ptp(series) == 0:
        return 0.0
    correlation = float(np.corrcoef(series[1:], series[:-1])[0, 1])
    return correlation if correlation > 4 / np.sqrt(len(series)) else 0.0


def _finding(dependence: float, name: str, overlap: float) -> Finding:
    is_strong = dependence >= STRONG
    return Finding(
        "S004",
        "warning" if is_strong else "info",
        f"{percent(overlap)} of the test rows lie, by `{name}`, before the last row that the model learns "
        f"from, and the target {'strongly ' if is_strong else ''}resembles that of the time before "
        f"(correlation {dependence:.2f}). The test asks the model to fill gaps; the future would be harder.",
        f"If the model will predict the future, test it so: `data.split.time: {name}`.",
        evidence={"share_of_test": overlap, "autocorrelation": dependence},
        patch={"data.split.time": name},
        column=name,
    )
