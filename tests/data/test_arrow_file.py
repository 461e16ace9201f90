"""Arrow files: damaged ones, old ones, and several at once."""

from pathlib import Path

import polars as pl
import pytest

from groundup.core.errors import DataError
from groundup.data.options import DataOptions
from groundup.data.sources import read


def test_broken_files_are_errors(tmp_path: Path) -> None:
    path = tmp_path / "x.arrow"
    pl.DataFrame({"a": range(1000)}).write_ipc(path)
    content = path.read_bytes()
    for broken in (content[:300], b"ARROW1" + bytes(90), b"\xff\xff\xff\xff" + bytes(90)):
        path.write_bytes(broken)
        with pytest.raises(DataError, match="is damaged"):
            read(DataOptions(source=str(path)))
    path.write_bytes(b"FEA1" + bytes(90))
    with pytest.raises(DataError, match="Feather file of version 1"):
        read(DataOptions(source=str(path)))
    pl.DataFrame({"a": []}).write_ipc(path)
    with pytest.raises(DataError, match="holds no rows"):
        read(DataOptions(source=str(path)))
