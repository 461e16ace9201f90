"""Several files become one table: columns united, typed together, and every difference told."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from groundup.core.errors import DataError, UnknownColumnError
from groundup.data.dataset import Dataset
from groundup.data.options import DataOptions
from groundup.data.sources import read


def read_files(folder: Path, *contents: str, **options: Any) -> Dataset:
    for index, content in enumerate(contents):
        (folder / f"part-{index}.csv").write_text(content)
    return read(DataOptions(source=str(folder / "*.csv"), **options))


def test_columns_are_united_and_rows_keep_their_order(tmp_path: Path) -> None:
    dataset = read_files(tmp_path, "a,b\n1,x\n2,y\n", "c;a\n2020-01-01;3\n2020-01-02;4\n", "b,a\nz,5\n")
    assert dataset.schema.names == ("a", "b", "c")
    assert dataset.frame()["a"].to_list() == [1, 2, 3, 4, 5]
    assert dataset.frame()["b"].to_list() == ["x", "y", None, None, "z"]
    assert dataset.frame()["c"].null_count() == 3
    (finding,) = [each for each in dataset.findings if each.code == "D014"]
    assert "`part-0.csv` lacks `c`; `part-1.csv` lacks `b`; `part-2.csv` lacks `c`" in finding.message
    assert dataset.origin.endswith("*.csv (3 files)")
    assert "delimiter" not in dataset.read_as


def test_types_are_decided_over_all_files(tmp_path: Path) -> None:
    whole, text = "x,y\n1,1\n2,2\n", "x,y\n2.5,a\n3,b\n"
    for contents in ((whole, text), (text, whole)):
        frame = read_files(tmp_path, *contents).frame()
        assert frame.dtypes == [pl.Float64, pl.String]
        assert frame.filter(pl.col("x") == 1)["y"].to_list() == ["1"]


def test_typed_and_text_files_are_typed_together(tmp_path: Path) -> None:
    (tmp_path / "0.csv").write_text('n,day,mix\n"1.234,5",2020-01-31,a\n"2,5",2020-02-01,b\n')
    pl.DataFrame({"n": [7.25], "day": ["2021-03-01"], "mix": [True]}).with_columns(
        pl.col("day").str.to_date()
    ).write_parquet(tmp_path / "1.parquet")
    pl.DataFrame({"n": [3], "mix": [None]}).write_ipc(tmp_path / "2.arrow")
    frame = read(DataOptions(source=str(tmp_path), columns={"mix": "category"})).frame()
    assert frame["mix"].to_list() == ["a", "b", "true", None]
    assert str(frame["day"][2])[:10] == "2021-03-01"
    assert len(frame) == 4


def test_the_file_becomes_a_column_where_that_is_asked(tmp_path: Path) -> None:
    dataset = read_files(tmp_path, "a\n1\n2\n", "a\n3\n", file_column="file")
    assert dataset.frame()["file"].to_list() == ["part-0.csv", "part-0.csv", "part-1.csv"]
    with pytest.raises(DataError, match="already is a column `a`"):
        read_files(tmp_path, "a\n1\n2\n", "a\n3\n", file_column="a")


def test_strangers_are_not_one_table(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"`part-1.csv` has no column in common"):
        read_files(tmp_path, "a,b\n1,2\n", "c,d\n1,2\n")


def test_a_value_that_does_not_fit_is_located_in_its_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"part-1.csv, row 2, column `a`: `oops` is no number"):
        read_files(tmp_path, "a,b\n1,2\n2,3\n", "a,b\n1,2\noops,3\n", columns={"a": "number"})


def test_options_may_only_name_columns_that_some_file_has(tmp_path: Path) -> None:
    contents = ("a,b\n1,2\n2,3\n", "a,c\n1,2\n2,3\n")
    assert read_files(tmp_path, *contents, drop=("c",)).schema.names == ("a", "b")
    with pytest.raises(UnknownColumnError, match="no column `z`"):
        read_files(tmp_path, *contents, drop=("z",))


def test_findings_of_many_files_are_summed_up(tmp_path: Path) -> None:
    dataset = read_files(tmp_path, *["a,b\n1,2\n1,2,3\n4,5\n"] * 9)
    told = [each.message for each in dataset.findings if each.code == "D001"]
    assert len(told) == 4
    assert told[-1].startswith("The same holds for 6 more file(s): `part-3.csv`")


def test_files_without_rows_are_fine_unless_all_are(tmp_path: Path) -> None:
    assert read_files(tmp_path, "a,b\n", "a,b\n1,2\n3,4\n").n_rows == 2
    with pytest.raises(DataError, match="None of the 2 files holds any rows"):
        read_files(tmp_path, "a,b\n", "a,b\n")


def test_later_files_follow_the_schema(tmp_path: Path) -> None:
    schema = read_files(tmp_path, "a,b\n1,x\n2,y\n", "a,b\n3,z\n").schema
    later = read(
        DataOptions(source=(str(tmp_path / "part-1.csv"), str(tmp_path / "part-0.csv"))), schema=schema
    )
    assert later.frame().rows() == [(3, "z"), (1, "x"), (2, "y")]
