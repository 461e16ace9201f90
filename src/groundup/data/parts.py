"""A part: one file's table as it stands, before its columns are typed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import polars as pl

from groundup.core.findings import Finding


@dataclass(frozen=True)
class Told:
    """What there is to tell about a part once it has been read.

    Parameters
    ----------
    findings : tuple of Finding
        What was noticed.
    facts : tuple of (str, str)
        How it was read, for people.
    read_as : mapping
        How it was read, as options of the section `data`.
    """

    findings: tuple[Finding, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    read_as: Mapping[str, str | bool] = field(default_factory=dict)


class Part(Protocol):
    """One table whose columns are still as the file has them: text, or values with a type."""

    @property
    def names(self) -> Sequence[str] | None:
        """Its columns, unique and in order; None if only reading it tells."""

    @property
    def unnamed(self) -> frozenset[str]:
        """Columns without a name in the file: padding, where they hold nothing either."""

    def frames(self) -> Iterator[pl.DataFrame]:
        """Yield its rows in blocks, every time from the start; a block may lack columns."""

    def told(self, n_rows: int, padding: Sequence[str]) -> Told:
        """Return what there is to tell after `frames` was exhausted; `padding` was left out.

        Raises
        ------
        DataError
            If it has no rows and that is a fault.
        """


@dataclass(frozen=True)
class TypedPart:
    """A part in memory.

    Parameters
    ----------
    frame : polars.DataFrame
        Its rows.
    about : Told
        What there is to tell.
    unnamed : frozenset of str
        Columns without a name.
    """

    frame: pl.DataFrame
    about: Told = field(default_factory=Told)
    unnamed: frozenset[str] = frozenset()

    @property
    def names(self) -> Sequence[str]:
        """Its columns."""
        return self.frame.columns

    def frames(self) -> Iterator[pl.DataFrame]:
        """Yield all rows at once."""
        yield self.frame

    def told(self, n_rows: int, padding: Sequence[str]) -> Told:  # noqa: ARG002  # the contract's parameters
        """Return what there is to tell."""
        return self.about
