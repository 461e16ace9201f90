"""How often each row counts in a fit: by its class, by a column of weights, or once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import polars as pl

from groundup.core.errors import DataError, RecipeError, UnknownColumnError
from groundup.core.inputs import FloatArray, Inputs, Predictions
from groundup.core.wording import count, number, shown
from groundup.data.dataset import Dataset
from groundup.evaluation.calibration import as_frequencies
from groundup.models.catalogue import check_weights
from groundup.models.contract import Learner
from groundup.problems.classes import find_class
from groundup.problems.infer import Problem
from groundup.training.class_weights import class_weights, weighed
from groundup.training.options import TrainingOptions

_N_TOLD: Final = 6  # classes whose weights are named one by one


@dataclass(frozen=True, eq=False)
class Weighing:
    """What the recipe says about weights, made sure to fit the question.

    Parameters
    ----------
    asked : "balanced", ndarray of shape (n_classes,) or None
        Of classes; None: all classes count alike.
    column : str or None
        The column with how often each row counts; None: every row counts once.
    problem : Problem
        For the names of classes and target.
    """

    asked: Literal["balanced"] | FloatArray | None
    column: str | None
    problem: Problem

    @classmethod
    def of(cls, options: TrainingOptions, problem: Problem, learners: Mapping[str, Learner]) -> "Weighing":
        """Return what is asked for.

        Raises
        ------
        RecipeError
            If classes are weighed in regression or resampled besides, or a learner cannot weigh rows.
        ProblemError
            If a class does not exist.
        """
        given, asked = options.class_weight, None
        if given != "none":
            _check_classes(options, problem)
            asked = given if given == "balanced" else _weights_of(given, problem)
        weighing = cls(asked, options.sample_weight, problem)
        if weighing.is_used:
            for name, learner in learners.items():
                check_weights(name, learner)
        return weighing

    @property
    def is_used(self) -> bool:
        """Whether any row counts other than once."""
        return self.asked is not None or self.column is not None

    def of_rows(self, dataset: Dataset) -> FloatArray | None:
        """Return the column of weights of some rows; None where there is none.

        Raises
        ------
        UnknownColumnError
            If there is no such column.
        DataError
            If it holds anything but numbers from 0 on, or zeros alone.
        """
        if self.column is None:
            return None
        if self.column not in dataset.schema:
            raise UnknownColumnError(self.column, dataset.schema.names)
        return _checked(dataset.frame([self.column])[self.column], self.column)

    def of_classes(self, train: Inputs) -> FloatArray | None:
        """Return how often a row of each class counts in a fit on `train`, shape (n_classes,)."""
        if self.asked is None:
            return None
        return class_weights(self.asked, train.y, len(self.problem.classes), train.weight)

    def apply(self, train: Inputs, validation: Inputs) -> tuple[Inputs, Inputs]:
        """Return both parts with how often their rows count, without those that count 0 times."""
        per_class = self.of_classes(train)
        return weighed(train, per_class), weighed(validation, per_class)

    def named(self, per_class: FloatArray) -> dict[str, float]:
        """Return weights of classes by the classes' names."""
        return dict(zip(map(str, self.problem.classes), per_class.tolist(), strict=True))

    def told(self) -> list[str]:
        """Return what is asked for, as sentences."""
        sentences = []
        if isinstance(self.asked, str):
            sentences.append(
                "A row counts the more in it, the rarer its class is among the rows of the fit: all classes "
                "count the same."
            )
        elif self.asked is not None:
            sentences.append(f"In it {self.counted(self.asked)}.")
        if self.column is not None:
            sentences.append(f"A row counts as often in it as `{self.column}` says; in scores, once.")
        return sentences

    def counted(self, per_class: FloatArray) -> str:
        """Return weights of classes as a clause."""
        named = [
            f"of {shown(label)} {'counts ' * (not place)}{_times(each)}"
            for place, (label, each) in enumerate(zip(self.problem.classes, per_class.tolist(), strict=True))
        ]
        more = f" and {count(len(named) - _N_TOLD, 'more class', 'more classes')}" * (len(named) > _N_TOLD)
        return f"a row {', '.join(named[:_N_TOLD])}{more}"


def _times(weight: float) -> str:
    return "once" if weight == 1 else f"{number(weight, 3)} times"


def undo(predictions: Predictions, per_class: FloatArray | None) -> Predictions:
    """Return predictions with their classes as frequent as they are, not as they were weighed."""
    if per_class is None or predictions.probabilities is None:
        return predictions
    return as_frequencies(predictions, per_class)


def _check_classes(options: TrainingOptions, problem: Problem) -> None:
    if not problem.classes:
        raise RecipeError(
            f"`training.class_weight` weighs classes, and `{problem.target}` is a number. Leave it at "
            "`none`: `training.sample_weight` takes a column of weights."
        )
    if options.resample != "none":
        raise RecipeError(
            f"`training.class_weight` and `training.resample: {options.resample}` both make rare classes "
            "count more, and together would do it twice. Use one of them."
        )


def _weights_of(given: Mapping[str, float], problem: Problem) -> FloatArray:
    weights = np.ones(len(problem.classes))
    for label, weight in given.items():
        found = find_class(problem.target, problem.classes, label, option="training.class_weight")
        weights[problem.classes.index(found)] = weight
    return weights


def _checked(values: pl.Series, column: str) -> FloatArray:
    if not values.dtype.is_numeric():
        raise DataError(
            f"`training.sample_weight` names `{column}`, which holds no numbers but e.g. "
            f"{shown(values.drop_nulls().first())}. Name a column that says how often each row counts."
        )
    weights = values.cast(pl.Float64).to_numpy()
    wrong = ~(np.isfinite(weights) & (weights >= 0))
    if wrong.any():
        first = values[int(np.argmax(wrong))]
        raise DataError(
            f"`{column}` says how often each row counts, and {count(int(wrong.sum()), 'row')} of "
            f"{count(len(weights))} hold no number from 0 on, e.g. {shown(first)}. Fill them in, or leave "
            "these rows out."
        )
    if not weights.any():
        raise DataError(
            f"`{column}` says how often each row counts, and is 0 in all {count(len(weights), 'row')}."
        )
    return weights
