"""Agreement is counted in bits: rarer and closer is more."""

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from groundup.core.schema import Column
from groundup.data.comparing import make_comparable


def agreement(values, kind, storage, pairs):
    series = pl.Series(values)
    column = make_comparable(series, Column("v", kind, storage), np.arange(len(series)))
    first, second = np.array(pairs).T
    return column.agreement(first, second)


def test_rare_values_count_more_than_common_ones_and_missing_ones_agree():
    values = ["a"] * 6 + ["b"] * 2 + [None] * 2
    bits = agreement(values, "category", "string", [(0, 1), (6, 7), (8, 9), (0, 6)])
    assert np.allclose(bits, [np.log2(10 / 6), np.log2(10 / 2), np.log2(10 / 2), 0])


def test_close_numbers_count_more_than_near_ones():
    values = [*np.linspace(0, 100, 1000), 50.0, 50.3, 51.0, 70.0, None, None]
    pairs = [(1000, 1001), (1000, 1002), (1000, 1003), (1004, 1005), (1000, 1004)]
    bits = agreement(values, "number", "float", pairs)
    assert bits[0] > bits[1] > 0
    assert bits[2] == bits[4] == 0
    assert bits[3] > 0


def test_texts_agree_by_what_they_share():
    text = "the quick brown fox jumps over the lazy dog"
    values = [text, text.replace("lazy", "lazi"), "something else entirely", text]
    bits = agreement(values, "text", "string", [(0, 3), (0, 1), (0, 2)])
    assert bits[0] >= bits[1] > 0
    assert bits[2] < 12


@settings(deadline=None, max_examples=30)
@given(st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), min_size=2, max_size=30))
def test_agreement_is_finite_and_every_row_is_the_same_as_itself(values):
    every = np.arange(len(values))
    column = make_comparable(pl.Series(values, dtype=pl.Float64), Column("v", "number", "float"), every)
    bits = column.agreement(every[:, None], every[None, :])
    assert bits.shape == (len(values), len(values))
    assert np.isfinite(bits).all()
    assert (bits >= 0).all()
    assert column.same(every, every).all()
