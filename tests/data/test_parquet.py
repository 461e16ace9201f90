"""Parquet files: read column by column, lazily where they are large."""

import datetime as dt
from pathlib import Path

import polars as pl
import pytest

from groundup.core.errors import DataError
from groundup.data import scanned as scanned_module
from groundup.data.fingerprint import fingerprint
from groundup.data.options import DataOptions
from groundup.data.sources import read

TABLE = pl.DataFrame(
    {
        "n": [1, 2, None, 4],
        "x": [0.5, float("inf"), float("nan"), -1.0],
        "price": ["1,5", "2,25", "NA", "3"],
        "when": [dt.date(2020, 1, day) for day in (1, 2, 3, 4)],
        "city": ["Bonn", "Ulm", None, "Ulm"],
        "ok": [True, False, None, True],
    }
)


def test_a_large_file_is_scanned_and_gives_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.parquet"
    TABLE.write_parquet(path, row_group_size=2)
    in_memory = read(DataOptions(source=str(path)))
    monkeypatch.setattr(scanned_module, "_MAX_CELLS_IN_MEMORY", 0)
    scanned = read(DataOptions(source=str(path)))
    assert "PARQUET" in scanned.rows.explain().upper()
    assert scanned.frame().equals(in_memory.frame())
    assert scanned.schema == in_memory.schema
    assert scanned.findings == in_memory.findings
    assert fingerprint(scanned) == fingerprint(in_memory)
    assert [len(batch) for batch in scanned.batches(3)] == [3, 1]


def test_the_content_counts_not_the_name(tmp_path: Path) -> None:
    path = tmp_path / "table.data"
    TABLE.write_parquet(path)
    dataset = read(DataOptions(source=str(path)))
    assert dataset.frame()["price"].to_list() == [1.5, 2.25, None, 3.0]
    assert [finding.code for finding in dataset.findings] == ["D009"]


def test_names_with_patterns_are_plain_names(tmp_path: Path) -> None:
    path = tmp_path / "[table]*.parquet"
    TABLE.write_parquet(path)
    assert read(DataOptions(source=str(path))).n_rows == 4


@pytest.mark.parametrize(
    ("content", "message"), [(b"PAR1abcdef", "is damaged"), (b"PAR1" + b"\x00" * 99, "is damaged")]
)
def test_a_damaged_file_is_an_error(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "x.parquet"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        read(DataOptions(source=str(path)))


def test_a_file_without_rows_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    TABLE.clear().write_parquet(path)
    with pytest.raises(DataError, match="holds no rows"):
        read(DataOptions(source=str(path)))
