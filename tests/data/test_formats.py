"""Formats are recognised by content first, by extension second."""

from importlib import import_module
from pathlib import Path

import pytest

from groundup.data.formats import FORMATS, SUFFIXES, recognise
from groundup.data.stored import Stored


@pytest.mark.parametrize("reference", FORMATS.values())
def test_every_entry_can_be_loaded(reference: str) -> None:
    module, _, name = reference.partition(":")
    assert callable(getattr(import_module(module), name))


def test_every_extension_means_a_format() -> None:
    assert set(SUFFIXES.values()) <= set(FORMATS)


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("x.csv", b"PAR1....", "parquet"),
        ("x.csv", b"SQLite format 3\x00", "sqlite"),
        ("x", b"\x00" * 8 + b"DUCK", "duckdb"),
        ("x.csv", b'{"a": 1}\n{"a": 2}', "json lines"),
        ("x.json", b'{"a": 1}\n{"a": 2}', "json lines"),
        ("x.json", b'{"a": 1}', "json"),
        ("x.jsonl", b'{"a": 1}', "json lines"),
        ("x.txt", b'[{"a": 1}]', "json"),
        ("x.json", b"[]", "json"),
        ("x.csv", b"[[a,b\n1,2", "text"),
        ("x.csv", b"{a},b\n1,2", "text"),
        ("x.db", b"\x8a\x00\x17 encrypted", "sqlite"),
        ("x.db", b"a,b\n1,2\n", "text"),
        ("x.txt", '[{"a": 1}]'.encode("utf-16"), "json"),
    ],
)
def test_content_counts_before_the_name(tmp_path: Path, name: str, content: bytes, expected: str) -> None:
    (tmp_path / name).write_bytes(content)
    assert recognise(Stored(tmp_path / name)) == expected
