"""Contract "Source": whatever the data come from, the same table, the same fingerprint."""

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

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


SOURCES: dict[str, Callable[[Path], Dataset]] = {
    "csv": from_text("utf-8"),
    "csv.gz": from_text("utf-8", is_compressed=True),
    "semicolons": from_text("utf-8", ";"),
    "tsv": from_text("utf-8", "\t"),
    "utf-16": from_text("utf-16"),
    "parquet": from_parquet,
    "polars": from_frame(lambda frame: frame),
    "pandas": from_frame(
        lambda frame: pd.DataFrame({name: frame[name].to_list() for name in frame.columns}).astype(
            {"count": "int64"}
        )
    ),
    "arrow": from_frame(lambda frame: pa.table({name: frame[name].to_list() for name in frame.columns})),
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
