"""Planted near-equal rows are found, and clean tables are left alone."""

import numpy as np
import polars as pl
import pytest

from groundup.core.schema import Column, Schema
from groundup.data.near_duplicates import near_pairs
from planted.near_copies import WORDS, count_found, make_table


@pytest.mark.parametrize("how", ["one column", "jitter", "typo"])
def test_planted_pairs_are_found_in_at_least_95_of_100_cases(how):
    n_planted, n_found, n_stand_out = count_found(how, range(20))
    assert n_planted > 200
    assert n_found / n_planted >= 0.99
    assert n_stand_out / n_planted >= 0.95


def test_clean_tables_raise_hardly_an_alarm():
    n_alarms = n_rows = 0
    for seed in range(20):
        frame, schema, parts = make_table(seed)
        pairs = near_pairs(frame, schema, parts, seed=seed)
        n_alarms += len(np.unique(pairs.rows[pairs.stands_out]))
        n_rows += np.count_nonzero(parts)
    assert n_alarms / n_rows <= 0.001


@pytest.mark.parametrize("n_columns", [1, 2, 4, 6])
@pytest.mark.parametrize("n_levels", [2, 5])
def test_coarse_tables_have_near_rows_by_chance_and_no_alarm(n_columns, n_levels):
    random = np.random.default_rng(n_columns)
    frame = pl.DataFrame({f"c{i}": random.integers(n_levels, size=600).astype(str) for i in range(n_columns)})
    schema = Schema(Column(name, "category", "string") for name in frame.columns)
    parts = np.repeat(np.array([0, 2], dtype=np.int8), [480, 120])
    assert not near_pairs(frame, schema, parts, seed=0).stands_out.any()


def test_measurements_of_two_digits_raise_no_alarm():
    random = np.random.default_rng(0)
    kind = random.integers(3, size=150)
    measured = {f"x{i}": random.normal(size=150) * 0.4 + 5 + i * kind for i in range(4)}
    frame = pl.DataFrame({name: np.round(values, 1) for name, values in measured.items()})
    schema = Schema(Column(name, "number", "float") for name in frame.columns)
    parts = random.choice(np.array([0, 2], dtype=np.int8), 150, p=[0.8, 0.2])
    pairs = near_pairs(frame, schema, parts, seed=0)
    assert len(np.unique(pairs.rows[pairs.stands_out])) <= 1


def test_a_text_alone_is_compared_by_its_pieces():
    random = np.random.default_rng(0)
    texts = [" ".join(random.choice(WORDS, 12)) for _ in range(500)]
    for position in range(50):
        words = texts[position].split()
        words[position % 12] = "another"
        texts[450 + position] = " ".join(words)
    frame, schema = pl.DataFrame({"note": texts}), Schema([Column("note", "text", "string")])
    pairs = near_pairs(frame, schema, np.repeat(np.array([0, 2], dtype=np.int8), [450, 50]), seed=0)
    planted = {(450 + position, position) for position in range(50)}
    found = set(zip(pairs.rows.tolist(), pairs.others.tolist(), strict=True))
    rows, others = pairs.rows[pairs.stands_out], pairs.others[pairs.stands_out]
    standing = set(zip(rows.tolist(), others.tolist(), strict=True))
    assert len(found & planted) >= 48
    assert len(standing - planted) <= 2


def test_equal_rows_and_pairs_within_a_part_are_not_near_pairs():
    values = np.random.default_rng(0).normal(size=(100, 5))
    values[90] = values[10]
    values[20] = values[30] + 1e-6
    frame = pl.DataFrame(values)
    schema = Schema(Column(name, "number", "float") for name in frame.columns)
    pairs = near_pairs(frame, schema, np.repeat(np.array([0, 2], dtype=np.int8), 50), seed=0)
    assert not len(pairs.rows)


def test_odd_tables_are_looked_at_without_a_fault():
    x, t, b = Column("x", "number", "float"), Column("t", "text", "string"), Column("b", "boolean", "boolean")
    schema = Schema([x, t, b])
    parts = np.array([0, 0, 1, 2], dtype=np.int8)
    frame = pl.DataFrame(
        {"x": [None] * 4, "t": ["", None, "", "é"], "b": [None, True, True, None]},
        schema={"x": pl.Float64, "t": pl.String, "b": pl.Boolean},
    )
    near_pairs(frame, schema, parts, seed=0)
    assert not len(near_pairs(frame.clear(), schema, parts[:0], seed=0).rows)
    wide = pl.DataFrame(np.random.default_rng(0).normal(size=(30, 500)))
    schema = Schema(Column(name, "number", "float") for name in wide.columns)
    assert not len(near_pairs(wide, schema, np.repeat(np.array([0, 2], dtype=np.int8), 15), seed=0).rows)
