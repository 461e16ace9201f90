"""Archives and compression: what is inside, and what is refused."""

import bz2
import lzma
import sys
import zipfile
from pathlib import Path

import pytest
from backports import zstd

from groundup.core.errors import DataError, MissingExtraError
from groundup.data import stored as stored_module
from groundup.data.options import DataOptions
from groundup.data.sources import read
from groundup.data.stored import Stored, open_archive

CSV = b"a,b\n" + b"1,x\n2,y\n" * 200


def archive(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name.replace("__", "."), content)
    return path


def test_one_of_several_members_must_be_named(tmp_path: Path) -> None:
    path = archive(tmp_path / "x.zip", old__csv=b"a\n1\n", new__csv=CSV)
    with pytest.raises(DataError, match=r"holds 2 files: `new.csv`, `old.csv`. Name one: `.*x.zip!new.csv`"):
        read(DataOptions(source=str(path)))
    dataset = read(DataOptions(source=f"{path}!new.csv"))
    assert (dataset.n_rows, dataset.origin) == (400, f"{path}!new.csv")
    with pytest.raises(DataError, match=r"no file `ne.csv`. Did you mean `new.csv`"):
        read(DataOptions(source=f"{path}!ne.csv"))


def test_an_archive_without_files_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no files"):
        open_archive(Stored(archive(tmp_path / "x.zip")))
    with pytest.raises(DataError, match=r"`.*x.zip!a.csv` is empty"):
        open_archive(Stored(archive(tmp_path / "x.zip", a__csv=b"")))


def test_an_encrypted_member_is_an_error(tmp_path: Path) -> None:
    path = archive(tmp_path / "x.zip", a__csv=CSV)
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"is encrypted. Unpack it with its password"):
        read(DataOptions(source=str(path)))


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = archive(tmp_path / "x.zip", a__csv=b"a\n" + b"1\n" * 10**6)
    assert read(DataOptions(source=str(path))).n_rows == 10**6
    monkeypatch.setattr(stored_module, "_MAX_ZIP_BYTES", 10**6)
    with pytest.raises(DataError, match=r"would unpack from .* more than 100 times as many"):
        read(DataOptions(source=str(path)))


def test_damaged_archives_are_errors(tmp_path: Path) -> None:
    path = archive(tmp_path / "x.zip", a__csv=CSV)
    content = path.read_bytes()
    path.write_bytes(content[:-30])
    with pytest.raises(DataError, match="is damaged"):
        read(DataOptions(source=str(path)))
    path.write_bytes(content[:50] + b"\x00\x00\x00" + content[53:])
    with pytest.raises(DataError, match="is damaged"):
        read(DataOptions(source=str(path)))


@pytest.mark.parametrize("compress", [bz2.compress, lzma.compress, zstd.compress])
def test_cut_off_compression_is_an_error(tmp_path: Path, compress: object) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(compress(CSV)[:-12])  # type: ignore[operator]
    with pytest.raises(DataError, match=r"compressed file .* is damaged"):
        read(DataOptions(source=str(path)))


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.csv.zst"
    path.write_bytes(zstd.compress(CSV))
    monkeypatch.setitem(sys.modules, "backports", None)
    with pytest.raises(MissingExtraError, match=r'pip install "groundup\[zstd\]"'):
        read(DataOptions(source=str(path)))


def test_text_that_begins_like_bzip2_is_text(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("BZh,b\n1,2\n3,4\n")
    assert read(DataOptions(source=str(path))).schema.names == ("BZh", "b")
