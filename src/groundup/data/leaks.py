"""Rows, near-equal rows, entities and times that are in more than one part, found before training.

A model that has seen a test row while it learnt answers from memory, and its test score promises
what it will not keep. The test part stays sealed while this is looked for: of its rows only keys
are used (hashes, entity codes, times, and which training row they resemble), never a statistic, and
of its targets only whether two equal rows have equal ones. Everything that is counted or averaged is
counted in the training part.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from groundup.core.findings import Finding
from groundup.core.inputs import IntArray
from groundup.core.json import Json
from groundup.core.wording import count, percent
from groundup.data.comparing import Hashes
from groundup.data.dataset import Dataset
from groundup.data.entities import find_entities
from groundup.data.near_duplicates import NearPairs, near_pairs, repeats_stand_out
from groundup.data.options import SplitOptions
from groundup.data.overlap import find_overlap
from groundup.data.split import Split
from groundup.data.splitters import TEST, VALIDATION, PartOfRow

N_EXAMPLES = 20

FEWEST_NEAR_ROWS = 0.01
"""Share of a part from which nearly equal rows are reported: below it, clean tables have some by chance."""


@dataclass(frozen=True)
class RowKeys:
    """All that is kept of a row to recognise it in another part.

    Parameters
    ----------
    features : ndarray of uint64, shape (n_rows,)
        Hash of the row's features.
    with_target : ndarray of uint64, shape (n_rows,)
        Hash of the row's features and target.
    """

    features: Hashes
    with_target: Hashes


def row_keys(frame: pl.DataFrame, target: pl.Series) -> RowKeys:
    """Return the keys of rows, 16 bytes each.

    Examples
    --------
    >>> keys = row_keys(pl.DataFrame({"a": [1, 1, 2]}), pl.Series([0, 1, 0]))
    >>> keys.features[0] == keys.features[1], keys.with_target[0] == keys.with_target[1]
    (np.True_, np.False_)
    """
    features = frame.hash_rows(0).to_numpy()
    return RowKeys(features, pl.DataFrame({"features": features, "target": target}).hash_rows(1).to_numpy())


def find_leaks(
    dataset: Dataset,
    split: Split,
    *,
    features: Sequence[str],
    target: str,
    options: SplitOptions | None = None,
    seed: int,
) -> list[Finding]:
    """Return what the parts of a split have in common that they should not.

    S001 equal rows, S002 nearly equal rows, S003 the same entity, S004 the same time. Costs some twenty sorts
    of the rows: O(n log n) in the rows and linear in the columns. Measured on generated tables, CPU seconds:
    0.6 for 100 000 rows of 30 columns; 5 for 1 000 000 rows of 12 columns (8 if all are coarse categories)
    with a peak of 0.7 GB; 4 for 100 000 texts. Nearly equal rows are sought among 1 000 000 rows at most.

    Parameters
    ----------
    dataset : Dataset
        All rows, as they were split.
    split : Split
        Which row is in which part.
    features : sequence of str
        The columns that a model would see; identifiers and constants left out.
    target : str
        The column to predict.
    options : SplitOptions, optional
        Says which columns the split went by, if any.
    seed : int
        The run's seed.

    Returns
    -------
    list of Finding
        In the order of their codes; S003 and S004 carry the patch that would keep the parts apart.

    Examples
    --------
    >>> from groundup.core.schema import Column, Schema
    >>> values = np.random.default_rng(0).normal(size=200).round(6)
    >>> values[150:] = values[:50]
    >>> frame = pl.DataFrame({"x": values, "y": [0, 1] * 100})
    >>> schema = Schema([Column("x", "number", "float"), Column("y", "number", "integer")])
    >>> rows = np.arange(200)
    >>> split = Split(rows[:100], rows[100:150], rows[150:], "column", "")
    >>> found = find_leaks(
    ...     Dataset(frame.lazy(), schema, 200, "frame"), split, features=["x"], target="y", seed=0
    ... )
    >>> found[0].code, found[0].evidence["n_test_rows"]
    ('S001', 50)
    """
    findings: list[Finding] = []
    options = SplitOptions() if options is None else options
    parts = split.part_of_row()
    if features:
        frame = dataset.frame([*features, target])
        keys = row_keys(frame.select(features), frame[target])
        schema = dataset.schema.select(features)

        def by_chance(rows: IntArray) -> bool:
            return repeats_stand_out(frame.select(features), schema, rows, split.train, seed=seed) < 0.5

        findings += _equal_rows(keys, parts, target, by_chance)
        findings += _near_rows(near_pairs(frame.select(features), schema, parts, seed=seed), parts, features)
    findings += find_entities(dataset, split, target=target, group=options.group, seed=seed)
    findings += find_overlap(dataset, split, target=target, time=options.time)
    return findings


def _equal_rows(
    keys: RowKeys, parts: PartOfRow, target: str, by_chance: Callable[[IntArray], bool]
) -> list[Finding]:
    in_test, n_same = _seen_before(keys, parts, TEST)
    in_validation, _ = _seen_before(keys, parts, VALIDATION)
    n_test = int(np.count_nonzero(parts == TEST))
    share = len(in_test) / n_test
    share_of_validation = len(in_validation) / max(1, int(np.count_nonzero(parts == VALIDATION)))
    if max(share, share_of_validation) < FEWEST_NEAR_ROWS:
        return []
    is_coarse = by_chance(in_test if len(in_test) else in_validation)
    n_first = len(in_test) or len(in_validation)
    whose = (
        f"{count(n_first)} of {count(n_test, 'test row')} ({percent(share)})"
        if len(in_test)
        else count(n_first, "validation row")
    )
    learnt = "train or validation" if len(in_test) else "train"
    equal = "is equal to a row" if n_first == 1 else "are equal to rows"
    said = f"{whose} {equal} of {learnt} in every feature"
    if len(in_test):
        said += f"; {_of_them(n_same, len(in_test))} the same `{target}`"
    meaning = (
        " With so few and so coarse columns, rows come out equal by chance, so this is to be expected."
        if is_coarse
        else " For these the model can answer from memory, so their score says nothing about new rows."
    )
    return [
        Finding(
            "S001",
            "warning" if share >= 0.01 and not is_coarse else "info",
            f"{said}.{meaning}",
            "Remove repeated rows from the source if they are accidental copies; if each is an "
            "observation of its own (two people who gave the same answers), leave them.",
            evidence={
                "n_test_rows": len(in_test),
                "share_of_test": share,
                "n_with_same_target": n_same,
                "n_validation_rows": len(in_validation),
                "examples": _examples(keys.features, in_test if len(in_test) else in_validation, parts),
            },
        )
    ]


def _of_them(n: int, n_all: int) -> str:
    if n == n_all:
        return "it has" if n == 1 else "all have"
    return f"{count(n)} of them {'has' if n == 1 else 'have'}" if n else "none has"


def _seen_before(keys: RowKeys, parts: PartOfRow, part: int) -> tuple[IntArray, int]:
    """Return the rows of a part that equal a row of an earlier part, and how many do so with their target."""
    rows, earlier = np.flatnonzero(parts == part), parts < part
    seen = rows[np.isin(keys.features[rows], keys.features[earlier])]
    return seen, int(np.count_nonzero(np.isin(keys.with_target[seen], keys.with_target[earlier])))


def _examples(hashes: Hashes, rows: IntArray, parts: PartOfRow) -> list[Json]:
    """Return a few pairs of positions: a row, and an equal one of an earlier part."""
    shown = rows[:N_EXAMPLES]
    part = parts[shown[0]]
    earlier = np.flatnonzero((parts < part) & np.isin(hashes, hashes[shown]))
    first_with = {int(key): int(row) for key, row in zip(hashes[earlier][::-1], earlier[::-1], strict=True)}
    return [[int(row), first_with[int(hashes[row])]] for row in shown]


def _near_rows(pairs: NearPairs, parts: PartOfRow, features: Sequence[str]) -> list[Finding]:
    rows, others, changed = (array[pairs.stands_out] for array in (pairs.rows, pairs.others, pairs.changed))
    in_test = np.unique(rows[parts[rows] == TEST])
    in_validation = np.unique(rows[parts[rows] == VALIDATION])
    n_test = int(np.count_nonzero(parts == TEST))
    share = len(in_test) / n_test
    share_of_validation = len(in_validation) / max(1, int(np.count_nonzero(parts == VALIDATION)))
    if max(share, share_of_validation) < FEWEST_NEAR_ROWS:
        return []
    said = (
        f"{count(len(in_test))} of {count(n_test, 'test row')} ({percent(share)}) are"
        if len(in_test)
        else f"{count(len(in_validation), 'validation row')} {'is' if len(in_validation) == 1 else 'are'}"
    )
    evidence: dict[str, Json] = {
        "n_test_rows": len(in_test),
        "share_of_test": share,
        "n_validation_rows": len(in_validation),
        "n_rows_looked_at": pairs.n_looked_at,
        "examples": _near_examples(rows, others, changed, features),
    }
    return [
        Finding(
            "S002",
            "warning" if share >= 0.05 else "info",
            f"{said} nearly equal to a row of another part that the model may learn from: every feature "
            "agrees but for one or for small differences, far more than chance would give. Edited or "
            "jittered copies look so, and measurements taken close together.",
            "Look at the examples: remove copies from the source, or, where rows belong together, name "
            "the column that says so in `data.split.group`.",
            evidence=evidence,
        )
    ]


def _near_examples(
    rows: IntArray, others: IntArray, changed: NDArray[np.int64], features: Sequence[str]
) -> list[Json]:
    shown = zip(rows[:N_EXAMPLES], others[:N_EXAMPLES], changed[:N_EXAMPLES], strict=True)
    return [[int(row), int(other), features[which] if which >= 0 else None] for row, other, which in shown]
