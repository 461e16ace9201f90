"""Arrow IPC files (Feather version 2), as files or as streams, compressed inside or not."""

import io

import polars as pl

from groundup.core.errors import DataError
from groundup.data.options import DataOptions
from groundup.data.scanned import ScannedPart, open_scan
from groundup.data.stored import Stored


def open_arrow(stored: Stored, options: DataOptions) -> ScannedPart:  # noqa: ARG001  # every opener's parameters
    """Open an Arrow file; a stream of Arrow batches is read into memory.

    Raises
    ------
    DataError
        If it is damaged, has no rows, or is a Feather file of version 1.
    """
    head = stored.head(6)
    if head.startswith(b"FEA1"):
        raise DataError(
            f"`{stored}` is a Feather file of version 1, which is out of use. Write it again with "
            "`to_feather` of pandas 2 or later, or as Parquet."
        )
    place = stored.place()
    if head == b"ARROW1":
        if not isinstance(place, io.BytesIO):
            return open_scan(pl.scan_ipc(place, glob=False), str(stored), "Arrow")
        return open_scan(_read(place, stored, is_stream=False), str(stored), "Arrow")
    return open_scan(_read(place, stored, is_stream=True), str(stored), "Arrow stream")


def _read(place: object, stored: Stored, *, is_stream: bool) -> pl.LazyFrame:
    try:
        frame = pl.read_ipc_stream(place) if is_stream else pl.read_ipc(place)  # type: ignore[arg-type]
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(
            f"The Arrow file `{stored}` is damaged ({str(error).splitlines()[0][:120]}). Copy or "
            "export it again."
        ) from None
    return frame.lazy()
