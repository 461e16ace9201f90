"""Ensembles of any learners: bagging, voting, stacking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from groundup.core.errors import RecipeError
from groundup.core.inputs import Inputs, IntArray, Needs
from groundup.core.losses import SQUARED_ERROR, Loss
from groundup.core.tasks import Task
from groundup.models.catalogue import check_task, make_learner
from groundup.models.contract import FitContext, Learner, Range, SearchSpace
from groundup.models.ensembles_fitted import FittedEnsemble, Member, stacked

_FITTED: Final = "groundup.models.ensembles_fitted:FittedEnsemble"
_SEEDS: Final = 2**31

LearnerChoice = str | dict[str, Any]
"""A learner's name, or ``{name: …}`` with hyperparameters."""


class Bagging(Learner):
    """One learner fitted many times on random draws of the rows, and averaged."""

    title: ClassVar[str] = "bagging"
    idea: ClassVar[str] = "Fits the same learner on many random draws of the rows and averages what they say."
    reference: ClassVar[str] = "Breiman (1996), Bagging predictors, Machine Learning"
    optimizer: ClassVar[str] = "that of its learner, once for each draw of the rows."
    tasks: ClassVar[tuple[Task, ...]] = ("classification", "regression")
    fitted: ClassVar[str] = _FITTED

    learner: LearnerChoice = "decision_tree"
    """What is fitted: a name, or a mapping with `name` and hyperparameters."""
    n_estimators: int = Field(default=20, ge=1, le=1_000)
    """Fits; more are steadier and slower."""
    max_samples: float = Field(default=1.0, gt=0, le=1)
    """Rows drawn for a fit (with repetition), as a share of all."""

    @field_validator("learner")
    @classmethod
    def _learner_exists(cls, value: LearnerChoice) -> LearnerChoice:
        _made(value)
        return value

    def minimised(self, loss: Loss) -> Loss:
        """Return `loss` where every part can make it small, else the squared error."""
        return _minimised((self.learner,), loss)

    def can_weigh(self) -> bool:
        """Return whether its learner counts rows by their weights."""
        return _can_weigh((self.learner,))

    def needs(self) -> Needs:
        """Return what its learner needs."""
        return _made(self.learner)[1].needs()

    def search_space(self) -> SearchSpace:
        """Return the shares of rows worth trying."""
        return {"max_samples": Range(0.3, 1.0)}

    def fit(self, train: Inputs, validation: Inputs | None, context: FitContext) -> FittedEnsemble:
        """Fit the learner on each draw; `validation` steers every fit.

        Where the learner counts rows by weights, a row that was drawn twice stands once and counts twice:
        a third fewer rows, and none on both sides of a split that the learner makes itself.
        """
        random = np.random.default_rng(context.seed)
        n_rows = max(1, round(self.max_samples * train.n_samples))
        draw = _once_each if self.can_weigh() else Inputs.take
        members = []
        for _ in range(self.n_estimators):
            rows = random.integers(0, train.n_samples, n_rows)
            seeded = replace(context, seed=int(random.integers(_SEEDS)))
            members.append(_fit(self.learner, draw(train, rows), validation, seeded))
            if context.should_stop():
                break
        return _ensemble(self, members, None, context)


class Voting(Learner):
    """Several learners side by side, averaged."""

    title: ClassVar[str] = "voting"
    idea: ClassVar[str] = "Averages what several learners say: their probabilities or their values."
    reference: ClassVar[str] = "Kittler, Hatef, Duin and Matas (1998), On combining classifiers, IEEE TPAMI"
    optimizer: ClassVar[str] = "that of each of its members."
    tasks: ClassVar[tuple[Task, ...]] = ("classification", "regression")
    in_rounds: ClassVar[bool] = True  # a member may
    fitted: ClassVar[str] = _FITTED

    members: tuple[LearnerChoice, ...] = Field(default=("linear", "random_forest", "lightgbm"), min_length=1)
    """Who votes: names, or mappings with `name` and hyperparameters; they share one preparation."""

    @field_validator("members")
    @classmethod
    def _members_exist(cls, value: tuple[LearnerChoice, ...]) -> tuple[LearnerChoice, ...]:
        for choice in value:
            _made(choice)
        return value

    def minimised(self, loss: Loss) -> Loss:
        """Return `loss` where every part can make it small, else the squared error."""
        return _minimised(self.members, loss)

    def can_weigh(self) -> bool:
        """Return whether all members count rows by their weights."""
        return _can_weigh(self.members)

    def needs(self) -> Needs:
        """Return what every member can work with."""
        return _common_needs(self.members)

    def fit(self, train: Inputs, validation: Inputs | None, context: FitContext) -> FittedEnsemble:
        """Fit every member on `train`; `validation` steers every fit."""
        random = np.random.default_rng(context.seed)
        members = _fit_all(self.members, train, validation, context, random)
        return _ensemble(self, members, None, context)


class Stacking(Learner):
    """Several learners side by side, and one that learns from what they say."""

    title: ClassVar[str] = "stacking"
    idea: ClassVar[str] = "Lets one learner learn how far to trust each of several others."
    reference: ClassVar[str] = "Wolpert (1992), Stacked generalization, Neural Networks"
    optimizer: ClassVar[str] = (
        "that of each member; the final learner sees their predictions for rows they were not fitted on."
    )
    tasks: ClassVar[tuple[Task, ...]] = ("classification", "regression")
    in_rounds: ClassVar[bool] = True  # a member may
    fitted: ClassVar[str] = _FITTED

    members: tuple[LearnerChoice, ...] = Field(default=("linear", "random_forest", "lightgbm"), min_length=1)
    """Whose predictions are combined: names, or mappings with `name` and hyperparameters; they share
    one preparation."""
    final: LearnerChoice = "linear"
    """What combines them: a name, or a mapping with `name` and hyperparameters."""
    n_folds: Annotated[int, Field(ge=2, le=20)] = 5
    """Parts of the training rows; each member is fitted once without each of them, and once on all."""

    @field_validator("members")
    @classmethod
    def _members_exist(cls, value: tuple[LearnerChoice, ...]) -> tuple[LearnerChoice, ...]:
        for choice in value:
            _made(choice)
        return value

    @field_validator("final")
    @classmethod
    def _final_exists(cls, value: LearnerChoice) -> LearnerChoice:
        _made(value)
        return value

    def minimised(self, loss: Loss) -> Loss:
        """Return `loss` where every part can make it small, else the squared error."""
        return _minimised((*self.members, self.final), loss)

    def can_weigh(self) -> bool:
        """Return whether all members and the final learner count rows by their weights."""
        return _can_weigh((*self.members, self.final))

    def needs(self) -> Needs:
        """Return what every member can work with."""
        return _common_needs(self.members)

    def search_space(self) -> SearchSpace:
        """Return the numbers of folds worth trying."""
        return {"n_folds": Range(3, 10, integer=True)}

    def fit(self, train: Inputs, validation: Inputs | None, context: FitContext) -> FittedEnsemble:
        """Fit the members without each fold in turn, the final learner on what they say about it.

        Then the members are fitted on all rows. Folds are drawn at random (in classification alike in
        classes): rows that belong together are not kept together.
        """
        random = np.random.default_rng(context.seed)
        fold_of_row = _folds(train.y, min(self.n_folds, train.n_samples), random, context)
        learned = None
        for fold in range(fold_of_row.max() + 1):
            held_out = np.flatnonzero(fold_of_row == fold)
            rest = train.take(np.flatnonzero(fold_of_row != fold))
            members = _fit_all(self.members, rest, validation, context, random)
            said = stacked([member.fitted.predict(train.take(held_out)) for member in members])
            if learned is None:
                learned = np.zeros((train.n_samples, said.shape[1]))
            learned[held_out] = said
        assert learned is not None
        members = _fit_all(self.members, train, validation, context, random)
        return _ensemble(self, members, self._final(members, learned, train, validation, context), context)

    def _final(
        self,
        members: Sequence[Member],
        learned: NDArray[np.float64],
        train: Inputs,
        validation: Inputs | None,
        context: FitContext,
    ) -> Member:
        names = self._columns(learned.shape[1])
        inputs = Inputs({**train.arrays, "X": learned}, feature_names=names)
        held_out = None
        if validation is not None:
            said = stacked([member.fitted.predict(validation) for member in members])
            held_out = Inputs({**validation.arrays, "X": said}, feature_names=names)
        return _fit(self.final, inputs, held_out, context)

    def _columns(self, n_columns: int) -> tuple[str, ...]:
        n_each = n_columns // len(self.members)
        return tuple(
            f"{number}. {_made(choice)[0]}" + (f", class {code}" if n_each > 1 else "")
            for number, choice in enumerate(self.members, 1)
            for code in range(1, n_each + 1)
        )


def _once_each(train: Inputs, rows: IntArray) -> Inputs:
    """Return the rows that were drawn, weighted by how often."""
    counts = np.bincount(rows, minlength=train.n_samples)
    drawn = train.take(np.flatnonzero(counts))
    return drawn.with_weight(drawn.weight_or_one * counts[counts > 0])


def _made(choice: LearnerChoice) -> tuple[str, Learner]:
    """Return a choice's name and its learner.

    Raises
    ------
    RecipeError, UnknownNameError
        If the name or a hyperparameter does not exist, or a value is not allowed.
    """
    settings = {"name": choice} if isinstance(choice, str) else dict(choice)
    name = settings.pop("name", None)
    if not isinstance(name, str):
        raise RecipeError(f"A learner inside another needs a `name`; got `{choice}`.")
    return name, make_learner(name, settings)


def _minimised(choices: Sequence[LearnerChoice], loss: Loss) -> Loss:
    can = all(_made(choice)[1].minimised(loss) == loss for choice in choices)
    return loss if can else SQUARED_ERROR


def _can_weigh(choices: Sequence[LearnerChoice]) -> bool:
    return all(_made(choice)[1].can_weigh() for choice in choices)


def _common_needs(choices: Sequence[LearnerChoice]) -> Needs:
    """Return what all learners can work with: what they agree on, else the strictest."""
    needs = [_made(choice)[1].needs() for choice in choices]
    if all(each == needs[0] for each in needs):
        return needs[0]
    return Needs(
        scaled=any(each.scaled for each in needs),
        categories="codes" if all(each.categories == "codes" for each in needs) else "one_hot",
        missing=all(each.missing for each in needs),
    )


def _fit(choice: LearnerChoice, train: Inputs, validation: Inputs | None, context: FitContext) -> Member:
    name, learner = _made(choice)
    check_task(name, context.task)
    return Member(learner.fitted, learner.fit(train, validation, context))


def _fit_all(
    choices: Sequence[LearnerChoice],
    train: Inputs,
    validation: Inputs | None,
    context: FitContext,
    random: np.random.Generator,
) -> list[Member]:
    return [
        _fit(choice, train, validation, replace(context, seed=int(random.integers(_SEEDS))))
        for choice in choices
    ]


def _folds(
    y: NDArray[np.generic], n_folds: int, random: np.random.Generator, context: FitContext
) -> IntArray:
    """Return each row's fold: equal parts at random, with equal shares of the classes."""
    order = random.permutation(len(y))
    if context.n_classes:
        order = order[np.argsort(y[order], kind="stable")]
    fold_of_row = np.empty(len(y), dtype=np.int64)
    fold_of_row[order] = np.arange(len(y)) % n_folds
    return fold_of_row


def _ensemble(
    learner: Learner, members: Sequence[Member], final: Member | None, context: FitContext
) -> FittedEnsemble:
    facts = {"learner": learner.title}
    return FittedEnsemble(members, final, is_classifier=context.n_classes > 0, facts=facts)
