"""Step 6, train: every candidate on every fold, then the final fit."""

import importlib
import math
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundup.core.errors import RecipeError
from groundup.core.inputs import FloatArray, Inputs, IntArray, Predictions
from groundup.core.wording import count
from groundup.data.dataset import Dataset
from groundup.evaluation.folds import Folds, make_folds
from groundup.evaluation.intervals import BootstrapOptions, HeldOut, Interval, bootstrap_folds
from groundup.evaluation.metrics import compute_metrics, get_metric
from groundup.lifecycle.collect import Collected
from groundup.lifecycle.define import BASELINE, Framed
from groundup.lifecycle.design import Plan
from groundup.lifecycle.session import Session
from groundup.models.contract import FitContext, Fitted, Learner, RoundsResult
from groundup.preparation.choices import without_stages
from groundup.preparation.table import TablePreparation
from groundup.training.class_weights import class_weights
from groundup.training.resampling import resample
from groundup.training.rounds import run_rounds
from groundup.tuning.paired_test import compare_with_best
from groundup.tuning.selection import Candidate, Selection, select

_LATENCY_ROWS = 200

_RESAMPLED = {
    "over": "Rows of smaller classes were repeated in each fit until all classes were equally frequent.",
    "under": "Rows of larger classes were left out of each fit until all classes were equally frequent.",
}


@dataclass(frozen=True)
class Trained:
    """A fitted learner with the preparation that feeds it, and how often a row of each class counted."""

    preparation: TablePreparation
    fitted: Fitted
    seconds: float
    class_weight: FloatArray | None = None

    def predict(self, dataset: Dataset) -> Predictions:
        """Return predictions for raw rows."""
        return self.fitted.predict(self.preparation.transform(dataset.frame(self.preparation.columns)))


@dataclass
class FoldResults:
    """One candidate's fits on the folds.

    Parameters
    ----------
    learner : Learner
        With its hyperparameters.
    scores : list of float
        The deciding metric on each held-out fold.
    predictions : list of Predictions
        For the rows of each held-out fold.
    seconds : float
        Wall time of all its fits.
    latency_us, size_bytes : float, int
        One row from dict to prediction (median), and what a package of it would weigh; from the first fold.
    interval : Interval or None
        The deciding metric, averaged over the folds.
    """

    learner: Learner
    scores: list[float] = field(default_factory=list)
    predictions: list[Predictions] = field(default_factory=list)
    seconds: float = 0.0
    latency_us: float = 0.0
    size_bytes: int = 0
    interval: Interval | None = None


class Trainer:
    """Fits learners on rows of the training part, under one plan."""

    def __init__(self, session: Session, framed: Framed, collected: Collected, plan: Plan) -> None:
        self.session, self.framed, self.collected, self.plan = session, framed, collected, plan
        problem = framed.problem
        if session.recipe.training.resample != "none" and problem.task != "classification":
            raise RecipeError(
                f"`training.resample` is `{session.recipe.training.resample}`, but `{problem.target}` has no "
                "classes that could be made equally frequent. Leave it at `none`."
            )
        split = session.recipe.data.split
        self.folds: Folds = make_folds(
            collected.y_train,
            task=problem.task,
            k=session.recipe.evaluation.folds,
            seed=session.seed("folds"),
            groups=collected.groups(collected.train, split.group),
            times=collected.groups(collected.train, split.time),
        )
        self.latest: dict[str, Trained] = {}

    def fit(
        self, name: str, train: Inputs, validation: Inputs, *, fold: int | None, n_events: bool = True
    ) -> Fitted:
        """Fit one learner; `fold` None is the final fit."""
        learner, method = self.framed.learners[name], self.session.recipe.training.resample
        if method != "none" and name != BASELINE:
            seed = self.session.seed("resample", "final" if fold is None else fold)
            train = train.take(resample(train.y, method, seed=seed))
        if name != BASELINE:  # guessing knows no weights
            train, validation = self.framed.weighing.apply(train, validation)
        return learner.fit(train, validation, self._context(name, fold, is_told=n_events))

    def _context(self, name: str, fold: int | None, *, is_told: bool) -> FitContext:
        events, options = self.session.events, self.session.recipe.training

        def tell(*, round: int, n_rounds: int, metrics: Mapping[str, float]) -> None:  # noqa: A002
            if is_told:
                events.emit("round", learner=name, fold=fold, round=round, n_rounds=n_rounds, metrics=metrics)

        def rounds(
            advance: Callable[[], bool],
            scores: Callable[[bool], Mapping[str, float]],
            *,
            n_rounds: int,
            monitor: str,
        ) -> RoundsResult:
            return run_rounds(
                advance,
                scores,
                n_rounds=n_rounds,
                monitor=monitor,
                early_stopping=options.early_stopping,
                emit=tell,
                should_stop=lambda: events.should_stop,
            )

        problem = self.framed.problem
        return FitContext(
            task=problem.task,
            n_classes=len(problem.classes),
            seed=self.session.seed("fit", name, "final" if fold is None else fold),
            threads=self.plan.threads,
            run_rounds=rounds,
            should_stop=lambda: events.should_stop,
            loss=self.framed.loss,
        )

    def silent_context(self) -> FitContext:
        """Return the context of a fit that looks into another: one thread, every round, no events."""
        return FitContext(
            task=self.framed.problem.task,
            n_classes=len(self.framed.problem.classes),
            seed=self.session.seed("fit", "probe"),
            threads=1,
            run_rounds=partial(
                run_rounds, early_stopping=None, emit=lambda **_fact: None, should_stop=lambda: False
            ),
            should_stop=lambda: False,
            loss=self.framed.loss,
        )

    def fit_on(self, name: str, rows: IntArray, *, fold: int | None, is_told: bool = True) -> Trained:
        """Prepare and fit on some rows of the training part; the validation part steers."""
        collected, learner = self.collected, self.framed.learners[name]
        needs = learner.needs()
        for library in learner.libraries:  # else the first fit would seem slow
            importlib.import_module(library)
        start = time.monotonic()
        options = collected.options if name != BASELINE else without_stages(collected.options)
        preparation = TablePreparation(options)
        part = collected.train.take(rows).select(collected.offered)
        inputs, kept = preparation.fit_transform(part, needs, collected.supervision.take(rows))
        train = collected.supervised(inputs, rows[kept])
        validation = preparation.transform(collected.validation.frame(collected.features))
        fitted = self.fit(
            name,
            train,
            validation.with_target(collected.y_validation).with_weight(collected.weight_validation),
            fold=fold,
            n_events=is_told,
        )
        seconds = time.monotonic() - start
        return Trained(preparation, fitted, seconds, self._class_weight(name, train))

    def fit_final(self, name: str) -> Trained:
        """Fit on the whole training part; after a request to stop, keep the latest model instead."""
        events = self.session.events
        if events.should_stop and name in self.latest:
            events.emit(
                "note", message=f"Stopped: the latest `{name}` is kept, fitted on a part of the rows."
            )
            return self.latest[name]
        events.emit("fit_started", learner=name, fold=None, n_folds=len(self.folds.folds))
        prepared = self.collected.prepared(self.framed.learners[name].needs())
        start = time.monotonic()
        fitted = self.fit(name, prepared.train, prepared.validation, fold=None)
        seconds = time.monotonic() - start
        events.emit("fit_finished", learner=name, fold=None, seconds=seconds, restored=False, score=None)
        return Trained(prepared.preparation, fitted, seconds, self._class_weight(name, prepared.train))

    def _class_weight(self, name: str, train: Inputs) -> FloatArray | None:
        return None if name == BASELINE else self.framed.weighing.of_classes(train)

    def shifted_by(self, name: str) -> str:
        """Return what makes classes count otherwise than they are frequent in a learner's fits, or ""."""
        training = self.session.recipe.training
        if name == BASELINE or training.class_weight == training.resample == "none":
            return ""
        return "class weights" if training.resample == "none" else "resampling"

    def class_shift(self, name: str, trained: Trained) -> FloatArray | None:
        """Return how often a row of each class counted in a fit, by its weight or by resampling."""
        if self.shifted_by(name) != "resampling":
            return trained.class_weight
        return class_weights("balanced", self.collected.y_train, len(self.framed.problem.classes))

    def is_partial(self, trained: Trained) -> bool:
        """Return whether a model was fitted on the rows of a fold, not on the whole training part."""
        return any(trained is each for each in self.latest.values())

    def held_out(self, result: FoldResults) -> tuple[IntArray, Predictions]:
        """Return the rows of all folds that were predicted, and their predictions, in row order."""
        pairs = self.folds.folds[: len(result.predictions)]
        rows = np.concatenate([held_out for _, held_out in pairs])
        values = np.concatenate([each.values for each in result.predictions])
        probabilities = [each.probabilities for each in result.predictions if each.probabilities is not None]
        order = np.argsort(rows, kind="stable")
        stacked = np.concatenate(probabilities)[order] if probabilities else None
        return rows[order], Predictions(values[order], stacked)

    def average_scores(self, result: FoldResults, metrics: Sequence[str]) -> dict[str, Interval]:
        """Return metrics averaged over the folds that were predicted."""
        collected = self.collected
        folds = [
            HeldOut(
                collected.y_train[rows],
                predictions,
                self.bootstrap_options(collected.train.take(rows), f"fold-{index}"),
            )
            for index, ((_, rows), predictions) in enumerate(
                zip(self.folds.folds, result.predictions, strict=False)
            )
        ]
        return bootstrap_folds(metrics, folds, positive=self.framed.positive_code)

    def bootstrap_options(self, part: Dataset, name: str) -> BootstrapOptions:
        """Return how intervals are made on the rows of a part: by entity or in blocks where rows depend."""
        options, split = self.session.recipe.evaluation, self.session.recipe.data.split
        return BootstrapOptions(
            confidence=options.confidence,
            resamples=options.resamples,
            seed=self.session.seed("bootstrap", name),
            groups=self.collected.groups(part, split.group),
            times=self.collected.groups(part, split.time),
        )

    def cross_validate(self, name: str) -> FoldResults:
        """Fit a candidate on each fold's training rows and predict the rows held out."""
        results = FoldResults(self.framed.learners[name])
        for fold, (rows, held_out) in enumerate(self.folds.folds):
            if self.session.events.should_stop:
                break
            self._fold(results, name, fold, rows, held_out)
        return results

    def _fold(self, results: FoldResults, name: str, fold: int, rows: IntArray, held_out: IntArray) -> None:
        session, key = self.session, f"{name}-fold-{fold + 1}"
        session.events.emit("fit_started", learner=name, fold=fold, n_folds=len(self.folds.folds))
        done = session.restore(key)
        if done is None:
            facts, predictions = self._fit_fold(name, fold, rows, held_out)
            if not session.events.should_stop:
                session.keep(key, facts, arrays_of(predictions))
        else:
            facts, predictions = dict(done.facts), predictions_of(done.arrays)
        if fold == 0:
            results.latency_us, results.size_bytes = facts["latency_us"], facts["size_bytes"]
        results.scores.append(math.nan if facts["score"] is None else facts["score"])
        results.predictions.append(predictions)
        results.seconds += facts["seconds"]
        session.events.emit(
            "fit_finished",
            learner=name,
            fold=fold,
            seconds=facts["seconds"],
            restored=done is not None,
            score=facts["score"],
        )

    def _fit_fold(
        self, name: str, fold: int, rows: IntArray, held_out: IntArray
    ) -> tuple[dict[str, Any], Predictions]:
        trained = self.fit_on(name, rows, fold=fold)
        part = self.collected.train.take(held_out)
        predictions = trained.predict(part)
        metric = self.framed.problem.metric
        y_true, positive = self.collected.y_train[held_out], self.framed.positive_code
        score = compute_metrics([metric], y_true, predictions, positive=positive)[metric]
        # Undefined where a fold lacks a class; JSON has no NaN.
        facts: dict[str, Any] = {"score": None if math.isnan(score) else score, "seconds": trained.seconds}
        if fold == 0:
            facts["latency_us"] = measure_latency_us(trained, part)
            facts["size_bytes"] = measure_size_bytes(trained)
        self.latest[name] = trained
        return facts, predictions


@dataclass(frozen=True)
class Training:
    """What training left behind.

    Parameters
    ----------
    results : dict of str to FoldResults
        Every candidate's folds, by name.
    candidates : tuple of Candidate
        Their scores averaged over the folds, as the choice saw them.
    selection : Selection
        Which one was kept and why.
    final : Trained
        The kept learner fitted on the whole training part (or, when training was stopped, the
        latest model it had by then).
    p_values : mapping of str to float
        Of the candidates but the best: the adjusted p-value of being no different from it.
    """

    results: dict[str, FoldResults]
    candidates: tuple[Candidate, ...]
    selection: Selection
    final: Trained
    p_values: Mapping[str, float]

    @property
    def chosen(self) -> str:
        """The kept learner's name."""
        return self.selection.name


def train_candidates(session: Session, trainer: Trainer) -> Training:
    """Cross-validate every candidate on the same folds, choose one, and fit it on the whole training part."""
    framed, n_folds = trainer.framed, len(trainer.folds.folds)
    with session.step(6, "Train") as step:
        names = list(framed.learners)
        session.events.emit("plan", n_fits=len(names) * n_folds + 1, learners=names)
        results = {name: trainer.cross_validate(name) for name in names}
        results = {name: result for name, result in results.items() if result.scores}
        candidates = tuple(_candidate(session, trainer, name, result) for name, result in results.items())
        if not session.events.should_stop:
            held_out = "a later period" if trainer.folds.method == "time" else "rows"
            step.say(
                f"{count(len(results), 'learner')} compared on {count(n_folds, 'fold')} of the training "
                f"part, each scored on {held_out} that it was not fitted on."
            )
        if results:
            metric = get_metric(framed.problem.metric, framed.problem.task)
            selection = select(
                candidates, higher_is_better=metric.higher_is_better, options=session.recipe.tuning
            )
        else:
            selection = Selection(BASELINE, "Training was stopped before the first fit had ended.", ())
        final = trainer.fit_final(selection.name)
        if session.recipe.training.resample != "none":
            step.say(_RESAMPLED[session.recipe.training.resample])
        step.say(_last_fit(selection.name, final, trainer))
        if final.class_weight is not None and session.recipe.training.class_weight == "balanced":
            step.say(f"In that fit {framed.weighing.counted(final.class_weight)}.")
    return Training(results, candidates, selection, final, _p_values(trainer, candidates))


def _p_values(trainer: Trainer, candidates: Sequence[Candidate]) -> dict[str, float]:
    """Return how likely the folds would differ so much if a candidate were as good as the best."""
    metric = get_metric(trainer.framed.problem.metric, trainer.framed.problem.task)
    shares = [len(fold.held_out) / max(1, len(fold.train)) for fold in trainer.folds.folds]
    return compare_with_best(
        candidates, higher_is_better=metric.higher_is_better, test_share=float(np.mean(shares))
    )


def _last_fit(name: str, final: Trained, trainer: Trainer) -> str:
    if trainer.is_partial(final):
        return f"Training was stopped: `{name}` is kept as fitted on the rows of one fold."
    if trainer.session.events.should_stop:
        return f"`{name}` was being fitted on the whole training part when training was stopped."
    return f"`{name}` is kept, fitted on the whole training part."


def _candidate(session: Session, trainer: Trainer, name: str, result: FoldResults) -> Candidate:
    """Return a candidate's mean score over the folds and how much it varies between them; tell it."""
    metric = trainer.framed.problem.metric
    score = trainer.average_scores(result, [metric])[metric]
    scores = np.array([score for score in result.scores if math.isfinite(score)])
    standard_error = float(scores.std(ddof=1) / np.sqrt(len(scores))) if len(scores) > 1 else math.nan
    candidate = Candidate(
        name=name,
        score=math.nan if score.value is None else score.value,
        standard_error=standard_error,
        fold_scores=tuple(result.scores),
        latency_us=result.latency_us,
        size_bytes=result.size_bytes,
    )
    result.interval = score
    session.events.emit(
        "candidate_finished",
        learner=name,
        metric=metric,
        score=score.value,
        low=score.low,
        high=score.high,
        standard_error=None if math.isnan(standard_error) else standard_error,
        latency_us=result.latency_us,
        size_bytes=result.size_bytes,
    )
    return candidate


def arrays_of(predictions: Predictions) -> dict[str, NDArray[np.generic]]:
    """Return predictions as named arrays for a checkpoint."""
    arrays: dict[str, NDArray[np.generic]] = {"values": predictions.values}
    if predictions.probabilities is not None:
        arrays["probabilities"] = predictions.probabilities
    return arrays


def predictions_of(arrays: Mapping[str, NDArray[np.generic]]) -> Predictions:
    """Return the predictions that `arrays_of` stored."""
    return Predictions(arrays["values"], arrays.get("probabilities"))  # type: ignore[arg-type]


def measure_latency_us(trained: Trained, dataset: Dataset) -> float:
    """Return the median time from a row's dict to its prediction, microseconds, over 200 rows."""
    rows = dataset.frame(trained.preparation.columns).head(_LATENCY_ROWS).to_dicts()
    prepare, predict = trained.preparation.transform_row, trained.fitted.predict_row
    times = []
    for row in (rows * _LATENCY_ROWS)[:_LATENCY_ROWS]:
        start = time.perf_counter()
        predict(prepare(row))
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1e6


def measure_size_bytes(trained: Trained) -> int:
    """Return the bytes of what the fitted learner saves."""
    with tempfile.TemporaryDirectory() as folder:
        trained.fitted.save(Path(folder))
        return sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
