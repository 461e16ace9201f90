"""Plain tables: a header, aligned columns, no lines."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from groundup.cli.console import styled

if TYPE_CHECKING:
    from rich.table import Table


def make_table(
    headers: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    bold_row: int | None = None,
    wrapped: Sequence[str] = (),
) -> "Table":
    """Return a table indented by two columns.

    Parameters
    ----------
    headers : sequence of str
        One a column.
    rows : iterable of sequence of str
        One cell a column.
    bold_row : int or None, default=None
        The row to stress.
    wrapped : sequence of str, default=()
        Headers of the columns that give way where the terminal is narrow.
    """
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    table.add_column("", width=0)
    for header in headers:
        table.add_column(styled(header), no_wrap=header not in wrapped, overflow="fold")
    for index, row in enumerate(rows):
        table.add_row("", *map(styled, row), style="bold" if index == bold_row else None)
    return table
