"""Bytes to text: encodings, compression, and files that are no text."""

import gzip
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundup.core.errors import DataError
from groundup.data import text as text_module
from groundup.data.text import TextFile, check_readable


def read_all(path: Path, encoding: str = "auto") -> tuple[str, TextFile]:
    file = TextFile(path, encoding)
    return b"".join(file.blocks()).decode(), file


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("utf-16", "utf-16-le"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("utf-32", "utf-32-le"),
        ("cp1252", "utf-8"),
    ],
)
def test_encodings_are_found(tmp_path: Path, written: str, found: str) -> None:
    path = tmp_path / "x.csv"
    table = "name,value\nMüller,1\nCafé,2\n" * 3
    path.write_bytes(table.encode(written))
    text, file = read_all(path)
    assert text == table
    assert file.found_encoding == found
    assert (file.first_fallback is not None) == (written == "cp1252")


def test_a_fallback_names_the_first_byte(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b"a,b\n1,caf\xe9\n2,\x93x\x94\n3,\x81\n")
    text, file = read_all(path)
    assert text == "a,b\n1,café\n2,“x”\n3,\x81\n"
    assert file.first_fallback == (9, 0xE9)
    assert file.n_fallback_bytes == 4
    assert file.encoding_title == "windows-1252"


def test_one_wrong_byte_does_not_spoil_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes("größe,名\n".encode() + b"caf\xe9,1\n")
    text, file = read_all(path)
    assert text == "größe,名\ncafé,1\n"
    assert file.encoding_title == "utf-8 with some windows-1252"


@settings(deadline=None, max_examples=50)
@given(
    st.text(st.characters(blacklist_categories=["Cs", "Cc"])),
    st.integers(1, 7),
    st.sampled_from(["utf-8", "utf-16-le", "utf-16", "utf-8-sig"]),
)
def test_blocks_join_to_the_text_wherever_they_are_cut(
    tmp_path_factory: pytest.TempPathFactory, text: str, size: int, encoding: str
) -> None:
    path = tmp_path_factory.mktemp("cut") / "x.csv"
    text = "ab,\n" + text.replace("\ufeff", "")
    path.write_bytes(text.encode(encoding))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_module, "BLOCK_BYTES", size)
        assert read_all(path, "auto" if encoding in ("utf-16", "utf-8-sig") else encoding)[0] == text


def test_a_wrong_encoding_is_an_error_with_the_byte(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b"a,b\n1,\xe4\n")
    with pytest.raises(DataError, match=r"not written in `utf-8`: byte 6 \(value 0xe4\)"):
        read_all(path, "utf-8")
    with pytest.raises(DataError, match="not written in `ascii`: byte 6"):
        read_all(path, "ascii")
    with pytest.raises(DataError, match="no encoding `utf-9`"):
        read_all(path, "utf-9")


def test_compressed_text_is_recognised_by_its_content(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(gzip.compress(b"a,b\n1,2\n"))
    text, file = read_all(path)
    assert text == "a,b\n1,2\n"
    assert file.compression == "gzip"


def test_damaged_compression_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "x.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n1,2\n" * 1000)[:40])
    with pytest.raises(DataError, match=r"compressed file .* is damaged"):
        read_all(path)
    path.write_bytes(gzip.compress(b""))
    with pytest.raises(DataError, match="empty once it is uncompressed"):
        read_all(path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.csv", b"\x89PNG\r\n\x1a\n\x00\x00", "a PNG image"),
        ("x.csv", b"<html><body>404</body></html>", "a web page"),
        ("x.bin", bytes(range(256)) * 4, "a binary file"),
        ("x.csv", b"%PDF-1.7", "a PDF document"),
    ],
)
def test_what_is_no_table_is_called_by_its_name(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        TextFile(path)
    assert message in str(caught.value)
    assert f"`{path}`" in str(caught.value)


def test_files_that_cannot_be_opened_say_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "houses.csv").write_text("a\n1\n")
    with pytest.raises(DataError, match=r"no file .*Did you mean .*houses.csv"):
        check_readable(tmp_path / "house.csv")
    with pytest.raises(DataError, match=r"The folder .* holds `houses.csv`"):
        check_readable(tmp_path / "zzzz")
    with pytest.raises(DataError, match=r"is a folder, not a file.*`houses.csv`"):
        check_readable(tmp_path)
    with pytest.raises(DataError, match=r"no folder .* either"):
        check_readable(tmp_path / "nowhere" / "x.csv")
    (tmp_path / "empty.csv").touch()
    with pytest.raises(DataError, match="is empty"):
        check_readable(tmp_path / "empty.csv")
    with pytest.raises(DataError, match="too long"):
        check_readable(tmp_path / ("x" * 5000))


def test_a_file_without_permission_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.csv"
    path.write_text("a\n1\n")

    def refuse(*args: object, **kwargs: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(DataError, match="You may not read"):
        check_readable(path)
