"""Which rows of a database file are meant: one of its tables, or those of a query."""

from collections.abc import Sequence

from groundup.core.errors import DataError, did_you_mean
from groundup.data.options import DataOptions
from groundup.data.stored import Stored


def chosen_query(stored: Stored, options: DataOptions, tables: Sequence[str]) -> tuple[str, str | None]:
    """Return the query to run, and the table that it reads as a whole, if any.

    Parameters
    ----------
    stored : Stored
        The file; its `table` stands behind the `!` of the source.
    options : DataOptions
        `table` and `query`.
    tables : sequence of str
        What the file holds.

    Raises
    ------
    DataError
        If there is no such table, or several and none is named.

    Examples
    --------
    >>> from pathlib import Path
    >>> chosen_query(Stored(Path("shop.db")), DataOptions(), ['my "orders"'])
    ('SELECT * FROM "my ""orders\"\"\"', 'my "orders"')
    """
    named = stored.table or options.table
    if options.query is not None:
        if named is not None:
            raise DataError("Both a table and data.query are named. Leave one of them out.")
        return options.query.strip().rstrip(";"), None
    if named is None:
        if not tables:
            raise DataError(f"The database `{stored}` holds no tables. Check that it is the right file.")
        if len(tables) > 1:
            shown = ", ".join(f"`{name}`" for name in tables[:12])
            more = f" and {len(tables) - 12} more" if len(tables) > 12 else ""
            raise DataError(
                f"The database `{stored}` holds {len(tables)} tables: {shown}{more}. Name one: "
                f"set data.table, or write `{stored}!{tables[0]}`."
            )
        named = tables[0]
    elif named not in tables:
        raise DataError(f"The database `{stored}` has no table `{named}`.{did_you_mean(named, tables)}")
    return f"SELECT * FROM {quoted(named)}", named  # noqa: S608


def quoted(name: str) -> str:
    """Return an SQL name in quotes, whatever stands in it.

    Examples
    --------
    >>> quoted('a "b"')
    '"a ""b\"\"\"'
    """
    return '"' + name.replace('"', '""') + '"'
