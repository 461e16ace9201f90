"""Contract "Source": from where data is, and how to read it, to a dataset.

A source is a file of any format in `formats.FORMATS` (also compressed, or inside a zip archive), several
files that form one table, a folder of pictures, a table in memory, or a sample that ships with a required
package. All of them meet in the same canonical types, so the same data give the same fingerprint wherever
they come from.
"""

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from groundup.core.errors import DataError
from groundup.core.schema import Schema
from groundup.data.columns import typed_column
from groundup.data.dataset import Dataset
from groundup.data.formats import open_part
from groundup.data.frames import to_polars, unique_names
from groundup.data.gather import Gathered, Selection, gather
from groundup.data.locations import find_files, names_of
from groundup.data.options import DataOptions
from groundup.data.parts import Part
from groundup.data.picture_arrays import find_arrays, read_arrays
from groundup.data.picture_folders import find_pictures, read_pictures
from groundup.data.picture_table import LABEL, PART, PictureTable
from groundup.data.samples import load_sample
from groundup.data.scanned import ScannedPart, read_scan
from groundup.data.source_names import SAMPLE_PREFIX
from groundup.data.stored import Stored


def read(options: DataOptions, *, frame: object | None = None, schema: Schema | None = None) -> Dataset:
    """Read a source into a dataset.

    Parameters
    ----------
    options : DataOptions
        Where the data are (`source`) and how to read them.
    frame : object or None
        A table in memory instead of `source`: pandas, Polars, Arrow, a list of dicts.
    schema : Schema or None
        What the columns were in training. Then columns are read as that, further ones are left
        out, absent ones stay absent, and values that do not fit become missing (finding D008).

    Returns
    -------
    Dataset
        Rows in canonical types, with their schema, findings, and facts about how they were read.

    Raises
    ------
    DataError
        If there is nothing to read or it is no table; the text says what to do.
    UnknownColumnError
        If `options.columns` or `options.drop` names a column that is not there.
    MissingExtraError
        If the format needs a package that is not installed; the text says what to install.

    Examples
    --------
    >>> dataset = read(DataOptions(), frame=[{"age": 31, "city": "Bonn"}, {"age": 42, "city": "?"}])
    >>> dataset.schema, dataset.n_rows
    (Schema(age: number, city: category), 2)
    """
    if frame is not None:
        table, _ = to_polars(frame)
        return _read_frame(table, Selection(options, schema, "frame"))
    if options.source is None:
        raise DataError("No data were named. Set data.source to a file or `sample:NAME`, or pass a table.")
    if isinstance(options.source, str) and options.source.startswith(SAMPLE_PREFIX):
        name = options.source.removeprefix(SAMPLE_PREFIX)
        return _read_frame(load_sample(name), Selection(options, schema, options.source))
    if arrays := find_arrays(options.source):
        return _read_pictures(read_arrays(arrays), options, schema)
    if (folder := find_pictures(options.source)) is not None:
        return _read_pictures(read_pictures(folder), options, schema)
    files = find_files(options.source)
    origin = _origin(files, options.source)
    parts = [open_part(each, options) for each in files]
    selection = Selection(options, schema, origin)
    if len(parts) == 1 and options.file_column is None and isinstance(parts[0], ScannedPart):
        return read_scan(parts[0], selection)
    return _dataset(gather(parts, _titles(parts, files), selection, file_column=options.file_column), origin)


def _read_pictures(found: PictureTable, options: DataOptions, schema: Schema | None) -> Dataset:
    kinds = {name: kind for name, (kind, _) in found.columns.items()}
    known = options.model_copy(update={"columns": {**kinds, **options.columns}, "missing": ()})
    dataset = _read_frame(found.frame, Selection(known, schema, str(options.source)))
    columns = (
        replace(each, reason=found.columns[each.name][1]) if each.kind == kinds[each.name] else each
        for each in dataset.schema
    )
    return replace(
        dataset,
        schema=Schema(columns),
        findings=(*found.findings, *dataset.findings),
        facts=found.facts,
        target=LABEL if LABEL in dataset.schema else None,
        part=PART if PART in dataset.schema else None,
    )


def _origin(files: Sequence[Stored], source: str | tuple[str, ...]) -> str:
    if len(files) == 1:
        return str(files[0])
    named = source if isinstance(source, str) else f"{files[0]} to {files[-1].name}"
    return f"{named} ({len(files)} files)"


def _titles(parts: Sequence[Part], files: Sequence[Stored]) -> list[str]:
    return [str(files[0])] if len(parts) == 1 else names_of(files)


def _read_frame(frame: pl.DataFrame, selection: Selection) -> Dataset:
    names = unique_names(frame.columns)
    selection.check(names)
    collected = [
        typed_column(series, wanted)
        for series, name in zip(frame.get_columns(), names, strict=True)
        if (wanted := selection.wanted(name)) is not None
    ]
    return _dataset(Gathered(collected, len(frame)), selection.origin)


def _dataset(gathered: Gathered, origin: str) -> Dataset:
    if not gathered.columns and gathered.n_rows == 0:
        raise DataError(f"{origin}: there are no columns. Check that it is the right table.")
    frame = pl.DataFrame([each.values for each in gathered.columns])
    schema = Schema(each.column for each in gathered.columns)
    findings = (*gathered.findings, *(finding for each in gathered.columns for finding in each.findings))
    return Dataset(frame.lazy(), schema, gathered.n_rows, origin, findings, gathered.facts, gathered.read_as)
