"""Folds of a cross-validation: every row is held out once, and judged by a model that never saw it.

Which rows may be apart decides which folds are honest: rows of one entity stay together, and rows
that are ordered in time are only ever predicted from earlier ones.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from groundup.core.errors import SplitError
from groundup.core.inputs import FloatArray, IntArray
from groundup.core.seeds import generator
from groundup.core.tasks import Task

_GREEDY_GROUPS: Final = 2_000  # groups placed one by one (about 10 µs each); more are dealt like cards
_SHUFFLED_SIZES: Final = 0.5  # how far a repeat takes group sizes for other than they are, to place them anew
_PARTS: Final = 5  # of which one is held out where there is only one fold
_TRIES: Final = 20  # draws in a row that give known folds before it is said that there are no others

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
        At least one; those of the first repeat first.
    method : {"stratified", "plain", "group", "time"}
        How rows were divided.
    reason : str
        Why so, and what had to give way, in sentences for the report.
    n_repeats : int
        How often the rows were divided anew; every repeat has the same number of folds.
    """

    folds: tuple[Fold, ...]
    method: FoldMethod
    reason: str
    n_repeats: int = 1

    @property
    def first(self) -> tuple[Fold, ...]:
        """The folds of the first repeat, which hold every row out once (by time, every later row)."""
        return self.folds[: len(self.folds) // self.n_repeats]

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
        Folds asked for; fewer where rows, groups or moments do not suffice. 1: one fifth is held out, once.
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
    if times is not None:
        _check_rows(y, k)
        if k == 1:
            latest = _forward_folds(y, times, task, _PARTS, has_groups=groups is not None)
            return _one_of(latest, place=-1)
        return _forward_folds(y, times, task, k, has_groups=groups is not None)
    return repeated_folds(y, task=task, k=k, repeats=1, seed=seed, groups=groups)


def repeated_folds(
    y: NDArray[np.generic],
    *,
    task: Task,
    k: int,
    repeats: int,
    seed: int,
    groups: NDArray[np.generic] | None = None,
) -> Folds:
    """Divide rows into folds several times, never twice alike.

    Parameters
    ----------
    y, task, k
        As for `make_folds`, whose folds are the first repeat. Rows in time order can be divided in one
        way only.
    repeats : int
        How often; fewer where there are not so many ways.
    seed, groups
        As for `make_folds`.

    Returns
    -------
    Folds
        The held-out parts of each repeat cover every row exactly once.

    Raises
    ------
    SplitError
        If there are fewer than two rows or groups.

    Examples
    --------
    >>> folds = repeated_folds(np.arange(10.0), task="regression", k=5, repeats=3, seed=0)
    >>> len(folds), len(folds.first), folds.n_repeats
    (15, 5, 3)
    """
    _check_rows(y, k)
    if k == 1:
        return _one_of(repeated_folds(y, task=task, k=_PARTS, repeats=1, seed=seed, groups=groups), place=0)

    def divide(repeat: int) -> Folds:
        rng = generator(seed, "folds", *([repeat] if repeat else []))
        if groups is not None:
            return _group_folds(y, groups, task, k, rng, is_first=repeat == 0)
        return _row_folds(y, task, k, rng)

    first = divide(0)
    if repeats == 1:
        return first
    drawn, known = list(first.folds), {_partition(first)}
    n_repeats, draw, n_vain = 1, 0, 0
    while n_repeats < repeats and n_vain < _TRIES:
        draw += 1
        again = divide(draw)
        if _partition(again) in known:
            n_vain += 1
            continue
        known.add(_partition(again))
        drawn += again.folds
        n_repeats, n_vain = n_repeats + 1, 0
    reason = first.reason + _said_of_repeats(repeats, n_repeats)
    return replace(first, folds=tuple(drawn), reason=reason, n_repeats=n_repeats)


def _one_of(folds: Folds, *, place: int) -> Folds:
    """Return one of some folds, so that each candidate is fitted once: holding out instead of crossing."""
    reason = f"{folds.reason} Only one of {len(folds)} parts is held out, once."
    return replace(folds, folds=(folds.folds[place],), reason=reason)


def _check_rows(y: NDArray[np.generic], k: int) -> None:
    assert k >= 1, k
    if len(y) < 2:
        raise SplitError(f"Cross-validation needs at least 2 rows, and there are `{len(y)}`: add rows.")


def _said_of_repeats(asked: int, n_repeats: int) -> str:
    if n_repeats == 1:
        return f" They were not drawn {asked} times: there is only one way to divide these rows."
    if n_repeats < asked:
        return f" They were drawn {n_repeats} times instead of {asked}: there are hardly more ways to do it."
    return f" The folds were drawn {n_repeats} times, each time anew."


def _partition(folds: Folds) -> frozenset[bytes]:
    return frozenset(fold.held_out.tobytes() for fold in folds)


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
    y: NDArray[np.generic],
    groups: NDArray[np.generic],
    task: Task,
    asked: int,
    rng: np.random.Generator,
    *,
    is_first: bool,
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
    # The order of sizes decides where groups go: without other sizes a repeat would be no other division.
    spread = 0.0 if is_first else _SHUFFLED_SIZES
    shuffled = rng.permutation(len(names))
    sizes = counts.sum(axis=1)[shuffled] * (1 + spread * rng.uniform(-1, 1, len(names)))
    fold_of_group = assign(counts, k, shuffled, sizes)
    shares = " and similar shares of each class" if task == "classification" else ""
    reason = f"Rows of the same group stay together; {k} folds of similar size{shares}."
    return Folds(
        _from_assignment(fold_of_group[group_of_row], k), "group", reason + _fewer(asked, k, "groups")
    )


def _place_groups(counts: FloatArray, k: int, shuffled: IntArray, sizes: FloatArray) -> IntArray:
    """Place groups, the largest first, each where the folds' class counts then differ least."""
    order = shuffled[np.argsort(-sizes, kind="stable")]
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


def _deal_groups(counts: FloatArray, k: int, shuffled: IntArray, sizes: FloatArray) -> IntArray:
    """Deal groups out by commonest class and size, to and fro, so that folds stay alike."""
    order = shuffled[np.lexsort((-sizes, counts.argmax(axis=1)[shuffled]))]
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
