"""Fitted trees of every kind in NumPy alone: one tree, forests, boosted trees; rows in plain Python."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np

from groundup.core.errors import NotExplainedError, PackageError
from groundup.core.files import write_bytes, write_json
from groundup.core.inputs import Contributions, FloatArray, Inputs, Predictions, Scale
from groundup.models.contributions import TRAIN_AGAIN, of_classes
from groundup.models.facts import facts_to_save
from groundup.models.tree_arrays import Trees
from groundup.models.tree_contributions import TreeContributions

_TREES, _STATE = "trees.safetensors", "learner.json"


@dataclass(frozen=True)
class Combination:
    """How what the trees say becomes a prediction.

    Parameters
    ----------
    start : tuple of float
        What the sum begins with, one number an output.
    divisor : float
        What the sum is divided by.
    link : {"identity", "logistic", "softmax", "median"}
        What follows: nothing, the logistic function (one output, two classes), the softmax; `median`
        takes the weighted median over the trees instead of the sum.
    weights : tuple of float
        Each tree's weight in the median.
    n_classes : int
        Number of classes, 0 for regression.
    present : tuple of int
        The class of each output; classes not among them get probability 0.
    """

    start: tuple[float, ...]
    divisor: float = 1.0
    link: Literal["identity", "logistic", "softmax", "median"] = "identity"
    weights: tuple[float, ...] = ()
    n_classes: int = 0
    present: tuple[int, ...] = ()


class Grown(Protocol):
    """Trees as a library has grown them: what they say at once, their arrays when they are asked for."""

    def outputs(self, X: FloatArray, n_outputs: int, start: FloatArray) -> FloatArray:
        """Return what `Trees.outputs` of the arrays returns, bit for bit."""

    def read_out(self) -> tuple[Trees, Mapping[str, Any]]:
        """Return the arrays, and facts that take as long to find."""


class FittedTrees:
    """Trees and how they are combined.

    Parameters
    ----------
    trees : Trees or Grown
        Every node of every tree; of grown trees the arrays are made when somebody asks for them, which a
        fold of a cross-validation never does.
    combination : Combination
        How they are combined.
    n_features : int
        Columns of the inputs.
    facts : mapping
        What `facts` returns.
    """

    def __init__(
        self, trees: Trees | Grown, combination: Combination, *, n_features: int, facts: Mapping[str, Any]
    ) -> None:
        self._source, self.combination, self.n_features = trees, combination, n_features
        self._facts = dict(facts)

    @property
    def trees(self) -> Trees:
        """Every node of every tree."""
        return self._read_out()

    def _read_out(self) -> Trees:
        if not isinstance(self._source, Trees):
            self._source, facts = self._source.read_out()
            self._facts |= facts
        return self._source

    def predict(self, inputs: Inputs) -> Predictions:
        """Return predictions for every row of `inputs`."""
        X, how = inputs.X, self.combination
        assert X.shape[1] == self.n_features, (X.shape, self.n_features)
        if how.link == "median":
            return Predictions(self._medians(X))
        sums = self._source.outputs(X, len(how.start), np.array(how.start)) / how.divisor
        if not how.n_classes:
            return Predictions(sums[:, 0])
        probabilities = np.zeros((len(X), how.n_classes))
        probabilities[:, list(how.present)] = _LINKS[how.link](sums)
        return Predictions(np.argmax(probabilities, axis=1).astype(np.int64), probabilities)

    def _medians(self, X: FloatArray) -> FloatArray:
        values = self.trees.leaves[:, 0][self.trees.reached(X, 0, len(self.trees.roots)).T]
        order = np.argsort(values, axis=1)
        reached = np.cumsum(np.array(self.combination.weights)[order], axis=1)
        middle = (reached >= 0.5 * reached[:, -1:]).argmax(axis=1)
        rows = np.arange(len(X))
        return np.asarray(values[rows, order[rows, middle]])

    def predict_row(self, values: Sequence[float]) -> float | list[float]:
        """Return one row's value or class probabilities; within 1e-12 of `predict`."""
        how, said, width = self.combination, self.trees.leaf_numbers, self.trees.leaves.shape[1]
        reached = self.trees.reached_by_row(values)
        if how.link == "median":
            return _median([said[leaf] for leaf in reached], how.weights)
        sums = list(how.start)
        if width == 1:
            for position, leaf in enumerate(reached):
                sums[position % len(sums)] += said[leaf]
        else:
            places = [width * leaf for leaf in reached]
            for output in range(width):
                for place in places:
                    sums[output] += said[place + output]
        outputs = [total / how.divisor for total in sums]
        if not how.n_classes:
            return outputs[0]
        probabilities = _row_probabilities(outputs, how.link)
        if len(how.present) == how.n_classes:
            return probabilities
        of_class = dict(zip(how.present, probabilities, strict=True))
        return [of_class.get(code, 0.0) for code in range(how.n_classes)]

    def contributions(self, inputs: Inputs) -> Contributions:
        """Return what each input adds: to the value, to the log-odds or scores, or to the mean probability.

        Raises
        ------
        NotExplainedError
            If the answer is a median over the trees, or they were saved without the weight of their leaves.
        """
        how = self.combination
        if how.link == "median":
            raise NotExplainedError(
                "The answer is a median over the trees and no sum, so there are no contributions. "
                "Permutation importance, in the report, says what it uses."
            )
        if len(self.trees.covers) != len(self.trees.leaves):
            raise NotExplainedError(TRAIN_AGAIN)
        divided, start = self._divided
        values = divided.of(inputs.X)
        values[:, -1] += start
        values /= how.divisor
        if not how.n_classes:
            return Contributions(values, "value")
        if how.n_classes == 2 and len(how.present) == 2:
            return Contributions(values, "probability" if how.link == "identity" else "log_odds")
        if how.link == "logistic":  # of the two classes that are there, the first scores 0
            values = np.concatenate([np.zeros_like(values), values], axis=2)
        scale: Scale = "probability" if how.link == "identity" else "score"
        return of_classes(values, scale=scale, present=how.present, n_classes=how.n_classes)

    @cached_property
    def _divided(self) -> tuple[TreeContributions, FloatArray]:
        """What divides the outputs, and what their sums begin with; of two classes only the second's."""
        how, leaves, start = self.combination, self.trees.leaves, np.array(self.combination.start)
        if how.n_classes == 2 and leaves.shape[1] == 2:
            is_score = how.link == "softmax"
            leaves, start = (
                each[..., 1:] - each[..., :1] if is_score else each[..., 1:] for each in (leaves, start)
            )
        return TreeContributions(self.trees, leaves, len(start), n_features=self.n_features), start

    def facts(self) -> dict[str, Any]:
        """Return how the fit went and what the trees ask about most."""
        self._read_out()
        return dict(self._facts)

    def save(self, folder: Path) -> None:
        """Write ``trees.safetensors`` and ``learner.json``."""
        from safetensors.numpy import save

        write_bytes(folder / _TREES, save(self.trees.arrays()))
        state = {"combination": asdict(self.combination), "n_features": self.n_features}
        write_json(folder / _STATE, {**state, "facts": facts_to_save(self.facts())})

    @classmethod
    def load(cls, folder: Path) -> FittedTrees:
        """Return what `save` wrote.

        Raises
        ------
        PackageError
            If the files are not what `save` writes.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load

        try:
            arrays = load((folder / _TREES).read_bytes())
            state = json.loads((folder / _STATE).read_text(encoding="utf-8"))
            combination, n_features = _combination(state["combination"]), int(state["n_features"])
            facts = dict(state["facts"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError, SafetensorError) as error:
            raise PackageError(f"`{folder}` does not hold fitted trees: {error!r}.") from error
        trees = Trees.from_arrays(arrays, n_features)
        if trees.leaves.shape[1] not in (1, len(combination.start)):
            raise PackageError(
                f"`{folder}` holds leaves of width `{trees.leaves.shape[1]}` for `{len(combination.start)}` "
                "outputs. Train the model again."
            )
        return cls(trees, combination, n_features=n_features, facts=facts)


def _combination(state: Mapping[str, Any]) -> Combination:
    if state["link"] not in (*_LINKS, "median"):
        raise ValueError(f"there is no link `{state['link']}`")
    return Combination(
        start=tuple(map(float, state["start"])),
        divisor=float(state["divisor"]),
        link=state["link"],
        weights=tuple(map(float, state["weights"])),
        n_classes=int(state["n_classes"]),
        present=tuple(map(int, state["present"])),
    )


def _logistic(outputs: FloatArray) -> FloatArray:
    small = np.exp(-np.abs(outputs[:, 0]))
    less, more = small / (1.0 + small), 1.0 / (1.0 + small)
    is_second = outputs[:, 0] >= 0
    return np.column_stack([np.where(is_second, less, more), np.where(is_second, more, less)])


def _softmax(outputs: FloatArray) -> FloatArray:
    exponentials = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True))


_LINKS = {"identity": lambda outputs: outputs, "logistic": _logistic, "softmax": _softmax}


def _row_probabilities(outputs: list[float], link: str) -> list[float]:
    if link == "identity":
        return outputs
    if link == "logistic":
        small = math.exp(-abs(outputs[0]))
        less, more = small / (1.0 + small), 1.0 / (1.0 + small)
        return [less, more] if outputs[0] >= 0 else [more, less]
    largest = max(outputs)
    exponentials = [math.exp(output - largest) for output in outputs]
    total = sum(exponentials)
    return [each / total for each in exponentials]


def _median(values: list[float], weights: tuple[float, ...]) -> float:
    ordered = sorted(zip(values, weights, strict=True), key=lambda pair: pair[0])
    half, reached = 0.5 * sum(weights), 0.0
    for value, weight in ordered:
        reached += weight
        if reached >= half:
            return value
    return ordered[-1][0]
