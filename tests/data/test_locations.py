"""Patterns, folders and lists of files."""

from pathlib import Path

import pytest

from groundup.core.errors import DataError
from groundup.data.locations import find_files


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.csv", "a.csv", "c.tsv", "README.md", ".hidden.csv", "we!rd[1].csv"):
        (tmp_path / name).write_text("x\n1\n")
    return tmp_path


def test_patterns_and_folders_are_sorted_and_lists_keep_their_order(folder: Path) -> None:
    assert [each.name for each in find_files(f"{folder}/?.csv")] == ["a.csv", "b.csv"]
    assert [each.name for each in find_files(str(folder))] == ["a.csv", "b.csv", "c.tsv", "we!rd[1].csv"]
    named = (str(folder / "c.tsv"), f"{folder}/[ab].csv")
    assert [each.name for each in find_files(named)] == ["c.tsv", "a.csv", "b.csv"]


def test_a_file_is_itself_whatever_its_name(folder: Path) -> None:
    assert [each.name for each in find_files(str(folder / "we!rd[1].csv"))] == ["we!rd[1].csv"]
    (inside,) = find_files(f"{folder}/we!rd[1].csv!sheet")
    assert (inside.name, inside.table) == ("we!rd[1].csv", "sheet")


def test_what_means_no_file_is_an_error(folder: Path) -> None:
    with pytest.raises(DataError, match=r"No file fits the pattern"):
        find_files(f"{folder}/*.parquet")
    with pytest.raises(DataError, match="empty list"):
        find_files(())
    with pytest.raises(DataError, match="There is no file"):
        find_files(f"{folder}/gone.csv!sheet")
    (folder / "sub").mkdir()
    with pytest.raises(DataError, match="a folder without tables; it holds no files"):
        find_files(str(folder / "sub"))
