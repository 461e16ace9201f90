"""Would more rows help? The loss on held-out rows over growing parts of the rows, taken to twice as many.

Rows in time order are the exception: a longer history is an older one, and what it was worth so far says
nothing dependable about rows to come (benchmarks/more_rows.py). Only what was measured is told of them.
"""

from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

import numpy as np

from groundup.core.inputs import FloatArray, IntArray
from groundup.core.wording import count, number
from groundup.evaluation.intervals import BootstrapOptions, Interval, resampled
from groundup.evaluation.power_laws import Band, Combine, PowerLaws

Outcome = Literal["helps", "little", "enough", "unclear"]

FEWEST_SIZES: Final = 4
"""With fewer sizes the shape of a curve is anybody's guess."""

WORTH: Final = 0.01
"""Share of the baseline's loss: twice the rows are not worth it where they lower the loss by less."""

_BEGUN: Final = 0.1  # share of the baseline's loss that is explained before a flat curve means anything
_POINTS_AHEAD: Final = 6


@dataclass(frozen=True, eq=False)
class Growth:
    """What fits on growing parts of the rows came to, all judged on the same held-out rows.

    Parameters
    ----------
    sizes : ndarray of shape (n_sizes,)
        Rows that were fitted on, averaged over the folds, ascending.
    losses : ndarray of shape (n_sizes, n_samples)
        Loss of every held-out row.
    fold : ndarray of shape (n_samples,)
        Which fold held the row out, from 0.
    own : ndarray of shape (n_sizes, n_folds)
        Mean loss on the rows that were fitted on; NaN where it is not known.
    baseline : float
        Mean loss of the baseline on the held-out rows.
    n_train : int
        Rows of the whole training part; more than the largest size.
    is_in_time : bool
        Whether a smaller part is a shorter history rather than a sample of the same rows.
    options : BootstrapOptions
        How held-out rows are drawn again.
    """

    sizes: FloatArray
    losses: FloatArray
    fold: IntArray
    own: FloatArray
    baseline: float
    n_train: int
    is_in_time: bool = False
    options: BootstrapOptions = field(default_factory=BootstrapOptions)

    @property
    def n_folds(self) -> int:
        """How many folds were used."""
        return int(self.own.shape[1])


@dataclass(frozen=True)
class Outlook:
    """Whether more rows would help.

    Parameters
    ----------
    outcome : {"helps", "little", "enough", "unclear"}
        `helps`: the interval of the gain lies above 0, `little`: and the gain is less than `WORTH` of the
        baseline's loss; `enough`: all of the interval is, and the model has learned something; else
        `unclear`.
    sentence : str
        The answer with its numbers.
    gain : Interval or None
        By how much the held-out loss falls with twice the rows of the training part; None where that is
        not foretold: with too few sizes, and in time.
    doubling : Interval or None
        By how much it fell over the last doubling that was measured; None with a single size.
    points : list of dict
        What was measured, a size each: ``share`` (of the training part), ``n``, ``held_out`` with ``low``
        and ``high``, ``train`` with ``train_low`` and ``train_high``.
    forecast : list of dict
        The curve from the largest size to twice the training part: ``n``, ``value``, ``low``, ``high``.
    exponent : float or None
        Of the power law, averaged over what fits.
    """

    outcome: Outcome
    sentence: str
    gain: Interval | None
    doubling: Interval | None
    points: list[dict[str, Any]]
    forecast: list[dict[str, Any]]
    exponent: float | None

    def to_json(self) -> dict[str, Any]:
        """Return what the report says besides the points."""
        return {
            "outcome": self.outcome,
            "sentence": self.sentence,
            "gain": None if self.gain is None else self.gain.to_json(),
            "doubling": None if self.doubling is None else self.doubling.to_json(),
            "exponent": self.exponent,
            "forecast": self.forecast,
        }


def look_ahead(growth: Growth, *, loss: str = "loss") -> Outlook:
    """Say by how much twice the rows would lower the loss, if that can be told.

    Parameters
    ----------
    growth : Growth
        Losses by size.
    loss : str
        What the loss is called in the sentence.

    References
    ----------
    As for `PowerLaws`; Nadeau and Bengio (2003), "Inference for the generalization error", Machine
    Learning 52, for rows that the fits of several folds share.

    Examples
    --------
    >>> sizes, rng = np.array([100.0, 200, 400, 800]), np.random.default_rng(0)
    >>> losses = 1 + 5 / np.sqrt(sizes)[:, None] + rng.normal(0, 0.01, (4, 1000))
    >>> own, fold = np.full((4, 5), np.nan), np.arange(1000) % 5
    >>> outlook = look_ahead(Growth(sizes, losses, fold, own, 2.0, n_train=1000))
    >>> outlook.outcome, outlook.gain.low < 5 / 1000**0.5 - 5 / 2000**0.5 < outlook.gain.high
    ('helps', True)
    """
    means, covariance, freedom = _noise(growth)
    points = _points(growth, means, covariance, freedom)
    doubling = _doubling(means, covariance, freedom, growth.options.confidence)
    if doubling is None or len(means) < FEWEST_SIZES or growth.is_in_time:
        sentence = _without_forecast(growth, doubling, loss)
        return Outlook("unclear", sentence, None, doubling, points, [], None)
    laws = PowerLaws(growth.sizes / growth.n_train, means, covariance, freedom)
    now, confidence = float(means[-1]), growth.options.confidence
    fall = laws.band(lambda c: np.stack([np.zeros_like(c), 1 - 2.0**-c]), confidence)
    gain = Band(*(min(end, now) for end in fall))  # a loss cannot fall below zero
    outcome = _outcome(gain, now, growth.baseline)
    forecast = []
    for ahead in np.geomspace(growth.sizes[-1] / growth.n_train, 2.0, _POINTS_AHEAD):
        band = Band(*(max(0.0, end) for end in laws.band(_curve_at(ahead), confidence)))
        forecast.append({"n": round(float(growth.n_train * ahead)), **band._asdict()})
    sentence = _sentence(outcome, gain, now, growth.baseline, loss)
    return Outlook(outcome, sentence, Interval(*gain), doubling, points, forecast, laws.exponent)


def _curve_at(x: float) -> Combine:
    return lambda exponents: np.stack([np.ones_like(exponents), x**-exponents])


def _noise(growth: Growth) -> tuple[FloatArray, FloatArray, int]:
    """Return mean losses, their covariance, and the degrees of freedom that it rests on.

    Drawing the held-out rows again shows a part of the noise. How much more the folds differ than that is
    the luck of the rows that were fitted on; it is pooled over the sizes. The last factor is Nadeau and
    Bengio's, for the rows that the fits of several folds share.
    """
    means, losses, n_folds = growth.losses.mean(axis=1), growth.losses, growth.n_folds
    options = replace(growth.options, resamples="auto")  # of a few draws the covariance would be singular
    draws = resampled(lambda weight: (losses @ weight / weight.sum(axis=0)).T, losses[-1], options)
    covariance = np.atleast_2d(np.cov(draws, rowvar=False))
    if n_folds == 1 or len(means) == 1:
        return means, covariance, 1
    of_folds = np.stack([losses[:, growth.fold == fold].mean(axis=1) for fold in range(n_folds)], axis=1)
    falls = (of_folds[:-1] - of_folds[-1]).var(axis=1, ddof=1) / n_folds
    explained = np.diag(covariance)[:-1] + covariance[-1, -1] - 2 * covariance[:-1, -1]
    excess = float(np.mean(falls / np.maximum(explained, np.finfo(np.float64).tiny)))
    shared = 1 + len(growth.fold) / growth.sizes[-1]
    return means, covariance * max(1.0, excess) * shared, 2 * (n_folds - 1)


def _doubling(means: FloatArray, covariance: FloatArray, freedom: int, confidence: float) -> Interval | None:
    """Return by how much the loss fell from the last size but one to the last, which is twice as large."""
    from scipy.special import stdtrit

    if len(means) < 2:
        return None
    variance = covariance[-1, -1] + covariance[-2, -2] - 2 * covariance[-1, -2]
    half = float(stdtrit(freedom, (1 + confidence) / 2) * np.sqrt(max(variance, 0.0)))
    fall = float(means[-2] - means[-1])
    return Interval(fall, fall - half, fall + half)


def _without_forecast(growth: Growth, doubling: Interval | None, loss: str) -> str:
    said = "Whether more rows would help cannot be told:"
    if doubling is None or not growth.is_in_time:
        few = f"{count(growth.n_train, 'training row')} are too few for a curve over parts of them"
        return f"{said} {few}."
    return f"{said} rows in time order are not a sample of rows to come. {_so_far(doubling, loss)}"


def _so_far(doubling: Interval, loss: str) -> str:
    """Say what a history twice as long was worth."""
    assert doubling.value is not None
    assert doubling.low is not None
    assert doubling.high is not None
    value, low, high = (number(end, 2) for end in (doubling.value, doubling.low, doubling.high))
    if doubling.low > 0:
        return f"So far, a history twice as long lowered the {loss} by {value} ({low} to {high})."
    if doubling.high < 0:
        worse = f"{number(-doubling.value, 2)} ({number(-doubling.high, 2)} to {number(-doubling.low, 2)})"
        return f"So far, a history twice as long raised the {loss} by {worse}: the past is no guide here."
    return f"So far, a history twice as long made no clear difference to the {loss} ({low} to {high} lower)."


def _points(growth: Growth, means: FloatArray, covariance: FloatArray, freedom: int) -> list[dict[str, Any]]:
    from scipy.special import stdtrit

    upper = (1 + growth.options.confidence) / 2
    reach = float(stdtrit(freedom, upper)) * np.sqrt(np.diag(covariance))
    points = []
    for size, mean, half, own in zip(growth.sizes, means, reach, growth.own, strict=True):
        known = own[np.isfinite(own)]
        point: dict[str, Any] = {"share": float(size / growth.n_train), "n": round(float(size))}
        point |= {"held_out": float(mean), "low": max(0.0, float(mean - half)), "high": float(mean + half)}
        point["train"] = float(known.mean()) if len(known) else None
        if len(known) > 1:
            spread = float(stdtrit(len(known) - 1, upper) * known.std(ddof=1) / np.sqrt(len(known)))
            low, high = max(0.0, point["train"] - spread), point["train"] + spread
            point |= {"train_low": low, "train_high": high}
        points.append(point)
    return points


def _outcome(gain: Band, now: float, baseline: float) -> Outcome:
    if gain.high < WORTH * baseline:
        has_begun = now < (1 - _BEGUN) * baseline
        return "enough" if has_begun else "unclear"
    if gain.low <= 0:
        return "unclear"
    return "helps" if gain.value >= WORTH * baseline else "little"


def _sentence(outcome: Outcome, gain: Band, now: float, baseline: float, loss: str) -> str:
    value, low, high = (number(end, 2) for end in gain)
    if outcome in ("helps", "little"):
        by = f"{'only ' if outcome == 'little' else ''}by about {value} ({low} to {high})"
        return f"Twice the rows would lower the {loss} {by}, from {number(now, 3)}."
    if outcome == "enough":
        most = f"by {high} at most" if gain.high > 0 else "not at all"
        return (
            f"No more data needed: twice the rows would lower the {loss} {most}, from {number(now, 3)} where "
            f"the baseline has {number(baseline, 3)}."
        )
    said = "Whether more rows would help cannot be told:"
    if gain.high < WORTH * baseline:
        return (
            f"{said} the model has hardly begun to learn (its {loss} is {number(now, 3)}, the baseline's "
            f"{number(baseline, 3)}), and a curve can be flat before it falls."
        )
    return f"{said} with twice the rows, the {loss} may rise by {number(-gain.low, 2)} or fall by {high}."
