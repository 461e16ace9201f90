"""Fitted naive Bayes: sums of log probabilities, in NumPy alone; the row path in plain Python."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from groundup.core.errors import NotExplainedError
from groundup.core.inputs import Contributions, FloatArray, Inputs, Predictions
from groundup.models.contributions import TRAIN_AGAIN, of_classes
from groundup.models.parameters import read_parameters, refuse_unless, write_parameters

_WHAT: Final = "naive Bayes"
_DIMENSIONS: Final = {
    "log_priors": 1,
    "numbers": 1,
    "means": 2,
    "variances": 2,
    "categories": 1,
    "n_levels": 1,
    "log_shares": 2,
}
_N_ROWS: Final = 4_096  # looked at together: they stay in the processor's cache
_LARGEST: Final = 1e150  # squares of larger inputs are not numbers
_LEAST: Final = -1e300  # what one input may say against a class, so that a sum stays a number


class FittedNaiveBayes:
    """``log P(class) + sum of log P(input | class)``, divided by the temperature, then a softmax.

    Parameters
    ----------
    arrays : mapping
        ``log_priors`` (n_classes,), -inf for a class that the training rows did not have; ``numbers``
        (n_numbers,), columns of the inputs, with ``means`` and ``variances`` (n_numbers, n_classes);
        ``categories`` (n_categories,), columns, with ``n_levels`` (n_categories,) and ``log_shares``
        (sum of n_levels, n_classes). ``mean_terms`` (n_features, n_classes), the mean over the training
        rows of what each input says, is absent where an earlier version saved the model.
    temperature : float
        At least 1.
    facts : mapping
        What `facts` returns.

    Examples
    --------
    >>> arrays = {
    ...     "log_priors": np.log([0.5, 0.5]),
    ...     "numbers": np.array([0]),
    ...     "means": np.array([[-1.0, 1.0]]),
    ...     "variances": np.array([[1.0, 1.0]]),
    ...     "categories": np.zeros(0, dtype=np.int64),
    ...     "n_levels": np.zeros(0, dtype=np.int64),
    ...     "log_shares": np.zeros((0, 2)),
    ... }
    >>> FittedNaiveBayes(arrays, temperature=1.0, facts={}).predict_row([0.0])
    [0.5, 0.5]
    """

    def __init__(
        self, arrays: Mapping[str, NDArray[Any]], *, temperature: float, facts: Mapping[str, Any]
    ) -> None:
        self._arrays, self.temperature, self._facts = dict(arrays), temperature, dict(facts)
        self.n_classes = len(arrays["log_priors"])
        variances = arrays["variances"]
        self._constants = -0.5 * np.log(2 * math.pi * variances)
        self._factors = -0.5 / variances
        self._starts = np.concatenate([[0], np.cumsum(arrays["n_levels"])]).tolist()
        self._row_numbers = list(
            zip(
                arrays["numbers"].tolist(),
                (list(zip(*each, strict=True)) for each in self._per_number()),
                strict=True,
            )
        )
        self._row_levels = [
            (feature, arrays["log_shares"][start:end].tolist())
            for feature, start, end in zip(
                arrays["categories"].tolist(), self._starts, self._starts[1:], strict=False
            )
        ]
        self._row_priors: list[float] = arrays["log_priors"].tolist()

    def predict(self, inputs: Inputs) -> Predictions:
        """Return predictions for every row of `inputs`."""
        logits = self.log_products(inputs.X) / self.temperature
        logits -= logits.max(axis=1, keepdims=True)
        exponentials = np.exp(logits)
        probabilities = exponentials / np.einsum("ij->i", exponentials)[:, None]
        return Predictions(np.argmax(probabilities, axis=1).astype(np.int64), probabilities)

    def predict_row(self, values: Sequence[float]) -> float | list[float]:
        """Return one row's class probabilities; within 1e-12 of `predict`."""
        sums = list(self._row_priors)
        for feature, terms in self._row_numbers:
            value = values[feature]
            if value == value:
                value = min(max(value, -_LARGEST), _LARGEST)
                for code, (mean, factor, constant) in enumerate(terms):
                    distance = value - mean
                    sums[code] += max(distance * distance * factor, _LEAST) + constant
        for feature, levels in self._row_levels:
            value = values[feature]
            if value == value and 0 <= value < len(levels):
                for code, share in enumerate(levels[int(value)]):
                    sums[code] += share
        largest = max(sums) / self.temperature
        exponentials = [math.exp(each / self.temperature - largest) for each in sums]
        total = sum(exponentials)
        return [each / total for each in exponentials]

    def log_products(self, X: FloatArray) -> FloatArray:
        """Return ``log P(class) + sum of log P(input | class)``, shape (n_samples, n_classes)."""
        sums = np.empty((self.n_classes, len(X)))
        for block, terms_of_block in self._blocks(X):
            sums[:, block] = self._arrays["log_priors"][:, None]
            for _, terms in terms_of_block:
                sums[:, block] += terms
        return np.ascontiguousarray(sums.T)

    def _blocks(self, X: FloatArray) -> Iterator[tuple[slice, Iterator[tuple[int, FloatArray]]]]:
        """Yield blocks of rows, each with the terms of its inputs."""
        for start in range(0, len(X), _N_ROWS):
            block = slice(start, start + _N_ROWS)
            yield block, self._terms(X[block].T.copy())

    def _terms(self, columns: FloatArray) -> Iterator[tuple[int, FloatArray]]:
        """Yield each input's ``log P(input | class)``, (n_classes, n_samples); 0 where it is missing."""
        arrays = self._arrays
        for number, feature in enumerate(arrays["numbers"].tolist()):
            values = np.clip(columns[feature], -_LARGEST, _LARGEST)
            distances = values - arrays["means"][number][:, None]
            with np.errstate(over="ignore"):
                distances *= distances
                distances *= self._factors[number][:, None]
            terms = np.maximum(distances, _LEAST, out=distances)
            terms += self._constants[number][:, None]
            is_missing = np.isnan(values)
            yield feature, np.where(is_missing, 0.0, terms) if is_missing.any() else terms
        for number, feature in enumerate(arrays["categories"].tolist()):
            start, end = self._starts[number : number + 2]
            levels = columns[feature]
            is_known = (levels >= 0) & (levels < end - start)
            shares = arrays["log_shares"][start:end].T
            if is_known.all():
                yield feature, shares.take(levels.astype(np.int64), axis=1)
            else:
                terms = np.zeros((self.n_classes, len(levels)))
                terms[:, is_known] = shares.take(levels[is_known].astype(np.int64), axis=1)
                yield feature, terms

    def mean_terms(self, train: Inputs) -> FloatArray:
        """Return the mean over rows of what each input says, shape (n_features, n_classes)."""
        sums, weight = np.zeros((train.X.shape[1], self.n_classes)), train.weight_or_one
        for block, terms_of_block in self._blocks(train.X):
            for feature, terms in terms_of_block:
                sums[feature] += terms @ weight[block]
        return np.asarray(sums / weight.sum())

    def contributions(self, inputs: Inputs) -> Contributions:
        """Return what each input says of a class, less what it says on average over the training rows.

        Raises
        ------
        NotExplainedError
            If the model was saved without those averages.
        """
        if "mean_terms" not in self._arrays:
            raise NotExplainedError(TRAIN_AGAIN)
        means, priors = self._arrays["mean_terms"], self._arrays["log_priors"]
        values = np.zeros((inputs.n_samples, len(means) + 1, len(priors)))
        for block, terms_of_block in self._blocks(inputs.X):
            for feature, terms in terms_of_block:
                values[block, feature] = terms.T - means[feature]
        values[:, -1] = priors + means.sum(axis=0)
        classes = np.flatnonzero(np.isfinite(priors))
        return of_classes(
            values[:, :, classes] / self.temperature,
            scale="score",
            present=classes.tolist(),
            n_classes=len(priors),
        )

    def facts(self) -> dict[str, Any]:
        """Return its title and the temperature where it was chosen."""
        return dict(self._facts)

    def save(self, folder: Path) -> None:
        """Write ``weights.safetensors`` and ``learner.json``."""
        write_parameters(folder, self._arrays, {"temperature": self.temperature, "facts": self._facts})

    @classmethod
    def load(cls, folder: Path) -> FittedNaiveBayes:
        """Return what `save` wrote.

        Raises
        ------
        PackageError
            If the files are not what `save` writes.
        """
        arrays, state = read_parameters(folder, _WHAT, {**_DIMENSIONS, "mean_terms": 2}, _DIMENSIONS)
        refuse_unless(_is_in_order(arrays, state), folder, _WHAT)
        return cls(arrays, temperature=state["temperature"], facts=state["facts"])

    def _per_number(self) -> list[tuple[list[float], list[float], list[float]]]:
        parts = (self._arrays["means"], self._factors, self._constants)
        return list(zip(*(each.tolist() for each in parts), strict=True))


def _is_in_order(arrays: Mapping[str, NDArray[Any]], state: Mapping[str, Any]) -> bool:
    n_classes = len(arrays["log_priors"])
    shape = (len(arrays["numbers"]), n_classes)
    temperature = state.get("temperature")
    return (
        n_classes > 0
        and arrays["means"].shape == shape == arrays["variances"].shape
        and bool((arrays["variances"] > 0).all())
        and len(arrays["categories"]) == len(arrays["n_levels"])
        and bool((arrays["n_levels"] > 0).all())
        and arrays["log_shares"].shape == (int(arrays["n_levels"].sum()), n_classes)
        and ("mean_terms" not in arrays or arrays["mean_terms"].shape[1:] == (n_classes,))
        and isinstance(temperature, float)
        and temperature >= 1
        and isinstance(state.get("facts"), dict)
    )
