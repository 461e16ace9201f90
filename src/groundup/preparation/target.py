"""The target: class labels to codes and back, or numbers as they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from groundup.core.errors import DataError, did_you_mean

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from groundup.core.tasks import Task

Label: TypeAlias = str | int | float | bool

_LARGEST: Final = 1e150  # squares of larger numbers overflow


@dataclass(frozen=True)
class TargetPlan:
    """How the target becomes numbers.

    Parameters
    ----------
    task : Task
        `classification`: codes of `classes`; `regression`: the values themselves.
    classes : tuple
        The labels, sorted; a label's code is its index. Empty for regression.

    Examples
    --------
    >>> import polars as pl
    >>> target = TargetPlan.fit(pl.Series("y", ["no", "yes", "no"]), "classification")
    >>> target.encode(pl.Series("y", ["yes", "no"])).tolist(), target.decode([0, 1])
    ([1, 0], ['no', 'yes'])
    """

    task: Task
    classes: tuple[Label, ...] = ()

    @classmethod
    def fit(cls, values: pl.Series, task: Task, classes: Sequence[Label] = ()) -> TargetPlan:
        """Return the plan of a target.

        Parameters
        ----------
        values : polars.Series of length n_samples
            The training target; only looked at when `classes` are not given.
        task : Task
            What is asked for.
        classes : sequence of labels
            The labels if they are known, e.g. from the whole data set.

        Returns
        -------
        TargetPlan
        """
        if task == "regression":
            return cls(task)
        return cls(task, tuple(sorted(classes or values.drop_nulls().unique().to_list())))

    def encode(self, values: pl.Series) -> NDArray[Any]:
        """Return the target as numbers.

        Parameters
        ----------
        values : polars.Series of length n_samples
            Labels or numbers, none missing.

        Returns
        -------
        ndarray of shape (n_samples,)
            int64 codes in [0, n_classes), or float64 values.

        Raises
        ------
        DataError
            If a value is missing, unknown as a class, or no finite number; names value and row.
        """
        _refuse(values, values.is_null(), "is missing. Leave out rows without a target.")
        return self._values(values) if self.task == "regression" else self._codes(values)

    def _values(self, values: pl.Series) -> NDArray[Any]:
        import polars as pl

        numbers = values.cast(pl.Float64, strict=False)
        is_bad = ~(numbers.abs() < _LARGEST).fill_null(value=False)
        _refuse(values, is_bad, f"is no number below {_LARGEST:.0e}, whose square is finite.")
        return numbers.to_numpy().copy()

    def _codes(self, values: pl.Series) -> NDArray[Any]:
        import polars as pl

        distinct = values.unique(maintain_order=True)
        code_of = {label: code for code, label in enumerate(self.classes)}
        codes = pl.Series([code_of.get(label, -1) for label in self._labels(distinct)], dtype=pl.Int64)
        found = values.replace_strict(distinct, codes, return_dtype=pl.Int64)
        shown = did_you_mean("", map(str, self.classes)).strip()
        remedy = "Spell the labels as in training, or leave these rows out."
        _refuse(values, found < 0, f"is none of the classes the model knows. {shown} {remedy}")
        return found.to_numpy().copy()

    def _labels(self, distinct: pl.Series) -> list[Any]:
        """Return labels as text where the classes are text, else as they are."""
        labels = distinct.to_list()
        if self.classes and isinstance(self.classes[0], str):
            return [label if isinstance(label, str) else str(label) for label in labels]
        return labels

    def decode(self, values: Iterable[Any]) -> list[Label]:
        """Return class codes as labels, or numbers as floats.

        Parameters
        ----------
        values : iterable
            Codes in [0, n_classes), or numbers.

        Returns
        -------
        list
        """
        if self.task == "regression":
            return [float(value) for value in values]
        return [self.classes[int(code)] for code in values]

    def state(self) -> dict[str, Any]:
        """Return the plan as JSON values."""
        return {"task": self.task, "classes": list(self.classes)}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> TargetPlan:
        """Return the plan that `state` described."""
        return cls(state["task"], tuple(state["classes"]))


def _refuse(values: pl.Series, is_bad: pl.Series, what: str) -> None:
    if is_bad.any():
        row = is_bad.arg_max()
        assert row is not None
        raise DataError(
            f"The target `{values.name}` is `{values[row]}` in row {row} (counted from 0), which {what}"
        )
