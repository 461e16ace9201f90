"""What each input adds to a prediction: what a fitted learner answers, and how parts are put together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import numpy as np

from groundup.core.errors import NotExplainedError
from groundup.core.inputs import Contributions, FloatArray, Inputs, Scale

if TYPE_CHECKING:
    from groundup.models.contract import Explains, Fitted

TRAIN_AGAIN = (
    "The model was saved by a version of groundup that did not keep what its contributions need. "
    "Train it again: groundup reproduce RUN"
)


def explain(fitted: Fitted, inputs: Inputs) -> Contributions:
    """Return what each input adds to each prediction.

    Parameters
    ----------
    fitted : Fitted
        A learner's parameters.
    inputs : Inputs
        The rows.

    Returns
    -------
    Contributions
        ``values`` of shape (n_samples, n_features + 1, n_outputs), the base value last.

    Raises
    ------
    NotExplainedError
        If the predictions are no sum over the inputs; the message says why.
    """
    if hasattr(fitted, "contributions"):
        return cast("Explains", fitted).contributions(inputs)
    instead = " Permutation importance, in the report, says what it uses." if "X" in inputs.arrays else ""
    raise NotExplainedError(
        f"The predictions of `{fitted.facts().get('learner', type(fitted).__name__)}` are no sum over the "
        f"columns, so there are no contributions.{instead}"
    )


def of_classes(values: FloatArray, *, scale: Scale, present: Sequence[int], n_classes: int) -> Contributions:
    """Return contributions by class from those by class that the training rows had.

    Parameters
    ----------
    values : ndarray of shape (n_samples, n_features + 1, n_present)
        The base value last.
    scale : {"probability", "score"}
        What they add up to; of two classes, scores become log-odds.
    present : sequence of int
        Codes of the classes they are about.
    n_classes : int
        How many classes there are; of two, only the second is kept.

    Returns
    -------
    Contributions
        Classes that the training rows did not have get nothing and start at 0, or -inf as a score.

    Examples
    --------
    >>> scores = np.array([[[1.0, 3.0], [0.5, 0.0]]])
    >>> found = of_classes(scores, scale="score", present=[0, 1], n_classes=2)
    >>> found.scale, found.values[0, :, 0].tolist()
    ('log_odds', [2.0, -0.5])
    """
    found = np.zeros((*values.shape[:2], n_classes))
    if scale == "score":
        found[:, -1] = -np.inf
    found[:, :, list(present)] = values
    if n_classes != 2:
        return Contributions(found, scale)
    if scale == "probability":
        return Contributions(found[:, :, 1:], scale)
    return Contributions(found[:, :, 1:] - found[:, :, :1], "log_odds")
