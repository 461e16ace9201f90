"""A dataset: rows that were read, with their schema and fingerprint."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import polars as pl

from groundup.core.findings import Finding
from groundup.core.inputs import IntArray
from groundup.core.schema import Schema


@dataclass(frozen=True)
class Dataset:
    """A table with canonical types; rows in memory or scanned from a file as they are needed.

    Parameters
    ----------
    rows : polars.LazyFrame
        The columns of `schema`, in its order, in their canonical types.
    schema : Schema
        What each column is.
    n_rows : int
        How many rows.
    origin : str
        Where they come from, for messages: a path, `sample:titanic` or `frame`.
    findings : tuple of Finding
        What reading noticed (malformed rows, renamed columns, …).
    facts : tuple of (str, str)
        How it was read, for people: ("delimiter", "`;`"), ("encoding", "utf-16"), …
    read_as : mapping
        How it was read, as options of the recipe's section `data`: {"delimiter": ";", "header": True}.
    target : str or None
        The column to predict where none is named, if the source tells.
    part : str or None
        The column that divides rows into train and test where the recipe does not say how, if the source
        tells.
    """

    rows: pl.LazyFrame
    schema: Schema
    n_rows: int
    origin: str
    findings: tuple[Finding, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    read_as: Mapping[str, str | bool] = field(default_factory=dict)
    target: str | None = None
    part: str | None = None

    def frame(self, columns: Iterable[str] | None = None) -> pl.DataFrame:
        """Return the rows (of some columns) in memory."""
        names = self.schema.names if columns is None else tuple(columns)
        return self.rows.select(self.schema.select(names).names).collect(engine="streaming")

    def take(self, positions: IntArray) -> "Dataset":
        """Return the rows at `positions` (0-based, in that order), in memory."""
        frame = self.frame()[positions]
        return Dataset(frame.lazy(), self.schema, len(frame), self.origin)

    def select(self, columns: Iterable[str]) -> "Dataset":
        """Return the dataset with some of its columns."""
        schema = self.schema.select(columns)
        return replace(self, rows=self.rows.select(schema.names), schema=schema)

    def batches(self, n_rows: int = 65_536) -> Iterator[pl.DataFrame]:
        """Yield the rows in order, at most `n_rows` at a time, in bounded memory."""
        # A scanned file is costly to enter at a row, so several batches are fetched at once.
        for start in range(0, self.n_rows, 8 * n_rows):
            yield from self.rows.slice(start, 8 * n_rows).collect(engine="streaming").iter_slices(n_rows)
