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
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from groundup.core.inputs import FloatArray, IntArray, Predictions
from groundup.core.seeds import derive_seed, generator
from groundup.evaluation.metrics import METRICS, Metric, weighted_values
from groundup.evaluation.scores import Case, Draws, ratio

_CHUNK_CELLS: Final = 1 << 17  # weights made at once (1 MB)
_FEWEST_DEFINED: Final = 0.5  # share of resamples that must have a value before an interval is stated

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
        Rows per block; `auto`: the cube root of n_samples times the dependence of neighbours.
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


def block_length(losses: FloatArray) -> int:
    """Return a block length for rows in time order, after Politis and White's rule.

    Parameters
    ----------
    losses : ndarray of shape (n_samples,)
        One number per row, in time order.

    Returns
    -------
    int
        At least 1 (no dependence found), at most a quarter of the rows.

    References
    ----------
    Politis and White (2004), "Automatic block-length selection for the dependent bootstrap",
    Econometric Reviews 23; correction by Patton, Politis and White (2009).

    Examples
    --------
    >>> noise = np.random.default_rng(0).normal(size=500)
    >>> block_length(noise) < block_length(np.convolve(noise, np.ones(20)))
    True
    """
    n = len(losses)
    centred = losses - losses.mean()
    variance = float(centred @ centred) / n
    if n < 8 or variance <= 0:
        return 1
    n_lags = min(ceil(sqrt(n)) + 5, n - 1)
    covariance = np.array([float(centred[lag:] @ centred[: n - lag]) / n for lag in range(n_lags + 1)])
    threshold = 2 * sqrt(np.log10(n) / n)
    is_small = np.abs(covariance[1:] / variance) < threshold
    window = max(5, ceil(sqrt(np.log10(n))))
    quiet = [lag for lag in range(n_lags) if is_small[lag : lag + window].all()]
    last = min(2 * max(quiet[0] if quiet else n_lags, 1), n_lags)
    lags = np.arange(-last, last + 1)
    # The flat-top window: 1 up to half of the lags, then falling to 0.
    taper = np.clip(2 * (1 - np.abs(lags) / last), 0, 1) * covariance[np.abs(lags)]
    slope, level = float(np.abs(lags) @ taper), float(taper.sum())
    if level <= 0 or slope <= 0:
        return 1
    length = ceil((2 * slope**2 / (4 / 3 * level**2)) ** (1 / 3) * n ** (1 / 3))
    return int(max(1, min(length, n // 4)))


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
    """

    n_units: int
    unit: IntArray | None
    block_length: int

    @property
    def n_independent(self) -> int:
        """How many of them do not depend on each other."""
        return max(1, self.n_units // self.block_length)

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
    length = block_length(losses[order]) if options.block_length == "auto" else options.block_length
    return Units(n, rank, max(1, min(length, n)))


def draw_weights(options: BootstrapOptions, units: Units, n_samples: int) -> Iterator[FloatArray]:
    """Yield the weights of all resamples, shape (n_samples, n_draws), a few at a time."""
    rng = generator(options.seed, "bootstrap")
    n_left = options.n_resamples(n_samples)
    step = max(1, _CHUNK_CELLS // n_samples)
    while n_left > 0:
        yield units.counts(min(step, n_left), rng)
        n_left -= step


def _quantile_levels(confidence: float, n_units: int) -> tuple[float, float]:
    """Return the two quantiles to read off, a little outside the nominal ones for few units.

    A plain percentile interval is narrow by the factor sqrt((n - 1) / n) and takes the normal for
    Student's t (Hesterberg 2015, section 4.2); with the adjustment 95 % intervals of all metrics
    cover 93-97 % from about 200 rows on. Student's quantile is Cornish and Fisher's expansion.
    """
    normal = NormalDist()
    z = normal.inv_cdf((1 + confidence) / 2)
    freedom = max(n_units - 1, 1)
    student = z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
    tail = normal.cdf(-student * sqrt(n_units / freedom))
    return tail, 1 - tail


def _studentized_ends(
    metric: Metric, estimate: FloatArray, draws: FloatArray, options: BootstrapOptions
) -> tuple[float, float] | None:
    """Return the ends of the bootstrap-t interval, or None where a standard error is zero.

    Under long-tailed errors the few rows that make the mean are missing from many resamples, whose
    values are then too small by just as much as their standard errors are: dividing repairs it.
    """
    studentized, (value, error) = metric.studentized, estimate
    if studentized is None or not np.isfinite(estimate).all():
        return None
    deviations = (draws[0] - value) / draws[1]
    deviations = deviations[np.isfinite(deviations)]
    if len(deviations) < _FEWEST_DEFINED * draws.shape[1]:
        return None
    tail = (1 - options.confidence) / 2
    upper, lower = np.quantile(deviations, [1 - tail, tail])
    ends = sorted(studentized.back(float(value - each * error)) for each in (upper, lower))
    return ends[0], ends[1]


def percentile_interval(
    value: float, draws: FloatArray, options: BootstrapOptions, n_independent: int
) -> Interval:
    """Return the percentile interval of `value` from its resampled values, the undefined ones left out."""
    if n_independent < 2:
        return Interval(value, None, None, "no interval: it needs at least two independent rows")
    defined = draws[np.isfinite(draws)]
    n_undefined = len(draws) - len(defined)
    if len(defined) < _FEWEST_DEFINED * len(draws):
        return Interval(
            value, None, None, f"no interval: undefined in {n_undefined} of {len(draws)} resamples"
        )
    low, high = np.quantile(defined, _quantile_levels(options.confidence, n_independent))
    note = f"{n_undefined} of {len(draws)} resamples left out: undefined there" if n_undefined else ""
    # With few rows the estimate can lie outside the quantiles of its own resamples.
    return Interval(value, min(float(low), value), max(float(high), value), note)


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
    (0.99, 0.8, 1.1)
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
        name: _metric_interval(METRICS[name], estimates, draws, options, units.n_independent)
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
    # A resample is narrow by how few rows one fold has, so the repair goes by the average fold.
    n_independent = sum(n_units for _, _, n_units in drawn) // len(folds)
    return {
        name: _average(
            METRICS[name],
            np.array([float(estimates[name][0]) for estimates, _, _ in drawn]),
            np.stack([draws[name] for _, draws, _ in drawn]),
            options,
            n_independent,
        )
        for name in metrics
    }


def _draw_fold(
    functions: Mapping[str, Callable[[Draws], FloatArray]],
    fold: HeldOut,
    index: int,
    options: BootstrapOptions,
    positive: int,
) -> tuple[Mapping[str, FloatArray], Mapping[str, FloatArray], int]:
    """Return the metrics of one fold, those of its resamples, and how many independent units it has."""
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
    return estimates, draws, units.n_independent


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
    metric: Metric, estimates: FloatArray, draws: FloatArray, options: BootstrapOptions, n_independent: int
) -> Interval:
    value, averages, note = average_folds(estimates, draws)
    if not np.isfinite(value):
        return Interval(None, None, None, f"undefined: {metric.undefined}")
    interval = percentile_interval(value, averages, options, n_independent)
    return replace(interval, note=note) if note else interval


def _metric_interval(
    metric: Metric,
    estimates: Mapping[str, FloatArray],
    draws: Mapping[str, FloatArray],
    options: BootstrapOptions,
    n_independent: int,
) -> Interval:
    value = float(estimates[metric.name][0])
    if not np.isfinite(value):
        return Interval(None, None, None, f"undefined: {metric.undefined}")
    interval = percentile_interval(value, draws[metric.name], options, n_independent)
    key = metric.name + _STUDENTIZED
    if key not in draws or interval.low is None:
        return interval
    ends = _studentized_ends(metric, estimates[key][:, 0], draws[key], options)
    return interval if ends is None else replace(interval, low=min(ends[0], value), high=max(ends[1], value))


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
    return percentile_interval(value, np.concatenate(draws), options, units.n_independent)


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
