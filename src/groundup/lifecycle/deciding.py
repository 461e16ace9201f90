"""Between training and judging: calibrate, set the threshold, keep the scores behind intervals and sets.

Everything here is decided on rows that the test part knows nothing of: the calibrator and the
conformal scores on the validation part, the threshold on out-of-fold predictions of the training part.
"""

from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from groundup.core.errors import SplitError
from groundup.core.inputs import FloatArray, IntArray, Predictions
from groundup.core.wording import count, number
from groundup.data.dataset import Dataset
from groundup.evaluation.calibration import calibration_facts, calibration_gain
from groundup.evaluation.calibrators import Calibrator, Method, fit_calibrator, is_beyond_chance
from groundup.evaluation.conformal import ConformalScores, conformal_scores, in_sets
from groundup.evaluation.folds import Folds, make_folds
from groundup.evaluation.intervals import BootstrapOptions, Interval, hits_interval
from groundup.evaluation.thresholds import (
    best_threshold,
    cheapest_threshold,
    cost_facts,
    follows_threshold,
)
from groundup.lifecycle.fitting import FoldResults, Trainer, Training
from groundup.problems.infer import Problem
from groundup.serving.answering import Answering

_FOLDS: Final = 5
_FEWEST: Final = 50
_COVERAGES: Final = (0.8, 0.9, 0.95)


@dataclass(frozen=True)
class Decided:
    """What was decided between training and judging.

    Parameters
    ----------
    answering : Answering
        The stage that the package will hold.
    method : str
        The calibrator's, or ``"none"``.
    why_method, why_threshold : str
        Why; "" where there was nothing to decide.
    gain : Interval or None
        By how much the calibrator lowers the cross-validated log loss on the validation part.
    shifted_by : str
        "class weights" or "resampling" where probabilities belong to other than the classes' frequencies;
        "" where a calibrator has undone it.
    """

    answering: Answering
    method: str
    why_method: str = ""
    why_threshold: str = ""
    gain: Interval | None = None
    shifted_by: str = ""

    def resolved(self, problem: Problem) -> dict[str, Any]:
        """Return the recipe's values, by dotted path."""
        values: dict[str, Any] = {"training.calibrate": self.method}
        if len(problem.classes) == 2:
            threshold = self.answering.threshold
            values["evaluation.threshold"] = 0.5 if threshold is None else threshold
        return values

    def reasons(self) -> dict[str, str]:
        """Return why each value is what it is, by dotted path."""
        found = {"training.calibrate": self.why_method, "evaluation.threshold": self.why_threshold}
        return {path: reason for path, reason in found.items() if reason}


OutOfFoldProbabilities: TypeAlias = tuple[IntArray, FloatArray]
"""Class codes of training rows, shape (n,), and their out-of-fold probabilities, shape (n, n_classes)."""


def decide(trainer: Trainer, training: Training) -> Decided:
    """Fit the calibrator, set the threshold, and keep the scores of the validation part."""
    raw, results = training.final.predict(trainer.collected.validation), training.results.get(training.chosen)
    held_out = None if results is None else out_of_fold(trainer, results)
    return decide_on(trainer, training.chosen, raw, held_out)


def out_of_fold(
    trainer: Trainer, results: FoldResults, folds: Folds | None = None
) -> OutOfFoldProbabilities | None:
    """Return what thresholds are chosen on; None where no probability was predicted out of fold."""
    if not results.predictions:
        return None
    rows, held_out = trainer.held_out(results, folds)
    if held_out.probabilities is None:
        return None
    return trainer.collected.y_train[rows].astype(np.int64), held_out.probabilities


def decide_on(
    trainer: Trainer, chosen: str, raw: Predictions, held_out: OutOfFoldProbabilities | None
) -> Decided:
    """Decide by what a model says of the validation part, and by out-of-fold probabilities of its kind."""
    y_true = trainer.collected.y_validation
    conformal = ConformalScores.fit(conformal_scores(y_true, raw)) if len(y_true) else None
    if raw.probabilities is None or not len(y_true):
        return Decided(Answering(conformal=conformal), "none")
    calibration = _Calibration(trainer, chosen, raw.probabilities, np.asarray(y_true, dtype=np.int64))
    method, why, gain = calibration.choose()
    calibrator = None if method is None else calibration.fit(method)
    threshold, why_threshold = _threshold(trainer, held_out, calibrator, calibration)
    answering = Answering(calibrator, threshold, trainer.framed.positive_code, conformal)
    shifted_by = trainer.shifted_by(chosen) if calibrator is None else ""
    return Decided(answering, method or "none", why, why_threshold, gain, shifted_by)


@dataclass(frozen=True)
class _Calibration:
    """The validation part, as calibrators see it."""

    trainer: Trainer
    chosen: str
    probabilities: FloatArray
    y_true: IntArray
    options: BootstrapOptions = field(init=False)

    def __post_init__(self) -> None:
        part = self.trainer.collected.validation
        object.__setattr__(self, "options", self.trainer.bootstrap_options(part, "calibration"))

    def fit(self, method: Method) -> Calibrator:
        """Return the calibrator, fitted on the whole part."""
        return fit_calibrator(method, self.probabilities, self.y_true)

    def choose(self) -> tuple[Method | None, str, Interval | None]:
        """Return the method, why, and what it gains; `auto` keeps it only if it helps beyond chance."""
        asked = self.trainer.session.recipe.training.calibrate
        if asked == "none":
            return None, "", None
        n_rows = len(self.y_true)
        method: Method = "platt" if self.probabilities.shape[1] == 2 else "temperature"
        if method == "temperature" and self.trainer.shifted_by(self.chosen):
            method = "isotonic"  # a temperature leaves the balance of the classes as it is
        method = method if asked == "auto" else asked
        gain = self._gain(method) if n_rows >= _FEWEST else None
        if asked != "auto":
            return method, "as asked", gain
        if gain is None or gain.value is None or gain.low is None or gain.high is None:
            return None, f"{count(n_rows, 'validation row')} are too few to tell whether it helps", None
        range_ = f"{number(gain.value, 3)} nats a row ({number(gain.low, 2)} to {number(gain.high, 2)})"
        if self._helps(method, gain.low):
            fits = (
                ""
                if method == "isotonic"
                else "it fits the rows better than chance does in 399 of 400 samples; "
            )
            return (
                method,
                f"{fits}cross-validated on the validation part, it lowers the log loss by {range_}",
                gain,
            )
        return (
            None,
            f"`{method}` does not lower the log loss on the validation part beyond chance: {range_}",
            gain,
        )

    def _helps(self, method: Method, least_gain: float) -> bool:
        """Return whether it helps beyond chance; where rows depend on each other, the interval must agree."""
        if method == "isotonic":
            return least_gain > 0
        is_independent = self.options.groups is None and self.options.times is None
        is_beyond = is_beyond_chance(method, self.probabilities, self.y_true)
        return is_beyond and (is_independent or least_gain > 0)

    def _gain(self, method: Method) -> Interval | None:
        try:
            folds = self._folds()
        except SplitError:  # all rows of one group
            return None
        return calibration_gain(method, self.probabilities, self.y_true, folds=folds, options=self.options)

    def _folds(self) -> Folds:
        return make_folds(
            self.y_true,
            task="classification",
            k=_FOLDS,
            seed=self.trainer.session.seed("calibration"),
            groups=self.options.groups,
        )


def _threshold(
    trainer: Trainer,
    held_out: OutOfFoldProbabilities | None,
    calibrator: Calibrator | None,
    calibration: _Calibration,
) -> tuple[float | None, str]:
    """Return the threshold (None: 0.5) and why."""
    options, problem = trainer.session.recipe.evaluation, trainer.framed.problem
    asked, costs = options.threshold, options.cost
    if len(problem.classes) != 2 or (asked is None and costs is None):
        return None, ""
    if isinstance(asked, float):
        return (None if asked == 0.5 else asked), "as asked"
    positive = trainer.framed.positive_code
    y_true, probabilities, where = calibration.y_true, calibration.probabilities, "validation"
    if held_out is not None:
        (y_true, probabilities), where = held_out, "out-of-fold"
    if calibrator is not None:
        probabilities = calibrator.apply(probabilities)
    if costs is not None:
        cheapest = cheapest_threshold(probabilities[:, positive], y_true == positive, costs)
        return cheapest, f"errors cost least with it on {count(len(y_true))} {where} rows"
    metric = problem.metric if follows_threshold(problem.metric) else "balanced_accuracy"
    other = "" if metric == problem.metric else f", because no threshold moves `{problem.metric}`"
    best = best_threshold(probabilities, y_true, metric, positive=positive)
    return best, f"`{metric}` is best with it on {count(len(y_true))} {where} rows{other}"


def decided_facts(
    decided: Decided,
    trainer: Trainer,
    test: Dataset,
    y_true: NDArray[np.generic],
    raw: Predictions,
) -> dict[str, Any]:
    """Return what the decisions are worth on the test part: `calibration`, `threshold`, `conformal`.

    Parameters
    ----------
    decided : Decided
        The decisions.
    trainer : Trainer
        For how intervals are made.
    test : Dataset
        The test part.
    y_true : ndarray of shape (n_test,)
        Its class codes or values.
    raw : Predictions
        What the learner says of it, before the decisions.

    Returns
    -------
    dict
        JSON values, for `report.json`.
    """
    options = trainer.bootstrap_options(test, "test")
    facts: dict[str, Any] = {"conformal": _conformal_facts(decided, trainer, y_true, raw, options)}
    if raw.probabilities is None:
        return facts
    codes, positive = np.asarray(y_true, dtype=np.int64), trainer.framed.positive_code
    answers = decided.answering.apply(raw)
    assert answers.probabilities is not None
    facts["calibration"] = {
        "method": decided.method,
        "reason": decided.why_method,
        "shifted_by": decided.shifted_by or None,
        "state": None if decided.answering.calibrator is None else decided.answering.calibrator.state(),
        "gain": None if decided.gain is None else decided.gain.to_json(),
        **calibration_facts(answers.probabilities, codes, positive=positive, options=options),
    }
    if decided.answering.calibrator is not None:
        before = calibration_facts(raw.probabilities, codes, positive=positive, options=options)
        facts["calibration"]["before"] = before
    if answers.probabilities.shape[1] == 2:
        facts["threshold"] = _threshold_facts(decided, trainer, codes, answers, options)
    return facts


def _threshold_facts(
    decided: Decided, trainer: Trainer, codes: IntArray, answers: Predictions, options: BootstrapOptions
) -> dict[str, Any]:
    positive, costs = trainer.framed.positive_code, trainer.session.recipe.evaluation.cost
    threshold = decided.answering.threshold
    facts: dict[str, Any] = {
        "value": 0.5 if threshold is None else threshold,
        "reason": decided.why_threshold,
        "cost": None,
    }
    if costs is not None:
        assert answers.probabilities is not None
        said = np.asarray(answers.values == positive, dtype=np.int64)
        scores = answers.probabilities[:, positive]
        measured = cost_facts((codes == positive).astype(np.int64), said, scores, costs, options=options)
        facts["cost"] = {**costs.model_dump(), **measured}
    return facts


def _conformal_facts(
    decided: Decided,
    trainer: Trainer,
    y_true: NDArray[np.generic],
    raw: Predictions,
    options: BootstrapOptions,
) -> dict[str, Any] | None:
    """Return how often intervals or sets held the truth on the test part, and how large they were."""
    conformal = decided.answering.conformal
    if conformal is None or not len(y_true):
        return None
    scores, levels = conformal_scores(y_true, raw), []
    for coverage in _COVERAGES:
        if coverage > conformal.highest_coverage:
            continue
        radius = conformal.radius(coverage)
        if raw.probabilities is None:
            is_inside, size = scores <= radius, 2 * radius
        else:
            sets = in_sets(raw.probabilities, radius)
            is_inside = sets[np.arange(len(y_true)), np.asarray(y_true, dtype=np.int64)]
            size = float(sets.sum(axis=1).mean())
        covered = hits_interval(np.asarray(is_inside), options=options).to_json()
        levels.append({"coverage": coverage, "covered": covered, "size": size})
    split = trainer.session.recipe.data.split
    return {
        "method": "absolute error" if raw.probabilities is None else "1 - probability of the class",
        "n": conformal.n,
        "exchangeable": split.time is None and split.group is None,
        "levels": levels,
    }


def said_of(decided: Decided) -> list[str]:
    """Return what was decided, as sentences for the step's summary."""
    sentences = []
    if decided.method != "none":
        sentences.append(f"Probabilities are calibrated ({decided.method}): {decided.why_method}.")
    elif decided.why_method:
        sentences.append(f"Probabilities stay as they are: {decided.why_method}.")
    if decided.shifted_by:
        advice = "" if decided.why_method else "; `training.calibrate: auto` would make them so"
        sentences.append(f"Because of {decided.shifted_by}, probabilities are no frequencies{advice}.")
    if decided.answering.threshold is not None:
        threshold = number(decided.answering.threshold, 3)
        sentences.append(f"The threshold is {threshold}: {decided.why_threshold}.")
    return sentences
