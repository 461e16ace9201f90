"""SQLite files: tables, queries, and nothing written."""

import gzip
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from groundup.core.errors import DataError
from groundup.data import sqlite_file
from groundup.data.options import DataOptions
from groundup.data.sources import read


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "shop #1?.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute('CREATE TABLE "my ""orders""" (n, day TEXT, ok BOOLEAN)')
        rows = [(1, "2020-01-01", 1), (2.5, "2020-01-02", 0), ("n/a", None, None)]
        connection.executemany('INSERT INTO "my ""orders""" VALUES (?, ?, ?)', rows)
        connection.execute("CREATE TABLE other (x INTEGER PRIMARY KEY AUTOINCREMENT)")
    return path


def test_a_table_is_read_whatever_its_name(database: Path) -> None:
    dataset = read(DataOptions(source=str(database), table='my "orders"'))
    assert [column.kind for column in dataset.schema] == ["number", "datetime", "boolean"]
    assert dataset.frame()["n"].to_list() == [1.0, 2.5, None]
    assert dataset.read_as == {"table": 'my "orders"'}
    assert read(DataOptions(source=f'{database}!my "orders"')).frame().equals(dataset.frame())


def test_a_query_is_read_in_blocks(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_file, "_N_ROWS_A_FRAME", 1)
    query = 'SELECT n, upper(day) AS day FROM "my ""orders""" WHERE ok IS NOT NULL;'
    dataset = read(DataOptions(source=str(database), query=query))
    assert dataset.frame()["n"].to_list() == [1.0, 2.5]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, r"holds 2 tables: `my \"orders\"`, `other`. Name one: set data.table"),
        ({"table": "othr"}, "no table `othr`. Did you mean `other`"),
        ({"table": "other"}, "`other` in .* holds no rows"),
        ({"query": "DELETE FROM other"}, "may only read"),
        ({"query": "DROP TABLE other"}, "may only read"),
        ({"query": "ATTACH 'x.db' AS y"}, "may only read"),
        ({"query": "PRAGMA journal_mode = WAL"}, "may only read"),
        ({"query": "SELECT 1; DROP TABLE other"}, "cannot run .* one statement"),
        ({"query": "SELECT x FROM gone"}, "cannot run `SELECT x FROM gone`: no such table"),
        ({"query": "SELECT 1", "table": "other"}, "Both a table and data.query"),
    ],
)
def test_what_cannot_be_read_is_an_error(database: Path, options: dict[str, str], message: str) -> None:
    before = database.read_bytes()
    with pytest.raises(DataError, match=message):
        read(DataOptions(source=str(database), **options))  # type: ignore[arg-type]
    assert database.read_bytes() == before
    assert [each.name for each in database.parent.iterdir()] == [database.name]


def test_a_locked_database_is_an_error(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_file, "_WAIT_SECONDS", 0.0)
    with closing(sqlite3.connect(database, isolation_level=None)) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        with pytest.raises(DataError, match="is locked by a program"):
            read(DataOptions(source=str(database)))


def test_encrypted_and_damaged_files_are_errors(tmp_path: Path, database: Path) -> None:
    path = tmp_path / "secret.sqlite"
    path.write_bytes(bytes(range(256)) * 32)
    with pytest.raises(DataError, match="encrypted, or damaged"):
        read(DataOptions(source=str(path)))
    content = database.read_bytes()
    path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))
    with pytest.raises(DataError, match=r"is damaged|cannot run"):
        read(DataOptions(source=str(path), table="other"))


def test_a_packed_database_is_read_in_memory(tmp_path: Path, database: Path) -> None:
    path = tmp_path / "x.db.gz"
    path.write_bytes(gzip.compress(database.read_bytes()))
    assert read(DataOptions(source=str(path), table='my "orders"')).n_rows == 3
