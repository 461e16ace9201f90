"""Folds of a cross-validation: every row is held out once, and judged by a model that never saw it.

Which rows may be apart decides which folds are honest: rows of one entity stay together, and rows
that are ordered in time are only ever predicted from earlier ones.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from groundup.core.errors import SplitError
from groundup.core.inputs import IntArray
from groundup.core.seeds import generator
from groundup.core.tasks import Task

_GREEDY_GROUPS: Final = 2_000  # groups placed one by one (about 10 µs each); more are dealt like cards

FoldMethod = Literal["stratified", "plain", "group", "time"]


class Fold(NamedTuple):
    """One fold: positions of the rows to train on and of those held out, ascending."""

    train: IntArray
    held_out: IntArray


@dataclass(frozen=True, eq=False)
class Folds:
    """The folds of a cross-validation.

    Parameters
    ----------
    folds : tuple of Fold
        At least one.
    method : {"stratified", "plain", "group", "time"}
        How rows were divided.
    reason : str
        Why so, and what had to give way, in sentences for the report.
    """

    folds: tuple[Fold, ...]
    method: FoldMethod
    reason: str

    def __len__(self) -> int:
        return len(self.folds)

    def __iter__(self) -> Iterator[Fold]:
        return iter(self.folds)


def make_folds(
    y: NDArray[np.generic],
    *,
    task: Task,
    k: int,
    seed: int,
    groups: NDArray[np.generic] | None = None,
    times: NDArray[np.generic] | None = None,
) -> Folds:
    """Divide rows into folds.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        Class codes or values.
    task : Task
        Classes are kept in the same shares in every fold (stratified).
    k : int
        Folds asked for, at least 2; fewer where rows, groups or moments do not suffice.
    seed : int
        The same seed gives the same folds.
    groups : ndarray of shape (n_samples,), optional
        Entity of each row; an entity is never both in training and held out.
    times : ndarray of shape (n_samples,), optional
        Sortable moment of each row; training rows are then all earlier than held-out rows, and
        rows of the same moment stay together. Takes precedence over `groups`.

    Returns
    -------
    Folds
        Except by time, the held-out parts cover every row exactly once.

    Raises
    ------
    SplitError
        If there are fewer than two rows, groups or moments.

    References
    ----------
    Kohavi (1995), "A study of cross-validation and bootstrap for accuracy estimation and model
    selection", IJCAI; Hyndman and Athanasopoulos (2021), "Forecasting: Principles and Practice",
    section 5.10, for forward chaining.

    Examples
    --------
    >>> folds = make_folds(np.array([0, 1] * 5), task="classification", k=5, seed=0)
    >>> len(folds), folds.method, [len(held_out) for _, held_out in folds]
    (5, 'stratified', [2, 2, 2, 2, 2])
    """
    assert k >= 2, k
    if len(y) < 2:
        raise SplitError(f"Cross-validation needs at least 2 rows, and there are `{len(y)}`: add rows.")
    if times is not None:
        return _forward_folds(y, times, task, k, has_groups=groups is not None)
    rng = generator(seed, "folds")
    if groups is not None:
        return _group_folds(y, groups, task, k, rng)
    return _row_folds(y, task, k, rng)


def _from_assignment(fold_of_row: IntArray, k: int) -> tuple[Fold, ...]:
    positions = [
        (np.flatnonzero(fold_of_row != fold), np.flatnonzero(fold_of_row == fold)) for fold in range(k)
    ]
    return tuple(Fold(train, held_out) for train, held_out in positions)


def _fewer(asked: int, k: int, what: str) -> str:
    return "" if k == asked else f" {k} folds instead of {asked}, because there are only {k} {what}."


def _row_folds(y: NDArray[np.generic], task: Task, asked: int, rng: np.random.Generator) -> Folds:
    n = len(y)
    k = min(asked, n)
    shuffled = rng.permutation(n)
    fold_of_row = np.empty(n, dtype=np.int64)
    if task == "regression":
        fold_of_row[shuffled] = np.arange(n) % k
        reason = f"Rows are shuffled into {k} folds of equal size." + _fewer(asked, k, "rows")
        return Folds(_from_assignment(fold_of_row, k), "plain", reason)
    # Dealing the rows out class by class gives every fold its share of each class, to within one row.
    by_class = shuffled[np.argsort(y[shuffled], kind="stable")]
    fold_of_row[by_class] = np.arange(n) % k
    reason = f"Rows are shuffled into {k} folds with the same share of each class." + _fewer(asked, k, "rows")
    return Folds(_from_assignment(fold_of_row, k), "stratified", reason + _rare_classes(y, k))


def _rare_classes(y: NDArray[np.generic], k: int) -> str:
    _, sizes = np.unique(y, return_counts=True)
    n_rare = int((sizes < k).sum())
    if not n_rare:
        return ""
    many = "1 class has" if n_rare == 1 else f"{n_rare} classes have"
    return f" {many} fewer than {k} rows (the smallest {sizes.min()}), so not every fold holds them."


def _group_folds(
    y: NDArray[np.generic], groups: NDArray[np.generic], task: Task, asked: int, rng: np.random.Generator
) -> Folds:
    names, group_of_row = np.unique(groups, return_inverse=True)
    group_of_row = group_of_row.reshape(-1)
    if len(names) < 2:
        raise SplitError(
            "Cross-validation by group needs at least 2 groups, and all rows of the training part belong to "
            "one: choose another column for `data.split.group`, or none."
        )
    k = min(asked, len(names))
    stratum = np.zeros(len(y), dtype=np.int64)
    if task == "classification":
        stratum = np.unique(y, return_inverse=True)[1].reshape(-1)
    counts = np.zeros((len(names), int(stratum.max()) + 1))
    np.add.at(counts, (group_of_row, stratum), 1)
    assign = _place_groups if len(names) <= _GREEDY_GROUPS else _deal_groups
    fold_of_group = assign(counts, k, rng)
    shares = " and similar shares of each class" if task == "classification" else ""
    reason = f"Rows of the same group stay together; {k} folds of similar size{shares}."
    return Folds(
        _from_assignment(fold_of_group[group_of_row], k), "group", reason + _fewer(asked, k, "groups")
    )


def _place_groups(counts: NDArray[np.float64], k: int, rng: np.random.Generator) -> IntArray:
    """Place groups, the largest first, each where the folds' class counts then differ least."""
    shuffled = rng.permutation(len(counts))
    order = shuffled[np.argsort(-counts.sum(axis=1)[shuffled], kind="stable")]
    scale = np.concatenate([counts.sum(axis=0), [counts.sum()]])  # classes and size count alike
    loads = np.concatenate([counts, counts.sum(axis=1, keepdims=True)], axis=1) / scale
    folds, fold_of_group = np.zeros((k, loads.shape[1])), np.empty(len(counts), dtype=np.int64)
    n_left = len(order)
    for group in order:
        # Adding x to a fold with load f raises the sum of squared loads by 2 f·x plus a constant.
        cost = folds @ loads[group]
        is_empty = ~folds.any(axis=1)
        if is_empty.sum() >= n_left:
            cost = np.where(is_empty, cost, np.inf)
        fold_of_group[group] = np.argmin(cost)
        folds[fold_of_group[group]] += loads[group]
        n_left -= 1
    return fold_of_group


def _deal_groups(counts: NDArray[np.float64], k: int, rng: np.random.Generator) -> IntArray:
    """Deal groups out by commonest class and size, to and fro, so that folds stay alike."""
    shuffled = rng.permutation(len(counts))
    sizes = counts.sum(axis=1)
    order = shuffled[np.lexsort((-sizes[shuffled], counts.argmax(axis=1)[shuffled]))]
    turn = np.arange(len(counts)) % (2 * k)
    fold_of_group = np.empty(len(counts), dtype=np.int64)
    fold_of_group[order] = np.where(turn < k, turn, 2 * k - 1 - turn)
    return fold_of_group


def _forward_folds(
    y: NDArray[np.generic], times: NDArray[np.generic], task: Task, asked: int, *, has_groups: bool
) -> Folds:
    moments, moment_of_row = np.unique(times, return_inverse=True)
    moment_of_row = moment_of_row.reshape(-1)
    if len(moments) < 2:
        raise SplitError(
            f"Cross-validation in time needs at least 2 moments, and all rows are of `{moments[0]}`: "
            "choose another column for `data.split.time`, or none."
        )
    k = min(asked, len(moments) - 1)
    period = _periods(np.bincount(moment_of_row), k + 1)[moment_of_row]
    folds = [Fold(np.flatnonzero(period < at), np.flatnonzero(period == at)) for at in range(1, k + 1)]
    usable = [fold for fold in folds if task == "regression" or len(np.unique(y[fold.train])) > 1]
    if not usable:
        raise SplitError(
            "Cross-validation in time needs two classes before the last period: add earlier rows."
        )
    reason = (
        f"Rows are ordered in time: {len(usable)} folds, each trained on all rows before its held-out period."
    )
    if k < asked:
        reason += f" {k} instead of {asked}, because there are only {len(moments)} moments."
    if len(usable) < k:
        reason += f" The first {k - len(usable)} were left out: only one class had occurred by then."
    if has_groups:
        reason += " Time leads: a group's earlier rows may be trained on when its later ones are held out."
    return Folds(tuple(usable), "time", reason)


def _periods(sizes: IntArray, n_periods: int) -> IntArray:
    """Return the period of each moment: consecutive, none empty, as equal in rows as ties allow."""
    n_moments, ends = len(sizes), np.cumsum(sizes)
    middle = ends - sizes / 2
    period = np.minimum((middle / ends[-1] * n_periods).astype(np.int64), n_periods - 1)
    # Long ties can leave periods empty; each then takes a moment of its own from its neighbours.
    starts = np.searchsorted(period, np.arange(n_periods))
    at = np.arange(n_periods)
    starts = np.maximum.accumulate(starts - at) + at
    starts = np.minimum(starts, n_moments - n_periods + at)
    starts[0] = 0
    return np.asarray(np.searchsorted(starts, np.arange(n_moments), side="right") - 1)
