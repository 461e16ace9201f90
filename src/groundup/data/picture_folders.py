"""A folder of pictures becomes a table: a picture a row, labelled by the folder that it lies in."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import polars as pl

from groundup.core.errors import DataError
from groundup.core.findings import Finding
from groundup.core.schema import Kind
from groundup.core.wording import count, listed
from groundup.data.picture_table import IMAGE, LABEL, PART, PictureTable
from groundup.data.pictures import SUFFIXES, State, check
from groundup.data.splitters import PART_NAMES, TEST, TRAIN

_MOST_LISTED: Final = 100
_OTHER_TABLES: Final = frozenset({".csv", ".tsv", ".parquet", ".arrow", ".json", ".jsonl", ".xlsx"})


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
    if _are_parts(folders):
        folders = [each for one in folders for each in _visible(one) if each.is_dir()]
    return folder if any(_is_picture(each) for one in folders for each in _visible(one)) else None


def _are_parts(folders: Sequence[Path]) -> bool:
    """Return whether folders divide the pictures into parts, not into classes."""
    parts = {PART_NAMES.get(each.name.lower()) for each in folders}
    return None not in parts and {TRAIN, TEST} <= parts


def read_pictures(folder: Path) -> PictureTable:
    """Return the pictures of a folder, sorted by path.

    Parameters
    ----------
    folder : Path
        Pictures in folders whose names are their labels, however deep below; such folders in the folders
        ``train`` and ``test``; or pictures alone.

    Raises
    ------
    DataError
        If none of them can be read.
    """
    tops = [each for each in _visible(folder) if each.is_dir() and _files_below(each)]
    divided = {each.name: _visible(each) for each in tops} if _are_parts(tops) else {"": tops}
    classes = [(part, each) for part, inside in divided.items() for each in inside if each.is_dir()]
    loose = [each for each in _visible(folder) if _is_picture(each)]
    found = [
        (path, each.name, part) for part, each in classes for path in _files_below(each) if _is_picture(path)
    ]
    used = {path for path, _, _ in found}
    others = [each for one in tops for each in _files_below(one) if each not in used]
    if classes:
        others = [*loose, *others]
    else:
        found = [(path, "", "") for path in loose]
    states = {str(path): check(str(path)) for path, _, _ in found}
    kept = [(str(path), label, part) for path, label, part in found if states[str(path)] != "unreadable"]
    if not kept:
        raise DataError(
            f"None of the {count(len(found), 'picture')} in `{folder}` can be read, the first is "
            f"`{found[0][0]}`. Export them again as JPEG or PNG."
        )
    frame = pl.DataFrame(kept, schema=[IMAGE, LABEL, PART], orient="row")
    columns: dict[str, tuple[Kind, str]] = {IMAGE: ("image", "paths of pictures")}
    facts = [("pictures", count(len(kept)))]
    if classes:
        columns[LABEL] = ("category", "the folder that each picture lies in")
        facts.append(("classes", listed(dict.fromkeys(each.name for _, each in classes), limit=8)))
    if "" not in divided:
        columns[PART] = ("category", "the folder that the folder of each picture lies in")
    return PictureTable(frame.select(list(columns)), columns, _about(folder, states, others), tuple(facts))


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
