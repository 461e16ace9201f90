"""What each column adds to a model's prediction: which class it is about, on which scale, in which words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from groundup.core.errors import UnknownNameError
from groundup.core.inputs import Contributions, FloatArray, Inputs, IntArray, Predictions, Scale
from groundup.core.wording import number, shown
from groundup.models.contributions import explain
from groundup.preparation.origins import Origins

if TYPE_CHECKING:
    from groundup.models.contract import Fitted
    from groundup.preparation.contract import Preparation
    from groundup.serving.answering import Answering

Label: TypeAlias = str | int | float | bool

PREFIX: Final = "contribution_"
BASE: Final = "base_value"


@dataclass(frozen=True)
class Explanation:
    """What each column adds to the prediction of one row.

    Parameters
    ----------
    answer : str, int, float or bool
        What the model answers.
    of : str, int, float, bool or None
        The class whose log-odds, score or probability is divided; None for a value.
    probability : float or None
        The probability of that class, calibrated if the model is; None for a value.
    scale : {"value", "log_odds", "score", "probability"}
        What is divided.
    base_value : float
        What it is before any column is looked at: about the mean over the training rows.
    contributions : dict of str to float
        By column, the largest first; with the base value they add up to `total`.
    is_calibrated : bool
        Whether probabilities are calibrated afterwards, which `total` does not know of.
    """

    answer: Label
    of: Label | None
    probability: float | None
    scale: Scale
    base_value: float
    contributions: dict[str, float]
    is_calibrated: bool

    @property
    def total(self) -> float:
        """What the columns and the base value add up to."""
        return self.base_value + sum(self.contributions.values())

    def __str__(self) -> str:
        what = self.scale.replace("_", "-") + ("" if self.of is None else f" of `{self.of}`")
        parts = [(number(self.base_value), "base value, before any column is known")]
        parts += [
            (("+" if value >= 0 else "") + number(value), name) for name, value in self.contributions.items()
        ]
        width = max(len(amount) for amount, _ in parts)
        lines = [f"Answer {shown(self.answer)}. What adds up to {number(self.total)}, the {what}:"]
        return "\n".join([*lines, *(f"  {amount:>{width}}  {name}" for amount, name in parts)])


def scale_sentence(scale: Scale, *, what: str, is_calibrated: bool) -> str:
    """Return what contributions add up to, for people.

    Parameters
    ----------
    scale : {"value", "log_odds", "score", "probability"}
        What is divided.
    what : str
        Whose: the target, a class, or "the answered class"; in backticks where it is a name.
    is_calibrated : bool
        Whether probabilities are calibrated afterwards.

    Examples
    --------
    >>> scale_sentence("probability", what="`yes`", is_calibrated=True)
    'They add up to the probability of `yes` before calibration.'
    """
    before = " before calibration" if is_calibrated else ""
    if scale == "value":
        return f"They add up to the predicted {what}, in its own unit."
    if scale == "log_odds":
        return (
            f"They add up to the log-odds of {what}{before}: 0 means 50 %, and each further 1 multiplies the "
            "odds by 2.7."
        )
    if scale == "score":
        return (
            f"They add up to the score of {what}{before}: the class with the largest score is the likeliest."
        )
    return f"They add up to the probability of {what}{before}."


class Explainer:
    """Divides a model's predictions among the raw columns.

    Parameters
    ----------
    fitted : Fitted
        The learner's parameters.
    preparation : Preparation
        Fitted; says which columns each input comes from.
    answering : Answering
        Calibration and threshold.
    classes : sequence
        The labels by their codes; empty for regression.
    positive : str, int, float, bool or None
        Of two classes the one that is looked for.
    """

    def __init__(
        self,
        fitted: Fitted,
        preparation: Preparation,
        answering: Answering,
        *,
        classes: Sequence[Label],
        positive: Label | None,
    ) -> None:
        self.fitted, self.answering, self.classes = fitted, answering, tuple(classes)
        self.positive_code = self.classes.index(positive) if positive in self.classes else 1
        self.origins = Origins.of(preparation.feature_sources, preparation.feature_names)
        self._n_features = len(preparation.feature_names)

    @property
    def names(self) -> tuple[str, ...]:
        """The columns; an input that comes from several or from none stands for itself."""
        return self.origins.names

    @cached_property
    def scale(self) -> Scale:
        """What contributions add up to."""
        return self.by_class(Inputs({"X": np.zeros((0, self._n_features))})).scale

    def by_class(self, inputs: Inputs) -> Contributions:
        """Return what each column adds, the base value last, shape (n_samples, n_columns + 1, n_outputs).

        Raises
        ------
        NotExplainedError
            If the predictions are no sum over the columns.
        """
        found = explain(self.fitted, inputs)
        sums = self.origins.sums(found.values[:, :-1])
        return Contributions(np.concatenate([sums, found.values[:, -1:]], axis=1), found.scale)

    def answers(self, inputs: Inputs) -> Predictions:
        """Return calibrated probabilities and decided classes, or values."""
        return self.answering.apply(self.fitted.predict(inputs))

    def codes(self, inputs: Inputs, of: Label | None = None, said: Predictions | None = None) -> IntArray:
        """Return the code of the class that contributions are about, of each row.

        By default the positive one of two, and of more the one that is answered (in `said`, where it is
        known already).

        Raises
        ------
        UnknownNameError
            If there is no class `of`.
        """
        if of is not None and of not in self.classes:
            raise UnknownNameError("class", str(of), [str(label) for label in self.classes])
        if of is None and len(self.classes) > 2:
            return (self.answers(inputs) if said is None else said).values.astype(np.int64)
        code = self.positive_code if of is None else self.classes.index(of)
        return np.full(inputs.n_samples, code, dtype=np.int64)

    def row(self, inputs: Inputs, of: Label | None = None) -> Explanation:
        """Return the explanation of the first row of `inputs`."""
        found, said = self.by_class(inputs), self.answers(inputs)
        codes = self.codes(inputs, of, said)
        *parts, base = about_classes(found, codes)[0].tolist()
        answer: Label = said.values.tolist()[0]
        return Explanation(
            answer=self.classes[int(answer)] if self.classes else answer,
            of=self.classes[codes[0]] if self.classes else None,
            probability=None if said.probabilities is None else float(said.probabilities[0, codes[0]]),
            scale=found.scale,
            base_value=base,
            contributions=dict(sorted(zip(self.names, parts, strict=True), key=lambda part: -abs(part[1]))),
            is_calibrated=self.answering.calibrator is not None,
        )


def about_classes(found: Contributions, codes: IntArray) -> FloatArray:
    """Return the contributions to the class that each row is asked about.

    Parameters
    ----------
    found : Contributions
        Of a classifier, or of a regression, whose one output is returned whatever `codes` say.
    codes : ndarray of shape (n_samples,)
        Class codes.

    Returns
    -------
    ndarray of shape (n_samples, n_parts)
        The base value last. Of two classes, what speaks for the second speaks against the first.
    """
    if found.values.shape[2] > 1:
        return np.asarray(found.values[np.arange(len(codes)), :, codes])
    values = found.values[:, :, 0]
    if found.scale == "value":
        return values
    other = -values
    if found.scale == "probability":
        other[:, -1] += 1.0
    return np.where(codes[:, None] == 1, values, other)
