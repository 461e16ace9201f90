"""A folder of pictures becomes a table: a picture a row, labelled by the folder that it lies in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import polars as pl

from groundup.core.errors import DataError
from groundup.core.findings import Finding
from groundup.core.schema import Kind
from groundup.core.wording import count, listed
from groundup.data.pictures import SUFFIXES, State, check

IMAGE: Final = "image"
LABEL: Final = "label"
REASONS: Final[Mapping[str, str]] = {
    IMAGE: "paths of pictures",
    LABEL: "the folder that each picture lies in",
}

_MOST_LISTED: Final = 100


@dataclass(frozen=True)
class PictureTable:
    """The pictures of a folder.

    Parameters
    ----------
    frame : polars.DataFrame
        ``image``, the path of each picture that can be read, and ``label``, the name of its folder; without
        ``label`` where the pictures lie in no folders of their own.
    kinds : mapping of str to Kind
        What these columns are.
    findings : tuple of Finding
        What could not be read.
    facts : tuple of (str, str)
        What was found, for people.
    """

    frame: pl.DataFrame
    kinds: Mapping[str, Kind]
    findings: tuple[Finding, ...] = ()
    facts: tuple[tuple[str, str], ...] = field(default=())


def find_pictures(source: str | Sequence[str]) -> Path | None:
    """Return the folder of pictures that a source is, or None if it is something else.

    A folder with tables right inside it is one of tables; else pictures must lie in it or in its folders.
    """
    if not isinstance(source, str):
        return None
    folder = Path(source).expanduser()
    try:
        inside = _visible(folder) if folder.is_dir() else []
    except OSError:
        return None
    if any(_is_picture(each) for each in inside):
        return folder
    if any(each.is_file() and each.suffix.lower() in _OTHER_TABLES for each in inside):
        return None
    folders = [each for each in inside if each.is_dir()]
    return folder if any(_is_picture(each) for one in folders for each in _visible(one)) else None


_OTHER_TABLES: Final = frozenset({".csv", ".tsv", ".parquet", ".arrow", ".json", ".jsonl", ".xlsx"})


def read_pictures(folder: Path) -> PictureTable:
    """Return the pictures of a folder, sorted by path.

    Parameters
    ----------
    folder : Path
        Pictures in folders whose names are their labels, however deep below; or pictures alone.

    Raises
    ------
    DataError
        If none of them can be read.
    """
    classes = [each for each in _visible(folder) if each.is_dir() and _files_below(each)]
    loose = [each for each in _visible(folder) if _is_picture(each)]
    if classes:
        found = [(path, each.name) for each in classes for path in _files_below(each) if _is_picture(path)]
        left_out = loose
    else:
        found, left_out = [(path, "") for path in loose], []
    others = [each for one in classes for each in _files_below(one) if not _is_picture(each)]
    states = {str(path): check(str(path)) for path, _ in found}
    kept = [(str(path), label) for path, label in found if states[str(path)] != "unreadable"]
    if not kept:
        raise DataError(
            f"None of the {count(len(found), 'picture')} in `{folder}` can be read, the first is "
            f"`{found[0][0]}`. Export them again as JPEG or PNG."
        )
    columns = {IMAGE: [path for path, _ in kept]}
    kinds: dict[str, Kind] = {IMAGE: "image"}
    if classes:
        columns[LABEL] = [label for _, label in kept]
        kinds[LABEL] = "category"
    facts = [("pictures", count(len(kept)))]
    if classes:
        facts.append(("folders", listed([each.name for each in classes], limit=8)))
    findings = _about(folder, states, [*left_out, *others])
    return PictureTable(pl.DataFrame(columns), kinds, findings, tuple(facts))


def _visible(folder: Path) -> list[Path]:
    return sorted(each for each in folder.iterdir() if not each.name.startswith((".", "__")))


def _files_below(folder: Path) -> list[Path]:
    return sorted(
        each
        for each in folder.rglob("*")
        if each.is_file() and not each.name.startswith(".") and "__MACOSX" not in each.parts
    )


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and path.is_file()


def _about(folder: Path, states: Mapping[str, State], others: Sequence[Path]) -> tuple[Finding, ...]:
    """Return what there is to tell about files that are no whole pictures."""
    names: dict[str, list[str]] = {
        state: [str(Path(path).relative_to(folder)) for path, found in states.items() if found == state]
        for state in ("unreadable", "truncated")
    }
    names["skipped"] = [str(path.relative_to(folder)) for path in others]
    parts = [
        f"{count(len(names[state]), 'file')} ({what}): {listed(names[state], limit=8)}"
        for state, what in (
            ("unreadable", "unreadable, left out"),
            ("truncated", "cut off, read as far as it goes"),
            ("skipped", "no picture in the folder of a class, left out"),
        )
        if names[state]
    ]
    if not parts:
        return ()
    is_damaged = bool(names["unreadable"] or names["truncated"])
    return (
        Finding(
            "D021",
            "warning" if is_damaged else "info",
            f"Not all files in `{folder}` are whole pictures: {'; '.join(parts)}.",
            "Copy or export these files again, or remove them.",
            {state: found[:_MOST_LISTED] for state, found in names.items()},
        ),
    )
