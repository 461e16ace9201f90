import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.utils.class_weight import compute_class_weight

from groundup.core.inputs import Inputs
from groundup.training.class_weights import class_weights, weighed


@settings(deadline=None)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=60))
def test_balanced_is_scikit_learns_and_keeps_the_total(codes: list[int]) -> None:
    y = np.array(codes)
    weights = class_weights("balanced", y, 5)
    present = np.unique(y)
    np.testing.assert_allclose(weights[present], compute_class_weight("balanced", classes=present, y=y))
    assert weights[y].sum() == pytest.approx(len(y))
    assert (np.delete(weights, present) == 1).all()


def test_balanced_counts_rows_by_their_weights() -> None:
    y, weight = np.array([0, 0, 1]), np.array([1.0, 3.0, 2.0])
    per_class = class_weights("balanced", y, 2, weight)
    assert np.bincount(y, weight * per_class[y]) == pytest.approx([3.0, 3.0])


def test_given_weights_are_kept() -> None:
    asked = np.array([1.0, 7.0])
    assert class_weights(asked, np.array([0, 1]), 2) is asked


def test_rows_that_never_count_are_left_out() -> None:
    inputs = Inputs({"X": np.arange(3.0)[:, None], "y": np.array([0, 1, 0])})
    assert weighed(inputs, None) is inputs
    assert weighed(inputs.with_weight(np.array([2.0, 0.0, 1.0])), None).X[:, 0].tolist() == [0, 2]
    per_class = weighed(inputs, np.array([1.0, 5.0])).weight
    assert per_class is not None
    assert per_class.tolist() == [1, 5, 1]
