"""Rows that came from memory: the run keeps a copy, so that it can be resumed and reproduced."""

from groundup.core.errors import DataError
from groundup.core.files import whole_folder
from groundup.core.runs import RunFolder
from groundup.data.frames import to_polars
from groundup.recipe import Recipe


def keep_frame(recipe: Recipe, frame: object, folder: RunFolder) -> Recipe:
    """Write the rows into the run folder as Parquet and return the recipe that reads them from there.

    Raises
    ------
    DataError
        If `frame` is nothing that can be read, or holds no rows.
    StorageError
        If the copy cannot be written.
    """
    rows, _ = to_polars(frame)
    if rows.is_empty():
        raise DataError("The table holds no rows, so there is nothing to learn from.")
    with whole_folder(folder.path / "data") as copy:
        rows.write_parquet(copy / "frame.parquet")
    return recipe.with_values({"data.source": str((folder.path / "data" / "frame.parquet").absolute())})
