"""Text files as tables: what a user gets and what is told, file by file."""

import csv
import gzip
import io
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundup.core.errors import DataError, UnknownColumnError
from groundup.data import records as records_module
from groundup.data.dataset import Dataset
from groundup.data.options import DataOptions
from groundup.data.sources import read


def read_text(folder: Path, content: str | bytes, name: str = "x.csv", **options: Any) -> Dataset:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read(DataOptions(source=str(path), **options))


def codes(dataset: Dataset) -> list[str]:
    return [finding.code for finding in dataset.findings]


def test_a_plain_table(tmp_path: Path) -> None:
    dataset = read_text(tmp_path, "age,city,income\n31,Bonn,1000.5\n42,Ulm,NA\n42,Ulm,3\n")
    assert dataset.frame().to_dict(as_series=False) == {
        "age": [31, 42, 42],
        "city": ["Bonn", "Ulm", "Ulm"],
        "income": [1000.5, None, 3.0],
    }
    assert [column.kind for column in dataset.schema] == ["number", "category", "number"]
    assert dataset.schema["income"].missing == ("NA",)
    assert dataset.findings == ()
    assert dict(dataset.facts) == {"encoding": "utf-8", "delimiter": "`,`", "header": "first row"}


def test_ragged_rows_are_kept_and_told(tmp_path: Path) -> None:
    dataset = read_text(tmp_path, "a,b,c\n1,2,3\n4,5\n6,7,8,9\n")
    assert dataset.frame().rows() == [(1, 2, 3), (4, 5, None), (6, 7, 8)]
    finding = next(finding for finding in dataset.findings if finding.code == "D001")
    assert finding.evidence["short_lines"] == [3]
    assert finding.evidence["long_lines"] == [4]
    assert "2 of 3 rows of `x.csv` do not have the 3 fields" in finding.message


def test_names_that_repeat_or_are_blank_are_changed(tmp_path: Path) -> None:
    dataset = read_text(tmp_path, "name,name,,b\n1,2,3,4\n")
    assert dataset.schema.names == ("name", "name_2", "column_3", "b")
    assert codes(dataset) == ["D002"]
    assert "`name` → `name_2`, a blank name → `column_3`" in dataset.findings[0].message


def test_a_column_without_name_and_values_is_padding(tmp_path: Path) -> None:
    dataset = read_text(tmp_path, "a,b,\n1,2,\n3,4,\n")
    assert dataset.schema.names == ("a", "b")
    assert codes(dataset) == ["D013"]


def test_a_fallback_encoding_is_told(tmp_path: Path) -> None:
    dataset = read_text(tmp_path, "name,x\ncafé,1\nthé,2\n".encode("latin-1"))
    assert dataset.frame()["name"].to_list() == ["café", "thé"]
    assert codes(dataset) == ["D003"]
    assert dataset.findings[0].evidence == {"encoding": "windows-1252", "n_bytes": 2, "first_offset": 10}


def test_padding_is_told(tmp_path: Path) -> None:
    dataset = read_text(tmp_path, "Sales,,\n\na,b,c\n1,x,2\n,,\nTotal,,\n")
    assert dataset.frame().rows() == [(1, "x", 2)]
    assert codes(dataset) == ["D013"]
    assert dataset.findings[0].evidence["above"] == ["Sales"]
    assert dataset.findings[0].evidence["below"] == ["Total"]


def test_a_table_without_names(tmp_path: Path) -> None:
    dataset = read_text(tmp_path, "1,2.5,a\n3,4.5,b\n")
    assert dataset.schema.names == ("column_1", "column_2", "column_3")
    assert codes(dataset) == ["D002"]
    assert read_text(tmp_path, "1,2\n3,4\n", header=True).schema.names == ("1", "2")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r"is empty \(0 bytes\)"),
        ("\n \n", "holds nothing but blanks"),
        ("a,b\n", r"holds column names but no rows \(`a`, `b`\)"),
    ],
)
def test_files_without_rows_are_errors(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_text(tmp_path, content)


def test_options_are_obeyed_and_checked(tmp_path: Path) -> None:
    content = "zip,x,y\n00123,1,2\n99999,0,3\n"
    dataset = read_text(tmp_path, content, columns={"zip": "number", "x": "boolean"}, drop=("y",))
    assert dataset.frame().rows() == [(123, True), (99999, False)]
    assert read_text(tmp_path, content).schema["zip"].storage == "string"
    with pytest.raises(UnknownColumnError, match=r"no column `zipp`. Did you mean `zip`"):
        read_text(tmp_path, content, columns={"zipp": "category"})
    with pytest.raises(UnknownColumnError, match="no column `z`"):
        read_text(tmp_path, content, drop=("z",))
    with pytest.raises(DataError, match="`<>` cannot be a delimiter"):
        read_text(tmp_path, content, delimiter="<>")
    assert read_text(tmp_path, "a<b\n1<2\n", delimiter="<").schema.names == ("a", "b")
    assert read_text(tmp_path, "a\tb\n1\t2\n", delimiter="\\t").schema.names == ("a", "b")
    assert read_text(tmp_path, "x\nnone\n1\n", missing=("none",)).frame()["x"].to_list() == [None, 1]


def test_one_row_and_many_columns(tmp_path: Path) -> None:
    assert read_text(tmp_path, "a,b\n1,x\n").n_rows == 1
    names = [f"c{index}" for index in range(2000)]
    wide = read_text(
        tmp_path, ",".join(names) + "\n" + ",".join(["1"] * 2000) + "\n" + ",".join(["2"] * 2000)
    )
    assert len(wide.schema) == 2000
    assert wide.n_rows == 2


def test_rows_are_read_alike_in_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [
        f"{index},{index / 7:.3f},{'xyz'[index % 3]},2020-01-{index % 28 + 1:02d}" for index in range(500)
    ]
    lines[450] = "450,n/k,,2020-01-01"
    lines[480] = "480,5"
    content = "i,x,c,d\n" + "\n".join(lines) + "\n"
    whole = read_text(tmp_path, content)
    monkeypatch.setattr(records_module, "_MIN_BLOCK_BYTES", 1000)
    monkeypatch.setattr("groundup.data.text.BLOCK_BYTES", 700)
    parts = read_text(tmp_path, content)
    assert parts.frame().equals(whole.frame())
    assert parts.schema == whole.schema
    assert parts.findings == whole.findings


words = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF, blacklist_categories=["Cc"]), max_size=8)
tables = st.integers(1, 12).flatmap(
    lambda n: st.fixed_dictionaries(
        {
            "whole": st.lists(st.one_of(st.none(), st.integers(-(2**60), 2**60)), min_size=n, max_size=n),
            "real": st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=n, max_size=n),
            "word": st.lists(words.map(str.strip), min_size=n, max_size=n),
            "note": st.lists(
                st.text(st.sampled_from(list("a,;|\t\n\"' ")), max_size=9), min_size=n, max_size=n
            ),
        }
    )
)


@settings(deadline=None, max_examples=50)
@given(
    tables,
    st.sampled_from([",", ";", "\t", "|", ":"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le"]),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC]),
    st.booleans(),
)
def test_what_was_written_is_read_again(
    tmp_path_factory: pytest.TempPathFactory,
    table: dict[str, list[Any]],
    delimiter: str,
    encoding: str,
    quoting: int,
    is_compressed: bool,
) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, quoting=quoting, lineterminator="\n")  # type: ignore[arg-type]
    writer.writerow(["whole", "real", "word", "note", "end"])
    ends = ["."] * len(table["whole"])
    writer.writerows(zip(table["whole"], table["real"], table["word"], table["note"], ends, strict=True))
    content = text.getvalue().encode(encoding)
    dataset = read_text(
        tmp_path_factory.mktemp("table"),
        gzip.compress(content) if is_compressed else content,
        delimiter=delimiter,
        encoding="auto" if encoding != "utf-16-le" else encoding,
        header=True,
        missing=(),
        columns={"whole": "number", "real": "number", "word": "category", "note": "category"},
    )
    frame = dataset.frame()
    assert frame["whole"].to_list() == table["whole"]
    assert frame["real"].cast(pl.Float64).to_list() == table["real"]
    assert frame["word"].to_list() == [word or None for word in table["word"]]
    assert frame["note"].to_list() == [note.strip() or None for note in table["note"]]


@settings(deadline=None, max_examples=50)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 10**6), st.floats(0, 1).map(lambda value: round(value, 3)), st.sampled_from("abc")
        ),
        min_size=4,
        max_size=12,
    ),
    st.sampled_from([",", ";", "\t", "|"]),
)
def test_delimiter_and_header_are_found(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, float, str]], delimiter: str
) -> None:
    lines = [delimiter.join(["count", "share", "letter"]), *(delimiter.join(map(str, row)) for row in rows)]
    dataset = read_text(tmp_path_factory.mktemp("table"), "\n".join(lines))
    assert dataset.schema.names == ("count", "share", "letter")
    assert dataset.frame().select("count", "letter").rows() == [(row[0], row[2]) for row in rows]
