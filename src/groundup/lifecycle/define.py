"""Step 1, define: what is asked of which data, with which metric, against which baseline."""

from dataclasses import dataclass, replace

import polars as pl

from groundup.core.errors import ProblemError
from groundup.core.findings import Finding
from groundup.core.losses import Loss, loss_of, quantile_of
from groundup.core.schema import Schema
from groundup.data.dataset import Dataset
from groundup.data.profile import summarize_target
from groundup.data.sources import read
from groundup.evaluation.metrics import get_metric
from groundup.lifecycle.session import Session
from groundup.lifecycle.weighing import Weighing
from groundup.models.catalogue import (
    IMAGE_CANDIDATES,
    check_loss,
    check_sees_images,
    check_task,
    default_candidates,
    make_learner,
)
from groundup.models.contract import Learner
from groundup.problems.infer import Problem, define_problem
from groundup.recipe import Recipe

BASELINE = "baseline"


@dataclass(frozen=True)
class Framed:
    """The question and the data it is asked of.

    Parameters
    ----------
    dataset : Dataset
        The rows that have a target.
    problem : Problem
        Task, classes, metric.
    learners : dict of str to Learner
        What will be compared, the baseline first.
    n_rows_read : int
        Rows in the source, those without a target included.
    weighing : Weighing
        How often each row counts in a fit.
    """

    dataset: Dataset
    problem: Problem
    learners: dict[str, Learner]
    n_rows_read: int
    weighing: Weighing

    @property
    def positive_code(self) -> int:
        """The class code that binary metrics look for."""
        classes = self.problem.classes
        return classes.index(self.problem.positive) if self.problem.positive in classes else 1

    @property
    def loss(self) -> Loss:
        """What training makes small, and by which fits are judged."""
        return loss_of(self.problem.task, self.problem.metric)

    @property
    def n_rows_without_target(self) -> int:
        """Rows that were left out because nothing can be learned from them."""
        return self.n_rows_read - self.dataset.n_rows


def define(session: Session) -> Framed:
    """Read the source, look at the target, and state the question.

    Raises
    ------
    DataError
        If the source cannot be read.
    ProblemError
        If these data cannot answer the question as framed.
    """
    with session.step(1, "Define the problem") as step:
        dataset = read(session.recipe.data)
        target = session.recipe.problem.target or dataset.target
        if target is None:
            names = ", ".join(f"`{name}`" for name in dataset.schema.names[:20])
            raise ProblemError(
                f"No target is named. Say which column to predict with --target; there is: {names}."
            )
        _take_hints(session, dataset, target)
        dataset = _as_spelled(session, dataset, target)
        asked = session.recipe.problem
        quantile = asked.quantile or quantile_of(asked.metric) or 0.5
        problem = define_problem(summarize_target(dataset, target, quantile=quantile), asked)
        metric = get_metric(problem.metric, problem.task)
        problem = replace(problem, metric=metric.name)
        _check_decisions(session.recipe, problem)
        session.reasons.update(problem.reasons)
        for path in ("problem.task", "problem.metric"):
            step.say(_sentence(problem.reasons[path]))
        step.say(f"To beat: {problem.baseline}.")
        learners = _learners(session, problem, dataset.schema)
        weighed = {name: learner for name, learner in learners.items() if name != BASELINE}
        weighing = Weighing.of(session.recipe.training, problem, weighed)
        framed = Framed(_with_target(dataset, target), problem, learners, dataset.n_rows, weighing)
        session.report_findings(
            [*dataset.findings, *(_without_weights(each, session) for each in problem.findings)]
        )
    return framed


def _take_hints(session: Session, dataset: Dataset, target: str) -> None:
    """Let the recipe say what the source tells by itself: the target, and which rows test."""
    hints: dict[str, str] = {}
    if session.recipe.problem.target is None:
        hints["problem.target"] = target
        session.reasons["problem.target"] = dataset.schema[target].reason
    split = session.recipe.data.split
    if (
        dataset.part is not None
        and split.method == "auto"
        and not (split.group or split.time or split.column)
    ):
        hints["data.split.column"] = dataset.part
    session.recipe = session.recipe.with_values(hints)


def _without_weights(finding: Finding, session: Session) -> Finding:
    """Return a finding that offers no class weights where classes are weighed or resampled already."""
    training = session.recipe.training
    is_done = training.class_weight != "none" or training.resample != "none"
    return replace(finding, patch={}) if is_done and "training.class_weight" in finding.patch else finding


def _as_spelled(session: Session, dataset: Dataset, target: str) -> Dataset:
    """Return the data with a target written "Yes" and "No" as these words, which answers then repeat."""
    options = session.recipe.data
    if target not in dataset.schema or dataset.schema[target].kind != "boolean" or target in options.columns:
        return dataset
    as_words = read(options.model_copy(update={"columns": {**options.columns, target: "category"}}))
    words = as_words.rows.select(pl.col(target).drop_nulls().unique()).collect(engine="streaming").to_series()
    return dataset if {str(word).lower() for word in words} <= {"true", "false"} else as_words


def _sentence(clause: str) -> str:
    """Return a clause as a sentence."""
    return clause[:1].upper() + clause[1:] + ("" if clause.endswith(".") else ".")


def _check_decisions(recipe: Recipe, problem: Problem) -> None:
    """Refuse what the question does not allow, before anything is trained."""
    n_classes, evaluation = len(problem.classes), recipe.evaluation
    asked = "evaluation.cost" if evaluation.cost is not None else "evaluation.threshold"
    if n_classes != 2 and (evaluation.cost is not None or evaluation.threshold is not None):
        there_are = f"`{problem.target}` has {n_classes}" if n_classes else f"`{problem.target}` is a number"
        raise ProblemError(f"`{asked}` needs two classes, and {there_are}. Remove it from the recipe.")
    method = recipe.training.calibrate
    if method not in ("none", "auto") and not n_classes:
        raise ProblemError(
            f"`training.calibrate: {method}` is about probabilities of classes, and `{problem.target}` is a "
            "number. Set it to `none`."
        )
    training = recipe.training
    if method == "temperature" and (training.class_weight != "none" or training.resample != "none"):
        other = "platt" if n_classes == 2 else "isotonic"
        raise ProblemError(
            "`training.calibrate: temperature` keeps the balance of the classes as it is, and class weights "
            f"and resampling shift it. Use `auto`, or `{other}`."
        )
    if method == "platt" and n_classes > 2:
        raise ProblemError(
            f"`training.calibrate: platt` is for two classes, and `{problem.target}` has {n_classes}. "
            "Use `temperature` or `isotonic`."
        )


def _with_target(dataset: Dataset, target: str) -> Dataset:
    """Return the rows whose target is known."""
    rows = dataset.rows.filter(pl.col(target).is_not_null())
    n_rows = rows.select(pl.len()).collect(engine="streaming").item()
    return dataset if n_rows == dataset.n_rows else replace(dataset, rows=rows, n_rows=n_rows)


def _learners(session: Session, problem: Problem, schema: Schema) -> dict[str, Learner]:
    """Return the learners to compare: what the recipe names, or the default candidates."""
    named, loss = session.recipe.learners(), loss_of(problem.task, problem.metric)
    others = (problem.target, session.recipe.data.split.column)
    kinds = {column.kind for column in schema if column.name not in others}
    if not named and kinds == {"image"}:
        named = {name: make_learner(name, {}) for name in IMAGE_CANDIDATES}
        session.reasons["model.candidates"] = "the rows hold pictures and nothing else"
    if not named:
        defaults = default_candidates(problem.task, loss)
        named = {name: make_learner(name, {}) for name in defaults}
        session.reasons["model.candidates"] = (
            f"one linear and one tree model that suit {problem.task}, compared by cross-validation"
        )
    for name, learner in named.items():
        check_task(name, problem.task)
        if kinds == {"image"}:
            check_sees_images(name, learner)
        if loss.name == "quantile":  # means may stand in for medians, told in step 5, but not for quantiles
            check_loss(name, learner, loss)
    return {BASELINE: make_learner(BASELINE, {}), **named}
