"""Spreadsheets (.xlsx, .xls, .xlsb, .ods): a sheet is read as the text file it would be saved as.

So titles above the table, blank rows, missing names and footers are treated, and told, as in a CSV.
"""

import io
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

import polars as pl

from groundup.core.errors import DataError, MissingExtraError, did_you_mean
from groundup.data.dialect import Dialect
from groundup.data.options import DataOptions
from groundup.data.parts import Told
from groundup.data.stored import Stored
from groundup.data.tables import TextPart

_DIALECT: Final = Dialect(",")


@dataclass(frozen=True)
class _Sheet(Stored):
    """A sheet as the CSV file it would be saved as; its line numbers are the sheet's rows."""

    content: bytes = b""

    def _raw(self, files: ExitStack) -> BinaryIO:
        return files.enter_context(io.BytesIO(self.content))

    @property
    def compression(self) -> str:
        return ""


class SheetPart:
    """The table of one sheet.

    Parameters
    ----------
    stored : Stored
        The workbook.
    options : DataOptions
        Whether there is a header, where that is given.
    sheet : str
        Its name.
    n_sheets : int
        How many sheets the workbook has.
    content : bytes
        The sheet as a CSV file.
    """

    def __init__(
        self, stored: Stored, options: DataOptions, sheet: str, n_sheets: int, content: bytes
    ) -> None:
        self.sheet, self.n_sheets = sheet, n_sheets
        self._text = TextPart(_Sheet(stored.path, stored.member, sheet, content=content), options, _DIALECT)
        self.names: Sequence[str] | None = self._text.names
        self.unnamed = self._text.unnamed

    def frames(self) -> Iterator[pl.DataFrame]:
        """Yield the rows as text."""
        return self._text.frames()

    def told(self, n_rows: int, padding: Sequence[str]) -> Told:
        """Return what there is to tell; see `Part.told`."""
        told = self._text.told(n_rows, padding)
        shown = f"`{self.sheet}`" if self.n_sheets == 1 else f"`{self.sheet}`, one of {self.n_sheets}"
        header = told.read_as["header"]
        facts = (("format", "spreadsheet"), ("sheet", shown), ("header", "first row" if header else "none"))
        return Told(told.findings, facts, {"header": header, "table": self.sheet})


def open_workbook(stored: Stored, options: DataOptions) -> SheetPart:
    """Open the sheet that was named, or the first that holds anything.

    Raises
    ------
    DataError
        If the workbook is damaged or encrypted, or has no such sheet.
    MissingExtraError
        If the package that reads workbooks is not installed.
    """
    try:
        import fastexcel
    except ImportError:
        raise MissingExtraError("fastexcel", "excel", purpose=f"Reading the spreadsheet `{stored}`") from None
    place = stored.place()
    source = str(place) if isinstance(place, Path) else place.getvalue()
    try:
        book = fastexcel.read_excel(source)
    except fastexcel.FastExcelError as error:
        raise _unreadable(stored, error) from None
    for name in _chosen(book.sheet_names, stored, options):
        content = _content(book, name, stored)
        if content.strip(b",\n"):
            return SheetPart(stored, options, name, len(book.sheet_names), content)
    raise DataError(f"`{stored}` holds no cells with anything in them. Check that it is the right file.")


def _chosen(sheets: list[str], stored: Stored, options: DataOptions) -> list[str]:
    named = stored.table or options.table
    if named is None:
        return sheets
    if named not in sheets:
        raise DataError(f"The workbook `{stored}` has no sheet `{named}`.{did_you_mean(named, sheets)}")
    return [named]


def _content(book: Any, sheet: str, stored: Stored) -> bytes:
    import fastexcel

    try:
        # `skip_rows=0` keeps empty rows at the top, so that lines are counted as the program shows them.
        cells = book.load_sheet(sheet, header_row=None, skip_rows=0, dtypes="string").to_polars()
    except fastexcel.FastExcelError as error:
        raise _unreadable(stored, error) from None
    if not isinstance(cells, pl.DataFrame) or cells.is_empty():
        return b""
    return cells.write_csv(include_header=False).encode()


def _unreadable(stored: Stored, error: Exception) -> DataError:
    reason = str(error).splitlines()[0].removeprefix("calamine error: ")[:160]
    if "password" in reason.lower() or "encrypt" in str(error).lower():
        return DataError(f"The workbook `{stored}` is protected by a password. Save it without one.")
    return DataError(
        f"`{stored}` cannot be read as a spreadsheet ({reason}). Open it in a spreadsheet program and "
        "save it as .xlsx or CSV."
    )
