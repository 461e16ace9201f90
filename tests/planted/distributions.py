"""Predictions and losses drawn from known distributions, whose true scores are therefore known."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from groundup.core.inputs import FloatArray, IntArray, Predictions
from groundup.core.tasks import Task
from groundup.evaluation.intervals import BootstrapOptions, bootstrap, mean_interval
from groundup.evaluation.metrics import compute_metrics, default_metrics

Draw = Callable[[np.random.Generator, int], tuple[IntArray | FloatArray, Predictions]]


def _as_classes(y: IntArray, p: FloatArray) -> tuple[IntArray, Predictions]:
    return y, Predictions(p.argmax(axis=1), p)


def two_classes(rng: np.random.Generator, n: int) -> tuple[IntArray, Predictions]:
    y = (rng.random(n) < 0.3).astype(int)
    p = 1 / (1 + np.exp(1.5 - 1.3 * (rng.normal(size=n) + 1.2 * y)))
    return y, Predictions((p > 0.5).astype(int), np.stack([1 - p, p], axis=1))


def three_classes(rng: np.random.Generator, n: int) -> tuple[IntArray, Predictions]:
    y, logits = rng.integers(0, 3, n), rng.normal(size=(n, 3))
    logits[np.arange(n), y] += 1.5
    p = np.exp(logits)
    return _as_classes(y, p / p.sum(axis=1, keepdims=True))


def numbers(rng: np.random.Generator, n: int) -> tuple[FloatArray, Predictions]:
    y = rng.normal(size=n)
    return y, Predictions(0.8 * y + 0.5 * rng.normal(size=n))


def long_tails(rng: np.random.Generator, n: int) -> tuple[FloatArray, Predictions]:
    y = rng.normal(size=n)
    return y, Predictions(0.7 * y + 0.6 * rng.standard_t(5, size=n))


def skewed(rng: np.random.Generator, n: int) -> tuple[FloatArray, Predictions]:
    y = np.exp(0.7 * rng.normal(size=n))
    return y, Predictions(np.exp(0.5 * np.log(y) + 0.3 * rng.normal(size=n)))


DISTRIBUTIONS: dict[str, tuple[Task, Draw]] = {
    "two classes, 30 % positive": ("classification", two_classes),
    "three classes": ("classification", three_classes),
    "numbers, normal errors": ("regression", numbers),
    "numbers, long tails (t, 5 degrees)": ("regression", long_tails),
    "numbers, skewed (log-normal)": ("regression", skewed),
}


def by_entity(rng: np.random.Generator) -> tuple[FloatArray, BootstrapOptions]:
    """Return losses of mean 0, of 40 entities with 8 rows each that resemble one another."""
    group = np.repeat(np.arange(40), 8)
    return rng.normal(size=40)[group] + 0.3 * rng.normal(size=320), BootstrapOptions(groups=group)


def _follow(rng: np.random.Generator, n: int, correlation: float) -> FloatArray:
    """Return n numbers of variance 1 that follow one another."""
    shocks, values = rng.normal(size=n + 200), np.zeros(n + 200)
    for i in range(1, n + 200):
        values[i] = correlation * values[i - 1] + shocks[i]
    return values[200:] * np.sqrt(1 - correlation**2)


def _shuffled(rng: np.random.Generator, losses: FloatArray) -> tuple[FloatArray, BootstrapOptions]:
    order = rng.permutation(len(losses))
    return losses[order], BootstrapOptions(times=np.arange(len(losses))[order])


def by_time(rng: np.random.Generator) -> tuple[FloatArray, BootstrapOptions]:
    """Return 600 losses of mean 0 that follow one another with a correlation of 0.7, shuffled."""
    return _shuffled(rng, _follow(rng, 600, 0.7))


def by_time_closely(rng: np.random.Generator) -> tuple[FloatArray, BootstrapOptions]:
    """Return 600 losses of mean 0 that follow one another with a correlation of 0.9, shuffled."""
    return _shuffled(rng, _follow(rng, 600, 0.9))


def squares_by_time(rng: np.random.Generator) -> tuple[FloatArray, BootstrapOptions]:
    """Return 600 squared errors less their mean; the errors follow one another with a correlation of 0.7."""
    return _shuffled(rng, _follow(rng, 600, 0.7) ** 2 - 1)


DEPENDENT = {
    "8 rows an entity": by_entity,
    "neighbours in time": by_time,
    "close neighbours in time": by_time_closely,
    "squares in time": squares_by_time,
}


@dataclass
class Misses:
    """How often an interval lay above the truth, and how often below, in how many repetitions; its ends."""

    n: int = 0
    above: int = 0
    below: int = 0
    ends: list[tuple[float, float]] = field(default_factory=list)

    def add(self, low: float | None, high: float | None, truth: float) -> None:
        assert low is not None
        assert high is not None
        self.n += 1
        self.ends.append((low, high))
        self.above += truth < low
        self.below += truth > high

    @property
    def coverage(self) -> float:
        """The share of the intervals that hold the truth."""
        return 1 - (self.above + self.below) / self.n


@dataclass(frozen=True)
class Size:
    """How much is drawn: rows a sample, samples, resamples a bootstrap."""

    n_rows: int = 250
    n_repetitions: int = 200
    resamples: int = 300


def metric_misses(task: Task, draw: Draw, size: Size, seed: int = 1) -> dict[str, Misses]:
    """Return, for every metric of a task, how often its interval misses the score of 400 000 rows."""
    n_classes = 0 if task == "regression" else draw(np.random.default_rng(0), 9)[1].probabilities.shape[1]  # type: ignore[union-attr]
    names = default_metrics(task, n_classes)
    truth = compute_metrics(names, *draw(np.random.default_rng(9), 400_000))
    rng, misses = np.random.default_rng(seed), {name: Misses() for name in names}
    for repetition in range(size.n_repetitions):
        options = BootstrapOptions(seed=repetition, resamples=size.resamples)
        for name, each in bootstrap(names, *draw(rng, size.n_rows), options=options).items():
            misses[name].add(each.low, each.high, truth[name])
    return misses


def dependent_misses(name: str, size: Size, seed: int) -> tuple[Misses, Misses]:
    """Return how often the mean's interval misses 0: drawn as rows depend, and drawn row by row."""
    rng, informed, naive = np.random.default_rng(seed), Misses(), Misses()
    for repetition in range(size.n_repetitions):
        losses, dependence = DEPENDENT[name](rng)
        for misses, known in ((informed, dependence), (naive, BootstrapOptions())):
            options = replace(known, seed=repetition, resamples=size.resamples)
            interval = mean_interval(losses, options=options)
            misses.add(interval.low, interval.high, 0.0)
    return informed, naive
