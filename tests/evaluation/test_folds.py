"""Folds: who may be apart, who may not, and what gives way when rows are few."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundup.core.errors import SplitError
from groundup.evaluation import folds as module
from groundup.evaluation.folds import Folds, make_folds, repeated_folds

FEW = settings(deadline=None, max_examples=50)


def held_out_once(folds: Folds, n: int) -> bool:
    rows = np.concatenate([fold.held_out for fold in folds])
    return sorted(rows.tolist()) == list(range(n))


def complementary(folds: Folds, n: int) -> bool:
    return all(
        sorted(fold.train.tolist() + fold.held_out.tolist()) == list(range(n)) and len(fold.held_out)
        for fold in folds
    )


@FEW
@given(st.integers(0, 10**6), st.integers(2, 80), st.integers(2, 10), st.integers(1, 5))
def test_stratified_folds_share_every_class_to_within_one_row(
    seed: int, n: int, k: int, n_classes: int
) -> None:
    y = np.random.default_rng(seed).integers(0, n_classes, n)
    folds = make_folds(y, task="classification", k=k, seed=seed)
    assert folds.method == "stratified"
    assert len(folds) == min(k, n)
    assert held_out_once(folds, n)
    assert complementary(folds, n)
    counts = np.stack([np.bincount(y[fold.held_out], minlength=n_classes) for fold in folds])
    assert np.ptp(counts, axis=0).max() <= 1
    assert np.ptp(counts.sum(axis=1)) <= 1


@FEW
@given(st.integers(0, 10**6), st.integers(2, 80), st.integers(2, 10))
def test_plain_folds_are_of_equal_size(seed: int, n: int, k: int) -> None:
    folds = make_folds(np.zeros(n), task="regression", k=k, seed=seed)
    assert folds.method == "plain"
    assert held_out_once(folds, n)
    assert complementary(folds, n)
    assert np.ptp([len(fold.held_out) for fold in folds]) <= 1


@FEW
@given(st.integers(0, 10**6), st.integers(2, 80), st.integers(2, 8), st.booleans(), st.booleans())
def test_a_group_is_never_on_both_sides(seed: int, n: int, k: int, is_classes: bool, is_dealt: bool) -> None:
    rng = np.random.default_rng(seed)
    groups = rng.integers(0, 12, n).astype(str)
    groups[:2] = "x", "y"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_GREEDY_GROUPS", 0 if is_dealt else 2_000)
        task = "classification" if is_classes else "regression"
        folds = make_folds(rng.integers(0, 3, n), task=task, k=k, seed=seed, groups=groups)
    assert len(folds) == min(k, len(set(groups)))
    assert held_out_once(folds, n)
    assert complementary(folds, n)
    for fold in folds:
        assert not set(groups[fold.train]) & set(groups[fold.held_out])


@pytest.mark.parametrize("most_greedy", [0, 2_000])
def test_groups_are_spread_by_size_and_class(most_greedy: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_GREEDY_GROUPS", most_greedy)
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(200), rng.integers(1, 10, 200))
    y = (rng.random(200) < 0.3)[groups].astype(int)
    folds = make_folds(y, task="classification", k=5, seed=0, groups=groups)
    sizes = np.array([len(fold.held_out) for fold in folds])
    shares = np.array([y[fold.held_out].mean() for fold in folds])
    assert np.ptp(sizes) <= 0.1 * sizes.mean()
    assert np.ptp(shares) <= 0.05


@FEW
@given(st.integers(0, 10**6), st.integers(2, 60), st.integers(2, 8), st.integers(2, 40))
def test_training_rows_are_earlier_than_held_out_rows(seed: int, n: int, k: int, n_moments: int) -> None:
    times = np.random.default_rng(seed).integers(0, n_moments, n)
    times[:2] = 0, 1
    folds = make_folds(np.zeros(n), task="regression", k=k, seed=seed, times=times)
    n_distinct = len(set(times.tolist()))
    assert folds.method == "time"
    assert len(folds) == min(k, n_distinct - 1)
    for fold in folds:
        assert times[fold.train].max() < times[fold.held_out].min()
    held_out = np.concatenate([fold.held_out for fold in folds])
    assert len(set(held_out.tolist())) == len(held_out)
    assert times.argmax() in held_out


def test_periods_are_of_equal_size_without_ties() -> None:
    folds = make_folds(np.zeros(60), task="regression", k=5, seed=0, times=np.arange(60)[::-1])
    assert [len(fold.held_out) for fold in folds] == [10] * 5
    assert [len(fold.train) for fold in folds] == [10, 20, 30, 40, 50]


def test_one_long_tie_does_not_empty_a_period() -> None:
    times = np.concatenate([[0], np.ones(50), [2, 3, 4]])
    folds = make_folds(np.zeros(54), task="regression", k=4, seed=0, times=times)
    assert [len(fold.held_out) for fold in folds] == [50, 1, 1, 1]


def test_folds_in_time_wait_for_a_second_class() -> None:
    y = np.array([0] * 6 + [1, 0, 1, 0, 1, 0])
    folds = make_folds(y, task="classification", k=5, seed=0, times=np.arange(12), groups=np.zeros(12))
    assert len(folds) == 2
    assert "only one class" in folds.reason
    assert "Time leads" in folds.reason
    with pytest.raises(SplitError, match="two classes"):
        make_folds(np.zeros(9, int), task="classification", k=3, seed=0, times=np.arange(9))


def test_what_gave_way_is_said() -> None:
    y = np.array([0] * 20 + [1, 1])
    assert "fewer than 5 rows (the smallest 2)" in make_folds(y, task="classification", k=5, seed=0).reason
    assert "3 folds instead of 5" in make_folds(np.zeros(3), task="regression", k=5, seed=0).reason
    groups = np.array(list("aabbcc"))
    assert "only 3 groups" in make_folds(np.zeros(6), task="regression", k=5, seed=0, groups=groups).reason
    times = np.array([1, 1, 2, 2, 3, 3])
    assert "only 3 moments" in make_folds(np.zeros(6), task="regression", k=5, seed=0, times=times).reason


def test_too_little_is_an_error() -> None:
    with pytest.raises(SplitError, match="at least 2 rows"):
        make_folds(np.zeros(1), task="regression", k=5, seed=0)
    with pytest.raises(SplitError, match="at least 2 groups"):
        make_folds(np.zeros(3), task="regression", k=2, seed=0, groups=np.array(["a"] * 3))
    with pytest.raises(SplitError, match="at least 2 moments"):
        make_folds(np.zeros(3), task="regression", k=2, seed=0, times=np.ones(3))


def test_the_same_seed_gives_the_same_folds() -> None:
    y = np.arange(40) % 3
    first, again, other = (make_folds(y, task="classification", k=4, seed=seed) for seed in (1, 1, 2))
    assert [each.held_out.tolist() for each in first] == [each.held_out.tolist() for each in again]
    assert [each.held_out.tolist() for each in first] != [each.held_out.tolist() for each in other]


@FEW
@given(st.integers(0, 10**6), st.integers(24, 60), st.integers(2, 5), st.integers(2, 4), st.booleans())
def test_repeats_hold_every_row_out_once_each_and_never_alike(
    seed: int, n: int, k: int, repeats: int, has_groups: bool
) -> None:
    rng = np.random.default_rng(seed)
    y, groups = rng.integers(0, 2, n), np.repeat(np.arange(n // 2 + 1), 2)[:n] if has_groups else None
    folds = repeated_folds(y, task="classification", k=k, seed=seed, groups=groups, repeats=repeats)
    once = make_folds(y, task="classification", k=k, seed=seed, groups=groups)
    assert folds.n_repeats == repeats
    assert len(folds) == repeats * len(once)
    assert all(np.array_equal(a.held_out, b.held_out) for a, b in zip(folds.first, once, strict=True))
    known = set()
    for start in range(0, len(folds), len(once)):
        repeat = Folds(folds.folds[start : start + len(once)], folds.method, "")
        assert held_out_once(repeat, n)
        assert complementary(repeat, n)
        known.add(frozenset(fold.held_out.tobytes() for fold in repeat))
        if groups is not None:
            assert all(not set(groups[fold.train]) & set(groups[fold.held_out]) for fold in repeat)
    assert len(known) == repeats
    assert f"drawn {repeats} times" in folds.reason


def test_repeats_place_groups_anew_though_all_are_of_different_size() -> None:
    groups = np.repeat(np.arange(12), np.arange(1, 13))
    folds = repeated_folds(groups * 1.0, task="regression", k=3, seed=0, groups=groups, repeats=4)
    assert folds.n_repeats == 4
    sizes = np.array([len(fold.held_out) for fold in folds])
    assert np.ptp(sizes) <= 0.5 * sizes.mean()


def test_where_there_are_fewer_ways_to_divide_it_is_said() -> None:
    leave_one_out = repeated_folds(np.arange(6.0), task="regression", k=6, seed=0, repeats=3)
    assert (len(leave_one_out), leave_one_out.n_repeats) == (6, 1)
    assert "only one way" in leave_one_out.reason
    groups = np.repeat(["a", "b", "c"], 4)
    few = repeated_folds(np.arange(12.0), task="regression", k=2, seed=0, groups=groups, repeats=10)
    assert 1 < few.n_repeats <= 3
    assert "instead of 10" in few.reason
