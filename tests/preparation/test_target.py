import json

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundup.core.errors import DataError
from groundup.preparation.target import TargetPlan

LABELS = st.one_of(
    st.lists(st.text(max_size=4), min_size=1, max_size=20),
    st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=20),
    st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20),
    st.lists(st.booleans(), min_size=1, max_size=20),
)


@settings(deadline=None, max_examples=50)
@given(LABELS)
def test_codes_come_back_as_labels(labels: list[object]) -> None:
    values = pl.Series("y", labels)
    plan = TargetPlan.fit(values, "classification")
    codes = plan.encode(values)
    assert codes.dtype == np.int64
    assert plan.decode(codes) == values.to_list()
    assert list(plan.classes) == sorted(plan.classes)
    again = TargetPlan.from_state(json.loads(json.dumps(plan.state(), allow_nan=False)))
    assert again == plan
    assert list(map(type, again.classes)) == list(map(type, plan.classes))


def test_given_classes_are_kept() -> None:
    plan = TargetPlan.fit(pl.Series("y", ["b"]), "classification", ("b", "a"))
    assert plan.classes == ("a", "b")
    assert plan.encode(pl.Series("y", ["b", "a"])).tolist() == [1, 0]


def test_types_that_mean_the_same_compare() -> None:
    numbers = TargetPlan("classification", (0, 1))
    assert numbers.encode(pl.Series("y", [1.0, 0.0])).tolist() == [1, 0]
    assert numbers.encode(pl.Series("y", [True, False])).tolist() == [1, 0]
    texts = TargetPlan("classification", ("0", "1"))
    assert texts.encode(pl.Series("y", [1, 0])).tolist() == [1, 0]


def test_unknown_and_missing_labels_name_value_and_row() -> None:
    plan = TargetPlan("classification", ("no", "yes"))
    with pytest.raises(DataError, match=r"`y` is `maybe` in row 1 .* `no`, `yes`"):
        plan.encode(pl.Series("y", ["no", "maybe"]))
    with pytest.raises(DataError, match=r"`None` in row 2"):
        plan.encode(pl.Series("y", ["no", "yes", None]))


def test_regression_takes_finite_numbers() -> None:
    plan = TargetPlan.fit(pl.Series("y", [1, 2]), "regression")
    assert plan.encode(pl.Series("y", [1, 2])).tolist() == [1.0, 2.0]
    assert plan.decode(np.array([1.5])) == [1.5]
    for wrong in (
        pl.Series("y", [1.0, float("nan")]),
        pl.Series("y", [1.0, float("inf")]),
        pl.Series("y", ["1", "x"]),
    ):
        with pytest.raises(DataError, match="row 1"):
            plan.encode(wrong)
