"""180 real and hand-made broken files: a table or one clear message, and no row lost without a word."""

import csv
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from groundup.core.errors import DataError
from groundup.data.dataset import Dataset
from groundup.data.options import DataOptions
from groundup.data.sources import read

TEXT = {".csv", ".tsv"}


@pytest.fixture(scope="session")
def dirty(shared_data: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dirty")
    with zipfile.ZipFile(shared_data("dirty-csv") / "dirty.zip") as archive:
        archive.extractall(folder)
    return folder


def files_of(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("README"))


def n_lines_told(dataset: Dataset) -> int:
    """Return how many lines with something in them the findings say were skipped."""
    skipped = [finding.evidence for finding in dataset.findings if finding.code == "D013"]
    keys = ("above", "below", "comment_lines")
    return sum(len(evidence[key]) for evidence in skipped for key in keys)  # type: ignore[arg-type]


def n_rows_of_csv_module(path: Path, dataset: Dataset) -> tuple[int, int]:
    """Return how many rows of data have something in them, and how many there are at all."""
    facts = dict(dataset.facts)
    delimiter = {"tab": "\t", "blank": " "}.get(facts["delimiter"], facts["delimiter"].strip("`"))
    content = path.read_bytes()
    encoding = "utf-16" if facts["encoding"].startswith("utf-16") else "utf-8-sig"
    lines = content.decode(encoding, "replace").splitlines(keepends=True)
    limit = csv.field_size_limit(2**31 - 1)
    try:
        rows = list(csv.reader(lines, delimiter=delimiter))
    finally:
        csv.field_size_limit(limit)
    n_names = facts["header"] == "first row"
    return sum(any(map(str.strip, row)) for row in rows) - n_names, len(rows) - n_names


def test_every_file_is_read_or_refused_and_no_row_is_lost(dirty: Path) -> None:
    files = files_of(dirty)
    assert len(files) == 180
    messages: dict[str, str] = {}
    for path in files:
        try:
            dataset = read(DataOptions(source=str(path)))
        except DataError as error:
            messages[path.name] = str(error)
            continue
        frame = dataset.frame()
        assert frame.height == dataset.n_rows
        assert tuple(frame.columns) == dataset.schema.names
        if (
            path.suffix in TEXT and path.name != "escaping.csv"
        ):  # its quotes are escaped in a way that the csv module does not know
            n_filled, n_all = n_rows_of_csv_module(path, dataset)
            assert n_filled - n_lines_told(dataset) <= dataset.n_rows <= n_all, path.name
    assert all(f"/{name}`" in message for name, message in messages.items())
    assert set(messages) == {
        "empty.csv",
        "simple.unknown",
        "small.csv",
        "utf8bom.csv",
        "without-rows.csv",
        "encrypted_no_password.xls",
        "libreoffice.xlsx",  # no cell holds anything
        "merged-cells.xlsx",  # one row
        "multilineods.ods",
        "unicode_sheet_name.xls",
    }


def test_the_spectrum_is_read_as_its_authors_expect(dirty: Path) -> None:
    for path in files_of(dirty):
        if path.parent.name != "csvs":
            continue
        expected = json.loads((path.parents[1] / "json" / f"{path.stem}.json").read_text(encoding="utf-8"))
        names = list(expected[0])
        options = DataOptions(source=str(path), columns=dict.fromkeys(names, "text"))
        rows = read(options).frame().to_dicts()
        assert [{name: value or "" for name, value in row.items()} for row in rows] == [
            {name: value.strip().replace("\r\n", "\n") for name, value in row.items()} for row in expected
        ], path.name


@pytest.mark.parametrize(
    ("name", "names", "n_rows", "codes"),
    [
        ("blank-headers.csv", ("id", "column_2", "age"), 2, {"D002"}),
        ("duplicate-headers.csv", ("id", "name", "id_2", "age", "id_3"), 2, {"D002"}),
        ("structure-errors.csv", ("id", "name", "age"), 4, {"D001"}),
        ("countries.csv", ("id", "neighbor_id", "name", "population"), 5, {"D001", "D013"}),
        ("latin1.csv", ("id", "name"), 2, {"D003"}),
        ("bom.csv", ("id", "name"), 2, set()),
        ("without-headers.csv", ("column_1", "column_2"), 3, {"D002"}),
        ("skip-rows.csv", ("id", "name"), 2, {"D013"}),
        ("excel_pasting.csv", ("Year", *map(str, range(2000, 2008))), 14, {"D013"}),
        ("simple.ssv", ("date", "temperature", "place"), 6, set()),
    ],
)
def test_known_troubles_are_told(
    dirty: Path, name: str, names: tuple[str, ...], n_rows: int, codes: set[str]
) -> None:
    path = next(path for path in files_of(dirty) if path.name == name)
    dataset = read(DataOptions(source=str(path)))
    assert dataset.schema.names == names
    assert dataset.n_rows == n_rows
    assert {finding.code for finding in dataset.findings} == codes
