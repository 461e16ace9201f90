"""Gradient-boosted trees, fitted by LightGBM."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final, Literal

import numpy as np
from pydantic import Field

from groundup.core.errors import TrainingError
from groundup.core.inputs import Inputs, Needs
from groundup.core.losses import LossName
from groundup.core.tasks import Task
from groundup.models.boosting_facts import importance_facts, loss_name, rounds_facts
from groundup.models.contract import Choice, FitContext, Learner, Range, RoundsResult, SearchSpace
from groundup.models.lightgbm_native import FittedLightGBM
from groundup.models.lightgbm_text import without_parameters

_N_TRIES: Final = 10
_LARGEST_TARGET: Final = 1e18  # its square is still a number of 32 bits
_OBJECTIVES: Final[Mapping[str, tuple[str, str]]] = {  # by our name: what LightGBM calls it, and its mean
    "squared_error": ("regression", "rmse"),
    "absolute_error": ("regression_l1", "l1"),
    "quantile": ("quantile", "quantile"),
}


class LightGBM(Learner):
    """Decision trees, each correcting the sum of those before it."""

    title: ClassVar[str] = "gradient-boosted trees (LightGBM)"
    idea: ClassVar[str] = (
        "Adds up many small decision trees, each fitted to what the ones before it got wrong."
    )
    reference: ClassVar[str] = (
        "Ke et al. (2017), LightGBM: a highly efficient gradient boosting decision tree, NeurIPS; "
        "Friedman (2001), Greedy function approximation, Annals of Statistics"
    )
    in_rounds: ClassVar[bool] = True
    libraries: ClassVar[tuple[str, ...]] = ("lightgbm",)
    optimizer: ClassVar[str] = "each round adds the tree that lowers the loss most."
    tasks: ClassVar[tuple[Task, ...]] = ("classification", "regression")
    weighted: ClassVar[bool] = True
    losses: ClassVar[tuple[LossName, ...]] = ("squared_error", "absolute_error", "quantile")
    fitted: ClassVar[str] = "groundup.models.lightgbm_native:FittedLightGBM"

    n_estimators: int = Field(default=2_000, ge=1, le=100_000)
    """Rounds at most (one tree each, or one a class); early stopping usually ends sooner."""
    learning_rate: float = Field(default=0.05, gt=0, le=1)
    """How much of each tree's correction is applied."""
    num_leaves: int = Field(default=31, ge=2, le=131_072)
    """Leaves of a tree at most: how intricate one tree may be."""
    max_depth: int | None = Field(default=None, ge=1)
    """Questions in a row at most; null: no limit but `num_leaves`."""
    min_child_samples: Annotated[int, Field(ge=1)] | Literal["auto"] = "auto"
    """Training rows a leaf needs; `auto`: 20, below 100 rows a fifth of them (at least 2)."""
    # Trees that see a part of the rows and features differ more, and their sum errs less (Friedman, 2002,
    # "Stochastic gradient boosting"); LightGBM's own default is everything.
    subsample: float = Field(default=0.8, gt=0, le=1)
    """Share of the rows that each tree sees."""
    colsample_bytree: float = Field(default=0.8, gt=0, le=1)
    """Share of the features that each tree sees."""
    reg_alpha: float = Field(default=0.0, ge=0)
    """Penalty on the absolute leaf values."""
    reg_lambda: float = Field(default=0.0, ge=0)
    """Penalty on the squared leaf values."""

    def needs(self) -> Needs:
        """Return that numbers may be missing and stay unscaled, and categories come as codes."""
        return Needs(scaled=False, categories="codes", missing=True)

    def search_space(self) -> SearchSpace:
        """Return the ranges worth trying; the number of rounds follows from early stopping."""
        return {
            "learning_rate": Range(0.01, 0.3, log=True),
            "num_leaves": Range(4, 256, log=True, integer=True),
            "min_child_samples": Range(2, 200, log=True, integer=True),
            "subsample": Range(0.5, 1.0),
            "colsample_bytree": Range(0.3, 1.0),
            "reg_alpha": Choice((0.0, 0.01, 0.1, 1.0, 10.0)),
            "reg_lambda": Choice((0.0, 0.01, 0.1, 1.0, 10.0)),
        }

    def fit(self, train: Inputs, validation: Inputs | None, context: FitContext) -> FittedLightGBM:
        """Add trees until the loss on `validation` no longer falls, and keep those up to its lowest point.

        Without `validation`, or where the context does not stop early, all rounds are kept.
        """
        import lightgbm

        settings = self.settings(context, train.n_samples)
        offset = _offset(train) if context.task == "regression" else 0.0
        if offset:
            train = _shifted(train, offset)
            validation = None if validation is None else _shifted(validation, offset)
        try:
            booster = _start(train, validation, settings)
            result, n_rounds = self._boost(booster, validation is not None, context)
        except lightgbm.basic.LightGBMError as error:
            raise TrainingError(f"LightGBM could not go on: {error}") from error
        text = without_parameters(booster.model_to_string(num_iteration=n_rounds).encode())
        facts = {
            "learner": self.title,
            "loss": loss_name(context),
            **self._chosen(settings),
            **rounds_facts(result),
            "importance": importance_facts(
                booster.feature_importance("gain", iteration=n_rounds), train.feature_names
            ),
        }
        return FittedLightGBM(
            text, is_classifier=context.task == "classification", offset=offset, facts=facts
        )

    def _chosen(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        if self.min_child_samples != "auto":
            return {}
        return {
            "chosen": {"min_child_samples": settings["min_child_samples"]},
            "chosen_by": "20, or a fifth of fewer than 100 training rows",
        }

    def settings(self, context: FitContext, n_samples: int) -> dict[str, Any]:
        """Return LightGBM's own parameters for a fit on `n_samples` rows."""
        if context.task == "regression":
            objective, metric = _OBJECTIVES[context.loss.name]
            goal: dict[str, Any] = {"objective": objective, "metric": metric}
            if context.loss.name == "quantile":
                goal["alpha"] = context.loss.quantile
        elif context.n_classes == 2:
            goal = {"objective": "binary", "metric": "binary_logloss"}
        else:
            goal = {"objective": "multiclass", "metric": "multi_logloss", "num_class": context.n_classes}
        smallest_leaf = self.min_child_samples
        if smallest_leaf == "auto":
            smallest_leaf = min(20, max(2, n_samples // 5))
        return {
            **goal,
            "learning_rate": self.learning_rate,
            "num_leaves": self.num_leaves,
            "max_depth": -1 if self.max_depth is None else self.max_depth,
            "min_child_samples": smallest_leaf,
            "subsample": self.subsample,
            "subsample_freq": int(self.subsample < 1),
            "colsample_bytree": self.colsample_bytree,
            "reg_alpha": self.reg_alpha,
            "reg_lambda": self.reg_lambda,
            "seed": context.seed,
            "num_threads": context.threads,
            "deterministic": True,
            "force_row_wise": True,
            "verbosity": -1,
        }

    def _boost(self, booster: Any, has_validation: bool, context: FitContext) -> tuple[RoundsResult, int]:
        """Return how the rounds went, and how many iterations of the booster make up the best of them."""
        # A round may fail to split because of the rows and features it drew; the next draw may do better.
        n_tries = _N_TRIES if min(self.subsample, self.colsample_bytree) < 1 else 1

        iterations = [1]  # before any split LightGBM keeps one iteration that holds the constant

        def advance() -> bool:
            is_exhausted = all(booster.update() for _ in range(n_tries))
            iterations.append(booster.current_iteration())
            return is_exhausted

        def scores(complete: bool) -> dict[str, float]:
            losses = {}
            if complete:
                losses["train"] = float(booster.eval_train()[0][2])
            if has_validation:
                losses["validation"] = float(booster.eval_valid()[0][2])
            return losses

        result = context.run_rounds(advance, scores, n_rounds=self.n_estimators, monitor="validation")
        return result, iterations[result.best_round]


def _offset(train: Inputs) -> float:
    """Return what to take off the target because LightGBM stores it in 32 bits; usually nothing.

    Numbers of 32 bits have 24 binary digits, so a target that varies little around a large mean
    (a time in seconds since 1970) would lose what matters.
    """
    y = train.y.astype(np.float64)
    largest = float(np.abs(y).max())
    if not largest < _LARGEST_TARGET:  # NaN is not either
        raise TrainingError(
            f"The target holds `{largest}`, and LightGBM computes with numbers up to {_LARGEST_TARGET:.0e}. "
            "Look for extreme values, or give the target in a larger unit."
        )
    return float(y.mean()) if largest * 2.0**-24 > 1e-4 * float(y.std()) else 0.0


def _shifted(inputs: Inputs, offset: float) -> Inputs:
    return inputs.with_target(inputs.y.astype(np.float64) - offset)


def _start(train: Inputs, validation: Inputs | None, settings: Mapping[str, Any]) -> Any:
    """Return a booster without trees."""
    from lightgbm import Booster, Dataset

    categorical = list(train.categorical)
    binned = Dataset(
        train.X, train.y, weight=train.weight, categorical_feature=categorical, params=dict(settings)
    )
    booster = Booster(dict(settings), binned)
    if validation is not None:
        held_out = Dataset(
            validation.X,
            validation.y,
            weight=validation.weight,
            reference=binned,
            categorical_feature=categorical,
            params=dict(settings),
        )
        booster.add_valid(held_out, "validation")
    return booster
