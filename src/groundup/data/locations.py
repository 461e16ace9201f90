"""From what `data.source` names to the files it means: paths, patterns, folders, lists, members."""

import glob
from collections.abc import Sequence
from pathlib import Path

from groundup.core.errors import DataError
from groundup.data.formats import SUFFIXES
from groundup.data.source_names import Source
from groundup.data.stored import Stored, open_archive
from groundup.data.text import check_readable


def find_files(source: Source) -> list[Stored]:
    """Return the files that a source means, in the order of their rows.

    Parameters
    ----------
    source : str or tuple of str
        A path; a pattern such as ``data/*.csv``; a folder, which means the tables right inside it;
        ``FILE!NAME`` for a file inside an archive, a sheet or a table; or several of these. What a
        pattern or a folder means is sorted by name; what a list names keeps its order.

    Raises
    ------
    DataError
        If a file is not there, or cannot be read.
    """
    named = [source] if isinstance(source, str) else list(source)
    if not named:
        raise DataError("data.source is an empty list. Name at least one file.")
    return [open_archive(each) for one in named for each in _files_of(one)]


def _files_of(source: str) -> list[Stored]:
    path = Path(source).expanduser()
    try:
        is_there = path.exists()
    except (OSError, ValueError):
        is_there = True  # `check_readable` says what is wrong with it
    if not is_there and "!" in source and (split := _split_at_file(source)):
        check_readable(split.path)
        return [split]
    if not is_there and glob.has_magic(source):
        found = [Path(each) for each in sorted(glob.glob(str(path), recursive=True))]  # noqa: PTH207  # absolute or not
        files = [each for each in found if each.is_file()]
        if not files:
            raise DataError(f"No file fits the pattern `{source}`. Check the folder and the extension.")
    elif is_there and path.is_dir():
        files = _tables_in(path)
    else:
        files = [path]
    for each in files:
        check_readable(each)
    return [Stored(each) for each in files]


def _split_at_file(source: str) -> Stored | None:
    """Return the file and the name behind one of the `!`; the file's own name may hold some."""
    pieces = source.split("!")
    for n_pieces in range(len(pieces) - 1, 0, -1):
        path = Path("!".join(pieces[:n_pieces])).expanduser()
        if path.is_file():
            return Stored(path, table="!".join(pieces[n_pieces:]))
    return None


def _tables_in(folder: Path) -> list[Path]:
    try:
        inside = sorted(each for each in folder.iterdir() if each.is_file() and not each.name.startswith("."))
    except PermissionError:
        raise DataError(
            f"You may not read the folder `{folder}`. Change its permissions (chmod u+rx)."
        ) from None
    tables = [each for each in inside if Stored(each).suffix in (*SUFFIXES, ".zip")]
    if not tables:
        shown = ", ".join(f"`{each.name}`" for each in inside[:5])
        raise DataError(
            f"`{folder}` is a folder without tables; "
            f"{f'it holds {shown}' if shown else 'it holds no files'}. Name the file to read."
        )
    return tables


def names_of(files: Sequence[Stored]) -> list[str]:
    """Return each file's name, with its folder where names repeat.

    Examples
    --------
    >>> names_of([Stored(Path("a/x.csv")), Stored(Path("a/y.csv"))])
    ['x.csv', 'y.csv']
    """
    short = [each.name for each in files]
    return short if len(set(short)) == len(short) else [str(each) for each in files]
