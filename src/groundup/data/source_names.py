"""What `data.source` may name, without opening anything: no dataframe library is needed for it."""

import glob
from pathlib import Path
from typing import Final

SAMPLE_PREFIX: Final = "sample:"

Source = str | tuple[str, ...]
"""A path, a pattern, a folder, ``FILE!NAME`` or ``sample:NAME``; or several of them."""


def given_source(value: object) -> Source | None:
    """Return the source that a caller named by a path or a list of paths; None if it is a table.

    Examples
    --------
    >>> given_source(Path("a.csv")), given_source(["a.csv", "b.csv"]), given_source([{"age": 3}])
    ('a.csv', ('a.csv', 'b.csv'), None)
    """
    if isinstance(value, str | Path):
        return str(value)
    if isinstance(value, list | tuple) and value and all(isinstance(each, str | Path) for each in value):
        return tuple(map(str, value))
    return None


def absolute_source(source: Source, folder: Path) -> Source:
    """Return the source with full paths, relative ones being relative to `folder`.

    Examples
    --------
    >>> absolute_source(("/data/a.csv", "sample:iris"), Path("/home"))
    ('/data/a.csv', 'sample:iris')
    """
    if not isinstance(source, str):
        return tuple(str(absolute_source(each, folder)) for each in source)
    if source.startswith(SAMPLE_PREFIX):
        return source
    return str(folder / Path(source).expanduser())


def source_stem(source: Source) -> str:
    """Return a short name for a source, for the run that is made of it.

    Examples
    --------
    >>> source_stem("data/houses.csv.gz"), source_stem("sample:iris"), source_stem("sales/*.csv")
    ('houses', 'iris', 'sales')
    """
    first = source if isinstance(source, str) else source[0]
    path = Path(first.removeprefix(SAMPLE_PREFIX).partition("!")[0])
    if isinstance(source, str) and not glob.has_magic(path.name):
        return path.name.split(".")[0]
    return path.parent.name or "files"
