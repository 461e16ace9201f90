"""What a source of pictures becomes before it is a dataset."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl

from groundup.core.findings import Finding
from groundup.core.schema import Kind

IMAGE: Final = "image"
LABEL: Final = "label"
PART: Final = "part"


@dataclass(frozen=True)
class PictureTable:
    """Pictures and what is known of them.

    Parameters
    ----------
    frame : polars.DataFrame
        ``image``, where each picture that can be read is; ``label``, such as the name of its folder, where
        there are labels; ``part``, train or test, where they are divided already.
    columns : mapping of str to (Kind, str)
        What these columns are, and why.
    findings : tuple of Finding
        What could not be read.
    facts : tuple of (str, str)
        What was found, for people.
    """

    frame: pl.DataFrame
    columns: Mapping[str, tuple[Kind, str]]
    findings: tuple[Finding, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
