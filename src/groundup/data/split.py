"""Train, validation and test: made before anything is computed from the rows, and never changed.

Only the columns that decide are looked at: the target's classes, a group, a time, or the parts
themselves. The same seed gives the same parts on every machine.
"""

from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import polars as pl

from groundup.core.errors import SplitError
from groundup.core.findings import Finding
from groundup.core.inputs import IntArray
from groundup.core.seeds import generator
from groundup.core.tasks import Task
from groundup.core.wording import count, listed, percent
from groundup.data.dataset import Dataset
from groundup.data.options import SplitOptions
from groundup.data.splitters import (
    TEST,
    TRAIN,
    VALIDATION,
    PartOfRow,
    at_random,
    by_class,
    by_column,
    by_group,
    by_time,
)

Part = Literal["train", "validation", "test"]
Method = Literal["random", "stratified", "group", "time", "column"]

FEWEST_ROWS: Final = 10
FEW_ROWS: Final = 100
VERY_FEW_ROWS: Final = 30
FEW_GROUPS: Final = 5


@dataclass(frozen=True)
class Split:
    """Which rows are in which part.

    Parameters
    ----------
    train, validation, test : ndarray of int64
        Sorted positions; disjoint, and together every row.
    method : {"random", "stratified", "group", "time", "column"}
        How they were chosen.
    reason : str
        One or two sentences for the report: how, and why so.
    findings : tuple of Finding
        S005 for parts that are too small to say much.
    """

    train: IntArray
    validation: IntArray
    test: IntArray
    method: Method
    reason: str
    findings: tuple[Finding, ...] = ()

    @property
    def n_rows(self) -> int:
        """Rows of all parts together."""
        return len(self.train) + len(self.validation) + len(self.test)

    def part_of_row(self) -> PartOfRow:
        """Return, for every row, 0 (train), 1 (validation) or 2 (test); shape (n_rows,)."""
        parts = np.zeros(self.n_rows, dtype=np.int8)
        parts[self.validation] = VALIDATION
        parts[self.test] = TEST
        return parts

    def to_json(self) -> dict[str, Any]:
        """Return sizes, method and reason as a JSON object; the positions follow from the seed."""
        return {
            "method": self.method,
            "reason": self.reason,
            "n_train": len(self.train),
            "n_validation": len(self.validation),
            "n_test": len(self.test),
            "findings": [finding.to_json() for finding in self.findings],
        }


def make_split(dataset: Dataset, *, target: str, task: Task, options: SplitOptions, seed: int) -> Split:
    """Divide the rows into train, validation and test.

    Costs a sort of one column at most: O(n log n) in the rows, one column in memory.

    Parameters
    ----------
    dataset : Dataset
        The rows; every one has a target.
    target : str
        The column to predict; its classes keep their proportions where the method is `stratified`.
    task : {"classification", "regression"}
        Decides between `stratified` and `random`.
    options : SplitOptions
        Method, sizes, and the columns that decide.
    seed : int
        The run's seed.

    Raises
    ------
    SplitError
        If there are too few rows, groups or times for three parts, or a part's name is unknown.
    UnknownColumnError
        If a column named in `options` does not exist.

    Examples
    --------
    >>> from groundup.core.schema import Column, Schema
    >>> rows = pl.DataFrame({"y": ["a", "b"] * 50}).lazy()
    >>> dataset = Dataset(rows, Schema([Column("y", "category", "string")]), 100, "frame")
    >>> split = make_split(dataset, target="y", task="classification", options=SplitOptions(), seed=0)
    >>> split.method, len(split.train), len(split.validation), len(split.test)
    ('stratified', 64, 16, 20)
    """
    method = _resolve(options, task, dataset)
    if dataset.n_rows < FEWEST_ROWS:
        raise SplitError(
            f"There {'is' if dataset.n_rows == 1 else 'are'} only {count(dataset.n_rows, 'row')} with a "
            f"target; it takes at least {FEWEST_ROWS} for a train, a validation and a test part, and some "
            "hundreds for a result to trust. Add rows."
        )
    random = generator(seed, "split")
    if method == "random":
        parts, reason = at_random(dataset.n_rows, options, random)
    elif method == "stratified":
        parts, reason = by_class(_series(dataset, target), options, random)
    elif method == "group":
        parts, reason = by_group(_series(dataset, options.group), options, random)
    elif method == "time":
        parts, reason = by_time(_series(dataset, options.time), options)
    else:
        labels = _series(dataset, target) if task == "classification" else None
        parts, reason = by_column(_series(dataset, options.column), labels, options, random)
    return _split(parts, method, reason, dataset, options)


def _resolve(options: SplitOptions, task: Task, dataset: Dataset) -> Method:
    """Return the method, after checking that what it needs is named."""
    if options.method == "auto":
        for method in ("column", "group", "time"):
            if getattr(options, method) is not None:
                return method
        return "stratified" if task == "classification" else "random"
    if options.method in ("group", "time", "column") and getattr(options, options.method) is None:
        key = options.method
        fitting = (
            [column.name for column in dataset.schema if column.kind == "datetime"] if key == "time" else []
        )
        hint = f" The table has: {listed(fitting)}." if fitting else ""
        raise SplitError(
            f"`data.split.method` is `{key}`, but no column is named: set `data.split.{key}`.{hint}"
        )
    if options.method == "stratified" and task == "regression":
        raise SplitError(
            "`data.split.method` is `stratified`, which keeps the proportions of classes, but this is "
            "regression and has none. Set `data.split.method: random`."
        )
    return options.method


def _series(dataset: Dataset, name: str | None) -> pl.Series:
    assert name is not None
    return dataset.frame([name])[name]


def _split(parts: PartOfRow, method: Method, reason: str, dataset: Dataset, options: SplitOptions) -> Split:
    train, validation, test = (
        np.flatnonzero(parts == part).astype(np.int64) for part in (TRAIN, VALIDATION, TEST)
    )
    findings = [
        finding
        for name, positions in (("validation", validation), ("test", test))
        if (finding := _small_part(name, len(positions), dataset.n_rows)) is not None
    ]
    if method == "group":
        groups = _series(dataset, options.group).gather(test)
        findings += _few_groups(groups)
    sizes = f"{count(len(train))} rows train, {count(len(validation))} validation, {count(len(test))} test."
    return Split(train, validation, test, method, f"{reason} {sizes}", tuple(findings))


def _small_part(name: str, n_rows: int, n_all: int) -> Finding | None:
    if n_rows >= FEW_ROWS:
        return None
    weight = percent(1 / n_rows)
    use = "the final scores rest on it" if name == "test" else "it decides when training stops"
    return Finding(
        "S005",
        "warning" if n_rows < VERY_FEW_ROWS else "info",
        f"The {name} part has only {count(n_rows, 'row')}, and {use}: a single row moves a share by "
        f"{weight}.",
        "Collect more rows; until then trust the cross-validation and the width of the intervals, not "
        "single scores.",
        evidence={"part": name, "n_rows": n_rows, "n_all": n_all},
    )


def _few_groups(groups: pl.Series) -> list[Finding]:
    n_groups = groups.n_unique()
    if n_groups >= FEW_GROUPS:
        return []
    return [
        Finding(
            "S005",
            "warning",
            f"The test part has only {count(n_groups, 'group')} of `{groups.name}`. Rows of one group "
            "depend on each other, so the scores rest on that many observations, however many rows there "
            "are.",
            "Collect rows of more groups.",
            evidence={"part": "test", "n_groups": n_groups, "n_rows": len(groups)},
            column=groups.name,
        )
    ]
