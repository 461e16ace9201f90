"""What time says of columns: dates too late, values from later rows, ties and fillings that change."""

from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from groundup.data.options import DataOptions
from groundup.data.sources import read
from groundup.evaluation.availability import Availability, Change, LaterDates, find_availability

N = 600
DAYS = [date(2020, 1, 1) + timedelta(day) for day in range(N)]


def looked_at(y: np.ndarray, *, is_shuffled: bool = True, **columns: Any) -> Availability:
    frame = pl.DataFrame({"day": DAYS, **columns})
    if is_shuffled:
        order = np.random.default_rng(0).permutation(N)
        frame, y = frame[order], y[order]
    dataset = read(DataOptions(), frame=frame)
    task = "regression" if y.dtype.kind == "f" else "classification"
    return find_availability(dataset.frame(), dataset.schema, y, "day", task=task, seed=0)  # type: ignore[arg-type]


def noise(seed: int, n: int = N) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=n)


def test_honest_columns_are_left_alone() -> None:
    y = noise(0) + np.sin(np.arange(N) / 40)
    before = [day - timedelta(int(days)) for day, days in zip(DAYS, np.arange(N) % 30, strict=True)]
    found = looked_at(y, x=y + noise(1), born=before, faint=0.2 * y + noise(2), month=[d.month for d in DAYS])
    assert found == Availability("day")


def test_dates_after_the_row_are_counted() -> None:
    closed = [day + timedelta(20) if row % 3 == 0 else None for row, day in enumerate(DAYS)]
    found = looked_at(np.arange(N) % 2, x=noise(0), closed=closed)
    assert found.later == (LaterDates("closed", 200, 200),)


def test_a_time_of_the_same_day_is_not_later_than_a_moment() -> None:
    moments = [datetime(2020, 1, 1) + timedelta(hours=5 * row + 1) for row in range(N)]
    frame = pl.DataFrame({"at": moments, "on": [moment.date() for moment in moments]})
    schema = read(DataOptions(), frame=frame).schema
    found = find_availability(frame, schema, np.arange(N) % 2, "at", task="classification", seed=0)
    assert found.later == ()


def test_a_rolling_mean_around_the_row_looks_ahead() -> None:
    y = noise(0)
    around = np.convolve(np.pad(y, 2, mode="edge"), np.ones(5) / 5, mode="valid")
    assert looked_at(y, x=noise(1), around=around).ahead == (("around", 2),)
    assert looked_at((y > 0).astype(np.int64), up_next=np.append(y[1:] > 0, 0) * 1.0).ahead == (
        ("up_next", 1),
    )


@pytest.mark.parametrize("is_number", [True, False])
def test_a_tie_that_vanishes_is_found(is_number: bool) -> None:
    score = noise(0)
    y = score if is_number else (score > 0).astype(np.int64)
    column = np.where(np.arange(N) < N // 2, score + 0.3 * noise(1), noise(2))
    (change,) = looked_at(y, x=noise(3), code=column).changes
    assert (change.column, change.what, change.n) == ("code", "tie", N)
    assert change.early > 0.8 > 0.2 > change.late


def test_a_column_that_is_filled_from_some_day_on_is_found() -> None:
    late = pl.Series([None] * (N // 2) + noise(1)[N // 2 :].tolist(), dtype=pl.Float64)
    assert looked_at(noise(0), x=noise(3), late=late).changes == (Change("late", "filled", 0.0, 1.0, N),)


def test_few_rows_are_not_compared() -> None:
    frame = pl.DataFrame({"day": DAYS[:150], "x": [None] * 75 + [1.0] * 75})
    schema = read(DataOptions(), frame=frame).schema
    assert find_availability(frame, schema, noise(0, 150), "day", task="regression", seed=0).changes == ()


def test_rows_without_a_time_are_left_out() -> None:
    frame = pl.DataFrame({"day": [None] * 300 + DAYS[300:], "x": noise(0)}, schema_overrides={"day": pl.Date})
    schema = read(DataOptions(), frame=frame).schema
    found = find_availability(frame, schema, noise(1), "day", task="regression", seed=0)
    assert found == Availability("day")
