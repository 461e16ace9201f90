"""What time says of columns: dates after the row's own moment, values from later rows, ties that come and go.

Looked at only where the recipe names the column that orders the rows in time. A model is used at the end of
that order, so what a column held earlier is of no use if it is empty, or means something else, by then.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from groundup.core.inputs import FloatArray
from groundup.core.schema import Schema
from groundup.core.tasks import Task
from groundup.evaluation.formulas import steps_ahead
from groundup.evaluation.giveaways import KINDS, MOST_ROWS
from groundup.evaluation.single_columns import Question, as_numbers

FEWEST_ROWS: Final = 100
"""Rows that each half must have."""

_SOME_LATER: Final = 0.01
_FEWEST_LATER: Final = 5
_FILLED, _EMPTY = 0.8, 0.05
_TIED, _UNTIED = 0.3, 0.03  # share of the error of guessing that the column saves
_STANDARD_ERRORS: Final = 6.0
_MOST_COLUMNS: Final = 100


@dataclass(frozen=True)
class LaterDates:
    """Dates of a column that lie after the row's own moment.

    Parameters
    ----------
    column : str
        The column.
    n_later, n : int
        Rows in which it is later, of those in which both are known.
    """

    column: str
    n_later: int
    n: int


@dataclass(frozen=True)
class Change:
    """A column that means something else in the later half of the rows.

    Parameters
    ----------
    column : str
        The column.
    what : {"filled", "tie"}
        What changes: the share of rows with a value, or the share of the error of guessing that it saves.
    early, late : float
        That share in the earlier and in the later half.
    n : int
        Rows of both halves.
    """

    column: str
    what: Literal["filled", "tie"]
    early: float
    late: float
    n: int


@dataclass(frozen=True)
class Availability:
    """What time says of columns.

    Parameters
    ----------
    time : str
        The column that orders the rows.
    later : tuple of LaterDates
        Columns of dates that reach beyond the row's own moment.
    ahead : tuple of (str, int)
        Columns computed from the target of their own or of later rows, and how many rows ahead they look.
    changes : tuple of Change
        Columns that come, go, or lose their meaning.
    """

    time: str
    later: tuple[LaterDates, ...] = ()
    ahead: tuple[tuple[str, int], ...] = ()
    changes: tuple[Change, ...] = ()


def find_availability(
    frame: pl.DataFrame, schema: Schema, y: NDArray[np.generic], time: str, *, task: Task, seed: int
) -> Availability:
    """Return what time says of columns.

    Parameters
    ----------
    frame : polars.DataFrame
        Rows with the columns of `schema` and `time`, in their canonical types; not the test part.
    schema : Schema
        What each feature is.
    y : ndarray of shape (n_samples,)
        Class codes or values.
    time : str
        The column that orders the rows.
    task : Task
        What is asked for.
    seed : int
        Handed to the questions; nothing is drawn by it here.

    Examples
    --------
    >>> from datetime import date, timedelta
    >>> from groundup.core.schema import Column
    >>> opened = [date(2024, 1, 1) + timedelta(day) for day in range(300)]
    >>> frame = pl.DataFrame({"opened": opened, "closed": [day + timedelta(30) for day in opened]})
    >>> schema = Schema([Column(name, "datetime", "datetime") for name in frame.columns])
    >>> y = np.arange(300) % 2
    >>> found = find_availability(frame, schema, y, "opened", task="classification", seed=0)
    >>> found.later
    (LaterDates(column='closed', n_later=300, n=300),)
    """
    moments = as_numbers(frame[time])
    order = np.argsort(moments, kind="stable")[: int(np.isfinite(moments).sum())]
    ordered, target = frame[order], y[order]
    names = [column.name for column in schema if column.kind in KINDS and column.name != time][:_MOST_COLUMNS]
    columns = {name: as_numbers(ordered[name]) for name in names}
    is_number = task == "regression" or len(np.unique(y)) == 2
    return Availability(
        time,
        tuple(_later_dates(ordered, names, time)),
        tuple(_looking_ahead(columns, np.asarray(target, dtype=np.float64))) if is_number else (),
        tuple(_changes(columns, target, task, seed)),
    )


def _later_dates(ordered: pl.DataFrame, names: list[str], time: str) -> Iterator[LaterDates]:
    if not ordered[time].dtype.is_temporal():
        return
    moment = ordered[time].cast(pl.Datetime("us"))
    for name in names:
        if ordered[name].dtype.is_temporal():
            later = (ordered[name].cast(pl.Datetime("us")) > moment).drop_nulls()
            n_later = int(later.sum())
            if n_later >= max(_FEWEST_LATER, _SOME_LATER * len(later)):
                yield LaterDates(name, n_later, len(later))


def _looking_ahead(columns: dict[str, FloatArray], target: FloatArray) -> Iterator[tuple[str, int]]:
    for name, column in columns.items():
        n_ahead = steps_ahead(column, target)
        if n_ahead is not None:
            yield name, n_ahead


def _changes(
    columns: dict[str, FloatArray], y: NDArray[np.generic], task: Task, seed: int
) -> Iterator[Change]:
    """Compare the earlier half of the rows with the later one, on `MOST_ROWS` evenly spread rows at most."""
    spread = np.unique(np.linspace(0, len(y) - 1, min(len(y), MOST_ROWS)).astype(np.int64))
    halves = np.array_split(spread, 2) if len(y) else []
    if not halves or len(halves[1]) < FEWEST_ROWS or any(len(np.unique(y[half])) < 2 for half in halves):
        return
    questions = [Question.ask(y[half], task, seed) for half in halves]
    for name, column in columns.items():
        parts = [column[half] for half in halves]
        early, late = (float(np.isfinite(part).mean()) for part in parts)
        if max(early, late) >= _FILLED and min(early, late) <= _EMPTY:
            yield Change(name, "filled", early, late, len(spread))
        elif all(_varies(part) for part in parts):
            yield from _tie(name, parts, questions)


def _varies(part: FloatArray) -> bool:
    """Return whether a column has a second value often enough to learn from."""
    counts = np.unique(part, return_counts=True)[1]
    return bool(len(part) - counts.max() >= 0.1 * len(part))


def _tie(name: str, parts: list[FloatArray], questions: list[Question]) -> Iterator[Change]:
    saved = []
    for part, question in zip(parts, questions, strict=True):
        gain = (question.guess_losses - question.tree_losses(part)) / question.guess_losses.mean()
        saved.append((float(gain.mean()), float(gain.std() / np.sqrt(len(gain)))))
    (low, low_error), (high, high_error) = sorted(saved)
    is_clear = high - low > _STANDARD_ERRORS * np.hypot(low_error, high_error)
    if is_clear and high >= _TIED and low <= _UNTIED + 2 * low_error:
        yield Change(name, "tie", saved[0][0], saved[1][0], sum(len(part) for part in parts))
