"""The loss of every row: what verdicts, curves over the data and improvements are measured in."""

import numpy as np
from numpy.typing import NDArray

from groundup.core.inputs import FloatArray, Predictions
from groundup.core.losses import Loss
from groundup.evaluation.scores import Case, pinball_losses


def row_losses(loss: Loss, y_true: NDArray[np.generic], predictions: Predictions) -> FloatArray:
    """Return the loss of every row, e.g. the log loss in nats (clipped), or the squared error.

    Parameters
    ----------
    loss : Loss
        Which one; log loss for classes.
    y_true : ndarray of shape (n_samples,)
        Class codes or values.
    predictions : Predictions
        For the same rows.

    Returns
    -------
    ndarray of shape (n_samples,)
        Not negative; finite.

    Examples
    --------
    >>> row_losses(Loss("squared_error"), np.array([1.0, 2.0]), Predictions(np.array([1.0, 4.0])))
    array([0., 4.])
    """
    case = Case(y_true, predictions)
    if loss.name == "log_loss":
        return case.log_losses
    if loss.name == "squared_error":
        return case.errors**2
    return (
        np.abs(case.errors) if loss.name == "absolute_error" else pinball_losses(case.errors, loss.quantile)
    )
