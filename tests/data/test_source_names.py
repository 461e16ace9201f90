"""What a source may be called."""

from pathlib import Path

import pytest

from groundup.data.source_names import absolute_source, given_source, source_stem


@pytest.mark.parametrize(
    ("source", "stem"),
    [
        ("data/houses.csv.gz", "houses"),
        ("shop.db!orders", "shop"),
        ("sales/2024-*.csv", "sales"),
        ("*.csv", "files"),
        (("jan/a.csv", "feb/b.csv"), "jan"),
    ],
)
def test_runs_are_named_after_their_source(source: str | tuple[str, ...], stem: str) -> None:
    assert source_stem(source) == stem


def test_relative_sources_become_absolute() -> None:
    assert absolute_source(("a.csv", "/b.csv", "x/*.csv"), Path("/data")) == (
        "/data/a.csv",
        "/b.csv",
        "/data/x/*.csv",
    )


def test_a_table_is_no_source() -> None:
    assert given_source([Path("a.csv"), "b.csv"]) == ("a.csv", "b.csv")
    assert given_source([]) is None
    assert given_source({"a": [1]}) is None
