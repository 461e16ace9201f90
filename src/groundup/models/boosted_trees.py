"""Boosted trees, fitted by scikit-learn: gradient boosting over histograms, and AdaBoost."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Final, Literal

import numpy as np
from pydantic import Field

from groundup.core.errors import TrainingError
from groundup.core.inputs import FloatArray, Inputs, Needs
from groundup.core.losses import LossName
from groundup.core.tasks import Task
from groundup.models.boosting_facts import loss_name, rounds_facts
from groundup.models.contract import Choice, FitContext, Learner, Range, RoundsResult, SearchSpace
from groundup.models.histogram_trees import (
    BoostingRound,
    known_categories,
    observed,
    trees_of_rounds,
    without_rare,
)
from groundup.models.paused_fit import PausedFit
from groundup.models.trees import (
    FITTED_TREES,
    class_shares,
    fit_estimator,
    importance,
    leaf_values,
    mean_of,
    rows_of_known_classes,
    single_precision,
    target_of,
    trees_of,
)
from groundup.models.trees_fitted import Combination, FittedTrees

_N_SHARPNESSES: Final = 61


class HistGradientBoosting(Learner):
    """Decision trees over binned inputs, each correcting the sum of those before it."""

    title: ClassVar[str] = "histogram gradient boosting (scikit-learn)"
    idea: ClassVar[str] = (
        "Adds up many small decision trees over coarsened inputs, each fitted to what is still wrong."
    )
    reference: ClassVar[str] = (
        "Friedman (2001), Greedy function approximation, Annals of Statistics; "
        "Ke et al. (2017), LightGBM: a highly efficient gradient boosting decision tree, NeurIPS"
    )
    optimizer: ClassVar[str] = "gradient boosting; each round adds the tree that lowers the loss most."
    tasks: ClassVar[tuple[Task, ...]] = ("classification", "regression")
    weighted: ClassVar[bool] = True
    losses: ClassVar[tuple[LossName, ...]] = ("squared_error", "absolute_error", "quantile")
    fitted: ClassVar[str] = FITTED_TREES
    in_rounds: ClassVar[bool] = True
    libraries: ClassVar[tuple[str, ...]] = ("sklearn.ensemble",)

    n_estimators: int = Field(default=500, ge=1, le=100_000)
    """Rounds at most (one tree each, or one a class); early stopping usually ends sooner."""
    learning_rate: float = Field(default=0.1, gt=0, le=1)
    """How much of each tree's correction is applied."""
    max_leaf_nodes: int = Field(default=31, ge=2)
    """Leaves of a tree at most: how intricate one tree may be."""
    max_depth: int | None = Field(default=None, ge=1)
    """Questions in a row at most; null: no limit but `max_leaf_nodes`."""
    min_samples_leaf: Annotated[int, Field(ge=1)] | Literal["auto"] = "auto"
    """Training rows a leaf needs; `auto`: 20, below 100 rows a fifth of them (at least 2)."""
    l2_regularization: float = Field(default=0.0, ge=0)
    """Penalty on the squared leaf values."""
    max_features: float = Field(default=1.0, gt=0, le=1)
    """Share of the features among which each question is chosen."""

    def needs(self) -> Needs:
        """Return that numbers may be missing and stay unscaled, and categories come as codes."""
        return Needs(scaled=False, categories="codes", missing=True)

    def search_space(self) -> SearchSpace:
        """Return the ranges worth trying; the number of rounds follows from early stopping."""
        return {
            "learning_rate": Range(0.01, 0.3, log=True),
            "max_leaf_nodes": Range(4, 256, log=True, integer=True),
            "min_samples_leaf": Range(2, 200, log=True, integer=True),
            "l2_regularization": Choice((0.0, 0.01, 0.1, 1.0, 10.0)),
            "max_features": Range(0.3, 1.0),
        }

    def fit(self, train: Inputs, validation: Inputs | None, context: FitContext) -> FittedTrees:
        """Add trees until the loss on `validation` no longer falls, and keep those up to its lowest point.

        Without `validation`, or where the context does not stop early, all rounds are kept. Of a
        category with more than 255 levels the most frequent 255 count, the others as missing.
        """
        if context.n_classes and len(class_shares(train)[0]) == 1:
            return _frequencies(self, train, context)
        categories = {column: known_categories(train.X[:, column]) for column in train.categorical}
        categories = {column: known for column, known in categories.items() if len(known)}
        estimator = self._estimator(list(categories), train.n_samples, context)
        facts: dict[str, Any] = {"learner": self.title, "loss": loss_name(context)}
        if self.min_samples_leaf == "auto":
            facts["chosen"] = {"min_samples_leaf": estimator.min_samples_leaf}
            facts["chosen_by"] = "20, or a fifth of fewer than 100 training rows"
        result = self._boost(estimator, train, _known(train, validation, context), categories, context)
        trees, gains = trees_of_rounds(
            estimator._predictors[: result.best_round], categories, train.X.shape[1]
        )
        combination = Combination(tuple(np.ravel(estimator._baseline_prediction).tolist()))
        if context.n_classes:
            combination = replace(
                combination,
                link="logistic" if len(combination.start) == 1 else "softmax",
                n_classes=context.n_classes,
                present=tuple(class_shares(train)[0].tolist()),
            )
        facts |= {**rounds_facts(result), "importance": importance(gains, train.feature_names)}
        return FittedTrees(trees, combination, n_features=train.X.shape[1], facts=facts)

    def _estimator(self, categorical: list[int], n_samples: int, context: FitContext) -> Any:
        from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

        smallest_leaf = self.min_samples_leaf
        if smallest_leaf == "auto":
            smallest_leaf = min(20, max(2, n_samples // 5))
        plain = HistGradientBoostingClassifier if context.n_classes else HistGradientBoostingRegressor
        goal = {} if context.n_classes else {"loss": context.loss.name, "quantile": context.loss.quantile}
        return observed(plain)(
            **goal,
            max_iter=self.n_estimators,
            learning_rate=self.learning_rate,
            max_leaf_nodes=self.max_leaf_nodes,
            max_depth=self.max_depth,
            min_samples_leaf=smallest_leaf,
            l2_regularization=self.l2_regularization,
            max_features=self.max_features,
            categorical_features=categorical or None,
            early_stopping=True,
            scoring="loss",
            validation_fraction=None,
            random_state=context.seed,
        )

    def _boost(
        self,
        estimator: Any,
        train: Inputs,
        validation: Inputs | None,
        categories: Mapping[int, FloatArray],
        context: FitContext,
    ) -> RoundsResult:
        from threadpoolctl import threadpool_limits

        def fit(pause: Callable[[BoostingRound], bool]) -> None:
            estimator.on_round = pause
            held_out: dict[str, Any] = {"sample_weight": train.weight}
            if validation is not None:
                held_out |= {
                    "X_val": without_rare(validation.X, categories),
                    "y_val": target_of(validation, context),
                    "sample_weight_val": validation.weight,
                }
            # How many threads OpenMP starts is a property of the thread that asks for them.
            with threadpool_limits(context.threads):
                X = without_rare(train.X, categories)
                fit_estimator(lambda: estimator.fit(X, target_of(train, context), **held_out))

        with PausedFit(fit) as rounds:
            latest = rounds.next()  # the state before the first tree

            def advance() -> bool:
                nonlocal latest
                latest = rounds.next()
                return latest is None or not latest.has_split

            def scores(complete: bool) -> dict[str, float]:
                assert latest is not None
                losses = {"train": latest.train_loss()} if complete else {}
                if latest.validation_loss is not None:
                    losses["validation"] = latest.validation_loss()
                if context.n_classes or context.loss.name != "squared_error":
                    return losses
                return {
                    part: float(np.sqrt(2 * loss)) for part, loss in losses.items()
                }  # it is half the square

            return context.run_rounds(advance, scores, n_rounds=self.n_estimators, monitor="validation")


class AdaBoost(Learner):
    """Small trees, each fitted with more weight on the rows that those before it got wrong."""

    title: ClassVar[str] = "AdaBoost"
    idea: ClassVar[str] = "Lets small trees vote, each trained to attend to the rows the others got wrong."
    reference: ClassVar[str] = (
        "Freund and Schapire (1997), A decision-theoretic generalization of on-line learning, JCSS; "
        "Zhu et al. (2009), Multi-class AdaBoost; "
        "Drucker (1997), Improving regressors using boosting techniques"
    )
    optimizer: ClassVar[str] = "reweights the rows after each tree, which descends the exponential loss."
    tasks: ClassVar[tuple[Task, ...]] = ("classification", "regression")
    weighted: ClassVar[bool] = True
    fitted: ClassVar[str] = FITTED_TREES
    libraries: ClassVar[tuple[str, ...]] = ("sklearn.ensemble",)

    n_estimators: int = Field(default=50, ge=1, le=10_000)
    """Trees at most; fewer where they fit the training rows perfectly."""
    learning_rate: float = Field(default=1.0, gt=0)
    """How strongly each tree changes the weights of the rows."""
    max_depth: Annotated[int, Field(ge=1)] | Literal["auto"] = "auto"
    """Questions in a row of each tree; `auto`: 1 in classification, 3 in regression."""
    sharpness: Annotated[float, Field(gt=0)] | Literal["auto"] = "auto"
    """How far the vote's margin moves the probabilities; `auto`: what gives the validation rows the
    lowest log loss, 1 (scikit-learn's) without them. Not used in regression."""

    def needs(self) -> Needs:
        """Return unscaled numbers, one-hot categories, nothing missing."""
        return Needs(scaled=False, categories="one_hot", missing=False)

    def search_space(self) -> SearchSpace:
        """Return the ranges worth trying."""
        return {
            "n_estimators": Range(20, 500, log=True, integer=True),
            "learning_rate": Range(0.01, 2.0, log=True),
            "max_depth": Range(1, 6, integer=True),
        }

    def fit(self, train: Inputs, validation: Inputs | None, context: FitContext) -> FittedTrees:
        """Fit one tree after the other; `validation` sharpens the probabilities."""
        depth = self.max_depth
        if depth == "auto":
            depth = 1 if context.n_classes else 3
        facts: dict[str, Any] = {"learner": self.title}
        if self.max_depth == "auto":
            facts |= {"chosen": {"max_depth": depth}, "chosen_by": "customary for the task"}
        if not context.n_classes:
            estimator = self._estimator(depth, train, context)
            assert estimator is not None
            weights = tuple(estimator.estimator_weights_[: len(estimator.estimators_)].tolist())
            combination = Combination((0.0,), link="median", weights=weights)
            leaves = [leaf_values(tree.tree_) for tree in estimator.estimators_]
            return self._fitted(estimator, leaves, combination, train, facts)
        present, _ = class_shares(train)
        estimator = None if len(present) == 1 else self._estimator(depth, train, context)
        if estimator is None:
            return _frequencies(self, train, context)
        combination = Combination(
            (0.0,) * len(present),
            divisor=float(estimator.estimator_weights_.sum()) * (len(present) - 1),
            link="softmax",
            n_classes=context.n_classes,
            present=tuple(present.tolist()),
        )
        fitted = self._fitted(estimator, _votes(estimator), combination, train, facts)
        return self._sharpened(fitted, _known(train, validation, context))

    def _estimator(self, depth: int, train: Inputs, context: FitContext) -> Any:
        """Return the fitted estimator, or None where no tree is better than guessing."""
        from sklearn.ensemble import AdaBoostClassifier, AdaBoostRegressor
        from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

        tree = (DecisionTreeClassifier if context.n_classes else DecisionTreeRegressor)(max_depth=depth)
        estimator = (AdaBoostClassifier if context.n_classes else AdaBoostRegressor)(
            tree,
            n_estimators=self.n_estimators,
            learning_rate=self.learning_rate,
            random_state=context.seed,
        )
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")  # weights that overflow end the fit, which keeps what it has
            try:
                X, y = single_precision(train.X), target_of(train, context)
                fit_estimator(estimator.fit, X, y, train.weight)
            except TrainingError as error:
                if "worse than random" in str(error):
                    return None
                raise
        return estimator

    def _fitted(
        self,
        estimator: Any,
        leaves: list[FloatArray],
        combination: Combination,
        train: Inputs,
        facts: dict[str, Any],
    ) -> FittedTrees:
        gains = sum(
            weight * tree.feature_importances_
            for weight, tree in zip(estimator.estimator_weights_, estimator.estimators_, strict=False)
        )
        facts["importance"] = importance(np.asarray(gains), train.feature_names)
        trees = trees_of(estimator.estimators_, leaves)
        return FittedTrees(trees, combination, n_features=train.X.shape[1], facts=facts)

    def _sharpened(self, fitted: FittedTrees, validation: Inputs | None) -> FittedTrees:
        """Return the same trees with probabilities as sharp as asked for or as `validation` bears out."""
        how, facts = fitted.combination, fitted.facts()
        sharpness = self.sharpness
        if sharpness == "auto":
            sharpness = 1.0 if validation is None else _sharpness(fitted, validation)
            facts["chosen"] = {**facts.get("chosen", {}), "sharpness": sharpness}
            by = "lowest log loss on the validation rows" if validation is not None else "no validation rows"
            facts["chosen_by"] = f"depth as is customary for the task, sharpness: {by}"
        sharpened = replace(how, divisor=how.divisor / sharpness)
        return FittedTrees(fitted.trees, sharpened, n_features=fitted.n_features, facts=facts)


def _votes(estimator: Any) -> list[FloatArray]:
    """Return each tree's weighted vote at its leaves: for the class it names, against the others."""
    votes = []
    for weight, tree in zip(estimator.estimator_weights_, estimator.estimators_, strict=False):
        values = leaf_values(tree.tree_)
        is_named = np.arange(values.shape[1]) == np.argmax(values, axis=1)[:, None]
        votes.append(np.where(is_named, weight, -1 / (values.shape[1] - 1) * weight))
    return votes


def _sharpness(fitted: FittedTrees, validation: Inputs) -> float:
    """Return the factor on the margins that gives the validation rows the lowest log loss."""
    how = fitted.combination
    margins = fitted.trees.outputs(validation.X, len(how.start), np.array(how.start)) / how.divisor
    rows, y = np.arange(len(margins)), np.searchsorted(how.present, validation.y.astype(np.int64))

    def loss(sharpness: float) -> float:
        scaled = sharpness * (margins - margins.max(axis=1, keepdims=True))
        losses = np.log(np.exp(scaled).sum(axis=1)) - scaled[rows, y]
        return float(np.average(losses, weights=validation.weight))

    factors = np.geomspace(0.1, 10.0 * (len(how.present) - 1), _N_SHARPNESSES).tolist()
    return float(f"{min(factors, key=loss):.3g}")


def _known(train: Inputs, validation: Inputs | None, context: FitContext) -> Inputs | None:
    return None if validation is None else rows_of_known_classes(train, validation, context)


def _frequencies(learner: Learner, train: Inputs, context: FitContext) -> FittedTrees:
    """Return a model that says the class frequencies, where there is nothing to learn."""
    combination = mean_of(0, train, context, smoothing=1.0)
    trees, _ = trees_of_rounds([], {}, train.X.shape[1])
    facts: dict[str, Any] = {"learner": learner.title}
    return FittedTrees(trees, combination, n_features=train.X.shape[1], facts=facts)
