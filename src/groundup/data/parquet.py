"""Parquet files."""

import io

import polars as pl

from groundup.data.options import DataOptions
from groundup.data.scanned import ScannedPart, open_scan
from groundup.data.stored import Stored


def open_parquet(stored: Stored, options: DataOptions) -> ScannedPart:  # noqa: ARG001  # every opener's parameters
    """Open a Parquet file.

    Raises
    ------
    DataError
        If it is damaged or has no rows.
    """
    place = stored.place()
    scan = pl.scan_parquet(place) if isinstance(place, io.BytesIO) else pl.scan_parquet(place, glob=False)
    return open_scan(scan, str(stored), "Parquet")
