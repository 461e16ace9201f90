"""Fitted support vector machines: scores in NumPy alone, turned into values or probabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from groundup.core.errors import NotExplainedError
from groundup.core.inputs import Contributions, FloatArray, Inputs, IntArray, Predictions
from groundup.models.contributions import TRAIN_AGAIN, of_classes
from groundup.models.linear_fitted import linear_contributions
from groundup.models.parameters import read_parameters, refuse_unless, write_parameters

_WHAT: Final = "support vector machine"
_N_PAIRS_AT_ONCE: Final = 500_000  # kernel values held at a time
_LARGEST: Final = 1e100  # squares of larger inputs would not be numbers any more


@dataclass(frozen=True)
class Kernel:
    """How similar two rows are: ``x·v``, ``exp(-gamma |x - v|²)`` or ``(gamma x·v + coef0)^degree``."""

    name: Literal["linear", "rbf", "poly"]
    gamma: float = 1.0
    degree: int = 1
    coef0: float = 0.0


@dataclass(frozen=True)
class Calibration:
    """What turns scores into answers.

    Parameters
    ----------
    n_classes : int
        Number of classes; 0 for regression.
    classes : ndarray of shape (n_present,)
        Codes of the classes that the training rows had, ascending.
    slopes, constants : ndarray of shape (n_sigmoids,)
        The sigmoid of each score ``s``: ``1 / (1 + exp(slope * s + constant))``; one for two classes.
    scale, offset : float
        The value of a score in regression: ``scale * s + offset``.
    """

    n_classes: int = 0
    classes: IntArray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    slopes: FloatArray = field(default_factory=lambda: np.zeros(0))
    constants: FloatArray = field(default_factory=lambda: np.zeros(0))
    scale: float = 1.0
    offset: float = 0.0

    def probabilities(self, scores: FloatArray) -> FloatArray:
        """Return one column a class from scores of shape (n_samples, n_scores); rows sum to 1."""
        outputs = np.zeros((len(scores), self.n_classes))
        if len(self.classes) == 1:
            outputs[:, self.classes] = 1.0
            return outputs
        logits = -(self.slopes * scores + self.constants)
        # Of a pair, e^-|z| / (1 + e^-|z|) and 1 / (1 + e^-|z|): without overflow, and small ones exact.
        small = np.exp(-np.abs(logits))
        high, low = 1.0 / (1.0 + small), small / (1.0 + small)
        yes = np.where(logits >= 0, high, low)
        if len(self.classes) == 2:
            outputs[:, self.classes[0]] = np.where(logits >= 0, low, high)[:, 0]
            outputs[:, self.classes[1]] = yes[:, 0]
            return outputs
        total = np.einsum("ij->i", yes)[:, None]
        outputs[:, self.classes] = yes / total
        return outputs


class FittedSVM:
    """A weighted sum of similarities (or of inputs), then a sigmoid a class or a change of unit.

    One score costs ``n_features`` operations, with a kernel ``n_vectors * n_features``. A row's bits do
    not depend on its batch, and `predict_row` equals `predict`.

    Parameters
    ----------
    kernel : Kernel
        The similarity.
    arrays : mapping
        For the linear kernel ``coef`` (n_scores, n_features), ``intercept`` (n_scores,) and (absent where
        an earlier version saved it) ``mean`` (n_features,) of the training rows; else
        ``vectors`` (n_all, n_features), ``weights`` (n_present - 1, n_all; one row for regression),
        ``n_vectors`` (n_present,) per class, and ``intercept``, one a pair of classes.
    calibration : Calibration
        What turns scores into answers.
    facts : mapping
        What `facts` returns.

    Examples
    --------
    >>> arrays = {"coef": np.array([[2.0, -1.0]]), "intercept": np.array([0.5])}
    >>> FittedSVM(Kernel("linear"), arrays, Calibration(), facts={}).predict_row([1.0, 1.0])
    1.5
    """

    def __init__(
        self,
        kernel: Kernel,
        arrays: Mapping[str, NDArray[Any]],
        calibration: Calibration,
        *,
        facts: Mapping[str, Any],
    ) -> None:
        self.kernel, self.calibration = kernel, calibration
        # Sums in einsum depend on the order in memory, so it is always the same.
        self._arrays = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
        self._facts = dict(facts)
        if kernel.name != "linear":
            self._squares = np.einsum("ij,ij->i", arrays["vectors"], arrays["vectors"])

    def predict(self, inputs: Inputs) -> Predictions:
        """Return predictions for every row of `inputs`."""
        scores = self._scores(inputs.X)
        if not self.calibration.n_classes:
            return Predictions(scores[:, 0] * self.calibration.scale + self.calibration.offset)
        probabilities = self.calibration.probabilities(scores)
        return Predictions(np.argmax(probabilities, axis=1).astype(np.int64), probabilities)

    def predict_row(self, values: Sequence[float]) -> float | list[float]:
        """Return one row's value or class probabilities."""
        scores = self._scores(np.array([values], dtype=np.float64))
        if not self.calibration.n_classes:
            return float(scores[0, 0]) * self.calibration.scale + self.calibration.offset
        outputs: list[float] = self.calibration.probabilities(scores)[0].tolist()
        return outputs

    def contributions(self, inputs: Inputs) -> Contributions:
        """Return what each input adds to the value, or to the log-odds before probabilities sum to 1.

        Raises
        ------
        NotExplainedError
            If the kernel is not linear, or the model was saved without the means.
        """
        if self.kernel.name != "linear":
            raise NotExplainedError(
                "The score is a sum over similar training rows and not over the columns, so there are no "
                "contributions. Permutation importance, in the report, says what it uses."
            )
        if "mean" not in self._arrays:
            raise NotExplainedError(TRAIN_AGAIN)
        arrays, how = self._arrays, self.calibration
        X = np.clip(inputs.X, -_LARGEST, _LARGEST)
        scores = linear_contributions(X, arrays["mean"], arrays["coef"], arrays["intercept"])
        if not how.n_classes:
            values = scores * how.scale
            values[:, -1] += how.offset
            return Contributions(values, "value")
        values = -how.slopes * scores
        values[:, -1] -= how.constants
        if len(how.classes) < 3:  # of two classes the first scores 0; a single one scores nothing else
            values = np.concatenate([np.zeros((*values.shape[:2], 1)), values], axis=2)
        return of_classes(values, scale="score", present=how.classes.tolist(), n_classes=how.n_classes)

    def facts(self) -> dict[str, Any]:
        """Return how the fit went."""
        return dict(self._facts)

    def save(self, folder: Path) -> None:
        """Write ``weights.safetensors`` and ``learner.json``."""
        calibration = self.calibration
        arrays = {
            **self._arrays,
            "classes": calibration.classes,
            "slopes": calibration.slopes,
            "constants": calibration.constants,
        }
        state = {
            "kernel": asdict(self.kernel),
            "n_classes": calibration.n_classes,
            "scale": calibration.scale,
            "offset": calibration.offset,
            "facts": self._facts,
        }
        write_parameters(folder, arrays, state)

    @classmethod
    def load(cls, folder: Path) -> FittedSVM:
        """Return what `save` wrote.

        Raises
        ------
        PackageError
            If the files are not what `save` writes.
        """
        arrays, state = read_parameters(folder, _WHAT, *_VARIANTS)
        try:
            kernel = Kernel(**state["kernel"])
            calibration = Calibration(
                n_classes=state["n_classes"],
                **{name: arrays.pop(name) for name in _ANSWERS},
                scale=state["scale"],
                offset=state["offset"],
            )
            is_in_order = _is_in_order(kernel, arrays, calibration)
            facts = dict(state["facts"])
        except (KeyError, TypeError, ValueError, IndexError):
            is_in_order = False
        refuse_unless(is_in_order, folder, _WHAT)
        return cls(kernel, arrays, calibration, facts=facts)

    def _scores(self, X: FloatArray) -> FloatArray:
        """Return the scores of every row, shape (n_samples, n_scores)."""
        X = np.clip(X, -_LARGEST, _LARGEST)
        if self.kernel.name == "linear":
            # einsum and not BLAS: it starts no threads, and a row's bits do not depend on its batch.
            return np.asarray(np.einsum("ij,kj->ik", X, self._arrays["coef"]) + self._arrays["intercept"])
        size = max(1, _N_PAIRS_AT_ONCE // max(1, len(self._arrays["vectors"])))
        parts = [self._kernel_scores(X[start : start + size]) for start in range(0, len(X), size)]
        n_scores = max(1, len(self.calibration.slopes))
        return np.concatenate(parts) if parts else np.zeros((0, n_scores))

    def _kernel_scores(self, X: FloatArray) -> FloatArray:
        similarities = self._similarities(X)
        weights, intercept = self._arrays["weights"], self._arrays["intercept"]
        if len(weights) == 1:
            return np.asarray(np.einsum("ij,kj->ik", similarities, weights) + intercept)
        ends = np.cumsum(self._arrays["n_vectors"]).tolist()
        of_class = [slice(start, end) for start, end in zip([0, *ends], ends, strict=False)]
        n_classes = len(ends)
        votes, confidence = np.zeros((len(X), n_classes)), np.zeros((len(X), n_classes))
        pairs = ((first, second) for first in range(n_classes) for second in range(first + 1, n_classes))
        for pair, (first, second) in enumerate(pairs):
            margin = np.full(len(X), intercept[pair])
            for one, other in ((first, second - 1), (second, first)):
                part = of_class[one]
                margin += np.einsum("ij,j->i", similarities[:, part], weights[other, part])
            confidence[:, first] += margin
            confidence[:, second] -= margin
            votes[:, first] += margin >= 0
            votes[:, second] += margin < 0
        # Margins decide between equal votes, and never more: their share stays within a third of a vote.
        return np.asarray(votes + confidence / (3 * (np.abs(confidence) + 1)))

    def _similarities(self, X: FloatArray) -> FloatArray:
        """Return the kernel between rows and support vectors, shape (n_samples, n_vectors)."""
        kernel = self.kernel
        values = np.asarray(np.einsum("ij,kj->ik", X, self._arrays["vectors"]))
        if kernel.name == "rbf":
            values *= 2.0
            values -= self._squares
            values -= np.einsum("ij,ij->i", X, X)[:, None]
            np.minimum(values, 0.0, out=values)
            values *= kernel.gamma
            np.exp(values, out=values)
            return values
        values *= kernel.gamma
        values += kernel.coef0
        power = values.copy()
        for _ in range(kernel.degree - 1):
            power *= values
        return power


_ANSWERS: Final = {"classes": 1, "slopes": 1, "constants": 1}
_VARIANTS: Final = (
    {"coef": 2, "intercept": 1, "mean": 1, **_ANSWERS},
    {"coef": 2, "intercept": 1, **_ANSWERS},
    {"vectors": 2, "weights": 2, "n_vectors": 1, "intercept": 1, **_ANSWERS},
)


def _is_in_order(kernel: Kernel, arrays: Mapping[str, NDArray[Any]], calibration: Calibration) -> bool:
    n_present, n_sigmoids = len(calibration.classes), len(calibration.slopes)
    n_expected = 0 if n_present < 2 else 1 if n_present == 2 else n_present
    codes = calibration.classes
    if kernel.name == "linear":
        fits = (
            "coef" in arrays
            and len(arrays["coef"]) == len(arrays["intercept"])
            and ("mean" not in arrays or arrays["mean"].shape == arrays["coef"].shape[1:])
        )
        n_scores = len(arrays["intercept"])
    else:
        n_classes = max(2, n_present)
        fits = (
            kernel.name in ("rbf", "poly")
            and arrays["weights"].shape == (n_classes - 1, len(arrays["vectors"]))
            and len(arrays["intercept"]) == n_classes * (n_classes - 1) // 2
            and int(arrays["n_vectors"].sum()) == len(arrays["vectors"])
            and bool((arrays["n_vectors"] >= 0).all())
        )
        n_scores = 1 if n_classes == 2 else n_classes
    return (
        fits
        and n_sigmoids == n_expected == len(calibration.constants)
        and n_scores == (n_expected if calibration.n_classes else 1)
        and (n_present > 0) == (calibration.n_classes > 0)
        and bool(((codes >= 0) & (codes < max(1, calibration.n_classes))).all())
        and all(isinstance(each, float) for each in (calibration.scale, calibration.offset, kernel.gamma))
        and kernel.degree >= 1
    )
