"""Rows of a text file: fast where they are well-formed, tolerant where not, none lost."""

import csv
import io
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundup.core.errors import DataError
from groundup.data import records as records_module
from groundup.data.dialect import Dialect
from groundup.data.records import Records
from groundup.data.text import TextFile


def read_records(
    path: Path, text: str, n_columns: int, **dialect: object
) -> tuple[list[tuple[str, ...]], Records]:
    path.write_bytes(text.encode())
    records = Records(TextFile(path, "utf-8"), Dialect(",", n_columns=n_columns, **dialect))  # type: ignore[arg-type]
    frame = pl.concat(list(records.frames()))
    return frame.fill_null("").rows(), records


def test_short_and_long_rows_are_made_to_fit_and_counted(tmp_path: Path) -> None:
    rows, records = read_records(tmp_path / "x", "1,2,3\n4,5\n6,7,8,9\n\n10,11,12,\n13,14,15\n", 3)
    assert rows == [("1", "2", "3"), ("4", "5", ""), ("6", "7", "8"), ("10", "11", "12"), ("13", "14", "15")]
    assert (records.problems.short, records.problems.long, records.problems.blank) == ([2], [3], [4])
    assert records.problems.first_long == "9"


def test_a_quote_that_is_never_closed_swallows_nothing(tmp_path: Path) -> None:
    rows, records = read_records(tmp_path / "x", 'a,"b,c\n1,2,3\n4,5,6\n', 3)
    assert rows == [("a", '"b', "c"), ("1", "2", "3"), ("4", "5", "6")]
    assert records.problems.open_quotes == [1]


def test_two_stray_quotes_swallow_nothing(tmp_path: Path) -> None:
    rows, records = read_records(tmp_path / "x", 'a,"b\n1,2\n3,4\nc,"d\n"x, y",5\n', 2)
    assert rows == [("a", '"b'), ("1", "2"), ("3", "4"), ("c", '"d'), ("x, y", "5")]
    assert records.problems.open_quotes == [1]


def test_a_row_without_end_is_an_error_with_its_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records_module, "_MIN_BLOCK_BYTES", 64)
    monkeypatch.setattr(records_module, "_MAX_ROW_BYTES", 1024)
    monkeypatch.setattr("groundup.data.text.BLOCK_BYTES", 64)
    with pytest.raises(DataError, match=r"line 3: the row that starts here .* never closed"):
        read_records(tmp_path / "x", '1,2\n3,4\n5,"6\n' + "7,8\n" * 1000, 2)


def test_line_ends_inside_of_fields_are_kept(tmp_path: Path) -> None:
    rows, _ = read_records(tmp_path / "x", 'a,"b\r\nc"\r\nd,"e\nf"\r\ng,h\r\n', 2)
    assert rows == [("a", "b\r\nc"), ("d", "e\nf"), ("g", "h")]


def test_lines_of_old_macs_are_lines(tmp_path: Path) -> None:
    rows, _ = read_records(tmp_path / "x", "1,2\r3,4\r", 2)
    assert rows == [("1", "2"), ("3", "4")]


def test_a_field_may_be_long(tmp_path: Path) -> None:
    rows, _ = read_records(tmp_path / "x", f'1,"{"long " * 60_000}"x\n2,y\n', 2)
    assert [len(row[1]) for row in rows] == [300_001, 1]


def test_padding_at_the_end_is_no_data(tmp_path: Path) -> None:
    rows, records = read_records(tmp_path / "x", "1,2,3\n4,5,6\n,,\nSource: me,,\n,,\n,,\n", 3)
    assert rows == [("1", "2", "3"), ("4", "5", "6")]
    assert records.problems.footer == ["Source: me"]
    assert records.problems.n_empty_rows_at_end == 3


def test_an_empty_row_in_the_middle_stays(tmp_path: Path) -> None:
    rows, _ = read_records(tmp_path / "x", "1,2\n,\n3,4\n", 2)
    assert rows == [("1", "2"), ("", ""), ("3", "4")]


cells = st.text(st.sampled_from(list("ab1 ,;\"\n'é名")), max_size=6)


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.lists(cells, min_size=3, max_size=3), min_size=1, max_size=20),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC]),
    st.sampled_from(["\n", "\r\n"]),
    st.integers(8, 200),
)
def test_whatever_is_written_is_read_again_in_blocks_of_any_size(
    tmp_path_factory: pytest.TempPathFactory, table: list[list[str]], quoting: int, line_end: str, size: int
) -> None:
    table = [["x", *row[1:]] for row in table]
    text = io.StringIO()
    csv.writer(text, quoting=quoting, lineterminator=line_end).writerows(table)  # type: ignore[arg-type]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records_module, "_MIN_BLOCK_BYTES", size)
        patch.setattr("groundup.data.text.BLOCK_BYTES", size)
        rows, records = read_records(tmp_path_factory.mktemp("csv") / "x", text.getvalue(), 3)
    assert [list(row) for row in rows] == table
    assert not records.problems.short
    assert not records.problems.long


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.lists(st.sampled_from(["a", "1", "", "x y"]), max_size=6), min_size=1, max_size=30),
    st.integers(8, 99),
)
def test_ragged_rows_are_never_lost(
    tmp_path_factory: pytest.TempPathFactory, table: list[list[str]], size: int
) -> None:
    lines = [",".join(["r", *row]) for row in table]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records_module, "_MIN_BLOCK_BYTES", size)
        patch.setattr("groundup.data.text.BLOCK_BYTES", size)
        rows, records = read_records(tmp_path_factory.mktemp("csv") / "x", "\n".join(lines), 4)
    assert len(rows) == len(table)
    for row, line in zip(rows, lines, strict=True):
        assert row == tuple([*line.split(","), "", "", "", ""][:4])
    widths = [line.count(",") + 1 for line in lines]
    assert records.problems.short == [index + 1 for index, width in enumerate(widths) if width < 4]
    long = [index + 1 for index, line in enumerate(lines) if any(line.split(",")[4:])]
    assert records.problems.long == long
