"""The baseline: what can be said without looking at the inputs, so that every score has a floor."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from groundup.core.errors import PackageError
from groundup.core.files import write_json
from groundup.core.inputs import FloatArray, Inputs, Needs, Predictions
from groundup.core.losses import Loss, LossName
from groundup.core.tasks import Task
from groundup.models.contract import FitContext, Learner


class Baseline(Learner):
    """Predicts the training rows' class frequencies, or their mean, median or quantile, for every row.

    Examples
    --------
    >>> from groundup.models.baseline import FittedBaseline
    >>> FittedBaseline((0.75, 0.25), is_classifier=True).predict_row([1.0, 2.0])
    [0.75, 0.25]
    """

    title: ClassVar[str] = "baseline (class frequencies, or one value)"
    idea: ClassVar[str] = "Says the same for every row: how often each class occurs, or the mean or median."
    reference: ClassVar[str] = (
        "Hastie, Tibshirani and Friedman (2009), The Elements of Statistical Learning, ch. 2"
    )
    optimizer: ClassVar[str] = "counts once; there is nothing to optimise."
    tasks: ClassVar[tuple[Task, ...]] = ("classification", "regression")
    losses: ClassVar[tuple[LossName, ...]] = ("squared_error", "absolute_error", "quantile")
    fitted: ClassVar[str] = "groundup.models.baseline:FittedBaseline"

    def needs(self) -> Needs:
        """Return that anything will do: the inputs are not looked at."""
        return Needs(categories="codes", missing=True)

    def fit(self, train: Inputs, validation: Inputs | None, context: FitContext) -> FittedBaseline:  # noqa: ARG002
        """Return the class frequencies, or the value of ``train.y`` with the least loss."""
        if context.task == "classification":
            counts = np.bincount(train.y.astype(np.int64), minlength=context.n_classes)
            return FittedBaseline(tuple((counts / counts.sum()).tolist()), is_classifier=True)
        return FittedBaseline((least(context.loss, train.y.astype(np.float64)),), is_classifier=False)


def least(loss: Loss, y: FloatArray, weight: FloatArray | None = None) -> float:
    """Return the one answer with the least loss over all rows: their mean, median or quantile, weighted.

    Examples
    --------
    >>> least(Loss("absolute_error"), np.array([0.0, 1.0, 8.0]))
    1.0
    """
    if loss.name == "squared_error":
        return float(y.mean() if weight is None else np.average(y, weights=weight))
    if weight is None:
        return float(np.quantile(y, loss.quantile))
    return float(np.quantile(y, loss.quantile, weights=weight, method="inverted_cdf"))


@dataclass(frozen=True)
class FittedBaseline:
    """The same answer for every row.

    Parameters
    ----------
    answer : tuple of float
        One probability a class, or the one value.
    is_classifier : bool
        Which of the two.
    """

    answer: tuple[float, ...]
    is_classifier: bool

    def predict(self, inputs: Inputs) -> Predictions:
        """Return the same prediction for every row of `inputs`."""
        if not self.is_classifier:
            return Predictions(np.full(inputs.n_samples, self.answer[0]))
        values = np.full(inputs.n_samples, int(np.argmax(self.answer)), dtype=np.int64)
        return Predictions(values, np.tile(np.array(self.answer), (inputs.n_samples, 1)))

    def predict_row(self, values: Sequence[float]) -> float | list[float]:  # noqa: ARG002
        """Return the class probabilities or the value, whatever the row."""
        return list(self.answer) if self.is_classifier else self.answer[0]

    def facts(self) -> dict[str, Any]:
        """Return its title and its answer."""
        return {"learner": Baseline.title, "intercept": self.predict_row(())}

    def save(self, folder: Path) -> None:
        """Write ``learner.json``."""
        write_json(
            folder / "learner.json", {"answer": list(self.answer), "is_classifier": self.is_classifier}
        )

    @classmethod
    def load(cls, folder: Path) -> FittedBaseline:
        """Return what `save` wrote.

        Raises
        ------
        PackageError
            If ``learner.json`` is not what `save` writes.
        """
        try:
            state = json.loads((folder / "learner.json").read_text(encoding="utf-8"))
            return cls(tuple(map(float, state["answer"])), is_classifier=bool(state["is_classifier"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise PackageError(
                f"`{folder / 'learner.json'}` does not describe a baseline: {error!r}."
            ) from error
