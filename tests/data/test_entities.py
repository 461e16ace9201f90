"""Entities are recognised by name or by resemblance; ordinary categories are not."""

import numpy as np
import polars as pl
import pytest

from groundup.core.schema import Column, Schema
from groundup.data.dataset import Dataset
from groundup.data.entities import find_entities
from groundup.data.options import SplitOptions
from groundup.data.split import make_split

KINDS = {pl.Float64: ("number", "float"), pl.Int64: ("number", "integer"), pl.String: ("category", "string")}


def entities_of(name, values, *, others=None, group=None):
    frame = pl.DataFrame({name: values, **(others or {}), "y": np.arange(float(len(values)))})
    schema = Schema(Column(each, *KINDS[dtype]) for each, dtype in frame.schema.items())
    dataset = Dataset(frame.lazy(), schema, len(frame), "frame")
    split = make_split(dataset, target="y", task="regression", options=SplitOptions(group=group), seed=0)
    return find_entities(dataset, split, target="y", group=group, seed=0)


CODES = [1000 + row // 5 for row in range(1000)]


@pytest.mark.parametrize("name", ["customer", "CustomerID", "patient_no", "user id", "Ticket", "row_id"])
def test_names_of_entities_are_recognised(name):
    (finding,) = entities_of(name, CODES)
    assert (finding.code, finding.severity, finding.column) == ("S003", "warning", name)
    assert dict(finding.patch) == {"data.split.group": name}


@pytest.mark.parametrize("name", ["age", "customer_age", "user_rating", "zip", "code", "width", "video"])
def test_other_names_are_not(name):
    assert entities_of(name, CODES, others={"x": np.random.default_rng(0).normal(size=1000)}) == []


def test_few_or_unique_values_are_no_entities():
    assert entities_of("customer", list(range(1000))) == []
    assert entities_of("customer", ["a", "b", "c", "d"] * 250) == []


def test_rows_that_resemble_each_other_give_an_entity_away():
    random = np.random.default_rng(0)
    entity = np.repeat(np.arange(200), 5)
    others = {
        "sex": np.where(random.random(200) < 0.5, "f", "m")[entity],
        "born": random.integers(1940, 2000, 200)[entity],
        "town": random.choice(list("abcdefgh"), 200)[entity],
        "visit": random.normal(size=1000),
    }
    (finding,) = entities_of("x17", entity + 5000, others=others)
    assert "agree in 3 of the 4 other columns" in finding.message or "agree in 2 of" in finding.message
    shuffled = {name: random.permutation(values) for name, values in others.items()}
    assert entities_of("x17", entity + 5000, others=shuffled) == []


def test_a_group_split_leaves_only_information():
    frame = {"store_id": [f"s{row % 50}" for row in range(1000)]}
    (finding,) = entities_of("customer", CODES, others=frame, group="customer")
    assert (finding.column, finding.severity) == ("store_id", "info")
