"""Step 7, evaluate: how good, how sure, how it fails, and what would help."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from groundup.core.findings import Finding
from groundup.core.inputs import FloatArray, IntArray, Predictions
from groundup.core.seeds import generator
from groundup.core.wording import count, listed
from groundup.data.dataset import Dataset
from groundup.data.fingerprint import row_keys
from groundup.doctor.examine import examine
from groundup.doctor.rules import FIT_RULES
from groundup.doctor.signals import DoubtfulTargets, FitSignals, Span
from groundup.evaluation.curves import error_curves
from groundup.evaluation.fit_evidence import mixed_losses
from groundup.evaluation.fit_verdict import FitEvidence, FitVerdict, judge_fit
from groundup.evaluation.importance import Shuffling, permutation_importance
from groundup.evaluation.intervals import (
    BootstrapOptions,
    Interval,
    bootstrap,
    hits_interval,
    paired_difference,
)
from groundup.evaluation.metrics import default_metrics, get_metric
from groundup.evaluation.more_rows import Outlook, look_ahead
from groundup.evaluation.row_losses import row_losses
from groundup.lifecycle.contexts import silent_context
from groundup.lifecycle.deciding import Decided, decide, decided_facts, said_of
from groundup.lifecycle.define import BASELINE
from groundup.lifecycle.doubting import doubtful_targets
from groundup.lifecycle.explaining import explain_choice
from groundup.lifecycle.fitting import FoldResults, Trained, Trainer, Training
from groundup.lifecycle.growing import measure_growth
from groundup.lifecycle.measured_rows import MeasuredRows, keep_measured
from groundup.lifecycle.nesting import score_procedure
from groundup.lifecycle.session import Session
from groundup.lifecycle.slicing import slice_test
from groundup.lifecycle.weighing import undo
from groundup.models.catalogue import make_learner
from groundup.preparation.table import TablePreparation

Scores = dict[str, dict[str, Any]]

_IMPORTANCE_ROWS = 2_000
_IMPORTANCE_PREDICTIONS = 2_500
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
    worth : dict
        What calibration, threshold and intervals are worth (see `decided_facts`), and of a quantile, how
        often the truth did not exceed it.
    """

    scores: dict[str, Scores]
    improvement: Interval
    curves: dict[str, Any]
    predictions: dict[str, Any]
    slices: dict[str, Any] | None
    worth: dict[str, Any]


@dataclass(frozen=True)
class Judgement:
    """Everything that is known about the chosen model.

    Parameters
    ----------
    verdict : FitVerdict or None
        Over- or underfitting; None when training was stopped too early to tell.
    baseline : Trained
        The baseline, fitted on the same rows.
    decided : Decided
        Calibration, threshold, and the scores behind intervals and sets.
    test : OnTest
        What the test part showed.
    scores : dict of str to Scores
        By part: ``test``, ``validation``, ``train``, ``baseline`` (on test), ``cross_validation``.
    outlook : Outlook or None
        Whether more rows would help; None when that was not asked, or training was stopped.
    importance : list of dict
        What shuffling each column costs.
    loss_ratio : float or None
        Mean out-of-fold loss as a share of the baseline's.
    doubtful : DoubtfulTargets or None
        Which targets of the training rows look wrong.
    contributions : dict
        What each column adds to predictions (see `explain_choice`); empty when training was stopped.
    nested : dict or None
        What the nested cross-validation found; None where none was asked for, or it was not finished.
    """

    verdict: FitVerdict | None
    baseline: Trained
    decided: Decided
    test: OnTest
    scores: dict[str, Scores] = field(default_factory=dict)
    outlook: Outlook | None = None
    importance: list[dict[str, Any]] = field(default_factory=list)
    loss_ratio: float | None = None
    doubtful: DoubtfulTargets | None = None
    contributions: dict[str, Any] = field(default_factory=dict)
    nested: dict[str, Any] | None = None

    def fit_facts(self) -> dict[str, Any]:
        """Return the verdict and the curve over rows for the report."""
        facts: dict[str, Any] = {"fractions": None, "more_rows": None}
        if self.outlook is not None:
            facts = {"fractions": self.outlook.points, "more_rows": self.outlook.to_json()}
        if self.verdict is not None:
            facts |= {
                "verdict": self.verdict.verdict,
                "sentence": self.verdict.sentence,
                "gap": self.verdict.gap.to_json(),
                "relative_gap": self.verdict.relative_gap.to_json(),
                "evidence": self.verdict.evidence,
            }
        return facts


class OutOfFold(NamedTuple):
    """Training rows, their targets, and what the chosen learner and the baseline say of them out of fold."""

    rows: IntArray
    y: NDArray[np.generic]
    model: Predictions
    baseline: Predictions


class Judge:
    """Measures the chosen model; the test part is opened by `measure_test` alone."""

    def __init__(self, session: Session, trainer: Trainer, training: Training, decided: Decided) -> None:
        self.session, self.trainer, self.training, self.decided = session, trainer, training, decided
        self.answer = decided.answering.apply
        self.framed, self.collected = trainer.framed, trainer.collected
        self.problem = trainer.framed.problem
        metric = self.problem.metric
        defaults = default_metrics(self.problem.task, len(self.problem.classes))
        if self.framed.loss.name == "quantile":  # the defaults ask how far off a mean or a median is
            defaults = ()
        # Weights and resampling shift all probabilities: what they would be without is judged.
        self.undone = partial(undo, per_class=trainer.class_shift(training.chosen, training.final))
        self.metrics = (metric, *(name for name in defaults if name != metric))

    @cached_property
    def on_train(self) -> Predictions:
        """Return what the learner says of the training part, before calibration and threshold."""
        return self.training.final.predict(self.collected.train)

    @cached_property
    def on_validation(self) -> Predictions:
        """Return what the learner says of the validation part, before calibration and threshold."""
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
        return row_losses(self.framed.loss, y_true, predictions)

    @cached_property
    def out_of_fold(self) -> OutOfFold | None:
        """What is said of training rows by models that have not seen them; None where there is nothing."""
        results, chosen = self.training.results, self.training.chosen
        if chosen not in results or BASELINE not in results:
            return None
        rows, said = self.trainer.held_out(results[chosen])
        model = self.undone(said)
        baseline_rows, guesses = self.trainer.held_out(results[BASELINE])
        baseline = guesses.take(np.flatnonzero(np.isin(baseline_rows, rows)))
        return OutOfFold(rows, self.collected.y_train[rows], model, baseline)

    def loss_ratio(self) -> float | None:
        """Return the out-of-fold loss as a share of the baseline's."""
        if self.out_of_fold is None:
            return None
        _, y, model, baseline = self.out_of_fold
        guessed = float(self.losses(y, baseline).mean())
        return float(self.losses(y, model).mean()) / guessed if guessed > 0 else None

    def doubtful_targets(self) -> DoubtfulTargets | None:
        """Return which targets of the training and validation rows look wrong."""
        if self.out_of_fold is None:
            return None
        rows, _, model, _ = self.out_of_fold
        said = model.followed_by(self.undone(self.on_validation))
        return doubtful_targets(self.session, self.collected, rows, said)

    def judge(self, outlook: Outlook | None) -> FitVerdict | None:
        """Say whether the model over- or underfits; None where no row was held out."""
        loss = self.framed.loss
        if self.out_of_fold is None or self.trainer.is_partial(self.training.final):
            return None  # a partial model's own rows were held out in part
        rows, y, model, baseline = self.out_of_fold
        part = self.collected.train.take(rows)
        options = self.trainer.bootstrap_options(part, "verdict")
        facts = self.training.final.fitted.facts()
        return judge_fit(
            FitEvidence(
                in_sample=self.losses(y, self.undone(self.on_train).take(rows)),
                held_out=self.losses(y, model),
                baseline=self.losses(y, baseline),
                shrunk=mixed_losses(loss, y, model, baseline),
                probed=mixed_losses(loss, y, model, self._probe()),
                curve=facts.get("curve"),
                best_round=facts.get("best_round"),
                gain=None if outlook is None else outlook.gain,
                options=options,
            )
        )

    def _probe(self) -> Predictions:
        """Return out-of-fold predictions of boosted trees: those of a candidate, or of a small probe."""
        results, chosen = self.training.results, self.training.chosen
        n_folds = len(results[chosen].predictions)  # of all repeats; the first of them counts below
        if chosen != _FLEXIBLE and _FLEXIBLE in results and len(results[_FLEXIBLE].predictions) == n_folds:
            return self.trainer.held_out(results[_FLEXIBLE])[1]
        learner = make_learner(_FLEXIBLE, _PROBE)
        preparation = self.collected.prepared(learner.needs()).preparation
        inputs = preparation.transform(self.collected.train.frame(preparation.columns))
        inputs = inputs.with_target(self.collected.y_train)
        probe = FoldResults(learner)
        random = generator(self.session.seed("probe"), "rows")
        for fold in self.trainer.folds.first[:n_folds]:
            rows = np.sort(random.permutation(fold.train)[:_PROBE_ROWS])
            context = silent_context(self.trainer.session, self.trainer.framed)
            fitted = learner.fit(inputs.take(rows), None, context)
            probe.predictions.append(fitted.predict(inputs.take(fold.held_out)))
        return self.trainer.held_out(probe)[1]

    def outlook(self) -> Outlook | None:
        """Say whether more rows would help; None where no curve was asked for, or it was not finished."""
        if self.session.events.should_stop or not self.session.recipe.evaluation.learning_curve:
            return None
        growth = measure_growth(self.trainer, self.training)
        if growth is None:
            return None
        outlook = look_ahead(growth, loss=self.framed.loss.title)
        own = float(self.losses(self.collected.y_train, self.undone(self.on_train)).mean())
        outlook.points.append({"share": 1.0, "n": growth.n_train, "train": own, "held_out": None})
        return outlook

    def importance(self) -> list[dict[str, Any]]:
        """Shuffle each column of the validation part in turn and see what it costs."""
        collected, final = self.collected, self.training.final
        preparation = final.preparation
        repeats = self.session.recipe.evaluation.importance_repeats
        if repeats == 0 or not isinstance(preparation, TablePreparation):
            return []
        part = collected.validation
        if part.n_rows > _IMPORTANCE_ROWS:
            chosen = generator(self.session.seed("importance"), "rows").permutation(part.n_rows)
            part = part.take(np.sort(chosen[:_IMPORTANCE_ROWS]))
        columns = preparation.columns[:_IMPORTANCE_PREDICTIONS]
        if len(columns) < len(preparation.columns):
            message = f"Importance is measured for the first {count(len(columns))} columns only."
            self.session.events.emit("note", message=message)
        # A column decides its own part of the encoded rows alone: that is shuffled, and nothing is read
        # again. Stages, which mix columns, come after it.
        X = preparation.encode(part.frame(preparation.columns))
        intact = X.copy()

        def predict_shuffled(column: str | None, order: IntArray | None) -> Predictions:
            if column is None:
                return self.answer(final.fitted.predict(preparation.apply_stages(X)))
            features = preparation.encoded_features[column]
            X[:, features] = intact[order, features]
            predictions = self.answer(final.fitted.predict(preparation.apply_stages(X)))
            X[:, features] = intact[:, features]
            return predictions

        return permutation_importance(
            predict_shuffled,
            columns,
            collected.encode(part),
            metric=get_metric(self.problem.metric, self.problem.task),
            positive=self.framed.positive_code,
            shuffling=Shuffling(
                repeats=max(1, min(repeats, _IMPORTANCE_PREDICTIONS // len(columns))),
                seed=self.session.seed("importance"),
            ),
        )

    def measure_test(self, baseline: Trained) -> OnTest:
        """Open the test part and measure the model and the baseline on it."""
        test = self.collected.test.open()
        y_true = self.collected.encode(test)
        raw, guesses = self.training.final.predict(test), baseline.predict(test)
        predictions = self.answer(raw)
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
            improvement=paired_difference(
                self.losses(y_true, guesses),
                self.losses(y_true, self.undone(predictions)) if self.decided.shifted_by else losses,
                options=options,
            ),
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
            worth={
                **decided_facts(self.decided, self.trainer, test, y_true, raw),
                "quantile": self._quantile_facts(y_true, predictions, options),
            },
        )

    def _quantile_facts(
        self, y_true: NDArray[np.generic], predictions: Predictions, options: BootstrapOptions
    ) -> dict[str, Any] | None:
        """Return how often the truth did not exceed the prediction; None where no quantile was asked for."""
        if self.framed.loss.name != "quantile":
            return None
        is_below = np.asarray(y_true, np.float64) <= np.asarray(predictions.values, np.float64)
        found = hits_interval(is_below, options=options)
        return {"asked": self.framed.loss.quantile, "found": found.to_json()}


def evaluate_choice(session: Session, trainer: Trainer, training: Training) -> Judgement:
    """Judge the fit on the training part, then open the test part, once."""
    collected = trainer.collected
    with session.step(7, "Evaluate and tune") as step:
        decided = decide(trainer, training)
        session.reasons.update(decided.reasons())
        for sentence in said_of(decided):
            step.say(sentence)
        judge = Judge(session, trainer, training, decided)
        nested = _nest(trainer, training, judge.metrics)
        if nested is not None:
            step.say(nested["sentence"])
        outlook = judge.outlook()
        if outlook is not None:
            step.say(outlook.sentence)
        verdict = judge.judge(outlook)
        is_stopped = session.events.should_stop
        importance = [] if is_stopped else judge.importance()
        contributions = {} if is_stopped else explain_choice(trainer, training, decided)
        scores = {
            "train": judge.scores(collected.y_train, judge.answer(judge.on_train), collected.train, "train"),
            "validation": judge.scores(
                collected.y_validation, judge.answer(judge.on_validation), collected.validation, "validation"
            ),
        }
        if training.chosen in training.results:
            averages = trainer.average_scores(training.results[training.chosen], judge.metrics)
            scores["cross_validation"] = {name: score.to_json() for name, score in averages.items()}
        baseline = trainer.fit_on(BASELINE, np.arange(collected.train.n_rows), fold=None, is_told=False)
        test = judge.measure_test(baseline)
        scores |= test.scores
        judgement = Judgement(
            verdict,
            baseline,
            decided,
            test,
            scores,
            outlook,
            importance,
            loss_ratio=judge.loss_ratio(),
            doubtful=judge.doubtful_targets(),
            contributions=contributions,
            nested=nested,
        )
        _tell(session, scores)
        session.report_findings(_examine_fit(trainer, training, judgement))
        step.say(_opened(trainer, scores))
        if (quantile := test.worth["quantile"]) is not None:
            asked, found = (100 * each for each in (quantile["asked"], quantile["found"]["value"]))
            step.say(f"In {found:.3g} % of them the truth did not exceed the prediction; asked: {asked:g} %.")
        if importance:
            top = [row["column"] for row in importance[:_N_TOP] if (row["low"] or 0) > 0]
            if top:
                step.say(f"Of all columns, shuffling these costs most: {listed(top)}.")
        moving = [row["column"] for row in contributions.get("columns", ()) if row["mean_absolute"] > 0]
        if moving:
            step.say(f"These move single predictions most: {listed(moving[:_N_TOP])}.")
    return judgement


def _nest(trainer: Trainer, training: Training, metrics: Sequence[str]) -> dict[str, Any] | None:
    """Score the procedure as a whole where that was asked for and training was not stopped."""
    if not trainer.inner or trainer.session.events.should_stop:
        return None
    return score_procedure(trainer, training, metrics)


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
        slope=None if judgement.outlook is None else _span(judgement.outlook.gain),
        outlook="" if judgement.outlook is None else judgement.outlook.outcome,
        improvement=_span(judgement.test.improvement),
        loss=trainer.framed.loss.title,
        facts=training.final.fitted.facts(),
        n_train=trainer.collected.train.n_rows,
        loss_ratio=judgement.loss_ratio,
        doubtful=judgement.doubtful,
        target=problem.target,
        n_features=len(trainer.collected.features),
        metric=problem.metric,
        shifted_by=judgement.decided.shifted_by,
        n_classes=len(problem.classes),
        slices=judgement.test.slices or {},
    )
    return examine(signals, FIT_RULES).findings


def _span(interval: Interval | None) -> Span | None:
    if interval is None or interval.value is None or interval.low is None or interval.high is None:
        return None
    return Span(interval.value, interval.low, interval.high)
