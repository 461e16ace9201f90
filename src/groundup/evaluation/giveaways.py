"""Columns that give the target away: one that says nearly all of it, alone, while all others say little.

How well a column may predict differs from table to table, so no cut-off on the column alone would do. What is
looked at is how much error a column leaves, beside what all other columns leave together. Everything is
measured on training rows, cross-validated.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from groundup.core.inputs import FloatArray
from groundup.core.schema import Schema
from groundup.core.seeds import generator
from groundup.core.tasks import Task
from groundup.evaluation.formulas import Formula, find_formula
from groundup.evaluation.single_columns import Question, as_numbers

FEWEST_ROWS: Final = 50
"""With fewer training rows nothing is said."""

MOST_ROWS: Final = 5_000
"""Rows that are looked at."""

KINDS: Final = ("number", "category", "boolean", "datetime")
"""What is looked at: texts, identifiers and constants are not."""

# Errors are shares of what guessing the same for every row leaves: 0 is perfect, 1 is useless.
_NEARLY_PERFECT: Final = 0.10
_PERFECT: Final = 0.03  # asked of the best of several, for honest measurements of one thing are close, too
_TIMES_BETTER: Final = 4.0
_TIMES_BETTER_TOGETHER: Final = 8.0
_REST_IS_HARD: Final = 0.05
_REST_IS_HARD_FOR_SEVERAL: Final = 0.15
_MOST_GIVEAWAYS: Final = 3
_FEWEST_ERRORS: Final = 5  # that the other columns make and the column does not
_PURER: Final = 10.0  # times fewer rows of other classes than there are among all rows
_CHANCE: Final = 1e-6


@dataclass(frozen=True)
class Presence:
    """Rows in which a column has a value (or has none) and that are of one class.

    Parameters
    ----------
    column : str
        The column.
    is_filled : bool
        Whether the rows are those with a value, or those without.
    code : int
        Code of the class that they are of.
    n : int
        How many rows.
    share : float
        Share of them that are of this class.
    overall : float
        Share of all rows that are of this class.
    """

    column: str
    is_filled: bool
    code: int
    n: int
    share: float
    overall: float


@dataclass(frozen=True)
class Giveaways:
    """What single columns say about the target.

    Parameters
    ----------
    errors : tuple of (str, float)
        Each column's cross-validated error when nothing else is known, the lowest first, as a share of
        the error of guessing: 0 is perfect, 1 is useless. Of classes the share of wrong rows, of numbers
        the squared error of their ranks.
    columns : tuple of str
        Those that give the target away.
    rest_error : float or None
        The error of all other columns together; None where no column was good enough to ask.
    presences : tuple of Presence
        Columns whose being filled in gives the class away.
    formula : Formula or None
        The target as a formula of a few columns.
    n_rows : int
        Rows that were looked at.
    """

    errors: tuple[tuple[str, float], ...]
    columns: tuple[str, ...] = ()
    rest_error: float | None = None
    presences: tuple[Presence, ...] = ()
    formula: Formula | None = None
    n_rows: int = 0


def find_giveaways(
    frame: pl.DataFrame, schema: Schema, y: NDArray[np.generic], *, task: Task, seed: int
) -> Giveaways | None:
    """Return what single columns say about the target; None where rows or columns are too few to compare.

    Costs a small tree for each column and fold on 5 000 rows at most; a forest of the other columns only
    where a column is nearly perfect.

    Parameters
    ----------
    frame : polars.DataFrame
        Training rows with the columns of `schema`, in their canonical types.
    schema : Schema
        What each feature is; texts, identifiers and constants are not looked at.
    y : ndarray of shape (n_samples,)
        Class codes or values.
    task : Task
        What is asked for.
    seed : int
        Decides which rows are drawn, the folds, and the forest.

    Examples
    --------
    >>> from groundup.core.schema import Column
    >>> random = np.random.default_rng(0)
    >>> y = random.integers(0, 2, 200)
    >>> frame = pl.DataFrame({"size": random.normal(size=200) + y, "outcome": 3.5 - y})
    >>> schema = Schema([Column("size", "number", "float"), Column("outcome", "number", "float")])
    >>> find_giveaways(frame, schema, y, task="classification", seed=0).columns
    ('outcome',)
    """
    names = [column.name for column in schema if column.kind in KINDS]
    if len(y) < FEWEST_ROWS or len(names) < 2 or len(np.unique(y)) < 2:
        return None
    rows = generator(seed, "rows").permutation(len(y))[:MOST_ROWS]
    columns = {name: as_numbers(frame[name].gather(rows)) for name in names}
    question = Question.ask(y[rows], task, seed)
    errors = {name: question.error(question.tree_losses(column)) for name, column in columns.items()}
    found, rest = _compare(errors, columns, question)
    return Giveaways(
        errors=tuple(sorted(errors.items(), key=lambda item: item[1])),
        columns=found,
        rest_error=rest,
        presences=_presences(columns, y[rows]) if task == "classification" else (),
        formula=find_formula(frame, schema, y, seed=seed) if task == "regression" else None,
        n_rows=len(rows),
    )


def _compare(
    errors: dict[str, float], columns: dict[str, FloatArray], question: Question
) -> tuple[tuple[str, ...], float | None]:
    """Return the columns that are far better than all others together, and the error of those."""
    ranked = sorted(errors, key=errors.__getitem__)
    rest_error = None
    for n_columns in range(1, min(_MOST_GIVEAWAYS, len(ranked) - 1) + 1):
        worst, second = errors[ranked[n_columns - 1]], errors[ranked[n_columns]]
        if worst > _NEARLY_PERFECT or (n_columns > 1 and errors[ranked[0]] > _PERFECT):
            break
        least = (
            max(_REST_IS_HARD, _TIMES_BETTER * worst)
            if n_columns == 1
            else max(_REST_IS_HARD_FOR_SEVERAL, _TIMES_BETTER_TOGETHER * worst)
        )
        if second < least:
            continue
        others = question.error(question.forest_losses([columns[name] for name in ranked[n_columns:]]))
        rest_error = min(second, others)
        n_saved = (rest_error - worst) * question.guess_losses.sum()
        if rest_error >= least and (n_saved >= _FEWEST_ERRORS or not question.is_class):
            return tuple(ranked[:n_columns]), rest_error
    return (), rest_error


def _presences(columns: dict[str, FloatArray], y: NDArray[Any]) -> tuple[Presence, ...]:
    """Return columns that are filled in (or missing) in rows of nearly one class alone, beyond chance."""
    overall = np.bincount(y) / len(y)
    found = []
    for name, column in columns.items():
        is_filled = ~np.isnan(column)
        for filled, rows in ((True, is_filled), (False, ~is_filled)):
            n = int(rows.sum())
            if not 0 < n < len(y):
                continue
            counts = np.bincount(y[rows], minlength=len(overall))
            code = int(counts.argmax())
            share = float(counts[code] / n)
            is_pure = _PURER * (1 - share) <= 1 - overall[code]
            # A bound on chance: the binomial tail of so pure a sample (Chernoff).
            if is_pure and n * divergence(share, float(overall[code])) > -np.log(_CHANCE):
                found.append(Presence(name, filled, code, n, share, float(overall[code])))
                break
    return tuple(found)


def divergence(share: float, expected: float) -> float:
    """Return the Kullback-Leibler divergence of two coins, natural units; 0 where `share` is not larger.

    Times the number of throws it bounds the chance of so large a share (Chernoff): exp(-n x divergence).

    Parameters
    ----------
    share : float
        What was seen, in [0, 1].
    expected : float
        What was to be expected, in (0, 1).

    Examples
    --------
    >>> divergence(0.5, 0.5), round(divergence(1.0, 0.5), 3)
    (0.0, 0.693)
    """
    if share <= expected:
        return 0.0
    tail = 0.0 if share == 1 else (1 - share) * np.log((1 - share) / (1 - expected))
    return float(share * np.log(share / expected) + tail)
