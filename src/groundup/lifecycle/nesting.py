"""Step 7: nested cross-validation, the score of the whole procedure with its choice of a candidate.

The score of the candidate that won is flattered: of several it is the one that was lucky, too. So the
choice is made again inside each fold of the cross-validation, by a cross-validation of that fold's training
rows alone, and whoever wins there is scored on the rows that the fold held out. The folds are those of the
cross-validation itself: every candidate has been fitted on them already, and only the inner fits are new.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from groundup.core.inputs import Predictions
from groundup.core.wording import count, number
from groundup.evaluation.folds import Fold
from groundup.evaluation.intervals import Interval
from groundup.evaluation.metrics import get_metric
from groundup.evaluation.together import Drawn
from groundup.lifecycle.deciding import decide_on, out_of_fold
from groundup.lifecycle.fitting import Folding, FoldResults, Trainer, Training
from groundup.serving.answering import Answering
from groundup.tuning.selection import Candidate, Selection, select, standard_error


@dataclass(frozen=True)
class OuterFold:
    """What the procedure came to on the training rows of one fold.

    Parameters
    ----------
    index : int
        Which fold, from 0.
    fold : Fold
        Its rows, as positions in the training part.
    selection : Selection
        The candidate that won among its training rows.
    answering : Answering
        Calibrator and threshold as they would have been there.
    raw : Predictions
        What that candidate says of the rows held out, before calibration and threshold.
    """

    index: int
    fold: Fold
    selection: Selection
    answering: Answering
    raw: Predictions


def score_procedure(trainer: Trainer, training: Training, metrics: Sequence[str]) -> dict[str, Any] | None:
    """Choose again inside each fold, and return the facts for the report; None if that was not finished.

    Parameters
    ----------
    trainer : Trainer
        With the inner folds of each fold.
    training : Training
        The cross-validation, complete.
    metrics : sequence of str
        What is measured; the deciding metric first.

    References
    ----------
    Varma and Simon (2006), "Bias in error estimation when using cross-validation for model selection", BMC
    Bioinformatics 7; Cawley and Talbot (2010), "On over-fitting in model selection and subsequent selection
    bias in performance evaluation", JMLR 11.
    """
    n_left = len(trainer.framed.learners) * sum(len(folds) for folds in trainer.inner if folds is not None)
    seconds = sum(result.seconds for result in training.results.values())
    n_done = sum(len(result.scores) for result in training.results.values())
    trainer.session.events.emit("note", message=_announcement(n_left, seconds / max(n_done, 1)))
    outer: list[OuterFold] = []
    for index in range(len(trainer.inner)):
        found = _outer_fold(trainer, training, index)
        if trainer.session.events.should_stop:
            return None
        if found is not None:
            outer.append(found)
    return _facts(trainer, training, outer, metrics, n_left)


def _announcement(n_fits: int, seconds_per_fit: float) -> str:
    seconds = n_fits * seconds_per_fit
    how_long = (
        f"{number(seconds / 60, 2)} minutes" if seconds >= 90 else f"{number(max(seconds, 1), 2)} seconds"
    )
    return f"Nested cross-validation: {count(n_fits, 'fit')}, about {how_long} as fits went so far."


def _outer_fold(trainer: Trainer, training: Training, index: int) -> OuterFold | None:
    """Choose among the candidates by the training rows of one fold; None where these cannot be divided."""
    folds = trainer.inner[index]
    if folds is None:
        return None
    events, results = trainer.session.events, {}
    for name in training.results:
        results[name] = trainer.cross_validate(name, Folding(folds, outer=index))
        if events.should_stop:
            return None
    problem = trainer.framed.problem
    metric = get_metric(problem.metric, problem.task)
    selection = select(
        [
            _candidate(result, training.results[name], len(folds.first), name)
            for name, result in results.items()
        ],
        higher_is_better=metric.higher_is_better,
        options=trainer.session.recipe.tuning,
    )
    fitted, answering = training.results[selection.name], Answering()
    if fitted.validation:
        held_out = out_of_fold(trainer, results[selection.name], folds)
        answering = decide_on(trainer, selection.name, fitted.validation[index], held_out).answering
    score = fitted.scores[index]
    told = f"Fold {index + 1} of {len(trainer.inner)}: among its training rows `{selection.name}` wins"
    events.emit("note", message=f"{told}; {metric.name} {number(score)} on the rows held out.")
    return OuterFold(index, trainer.folds.first[index], selection, answering, fitted.predictions[index])


def _candidate(inner: FoldResults, fitted: FoldResults, n_folds: int, name: str) -> Candidate:
    scores = np.array(inner.scores)
    defined = scores[np.isfinite(scores)]
    return Candidate(
        name=name,
        score=float(defined.mean()) if len(defined) else float("nan"),
        standard_error=standard_error(inner.scores, n_folds=n_folds),
        fold_scores=tuple(inner.scores),
        latency_us=fitted.latency_us,
        size_bytes=fitted.size_bytes,
    )


def _facts(
    trainer: Trainer, training: Training, outer: Sequence[OuterFold], metrics: Sequence[str], n_fits: int
) -> dict[str, Any]:
    winner = training.results[training.chosen]
    procedure, choices, kept = trainer.average_over(
        [each.fold for each in outer],
        [
            [each.answering.apply(each.raw) for each in outer],
            [each.raw for each in outer],
            [winner.predictions[each.index] for each in outer],
        ],
        metrics,
    )
    optimism = _optimism(trainer, kept, choices, metrics[0])
    counts = Counter(each.selection.name for each in outer)
    is_decided = any(each.answering.calibrator or each.answering.threshold is not None for each in outer)
    return {
        "n_fits": n_fits,
        "n_folds": len(outer),
        "n_left_out": len(trainer.inner) - len(outer),
        "inner_folds": max(len(folds.first) for folds in trainer.inner if folds is not None),
        "is_decided": is_decided,
        "includes": _includes(trainer, is_decided=is_decided),
        "scores": _scores(procedure, metrics),
        "before": _scores(choices, metrics),
        "cross_validation": _scores(kept, metrics),
        "optimism": {"metric": metrics[0], **optimism.to_json()},
        "chosen": dict(counts.most_common()),
        "folds": [_fold_facts(each, training) for each in outer],
        "sentence": _sentence(trainer, training, counts, optimism),
    }


def _scores(drawn: Drawn, metrics: Sequence[str]) -> dict[str, Any]:
    return {name: drawn.interval(name).to_json() for name in metrics}


def _optimism(trainer: Trainer, kept: Drawn, choices: Drawn, metric: str) -> Interval:
    """Return by how much the winner's cross-validated score is better than the choices'."""
    is_higher_better = get_metric(metric, trainer.framed.problem.task).higher_is_better
    return kept.minus(choices, metric) if is_higher_better else choices.minus(kept, metric)


def _fold_facts(each: OuterFold, training: Training) -> dict[str, Any]:
    scores = {name: result.scores[each.index] for name, result in training.results.items()}
    known: Mapping[str, float | None] = {
        name: score if np.isfinite(score) else None for name, score in scores.items()
    }
    return {
        "fold": each.index + 1,
        "n_held_out": len(each.fold.held_out),
        "chosen": each.selection.name,
        "score": known[each.selection.name],
        "candidates": known,
    }


def _includes(trainer: Trainer, *, is_decided: bool) -> str:
    decided = ", the calibrator and the threshold" if is_decided else ""
    return (
        "the preparation, the fits and the choice between "
        f"{count(len(trainer.framed.learners), 'candidate')}{decided}; the validation part, which steers "
        "early stopping, is the same in all folds"
    )


def _sentence(trainer: Trainer, training: Training, counts: Counter[str], optimism: Interval) -> str:
    n_folds, metric = counts.total(), trainer.framed.problem.metric
    if set(counts) == {training.chosen}:
        return (
            f"`{training.chosen}` wins in all {n_folds} folds, too: nothing shows that the choice flatters "
            f"its cross-validated {metric}."
        )
    wins = ", ".join(f"`{name}` in {n}" for name, n in counts.most_common())
    said = f"Of {n_folds} folds, the choice falls on {wins}."
    if optimism.value is None:
        return said
    if optimism.low is None or optimism.high is None:
        return f"{said} The choice flatters the cross-validated {metric} by {number(optimism.value, 2)}."
    ends = f"{number(optimism.low, 2)} to {number(optimism.high, 2)}"
    if optimism.low <= 0:
        return (
            f"{said} That the choice flatters the cross-validated {metric} cannot be shown: by "
            f"{number(optimism.value, 2)} (interval {ends})."
        )
    by = f"{number(optimism.value, 2)} (interval {ends})"
    return f"{said} The choice flatters the cross-validated {metric} by {by}."
