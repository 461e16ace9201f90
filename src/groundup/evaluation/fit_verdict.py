"""Whether a model over- or underfits, from how it does on rows it was fitted on and on rows it was not.

A gap between the two alone proves nothing: every flexible model has one, well fitted or not. What
counts is whether the held-out loss could be lower, and in which direction. Three things can show
that it could: another number of rounds, predictions drawn towards the baseline, and predictions
mixed with those of a small flexible probe. A model whose loss on its own training rows is above
what can be reached on unseen rows misses order (bias, underfitting); one that is far below it there
and above it on unseen rows has learned noise (variance, overfitting).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np

from groundup.core.inputs import FloatArray
from groundup.core.wording import number
from groundup.evaluation.intervals import BootstrapOptions, Interval, paired_difference, ratio_interval

Verdict = Literal["overfits", "underfits", "fits", "undecided"]

FEWEST_ROWS: Final = 30
"""With fewer training rows no verdict is given."""

# All are shares of the held-out loss, chosen on planted cases (tests/evaluation/test_fit_verdict.py).
_WIDE_GAP: Final = 0.25
_NARROW_GAP: Final = 0.10
_SHRINKING_HELPS: Final = 0.03
_FEWER_ROUNDS_HELP: Final = 0.05
_MORE_ROUNDS_HELP: Final = 0.02
_PROBE_FINDS_ORDER: Final = 0.10
_PROBE_REMOVES_NOISE: Final = 0.15  # mixing two well-fitted models averages some noise away, too
_ILLUSION: Final = 0.5  # share of the apparent gain over the baseline that is gone on held-out rows


@dataclass(frozen=True, eq=False)
class FitEvidence:
    """What a verdict is based on; all losses are of the same rows, in the same order.

    Parameters
    ----------
    in_sample : ndarray of shape (n_samples,)
        Loss of each training row under the model that was fitted on it.
    held_out : ndarray of shape (n_samples,)
        Loss of each of them under the models of a cross-validation that did not see it.
    baseline : ndarray of shape (n_samples,)
        The baseline's out-of-fold loss of each.
    shrunk : ndarray of shape (n_samples,), optional
        Out-of-fold losses mixed with the baseline, see `groundup.evaluation.fit_evidence`.
    probed : ndarray of shape (n_samples,), optional
        Out-of-fold losses mixed with a small flexible model (boosted trees, some 50 rounds).
    curve : mapping of str to sequence of (round, loss), optional
        Under ``train`` and ``validation``; for learners that train in rounds.
    best_round : int, optional
        The round whose model was kept; the last one by default.
    gain : Interval, optional
        By how much the held-out loss would fall with twice the rows.
    options : BootstrapOptions
        How intervals are made.
    """

    in_sample: FloatArray
    held_out: FloatArray
    baseline: FloatArray
    shrunk: FloatArray | None = None
    probed: FloatArray | None = None
    curve: Mapping[str, Sequence[tuple[int, float]]] | None = None
    best_round: int | None = None
    gain: Interval | None = None
    options: BootstrapOptions = field(default_factory=BootstrapOptions)


@dataclass(frozen=True)
class FitVerdict:
    """Whether a model over- or underfits.

    Parameters
    ----------
    verdict : {"overfits", "underfits", "fits", "undecided"}
        `fits`: no sign of either; `undecided`: the rows cannot tell.
    sentence : str
        Why, for a beginner, with the numbers.
    gap : Interval
        Mean loss of a row held out minus of the same row in training (paired).
    relative_gap : Interval
        The same as a share of the held-out loss, at most 1.
    evidence : dict
        Every number that was looked at (JSON values).
    """

    verdict: Verdict
    sentence: str
    gap: Interval
    relative_gap: Interval
    evidence: dict[str, Any]


@dataclass(frozen=True)
class _Signs:
    """The numbers a verdict looks at, as shares of the held-out loss unless said."""

    gap: Interval
    skill: Interval
    shrinking: Interval | None
    probe: Interval | None
    is_training_loss_reachable: bool
    fewer_rounds: float | None
    more_rounds: float | None
    gain: Interval | None
    illusion: float

    @property
    def is_gap_wide(self) -> bool:
        """Wide beyond doubt, or middling while more rows still lower the held-out loss."""
        assert self.gap.value is not None
        if not _is_above(self.gap, 0.0) or self.gap.value < _NARROW_GAP:
            return False
        return self.gap.value >= _WIDE_GAP or _is_above(self.gain, 0.0)


def _is_above(interval: Interval | None, bound: float) -> bool:
    return interval is not None and interval.low is not None and interval.low > bound


def judge_fit(evidence: FitEvidence) -> FitVerdict:
    """Say whether a model over- or underfits.

    Parameters
    ----------
    evidence : FitEvidence
        At least the three losses of every row; the more of the rest, the surer.

    Returns
    -------
    FitVerdict
        With its reasons.

    References
    ----------
    Geman, Bienenstock and Doursat (1992), "Neural Networks and the Bias/Variance Dilemma", Neural
    Computation 4; Hastie, Tibshirani and Friedman (2009), "The Elements of Statistical Learning",
    chapter 7.

    Examples
    --------
    >>> noise = np.random.default_rng(0).random(200)
    >>> evidence = FitEvidence(in_sample=0 * noise, held_out=2 * noise, baseline=noise)
    >>> judge_fit(evidence).verdict
    'overfits'
    """
    gap = paired_difference(evidence.held_out, evidence.in_sample, options=evidence.options)
    relative = _share(evidence.held_out - evidence.in_sample, evidence)
    if len(evidence.held_out) < FEWEST_ROWS or relative.value is None or relative.low is None:
        sentence = f"Too few rows ({len(evidence.held_out)}) to say whether the model over- or underfits."
        if evidence.held_out.sum() == 0:
            return FitVerdict("fits", "Every held-out row is predicted exactly.", gap, relative, {})
        return FitVerdict("undecided", sentence, gap, relative, {})
    signs = _read(evidence, relative)
    verdict, why = _decide(signs)
    sentence = f"{_OPENINGS[verdict]} {why} {_gap_words(evidence)}"
    return FitVerdict(verdict, sentence, gap, relative, _numbers(signs))


_OPENINGS: Final[Mapping[Verdict, str]] = {
    "overfits": "The model overfits: it has learned noise of its training rows by heart.",
    "underfits": "The model underfits: it misses order that is in the data.",
    "fits": "The model fits: there is no sign that it learned noise or missed order.",
    "undecided": "Whether the model over- or underfits cannot be told from these rows.",
}


def _share(differences: FloatArray, evidence: FitEvidence) -> Interval:
    return ratio_interval(differences, evidence.held_out, options=evidence.options)


def _read(evidence: FitEvidence, gap: Interval) -> _Signs:
    """Bring the evidence to one scale: shares of the held-out loss."""
    held_out, in_sample = float(evidence.held_out.mean()), float(evidence.in_sample.mean())
    apparent_gain = float(evidence.baseline.mean()) - in_sample
    fewer_rounds, more_rounds = _rounds(evidence)
    return _Signs(
        gap=gap,
        skill=_share(evidence.baseline - evidence.held_out, evidence),
        shrinking=None if evidence.shrunk is None else _share(evidence.held_out - evidence.shrunk, evidence),
        probe=None if evidence.probed is None else _share(evidence.held_out - evidence.probed, evidence),
        is_training_loss_reachable=evidence.probed is not None and float(evidence.probed.mean()) <= in_sample,
        fewer_rounds=fewer_rounds,
        more_rounds=more_rounds,
        gain=evidence.gain,
        illusion=(held_out - in_sample) / apparent_gain if apparent_gain > 0 else 0.0,
    )


def _rounds(evidence: FitEvidence) -> tuple[float | None, float | None]:
    """Return how much lower the validation loss was in an earlier round, and how fast it still falls."""
    points = (evidence.curve or {}).get("validation") or ()
    if len(points) < 2:
        return None, None
    numbers, losses = (np.array(each, dtype=np.float64) for each in zip(*points, strict=True))
    best_round = numbers[-1] if evidence.best_round is None else evidence.best_round
    at = int(np.argmin(np.abs(numbers - best_round)))
    scale = max(losses[at], np.finfo(np.float64).tiny)
    fewer = float((losses[at] - losses[: at + 1].min()) / scale)
    if at < len(points) - 1:
        return fewer, 0.0  # later rounds were tried and not kept
    before = int(np.searchsorted(numbers, numbers[-1] - max(1.0, 0.1 * numbers[-1]), side="right")) - 1
    return fewer, float((losses[max(before, 0)] - losses[-1]) / scale)


def _decide(signs: _Signs) -> tuple[Verdict, str]:
    """Return the verdict and the clause that gives its reason."""
    if signs.is_gap_wide:
        if signs.fewer_rounds is not None and signs.fewer_rounds >= _FEWER_ROUNDS_HELP:
            return "overfits", f"An earlier round had a {signs.fewer_rounds:.0%} lower validation loss."
        if _is_above(signs.shrinking, 0.0) and _value(signs.shrinking) >= _SHRINKING_HELPS:
            lower = f"{_value(signs.shrinking):.0%}"
            return "overfits", f"Predictions drawn towards the baseline would have a {lower} lower loss."
        if signs.skill.high is not None and signs.skill.high < 0:
            return "overfits", "On held-out rows it is worse than the baseline."
    if signs.more_rounds is not None and signs.more_rounds >= _MORE_ROUNDS_HELP:
        if signs.is_gap_wide:
            return "undecided", "Its held-out loss was still falling when its rounds ended."
        return "underfits", f"The last tenth of its rounds still lowered the loss by {signs.more_rounds:.0%}."
    if _is_above(signs.probe, 0.0):
        lower = f"Mixed with a small flexible model, its held-out loss falls by {_value(signs.probe):.0%}"
        if signs.is_training_loss_reachable and _value(signs.probe) >= _PROBE_FINDS_ORDER:
            return "underfits", f"{lower}, below even its loss on the rows it was fitted on."
        if not signs.is_training_loss_reachable and _value(signs.probe) >= _PROBE_REMOVES_NOISE:
            return "overfits", f"{lower}."
    return _decide_without_remedy(signs)


def _decide_without_remedy(signs: _Signs) -> tuple[Verdict, str]:
    """Return the verdict where nothing was found that would lower the held-out loss."""
    is_untried = signs.probe is None and signs.fewer_rounds is None
    has_skill = _is_above(signs.skill, 0.0)
    # Losses of wild predictions vary so much that no remedy passes for sure; the lost gain still shows.
    is_gain_lost = _is_above(signs.gap, _WIDE_GAP) and signs.illusion >= _ILLUSION
    if is_gain_lost and (is_untried or not has_skill):
        gone = f"{min(signs.illusion, 1):.0%}"
        return "overfits", f"On held-out rows {gone} of its gain over the baseline is gone."
    if not has_skill:
        return "undecided", "It is not clearly better than the baseline, which learns nothing."
    if is_untried:
        return "undecided", "Nothing was tried that could show whether its loss can be lowered."
    return "fits", "Nothing that was tried clearly lowers its loss on held-out rows."


def _value(interval: Interval | None) -> float:
    return interval.value if interval is not None and interval.value is not None else 0.0


def _gap_words(evidence: FitEvidence) -> str:
    held_out, in_sample = float(evidence.held_out.mean()), float(evidence.in_sample.mean())
    return (
        f"(Loss per row: {number(in_sample)} on rows it was fitted on, {number(held_out)} on rows held out, "
        f"{number(float(evidence.baseline.mean()))} for the baseline.)"
    )


def _numbers(signs: _Signs) -> dict[str, Any]:
    intervals = {"relative_gap": signs.gap, "skill": signs.skill, "shrinking": signs.shrinking}
    intervals |= {"probe": signs.probe, "gain": signs.gain}
    numbers = {name: None if each is None else each.to_json() for name, each in intervals.items()}
    rounds = {"fewer_rounds": signs.fewer_rounds, "more_rounds": signs.more_rounds}
    return {**numbers, **rounds, "illusion": signs.illusion}
