"""What preparations share that make one thing of the columns they read: a text, a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from groundup.core.errors import PredictionInputError, did_you_mean
from groundup.core.schema import Column
from groundup.data.values import row_reader

if TYPE_CHECKING:
    import polars as pl

    from groundup.data.dataset import Dataset
    from groundup.preparation.options import PreparationOptions


class WholePreparation:
    """The columns that are read, and the questions about them; a subclass says what they become.

    Parameters
    ----------
    options : PreparationOptions
        What is asked for.
    """

    def __init__(self, options: PreparationOptions) -> None:
        self._options = options
        self._set_columns(())

    def _set_columns(self, columns: Sequence[Column], raw: Sequence[Column] | None = None) -> None:
        """Read these columns, of all there are."""
        self._columns = tuple(columns)
        self._raw = self._columns if raw is None else tuple(raw)
        self._readers = [row_reader(column) for column in self._columns]

    def _offered(self, dataset: Dataset) -> list[Column]:
        """Return the columns that the recipe does not drop."""
        own = self._options.columns
        return [column for column in dataset.schema if not (column.name in own and own[column.name].drop)]

    @property
    def columns(self) -> tuple[str, ...]:
        """The raw columns that are read, in order."""
        return tuple(column.name for column in self._columns)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The raw columns: what a network sees of them has no parts with names."""
        return self.columns

    @property
    def feature_sources(self) -> tuple[tuple[str, ...], ...]:
        """The raw columns that each input comes from."""
        return tuple((name,) for name in self.columns)

    @property
    def encode_row(self) -> Any:
        """`transform_row`."""
        return self.transform_row

    def transform_row(self, row: Mapping[str, Any]) -> Any:
        """Return one row for a dict of column name to value."""
        raise NotImplementedError

    def describe_stages(self) -> list[dict[str, Any]]:
        """Return that nothing is done to all columns together."""
        return []

    def _check_present(self, frame: pl.DataFrame) -> None:
        absent = [name for name in self.columns if name not in frame.columns]
        if absent:
            raise PredictionInputError(f"The table has no column `{absent[0]}`, which the model needs.")

    def _values_of(self, row: Mapping[str, Any]) -> list[Any]:
        """Return the values of a row, column by column; None where one is missing."""
        values = []
        for name, read in zip(self.columns, self._readers, strict=True):
            if name not in row:
                raise PredictionInputError(
                    f"The row has no column `{name}`, which the model needs.{did_you_mean(name, row)}"
                )
            values.append(read(row[name]))
        return values

    def _described(self, steps: list[str], n_features: int, others: str) -> list[dict[str, Any]]:
        """Return what is done to each raw column, for people; `others` says why the rest is left out."""
        return [
            {
                "column": column.name,
                "kind": column.kind,
                "steps": steps if column.name in self.columns else [],
                "n_features": n_features if column.name in self.columns else 0,
                "why": column.reason if column.name in self.columns else f"left out: {others}",
                "resolved": {},
            }
            for column in self._raw
        ]

    def _columns_state(self) -> list[dict[str, Any]]:
        """Return the columns as JSON values, but for why they are of their kind: equal models are equal."""
        return [{**asdict(column), "reason": ""} for column in self._columns]

    def _set_columns_state(self, state: Sequence[Mapping[str, Any]]) -> None:
        """Read the columns that `_columns_state` returned."""
        self._set_columns([Column(**{**each, "missing": tuple(each["missing"])}) for each in state])
