"""Slices: the scores on parts of the rows, and whether the worst part is really behind the best.

Picking the best and the worst of several slices finds a gap where there is none, so gaps are judged as
the largest of all pairs: intervals and p-values are widened for their number (Bonferroni).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise
from math import sqrt
from statistics import NormalDist
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from groundup.core.inputs import FloatArray, IntArray, Predictions
from groundup.core.wording import count, number
from groundup.evaluation.intervals import BootstrapOptions
from groundup.evaluation.metrics import METRICS
from groundup.evaluation.scores import Draws, ratio
from groundup.evaluation.together import Drawn, Part, draw_together

MOST_SLICES: Final = 12
"""Values of a column that become slices of their own, the most frequent; the others are taken together."""

_NEED_BOTH_CLASSES: Final = frozenset(
    {"roc_auc", "pr_auc", "precision", "recall", "f1", "mcc", "balanced_accuracy"}
)


@dataclass(frozen=True)
class Rate:
    """How often a class is answered, and rightly: what fairness is judged by, for two classes.

    Parameters
    ----------
    title : str
        Its name in prose.
    function : callable
        Draws to values, shape (n_draws,).
    """

    title: str
    function: Callable[[Draws], FloatArray]


def _selection_rate(draws: Draws) -> FloatArray:
    return ratio(draws.class_sums.predicted[draws.case.positive], draws.total)


def _true_positive_rate(draws: Draws) -> FloatArray:
    sums, positive = draws.class_sums, draws.case.positive
    return ratio(sums.correct[positive], sums.observed[positive])


def _false_positive_rate(draws: Draws) -> FloatArray:
    sums, positive = draws.class_sums, draws.case.positive
    wrong = sums.predicted[positive] - sums.correct[positive]
    return ratio(wrong, draws.total - sums.observed[positive])


RATES: Final[Mapping[str, Rate]] = MappingProxyType(
    {
        "selection_rate": Rate("Selection rate", _selection_rate),
        "true_positive_rate": Rate("True-positive rate", _true_positive_rate),
        "false_positive_rate": Rate("False-positive rate", _false_positive_rate),
    }
)


@dataclass(frozen=True)
class Slice:
    """One part of the rows.

    Parameters
    ----------
    label : str
        The value, or the range of values.
    rows : ndarray of shape (n_rows,)
        Positions.
    """

    label: str
    rows: IntArray


@dataclass(frozen=True, eq=False)
class SliceOptions:
    """How slices are measured.

    Parameters
    ----------
    metrics : tuple of str
        The deciding one first.
    min_rows : int, default=30
        A slice with fewer rows is only counted.
    positive : int, default=1
        Code of the class that is looked for, where there are two.
    bootstrap : BootstrapOptions
        How rows are drawn again.
    """

    metrics: tuple[str, ...]
    min_rows: int = 30
    positive: int = 1
    bootstrap: BootstrapOptions = field(default_factory=BootstrapOptions)


def cut_slices(values: pl.Series, training: pl.Series) -> list[Slice]:
    """Divide rows by a column: a slice a value, or four by the quartiles of the training rows.

    Parameters
    ----------
    values : polars.Series
        The column, of the rows to divide.
    training : polars.Series
        The column, of the training rows: quartiles are theirs.

    Returns
    -------
    list of Slice
        Numbers and dates in their order, other values the most frequent first; then the rows where the
        value is missing. Empty slices are left out.

    Examples
    --------
    >>> ages = pl.Series("age", [20, 30, 40, 50, 60, None])
    >>> [(each.label, len(each.rows)) for each in cut_slices(ages, ages)]
    [('≤ 30', 2), ('30 to 40', 1), ('40 to 50', 1), ('> 50', 1), ('missing', 1)]
    """
    known = training.drop_nulls()
    if (values.dtype.is_numeric() or values.dtype.is_temporal()) and known.n_unique() > 4:
        slices = _quarters(values, known)
    else:
        slices = _levels(values)
    slices.append(Slice("missing", _positions(values.is_null())))
    return [each for each in slices if len(each.rows)]


def _positions(mask: pl.Series) -> IntArray:
    return mask.fill_null(value=False).arg_true().cast(pl.Int64).to_numpy()


def _quarters(values: pl.Series, known: pl.Series) -> list[Slice]:
    ordered = known.sort()
    edges = list(dict.fromkeys(ordered[round(q * (len(ordered) - 1))] for q in (0.25, 0.5, 0.75)))
    texts = [_edge(edge) for edge in edges]
    slices = [Slice(f"≤ {texts[0]}", _positions(values <= edges[0]))]
    for (low, high), (left, right) in zip(pairwise(edges), pairwise(texts), strict=True):
        slices.append(Slice(f"{left} to {right}", _positions((values > low) & (values <= high))))
    return [*slices, Slice(f"> {texts[-1]}", _positions(values > edges[-1]))]


def _edge(value: Any) -> str:
    return number(value) if isinstance(value, int | float) else str(value)


def _levels(values: pl.Series) -> list[Slice]:
    counts = values.drop_nulls().value_counts(sort=True)
    levels = counts.to_series(0).to_list()
    shown = sorted(levels[:MOST_SLICES]) if values.dtype.is_numeric() else levels[:MOST_SLICES]
    slices = [Slice(str(level), _positions(values == level)) for level in shown]
    rest = levels[MOST_SLICES:]
    if rest:
        slices.append(
            Slice(f"{count(len(rest), 'rarer value')}", _positions(values.is_in(pl.Series(rest).implode())))
        )
    return slices


def measure_slices(
    columns: Mapping[str, Sequence[Slice]],
    y_true: NDArray[np.generic],
    predictions: Predictions,
    options: SliceOptions,
) -> dict[str, Any]:
    """Measure every slice, and the gap between the best and the worst of each column.

    Parameters
    ----------
    columns : mapping of str to sequence of Slice
        By column.
    y_true : ndarray of shape (n_samples,)
        Class codes, or values.
    predictions : Predictions
        For the same rows.
    options : SliceOptions
        Metrics, and how few rows are too few.

    Returns
    -------
    dict
        ``minimum_rows``, ``n_pairs``, ``note`` and, a column, ``slices`` (``label``, ``n_rows``, ``scores``)
        and ``gaps`` by metric. JSON values.

    References
    ----------
    Hardt, Price and Srebro (2016), "Equality of opportunity in supervised learning", NeurIPS, for the
    rates.
    """
    is_binary = predictions.probabilities is not None and predictions.probabilities.shape[1] == 2
    functions = {name: METRICS[name].function for name in options.metrics}
    functions |= {name: rate.function for name, rate in RATES.items()} if is_binary else {}
    measured = [
        (name, each)
        for name, slices in columns.items()
        for each in slices
        if len(each.rows) >= options.min_rows
    ]
    parts = [Part(predictions), *(Part(predictions, each.rows) for _, each in measured)]
    drawn = draw_together(functions, y_true, parts, options=options.bootstrap, positive=options.positive)
    found = {(name, each.label): values for (name, each), values in zip(measured, drawn[1:], strict=True)}
    n_pairs = sum(len(list(combinations([n for n, _ in measured if n == name], 2))) for name in columns)
    judge = _Judge(y_true, options, drawn[0], n_pairs)
    return {
        "minimum_rows": options.min_rows,
        "n_pairs": n_pairs,
        "note": _note(n_pairs),
        "all": {name: drawn[0].interval(name).to_json() for name in functions},
        "columns": [
            {
                "column": name,
                "slices": [_facts(each, found.get((name, each.label)), options.min_rows) for each in slices],
                "gaps": judge.gaps(
                    [(each, found[name, each.label]) for each in slices if (name, each.label) in found],
                    list(functions),
                ),
            }
            for name, slices in columns.items()
        ],
    }


def _note(n_pairs: int) -> str:
    if n_pairs < 2:
        return "The gap is between the only two slices that have enough rows."
    return (
        f"Best and worst were picked from {count(n_pairs, 'pair')} of slices; the intervals and p-values "
        "of the gaps are widened for that (Bonferroni)."
    )


def _facts(part: Slice, drawn: Drawn | None, min_rows: int) -> dict[str, Any]:
    facts: dict[str, Any] = {"label": part.label, "n_rows": len(part.rows), "scores": None}
    if drawn is None:
        return facts | {
            "note": f"too few rows to say anything: {len(part.rows)}, where {min_rows} are needed"
        }
    return facts | {"scores": {name: drawn.interval(name).to_json() for name in drawn.values}}


class _Judge:
    """Says whether a gap is more than what picking the largest of many would give."""

    def __init__(
        self, y_true: NDArray[np.generic], options: SliceOptions, whole: Drawn, n_pairs: int
    ) -> None:
        self.y_true, self.options, self.whole, self.n_pairs = y_true, options, whole, max(n_pairs, 1)

    def gaps(self, slices: Sequence[tuple[Slice, Drawn]], names: Sequence[str]) -> dict[str, Any]:
        """Return, by metric, the best and the worst slice and how far they are apart."""
        gaps = {name: self._gap(slices, name) for name in names}
        return {name: gap for name, gap in gaps.items() if gap is not None}

    def _gap(self, slices: Sequence[tuple[Slice, Drawn]], name: str) -> dict[str, Any] | None:
        known = [pair for pair in slices if np.isfinite(pair[1].values[name])]
        if len(known) < 2:
            return None
        known.sort(key=lambda pair: pair[1].values[name], reverse=name in RATES or _is_higher_better(name))
        pairs = [self._pair(name, one, other) for one, other in combinations(known, 2)]
        extremes = self._pair(name, known[0], known[-1])
        return {**extremes, "clearest": min(pairs, key=lambda pair: float(pair["p_value"]))}

    def _pair(self, name: str, one: tuple[Slice, Drawn], other: tuple[Slice, Drawn]) -> dict[str, Any]:
        """Return how far two slices are apart; the better, or the higher rate, comes first."""
        (best, first), (worst, last) = one, other
        value = abs(first.values[name] - last.values[name])
        error = self._error(name, one, other)
        normal = NormalDist()
        alpha = 1 - self.options.bootstrap.confidence
        reach = normal.inv_cdf(1 - alpha / 2 / self.n_pairs) * error
        p_value = min(1.0, 2 * self.n_pairs * normal.cdf(-value / error)) if error > 0 else 1.0
        ends = ("highest", "lowest") if name in RATES else ("best", "worst")
        return {
            **dict(zip(ends, (best.label, worst.label), strict=True)),
            "value": value,
            "low": value - reach,
            "high": value + reach,
            "p_value": p_value,
            "is_clear": value - reach > 0,
        }

    def _error(self, name: str, one: tuple[Slice, Drawn], other: tuple[Slice, Drawn]) -> float:
        """Return the standard error of a difference: of its resamples, at least as if slices were alike.

        A small slice without a mistake is without one in every resample, too; that all rows together
        make some says how little that means.
        """
        differences = one[1].draws[name] - other[1].draws[name]
        differences = differences[np.isfinite(differences)]
        own = float(differences.std(ddof=1)) if len(differences) > 1 else 0.0
        draws = self.whole.draws[name]
        pooled = float(draws[np.isfinite(draws)].std(ddof=1)) if np.isfinite(draws).sum() > 1 else 0.0
        n_all = self._n_telling(name, None)
        shares = [n_all / max(1, self._n_telling(name, each.rows)) for each, _ in (one, other)]
        return max(own, pooled * sqrt(sum(shares)))

    def _n_telling(self, name: str, rows: IntArray | None) -> int:
        """Return how many rows a metric rests on: for rates and rankings, those of the rarer class."""
        y = self.y_true if rows is None else self.y_true[rows]
        n_positive = int((y == self.options.positive).sum())
        if name == "true_positive_rate":
            return n_positive
        if name == "false_positive_rate":
            return len(y) - n_positive
        return min(n_positive, len(y) - n_positive) if name in _NEED_BOTH_CLASSES else len(y)


def _is_higher_better(name: str) -> bool:
    return METRICS[name].higher_is_better
