"""DuckDB files: a table, or the rows of a query; opened so that nothing can be written or read elsewhere."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

import numpy as np
import polars as pl

from groundup.core.errors import DataError, MissingExtraError
from groundup.data.databases import chosen_query, quoted
from groundup.data.frames import unique_names
from groundup.data.json_values import column_of
from groundup.data.options import DataOptions
from groundup.data.parts import Told
from groundup.data.stored import Stored


class DuckdbPart:
    """The rows of a query on a DuckDB file.

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
        if not stored.is_plain_file:
            raise DataError(
                f"A DuckDB file cannot be read while it is packed: unpack `{stored}` and read that."
            )
        with closing(self._connect()) as connection:
            names = self._run(
                connection,
                "SELECT table_schema, table_name FROM information_schema.tables "
                "ORDER BY table_schema <> 'main', 1, 2",
            ).fetchall()
            tables = {
                name if schema == "main" else f"{schema}.{name}": (schema, name) for schema, name in names
            }
            query, self.table = chosen_query(stored, options, list(tables))
            if self.table is not None:
                query = f"SELECT * FROM {'.'.join(map(quoted, tables[self.table]))}"  # noqa: S608
            self.query = query
            described = self._run(connection, f"DESCRIBE SELECT * FROM ({query})").fetchall()  # noqa: S608
        raw = [str(row[0]) for row in described]
        self.names: Sequence[str] | None = unique_names(raw)
        # A moment with a zone needs the package pytz on its way into Python; without one it does not.
        zoned = [str(row[0]) for row in described if str(row[1]) == "TIMESTAMP WITH TIME ZONE"]
        plain = ", ".join(f"make_timestamp(epoch_us({quoted(name)})) AS {quoted(name)}" for name in zoned)
        self._select = f"SELECT *{f' REPLACE ({plain})' if zoned else ''} FROM ({query})"  # noqa: S608

    def _connect(self) -> Any:
        try:
            import duckdb
        except ImportError:
            raise MissingExtraError(
                "duckdb", "duckdb", purpose=f"Reading the database `{self.stored}`"
            ) from None
        try:
            connection = duckdb.connect(str(self.stored.path), read_only=True)
            # Read-only alone would still let a query write files (COPY) and read others.
            connection.execute("SET enable_external_access = false")
            connection.execute("SET lock_configuration = true")
        except duckdb.Error as error:
            raise self._explained(error) from None
        return connection

    def _run(self, connection: Any, query: str) -> Any:
        import duckdb

        try:
            return connection.execute(query)
        except duckdb.Error as error:
            raise self._explained(error, query) from None

    def frames(self) -> Iterator[pl.DataFrame]:
        """Yield all rows at once."""
        import duckdb

        with closing(self._connect()) as connection:
            try:
                # Relations would be quicker to Arrow, but need pyarrow and print a warning at exit.
                columns: Mapping[str, Any] = self._run(connection, self._select).fetchnumpy()
            except duckdb.Error as error:
                raise self._explained(error, self.query) from None
            yield pl.DataFrame(
                [
                    _column(name, values, str(self.stored))
                    for name, values in zip(self.names or (), columns.values(), strict=True)
                ]
            )

    def told(self, n_rows: int, padding: Sequence[str]) -> Told:  # noqa: ARG002  # the contract's parameters
        """Return what there is to tell; see `Part.told`."""
        what = f"The table `{self.table}`" if self.table else "The result of data.query"
        if n_rows == 0:
            raise DataError(f"{what} in `{self.stored}` holds no rows.")
        facts = (
            ("format", "DuckDB"),
            ("table", f"`{self.table}`") if self.table else ("query", self.query[:200]),
        )
        return Told(facts=facts, read_as={"table": self.table} if self.table else {})

    def _explained(self, error: Exception, query: str | None = None) -> DataError:
        reason = str(error).splitlines()[0][:200]
        if "lock" in reason.lower() and query is None:
            return DataError(f"The database `{self.stored}` is in use by another program. Close it there.")
        if query is None:
            return DataError(f"Cannot read the database `{self.stored}`: {reason}. Check the file.")
        return DataError(
            f"The database `{self.stored}` cannot run `{query[:120]}`: {reason}. data.query must be a single "
            "SELECT that reads this file only."
        )


def _column(name: str, values: Any, origin: str) -> pl.Series:
    missing = np.ma.getmaskarray(values)
    plain = np.ma.getdata(values)
    if plain.dtype.kind == "O":
        items = [None if is_missing else _item(item) for item, is_missing in zip(plain, missing, strict=True)]
        return column_of(name, items, origin)
    series = pl.Series(name, plain)
    if not missing.any():
        return series
    return pl.select(pl.when(~pl.Series(missing)).then(series).alias(name)).to_series()


def _item(item: Any) -> Any:
    if item is None or isinstance(item, str | bytes):
        return item
    if isinstance(item, list | dict | np.ndarray):
        return json.dumps(
            item.tolist() if isinstance(item, np.ndarray) else item, default=str, ensure_ascii=False
        )
    return str(item)


def open_duckdb(stored: Stored, options: DataOptions) -> DuckdbPart:
    """Open a table or a query of a DuckDB file.

    Raises
    ------
    DataError
        If the file is in use or damaged, or it is not plain which table is meant.
    MissingExtraError
        If duckdb is not installed.
    """
    return DuckdbPart(stored, options)
