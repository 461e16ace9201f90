"""Contract "Source": whatever the data come from, the same table, the same fingerprint."""

import bz2
import gzip
import io
import json
import lzma
import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from backports import zstd

from groundup.data.dataset import Dataset
from groundup.data.fingerprint import fingerprint
from groundup.data.options import DataOptions
from groundup.data.parsing import CANONICAL
from groundup.data.sources import read

N_ROWS = 250


def table() -> pl.DataFrame:
    generator = np.random.default_rng(0)
    frame = pl.DataFrame(
        {
            "amount": generator.normal(size=N_ROWS).round(3),
            "count": generator.integers(0, 50, N_ROWS),
            "city": generator.choice(["Köln", "Łódź", "O'Fallon, MO"], N_ROWS),
            "day": pl.Series(np.datetime64("2020-01-01") + generator.integers(0, 900, N_ROWS)).cast(
                pl.Datetime("us")
            ),
            "ok": generator.random(N_ROWS) < 0.5,
        }
    )
    is_missing = pl.Series(generator.random(N_ROWS) < 0.1)
    return frame.with_columns(
        pl.when(~is_missing).then(pl.col(name)).alias(name) for name in ("amount", "city")
    )


def from_text(
    encoding: str, separator: str = ",", *, is_compressed: bool = False
) -> Callable[[Path], Dataset]:
    def source(folder: Path) -> Dataset:
        written = table().with_columns(pl.col("day").dt.strftime("%Y-%m-%d"))
        content = written.write_csv(separator=separator).encode(encoding)
        path = folder / "table.txt"
        path.write_bytes(gzip.compress(content) if is_compressed else content)
        return read(DataOptions(source=str(path)))

    return source


def from_parquet(folder: Path) -> Dataset:
    table().write_parquet(folder / "table.parquet", row_group_size=64)
    return read(DataOptions(source=str(folder / "table.parquet")))


def from_frame(convert: Callable[[pl.DataFrame], object]) -> Callable[[Path], Dataset]:
    return lambda _: read(DataOptions(), frame=convert(table()))


def as_csv() -> bytes:
    return table().with_columns(pl.col("day").dt.strftime("%Y-%m-%d")).write_csv().encode()


def from_bytes(name: str, content: Callable[[], bytes]) -> Callable[[Path], Dataset]:
    def source(folder: Path) -> Dataset:
        (folder / name).write_bytes(content())
        return read(DataOptions(source=str(folder / name)))

    return source


def json_rows() -> list[dict[str, Any]]:
    return table().with_columns(pl.col("day").dt.strftime("%Y-%m-%d")).to_dicts()


def ipc(**options: Any) -> bytes:
    file = io.BytesIO()
    table().write_ipc(file, **options)
    return file.getvalue()


def ipc_stream() -> bytes:
    file = io.BytesIO()
    table().write_ipc_stream(file)
    return file.getvalue()


def zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data/table.csv", as_csv())
        archive.writestr("__MACOSX/data/._table.csv", b"...")
    return file.getvalue()


def workbook() -> bytes:
    file = io.BytesIO()
    table().write_excel(file)
    return file.getvalue()


def from_sqlite(folder: Path) -> Dataset:
    rows = table().with_columns(pl.col("day").dt.strftime("%Y-%m-%d")).rows()
    with closing(sqlite3.connect(folder / "x.db")) as connection, connection:
        connection.execute("CREATE TABLE x (amount REAL, count INTEGER, city TEXT, day TEXT, ok BOOLEAN)")
        connection.executemany("INSERT INTO x VALUES (?, ?, ?, ?, ?)", rows)
    return read(DataOptions(source=str(folder / "x.db")))


def from_duckdb(folder: Path) -> Dataset:
    table().write_parquet(folder / "x.parquet")
    with duckdb.connect(str(folder / "x.duckdb")) as connection:
        connection.execute(f"CREATE TABLE houses AS SELECT * FROM read_parquet('{folder / 'x.parquet'}')")
    return read(DataOptions(source=str(folder / "x.duckdb")))


def from_several(folder: Path) -> Dataset:
    """Return the table from one file of each kind, with columns in another order."""
    table()[:100].with_columns(pl.col("day").dt.strftime("%Y-%m-%d")).write_csv(folder / "a.csv")
    table()[100:180].select("ok", "day", "city", "count", "amount").write_parquet(folder / "b.parquet")
    (folder / "c.json").write_text(json.dumps(json_rows()[180:]))
    return read(DataOptions(source=str(folder)))


SOURCES: dict[str, Callable[[Path], Dataset]] = {
    "csv": from_text("utf-8"),
    "csv.gz": from_text("utf-8", is_compressed=True),
    "semicolons": from_text("utf-8", ";"),
    "tsv": from_text("utf-8", "\t"),
    "utf-16": from_text("utf-16"),
    "csv.bz2": from_bytes("x", lambda: bz2.compress(as_csv())),
    "csv.xz": from_bytes("x", lambda: lzma.compress(as_csv())),
    "csv.zst": from_bytes("x", lambda: zstd.compress(as_csv())),
    "csv.zip": from_bytes("x", zipped),
    "json": from_bytes("x", lambda: json.dumps(json_rows()).encode()),
    "json of columns": from_bytes(
        "x",
        lambda: json.dumps(pl.DataFrame(json_rows()).to_dict(as_series=False)).encode(),
    ),
    "json.gz": from_bytes("x", lambda: gzip.compress(json.dumps(json_rows(), indent=1).encode("utf-16"))),
    "json lines": from_bytes("x", lambda: "\n".join(map(json.dumps, json_rows())).encode()),
    "arrow": from_bytes("x", ipc),
    "arrow, zstd": from_bytes("x", lambda: ipc(compression="zstd")),
    "arrow, lz4": from_bytes("x", lambda: ipc(compression="lz4")),
    "arrow.gz": from_bytes("x", lambda: gzip.compress(ipc())),
    "arrow stream": from_bytes("x.arrows", ipc_stream),
    "workbook": from_bytes("x.xlsx", workbook),
    "workbook.gz": from_bytes("x", lambda: gzip.compress(workbook())),
    "sqlite": from_sqlite,
    "duckdb": from_duckdb,
    "several": from_several,
    "parquet": from_parquet,
    "polars": from_frame(lambda frame: frame),
    "pandas": from_frame(
        lambda frame: pd.DataFrame({name: frame[name].to_list() for name in frame.columns}).astype(
            {"count": "int64"}
        )
    ),
    "arrow table": from_frame(
        lambda frame: pa.table({name: frame[name].to_list() for name in frame.columns})
    ),
    "rows": from_frame(lambda frame: frame.to_dicts()),
}


@pytest.fixture(params=sorted(SOURCES))
def dataset(request: pytest.FixtureRequest, tmp_path: Path) -> Dataset:
    result: Dataset = SOURCES[request.param](tmp_path)
    return result


def test_the_schema_describes_the_rows(dataset: Dataset) -> None:
    frame = dataset.frame()
    assert tuple(frame.columns) == dataset.schema.names == tuple(table().columns)
    assert all(frame.schema[column.name] == CANONICAL[column.storage] for column in dataset.schema)
    assert [column.kind for column in dataset.schema] == [
        "number",
        "number",
        "category",
        "datetime",
        "boolean",
    ]
    assert all(column.reason for column in dataset.schema)


def test_values_and_length_are_those_of_the_table(dataset: Dataset) -> None:
    assert dataset.n_rows == N_ROWS
    assert dataset.frame().equals(table())


def test_take_returns_the_rows_asked_for(dataset: Dataset) -> None:
    positions = np.array([200, 3, 3, 17])
    taken = dataset.take(positions)
    assert taken.n_rows == 4
    assert taken.frame().equals(table()[positions])


def test_batches_are_bounded_and_in_order(dataset: Dataset) -> None:
    batches = list(dataset.batches(60))
    assert [len(batch) for batch in batches] == [60, 60, 60, 60, 10]
    assert pl.concat(batches).equals(dataset.frame())


def test_the_fingerprint_does_not_know_the_source(dataset: Dataset) -> None:
    assert fingerprint(dataset) == fingerprint(read(DataOptions(), frame=table()))


def test_reading_by_its_own_schema_changes_nothing(dataset: Dataset) -> None:
    again = read(DataOptions(), frame=dataset.frame(), schema=dataset.schema)
    assert again.frame().equals(dataset.frame())
    assert not again.findings


def test_selecting_keeps_order_and_length(dataset: Dataset) -> None:
    some = dataset.select(["ok", "amount"])
    assert some.schema.names == ("ok", "amount")
    assert some.frame().shape == (N_ROWS, 2)
