"""Probabilities that are wrong by a known amount: too sure, not sure enough, or shifted."""

from dataclasses import dataclass

import numpy as np

from groundup.core.inputs import FloatArray, IntArray, Predictions
from groundup.core.losses import LOG_LOSS
from groundup.evaluation.row_losses import row_losses


@dataclass(frozen=True)
class Stretched:
    """How what is said differs from what is true.

    Parameters
    ----------
    n_classes : int
        At least 2.
    factor : float
        By which the true logits are stretched; 1: what is said is right, above 1: too sure.
    shift : float
        Added to the log-odds of the second class.
    rarity : float
        By how much the log-odds of the second class are lower on average.
    """

    n_classes: int
    factor: float
    shift: float = 0.0
    rarity: float = 0.0

    @property
    def words(self) -> str:
        """The case in a few words."""
        moved = f", shifted by {self.shift:g}" if self.shift else ""
        rare = ", one class rare" if self.rarity else ""
        return f"{self.n_classes} classes, logits × {self.factor:g}{moved}{rare}"


def stretched(random: np.random.Generator, n: int, shape: Stretched) -> tuple[FloatArray, IntArray]:
    """Draw `n` rows: what is said, shape (n, n_classes), and the classes that come true."""
    logits = np.zeros((n, shape.n_classes))
    if shape.n_classes == 2:
        logits[:, 1] = 1.5 * random.normal(size=n) - shape.rarity
    else:
        logits = 1.5 * random.normal(size=(n, shape.n_classes))
    y_true = (logits + random.gumbel(size=logits.shape)).argmax(axis=1)
    said = np.exp(shape.factor * logits + shape.shift * np.eye(shape.n_classes)[1])
    return said / said.sum(axis=1, keepdims=True), y_true


def log_losses(probabilities: FloatArray, y_true: IntArray) -> FloatArray:
    """Return the log loss of each row."""
    return row_losses(LOG_LOSS, y_true, Predictions(y_true, probabilities))
