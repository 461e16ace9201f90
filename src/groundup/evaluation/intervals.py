"""Intervals: how far a score may be off because the rows that measured it are a sample.

The bootstrap draws the rows again, many times, with replacement, and reads the interval off the
spread of the scores. Rows that depend on each other are drawn together: by group (all rows of a
customer) or in blocks (neighbours in time), else the interval would be far too narrow.
Every resample of every metric is computed from a matrix of weights (`evaluation.scores`).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil, sqrt
from statistics import NormalDist
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from groundup.core.inputs import FloatArray, IntArray, Predictions
from groundup.core.seeds import derive_seed, generator
from groundup.evaluation.blocks import block_length, widening
from groundup.evaluation.metrics import METRICS, Metric, weighted_values
from groundup.evaluation.scores import Case, Draws, ratio
from groundup.evaluation.shares import wilson
from groundup.evaluation.studentizing import FEWEST_DEFINED, student_quantile, studentized_ends

_CHUNK_CELLS: Final = 1 << 17  # weights made at once (1 MB)
_STUDENTIZED: Final = " studentized"  # marks, beside a metric's name, the values for its bootstrap-t


@dataclass(frozen=True)
class Interval:
    """A value and the range that would hold the truth in (by default) 95 of 100 repetitions.

    Parameters
    ----------
    value : float or None
        The estimate; None where it is undefined.
    low, high : float or None
        The ends, low <= high; None where no interval can be stated.
    note : str
        Why something is None, or how many resamples were left out; "" when all is well.

    Examples
    --------
    >>> Interval(0.8, 0.7, 0.9).to_json()
    {'value': 0.8, 'low': 0.7, 'high': 0.9}
    """

    value: float | None
    low: float | None
    high: float | None
    note: str = ""

    def to_json(self) -> dict[str, float | str | None]:
        """Return the interval as a JSON object; `note` only where there is one."""
        numbers: dict[str, float | str | None] = {"value": self.value, "low": self.low, "high": self.high}
        return {**numbers, "note": self.note} if self.note else numbers


@dataclass(frozen=True, eq=False)
class BootstrapOptions:
    """How rows are drawn again.

    Parameters
    ----------
    confidence : float, default=0.95
        Level of the interval, in (0, 1).
    resamples : int or "auto", default="auto"
        How many; `auto`: 1 000, fewer (at least 200) above 20 000 rows.
    seed : int, default=0
        The same seed gives the same interval.
    groups : ndarray of shape (n_samples,), optional
        Entity of each row; all rows of an entity are drawn together (cluster bootstrap).
    times : ndarray of shape (n_samples,), optional
        Sortable moment of each row; runs of neighbours are drawn together (circular block
        bootstrap). Groups take precedence.
    block_length : int or "auto", default="auto"
        Rows per block; `auto`: by how far neighbours depend on each other (`block_length`).
    """

    confidence: float = 0.95
    resamples: int | Literal["auto"] = "auto"
    seed: int = 0
    groups: NDArray[np.generic] | None = None
    times: NDArray[np.generic] | None = None
    block_length: int | Literal["auto"] = "auto"

    def n_resamples(self, n_samples: int) -> int:
        """Return how many resamples are drawn of `n_samples` rows."""
        if self.resamples != "auto":
            return self.resamples
        return min(1000, max(200, 20_000_000 // max(n_samples, 1)))


def _row_counts(n: int, n_draws: int, rng: np.random.Generator) -> FloatArray:
    """Return how often each of `n` units is drawn in n draws with replacement, shape (n, n_draws)."""
    drawn = rng.integers(0, n, (n_draws, n), dtype=np.int64)
    drawn += np.arange(n_draws)[:, None] * n
    counts = np.bincount(drawn.ravel(), minlength=n_draws * n).reshape(n_draws, n)
    return np.ascontiguousarray(counts.T, dtype=np.float64)


def _block_counts(n: int, n_draws: int, length: int, rng: np.random.Generator) -> FloatArray:
    """Return how often each of `n` rows in time order is drawn, in circular blocks of `length`."""
    n_blocks = ceil(n / length)
    starts = rng.integers(0, n, (n_draws, n_blocks), dtype=np.int64)
    starts += np.arange(n_draws)[:, None] * n
    started = np.bincount(starts.ravel(), minlength=n_draws * n).reshape(n_draws, n)
    # A row is drawn once for each block that started at it or at one of the length - 1 rows before it.
    running = np.cumsum(np.concatenate([started[:, n - length + 1 :], started], axis=1), axis=1)
    running = np.concatenate([np.zeros((n_draws, 1), dtype=np.int64), running], axis=1)
    return np.ascontiguousarray((running[:, length:] - running[:, :-length]).T, dtype=np.float64)


class Basis(NamedTuple):
    """What an interval rests on.

    How many independent units, how much wider it must be than they say, and whether each unit is a row of
    one model, so that hits among them are binomial.
    """

    n_units: int
    widening: float = 1.0
    is_rows: bool = False


@dataclass(frozen=True, eq=False)
class Units:
    """What is drawn: rows, groups, or blocks of neighbours in time.

    Parameters
    ----------
    n_units : int
        How many there are to draw from.
    unit : ndarray of shape (n_samples,) or None
        Each row's group, or its rank in time; None where rows are drawn.
    block_length : int
        Neighbours that are drawn together; 1 where there are no blocks.
    widening : float, default=1.0
        How much wider an interval must be, because blocks break up dependence where they meet.
    """

    n_units: int
    unit: IntArray | None
    block_length: int
    widening: float = 1.0

    @property
    def basis(self) -> Basis:
        """How many of them do not depend on each other."""
        return Basis(max(1, self.n_units // self.block_length), self.widening, self.unit is None)

    def counts(self, n_draws: int, rng: np.random.Generator) -> FloatArray:
        """Return the weight of every row in `n_draws` resamples, shape (n_samples, n_draws)."""
        if self.block_length > 1:
            counts = _block_counts(self.n_units, n_draws, self.block_length, rng)
        else:
            counts = _row_counts(self.n_units, n_draws, rng)
        return counts if self.unit is None else counts[self.unit]


def find_units(options: BootstrapOptions, losses: FloatArray) -> Units:
    """Return what is drawn: rows, the groups that `options` names, or blocks of neighbours in time."""
    n = len(losses)
    if options.groups is not None:
        names, unit = np.unique(options.groups, return_inverse=True)
        return Units(len(names), unit.reshape(-1).astype(np.int64), 1)
    if options.times is None:
        return Units(n, None, 1)
    order = np.argsort(options.times, kind="stable")
    rank = np.empty(n, dtype=np.int64)
    rank[order] = np.arange(n)
    ordered = losses[order]
    length = block_length(ordered) if options.block_length == "auto" else max(1, min(options.block_length, n))
    return Units(n, rank, length, widening(ordered, length))


def draw_weights(options: BootstrapOptions, units: Units, n_samples: int) -> Iterator[FloatArray]:
    """Yield the weights of all resamples, shape (n_samples, n_draws), a few at a time."""
    rng = generator(options.seed, "bootstrap")
    n_left = options.n_resamples(n_samples)
    step = max(1, _CHUNK_CELLS // n_samples)
    while n_left > 0:
        yield units.counts(min(step, n_left), rng)
        n_left -= step


def _quantile_levels(confidence: float, basis: Basis) -> tuple[float, float]:
    """Return the two quantiles to read off, a little outside the nominal ones for few units.

    A plain percentile interval is narrow by the factor sqrt((n - 1) / n) and takes the normal for
    Student's t (Hesterberg 2015, section 4.2); with the adjustment 95 % intervals of all metrics
    cover 93-97 % from about 200 rows on.
    """
    normal, freedom = NormalDist(), max(basis.n_units - 1, 1)
    z = normal.inv_cdf((1 + confidence) / 2)
    tail = normal.cdf(-student_quantile(z, freedom) * sqrt(basis.n_units / freedom) * basis.widening)
    return tail, 1 - tail


def percentile_interval(value: float, draws: FloatArray, options: BootstrapOptions, basis: Basis) -> Interval:
    """Return the percentile interval of `value` from its resampled values, the undefined ones left out."""
    if basis.n_units < 2:
        return Interval(value, None, None, "no interval: it needs at least two independent rows")
    defined = draws[np.isfinite(draws)]
    n_undefined = len(draws) - len(defined)
    if len(defined) < FEWEST_DEFINED * len(draws):
        return Interval(
            value, None, None, f"no interval: undefined in {n_undefined} of {len(draws)} resamples"
        )
    low, high = np.quantile(defined, _quantile_levels(options.confidence, basis))
    note = f"{n_undefined} of {len(draws)} resamples left out: undefined there" if n_undefined else ""
    # With few rows the estimate can lie outside the quantiles of its own resamples.
    return Interval(value, min(float(low), value), max(float(high), value), note)


def share_interval(
    value: float, draws: FloatArray, options: BootstrapOptions, basis: Basis, n_folds: int = 1
) -> Interval:
    """Return the interval of a share of rows, averaged over `n_folds` folds that have no row in common.

    It is Wilson's, except where resamples know of dependence. Of all rows, or none, every resample says the
    same, and so a percentile interval would have no width.
    """
    n_units = n_folds * basis.n_units
    if n_units >= 2 and (basis.is_rows or np.ptp(draws) == 0):
        z = NormalDist().inv_cdf((1 + options.confidence) / 2)
        return Interval(value, *wilson(value * n_units, n_units, z=z))
    return percentile_interval(value, draws, options, basis)


def _functions(metrics: Sequence[Metric], is_studentized: bool) -> dict[str, Callable[[Draws], FloatArray]]:
    functions = {metric.name: metric.function for metric in metrics}
    if is_studentized:
        pairs = [(each.name, each.studentized) for each in metrics]
        functions |= {name + _STUDENTIZED: each.function for name, each in pairs if each is not None}
    return functions


def bootstrap(
    metrics: Sequence[str],
    y_true: NDArray[np.generic],
    predictions: Predictions,
    *,
    options: BootstrapOptions | None = None,
    positive: int = 1,
) -> dict[str, Interval]:
    """Return metrics with their intervals.

    Parameters
    ----------
    metrics : sequence of str
        Names, keys of `METRICS`.
    y_true : ndarray of shape (n_samples,)
        Class codes in [0, n_classes), or values.
    predictions : Predictions
        For the same rows.
    options : BootstrapOptions, optional
        How rows are drawn again.
    positive : int, default=1
        Code of the class that is looked for, where there are two.

    Returns
    -------
    dict of str to Interval
        In the order of `metrics`. The cost is linear in n_samples x n_resamples; memory stays
        below 64 MB besides the case itself.

    References
    ----------
    Efron and Tibshirani (1993), "An Introduction to the Bootstrap", chapter 13; Hesterberg (2015),
    "What Teachers Should Know About the Bootstrap", The American Statistician 69; Kuensch (1989)
    and Politis and Romano (1992) for blocks.

    Examples
    --------
    >>> y_true = np.arange(100.0)
    >>> interval = bootstrap(["mae"], y_true, Predictions(y_true + y_true % 3))["mae"]
    >>> interval.value, round(interval.low, 1), round(interval.high, 1)
    (0.99, 0.8, 1.2)
    """
    options = BootstrapOptions() if options is None else options
    case = Case(y_true, predictions, positive=positive)
    if case.n_samples == 0:
        return {name: Interval(None, None, None, "undefined: there are no rows") for name in metrics}
    losses = case.errors**2 if predictions.probabilities is None else case.log_losses
    units = find_units(options, losses)
    functions = _functions([METRICS[name] for name in metrics], units.unit is None)
    estimates = weighted_values(functions, case, np.ones((1, case.n_samples)))
    parts = [
        weighted_values(functions, case, weight.T) for weight in draw_weights(options, units, case.n_samples)
    ]
    draws = {name: np.concatenate([part[name] for part in parts], axis=-1) for name in functions}
    return {
        name: _metric_interval(METRICS[name], case, estimates, draws, options, units.basis)
        for name in metrics
    }


@dataclass(frozen=True, eq=False)
class HeldOut:
    """The rows that one fold held out.

    Parameters
    ----------
    y_true : ndarray of shape (n_samples,)
        Class codes, or values.
    predictions : Predictions
        Of the model that was fitted on the fold's other rows.
    options : BootstrapOptions
        How the rows are drawn again; `groups` and `times` are those of these rows.
    """

    y_true: NDArray[np.generic]
    predictions: Predictions
    options: BootstrapOptions


def bootstrap_folds(
    metrics: Sequence[str], folds: Sequence[HeldOut], *, positive: int = 1
) -> dict[str, Interval]:
    """Return metrics averaged over the folds of a cross-validation, with their intervals.

    Every fold is scored by itself and the scores are averaged: pooling the rows first would compare
    probabilities of different models, which shifts whatever depends on their order (a constant guess
    would not have a ROC AUC of 0.5). Rows are drawn again within their fold, so the interval says how
    far the average may be off because of the rows held out, for the models as they were fitted.

    Parameters
    ----------
    metrics : sequence of str
        Names, keys of `METRICS`.
    folds : sequence of HeldOut
        At least one; confidence, seed and number of resamples are taken from the first.
    positive : int, default=1
        Code of the class that is looked for, where there are two.

    Returns
    -------
    dict of str to Interval
        In the order of `metrics`. Folds in which a metric is undefined are left out of its average.

    References
    ----------
    Forman and Scholz (2010), "Apples-to-apples in cross-validation studies", SIGKDD Explorations 12.

    Examples
    --------
    >>> y_true = np.array([0, 1, 1] * 20)
    >>> guesses = [Predictions(np.ones(60, int), np.tile([1 - p, p], (60, 1))) for p in (0.6, 0.7)]
    >>> folds = [HeldOut(y_true, each, BootstrapOptions()) for each in guesses]
    >>> bootstrap_folds(["roc_auc"], folds)["roc_auc"]
    Interval(value=0.5, low=0.5, high=0.5, note='')
    """
    assert folds
    functions = {name: METRICS[name].function for name in metrics}
    n_samples = sum(len(fold.y_true) for fold in folds)
    options = replace(folds[0].options, resamples=folds[0].options.n_resamples(n_samples))
    drawn = [_draw_fold(functions, fold, index, options, positive) for index, fold in enumerate(folds)]
    basis = average_basis([basis for _, _, basis in drawn])
    return {
        name: _average(
            METRICS[name],
            np.array([float(estimates[name][0]) for estimates, _, _ in drawn]),
            np.stack([draws[name] for _, draws, _ in drawn]),
            options,
            basis,
        )
        for name in metrics
    }


def _draw_fold(
    functions: Mapping[str, Callable[[Draws], FloatArray]],
    fold: HeldOut,
    index: int,
    options: BootstrapOptions,
    positive: int,
) -> tuple[Mapping[str, FloatArray], Mapping[str, FloatArray], Basis]:
    """Return the metrics of one fold, those of its resamples, and what an interval rests on."""
    case = Case(fold.y_true, fold.predictions, positive=positive)
    losses = case.errors**2 if fold.predictions.probabilities is None else case.log_losses
    seed = derive_seed(options.seed, "fold", index)  # draws of two folds must not go together
    own = replace(fold.options, resamples=options.resamples, seed=seed)
    units = find_units(own, losses)
    estimates = weighted_values(functions, case, np.ones((1, case.n_samples)))
    parts = [
        weighted_values(functions, case, weight.T) for weight in draw_weights(own, units, case.n_samples)
    ]
    draws = {name: np.concatenate([part[name] for part in parts], axis=-1) for name in functions}
    return estimates, draws, units.basis


def average_basis(bases: Sequence[Basis]) -> Basis:
    """Return the basis of the average fold: a resample is narrow by how few rows one fold has."""
    n_folds = len(bases)
    n_units = sum(each.n_units for each in bases) // n_folds
    return Basis(n_units, sum(each.widening for each in bases) / n_folds)


def average_folds(estimates: FloatArray, draws: FloatArray) -> tuple[float, FloatArray, str]:
    """Return the mean of a score over folds, of its resampled values, and a note where folds were left out.

    Shapes are (n_folds,), NaN where the score is undefined, and (n_folds, n_draws).
    """
    is_defined = np.isfinite(estimates)
    if not is_defined.any():
        return float("nan"), np.full(draws.shape[1], np.nan), ""
    draws = draws[is_defined]
    n_defined = np.isfinite(draws).sum(axis=0)
    sums = np.where(np.isfinite(draws), draws, 0.0).sum(axis=0)
    averages = np.divide(sums, n_defined, out=np.full(draws.shape[1], np.nan), where=n_defined > 0)
    note = f"the average of {is_defined.sum()} of {len(estimates)} folds: undefined in the others"
    return float(estimates[is_defined].mean()), averages, "" if is_defined.all() else note


def _average(
    metric: Metric, estimates: FloatArray, draws: FloatArray, options: BootstrapOptions, basis: Basis
) -> Interval:
    value, averages, note = average_folds(estimates, draws)
    if not np.isfinite(value):
        return Interval(None, None, None, f"undefined: {metric.undefined}")
    if metric.is_share:
        interval = share_interval(value, averages, options, basis, len(estimates))
    else:
        interval = percentile_interval(value, averages, options, basis)
    return replace(interval, note=note) if note else interval


def _metric_interval(
    metric: Metric,
    case: Case,
    estimates: Mapping[str, FloatArray],
    draws: Mapping[str, FloatArray],
    options: BootstrapOptions,
    basis: Basis,
) -> Interval:
    value = float(estimates[metric.name][0])
    if not np.isfinite(value):
        return Interval(None, None, None, f"undefined: {metric.undefined}")
    if metric.is_share:
        return share_interval(value, draws[metric.name], options, basis)
    interval = percentile_interval(value, draws[metric.name], options, basis)
    key = metric.name + _STUDENTIZED
    if metric.studentized is None or key not in draws or interval.low is None:
        return interval
    ends = studentized_ends(metric.studentized, case, estimates[key][:, 0], draws[key], options.confidence)
    if ends is None:
        return interval
    low, high, note = ends
    note = "; ".join(each for each in (interval.note, note) if each)
    return Interval(value, min(low, value), max(high, value), note)


def resampled(
    statistic: Callable[[FloatArray], FloatArray], losses: FloatArray, options: BootstrapOptions
) -> FloatArray:
    """Return a statistic of the rows drawn again, for intervals of what is no metric.

    Parameters
    ----------
    statistic : callable
        Weights of shape (n_samples, n_draws) to values of shape (n_draws,).
    losses : ndarray of shape (n_samples,)
        One number per row; says how far neighbours in time depend on each other.
    options : BootstrapOptions
        How rows are drawn again.

    Returns
    -------
    ndarray of shape (n_resamples,)

    Examples
    --------
    >>> totals = resampled(lambda weight: weight.sum(axis=0), np.zeros(10), BootstrapOptions(resamples=3))
    >>> totals.tolist()
    [10.0, 10.0, 10.0]
    """
    units = find_units(options, losses)
    return np.concatenate([statistic(weight) for weight in draw_weights(options, units, len(losses))])


def mean_interval(losses: FloatArray, *, options: BootstrapOptions | None = None) -> Interval:
    """Return the mean of one number per row with its interval.

    Parameters
    ----------
    losses : ndarray of shape (n_samples,)
        Finite numbers.
    options : BootstrapOptions, optional
        How rows are drawn again.

    Examples
    --------
    >>> mean_interval(np.zeros(50))
    Interval(value=0.0, low=0.0, high=0.0, note='')
    """
    return ratio_interval(losses, np.ones(len(losses)), options=options)


def hits_interval(is_hit: NDArray[np.bool_], *, options: BootstrapOptions | None = None) -> Interval:
    """Return the share of rows that are hits with its interval.

    Parameters
    ----------
    is_hit : ndarray of shape (n_samples,)
        Whether each row is one.
    options : BootstrapOptions, optional
        How rows are drawn again where they depend on each other.

    Examples
    --------
    >>> every = hits_interval(np.ones(50, dtype=bool))
    >>> every.value, round(every.low, 2), every.high
    (1.0, 0.93, 1.0)
    """
    options = BootstrapOptions() if options is None else options
    if not len(is_hit):
        return Interval(None, None, None, "undefined: there are no rows")
    hits = is_hit.astype(np.float64)
    units = find_units(options, hits)
    draws = [ratio(hits @ weight, weight.sum(axis=0)) for weight in draw_weights(options, units, len(hits))]
    return share_interval(float(hits.mean()), np.concatenate(draws), options, units.basis)


def ratio_interval(
    numerators: FloatArray, denominators: FloatArray, *, options: BootstrapOptions | None = None
) -> Interval:
    """Return the ratio of two means over the same rows with its interval.

    Parameters
    ----------
    numerators, denominators : ndarray of shape (n_samples,)
        Finite numbers of the same rows; denominators not negative.
    options : BootstrapOptions, optional
        How rows are drawn again.

    Examples
    --------
    >>> ratio_interval(np.full(9, 2.0), np.full(9, 4.0)).value
    0.5
    """
    options = BootstrapOptions() if options is None else options
    n_samples = len(numerators)
    if n_samples == 0 or not denominators.sum() > 0:
        return Interval(None, None, None, "undefined: there are no rows, or nothing to relate to")
    units = find_units(options, numerators)
    pair = np.stack([numerators, denominators])
    draws = [ratio(*(pair @ weight)) for weight in draw_weights(options, units, n_samples)]
    value = float(numerators.sum() / denominators.sum())
    return percentile_interval(value, np.concatenate(draws), options, units.basis)


def paired_difference(
    losses_a: FloatArray, losses_b: FloatArray, *, options: BootstrapOptions | None = None
) -> Interval:
    """Return the mean of a - b over the same rows, with its interval.

    Because both losses of a row are drawn together, what makes a row hard for both cancels out, and
    a difference shows that two separate intervals would hide.

    Parameters
    ----------
    losses_a, losses_b : ndarray of shape (n_samples,)
        Losses of the same rows, in the same order.
    options : BootstrapOptions, optional
        How rows are drawn again.

    Returns
    -------
    Interval
        Above zero: b is better; below: a is better; with zero inside, the rows cannot tell.

    Examples
    --------
    >>> hard = np.linspace(0, 9, 200)
    >>> difference = paired_difference(hard + 0.1, hard)
    >>> round(difference.low, 3), round(difference.high, 3)
    (0.1, 0.1)
    """
    assert len(losses_a) == len(losses_b), (len(losses_a), len(losses_b))
    return mean_interval(losses_a - losses_b, options=options)
