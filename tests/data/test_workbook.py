"""Spreadsheets: sheets, titles above the table, damaged files."""

import sys
from pathlib import Path

import pytest
import xlsxwriter

from groundup.core.errors import DataError, MissingExtraError
from groundup.data.options import DataOptions
from groundup.data.sources import read


@pytest.fixture
def book(tmp_path: Path) -> Path:
    path = tmp_path / "book.xlsx"
    with xlsxwriter.Workbook(path) as workbook:
        workbook.add_worksheet("empty")
        sheet = workbook.add_worksheet("houses")
        sheet.write("A1", "Prices of 2024")
        rows = [["id", "price", "note"], ["007", 1.5, 'a "b", c'], ["008", 2, "x\ny"], ["009", "n/a", None]]
        for position, row in enumerate(rows, start=2):
            sheet.write_row(position, 0, row)
        workbook.add_worksheet("other").write_column(0, 0, ["a", 1, 2])
    return path


def test_the_first_sheet_with_anything_in_it_is_read(book: Path) -> None:
    dataset = read(DataOptions(source=str(book)))
    assert dataset.frame().rows() == [("007", 1.5, 'a "b", c'), ("008", 2.0, "x\ny"), ("009", None, None)]
    assert dict(dataset.facts)["sheet"] == "`houses`, one of 3"
    assert dataset.read_as == {"header": True, "table": "houses"}
    (finding,) = dataset.findings
    assert (finding.code, finding.evidence["above"]) == ("D013", ["Prices of 2024"])


def test_a_sheet_can_be_named(book: Path) -> None:
    assert read(DataOptions(source=str(book), table="other")).schema.names == ("a",)
    assert read(DataOptions(source=f"{book}!other")).schema.names == ("a",)
    with pytest.raises(DataError, match=r"no sheet `othr`. Did you mean `other`"):
        read(DataOptions(source=str(book), table="othr"))
    with pytest.raises(DataError, match="no cells with anything"):
        read(DataOptions(source=str(book), table="empty"))


def test_a_damaged_workbook_is_an_error(book: Path) -> None:
    content = book.read_bytes()
    book.write_bytes(content[:200])
    with pytest.raises(DataError, match="is damaged"):
        read(DataOptions(source=str(book)))
    book.write_bytes(content.replace(b"xl/worksheets/sheet2.xml", b"xl/worksheets/sheet9.xml"))
    with pytest.raises(DataError, match=r"cannot be read as a spreadsheet|holds no cells"):
        read(DataOptions(source=f"{book}!houses"))
    book.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    with pytest.raises(DataError, match="cannot be read as a spreadsheet"):
        read(DataOptions(source=str(book)))


def test_a_missing_package_is_named(book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fastexcel", None)
    with pytest.raises(MissingExtraError, match=r'pip install "groundup\[excel\]"'):
        read(DataOptions(source=str(book)))
