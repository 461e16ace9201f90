"""How rows are dealt to three parts: at random, class by class, by group, by time, or as a column says.

Each function returns the part of every row (0 train, 1 validation, 2 test) and the sentence that
explains it; `groundup.data.split` chooses between them.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from groundup.core.errors import SplitError, did_you_mean
from groundup.core.inputs import IntArray
from groundup.core.wording import count, listed, percent, shown
from groundup.data.options import SplitOptions

PartOfRow: TypeAlias = NDArray[np.int8]

TRAIN, VALIDATION, TEST = range(3)

PART_NAMES: Final[Mapping[str, int]] = MappingProxyType(
    dict.fromkeys(("train", "training", "trn", "fit"), TRAIN)
    | dict.fromkeys(("validation", "valid", "val", "dev", "development"), VALIDATION)
    | dict.fromkeys(("test", "testing", "tst", "holdout", "hold-out"), TEST)
)
"""What a split column may say, in lower case."""


def _sizes(n_rows: int, options: SplitOptions) -> tuple[int, int]:
    """Return how many rows the validation and the test part get: at least one each, and one left to train."""
    n_test = max(1, round(n_rows * options.test))
    n_validation = max(1, round((n_rows - n_test) * options.validation))
    if n_test + n_validation >= n_rows:
        raise SplitError(
            f"`data.split.test: {options.test}` and `data.split.validation: {options.validation}` leave "
            f"none of the {count(n_rows, 'row')} to train on. Lower one of them."
        )
    return n_validation, n_test


def _cut(order: IntArray, n_validation: int, n_test: int) -> PartOfRow:
    """Return the part of each row where `order` lists first the test rows, then validation, then train."""
    parts = np.zeros(len(order), dtype=np.int8)
    parts[order[:n_test]] = TEST
    parts[order[n_test : n_test + n_validation]] = VALIDATION
    return parts


def at_random(n_rows: int, options: SplitOptions, random: np.random.Generator) -> tuple[PartOfRow, str]:
    """Draw the rows of each part at random."""
    parts = _cut(random.permutation(n_rows), *_sizes(n_rows, options))
    return parts, "Rows were drawn at random, so that every part resembles the whole."


def by_class(labels: pl.Series, options: SplitOptions, random: np.random.Generator) -> tuple[PartOfRow, str]:
    """Draw the rows of each part at random, every class in proportion (within one row)."""
    codes, classes = _codes(labels)
    order, kept = spread_classes(codes, random)
    parts = _cut(order, *_sizes(len(codes), options))
    reason = (
        f"Rows were drawn at random, class by class of `{labels.name}` (stratified), so that every class "
        "has the same share in each part."
    )
    if len(kept):
        names = classes.gather(kept).to_list()
        reason += f" Classes with one or two rows stay in train where they can: {listed(names)}."
    return parts, reason


def _codes(series: pl.Series) -> tuple[IntArray, pl.Series]:
    """Return each row's code in [0, n_values), and the values in order."""
    assert series.null_count() == 0
    return _dense_rank(series) - 1, series.unique().sort()


def _dense_rank(series: pl.Series) -> IntArray:
    """Return each row's place among the distinct values, from 1; 0 where it is missing."""
    ranked = series.cast(pl.UInt8) if series.dtype == pl.Boolean else series
    return ranked.rank("dense").fill_null(0).to_numpy().astype(np.int64)


def spread_classes(codes: IntArray, random: np.random.Generator) -> tuple[IntArray, IntArray]:
    """Return an order whose every prefix holds each class in proportion, and the classes too small for that.

    `codes` are class codes from 0, shape (n_rows,). The rows of a class of size m are dealt, shuffled, to
    the places (u, u + 1, ..., u + m - 1) / m of [0, 1), with one random u in [0, 1) a class; a prefix up to
    share f then holds f * m of them, give or take one. Classes of one or two rows come last.
    """
    shuffled = random.permutation(len(codes))
    by_class = shuffled[np.argsort(codes[shuffled], kind="stable")]
    sizes = np.bincount(codes)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    class_of = codes[by_class]
    rank = np.arange(len(codes)) - starts[class_of]
    place = (rank + random.random(len(sizes))[class_of]) / sizes[class_of]
    is_small = sizes[class_of] <= 2
    place[is_small] = 2 + random.random(int(is_small.sum()))
    return by_class[np.argsort(place, kind="stable")], np.flatnonzero(sizes <= 2)


def by_group(groups: pl.Series, options: SplitOptions, random: np.random.Generator) -> tuple[PartOfRow, str]:
    """Deal whole groups, in random order, to where the middle of the group falls."""
    codes = _group_codes(groups)
    sizes = np.bincount(codes)
    if len(sizes) < 3:
        raise SplitError(
            f"The group column `{groups.name}` has {count(len(sizes), 'group')}; three parts take at least "
            "3, and a result to trust takes dozens. Name another column in `data.split.group`, or leave "
            "it out."
        )
    n_validation, n_test = _sizes(len(codes), options)
    # A group larger than half of a small part would swell it; those go to the end, where train is.
    is_large = sizes > max(1, min(n_validation, n_test) // 2)
    order = np.lexsort((random.random(len(sizes)), is_large))
    middle = np.cumsum(sizes[order]) - sizes[order] / 2
    part_of_group = np.empty(len(sizes), dtype=np.int8)
    part_of_group[order] = np.select(
        [middle < n_test, middle < n_test + n_validation], [TEST, VALIDATION], TRAIN
    )
    for part in (TEST, VALIDATION, TRAIN):
        _fill_if_empty(part_of_group, sizes, part)
    reason = (
        f"All rows of one `{groups.name}` ({count(len(sizes), 'group')}) are in the same part, so that the "
        "model is tested on groups it has never seen, as it will meet them later."
    )
    if n_missing := groups.null_count():
        reason += f" {count(n_missing, 'row')} without a group count as groups of their own."
    return part_of_group[codes], reason


def _group_codes(groups: pl.Series) -> IntArray:
    """Return a code a group; a row without a group is a group of its own."""
    codes = _dense_rank(groups)
    alone = codes == 0
    codes[alone] = codes.max() + 1 + np.arange(int(alone.sum()))
    return np.unique(codes, return_inverse=True)[1] if alone.any() else codes - 1


def _fill_if_empty(part_of_group: PartOfRow, sizes: IntArray, part: int) -> None:
    """Give an empty part the smallest group of the part that has the most groups."""
    if np.any(part_of_group == part):
        return
    richest = int(np.argmax(np.bincount(part_of_group, minlength=3)))
    candidates = np.flatnonzero(part_of_group == richest)
    part_of_group[candidates[np.argmin(sizes[candidates])]] = part


def by_time(times: pl.Series, options: SplitOptions) -> tuple[PartOfRow, str]:
    """Cut the rows, sorted by time, at the two changes of time that are nearest to the sizes asked for."""
    if not (times.dtype.is_temporal() or times.dtype.is_numeric()):
        raise SplitError(
            f"The time column `{times.name}` holds "
            f"{'true and false' if times.dtype == pl.Boolean else 'text'}, which has no order in time. "
            "Name a column of dates or numbers in `data.split.time`, or say in `data.columns` that it is "
            "a `datetime`."
        )
    known = times.is_not_null().to_numpy()
    positions = np.flatnonzero(known)
    moments = times.drop_nulls()
    order = moments.arg_sort().to_numpy().astype(np.int64)
    in_order = moments.gather(order)
    changes = np.flatnonzero((in_order != in_order.shift(1)).fill_null(False).to_numpy())
    if len(changes) < 2:
        raise SplitError(
            f"The time column `{times.name}` has "
            f"{count(len(changes) + bool(len(moments)), 'different time')}; three parts take at least 3. "
            "Name another column in `data.split.time`, or leave it out."
        )
    n_validation, n_test = _sizes(len(moments), options)
    last = _nearest(changes[1:], len(moments) - n_test)
    first = _nearest(changes[changes < last], last - n_validation)
    parts = np.zeros(len(times), dtype=np.int8)
    parts[positions[order[first:last]]] = VALIDATION
    parts[positions[order[last:]]] = TEST
    reason = (
        f"Rows were cut in the order of `{times.name}`: validation begins at {shown(in_order[first])} and "
        f"test at {shown(in_order[last])}, so that the model is tested on what came after everything it "
        "learnt from."
    )
    if not known.all():
        reason += f" {count(int((~known).sum()), 'row')} without a time stay in train."
    return parts, reason


def _nearest(values: IntArray, wanted: int) -> int:
    return int(values[np.argmin(np.abs(values - wanted))])


def by_column(
    names: pl.Series, labels: pl.Series | None, options: SplitOptions, random: np.random.Generator
) -> tuple[PartOfRow, str]:
    """Take the parts as a column says; draw a validation part from train where it names none."""
    parts = _named_parts(names)
    for part, word in ((TRAIN, "train"), (TEST, "test")):
        if not np.any(parts == part):
            found = listed(names.unique(maintain_order=True).to_list())
            raise SplitError(
                f"The split column `{names.name}` puts no row into the {word} part; it says {found}. Mark "
                f"some rows `{word}`, or leave `data.split.column` out."
            )
    reason = f"The column `{names.name}` says which row is in which part."
    if np.any(parts == VALIDATION):
        return parts, reason
    train = np.flatnonzero(parts == TRAIN)
    n_validation = max(1, round(len(train) * options.validation))
    if n_validation >= len(train):
        raise SplitError(
            f"The split column `{names.name}` puts {count(len(train), 'row')} into train and none into "
            "validation; that is too few to draw a validation part from. Mark more rows `train`."
        )
    order = random.permutation(len(train))
    if labels is not None:
        order = spread_classes(_codes(labels.gather(train))[0], random)[0]
    parts[train[order[:n_validation]]] = VALIDATION
    drawn = f"It names no validation part, so {percent(options.validation)} of train were drawn for it."
    return parts, f"{reason} {drawn}"


def _named_parts(names: pl.Series) -> PartOfRow:
    spelled = names.cast(pl.String).str.strip_chars().str.to_lowercase()
    codes = spelled.replace_strict(dict(PART_NAMES), default=None, return_dtype=pl.Int8)
    if not codes.null_count():
        return codes.to_numpy(writable=True)
    row = int(np.flatnonzero(codes.is_null().to_numpy())[0])
    value = names[row]
    what = f"`{value}`, which is no part" if value is not None else "nothing"
    hint = did_you_mean(str(value), ["train", "validation", "test"]) if value is not None else ""
    raise SplitError(
        f"The split column `{names.name}` says {what}, in row {row + 1} of the table "
        f"({count(codes.null_count(), 'row')} like that). Each row must say `train`, `validation` or "
        f"`test`.{hint}"
    )
