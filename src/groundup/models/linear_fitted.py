"""A fitted linear model: a weighted sum of the inputs, in NumPy alone; the row path in plain Python."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from operator import mul
from pathlib import Path
from typing import Any

import numpy as np

from groundup.core.errors import NotExplainedError, PackageError
from groundup.core.files import write_bytes, write_json
from groundup.core.inputs import Contributions, FloatArray, Inputs, Predictions
from groundup.models.contributions import TRAIN_AGAIN
from groundup.models.facts import facts_to_save

_WEIGHTS, _STATE = "weights.safetensors", "learner.json"


class FittedLinear:
    """``X @ coef_.T + intercept_``, followed by a sigmoid or softmax in classification.

    Parameters
    ----------
    coef : ndarray of shape (n_outputs, n_features)
        Weights; one output for regression and for two classes, else one a class.
    intercept : ndarray of shape (n_outputs,)
        Constants; -inf for a class that the training rows did not have.
    is_classifier : bool
        Whether outputs become probabilities.
    mean : ndarray of shape (n_features,) or None
        The mean of each input over the training rows, from which contributions are counted; None where
        the model was saved without it.
    facts : mapping
        What `facts` returns.

    Examples
    --------
    >>> fitted = FittedLinear(np.array([[2.0, -1.0]]), np.array([0.5]), is_classifier=False, facts={})
    >>> fitted.predict_row([1.0, 1.0])
    1.5
    """

    def __init__(
        self,
        coef: FloatArray,
        intercept: FloatArray,
        *,
        is_classifier: bool,
        mean: FloatArray | None = None,
        facts: Mapping[str, Any],
    ) -> None:
        self.coef_ = np.ascontiguousarray(coef, dtype=np.float64)
        self.intercept_ = np.ascontiguousarray(intercept, dtype=np.float64)
        self.is_classifier, self.mean_ = is_classifier, mean
        self._facts = dict(facts)
        self._row_weights: list[list[float]] = self.coef_.tolist()
        self._row_constants: list[float] = self.intercept_.tolist()

    def predict(self, inputs: Inputs) -> Predictions:
        """Return predictions for every row of `inputs`."""
        # einsum and not BLAS: as fast here, starts no threads, and a row's bits do not depend on its batch.
        outputs = np.einsum("ij,kj->ik", inputs.X, self.coef_) + self.intercept_
        if not self.is_classifier:
            return Predictions(outputs[:, 0])
        probabilities = _sigmoid(outputs[:, 0]) if outputs.shape[1] == 1 else _softmax(outputs)
        return Predictions(np.argmax(probabilities, axis=1).astype(np.int64), probabilities)

    def predict_row(self, values: Sequence[float]) -> float | list[float]:
        """Return one row's value or class probabilities; within 1e-12 of `predict`."""
        # Up to some hundred features, plain Python beats making an array of the row.
        outputs: list[float] = [
            sum(map(mul, weights, values)) + constant
            for weights, constant in zip(self._row_weights, self._row_constants, strict=True)
        ]
        if not self.is_classifier:
            return outputs[0]
        if len(outputs) == 1:
            small = math.exp(-abs(outputs[0]))
            less, more = small / (1.0 + small), 1.0 / (1.0 + small)
            return [less, more] if outputs[0] >= 0 else [more, less]
        largest = max(outputs)
        exponentials = [math.exp(each - largest) for each in outputs]
        total = sum(exponentials)
        return [each / total for each in exponentials]

    def contributions(self, inputs: Inputs) -> Contributions:
        """Return ``coef_ * (X - mean_)``, the Shapley values if inputs are independent of each other.

        Raises
        ------
        NotExplainedError
            If the model was saved without the means.
        """
        if self.mean_ is None:
            raise NotExplainedError(TRAIN_AGAIN)
        return self._scaled(linear_contributions(inputs.X, self.mean_, self.coef_, self.intercept_))

    def through(self, values: FloatArray) -> Contributions:
        """Return what adds up to the outputs, where `values` adds up to the inputs.

        Parameters
        ----------
        values : ndarray of shape (n_samples, n_parts + 1, n_features)
            What each part adds to each input, the base value last.
        """
        outputs = np.einsum("ipj,kj->ipk", values, self.coef_)
        outputs[:, -1] += self.intercept_
        return self._scaled(outputs)

    def _scaled(self, values: FloatArray) -> Contributions:
        if not self.is_classifier:
            return Contributions(values, "value")
        return Contributions(values, "log_odds" if len(self.coef_) == 1 else "score")

    def facts(self) -> dict[str, Any]:
        """Return how the fit went, the intercept, and the largest coefficients."""
        return dict(self._facts)

    def save(self, folder: Path) -> None:
        """Write ``weights.safetensors`` and ``learner.json``."""
        from safetensors.numpy import save

        arrays = {"coef": self.coef_, "intercept": self.intercept_}
        write_bytes(folder / _WEIGHTS, save(arrays if self.mean_ is None else {**arrays, "mean": self.mean_}))
        write_json(
            folder / _STATE, {"is_classifier": self.is_classifier, "facts": facts_to_save(self._facts)}
        )

    @classmethod
    def load(cls, folder: Path) -> FittedLinear:
        """Return what `save` wrote.

        Raises
        ------
        PackageError
            If the files are not what `save` writes.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load

        try:
            arrays = load((folder / _WEIGHTS).read_bytes())
            state = json.loads((folder / _STATE).read_text(encoding="utf-8"))
            coef, intercept, mean = arrays["coef"], arrays["intercept"], arrays.get("mean")
            is_classifier, facts = bool(state["is_classifier"]), dict(state["facts"])
        except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
            raise PackageError(f"`{folder}` does not hold a linear model: {error!r}.") from error
        if (
            coef.ndim != 2
            or intercept.shape != (len(coef),)
            or {coef.dtype, intercept.dtype} != {np.dtype("f8")}
            or (mean is not None and (mean.shape != coef.shape[1:] or mean.dtype != np.dtype("f8")))
        ):
            raise PackageError(
                f"`{folder / _WEIGHTS}` holds weights of shape `{coef.shape}` and constants of shape "
                f"`{intercept.shape}`, which do not belong together. Train the model again."
            )
        return cls(coef, intercept, is_classifier=is_classifier, mean=mean, facts=facts)


def linear_contributions(
    X: FloatArray, mean: FloatArray, coef: FloatArray, intercept: FloatArray
) -> FloatArray:
    """Return what each input adds to ``X @ coef.T + intercept``, and what it is at the mean.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        The rows.
    mean : ndarray of shape (n_features,)
        The row from which is counted.
    coef : ndarray of shape (n_outputs, n_features)
        Weights.
    intercept : ndarray of shape (n_outputs,)
        Constants.

    Returns
    -------
    ndarray of shape (n_samples, n_features + 1, n_outputs)
        The base value last.

    Examples
    --------
    >>> coef, intercept = np.array([[2.0, -1.0]]), np.array([0.5])
    >>> linear_contributions(np.ones((1, 2)), np.zeros(2), coef, intercept)[0, :, 0].tolist()
    [2.0, -1.0, 0.5]
    """
    base = np.einsum("j,kj->k", mean, coef) + intercept
    parts = (X - mean)[:, :, None] * coef.T
    return np.concatenate([parts, np.broadcast_to(base, (len(X), 1, len(base)))], axis=1)


def _sigmoid(outputs: FloatArray) -> FloatArray:
    """Return the probabilities of both classes, shape (n_samples, 2), without overflow."""
    small = np.exp(-np.abs(outputs))
    less, more = small / (1.0 + small), 1.0 / (1.0 + small)
    is_second = outputs >= 0
    return np.column_stack([np.where(is_second, less, more), np.where(is_second, more, less)])


def _softmax(outputs: FloatArray) -> FloatArray:
    """Return the probabilities of all classes, shape (n_samples, n_classes), without overflow."""
    exponentials = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True))
