"""Step 6, train: every candidate on every fold, then the final fit."""

import importlib
import math
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundup.core.errors import RecipeError, SplitError
from groundup.core.inputs import FloatArray, Inputs, IntArray, Predictions
from groundup.core.wording import count
from groundup.data.dataset import Dataset
from groundup.evaluation.folds import Fold, Folds, make_folds, repeated_folds
from groundup.evaluation.intervals import BootstrapOptions, HeldOut, Interval, bootstrap_folds
from groundup.evaluation.metrics import METRICS, compute_metrics, get_metric
from groundup.evaluation.together import Drawn, Part, average_parts, draw_together
from groundup.lifecycle.collect import Collected
from groundup.lifecycle.contexts import fit_context
from groundup.lifecycle.define import BASELINE, Framed
from groundup.lifecycle.design import Plan
from groundup.lifecycle.seeing import told_learning
from groundup.lifecycle.session import Session
from groundup.models.contract import Fitted, Learner
from groundup.preparation.choices import without_stages
from groundup.preparation.contract import Preparation
from groundup.training.class_weights import class_weights
from groundup.training.resampling import resample
from groundup.tuning.paired_test import compare_with_best
from groundup.tuning.selection import Candidate, Selection, select, standard_error

_LATENCY_ROWS = 200
_FOLDS = 5

_RESAMPLED = {
    "over": "Rows of smaller classes were repeated in each fit until all classes were equally frequent.",
    "under": "Rows of larger classes were left out of each fit until all classes were equally frequent.",
}


@dataclass(frozen=True)
class Trained:
    """A fitted learner with the preparation that feeds it, and how often a row of each class counted."""

    preparation: Preparation
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
    validation : list of Predictions
        For the validation part, of each fold's model; empty unless a nested cross-validation needs them.
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
    validation: list[Predictions] = field(default_factory=list)
    seconds: float = 0.0
    latency_us: float = 0.0
    size_bytes: int = 0
    interval: Interval | None = None


@dataclass(frozen=True)
class Folding:
    """Which rows are held out in turn, and what the fits are called.

    Parameters
    ----------
    folds : Folds
        Positions in the training part.
    outer : int or None
        The fold of the cross-validation whose training rows these folds divide again; None for itself.
    """

    folds: Folds
    outer: int | None = None

    def key(self, name: str, fold: int) -> str:
        """Return the name of a fit's checkpoint."""
        return f"{'' if self.outer is None else f'outer-{self.outer + 1}-'}{name}-fold-{fold + 1}"

    def about(self, name: str, fold: int | None) -> dict[str, Any]:
        """Return what events say of a fit."""
        folds = self.folds
        of = {"n_folds": len(folds), "n_repeats": folds.n_repeats, "outer": self.outer}
        return {"learner": name, "fold": fold, **of}


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
        self.n_folds, self.folds_reason = self._choose_folds()
        self.folds = self._divide(np.arange(collected.train.n_rows))
        self.inner = self._divide_again() if session.recipe.evaluation.nested else ()
        self.latest: dict[str, Trained] = {}
        self._noted: set[str] = set()

    def _divide(self, rows: IntArray, *purpose: int) -> Folds:
        """Return folds of some rows of the training part, by their positions in it."""
        collected, recipe = self.collected, self.session.recipe
        groups = collected.groups(collected.train, recipe.data.split.group)
        times = collected.groups(collected.train, recipe.data.split.time)
        y, task, options = collected.y_train[rows], self.framed.problem.task, recipe.evaluation
        k, seed = self.n_folds, self.session.seed("folds", *purpose)
        groups = None if groups is None else groups[rows]
        if times is None:
            folds = repeated_folds(y, task=task, k=k, repeats=options.repeats, seed=seed, groups=groups)
        elif options.repeats == 1:
            folds = make_folds(y, task=task, k=k, seed=seed, groups=groups, times=times[rows])
        else:
            raise SplitError(
                f"`evaluation.repeats` is `{options.repeats}`, but the order of the rows in time leaves only "
                "one way to divide them: a repeat would be the same again. Set it to 1."
            )
        return replace(folds, folds=tuple(Fold(rows[train], rows[held_out]) for train, held_out in folds))

    def _choose_folds(self) -> tuple[int, str]:
        """Return how many folds there are, and why."""
        options = self.session.recipe.evaluation
        n_folds, reason = options.folds, "as asked"
        if n_folds == "auto":
            long = [
                name for name, learner in self.framed.learners.items() if learner.needs().form != "matrix"
            ]
            n_folds, reason = _FOLDS, "the default"
            if long and not options.nested and options.repeats == 1:
                n_folds, reason = 1, f"`{long[0]}` takes long to train, so each candidate is compared once"
        if n_folds == 1 and (options.nested or options.repeats > 1):
            raise RecipeError(
                "`evaluation.folds` is `1`, which divides the rows once; `evaluation.nested` and "
                "`evaluation.repeats` divide them again. Ask for 2 folds or more."
            )
        return n_folds, reason

    def _divide_again(self) -> tuple[Folds | None, ...]:
        """Return, for each fold of the first repeat, folds of its training rows; None where there is none."""
        inner: list[Folds | None] = []
        for outer, (rows, _) in enumerate(self.folds.first):
            try:
                inner.append(self._divide(rows, outer))
            except SplitError as error:
                inner.append(None)
                why = error
        if not any(inner):
            raise SplitError(
                f"`evaluation.nested` divides the training rows of each fold again. {why}"
            ) from why
        return tuple(inner)

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
        context = fit_context(
            self.session, self.framed, self.plan, name, fold, is_told=n_events, note=self._note
        )
        return learner.fit(train, validation, context)

    def _note(self, message: str) -> None:
        """Say once what a fit has to say, for every fold says it again."""
        if message not in self._noted:
            self._noted.add(message)
            self.session.events.emit("note", message=message)

    def fit_on(self, name: str, rows: IntArray, *, fold: int | None, is_told: bool = True) -> Trained:
        """Prepare and fit on some rows of the training part; the validation part steers."""
        collected, learner = self.collected, self.framed.learners[name]
        needs = learner.needs()
        for library in learner.libraries:  # else the first fit would seem slow
            importlib.import_module(library)
        start = time.monotonic()
        options = collected.options if name != BASELINE else without_stages(collected.options)
        preparation = collected.make_preparation(options, needs)
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
        about = Folding(self.folds).about(name, None)
        events.emit("fit_started", **about)
        prepared = self.collected.prepared(self.framed.learners[name].needs())
        start = time.monotonic()
        fitted = self.fit(name, prepared.train, prepared.validation, fold=None)
        seconds = time.monotonic() - start
        events.emit("fit_finished", **about, seconds=seconds, restored=False, score=None)
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

    def held_out(self, result: FoldResults, folds: Folds | None = None) -> tuple[IntArray, Predictions]:
        """Return the rows that the folds of the first repeat held out, and their predictions, in row order.

        Only the first repeat: the average over repeats would be the answer of several models, which errs
        less than the one model that is kept.
        """
        pairs = list(zip((folds or self.folds).first, result.predictions, strict=False))
        rows = np.concatenate([fold.held_out for fold, _ in pairs])
        order = np.argsort(rows, kind="stable")
        return rows[order], _stack([predictions for _, predictions in pairs]).take(order)

    def average_scores(self, result: FoldResults, metrics: Sequence[str]) -> dict[str, Interval]:
        """Return metrics averaged over the folds that were predicted."""
        if self.folds.n_repeats > 1:
            average = self.average_over(self.folds.folds, [result.predictions], metrics)[0]
            return {name: average.interval(name) for name in metrics}
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

    def average_over(
        self, folds: Sequence[Fold], predicted: Sequence[Sequence[Predictions]], metrics: Sequence[str]
    ) -> list[Drawn]:
        """Return, for several predictions of the same folds, metrics averaged over these folds.

        All are measured under the same resamples of the training rows, each of which may be held out by
        several folds; so they can be subtracted from each other.
        """
        rows = np.unique(np.concatenate([fold.held_out for fold in folds]))
        parts = [part for each in predicted for part in self._parts(rows, folds, each)]
        drawn = draw_together(
            {name: METRICS[name].function for name in metrics},
            self.collected.y_train[rows],
            parts,
            options=self.bootstrap_options(self.collected.train.take(rows), "folds"),
            positive=self.framed.positive_code,
        )
        sizes = [min(len(folds), len(each)) for each in predicted]
        starts = np.cumsum([0, *sizes])
        return [
            average_parts(drawn[start : start + size], n_folds=len(self.folds.first))
            for start, size in zip(starts, sizes, strict=False)
        ]

    def _parts(
        self, rows: IntArray, folds: Sequence[Fold], predicted: Sequence[Predictions]
    ) -> Iterator[Part]:
        """Yield each fold that was predicted, by its place among `rows`."""
        pairs, n_folds = list(zip(folds, predicted, strict=False)), len(self.folds.first)
        for start in range(0, len(pairs), n_folds):
            repeat = pairs[start : start + n_folds]  # no row twice
            places = [np.searchsorted(rows, fold.held_out) for fold, _ in repeat]
            whole = _stack([predictions for _, predictions in repeat])
            order = np.zeros(len(rows), dtype=np.int64)  # a row that was not predicted is in no part
            order[np.concatenate(places)] = np.arange(len(whole))
            yield from (Part(whole.take(order), place) for place in places)

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

    def cross_validate(self, name: str, folding: Folding | None = None) -> FoldResults:
        """Fit a candidate on each fold's training rows and predict the rows held out."""
        folding = Folding(self.folds) if folding is None else folding
        results = FoldResults(self.framed.learners[name])
        for fold in range(len(folding.folds)):
            if self.session.events.should_stop:
                break
            self._fold(results, name, folding, fold)
        return results

    def _fold(self, results: FoldResults, name: str, folding: Folding, fold: int) -> None:
        session, key = self.session, folding.key(name, fold)
        session.events.emit("fit_started", **folding.about(name, fold))
        done = session.restore(key)
        if done is None:
            facts, arrays = self._fit_fold(name, folding, fold)
            if not session.events.should_stop:
                session.keep(key, facts, arrays)
        else:
            facts, arrays = dict(done.facts), dict(done.arrays)
        if fold == 0 and folding.outer is None:
            results.latency_us, results.size_bytes = facts["latency_us"], facts["size_bytes"]
        results.scores.append(math.nan if facts["score"] is None else facts["score"])
        results.predictions.append(predictions_of(arrays))
        if "validation_values" in arrays:
            results.validation.append(predictions_of(arrays, "validation_"))
        results.seconds += facts["seconds"]
        session.events.emit(
            "fit_finished",
            **folding.about(name, fold),
            seconds=facts["seconds"],
            restored=done is not None,
            score=facts["score"],
        )

    def _fit_fold(
        self, name: str, folding: Folding, fold: int
    ) -> tuple[dict[str, Any], dict[str, NDArray[np.generic]]]:
        """Return facts and predictions of one fit, as its checkpoint holds them."""
        rows, held_out = folding.folds.folds[fold]
        is_inner = folding.outer is not None
        # Every fit has a number of its own, from which its seed follows.
        number = fold if folding.outer is None else (folding.outer + 1) * len(self.folds) + fold
        trained = self.fit_on(name, rows, fold=number, is_told=not is_inner)
        part = self.collected.train.take(held_out)
        predictions = trained.predict(part)
        metric = self.framed.problem.metric
        y_true, positive = self.collected.y_train[held_out], self.framed.positive_code
        score = compute_metrics([metric], y_true, predictions, positive=positive)[metric]
        # Undefined where a fold lacks a class; JSON has no NaN.
        facts: dict[str, Any] = {"score": None if math.isnan(score) else score, "seconds": trained.seconds}
        arrays = arrays_of(predictions)
        if is_inner:
            return facts, arrays
        if fold == 0:
            facts["latency_us"] = measure_latency_us(trained, part)
            facts["size_bytes"] = measure_size_bytes(trained)
        if self.inner and predictions.probabilities is not None:
            arrays |= arrays_of(trained.predict(self.collected.validation), "validation_")
        self.latest[name] = trained
        return facts, arrays


def _stack(predicted: Sequence[Predictions]) -> Predictions:
    probabilities = [each.probabilities for each in predicted if each.probabilities is not None]
    values = np.concatenate([each.values for each in predicted])
    return Predictions(values, np.concatenate(probabilities) if probabilities else None)


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
    framed, n_folds = trainer.framed, len(trainer.folds)
    with session.step(6, "Train") as step:
        names = list(framed.learners)
        n_inner = len(names) * sum(len(folds) for folds in trainer.inner if folds is not None)
        session.events.emit("plan", n_fits=len(names) * n_folds + n_inner + 1, learners=names)
        if n_inner:
            session.events.emit(
                "note",
                message=f"{count(n_inner)} of these fits are for the nested cross-validation, in step 7.",
            )
        results = {name: trainer.cross_validate(name) for name in names}
        results = {name: result for name, result in results.items() if result.scores}
        candidates = tuple(_candidate(session, trainer, name, result) for name, result in results.items())
        if not session.events.should_stop:
            held_out = "a later period" if trainer.folds.method == "time" else "rows"
            n_repeats = trainer.folds.n_repeats
            drawn = f", drawn {n_repeats} times" if n_repeats > 1 else ""
            step.say(
                f"{count(len(results), 'learner')} compared on {count(n_folds // n_repeats, 'fold')} of the "
                f"training part{drawn}, each scored on {held_out} that it was not fitted on."
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
        for used in final.fitted.facts().get("training_options", ()):
            if used["option"] == "learning_rate" and session.recipe.training.learning_rate == "auto":
                step.say(f"Its learning rate is {used['value']:g}, from a {used['why']}.")
        if seen := told_learning(final.fitted.facts().get("samples", ()), framed.problem.classes):
            step.say(seen)
        if final.class_weight is not None and session.recipe.training.class_weight == "balanced":
            step.say(f"In that fit {framed.weighing.counted(final.class_weight)}.")
    return Training(results, candidates, selection, final, _p_values(trainer, candidates))


def _p_values(trainer: Trainer, candidates: Sequence[Candidate]) -> dict[str, float]:
    """Return how likely the folds would differ so much if a candidate were as good as the best."""
    metric = get_metric(trainer.framed.problem.metric, trainer.framed.problem.task)
    shares = [len(fold.held_out) / max(1, len(fold.train)) for fold in trainer.folds]
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
    error = standard_error(result.scores, n_folds=len(trainer.folds.first))
    candidate = Candidate(
        name=name,
        score=math.nan if score.value is None else score.value,
        standard_error=error,
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
        standard_error=None if math.isnan(error) else error,
        latency_us=result.latency_us,
        size_bytes=result.size_bytes,
    )
    return candidate


def arrays_of(predictions: Predictions, prefix: str = "") -> dict[str, NDArray[np.generic]]:
    """Return predictions as named arrays for a checkpoint."""
    arrays: dict[str, NDArray[np.generic]] = {f"{prefix}values": predictions.values}
    if predictions.probabilities is not None:
        arrays[f"{prefix}probabilities"] = predictions.probabilities
    return arrays


def predictions_of(arrays: Mapping[str, NDArray[np.generic]], prefix: str = "") -> Predictions:
    """Return the predictions that `arrays_of` stored."""
    return Predictions(arrays[f"{prefix}values"], arrays.get(f"{prefix}probabilities"))  # type: ignore[arg-type]


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
