"""Which candidate is kept: the best, or the simplest of those that are as good as the best."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, nan, sqrt
from typing import Final

import numpy as np

from groundup.core.wording import number
from groundup.tuning.options import TuningOptions

BASELINE: Final = "baseline"
"""The candidate that always answers the same; it is kept only if nothing is better."""

_SAME_LATENCY: Final = 1.5  # latencies are measured; within this factor they are the same


@dataclass(frozen=True)
class Candidate:
    """What cross-validation found out about one candidate.

    Parameters
    ----------
    name : str
        Unique among the candidates.
    score : float
        The leading metric averaged over the folds; NaN where it could not be had.
    standard_error : float
        Of `score`, from its spread between folds; NaN with a single fold.
    fold_scores : tuple of float
        The score of every fold, in order.
    latency_us : float
        Measured time to answer one row, microseconds.
    size_bytes : int
        Size of its package.
    """

    name: str
    score: float
    standard_error: float
    fold_scores: tuple[float, ...]
    latency_us: float
    size_bytes: int


@dataclass(frozen=True)
class Selection:
    """Which candidate is kept, and why.

    Parameters
    ----------
    name : str
        The candidate's name.
    reason : str
        One or two sentences for the report.
    tied : tuple of str
        Those within one standard error of the best, the best first; the best alone where there
        is no tie.
    """

    name: str
    reason: str
    tied: tuple[str, ...]


def standard_error(fold_scores: Sequence[float], *, n_folds: int) -> float:
    """Return how far a mean over folds would typically move with other rows.

    The folds of one repeat hold different rows out; those of further repeats hold the same rows out
    again. Repeats steady the mean, but bring no new rows: the error is that of one repeat, averaged.

    Parameters
    ----------
    fold_scores : sequence of float
        Repeat by repeat; NaN where a score is undefined.
    n_folds : int
        Folds of one repeat.

    Returns
    -------
    float
        NaN where no repeat has two scores.

    Examples
    --------
    >>> once = [0.8, 0.9, 0.7, 0.8]
    >>> round(standard_error(once, n_folds=4), 4), round(standard_error(3 * once, n_folds=4), 4)
    (0.0408, 0.0408)
    """
    squares = []
    for start in range(0, len(fold_scores), n_folds):
        scores = [score for score in fold_scores[start : start + n_folds] if isfinite(score)]
        if len(scores) > 1:
            squares.append(float(np.var(scores, ddof=1)) / len(scores))
    return sqrt(float(np.mean(squares))) if squares else nan


def select(
    candidates: Sequence[Candidate], *, higher_is_better: bool, options: TuningOptions | None = None
) -> Selection:
    """Choose between candidates.

    The standard error is that of the best candidate's own score, as in the rule's source: it is
    wider than that of the paired difference, so it leans towards the simpler candidate.
    Simplest is the lowest latency; where latencies differ by less than a factor of 1.5, the fewest
    bytes. The baseline, and whatever is no better than it, takes no part in ties.

    Parameters
    ----------
    candidates : sequence of Candidate
        At least one; on the same folds.
    higher_is_better : bool
        Of the score.
    options : TuningOptions, optional
        Whether simpler ones are preferred.

    Returns
    -------
    Selection
        With the reason.

    References
    ----------
    Breiman, Friedman, Olshen and Stone (1984), "Classification and Regression Trees", section 3.4.3.

    Examples
    --------
    >>> ridge = Candidate("ridge", 0.90, 0.02, (), 2.0, 1_000)
    >>> boosted = Candidate("lightgbm", 0.91, 0.02, (), 9.0, 300_000)
    >>> selection = select([boosted, ridge], higher_is_better=True)
    >>> selection.name, selection.tied
    ('ridge', ('lightgbm', 'ridge'))
    """
    assert candidates
    options = TuningOptions() if options is None else options
    sign = 1 if higher_is_better else -1
    scored = [each for each in candidates if isfinite(each.score)]
    ranked = sorted(scored, key=lambda each: (-sign * each.score, each.name != BASELINE))
    if not ranked:
        return _without_scores(candidates)
    best = ranked[0]
    contenders = [each for each in ranked if each.name == best.name or _beats_baseline(each, ranked, sign)]
    if len(ranked) == 1 or best.name == BASELINE:
        return Selection(best.name, _alone(best, candidates), (best.name,))
    error = best.standard_error if isfinite(best.standard_error) else 0.0
    tied = [each for each in contenders if sign * (best.score - each.score) <= error]
    names = tuple(each.name for each in tied)
    if len(tied) == 1 or not options.prefer_simpler:
        return Selection(best.name, _best(best, ranked, n_tied=len(tied)), names)
    fastest = min(each.latency_us for each in tied)
    quick = [each for each in tied if not each.latency_us > _SAME_LATENCY * fastest]
    # `min` keeps the first of equals, which is the one with the better score.
    simplest = min(quick, key=lambda each: each.size_bytes)
    return Selection(simplest.name, _simplest(simplest, tied, error), names)


def _beats_baseline(candidate: Candidate, ranked: Sequence[Candidate], sign: int) -> bool:
    baseline = next((each for each in ranked if each.name == BASELINE), None)
    return baseline is None or sign * (candidate.score - baseline.score) > 0


def _without_scores(candidates: Sequence[Candidate]) -> Selection:
    kept = next((each for each in candidates if each.name == BASELINE), candidates[0])
    return Selection(
        kept.name, f"No candidate has a score that could be computed: `{kept.name}` is kept.", ()
    )


def _alone(best: Candidate, candidates: Sequence[Candidate]) -> str:
    if len(candidates) == 1:
        return f"`{best.name}` is the only candidate."
    if best.name == BASELINE:
        return f"Nothing is better than the {BASELINE} ({number(best.score)}), so the {BASELINE} is kept."
    return f"`{best.name}` is the only candidate with a score that could be computed ({number(best.score)})."


def _best(best: Candidate, ranked: Sequence[Candidate], *, n_tied: int) -> str:
    second = ranked[1]
    behind = f"ahead of `{second.name}` with {number(second.score)}"
    reason = f"`{best.name}` scores best: {number(best.score)}, {behind}"
    if n_tied > 1:
        return f"{reason}; simpler ones within one standard error are not preferred, as asked."
    if not isfinite(best.standard_error):
        return f"{reason}."
    return f"{reason} by more than one standard error ({number(best.standard_error, 2)})."


def _simplest(simplest: Candidate, tied: Sequence[Candidate], error: float) -> str:
    names = [f"`{each.name}`" for each in tied]
    reason = f"{', '.join(names[:-1])} and {names[-1]} are within one standard error ({number(error, 2)})"
    others = [each for each in tied if each is not simplest]
    slowest = max(each.latency_us for each in others)
    largest = max(each.size_bytes for each in others)
    if slowest > _SAME_LATENCY * simplest.latency_us:
        gain = f"answers a row in {_micro(simplest.latency_us)} µs instead of {_micro(slowest)}"
    elif largest > simplest.size_bytes:
        gain = f"takes {_kilo(simplest.size_bytes)} instead of {_kilo(largest)}"
    else:
        return f"{reason} and equally simple; `{simplest.name}` scores best of them: it is kept."
    return f"{reason}; `{simplest.name}` {gain}: it is kept."


def _micro(latency_us: float) -> str:
    return f"{latency_us:,.0f}" if latency_us >= 10 else f"{latency_us:.1f}".removesuffix(".0")


def _kilo(size_bytes: int) -> str:
    return f"{size_bytes / 1000:,.0f} kB" if size_bytes >= 10_000 else f"{size_bytes / 1000:.1f} kB"
