"""SQLite files: a table, or the rows of a query; opened so that nothing can be written."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import polars as pl

from groundup.core.errors import DataError
from groundup.data.databases import chosen_query
from groundup.data.frames import unique_names
from groundup.data.json_values import column_of
from groundup.data.options import DataOptions
from groundup.data.parts import Told
from groundup.data.stored import Stored

_N_ROWS_A_FRAME: Final = 50_000
_WAIT_SECONDS: Final = 5.0
_READS: Final = frozenset(
    {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
)


class SqlitePart:
    """The rows of a query on an SQLite file.

    Parameters
    ----------
    stored : Stored
        The file.
    options : DataOptions
        Which table, or which query.
    """

    unnamed: frozenset[str] = frozenset()

    def __init__(self, stored: Stored, options: DataOptions) -> None:
        self.stored = stored
        with closing(self._connect()) as connection:
            tables = [
                str(name)
                for (name,) in self._run(
                    connection,
                    "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') "
                    "AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
                )
            ]
            self.query, self.table = chosen_query(stored, options, tables)
            self._booleans = self._declared_booleans(connection)
            cursor = self._start(connection)
            if cursor.description is None:
                raise DataError(f"The query `{self.query[:120]}` gives no rows: data.query must be a SELECT.")
            self.names: Sequence[str] | None = unique_names([column[0] for column in cursor.description])

    def _connect(self) -> sqlite3.Connection:
        place = self.stored.place()
        try:
            if isinstance(place, Path):
                address = f"file:{quote(str(place.absolute()))}?mode=ro"
                connection = sqlite3.connect(address, uri=True, timeout=_WAIT_SECONDS)
            else:
                connection = sqlite3.connect(":memory:")
                connection.deserialize(place.getvalue())
        except sqlite3.Error as error:
            raise self._explained(error) from None
        return connection

    def _run(self, connection: sqlite3.Connection, query: str) -> sqlite3.Cursor:
        try:
            return connection.execute(query)
        except (sqlite3.Error, sqlite3.Warning) as error:
            raise self._explained(error, query) from None

    def _start(self, connection: sqlite3.Connection) -> sqlite3.Cursor:
        """Run the query, which a user may have written, and which may only read."""
        connection.set_authorizer(_only_reading)
        return self._run(connection, self.query)

    def _declared_booleans(self, connection: sqlite3.Connection) -> set[str]:
        """Return the columns of the table that are declared as boolean, which SQLite stores as 0 and 1."""
        if self.table is None:
            return set()
        rows = self._run(
            connection,
            f"SELECT name, type FROM pragma_table_info('{self.table.replace(chr(39), chr(39) * 2)}')",  # noqa: S608
        )
        return {str(name) for name, declared in rows if str(declared).upper().startswith("BOOL")}

    def frames(self) -> Iterator[pl.DataFrame]:
        """Yield the rows in blocks."""
        names = self.names or []
        with closing(self._connect()) as connection:
            cursor = self._start(connection)
            while rows := self._fetch(cursor):
                columns = zip(*rows, strict=True)
                yield pl.DataFrame(
                    [self._column(name, list(values)) for name, values in zip(names, columns, strict=True)]
                )

    def _fetch(self, cursor: sqlite3.Cursor) -> list[Any]:
        try:
            return cursor.fetchmany(_N_ROWS_A_FRAME)
        except sqlite3.Error as error:
            raise self._explained(error, self.query) from None

    def _column(self, name: str, values: list[Any]) -> pl.Series:
        if name in self._booleans and set(values) <= {0, 1, None}:
            return pl.Series(
                name, [None if value is None else bool(value) for value in values], dtype=pl.Boolean
            )
        return column_of(name, values, str(self.stored))

    def told(self, n_rows: int, padding: Sequence[str]) -> Told:  # noqa: ARG002  # the contract's parameters
        """Return what there is to tell; see `Part.told`."""
        what = f"The table `{self.table}`" if self.table else "The result of data.query"
        if n_rows == 0:
            raise DataError(f"{what} in `{self.stored}` holds no rows.")
        facts = (
            ("format", "SQLite"),
            ("table", f"`{self.table}`") if self.table else ("query", self.query[:200]),
        )
        return Told(facts=facts, read_as={"table": self.table} if self.table else {})

    def _explained(self, error: Exception, query: str | None = None) -> DataError:
        reason = str(error)
        if "locked" in reason or "busy" in reason:
            return DataError(
                f"The database `{self.stored}` is locked by a program that is writing to it. Wait for "
                "it, or close it."
            )
        if "not a database" in reason:
            return DataError(
                f"`{self.stored}` is no SQLite database that can be read: it is encrypted, or damaged."
            )
        if "malformed" in reason or "disk image" in reason:
            return DataError(f"The database `{self.stored}` is damaged ({reason}). Copy or export it again.")
        if reason == "not authorized" or "prohibited" in reason or "readonly" in reason:
            return DataError(
                f"data.query may only read, and `{(query or '')[:120]}` would do more. Write a SELECT."
            )
        if query is None:
            return DataError(f"Cannot read the database `{self.stored}`: {reason}. Check the file.")
        return DataError(
            f"The database `{self.stored}` cannot run `{query[:120]}`: {reason}. Correct the query."
        )


def _only_reading(action: int, *_: str | None) -> int:
    return sqlite3.SQLITE_OK if action in _READS else sqlite3.SQLITE_DENY


def open_sqlite(stored: Stored, options: DataOptions) -> SqlitePart:
    """Open a table or a query of an SQLite file.

    Raises
    ------
    DataError
        If the file is locked, encrypted or damaged, or it is not plain which table is meant.
    """
    return SqlitePart(stored, options)
