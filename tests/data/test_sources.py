"""`read`: one door for files, samples and tables in memory, in training and for prediction."""

from pathlib import Path

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from groundup.core.errors import DataError, UnknownColumnError
from groundup.data.fingerprint import fingerprint
from groundup.data.options import DataOptions
from groundup.data.sources import read

ROWS = [{"age": 31, "city": "Bonn"}, {"age": 42, "city": None}, {"age": 42, "city": "Ulm"}]


@pytest.mark.parametrize(
    "frame", [ROWS, pl.DataFrame(ROWS), pd.DataFrame(ROWS), pa.Table.from_pylist(ROWS), pl.LazyFrame(ROWS)]
)
def test_every_kind_of_table_is_the_same_dataset(frame: object) -> None:
    dataset = read(DataOptions(), frame=frame)
    assert dataset.frame().rows() == [(31, "Bonn"), (42, None), (42, "Ulm")]
    assert dataset.origin == "frame"
    assert fingerprint(dataset) == fingerprint(read(DataOptions(), frame=ROWS))


def test_nothing_to_read_is_an_error() -> None:
    with pytest.raises(DataError, match="No data were named"):
        read(DataOptions())
    with pytest.raises(DataError):
        read(DataOptions(), frame=pl.DataFrame())


def test_options_hold_for_tables_in_memory() -> None:
    dataset = read(DataOptions(columns={"age": "category"}, drop=("city",)), frame=ROWS)
    assert dataset.frame().to_dict(as_series=False) == {"age": ["31", "42", "42"]}
    with pytest.raises(UnknownColumnError, match="no column `agee`"):
        read(DataOptions(drop=("agee",)), frame=ROWS)


def test_later_data_follow_the_schema(tmp_path: Path) -> None:
    trained = read(DataOptions(), frame=[{"x": "1.234,5", "y": "a", "z": 1}, {"x": "2,5", "y": "b", "z": 2}])
    path = tmp_path / "new.csv"
    path.write_text('y,x,extra\na,"1.000,5",7\nc,oops,8\n')
    later = read(DataOptions(source=str(path)), schema=trained.schema)
    assert later.frame().to_dict(as_series=False) == {"y": ["a", "c"], "x": [1000.5, None]}
    assert later.schema.names == ("y", "x")
    assert [(finding.code, finding.column) for finding in later.findings] == [("D008", "x")]


def test_later_data_need_no_values_that_vary() -> None:
    trained = read(DataOptions(), frame=ROWS)
    later = read(DataOptions(), frame=[{"age": "42", "city": 5}], schema=trained.schema)
    assert later.frame().rows() == [(42, "5")]
    assert later.schema["age"].kind == "number"


def test_options_of_training_do_not_bind_later_data() -> None:
    trained = read(DataOptions(columns={"age": "category"}), frame=ROWS)
    later = read(
        DataOptions(columns={"age": "category"}, drop=("gone",)),
        frame=[{"city": "Ulm"}],
        schema=trained.schema,
    )
    assert later.schema.names == ("city",)
