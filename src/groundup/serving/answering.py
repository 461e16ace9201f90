"""From what a fitted learner says to what a model answers: calibration, threshold, intervals and sets.

A stage of its own between the two, not a wrapper around the learner's parameters: the files of a
learner stay as they are, the catalogue of what may be loaded does not grow, and sets can be built
from the probabilities before calibration, so that no row is used twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from groundup.core.errors import PredictionInputError

if TYPE_CHECKING:
    from groundup.core.inputs import Predictions
    from groundup.evaluation.calibrators import Calibrator
    from groundup.evaluation.conformal import ConformalScores


@dataclass(frozen=True)
class Answering:
    """What lies between a learner's predictions and a model's answers.

    Parameters
    ----------
    calibrator : Calibrator or None
        What makes probabilities come true; None leaves them.
    threshold : float or None
        Of two classes: from which probability on the positive one is answered, in (0, 1); None
        answers the most probable class.
    positive : int
        Code of the class that the threshold is about.
    conformal : ConformalScores or None
        How far off the learner was on rows it was not fitted on.

    Examples
    --------
    >>> answering = Answering(threshold=0.2)
    >>> answering.decide_row([0.7, 0.3]), Answering().decide_row([0.7, 0.3])
    (1, 0)
    """

    calibrator: Calibrator | None = None
    threshold: float | None = None
    positive: int = 1
    conformal: ConformalScores | None = None

    def apply(self, predictions: Predictions) -> Predictions:
        """Return calibrated probabilities and decided classes; numbers are left as they are."""
        probabilities = predictions.probabilities
        if probabilities is None or (self.calibrator is None and self.threshold is None):
            return predictions
        import numpy as np

        from groundup.core.inputs import Predictions

        if self.calibrator is not None:
            probabilities = self.calibrator.apply(probabilities)
        if self.threshold is None:
            return Predictions(probabilities.argmax(axis=1).astype(np.int64), probabilities)
        is_positive = probabilities[:, self.positive] >= self.threshold
        return Predictions(np.where(is_positive, self.positive, 1 - self.positive), probabilities)

    def apply_row(self, probabilities: list[float]) -> list[float]:
        """Return the calibrated probabilities of one row."""
        return probabilities if self.calibrator is None else self.calibrator.apply_row(probabilities)

    def decide_row(self, probabilities: Sequence[float]) -> int:
        """Return the code of the class that is answered, from the calibrated probabilities of one row."""
        if self.threshold is None:
            return probabilities.index(max(probabilities))
        return self.positive if probabilities[self.positive] >= self.threshold else 1 - self.positive

    def radius(self, coverage: float) -> float:
        """Return how far from the prediction the truth may be (see `ConformalScores.radius`)."""
        if self.conformal is None:
            raise PredictionInputError(
                "The package holds no scores for intervals and sets: it was written by an older groundup. "
                "Train the model again."
            )
        return self.conformal.radius(coverage)

    def state(self) -> dict[str, Any]:
        """Return the stage as JSON values."""
        return {
            "calibrator": None if self.calibrator is None else self.calibrator.state(),
            "threshold": self.threshold,
            "positive": self.positive,
            "conformal": None if self.conformal is None else self.conformal.state(),
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Answering:
        """Return the stage that `state` described.

        Raises
        ------
        ValueError, KeyError, TypeError
            If it describes none.
        """
        from groundup.evaluation.calibrators import calibrator_of
        from groundup.evaluation.conformal import ConformalScores

        calibrator, threshold, conformal = state["calibrator"], state["threshold"], state["conformal"]
        if threshold is not None and not 0 < threshold < 1:
            raise ValueError(f"the threshold is `{threshold}`")
        if state["positive"] not in (0, 1):
            raise ValueError(f"the positive class is `{state['positive']}`")
        return cls(
            None if calibrator is None else calibrator_of(calibrator),
            None if threshold is None else float(threshold),
            state["positive"],
            None if conformal is None else ConformalScores.from_state(conformal),
        )
