"""Parts are disjoint, cover every row, and keep what their method promises."""

import datetime
import json

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundup.core.errors import SplitError, UnknownColumnError
from groundup.core.schema import Column, Schema
from groundup.data.dataset import Dataset
from groundup.data.options import SplitOptions
from groundup.data.split import make_split

KINDS = {
    pl.Int64: ("number", "integer"),
    pl.Float64: ("number", "float"),
    pl.String: ("category", "string"),
    pl.Boolean: ("boolean", "boolean"),
    pl.Datetime("us"): ("datetime", "datetime"),
}


def dataset_of(**columns):
    frame = pl.DataFrame(columns, strict=False)
    schema = Schema(Column(name, *KINDS[dtype]) for name, dtype in frame.schema.items())
    return Dataset(frame.lazy(), schema, len(frame), "frame")


def split_of(dataset, *, task="classification", seed=0, **options):
    return make_split(dataset, target="y", task=task, options=SplitOptions(**options), seed=seed)


def assert_covers(split, n_rows):
    parts = (split.train, split.validation, split.test)
    assert all(part.dtype == np.int64 and len(part) and (np.diff(part) > 0).all() for part in parts)
    assert np.array_equal(np.sort(np.concatenate(parts)), np.arange(n_rows))
    assert [len(part) for part in parts] == np.bincount(split.part_of_row(), minlength=3).tolist()


@settings(deadline=None, max_examples=40)
@given(
    st.integers(10, 400),
    st.floats(0.05, 0.5),
    st.floats(0.05, 0.5),
    st.integers(0, 5),
    st.sampled_from(["random", "stratified"]),
)
def test_sizes_are_as_asked_and_seeds_decide(n_rows, test, validation, seed, method):
    dataset = dataset_of(y=np.random.default_rng(seed).choice(["a", "b", "c"], n_rows))
    options = {"test": test, "validation": validation, "method": method, "seed": seed}
    split = split_of(dataset, **options)
    assert_covers(split, n_rows)
    assert abs(len(split.test) - test * n_rows) <= 1
    assert abs(len(split.validation) - validation * (n_rows - len(split.test))) <= 1
    again = split_of(dataset, **options)
    assert np.array_equal(split.test, again.test)
    assert np.array_equal(split.validation, again.validation)


def test_other_seeds_give_other_parts_and_global_state_does_not_matter():
    dataset = dataset_of(y=["a", "b"] * 200)
    assert not np.array_equal(split_of(dataset, seed=0).test, split_of(dataset, seed=1).test)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(1, 60), min_size=2, max_size=8), st.integers(0, 3))
def test_each_class_has_its_share_in_every_part(sizes, seed):
    labels = np.repeat([f"c{position}" for position in range(len(sizes))], sizes)
    if len(labels) < 10:
        return
    split = split_of(dataset_of(y=labels), seed=seed)
    assert split.method == "stratified"
    assert_covers(split, len(labels))
    for position, size in enumerate(sizes):
        n_test = np.count_nonzero(labels[split.test] == f"c{position}")
        if size > 2:
            # One row of rounding, and what the classes of one or two rows leave to the others.
            n_small = sum(other for other in sizes if other <= 2)
            assert abs(n_test - 0.2 * size) <= 2 + 0.2 * n_small * size / len(labels)


def test_classes_of_one_or_two_rows_stay_in_train_and_are_named():
    labels = np.array(["a"] * 40 + ["b"] * 40 + ["rare"] + ["two"] * 2)
    split = split_of(dataset_of(y=labels))
    assert {"rare", "two"} <= set(labels[split.train])
    assert not {"rare", "two"} & set(labels[split.test])
    assert "stay in train where they can: `rare`, `two`" in split.reason
    assert_covers(split_of(dataset_of(y=[f"c{i}" for i in range(30)])), 30)


def test_auto_is_random_for_numbers_and_booleans_are_classes():
    assert split_of(dataset_of(y=np.arange(50.0)), task="regression").method == "random"
    assert split_of(dataset_of(y=[True, False] * 20)).method == "stratified"


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(1, 8), min_size=20, max_size=80), st.integers(0, 3), st.booleans())
def test_groups_never_straddle_parts(sizes, seed, has_missing):
    groups = np.repeat(np.arange(len(sizes)), sizes).astype(float)
    values = [None if has_missing and group == 0 else group for group in groups]
    split = split_of(dataset_of(y=["a"] * len(groups), g=values), group="g", seed=seed)
    assert split.method == "group"
    assert_covers(split, len(groups))
    part = split.part_of_row()
    for group in set(values) - {None}:
        assert len(set(part[groups == group])) == 1
    assert abs(len(split.test) - 0.2 * len(groups)) <= max(8, 0.02 * len(groups))


@pytest.mark.parametrize("sizes", [[100, 3, 3, 3], [50, 50, 50], [1, 1, 100], [30] * 7, [500] + [1] * 100])
def test_lopsided_groups_still_make_three_parts(sizes):
    groups = np.repeat([f"g{position}" for position in range(len(sizes))], sizes)
    for seed in range(5):
        split = split_of(dataset_of(y=["a"] * len(groups), g=groups), group="g", seed=seed)
        assert_covers(split, len(groups))
        assert len(split.train) >= max(sizes) / 2
    with pytest.raises(SplitError, match="2 groups"):
        split_of(dataset_of(y=["a"] * 20, g=["p", "q"] * 10), group="g")


def test_few_groups_in_the_test_part_are_a_finding():
    split = split_of(dataset_of(y=["a"] * 3000, g=np.repeat(np.arange(6), 500)), group="g")
    assert [finding.code for finding in split.findings] == ["S005"]
    assert split.findings[0].evidence["n_groups"] == 1


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 30), min_size=12, max_size=200), st.booleans())
def test_time_is_never_cut_within_a_tie(days, as_dates):
    if len(set(days)) < 3:
        return
    start = datetime.datetime(2024, 1, 1)
    times = [start + datetime.timedelta(days=day) for day in days] if as_dates else days
    split = split_of(dataset_of(y=["a"] * len(days), t=times), time="t")
    assert split.method == "time"
    assert_covers(split, len(days))
    days = np.array(days)
    assert days[split.train].max() < days[split.validation].min()
    assert days[split.validation].max() < days[split.test].min()


def test_time_sizes_names_of_moments_and_missing_times():
    times = [float(position) for position in range(1000)] + [None] * 10
    split = split_of(dataset_of(y=["a"] * 1010, t=times), time="t")
    assert (len(split.test), len(split.validation)) == (200, 160)
    assert "validation begins at `640` and test at `800`" in split.reason
    assert "10 rows without a time stay in train" in split.reason
    with pytest.raises(SplitError, match="2 different times"):
        split_of(dataset_of(y=["a"] * 20, t=[1, 2] * 10), time="t")
    with pytest.raises(SplitError, match="holds text"):
        split_of(dataset_of(y=["a"] * 20, t=["x", "y"] * 10), time="t")


def test_a_column_decides():
    names = ["Train", " training", "VAL", "dev", "test", "Holdout"] * 10
    split = split_of(dataset_of(y=["a", "b"] * 30, part=names), column="part")
    assert split.method == "column"
    assert_covers(split, 60)
    assert {names[position] for position in split.test} == {"test", "Holdout"}
    assert {names[position] for position in split.validation} == {"VAL", "dev"}


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_a_missing_validation_part_is_drawn_from_train(task):
    names = np.array(["train"] * 80 + ["test"] * 20)
    split = split_of(dataset_of(y=np.arange(100) % 2, part=names), task=task, column="part")
    assert (len(split.train), len(split.validation)) == (64, 16)
    assert np.array_equal(split.test, np.arange(80, 100))
    assert "20 % of train were drawn" in split.reason


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["train"] * 10 + ["tset"] * 2, ["`tset`", "row 11", "2 rows", "Did you mean `test`"]),
        (["train", None] * 10, ["nothing", "row 2"]),
        (["train"] * 20, ["no row into the test part", "`train`"]),
        (["test"] * 20, ["no row into the train part"]),
        (["train"] + ["test"] * 20, ["too few to draw"]),
    ],
)
def test_a_column_that_does_not_decide_is_refused(names, words):
    with pytest.raises(SplitError) as error:
        split_of(dataset_of(y=["a"] * len(names), part=names), column="part")
    assert all(word in str(error.value) for word in words), str(error.value)


@pytest.mark.parametrize(
    ("n_rows", "options", "words"),
    [
        (9, {}, ["only 9 rows", "at least 10"]),
        (20, {"test": 0.99}, ["leave none of the 20 rows"]),
        (20, {"method": "group"}, ["set `data.split.group`"]),
        (20, {"method": "time"}, ["set `data.split.time`"]),
        (20, {"method": "stratified", "task": "regression"}, ["`data.split.method: random`"]),
    ],
)
def test_what_cannot_be_made_is_refused_with_what_to_do(n_rows, options, words):
    with pytest.raises(SplitError) as error:
        split_of(dataset_of(y=["a", "b"] * (n_rows // 2) + ["a"] * (n_rows % 2)), **options)
    assert all(word in str(error.value) for word in words), str(error.value)


def test_unknown_columns_and_small_parts_are_told():
    dataset = dataset_of(y=["a", "b"] * 100, customer=list(range(200)))
    with pytest.raises(UnknownColumnError, match="Did you mean `customer`"):
        split_of(dataset, group="custmer")
    split = split_of(dataset)
    assert [finding.severity for finding in split.findings] == ["info", "info"]
    assert {finding.evidence["part"] for finding in split.findings} == {"validation", "test"}
    assert "128 rows train, 32 validation, 40 test" in split.reason
    json.dumps(split.to_json(), allow_nan=False)
    assert split_of(dataset_of(y=["a", "b"] * 10)).findings[0].severity == "warning"
