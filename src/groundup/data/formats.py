"""The formats that a table can be stored in, recognised by content first and by extension second."""

import json
import re
from collections.abc import Callable, Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Final, cast

from groundup.data.options import DataOptions
from groundup.data.parts import Part
from groundup.data.stored import Stored
from groundup.data.text import decoded_head

FORMATS: Final[Mapping[str, str]] = MappingProxyType(  # loaded on use: "module:function"
    {
        "text": "groundup.data.tables:open_text",
        "parquet": "groundup.data.parquet:open_parquet",
        "arrow": "groundup.data.arrow_file:open_arrow",
        "json": "groundup.data.json_table:open_json",
        "json lines": "groundup.data.json_table:open_json_lines",
        "workbook": "groundup.data.workbook:open_workbook",
        "sqlite": "groundup.data.sqlite_file:open_sqlite",
        "duckdb": "groundup.data.duckdb_file:open_duckdb",
    }
)
"""Format → what opens it: ``open(stored, options) -> Part``."""

SUFFIXES: Final[Mapping[str, str]] = MappingProxyType(
    {
        ".csv": "text",
        ".tsv": "text",
        ".tab": "text",
        ".psv": "text",
        ".ssv": "text",
        ".parquet": "parquet",
        ".arrow": "arrow",
        ".feather": "arrow",
        ".ipc": "arrow",
        ".arrows": "arrow",
        ".json": "json",
        ".jsonl": "json lines",
        ".ndjson": "json lines",
        ".xlsx": "workbook",
        ".xlsm": "workbook",
        ".xlsb": "workbook",
        ".xls": "workbook",
        ".ods": "workbook",
        ".sqlite": "sqlite",
        ".sqlite3": "sqlite",
        ".db": "sqlite",
        ".duckdb": "duckdb",
    }
)
"""Extensions of tables, and the format that is meant where the content does not tell."""

_SIGNATURES: Final = (
    (0, b"PAR1", "parquet"),
    (0, b"ARROW1", "arrow"),
    (0, b"FEA1", "arrow"),
    (0, b"\xff\xff\xff\xff", "arrow"),
    (0, b"SQLite format 3\x00", "sqlite"),
    (8, b"DUCK", "duckdb"),
    (0, b"PK\x03\x04", "workbook"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "workbook"),
)
_JSON_START: Final = re.compile(r'\s*(\{\s*["}]|\[\s*(\{\s*["}]|\[|\]\s*$))')


def recognise(stored: Stored) -> str:
    r"""Return the format of a file, a key of `FORMATS`.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "houses.csv"
    >>> _ = path.write_text('{"price": 3}\n{"price": 4}\n')
    >>> recognise(Stored(path))
    'json lines'
    """
    head = stored.head()
    found = next(
        (name for offset, start, name in _SIGNATURES if head[offset : offset + len(start)] == start), None
    )
    by_suffix = SUFFIXES.get(stored.suffix, "text")
    if found is not None:
        return found
    if by_suffix.startswith("json"):
        return _json_or_lines(decoded_head(head), by_suffix)
    if by_suffix in ("sqlite", "duckdb", "workbook", "parquet", "arrow") and b"\x00" in head:
        return by_suffix  # its reader says what is wrong with it
    text = decoded_head(head)
    if _JSON_START.match(text) and not text.lstrip().startswith(("[[", "[]")):
        return _json_or_lines(text, "json")
    return "text"


def _json_or_lines(text: str, by_suffix: str) -> str:
    """Tell one document from one object after another."""
    text = text.lstrip()
    if not text.startswith("{"):
        return "json" if text.startswith("[") and by_suffix == "json" else by_suffix
    try:
        _, end = json.JSONDecoder().raw_decode(text)
    except (json.JSONDecodeError, RecursionError):
        return by_suffix
    rest = text[end:].lstrip()
    return "json lines" if rest.startswith("{") else by_suffix


def open_part(stored: Stored, options: DataOptions) -> Part:
    """Open a file as the format that it is in.

    Raises
    ------
    DataError
        If it is damaged or holds no table.
    MissingExtraError
        If its format needs a package that is not installed.
    """
    module, _, name = FORMATS[recognise(stored)].partition(":")
    opener = cast("Callable[[Stored, DataOptions], Part]", getattr(import_module(module), name))
    return opener(stored, options)
