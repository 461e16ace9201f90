"""What is gathered about a fit before it is judged: what mixing in another model would have changed.

Out-of-fold predictions are mixed with those of another model, as far as helps on rows that are then
not judged. Mixed with the baseline, they dare less: if that lowers the loss, noise was taken for
signal. Mixed with a small flexible probe, they can borrow what they missed: if that lowers the
loss, it was not as low as these rows allow.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from groundup.core.inputs import FloatArray, Predictions
from groundup.core.losses import Loss
from groundup.evaluation.row_losses import row_losses

_SHARES: Final = np.linspace(0, 1, 21)  # how much of the model is kept
_PARTS: Final = 5


def mixed_losses(
    loss: Loss, y_true: NDArray[np.generic], model: Predictions, other: Predictions
) -> FloatArray:
    """Return the losses of out-of-fold predictions mixed with another model's, as far as helps.

    The share that is best on four fifths of the rows is applied to the last fifth, in turn, so that
    a lower loss is no artefact of having chosen the share.

    Parameters
    ----------
    loss : Loss
        What training made small.
    y_true : ndarray of shape (n_samples,)
        Class codes or values.
    model, other : Predictions
        Out-of-fold predictions for the same rows.

    Returns
    -------
    ndarray of shape (n_samples,)
        The loss of every row. Takes 21 x n_samples x n_classes steps.

    References
    ----------
    Copas (1983), "Regression, Prediction and Shrinkage", JRSS B 45; Wolpert (1992), "Stacked
    Generalization", Neural Networks 5.

    Examples
    --------
    >>> y_true, baseline = np.array([1.0, -1.0] * 50), Predictions(np.zeros(100))
    >>> too_bold = Predictions(3 * y_true)
    >>> float(mixed_losses(Loss("squared_error"), y_true, too_bold, baseline).mean().round(2))
    0.0
    """
    table = np.stack([row_losses(loss, y_true, _mix(model, other, share)) for share in _SHARES])
    part = np.arange(len(y_true)) % _PARTS
    losses = np.empty(len(y_true))
    for each in range(_PARTS):
        best = int(np.argmin(table[:, part != each].sum(axis=1)))
        losses[part == each] = table[best, part == each]
    return losses


def _mix(model: Predictions, other: Predictions, share: float) -> Predictions:
    if model.probabilities is None or other.probabilities is None:
        values = share * np.asarray(model.values, dtype=np.float64)
        return Predictions(values + (1 - share) * np.asarray(other.values, dtype=np.float64))
    return Predictions(model.values, share * model.probabilities + (1 - share) * other.probabilities)
