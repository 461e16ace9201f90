"""Forests: many trees that differ by chance, averaged; fitted by scikit-learn."""

from __future__ import annotations

import time
from typing import Annotated, Any, ClassVar, Final, Literal

import numpy as np
from pydantic import Field

from groundup.core.inputs import FloatArray, Inputs, Needs
from groundup.core.tasks import Task
from groundup.models.accelerated import LIBRARY, grow
from groundup.models.contract import FitContext, Learner, Range, SearchSpace
from groundup.models.tree_arrays import Trees
from groundup.models.trees import (
    FITTED_TREES,
    fit_estimator,
    importance,
    mean_of,
    single_precision,
    target_of,
    trees_of,
)
from groundup.models.trees_fitted import FittedTrees

_SECONDS_A_PART: Final = 1.0  # after each part the fit looks whether somebody asked to stop


class RandomForest(Learner):
    """Trees grown on random draws of the rows, each question chosen among a random part of the features."""

    title: ClassVar[str] = "random forest"
    idea: ClassVar[str] = "Lets many trees, each grown on another random draw of the rows, vote."
    reference: ClassVar[str] = "Breiman (2001), Random forests, Machine Learning"
    optimizer: ClassVar[str] = "greedy: each tree splits for purity; the average over trees steadies them."
    tasks: ClassVar[tuple[Task, ...]] = ("classification", "regression")
    weighted: ClassVar[bool] = True
    fitted: ClassVar[str] = FITTED_TREES
    libraries: ClassVar[tuple[str, ...]] = ("sklearn.ensemble",)

    n_estimators: int = Field(default=100, ge=1, le=10_000)
    """Trees; more are steadier, never worse, and slower."""
    max_features: Annotated[float, Field(gt=0, le=1)] | Literal["auto", "sqrt"] = "auto"
    """Share of the features among which a question is chosen, or `sqrt`: their number's square root;
    `auto`: `sqrt` in classification, all in regression."""
    min_samples_leaf: int = Field(default=1, ge=1)
    """Training rows that must stand behind a tree's answer."""
    max_depth: int | None = Field(default=None, ge=1)
    """Questions in a row at most; null: no limit."""
    max_samples: float = Field(default=1.0, gt=0, le=1)
    """Rows drawn for a tree (with repetition), as a share of all."""
    smoothing: float = Field(default=1.0, ge=0)
    """Trees' worth of the overall class frequencies in the vote, so that no class that occurs gets
    probability 0; 0: the plain vote. Not used in regression."""

    def needs(self) -> Needs:
        """Return that numbers may be missing and stay unscaled, and categories come one-hot."""
        return Needs(scaled=False, categories="one_hot", missing=True)

    def search_space(self) -> SearchSpace:
        """Return the ranges worth trying; more trees are never worse, so their number is not searched."""
        return {
            "max_features": Range(0.1, 1.0),
            "min_samples_leaf": Range(1, 50, log=True, integer=True),
            "max_samples": Range(0.3, 1.0),
        }

    def fit(self, train: Inputs, validation: Inputs | None, context: FitContext) -> FittedTrees:  # noqa: ARG002
        """Grow the trees, `context.threads` at a time; `validation` is not used."""
        from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

        forest = RandomForestClassifier if context.n_classes else RandomForestRegressor
        n_rows = max(1, round(self.max_samples * train.n_samples))
        drawing = {"bootstrap": True, "max_samples": n_rows}
        if context.accelerate:
            settings = _settings(self, context) | drawing
            grown = grow(train, context, {**settings, "n_estimators": self.n_estimators})
            if not isinstance(grown, str):
                return _accelerated(self, *grown, train, context)
            context.note(f"scikit-learn grows this random forest, not {LIBRARY}: {grown}.")
        return _fit(self, forest, train, context, **drawing)


class ExtraTrees(Learner):
    """Trees whose thresholds are drawn at random, each grown on all rows."""

    title: ClassVar[str] = "extremely randomized trees"
    idea: ClassVar[str] = "Lets many trees vote whose questions are partly left to chance."
    reference: ClassVar[str] = (
        "Geurts, Ernst and Wehenkel (2006), Extremely randomized trees, Machine Learning"
    )
    optimizer: ClassVar[str] = "the best of a few random splits at each node; the average steadies them."
    tasks: ClassVar[tuple[Task, ...]] = ("classification", "regression")
    weighted: ClassVar[bool] = True
    fitted: ClassVar[str] = FITTED_TREES
    libraries: ClassVar[tuple[str, ...]] = ("sklearn.ensemble",)

    n_estimators: int = Field(default=100, ge=1, le=10_000)
    """Trees; more are steadier, never worse, and slower."""
    max_features: Annotated[float, Field(gt=0, le=1)] | Literal["auto", "sqrt"] = "auto"
    """Share of the features for which a random question is tried, or `sqrt`: their number's square root;
    `auto`: `sqrt` in classification, all in regression."""
    min_samples_leaf: int = Field(default=1, ge=1)
    """Training rows that must stand behind a tree's answer."""
    max_depth: int | None = Field(default=None, ge=1)
    """Questions in a row at most; null: no limit."""
    smoothing: float = Field(default=1.0, ge=0)
    """Trees' worth of the overall class frequencies in the vote, so that no class that occurs gets
    probability 0; 0: the plain vote. Not used in regression."""

    def needs(self) -> Needs:
        """Return that numbers may be missing and stay unscaled, and categories come one-hot."""
        return Needs(scaled=False, categories="one_hot", missing=True)

    def search_space(self) -> SearchSpace:
        """Return the ranges worth trying; more trees are never worse, so their number is not searched."""
        return {
            "max_features": Range(0.1, 1.0),
            "min_samples_leaf": Range(1, 50, log=True, integer=True),
        }

    def fit(self, train: Inputs, validation: Inputs | None, context: FitContext) -> FittedTrees:  # noqa: ARG002
        """Grow the trees, `context.threads` at a time; `validation` is not used."""
        from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

        forest = ExtraTreesClassifier if context.n_classes else ExtraTreesRegressor
        return _fit(self, forest, train, context)


def _fit(
    learner: RandomForest | ExtraTrees, forest: Any, train: Inputs, context: FitContext, **drawing: Any
) -> FittedTrees:
    """Grow a forest in parts of about a second, which gives the same trees as growing it at once."""
    estimator = forest(
        **_settings(learner, context),
        n_estimators=0,
        n_jobs=context.threads,
        random_state=context.seed,
        warm_start=True,
        **drawing,
    )
    X, y = single_precision(train.X), target_of(train, context)
    start, n_trees = time.monotonic(), context.threads
    while True:
        estimator.set_params(n_estimators=min(n_trees, learner.n_estimators))
        fit_estimator(estimator.fit, X, y, train.weight)
        if n_trees >= learner.n_estimators or context.should_stop():
            break
        n_a_second = n_trees / max(time.monotonic() - start, 1e-9)
        n_trees += max(context.threads, int(_SECONDS_A_PART * n_a_second))
    grown = GrownForest(estimator, train.feature_names)
    combination = mean_of(len(estimator.estimators_), train, context, smoothing=learner.smoothing)
    return FittedTrees(grown, combination, n_features=train.X.shape[1], facts=_facts(learner, context))


def _accelerated(
    learner: RandomForest, trees: Trees, gains: FloatArray, train: Inputs, context: FitContext
) -> FittedTrees:
    """Return the forest that scikit-learn-intelex has grown."""
    names = train.feature_names
    facts = {**_facts(learner, context), "fitted_by": LIBRARY, "importance": importance(gains, names)}
    combination = mean_of(len(trees.roots), train, context, smoothing=learner.smoothing)
    return FittedTrees(trees, combination, n_features=train.X.shape[1], facts=facts)


def _settings(learner: RandomForest | ExtraTrees, context: FitContext) -> dict[str, Any]:
    """Return how each tree is grown, as scikit-learn calls it."""
    customary = "sqrt" if context.n_classes else 1.0
    return {
        "max_features": customary if learner.max_features == "auto" else learner.max_features,
        "min_samples_leaf": learner.min_samples_leaf,
        "max_depth": learner.max_depth,
    }


def _facts(learner: RandomForest | ExtraTrees, context: FitContext) -> dict[str, Any]:
    facts: dict[str, Any] = {"learner": learner.title}
    if learner.max_features == "auto":
        facts["chosen"] = {"max_features": _settings(learner, context)["max_features"]}
        facts["chosen_by"] = "customary for the task"
    return facts


class GrownForest:
    """A forest as scikit-learn has grown it, which predicts as its arrays do.

    Parameters
    ----------
    estimator : estimator
        Fitted.
    feature_names : tuple of str
        Of its inputs.
    """

    def __init__(self, estimator: Any, feature_names: tuple[str, ...]) -> None:
        self._estimator, self._feature_names = estimator, feature_names

    def outputs(self, X: FloatArray, n_outputs: int, start: FloatArray) -> FloatArray:  # noqa: ARG002
        """Return ``start`` plus what the trees say, added up in their order, shape (n_samples, n_outputs)."""
        totals = np.tile(start, (len(X), 1))
        rounded = single_precision(X)
        for each in self._estimator.estimators_:
            tree = each.tree_
            totals += tree.value[:, 0, :].take(tree.apply(rounded), axis=0)
        return totals

    def read_out(self) -> tuple[Trees, dict[str, Any]]:
        """Return the trees' arrays, and which inputs they ask about most."""
        gains = self._estimator.feature_importances_
        return trees_of(self._estimator.estimators_), {"importance": importance(gains, self._feature_names)}
