"""Step 7, evaluate: how good, how sure, how it fails, and what would help."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundup.core.findings import Finding
from groundup.core.inputs import FloatArray, Predictions
from groundup.core.seeds import generator
from groundup.core.wording import count, listed
from groundup.data.dataset import Dataset
from groundup.data.fingerprint import row_keys
from groundup.doctor.examine import examine
from groundup.doctor.rules import FIT_RULES
from groundup.doctor.signals import FitSignals, Span
from groundup.evaluation.curves import error_curves
from groundup.evaluation.fit_evidence import mixed_losses
from groundup.evaluation.fit_verdict import FitEvidence, FitVerdict, judge_fit
from groundup.evaluation.importance import Shuffling, permutation_importance
from groundup.evaluation.intervals import (
    Interval,
    bootstrap,
    mean_interval,
    paired_difference,
)
from groundup.evaluation.metrics import default_metrics, get_metric, row_losses
from groundup.lifecycle.define import BASELINE
from groundup.lifecycle.fitting import FoldResults, Trained, Trainer, Training
from groundup.lifecycle.measured_rows import MeasuredRows, keep_measured
from groundup.lifecycle.session import Session
from groundup.lifecycle.slicing import slice_test
from groundup.models.catalogue import make_learner

Scores = dict[str, dict[str, Any]]

_FRACTIONS = (0.25, 0.5)
_IMPORTANCE_ROWS = 2_000
_FLEXIBLE = "lightgbm"
_PROBE = {"n_estimators": 50, "num_leaves": 8, "learning_rate": 0.1}
_PROBE_ROWS = 20_000
_N_TOP = 3


@dataclass(frozen=True)
class OnTest:
    """What was measured while the test part was open.

    Parameters
    ----------
    scores : dict of str to Scores
        ``test``, and ``baseline`` on the same rows.
    improvement : Interval
        Loss of the baseline minus loss of the model, per test row.
    curves : dict
        Confusion, ROC, precision–recall, calibration or residuals.
    predictions : dict
        Where what the model said of each row is kept, with the file's digest.
    slices : dict or None
        The scores on parts of the rows; None where the recipe names no column.
    """

    scores: dict[str, Scores]
    improvement: Interval
    curves: dict[str, Any]
    predictions: dict[str, Any]
    slices: dict[str, Any] | None


@dataclass(frozen=True)
class Judgement:
    """Everything that is known about the chosen model.

    Parameters
    ----------
    verdict : FitVerdict or None
        Over- or underfitting; None when training was stopped too early to tell.
    baseline : Trained
        The baseline, fitted on the same rows.
    test : OnTest
        What the test part showed.
    scores : dict of str to Scores
        By part: ``test``, ``validation``, ``train``, ``baseline`` (on test), ``cross_validation``.
    fractions : list of dict
        Held-out loss by share of the training rows; empty when training was stopped.
    importance : list of dict
        What shuffling each column costs.
    """

    verdict: FitVerdict | None
    baseline: Trained
    test: OnTest
    scores: dict[str, Scores] = field(default_factory=dict)
    fractions: list[dict[str, Any]] = field(default_factory=list)
    importance: list[dict[str, Any]] = field(default_factory=list)

    def fit_facts(self) -> dict[str, Any]:
        """Return the verdict and the curve over data for the report."""
        facts: dict[str, Any] = {"fractions": self.fractions or None}
        if self.verdict is not None:
            facts |= {
                "verdict": self.verdict.verdict,
                "sentence": self.verdict.sentence,
                "gap": self.verdict.gap.to_json(),
                "relative_gap": self.verdict.relative_gap.to_json(),
                "slope": None if self.verdict.slope is None else self.verdict.slope.to_json(),
                "evidence": self.verdict.evidence,
            }
        return facts


class Judge:
    """Measures the chosen model; the test part is opened by `measure_test` alone."""

    def __init__(self, session: Session, trainer: Trainer, training: Training) -> None:
        self.session, self.trainer, self.training = session, trainer, training
        self.framed, self.collected = trainer.framed, trainer.collected
        self.problem = trainer.framed.problem
        metric = self.problem.metric
        defaults = default_metrics(self.problem.task, len(self.problem.classes))
        self.metrics = (metric, *(name for name in defaults if name != metric))

    @cached_property
    def on_train(self) -> Predictions:
        """Return what the final model says of the training part."""
        return self.training.final.predict(self.collected.train)

    @cached_property
    def on_validation(self) -> Predictions:
        """Return what the final model says of the validation part."""
        return self.training.final.predict(self.collected.validation)

    def scores(
        self, y_true: NDArray[np.generic], predictions: Predictions, dataset: Dataset, part: str
    ) -> Scores:
        """Return every metric with its interval."""
        intervals = bootstrap(
            self.metrics,
            y_true,
            predictions,
            positive=self.framed.positive_code,
            options=self.trainer.bootstrap_options(dataset, part),
        )
        return {name: interval.to_json() for name, interval in intervals.items()}

    def losses(self, y_true: NDArray[np.generic], predictions: Predictions) -> FloatArray:
        """Return the loss of each row."""
        return row_losses(self.problem.task, y_true, predictions)

    def judge(self, fractions: list[dict[str, Any]]) -> FitVerdict | None:
        """Say whether the model over- or underfits; None where no row was held out."""
        results, problem = self.training.results, self.problem
        if self.training.chosen not in results or BASELINE not in results:
            return None
        if self.trainer.is_partial(self.training.final):  # its own rows were held out in part
            return None
        rows, model = self.trainer.held_out(results[self.training.chosen])
        baseline_rows, guesses = self.trainer.held_out(results[BASELINE])
        baseline = guesses.take(np.flatnonzero(np.isin(baseline_rows, rows)))
        part, y = self.collected.train.take(rows), self.collected.y_train[rows]
        options = self.trainer.bootstrap_options(part, "verdict")
        facts = self.training.final.fitted.facts()
        return judge_fit(
            FitEvidence(
                in_sample=self.losses(y, self.on_train.take(rows)),
                held_out=self.losses(y, model),
                baseline=self.losses(y, baseline),
                shrunk=mixed_losses(problem.task, y, model, baseline),
                probed=mixed_losses(problem.task, y, model, self._probe()),
                curve=facts.get("curve"),
                best_round=facts.get("best_round"),
                fractions=fractions,
                options=options,
            )
        )

    def _probe(self) -> Predictions:
        """Return out-of-fold predictions of boosted trees: those of a candidate, or of a small probe."""
        results, chosen = self.training.results, self.training.chosen
        n_folds = len(results[chosen].predictions)
        if chosen != _FLEXIBLE and _FLEXIBLE in results and len(results[_FLEXIBLE].predictions) == n_folds:
            return self.trainer.held_out(results[_FLEXIBLE])[1]
        learner = make_learner(_FLEXIBLE, _PROBE)
        preparation = self.collected.prepared(learner.needs()).preparation
        inputs = preparation.transform(self.collected.train.frame(preparation.columns))
        inputs = inputs.with_target(self.collected.y_train)
        probe = FoldResults(learner)
        random = generator(self.session.seed("probe"), "rows")
        for fold in self.trainer.folds.folds[:n_folds]:
            rows = np.sort(random.permutation(fold.train)[:_PROBE_ROWS])
            fitted = learner.fit(inputs.take(rows), None, self.trainer.silent_context())
            probe.predictions.append(fitted.predict(inputs.take(fold.held_out)))
        return self.trainer.held_out(probe)[1]

    def learning_curve(self) -> list[dict[str, Any]]:
        """Fit on shares of the training rows and measure the loss on the validation part."""
        collected, chosen = self.collected, self.training.chosen
        n_rows = collected.train.n_rows
        order = generator(self.session.seed("fractions"), "order").permutation(n_rows)
        points = []
        for share in (*_FRACTIONS, 1.0):
            rows = np.sort(order[: max(1, round(share * n_rows))])
            if share == 1.0:
                on_validation, on_rows = self.on_validation, self.on_train.take(rows)
            else:
                trained = self.trainer.fit_on(chosen, rows, fold=None, is_told=False)
                on_validation = trained.predict(collected.validation)
                on_rows = trained.predict(collected.train.take(rows))
            held_out = self.losses(collected.y_validation, on_validation)
            own = self.losses(collected.y_train[rows], on_rows)
            interval = mean_interval(
                held_out, options=self.trainer.bootstrap_options(collected.validation, "curve")
            )
            points.append(
                {
                    "share": share,
                    "n": len(rows),
                    "train": float(own.mean()),
                    "held_out": float(held_out.mean()),
                    "low": interval.low,
                    "high": interval.high,
                }
            )
        return points

    def importance(self) -> list[dict[str, Any]]:
        """Shuffle each column of the validation part in turn and see what it costs."""
        collected, final = self.collected, self.training.final
        repeats = self.session.recipe.evaluation.importance_repeats
        if repeats == 0:
            return []
        part = collected.validation
        if part.n_rows > _IMPORTANCE_ROWS:
            chosen = generator(self.session.seed("importance"), "rows").permutation(part.n_rows)
            part = part.take(np.sort(chosen[:_IMPORTANCE_ROWS]))
        return permutation_importance(
            lambda frame: final.fitted.predict(final.preparation.transform(frame)),
            part.frame(final.preparation.columns),
            collected.encode(part),
            metric=get_metric(self.problem.metric, self.problem.task),
            positive=self.framed.positive_code,
            shuffling=Shuffling(repeats=repeats, seed=self.session.seed("importance")),
        )

    def measure_test(self, baseline: Trained) -> OnTest:
        """Open the test part and measure the model and the baseline on it."""
        test = self.collected.test.open()
        y_true = self.collected.encode(test)
        predictions, guesses = self.training.final.predict(test), baseline.predict(test)
        options = self.trainer.bootstrap_options(test, "test")
        losses = self.losses(y_true, predictions)
        labels = [str(label) for label in self.problem.classes]
        rows = MeasuredRows(
            self.collected.split.test,
            row_keys(test.frame()),
            y_true,
            predictions,
            losses,
            self.collected.groups(test, self.session.recipe.data.split.group),
            self.collected.groups(test, self.session.recipe.data.split.time),
        )
        return OnTest(
            scores={
                "test": self.scores(y_true, predictions, test, "test"),
                "baseline": self.scores(y_true, guesses, test, "test"),
            },
            improvement=paired_difference(self.losses(y_true, guesses), losses, options=options),
            curves=error_curves(y_true, predictions, labels=labels, positive=self.framed.positive_code),
            predictions=keep_measured(self.session.folder, rows, options, self.framed.positive_code),
            slices=slice_test(
                self.collected,
                test,
                y_true,
                predictions,
                options=self.session.recipe.evaluation,
                bootstrap=(self.metrics, self.framed.positive_code, options),
            ),
        )


def evaluate_choice(session: Session, trainer: Trainer, training: Training) -> Judgement:
    """Judge the fit on the training part, then open the test part, once."""
    judge = Judge(session, trainer, training)
    collected = trainer.collected
    with session.step(7, "Evaluate and tune") as step:
        is_stopped = session.events.should_stop
        fractions = [] if is_stopped else judge.learning_curve()
        verdict = judge.judge(fractions)
        importance = [] if is_stopped else judge.importance()
        scores = {
            "train": judge.scores(collected.y_train, judge.on_train, collected.train, "train"),
            "validation": judge.scores(
                collected.y_validation, judge.on_validation, collected.validation, "validation"
            ),
        }
        if training.chosen in training.results:
            averages = trainer.average_scores(training.results[training.chosen], judge.metrics)
            scores["cross_validation"] = {name: score.to_json() for name, score in averages.items()}
        baseline = trainer.fit_on(BASELINE, np.arange(collected.train.n_rows), fold=None, is_told=False)
        test = judge.measure_test(baseline)
        scores |= test.scores
        judgement = Judgement(verdict, baseline, test, scores, fractions, importance)
        _tell(session, scores)
        session.report_findings(_examine_fit(trainer, training, judgement))
        step.say(_opened(trainer, scores))
        if importance:
            top = [row["column"] for row in importance[:_N_TOP] if (row["low"] or 0) > 0]
            if top:
                step.say(f"Of all columns, shuffling these costs most: {listed(top)}.")
    return judgement


def _tell(session: Session, scores: dict[str, Scores]) -> None:
    for part in ("train", "validation", "test"):
        for name, score in scores[part].items():
            session.events.emit(
                "metric", part=part, name=name, value=score["value"], low=score["low"], high=score["high"]
            )


def _opened(trainer: Trainer, scores: dict[str, Scores]) -> str:
    metric = trainer.framed.problem.metric
    score = scores["test"][metric]
    n_rows = count(trainer.collected.test.n_rows)
    if score["value"] is None or score["low"] is None:
        title = get_metric(metric, trainer.framed.problem.task).title
        return f"The {n_rows} test rows do not allow {title}: {score.get('note', '')}."
    return f"The {n_rows} test rows were opened once, after every choice."


def _examine_fit(trainer: Trainer, training: Training, judgement: Judgement) -> tuple[Finding, ...]:
    """Ask the doctor's rules about the fit."""
    verdict, problem = judgement.verdict, trainer.framed.problem
    learner = trainer.framed.learners[training.chosen]
    signals = FitSignals(
        task=problem.task,
        learner=training.chosen,
        candidates=tuple(training.results),
        hyperparameters=learner.model_dump(mode="json"),
        verdict="undecided" if verdict is None else verdict.verdict,
        sentence="" if verdict is None else verdict.sentence,
        gap=None if verdict is None else _span(verdict.gap),
        slope=None if verdict is None else _span(verdict.slope),
        improvement=_span(judgement.test.improvement),
        loss="log loss" if problem.task == "classification" else "squared error",
        facts=training.final.fitted.facts(),
        n_train=trainer.collected.train.n_rows,
        metric=problem.metric,
        slices=judgement.test.slices or {},
    )
    return examine(signals, FIT_RULES).findings


def _span(interval: Interval | None) -> Span | None:
    if interval is None or interval.value is None or interval.low is None or interval.high is None:
        return None
    return Span(interval.value, interval.low, interval.high)
