"""Slices of the test part: which columns the recipe names, and what they show."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundup.core.inputs import Predictions
from groundup.data.dataset import Dataset
from groundup.evaluation.intervals import BootstrapOptions
from groundup.evaluation.options import EvaluationOptions
from groundup.evaluation.slices import SliceOptions, cut_slices, measure_slices
from groundup.lifecycle.collect import Collected


def slice_test(
    collected: Collected,
    test: Dataset,
    y_true: NDArray[np.generic],
    predictions: Predictions,
    *,
    options: EvaluationOptions,
    bootstrap: tuple[tuple[str, ...], int, BootstrapOptions],
) -> dict[str, Any] | None:
    """Return the slices of the test part for the report; None where the recipe names none.

    Parameters
    ----------
    collected : Collected
        The parts; quartiles are taken from the training part.
    test : Dataset
        The test part, opened.
    y_true : ndarray of shape (n_samples,)
        Its targets.
    predictions : Predictions
        Of the model.
    options : EvaluationOptions
        Which columns, and how few rows are too few.
    bootstrap : tuple
        The metrics, the code of the positive class, and how rows are drawn again.
    """
    if not options.slices:
        return None
    metrics, positive, drawing = bootstrap
    columns = {
        name: cut_slices(test.frame([name]).to_series(), collected.train.frame([name]).to_series())
        for name in options.slices
    }
    chosen = SliceOptions(metrics, options.slice_min_rows, positive, drawing)
    return measure_slices(columns, y_true, predictions, chosen)
