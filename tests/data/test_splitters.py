"""The places that rows are dealt to."""

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from groundup.core.seeds import generator
from groundup.data.options import SplitOptions
from groundup.data.splitters import PART_NAMES, TEST, TRAIN, VALIDATION, by_class


def test_part_names_are_lower_case_and_name_all_parts():
    assert set(PART_NAMES.values()) == {TRAIN, VALIDATION, TEST}
    assert all(name == name.lower().strip() for name in PART_NAMES)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 100))
def test_large_classes_are_cut_within_a_row_of_their_share(seed):
    labels = np.repeat(["a", "b", "c"], [700, 250, 50])
    parts, _ = by_class(pl.Series("y", labels), SplitOptions(), generator(seed, "split"))
    for label, size in (("a", 700), ("b", 250), ("c", 50)):
        assert abs(np.count_nonzero(parts[labels == label] == TEST) - 0.2 * size) <= 2
