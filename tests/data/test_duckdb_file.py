"""DuckDB files: tables, types, and nothing written or read elsewhere."""

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from groundup.core.errors import DataError, MissingExtraError
from groundup.data.options import DataOptions
from groundup.data.sources import read


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "x.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "CREATE TABLE t AS SELECT * FROM (VALUES "
            "(1, 1.25::DECIMAL(9, 2), TIMESTAMPTZ '2020-01-01 12:00:00+02', DATE '2020-01-01', [1, 2], 'a'), "
            '(NULL, NULL, NULL, NULL, NULL, NULL)) v(n, price, moment, day, tags, "my ""name""")'
        )
        connection.execute("CREATE SCHEMA s; CREATE TABLE s.u AS SELECT 1 AS x")
    return path


def test_types_become_ours(database: Path) -> None:
    frame = read(DataOptions(source=str(database), table="t")).frame()
    assert [str(value) for value in frame.row(0)] == [
        "1",
        "1.25",
        "2020-01-01 10:00:00",
        "2020-01-01 00:00:00",
        "[1, 2]",
        "a",
    ]
    assert frame.row(1) == (None,) * 6
    assert frame.columns[-1] == 'my "name"'


def test_tables_of_other_schemas_and_queries(database: Path) -> None:
    assert read(DataOptions(source=f"{database}!s.u")).schema.names == ("x",)
    assert read(DataOptions(source=str(database), query="SELECT n + 1 AS m FROM t;")).n_rows == 2


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("CREATE TABLE y AS SELECT 1", "must be a single SELECT"),
        ("COPY t TO 'OUT'", "must be a single SELECT"),
        ("SELECT * FROM read_csv('OUT')", "must be a single SELECT"),
        ("SELECT 1) ; COPY t TO 'OUT'; SELECT * FROM (SELECT 1", "disabled by configuration"),
        ("SELECT x FROM gone", "gone"),
    ],
)
def test_a_query_may_only_read_this_file(database: Path, query: str, message: str) -> None:
    other = database.parent / "out.csv"
    with pytest.raises(DataError, match=message):
        read(DataOptions(source=str(database), query=query.replace("OUT", str(other))))
    assert not other.exists()


def test_what_cannot_be_read_is_an_error(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match=r"holds 2 tables: `t`, `s\.u`"):
        read(DataOptions(source=str(database)))
    (database.parent / "bad.duckdb").write_bytes(database.read_bytes()[:5000])
    with pytest.raises(DataError, match="Cannot read the database"):
        read(DataOptions(source=str(database.parent / "bad.duckdb")))
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(MissingExtraError, match=r'pip install "groundup\[duckdb\]"'):
        read(DataOptions(source=str(database)))


def test_nothing_is_printed_at_exit(database: Path) -> None:
    program = (
        "from groundup.data.options import DataOptions; from groundup.data.sources import read; "
        f"read(DataOptions(source={str(database)!r}, table='t'))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert (result.stdout, result.stderr) == ("", "")
