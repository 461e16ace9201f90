"""What every stage is: fitted state on the whole matrix, applied to a batch or to one row.

The modules of the stages import NumPy; they are loaded when a preparation has a stage, and not before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

from groundup.core.wording import count, listed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from groundup.core.inputs import FloatArray, Supervision
    from groundup.preparation.options import PreparationOptions
    from groundup.preparation.plan import ColumnPlan


@dataclass(frozen=True)
class Told:
    """What a stage did, for people.

    Parameters
    ----------
    what : str
        A clause: "kept 12 of 40 inputs: …".
    cost : str
        A clause: what it costs to predict one row.
    title : str
        Of the table, if it has one.
    heading : tuple of str
        Of the table's columns.
    rows : tuple of tuple
        The table's rows: text and numbers.
    """

    what: str
    cost: str
    title: str = ""
    heading: tuple[str, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()


def tell_filled(names: Sequence[str], n_missing: Sequence[int]) -> str:
    """Return the start of a clause about numbers that are filled: those that were missing in training first.

    Examples
    --------
    >>> tell_filled(["age", "fare", "rooms"], [177, 1, 0])
    'missing values of `age`, `fare` (and of 1 input that was complete in training) are filled with'
    >>> tell_filled(["rooms"], [0])
    'missing values (no number was missing in training) are filled with'
    """
    missing = [name for name, n in zip(names, n_missing, strict=True) if n]
    if not missing:
        return "missing values (no number was missing in training) are filled with"
    n_others = len(names) - len(missing)
    others = (
        f" (and of {count(n_others, 'input')} that {'was' if n_others == 1 else 'were'} complete in training)"
    )
    return f"missing values of {listed(missing)}{others if n_others else ''} are filled with"


class Stage(Protocol):
    """How a matrix of inputs becomes another with as many rows."""

    kind: ClassVar[str]
    """Its name in `catalogue.STAGES`."""

    option: ClassVar[str]
    """The option of `PreparationOptions` that asks for it."""

    feature_names: tuple[str, ...]
    """One per column of what it returns."""

    @property
    def origins(self) -> Sequence[int] | None:
        """Which column of its input each column of its output is; None: they are mixtures."""

    def transform(self, X: FloatArray) -> FloatArray:
        """Return the output for every row of `X`, which stays as it is."""

    def transform_row(self, values: list[float]) -> list[float]:
        """Return the output for one row, which may be changed; within 1e-12 of `transform`."""

    def tell(self) -> Told:
        """Return what was done, for people."""

    def state(self) -> dict[str, Any]:
        """Return what was fitted as JSON values."""

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Return what was fitted and is larger."""

    @classmethod
    def from_state(cls, state: Mapping[str, Any], arrays: Mapping[str, NDArray[np.generic]]) -> Self:
        """Return the stage that `state` and `arrays` described.

        Raises
        ------
        ValueError
            If they do not fit together.
        """


class GapFilling:
    """What stages share that fill missing numbers in."""

    option: ClassVar[str] = "impute_numbers"
    feature_names: tuple[str, ...]
    targets: tuple[int, ...]
    n_missing: tuple[int, ...]

    @property
    def origins(self) -> Sequence[int]:
        """Every input stays where it is."""
        return range(len(self.feature_names))

    @property
    def most_missing(self) -> int:
        """The input that was missing in most training rows, of those that are filled."""
        return self.targets[self.n_missing.index(max(self.n_missing))]


@dataclass(frozen=True)
class StageContext:
    """What a stage may look at while it is fitted, besides its input.

    Parameters
    ----------
    feature_names : tuple of str
        One per column of its input.
    roles : tuple of str
        What each column of its input is (see `one_scale.Role`).
    n_levels : mapping of int to int
        For columns that hold category codes: how many codes there are.
    plans : tuple of ColumnPlan
        The column plans before any stage.
    options : PreparationOptions
        With every `auto` replaced.
    supervision : Supervision or None
        The targets of the rows.
    """

    feature_names: tuple[str, ...]
    roles: tuple[str, ...]
    n_levels: Mapping[int, int]
    plans: tuple[ColumnPlan, ...]
    options: PreparationOptions
    supervision: Supervision | None = None

    @property
    def seed(self) -> int:
        """What decides every random choice."""
        return 0 if self.supervision is None else self.supervision.seed
