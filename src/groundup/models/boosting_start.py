"""Where boosting starts: at the best constant, or at the class frequencies, before the first tree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from groundup.core.errors import TrainingError
from groundup.core.inputs import FloatArray, Inputs
from groundup.models.baseline import least
from groundup.models.contract import FitContext

_LARGEST_TARGET: Final = 1e18  # its square is still a number of 32 bits
_LEAST_FREQUENCY: Final = 1e-13  # of a class without training rows


@dataclass(frozen=True)
class Start:
    """The outputs before the first tree.

    Parameters
    ----------
    outputs : ndarray of shape (n_outputs,)
        The mean, median or quantile; the logit of the second of two classes; or the logarithm of each
        class's frequency.
    is_classifier : bool
        Which of them.
    """

    outputs: FloatArray
    is_classifier: bool

    def target(self, inputs: Inputs) -> Any:
        """Return what the trees are fitted to: class codes, or values less where they start.

        Numbers of 32 bits have 24 binary digits, so a target that varies little around a large mean
        (a time in seconds since 1970) would otherwise lose what matters.
        """
        return inputs.y if self.is_classifier else inputs.y.astype(np.float64) - self.outputs[0]


def start_of(train: Inputs, context: FitContext) -> Start:
    """Return where to start.

    Raises
    ------
    TrainingError
        If the target is too large for numbers of 32 bits, or not a number.

    Examples
    --------
    >>> context = FitContext("classification", 2, seed=0, threads=1, run_rounds=None, should_stop=bool)
    >>> start_of(Inputs({"y": np.array([0, 1, 1, 1])}), context).outputs.round(4).tolist()
    [1.0986]
    """
    if context.task == "regression":
        y = train.y.astype(np.float64)
        largest = float(np.abs(y).max())
        if not largest < _LARGEST_TARGET:  # NaN is not either
            raise TrainingError(
                f"The target holds `{largest}`, and this learner computes with numbers up to "
                f"{_LARGEST_TARGET:.0e}. Look for extreme values, or give the target in a larger unit."
            )
        return Start(np.array([least(context.loss, y, train.weight)]), is_classifier=False)
    counts = np.bincount(train.y.astype(np.int64), train.weight, minlength=context.n_classes)
    logs = np.log(np.maximum(counts / counts.sum(), _LEAST_FREQUENCY))
    return Start(logs[1:] - logs[:1] if len(logs) == 2 else logs, is_classifier=True)
