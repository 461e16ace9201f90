"""Fitted symmetric trees, predicted by CatBoost, which must be installed (and brings pandas along)."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from groundup.core.errors import MissingExtraError, PackageError
from groundup.core.files import write_bytes, write_json
from groundup.core.inputs import Contributions, FloatArray, Inputs, Predictions
from groundup.models.contributions import of_classes
from groundup.models.facts import facts_to_save

_MODEL, _STATE = "model.cbm", "learner.json"
_SEVERAL_CLASSES: Final = json.dumps({"loss_function": {"type": "MultiClass", "params": {}}})
_LARGEST: Final = 1e38  # larger inputs are not numbers of 32 bits


@dataclass(frozen=True)
class Columns:
    """Which columns of the inputs are numbers, and which category codes.

    Parameters
    ----------
    numbers, categories : tuple of int
        Positions, ascending; CatBoost receives the numbers first.
    """

    numbers: tuple[int, ...]
    categories: tuple[int, ...]

    @classmethod
    def of(cls, inputs: Inputs) -> Columns:
        """Return the columns of `inputs`."""
        categories = tuple(sorted(inputs.categorical))
        return cls(tuple(each for each in range(inputs.X.shape[1]) if each not in categories), categories)

    @property
    def order(self) -> list[int]:
        """All positions in CatBoost's order."""
        return [*self.numbers, *self.categories]

    def pool(
        self, X: FloatArray, y: NDArray[np.generic] | None = None, weight: FloatArray | None = None
    ) -> Any:
        """Return rows as CatBoost takes them; a missing category is the level "-1"."""
        from catboost import FeaturesData, Pool

        numbers = as_float32(X[:, self.numbers])
        if not self.categories:
            return Pool(numbers, y, weight=weight)
        codes = np.nan_to_num(X[:, self.categories], nan=-1.0).astype(np.int64)
        # FeaturesData is CatBoost's one fast way in for both kinds: texts, one object per level.
        levels = np.array(
            [str(each).encode() for each in range(-1, int(codes.max(initial=0)) + 1)], dtype=object
        )
        features = FeaturesData(
            num_feature_data=numbers if self.numbers else None,
            cat_feature_data=levels[codes + 1],
        )
        return Pool(features, y, weight=weight)


def as_float32(X: FloatArray) -> NDArray[np.float32]:
    """Return numbers as CatBoost compares them, shape (n_samples, n_features)."""
    with np.errstate(over="ignore"):
        rounded = np.ascontiguousarray(X, dtype=np.float32)
    return np.clip(rounded, -_LARGEST, _LARGEST, out=rounded)


class FittedCatBoost:
    """Symmetric trees in CatBoost's own format, and what makes answers of their outputs.

    Parameters
    ----------
    content : bytes or None
        The model as CatBoost has written it; None where `answers` alone is the model.
    columns : Columns
        Which inputs are numbers and which categories.
    answers : mapping
        ``n_classes`` (0 for regression), ``classes`` (codes of those the training rows had) and
        ``start``: the mean that is added, or (without trees) the logarithm of each class's frequency.
    facts : mapping
        What `facts` returns.

    Raises
    ------
    MissingExtraError
        If CatBoost is not installed.
    PackageError
        If CatBoost refuses `content`.
    """

    def __init__(
        self, content: bytes | None, columns: Columns, answers: Mapping[str, Any], *, facts: Mapping[str, Any]
    ) -> None:
        self._content, self._columns, self._facts = content, columns, dict(facts)
        self._answers = dict(answers)
        self.n_classes: int = answers["n_classes"]
        self._classes: list[int] = answers["classes"]
        self._start = np.array(answers["start"], dtype=np.float64)
        self._model = None if content is None else _loaded(content)

    def predict(self, inputs: Inputs) -> Predictions:
        """Return predictions for every row of `inputs`."""
        outputs = self._outputs(inputs.X)
        if not self.n_classes:
            return Predictions(outputs[:, 0])
        exponentials = np.exp(outputs - outputs.max(axis=1, keepdims=True))
        probabilities = np.zeros((len(outputs), self.n_classes))
        probabilities[:, self._classes] = exponentials / np.einsum("ij->i", exponentials)[:, None]
        return Predictions(np.argmax(probabilities, axis=1).astype(np.int64), probabilities)

    def predict_row(self, values: Sequence[float]) -> float | list[float]:
        """Return one row's value or class probabilities; equal to `predict`."""
        found = self.predict(Inputs({"X": np.array([values], dtype=np.float64)}))
        if found.probabilities is None:
            return float(found.values[0])
        probabilities: list[float] = found.probabilities[0].tolist()
        return probabilities

    def contributions(self, inputs: Inputs) -> Contributions:
        """Return what each input adds to value, log-odds or scores, by CatBoost's own TreeSHAP."""
        values = self._divided(inputs.X)
        if not self.n_classes:
            values[:, -1] += self._start if self._model is not None else 0.0
            return Contributions(values, "value")
        return of_classes(values, scale="score", present=self._classes, n_classes=self.n_classes)

    def _divided(self, X: FloatArray) -> FloatArray:
        """Return what each input adds to the outputs, shape (n_samples, n_features + 1, n_outputs)."""
        values = np.zeros((len(X), X.shape[1] + 1, len(self._start)))
        if self._model is None or len(X) == 0:
            values[:, -1] = self._start
            return values
        if values.shape[2] > 2:  # else CatBoost prints that it takes the loss to be this one
            self._model.get_metadata()["params"] = _SEVERAL_CLASSES
        found = self._model.get_feature_importance(
            type="ShapValues", data=self._columns.pool(X), thread_count=1
        )
        by_output = np.asarray(found, dtype=np.float64).reshape(len(X), -1, X.shape[1] + 1)
        # A single output is that of the last class, or the value.
        values[:, [*self._columns.order, -1], -by_output.shape[1] :] = by_output.transpose(0, 2, 1)
        return values

    def facts(self) -> dict[str, Any]:
        """Return rounds, learning curve and importances."""
        return dict(self._facts)

    def save(self, folder: Path) -> None:
        """Write ``model.cbm`` (CatBoost's own format; absent without trees) and ``learner.json``."""
        if self._content is not None:
            write_bytes(folder / _MODEL, self._content)
        state = {
            "numbers": list(self._columns.numbers),
            "categories": list(self._columns.categories),
            "answers": self._answers,
            "facts": facts_to_save(self._facts),
        }
        write_json(folder / _STATE, state)

    @classmethod
    def load(cls, folder: Path) -> FittedCatBoost:
        """Return what `save` wrote.

        Raises
        ------
        MissingExtraError
            If CatBoost is not installed.
        PackageError
            If the files are not what `save` writes.
        """
        try:
            state = json.loads((folder / _STATE).read_text(encoding="utf-8"))
            columns = Columns(*(tuple(map(int, state[name])) for name in ("numbers", "categories")))
            answers, facts = dict(state["answers"]), dict(state["facts"])
            # Facts about rounds are there exactly where trees are.
            content = (folder / _MODEL).read_bytes() if "best_round" in facts else None
            classes, n_classes = [int(each) for each in answers["classes"]], int(answers["n_classes"])
            is_in_order = (
                all(math.isfinite(each) for each in answers["start"])
                and len(answers["start"]) == (len(classes) if n_classes else 1)
                and all(0 <= each < n_classes for each in classes)
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise PackageError(f"`{folder}` does not hold a CatBoost model: {error!r}.") from error
        if not is_in_order:
            raise PackageError(f"`{folder / _STATE}` does not describe a CatBoost model. Train it again.")
        return cls(content, columns, answers, facts=facts)

    def _outputs(self, X: FloatArray) -> FloatArray:
        """Return the mean or logits of every row, shape (n_samples, 1 or n_present)."""
        if self._model is None or len(X) == 0:
            return np.tile(self._start, (len(X), 1))
        # One thread: for a row more are harmful, and for a batch the caller knows how busy the machine is.
        options = {"prediction_type": "RawFormulaVal", "thread_count": 1}
        with _told_as_package_error():
            raw = np.asarray(self._model.predict(self._columns.pool(X), **options), dtype=np.float64)
        raw = raw.reshape(len(X), -1)
        if not self.n_classes:
            return raw + self._start
        return np.column_stack([np.zeros(len(X)), raw]) if raw.shape[1] == 1 else raw


def _loaded(content: bytes) -> Any:
    try:
        import catboost
    except ImportError as error:
        raise MissingExtraError("catboost", "catboost", purpose="This model") from error
    model = catboost.CatBoost()
    with _told_as_package_error():
        model.load_model(blob=content)
    return model


@contextmanager
def _told_as_package_error() -> Iterator[None]:
    from catboost import CatBoostError

    try:
        yield
    except CatBoostError as error:
        raise PackageError(f"CatBoost cannot use this model: {str(error).splitlines()[-1]}") from error
