"""The fingerprint depends on names, storage and values, and on nothing else."""

import math

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from groundup.core.schema import Column, Schema
from groundup.data.dataset import Dataset
from groundup.data.fingerprint import fingerprint
from groundup.data.parsing import CANONICAL

STORAGES = {dtype: storage for storage, dtype in CANONICAL.items()}


def dataset_of(frame: pl.DataFrame) -> Dataset:
    schema = Schema(Column(name, "text", STORAGES[dtype]) for name, dtype in frame.schema.items())
    return Dataset(frame.lazy(), schema, len(frame), "frame")


def print_of(**columns: list[object]) -> str:
    return fingerprint(dataset_of(pl.DataFrame(columns)))


def test_every_difference_shows() -> None:
    base = print_of(x=[1.0, 2.0], y=["a", "b"])
    assert len(base) == 64
    others = [
        print_of(x=[1.0, 2.5], y=["a", "b"]),
        print_of(x=[1, 2], y=["a", "b"]),
        print_of(z=[1.0, 2.0], y=["a", "b"]),
        print_of(y=["a", "b"], x=[1.0, 2.0]),
        print_of(x=[2.0, 1.0], y=["b", "a"]),
        print_of(x=[1.0, None], y=["a", "b"]),
        print_of(x=[1.0, 2.0], y=["ab", ""]),
        print_of(x=[1.0, 2.0], y=["a", None]),
        print_of(x=[1.0, 2.0]),
        print_of(x=[1.0, 2.0, 3.0], y=["a", "b", "c"]),
    ]
    assert len({base, *others}) == len(others) + 1


def test_missing_is_neither_empty_nor_zero() -> None:
    assert print_of(x=["", "a"]) != print_of(x=[None, "a"])
    assert print_of(x=[0, 1]) != print_of(x=[None, 1])
    assert print_of(x=[False, True]) != print_of(x=[None, True])


def test_zeros_and_nans_have_one_form() -> None:
    assert print_of(x=[0.0, 1.0]) == print_of(x=[-0.0, 1.0])
    assert print_of(x=[math.nan, 1.0]) == print_of(x=[None, 1.0])


@settings(deadline=None, max_examples=30)
@given(
    st.lists(
        st.tuples(st.floats(allow_nan=False), st.one_of(st.none(), st.text(max_size=4))),
        min_size=1,
        max_size=30,
    ),
    st.integers(0, 30),
)
def test_chunks_do_not_matter(rows: list[tuple[float, str | None]], cut: int) -> None:
    frame = pl.DataFrame(rows, schema={"x": pl.Float64, "y": pl.String}, orient="row")
    cut = min(cut, len(frame))
    chunked = pl.concat([frame.head(cut), frame.slice(cut)], rechunk=False)
    assert fingerprint(dataset_of(chunked)) == fingerprint(dataset_of(frame))


def test_tables_longer_than_a_batch_keep_their_fingerprint_over_chunks() -> None:
    frame = pl.DataFrame({"x": range(200_000)}).with_columns(y=pl.col("x").cast(pl.String))
    chunked = pl.concat([frame.head(70_001), frame.slice(70_001)], rechunk=False)
    assert fingerprint(dataset_of(chunked)) == fingerprint(dataset_of(frame))
