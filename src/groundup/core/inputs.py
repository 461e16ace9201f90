"""What crosses between preparation and learners: inputs, needs, predictions, contributions.

Preparation and models are strangers to each other; these values are how they meet.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Form = Literal["matrix", "tokens", "images", "thumbnails"]
"""What a row is to a learner; thumbnails are a matrix of pictures' pixels."""


@dataclass(frozen=True)
class Needs:
    """What a learner declares that its inputs must be.

    Parameters
    ----------
    scaled : bool
        Numbers must be on a common scale.
    categories : {"one_hot", "codes"}
        How categories arrive: as 0/1 columns, or as one column of integer codes whose index is
        listed in `Inputs.categorical` (the learner splits on the codes as categories).
    missing : bool
        Missing numbers (and codes) may arrive as NaN; otherwise they are imputed.
    form : {"matrix", "tokens", "images"}
        What a row is: numbers, one a feature; the token numbers of its texts; or a picture.
    """

    scaled: bool = False
    categories: Literal["one_hot", "codes"] = "one_hot"
    missing: bool = False
    form: Form = "matrix"


@dataclass(frozen=True)
class Supervision:
    """The targets that a preparation may learn from, and how it may divide the rows to do so.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        int64 class codes in [0, n_classes) or float64 values.
    n_classes : int
        0 for regression.
    groups : ndarray of shape (n_samples,) or None
        Entity of each row: rows of one entity stay together.
    seed : int
        The same seed divides the rows alike.
    """

    y: NDArray[np.generic]
    n_classes: int
    groups: NDArray[np.generic] | None = None
    seed: int = 0

    def take(self, rows: IntArray) -> "Supervision":
        """Return the targets of the given rows."""
        groups = None if self.groups is None else self.groups[rows]
        return replace(self, y=self.y[rows], groups=groups)


@dataclass(frozen=True)
class Inputs:
    """Named arrays that a learner consumes; for tables ``arrays["X"]`` and, in training, ``arrays["y"]``.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        ``X`` of shape (n_samples, n_features), float64, C-contiguous; ``y`` of shape (n_samples,):
        int64 class codes in [0, n_classes) or float64 values; ``weight`` of shape (n_samples,), float64,
        above 0: how often each row counts in the loss. Absent: every row counts once.
    feature_names : tuple of str
        One per column of ``X``; unique.
    categorical : tuple of int
        Columns of ``X`` that hold category codes (NaN: missing; unseen level: NaN as well).
    n_tokens : int
        Of token numbers: the size of their vocabulary, which is above each of them; 0 for other forms.
    augment : tuple of str
        Random changes that leave what a picture shows as it is, which training may make.
    """

    arrays: Mapping[str, NDArray[np.generic]]
    feature_names: tuple[str, ...] = ()
    categorical: tuple[int, ...] = field(default=())
    n_tokens: int = 0
    augment: tuple[str, ...] = ()

    @property
    def X(self) -> FloatArray:  # noqa: N802 - the field's own name
        """The features, shape (n_samples, n_features)."""
        return self.arrays["X"]  # type: ignore[return-value]

    @property
    def y(self) -> NDArray[np.generic]:
        """The target, shape (n_samples,): class codes or values."""
        return self.arrays["y"]

    @property
    def weight(self) -> FloatArray | None:
        """How often each row counts in the loss, shape (n_samples,); None: every row once."""
        return self.arrays.get("weight")  # type: ignore[return-value]

    @property
    def weight_or_one(self) -> FloatArray:
        """How often each row counts, 1 where no weights are given, shape (n_samples,)."""
        return np.ones(self.n_samples) if self.weight is None else self.weight

    @property
    def n_samples(self) -> int:
        """How many rows."""
        return len(next(iter(self.arrays.values())))

    def with_target(self, y: NDArray[np.generic]) -> "Inputs":
        """Return the same inputs with the target `y`."""
        return replace(self, arrays={**self.arrays, "y": y})

    def with_weight(self, weight: FloatArray | None) -> "Inputs":
        """Return the same inputs with the rows' weights; None: every row counts once."""
        arrays = {name: array for name, array in self.arrays.items() if name != "weight"}
        return replace(self, arrays=arrays if weight is None else {**arrays, "weight": weight})

    def take(self, rows: IntArray) -> "Inputs":
        """Return the inputs of the given rows, every array alike."""
        return replace(self, arrays={name: array[rows] for name, array in self.arrays.items()})


@dataclass(frozen=True)
class Predictions:
    """What a fitted learner says about n_samples rows.

    Parameters
    ----------
    values : ndarray of shape (n_samples,)
        float64 values for regression; int64 class codes for classification (the most probable).
    probabilities : ndarray of shape (n_samples, n_classes) or None
        One column per class, rows sum to 1; None for regression.
    """

    values: NDArray[np.generic]
    probabilities: FloatArray | None = None

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows: IntArray) -> "Predictions":
        """Return the predictions of the given rows."""
        probabilities = None if self.probabilities is None else self.probabilities[rows]
        return Predictions(self.values[rows], probabilities)

    def followed_by(self, other: "Predictions") -> "Predictions":
        """Return these predictions and then those of `other`, of the same task."""
        values = np.concatenate([self.values, other.values])
        if self.probabilities is None or other.probabilities is None:
            return Predictions(values)
        return Predictions(values, np.concatenate([self.probabilities, other.probabilities]))


Scale = Literal["value", "log_odds", "score", "probability"]
"""What contributions add up to: the value (regression); of two classes the log-odds of the second; of more
the score of each, of which its probability is made; or the probability itself."""


@dataclass(frozen=True)
class Contributions:
    """What each input adds to each prediction.

    Parameters
    ----------
    values : ndarray of shape (n_samples, n_features + 1, n_outputs)
        The base value last, the same for every row; over the inputs and it they add up to the output.
        One output for a value and for two classes (the second), else one a class.
    scale : {"value", "log_odds", "score", "probability"}
        What they add up to.
    """

    values: FloatArray
    scale: Scale
