"""How new rows differ from the training rows in what a model cannot make sense of.

Counted are missing values, levels that training never saw, and numbers beyond the range it saw; each beside
what chance would give.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl


def count_mismatches(
    batches: Iterable[pl.DataFrame], reference: Iterable[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Count what is unlike the training rows, column by column.

    Parameters
    ----------
    batches : iterable of polars.DataFrame
        The new rows; a column that they lack counts as missing in every row.
    reference : iterable of mapping
        What `groundup.monitoring.reference.build_reference` said of the training rows.

    Returns
    -------
    list of dict
        One a column: ``name``; ``n``, the new rows; and under ``missing``, ``unseen`` and ``outside`` (as far
        as that can be told) a pair: how many new rows are so, and the share to be expected.

    Examples
    --------
    >>> reference = [{"name": "age", "kind": "number", "n": 98, "n_missing": 0, "minimum": 1, "maximum": 90}]
    >>> count_mismatches([pl.DataFrame({"age": [None, 7, 700]})], reference)
    [{'name': 'age', 'n': 3, 'missing': (1, 0.01), 'outside': (1, 0.02020...)}]
    """
    columns = [_Column(each) for each in reference]
    for batch in batches:
        for column in columns:
            column.add(batch)
    return [column.result() for column in columns]


class _Column:
    """The counts of one column."""

    def __init__(self, reference: Mapping[str, Any]) -> None:
        self.name = str(reference["name"])
        n_known = reference["n"] - reference["n_missing"]
        self.n = 0
        self.counts = {"missing": 0}
        # With a prior row each way (Laplace), so that what was never seen is not impossible.
        self.expected = {"missing": (reference["n_missing"] + 1) / (reference["n"] + 2)}
        self.levels: list[str] | None = None
        self.span: tuple[float, float] | None = None
        bins = reference.get("bins")
        if bins and "levels" in bins and bins["n_other"] == 0:
            # The rows that were the only one of their level tell how often a next row is of a new one
            # (Good 1953).
            self.levels, self.counts["unseen"] = list(bins["levels"]), 0
            self.expected["unseen"] = (bins["counts"].count(1) + 1) / (n_known + 2)
        elif reference["kind"] == "number" and reference.get("minimum") is not None:
            self.span, self.counts["outside"] = (reference["minimum"], reference["maximum"]), 0
            self.expected["outside"] = 2 / (n_known + 1)

    def add(self, batch: pl.DataFrame) -> None:
        self.n += len(batch)
        if self.name not in batch.columns:
            self.counts["missing"] += len(batch)
            return
        values = batch[self.name]
        self.counts["missing"] += values.null_count()
        known = values.drop_nulls()
        if self.levels is not None:
            self.counts["unseen"] += int((~known.cast(pl.String).is_in(self.levels)).sum())
        elif self.span is not None and known.dtype.is_numeric():
            self.counts["outside"] += int((~known.is_between(*self.span)).sum())

    def result(self) -> dict[str, Any]:
        pairs = {what: (n, self.expected[what]) for what, n in self.counts.items()}
        return {"name": self.name, "n": self.n, **pairs}
