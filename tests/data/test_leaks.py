"""What the parts share is found and told, and what they do not share is not."""

import json

import numpy as np
import polars as pl

from groundup.core.schema import Column, Schema
from groundup.data.dataset import Dataset
from groundup.data.leaks import find_leaks
from groundup.data.options import SplitOptions
from groundup.data.split import make_split

KINDS = {pl.Float64: ("number", "float"), pl.Int64: ("number", "integer"), pl.String: ("category", "string")}


def dataset_of(frame):
    schema = Schema(Column(name, *KINDS[dtype]) for name, dtype in frame.schema.items())
    return Dataset(frame.lazy(), schema, len(frame), "frame")


def clean(seed=0, n_rows=1000):
    random = np.random.default_rng(seed)
    values = pl.DataFrame({f"x{i}": random.normal(size=n_rows) for i in range(6)})
    city, y = random.choice(list("abcde"), n_rows), random.integers(2, size=n_rows)
    return values.with_columns(city=pl.Series(city), y=pl.Series(y))


def leaks_of(frame, **options):
    dataset = dataset_of(frame)
    asked = SplitOptions(**options)
    split = make_split(dataset, target="y", task="classification", options=asked, seed=0)
    features = [name for name in frame.columns if name != "y"]
    found = find_leaks(dataset, split, features=features, target="y", options=asked, seed=0)
    json.dumps([finding.to_json() for finding in found], allow_nan=False)
    return {finding.code: finding for finding in found}, split


def test_clean_tables_have_no_findings():
    for seed in range(5):
        assert not leaks_of(clean(seed))[0]


def test_equal_rows_are_counted_with_and_without_the_same_target():
    frame = clean()
    _, split = leaks_of(frame)
    copies, originals = split.test[:30], split.train[:30]
    order = np.arange(len(frame))
    order[copies] = originals
    copied = frame[order].with_columns(y=frame["y"])
    found, again = leaks_of(copied)
    assert np.array_equal(split.test, again.test)
    finding = found["S001"]
    n_same = int(np.sum(frame["y"].to_numpy()[copies] == frame["y"].to_numpy()[originals]))
    assert (finding.evidence["n_test_rows"], finding.evidence["n_with_same_target"]) == (30, n_same)
    assert finding.severity == "warning"
    assert [int(copies[0]), int(originals[0])] in finding.evidence["examples"]
    assert "30 of 200 test rows (15 %) are equal to rows" in finding.message
    assert "S002" not in found


def test_rows_that_repeat_anyway_are_no_warning():
    random = np.random.default_rng(0)
    frame = pl.DataFrame({"a": random.choice(list("pq"), 400), "y": random.integers(2, size=400)})
    found, _ = leaks_of(frame)
    assert found["S001"].severity == "info"
    assert "to be expected" in found["S001"].message
    assert set(found) == {"S001"}


def test_near_equal_rows_are_told_with_the_column_that_differs():
    frame = clean()
    _, split = leaks_of(frame)
    columns = {name: frame[name].to_list() for name in frame.columns}
    for copy, original in zip(split.test[:40], split.train[:40], strict=True):
        for name in frame.columns[:-1]:
            columns[name][copy] = columns[name][original]
        columns["x2"][copy] += 1.5
    finding = leaks_of(pl.DataFrame(columns))[0]["S002"]
    assert finding.evidence["n_test_rows"] == 40
    assert finding.severity == "warning"
    assert {example[2] for example in finding.evidence["examples"]} == {"x2"}


def test_entities_across_parts_are_told_and_a_group_split_ends_it():
    frame = clean().with_columns(patient=pl.Series([f"p{row // 5}" for row in range(1000)]))
    found, _ = leaks_of(frame)
    assert dict(found["S003"].patch) == {"data.split.group": "patient"}
    assert set(leaks_of(frame, group="patient")[0]) == set()


def test_the_test_part_stays_sealed():
    frame = clean()
    _, split = leaks_of(frame)
    targets = frame["y"].to_numpy().copy()
    targets[split.test] = 1 - targets[split.test]
    dataset = dataset_of(frame.with_columns(patient=pl.Series([f"p{row // 5}" for row in range(1000)])))
    features = [name for name in frame.columns if name != "y"]
    flipped = Dataset(dataset.rows.with_columns(y=pl.Series(targets)), dataset.schema, 1000, "frame")
    before, after = (
        find_leaks(each, split, features=features, target="y", seed=0) for each in (dataset, flipped)
    )
    assert before
    assert before == after
