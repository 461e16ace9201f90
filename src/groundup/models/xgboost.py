"""Gradient-boosted trees, fitted by XGBoost (an extra)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

import numpy as np
from pydantic import Field

from groundup.core.errors import MissingExtraError, TrainingError
from groundup.core.inputs import FloatArray, Inputs, Needs
from groundup.core.losses import LossName
from groundup.core.tasks import Task
from groundup.models.boosting_facts import importance_facts, loss_name, rounds_facts
from groundup.models.boosting_start import Start, start_of
from groundup.models.contract import Choice, FitContext, Learner, Range, RoundsResult, SearchSpace
from groundup.models.xgboost_native import FittedXGBoost, as_float32

_OBJECTIVES: Final[Mapping[str, tuple[str, str]]] = {  # by our name: what XGBoost calls it, and its mean
    "squared_error": ("reg:squarederror", "rmse"),
    "absolute_error": ("reg:absoluteerror", "mae"),
    "quantile": ("reg:quantileerror", "quantile"),
}


class XGBoost(Learner):
    """Decision trees, each correcting the sum of those before it, grown level by level.

    XGBoost compares numbers of 32 bits: values that differ only from the eighth digit on are equal.
    """

    title: ClassVar[str] = "gradient-boosted trees (XGBoost)"
    idea: ClassVar[str] = (
        "Adds up many small decision trees, each fitted to what the ones before it got wrong."
    )
    reference: ClassVar[str] = (
        "Chen and Guestrin (2016), XGBoost: a scalable tree boosting system, KDD; "
        "Friedman (2001), Greedy function approximation, Annals of Statistics"
    )
    optimizer: ClassVar[str] = "each round adds the tree that lowers the loss most."
    tasks: ClassVar[tuple[Task, ...]] = ("classification", "regression")
    weighted: ClassVar[bool] = True
    losses: ClassVar[tuple[LossName, ...]] = ("squared_error", "absolute_error", "quantile")
    fitted: ClassVar[str] = "groundup.models.xgboost_native:FittedXGBoost"
    in_rounds: ClassVar[bool] = True
    libraries: ClassVar[tuple[str, ...]] = ("xgboost",)

    n_estimators: int = Field(default=2_000, ge=1, le=100_000)
    """Rounds at most (one tree each, or one a class); early stopping usually ends sooner."""
    learning_rate: float = Field(default=0.05, gt=0, le=1)
    """How much of each tree's correction is applied."""
    max_depth: int = Field(default=6, ge=1, le=20)
    """Questions in a row at most."""
    min_child_weight: float = Field(default=1.0, ge=0)
    """What a leaf needs: training rows in regression, in classification each counts by its uncertainty."""
    subsample: float = Field(default=0.8, gt=0, le=1)
    """Share of the rows that each tree sees."""
    colsample_bytree: float = Field(default=0.8, gt=0, le=1)
    """Share of the features that each tree sees."""
    gamma: float = Field(default=0.0, ge=0)
    """Loss reduction that a question must bring."""
    reg_alpha: float = Field(default=0.0, ge=0)
    """Penalty on the absolute leaf values."""
    reg_lambda: float = Field(default=1.0, ge=0)
    """Penalty on the squared leaf values."""
    max_bin: int = Field(default=256, ge=2, le=65_536)
    """Values that a number is sorted into; thresholds lie between them."""

    def needs(self) -> Needs:
        """Return that numbers may be missing and stay unscaled, and categories come as codes."""
        return Needs(scaled=False, categories="codes", missing=True)

    def search_space(self) -> SearchSpace:
        """Return the ranges worth trying; the number of rounds follows from early stopping."""
        return {
            "learning_rate": Range(0.01, 0.3, log=True),
            "max_depth": Range(2, 12, integer=True),
            "min_child_weight": Range(0.1, 100.0, log=True),
            "subsample": Range(0.5, 1.0),
            "colsample_bytree": Range(0.3, 1.0),
            "reg_alpha": Choice((0.0, 0.01, 0.1, 1.0, 10.0)),
            "reg_lambda": Range(0.01, 100.0, log=True),
        }

    def fit(self, train: Inputs, validation: Inputs | None, context: FitContext) -> FittedXGBoost:
        """Add trees until the loss on `validation` no longer falls, and keep those up to its lowest point.

        Without `validation`, or where the context does not stop early, all rounds are kept.

        Raises
        ------
        MissingExtraError
            If XGBoost is not installed.
        TrainingError
            If XGBoost cannot go on.
        """
        try:
            import xgboost
        except ImportError as error:
            raise MissingExtraError("xgboost", "xgboost", purpose="The learner `xgboost`") from error
        start = start_of(train, context)
        settings = self.settings(context)
        try:
            booster, parts = _begin(train, validation, settings, start)
            result = self._boost(booster, parts, context)
            kept = booster[: result.best_round]
            text = bytes(kept.save_raw("ubj"))
            gains = kept.get_score(importance_type="total_gain")
        except xgboost.core.XGBoostError as error:
            raise TrainingError(f"XGBoost could not go on: {error}") from error
        gain = np.array([gains.get(f"f{position}", 0.0) for position in range(train.X.shape[1])])
        facts = {
            "learner": self.title,
            "loss": loss_name(context),
            **rounds_facts(result),
            "importance": importance_facts(gain, train.feature_names),
        }
        return FittedXGBoost(
            text,
            start=start.outputs,
            n_classes=context.n_classes,
            n_features=train.X.shape[1],
            facts=facts,
        )

    def settings(self, context: FitContext) -> dict[str, Any]:
        """Return XGBoost's own parameters."""
        if context.task == "regression":
            objective, metric = _OBJECTIVES[context.loss.name]
            goal: dict[str, Any] = {"objective": objective, "eval_metric": metric, "base_score": 0.0}
            if context.loss.name == "quantile":
                goal["quantile_alpha"] = context.loss.quantile
        elif context.n_classes == 2:
            goal = {"objective": "binary:logistic", "eval_metric": "logloss", "base_score": 0.5}
        else:
            goal = {"objective": "multi:softprob", "eval_metric": "mlogloss", "base_score": 0.5}
            goal["num_class"] = context.n_classes
        return {
            **goal,
            "tree_method": "hist",
            "learning_rate": self.learning_rate,
            "max_depth": self.max_depth,
            "min_child_weight": self.min_child_weight,
            "subsample": self.subsample,
            "colsample_bytree": self.colsample_bytree,
            "gamma": self.gamma,
            "reg_alpha": self.reg_alpha,
            "reg_lambda": self.reg_lambda,
            "max_bin": self.max_bin,
            "seed": context.seed,
            "nthread": context.threads,
            "verbosity": 0,
        }

    def _boost(self, booster: Any, parts: dict[str, Any], context: FitContext) -> RoundsResult:
        n_rounds = 0

        def advance() -> bool:
            nonlocal n_rounds
            booster.update(parts["train"], n_rounds)
            n_rounds += 1
            return False

        def scores(complete: bool) -> dict[str, float]:
            names = list(parts) if complete else [name for name in parts if name == "validation"]
            # One at a time: the text is "[3]\tvalidation-rmse:0.25".
            texts = {name: booster.eval_set([(parts[name], name)], n_rounds) for name in names}
            return {name: float(text.rpartition(":")[2]) for name, text in texts.items()}

        return context.run_rounds(advance, scores, n_rounds=self.n_estimators, monitor="validation")


def _begin(
    train: Inputs, validation: Inputs | None, settings: dict[str, Any], start: Start
) -> tuple[Any, dict[str, Any]]:
    """Return a booster without trees, and the binned parts, which begin at the constants of `start`."""
    from xgboost import Booster, QuantileDMatrix

    common: dict[str, Any] = {
        "feature_types": [
            "c" if position in train.categorical else "q" for position in range(train.X.shape[1])
        ],
        "enable_categorical": True,
        "max_bin": settings["max_bin"],
        "nthread": settings["nthread"],
    }
    parts = {
        "train": QuantileDMatrix(as_float32(train.X), start.target(train), weight=train.weight, **common)
    }
    if validation is not None and validation.n_samples:
        parts["validation"] = QuantileDMatrix(
            as_float32(validation.X),
            start.target(validation),
            weight=validation.weight,
            ref=parts["train"],
            **common,
        )
    if start.is_classifier:
        for part in parts.values():
            part.set_base_margin(_repeated(start.outputs, part.num_row()))
    return Booster(settings, list(parts.values())), parts


def _repeated(outputs: FloatArray, n_rows: int) -> FloatArray:
    return np.full(n_rows, outputs[0]) if len(outputs) == 1 else np.tile(outputs, (n_rows, 1))
