"""Metrics of several cases under the same resamples: what differs between two models or two slices.

Each resample draws the rows once, for all cases. What makes a row hard for both of two models then
cancels out of their difference, and rows that depend on each other stay together across slices.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from groundup.core.inputs import FloatArray, IntArray, Predictions
from groundup.evaluation.intervals import (
    Basis,
    BootstrapOptions,
    Interval,
    Units,
    average_basis,
    average_folds,
    draw_weights,
    find_units,
    percentile_interval,
    share_interval,
)
from groundup.evaluation.metrics import METRICS, weighted_values
from groundup.evaluation.scores import Case, Draws

Functions = Mapping[str, Callable[[Draws], FloatArray]]


@dataclass(frozen=True, eq=False)
class Part:
    """What is measured beside others.

    Parameters
    ----------
    predictions : Predictions
        For all rows.
    rows : ndarray of shape (n_part,) or None
        Positions of the rows that count; None: all.
    """

    predictions: Predictions
    rows: IntArray | None = None


@dataclass(frozen=True, eq=False)
class Drawn:
    """Values of one part: of its rows as they are, and of each resample.

    Parameters
    ----------
    values : dict of str to float
        By metric; NaN where undefined.
    draws : dict of str to ndarray of shape (n_resamples,)
        The same of every resample; the i-th of all parts belong together.
    basis : Basis
        What an interval of the part rests on.
    options : BootstrapOptions
        How rows were drawn.
    notes : dict of str to str
        By metric: what there is to say about the value, where there is something.
    n_folds : int, default=1
        Parts without a common row that the values are averages of.
    """

    values: dict[str, float]
    draws: dict[str, FloatArray]
    basis: Basis
    options: BootstrapOptions
    notes: dict[str, str] = field(default_factory=dict)
    n_folds: int = 1

    def interval(self, name: str) -> Interval:
        """Return one metric with its interval."""
        if not np.isfinite(self.values[name]):
            return Interval(None, None, None, "undefined on these rows")
        value, draws = self.values[name], self.draws[name]
        if name in METRICS and METRICS[name].is_share:
            found = share_interval(value, draws, self.options, self.basis, self.n_folds)
        else:
            found = percentile_interval(value, draws, self.options, self.basis)
        return replace(found, note=self.notes[name]) if self.notes.get(name) else found

    def minus(self, other: "Drawn", name: str) -> Interval:
        """Return one metric minus that of another part, with the interval of the difference."""
        value = self.values[name] - other.values[name]
        if not np.isfinite(value):
            return Interval(None, None, None, "undefined on these rows")
        smaller = min(self.basis, other.basis)
        return percentile_interval(value, self.draws[name] - other.draws[name], self.options, smaller)


def draw_together(
    functions: Functions,
    y_true: NDArray[np.generic],
    parts: Sequence[Part],
    *,
    options: BootstrapOptions | None = None,
    positive: int = 1,
) -> list[Drawn]:
    """Measure several parts under the same resamples of the rows.

    Parameters
    ----------
    functions : mapping of str to callable
        What is measured, by name: e.g. ``{name: METRICS[name].function}``.
    y_true : ndarray of shape (n_samples,)
        Class codes, or values, of all rows.
    parts : sequence of Part
        None of them without rows.
    options : BootstrapOptions, optional
        How rows are drawn again.
    positive : int, default=1
        Code of the class that is looked for, where there are two.

    Returns
    -------
    list of Drawn
        One a part, in their order.

    Examples
    --------
    >>> from groundup.evaluation.metrics import METRICS
    >>> y_true = np.arange(200.0)
    >>> parts = [Part(Predictions(y_true + shift + y_true % 3)) for shift in (0.0, 1.0)]
    >>> one, other = draw_together({"mae": METRICS["mae"].function}, y_true, parts)
    >>> difference = other.minus(one, "mae")
    >>> round(difference.low, 3), round(difference.high, 3)
    (1.0, 1.0)
    """
    options = BootstrapOptions() if options is None else options
    cases = [
        Case(
            y_true if part.rows is None else y_true[part.rows],
            part.predictions if part.rows is None else part.predictions.take(part.rows),
            positive=positive,
        )
        for part in parts
    ]
    whole = Case(y_true, parts[0].predictions, positive=positive)
    losses = whole.errors**2 if parts[0].predictions.probabilities is None else whole.log_losses
    units = find_units(options, losses)
    drawn: list[dict[str, list[FloatArray]]] = [{name: [] for name in functions} for _ in parts]
    for weight in draw_weights(options, units, len(y_true)):
        for part, case, found in zip(parts, cases, drawn, strict=True):
            own = weight if part.rows is None else np.ascontiguousarray(weight[part.rows])
            for name, values in weighted_values(functions, case, own.T).items():
                found[name].append(values)
    estimates = [weighted_values(functions, case, np.ones((1, case.n_samples))) for case in cases]
    return [
        Drawn(
            {name: float(values[0]) for name, values in estimate.items()},
            {name: np.concatenate(pieces, axis=-1) for name, pieces in found.items()},
            _basis(units, part.rows, len(y_true)),
            options,
        )
        for part, estimate, found in zip(parts, estimates, drawn, strict=True)
    ]


def average_parts(parts: Sequence[Drawn], *, n_folds: int) -> Drawn:
    """Return the average of parts that were drawn together, such as the folds of a cross-validation.

    Folds of several repeats hold the same rows out. Because a row is drawn equally often for all of them,
    the interval of their average knows that repeats bring no new rows; drawn apart it would shrink with
    every repeat.

    Parameters
    ----------
    parts : sequence of Drawn
        At least one, of the same call of `draw_together`.
    n_folds : int
        Folds of one repeat, which have no row in common.

    Returns
    -------
    Drawn
        Parts in which a metric is undefined are left out of its average.

    Examples
    --------
    >>> from groundup.evaluation.metrics import METRICS
    >>> y_true, rows = np.arange(100.0), np.arange(100)
    >>> parts = [Part(Predictions(y_true + y_true % 3), rows[half::2]) for half in (0, 1)]
    >>> drawn = draw_together({"mae": METRICS["mae"].function}, y_true, parts)
    >>> average_parts(drawn, n_folds=2).values["mae"]
    0.99
    """
    values, draws, notes = {}, {}, {}
    for name in parts[0].values:
        estimates = np.array([part.values[name] for part in parts])
        drawn = np.stack([part.draws[name] for part in parts])
        values[name], draws[name], notes[name] = average_folds(estimates, drawn)
    basis = average_basis([part.basis for part in parts])
    return Drawn(values, draws, basis, parts[0].options, notes, min(n_folds, len(parts)))


def _basis(units: Units, rows: IntArray | None, n_samples: int) -> Basis:
    """Return what a part rests on: its share of all units, or its own groups."""
    if rows is None:
        return units.basis
    n_own = len(rows) if units.unit is None else len(np.unique(units.unit[rows]))
    n_units = n_samples if units.unit is None else len(np.unique(units.unit))
    return units.basis._replace(n_units=max(1, n_own * units.basis.n_units // n_units))
