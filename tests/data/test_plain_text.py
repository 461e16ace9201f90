"""Texts are read strictly, and cut into parts that follow each other."""

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundup.core.errors import DataError
from groundup.data.plain_text import cut_text, is_text_name, read_plain_text

PROSE = "Every line says something.\n" * 100


def test_a_text_is_the_same_however_it_is_stored(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(PROSE.encode())
    (tmp_path / "b.txt").write_bytes(b"\xef\xbb\xbf" + PROSE.replace("\n", "\r\n").encode())
    (tmp_path / "c.txt.gz").write_bytes(gzip.compress(PROSE.encode()))
    found = [read_plain_text(str(tmp_path / name)) for name in ("a.txt", "b.txt", "c.txt.gz")]
    assert {each.text for each in found} == {PROSE}
    assert len({each.fingerprint for each in found}) == 1


def test_several_files_form_one_text(tmp_path: Path) -> None:
    for name in ("1.txt", "2.txt"):
        (tmp_path / name).write_text(PROSE + name)
    both = read_plain_text(str(tmp_path / "*.txt"))
    assert both.text == PROSE + "1.txt" + PROSE + "2.txt"
    assert "2 files" in both.origin


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b" \n" * 2000, "holds no text"),
        (b"short", "`5 characters`"),
        (PROSE.encode() + "caf\xe9".encode("latin-1"), "line 101 holds the byte `0xe9`"),
        (PROSE.encode("utf-16"), "is not UTF-8"),
        (PROSE.encode() + b"\0", "bytes of 0"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "a.txt").write_bytes(content)
    with pytest.raises(DataError, match=words) as caught:
        read_plain_text(str(tmp_path / "a.txt"))
    assert str(tmp_path / "a.txt") in str(caught.value)


def test_a_missing_file_and_a_sample_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"gone\.txt"):
        read_plain_text(str(tmp_path / "gone.txt"))
    with pytest.raises(DataError, match="is a table"):
        read_plain_text("sample:iris")


@given(st.text(min_size=10), st.floats(0.01, 0.4), st.floats(0.01, 0.4))
def test_parts_are_the_text(text: str, validation: float, test: float) -> None:
    parts = cut_text(text, validation=validation, test=test)
    assert parts.train + parts.validation + parts.test == text
    assert parts.train
    assert parts.validation
    assert parts.test


def test_names_of_texts() -> None:
    assert is_text_name("BOOK.TXT")
    assert not is_text_name("table.csv.gz")
    assert not is_text_name(("a.txt", "b.txt"))
    assert not is_text_name(None)
