"""Columnar files: typed already, read column by column, and scanned lazily where they are large."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import polars as pl

from groundup.core.errors import DataError
from groundup.core.findings import Finding
from groundup.core.schema import Column, Schema
from groundup.data.columns import Collected, Wanted, typed_column
from groundup.data.dataset import Dataset
from groundup.data.frames import unique_names
from groundup.data.gather import Selection
from groundup.data.parsing import CANONICAL
from groundup.data.parts import Told

_MAX_CELLS_IN_MEMORY: Final = 30_000_000


@dataclass(frozen=True)
class ScannedPart:
    """A columnar file.

    Parameters
    ----------
    scan : polars.LazyFrame
        Its columns, named as in the file.
    raw_names : tuple of str
        Their names.
    n_rows : int
        How many rows.
    origin : str
        The file, for messages.
    title : str
        The format, for people.
    unnamed : frozenset of str
        Columns without a name.
    """

    scan: pl.LazyFrame
    raw_names: tuple[str, ...]
    n_rows: int
    origin: str
    title: str
    unnamed: frozenset[str] = frozenset()

    @property
    def names(self) -> Sequence[str]:
        """Its columns."""
        return unique_names(self.raw_names)

    def frames(self) -> Iterator[pl.DataFrame]:
        """Yield all rows at once."""
        yield pl.DataFrame(
            [self.column(raw).alias(name) for raw, name in zip(self.raw_names, self.names, strict=True)]
        )

    def told(self, n_rows: int, padding: Sequence[str]) -> Told:  # noqa: ARG002  # the contract's parameters
        """Return what there is to tell."""
        return Told(_renamed(self.raw_names, self.names), (("format", self.title),))

    def column(self, name: str) -> pl.Series:
        """Return a column as the file has it.

        Raises
        ------
        DataError
            If it is damaged.
        """
        try:
            return self.scan.select(pl.col(name)).collect().to_series()
        except (pl.exceptions.PolarsError, OSError) as error:
            raise DataError(
                f"The {self.title} file `{self.origin}` is damaged in column `{name}` "
                f"({str(error).splitlines()[0][:120]}). Copy or export it again."
            ) from None


def open_scan(scan: pl.LazyFrame, origin: str, title: str) -> ScannedPart:
    """Return the part that a scanned file is.

    Raises
    ------
    DataError
        If the file is damaged or has no rows.
    """
    try:
        raw_names = scan.collect_schema().names()
        n_rows = int(scan.select(pl.len()).collect().item())
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(
            f"The {title} file `{origin}` is damaged ({str(error).splitlines()[0][:120]}). Copy or "
            "export it again."
        ) from None
    if n_rows == 0:
        raise DataError(f"The {title} file `{origin}` holds no rows. Export the data again.")
    return ScannedPart(scan, tuple(raw_names), n_rows, origin, title)


def read_scan(part: ScannedPart, selection: Selection) -> Dataset:
    """Read a columnar file; above 30 million cells its rows stay on disk until they are needed.

    Raises
    ------
    DataError
        If the file is damaged, or a column holds no single values.
    """
    selection.check(part.names)
    chosen = [
        (raw, wanted)
        for raw, name in zip(part.raw_names, part.names, strict=True)
        if (wanted := selection.wanted(name)) is not None
    ]
    is_small = part.n_rows * len(chosen) <= _MAX_CELLS_IN_MEMORY
    collected: list[Collected] = []
    for raw, each in chosen:
        result = typed_column(part.column(raw), each)
        collected.append(result if is_small else replace(result, values=result.values.clear()))
    schema = Schema(each.column for each in collected)
    findings = tuple(finding for each in collected for finding in each.findings)
    if is_small:
        rows = pl.DataFrame([each.values for each in collected]).lazy()
    else:
        rows = part.scan.select(
            _lazily(raw, result.column, part.origin)
            for (raw, _), result in zip(chosen, collected, strict=True)
        )
    renamed = _renamed(part.raw_names, [name for name in part.names if name in schema])
    return Dataset(rows, schema, part.n_rows, part.origin, (*renamed, *findings), (("format", part.title),))


def _lazily(raw: str, column: Column, origin: str) -> pl.Expr:
    """Return the expression that reads a column the way it was found."""
    wanted = Wanted(column.name, (), column=column, origin=origin)
    dtype = CANONICAL[column.storage]

    def convert(series: pl.Series) -> pl.Series:
        return typed_column(series, wanted).values.cast(dtype)

    return pl.col(raw).map_batches(convert, return_dtype=dtype, is_elementwise=True).alias(column.name)


def _renamed(names: Sequence[str], kept: Sequence[str]) -> tuple[Finding, ...]:
    changed = [
        (old, new) for old, new in zip(names, unique_names(names), strict=True) if old != new and new in kept
    ]
    if not changed:
        return ()
    shown = ", ".join(f"`{old}` → `{new}`" for old, new in changed[:8])
    return (
        Finding(
            "D002",
            "warning",
            f"{len(changed)} column name(s) were blank or taken, and changed: {shown}.",
            "Give every column a name of its own in the file.",
            {"renamed": [[old, new] for old, new in changed[:50]]},
        ),
    )
