"""Gradient-boosted symmetric trees, fitted by CatBoost (an extra)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar, Final

import numpy as np
from pydantic import Field

from groundup.core.errors import MissingExtraError, TrainingError
from groundup.core.inputs import Inputs, IntArray, Needs
from groundup.core.losses import LossName
from groundup.core.tasks import Task
from groundup.models.boosting_facts import importance_facts, loss_name, rounds_facts
from groundup.models.boosting_start import start_of
from groundup.models.catboost_fitted import Columns, FittedCatBoost, as_float32
from groundup.models.contract import FitContext, Learner, Range, SearchSpace
from groundup.models.paused_fit import PausedFit

_LEAST_ROWS: Final = 20
_FACTS_THAT_DIFFER: Final = ("model_guid", "train_finish_time", "params", "output_options", "training")
# CatBoost writes when and by what call it was trained; equal models are to be equal files.


class CatBoost(Learner):
    """Symmetric decision trees, each correcting the sum of those before it; categories by ordered statistics.

    CatBoost has its own loop; it runs in a thread that waits after every round until the next is asked
    for, so that early stopping and requests are those of every other learner. After every round it copies
    the losses of all rounds so far: after a thousand that costs some milliseconds a round. It compares
    numbers of 32 bits. A class that the training rows do not have is never predicted.
    """

    title: ClassVar[str] = "gradient-boosted trees (CatBoost)"
    idea: ClassVar[str] = (
        "Adds up many small symmetric decision trees, and replaces each category by what was seen of it."
    )
    reference: ClassVar[str] = (
        "Prokhorenkova et al. (2018), CatBoost: unbiased boosting with categorical features, NeurIPS"
    )
    optimizer: ClassVar[str] = "each round adds the tree that lowers the loss most."
    tasks: ClassVar[tuple[Task, ...]] = ("classification", "regression")
    weighted: ClassVar[bool] = True
    losses: ClassVar[tuple[LossName, ...]] = ("squared_error", "absolute_error", "quantile")
    fitted: ClassVar[str] = "groundup.models.catboost_fitted:FittedCatBoost"
    in_rounds: ClassVar[bool] = True
    libraries: ClassVar[tuple[str, ...]] = ("catboost",)

    n_estimators: int = Field(default=1_000, ge=1, le=100_000)
    """Rounds (trees) at most; early stopping usually ends sooner."""
    learning_rate: float = Field(default=0.05, gt=0, le=1)
    """How much of each tree's correction is applied."""
    depth: int = Field(default=6, ge=1, le=16)
    """Questions in a row; a tree asks the same ones everywhere and has 2^depth leaves."""
    l2_leaf_reg: float = Field(default=3.0, ge=0)
    """Penalty on the squared leaf values."""
    random_strength: float = Field(default=1.0, ge=0)
    """How much chance plays a part in choosing questions, less with every round."""
    subsample: float = Field(default=0.8, gt=0, le=1)
    """Share of the rows that each tree sees, those with large errors first; all if that is under 20."""
    rsm: float = Field(default=1.0, gt=0, le=1)
    """Share of the features that each question is chosen from."""
    one_hot_max_size: int = Field(default=2, ge=2, le=255)
    """Categories with up to this many levels are asked about level by level."""
    border_count: int = Field(default=254, ge=1, le=65_535)
    """Thresholds that are tried for a number."""

    def needs(self) -> Needs:
        """Return that numbers may be missing and stay unscaled, and categories come as codes."""
        return Needs(scaled=False, categories="codes", missing=True)

    def search_space(self) -> SearchSpace:
        """Return the ranges worth trying; the number of rounds follows from early stopping."""
        return {
            "learning_rate": Range(0.01, 0.3, log=True),
            "depth": Range(2, 10, integer=True),
            "l2_leaf_reg": Range(0.1, 100.0, log=True),
            "random_strength": Range(0.01, 10.0, log=True),
            "subsample": Range(0.5, 1.0),
        }

    def fit(self, train: Inputs, validation: Inputs | None, context: FitContext) -> FittedCatBoost:
        """Add trees until the loss on `validation` no longer falls, and keep those up to its lowest point.

        Without `validation`, or where the context does not stop early, all rounds are kept.

        Raises
        ------
        MissingExtraError
            If CatBoost is not installed.
        TrainingError
            If CatBoost cannot go on.
        """
        try:
            import catboost
        except ImportError as error:
            raise MissingExtraError("catboost", "catboost", purpose="The learner `catboost`") from error
        goal = _Goal(train, context)
        columns = Columns.of(train)
        facts: dict[str, Any] = {"learner": self.title}
        if goal.is_constant or _has_nothing_to_ask(train):
            return FittedCatBoost(None, columns, goal.answers(), facts=facts)
        settings = self.settings(context, goal.loss, train.n_samples)
        parts = {"train": goal.part(train)}
        if validation is not None and (part := goal.part(validation)).n_samples:
            parts["validation"] = part
        pools = {name: columns.pool(part.X, part.y, part.weight) for name, part in parts.items()}
        model = catboost.CatBoost(settings)
        try:
            course = self._boost(model, pools, settings["loss_function"], context)
        except catboost.CatBoostError as error:
            raise TrainingError(f"CatBoost could not go on: {error}") from error
        gain = np.zeros(train.X.shape[1])
        gain[columns.order] = model.get_feature_importance(type="PredictionValuesChange")
        facts |= {
            "loss": loss_name(context),
            **course,
            "importance": importance_facts(gain, train.feature_names),
        }
        return FittedCatBoost(_as_bytes(model), columns, goal.answers(), facts=facts)

    def settings(self, context: FitContext, loss: str, n_samples: int) -> dict[str, Any]:
        """Return CatBoost's own parameters for a fit on `n_samples` rows."""
        # Of a handful of rows CatBoost may draw none, and then gives up.
        is_sampled = self.subsample < 1 and self.subsample * n_samples >= _LEAST_ROWS
        return {
            "loss_function": loss,
            "iterations": self.n_estimators,
            "learning_rate": self.learning_rate,
            "depth": self.depth,
            "l2_leaf_reg": self.l2_leaf_reg,
            "random_strength": self.random_strength,
            **(
                {"bootstrap_type": "MVS", "subsample": self.subsample}
                if is_sampled
                else {"bootstrap_type": "No"}
            ),
            "rsm": self.rsm,
            "one_hot_max_size": self.one_hot_max_size,
            "border_count": self.border_count,
            "random_seed": context.seed,
            "thread_count": context.threads,
            "allow_writing_files": False,
            "logging_level": "Silent",
        }

    def _boost(self, model: Any, pools: dict[str, Any], loss: str, context: FitContext) -> dict[str, Any]:
        """Run the rounds, cut the model to the best of them, and return how they went."""
        losses: dict[str, float] = {}

        def run(pause: Callable[[dict[str, float]], bool]) -> None:
            model.fit(
                pools["train"],
                eval_set=pools.get("validation"),
                use_best_model=False,
                callbacks=[_AfterIteration(loss, pause)],
            )

        with PausedFit(run) as rounds:

            def advance() -> bool:
                found = rounds.next()
                losses.update(found or {})
                return found is None

            def scores(complete: bool) -> dict[str, float]:
                return {name: loss for name, loss in losses.items() if complete or name != "train"}

            result = context.run_rounds(advance, scores, n_rounds=self.n_estimators, monitor="validation")
        model.shrink(max(1, result.best_round))
        return rounds_facts(result)


class _AfterIteration:
    """CatBoost's callback: hands over the losses of a round and waits."""

    def __init__(self, loss: str, pause: Callable[[dict[str, float]], bool]) -> None:
        self._loss, self._pause = loss, pause

    def after_iteration(self, info: Any) -> bool:
        """Return whether to go on."""
        names = {"learn": "train", "validation": "validation"}
        return not self._pause(
            {names[part]: float(history[self._loss][-1]) for part, history in info.metrics.items()}
        )


class _Goal:
    """What CatBoost is asked: values less where they start, or the codes of the classes that are there."""

    def __init__(self, train: Inputs, context: FitContext) -> None:
        self.n_classes = context.n_classes
        self.start = start_of(train, context)
        self.present: IntArray = np.zeros(0, dtype=np.int64)
        if context.task == "classification":
            self.present = np.unique(train.y.astype(np.int64))
            self.is_constant = len(self.present) == 1
            self.loss = "Logloss" if len(self.present) == 2 else "MultiClass"
            counts = np.bincount(train.y.astype(np.int64), train.weight, minlength=self.n_classes)
            self._logs = np.log(counts[self.present] / counts.sum())
        else:
            y = train.y.astype(np.float64)
            self.is_constant = bool(np.ptp(y) <= 1e-12 * np.abs(y).max())
            self.loss = {"squared_error": "RMSE", "absolute_error": "MAE"}.get(
                context.loss.name, f"Quantile:alpha={context.loss.quantile}"
            )

    def part(self, inputs: Inputs) -> Inputs:
        """Return the rows whose answer can be learned, and what is to be learned of them."""
        if not self.n_classes:
            return inputs.with_target(self.start.target(inputs))
        codes = inputs.y.astype(np.int64)
        rows = np.flatnonzero(np.isin(codes, self.present))
        return inputs.take(rows).with_target(np.searchsorted(self.present, codes[rows]))

    def answers(self) -> dict[str, Any]:
        """Return what makes answers of the trees' outputs, and stands alone where there are no trees."""
        if not self.n_classes:
            return {"n_classes": 0, "classes": [], "start": self.start.outputs.tolist()}
        return {"n_classes": self.n_classes, "classes": self.present.tolist(), "start": self._logs.tolist()}


def _has_nothing_to_ask(train: Inputs) -> bool:
    """Return whether no feature differs between two rows, which CatBoost refuses to fit."""
    X = as_float32(train.X)
    first = X[:1]
    return bool(((first == X) | (np.isnan(X) & np.isnan(first))).all())


def _as_bytes(model: Any) -> bytes:
    """Return the model in CatBoost's format, without what differs between two equal fits."""
    metadata = model.get_metadata()
    for name in _FACTS_THAT_DIFFER:
        if name in list(metadata):
            del metadata[name]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.cbm"
        model.save_model(str(path), format="cbm")
        return path.read_bytes()
