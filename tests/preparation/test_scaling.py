import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler

from groundup.preparation.scaling import LARGEST, LIMIT, Scaling, fit_scaling, mean, median

FLOATS = st.lists(st.floats(-1e9, 1e9, allow_nan=False), min_size=1, max_size=40).map(np.array)
WIDE = st.lists(st.floats(-LARGEST, LARGEST, allow_nan=False), min_size=1, max_size=20).map(np.array)


@pytest.mark.parametrize(
    ("method", "peer"), [("standard", StandardScaler), ("minmax", MinMaxScaler), ("robust", RobustScaler)]
)
def test_equals_scikit_learn(method: str, peer: type) -> None:
    values = np.random.default_rng(0).gamma(2.0, 30.0, 1000)
    ours = fit_scaling(values, None, method).all(values)
    np.testing.assert_allclose(ours, peer().fit_transform(values[:, None])[:, 0], rtol=1e-12, atol=1e-12)


@settings(deadline=None, max_examples=50)
@given(WIDE, st.sampled_from(["standard", "minmax", "robust", "none"]))
def test_any_column_gets_finite_numbers(values: np.ndarray, method: str) -> None:
    scaling = fit_scaling(values, None, method)
    assert math.isfinite(scaling.center)
    assert math.isfinite(scaling.scale)
    assert scaling.scale != 0
    with np.errstate(over="ignore"):
        assert np.isfinite(scaling.all(values)).all()


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.floats(allow_nan=True, allow_infinity=False), min_size=1, max_size=20).map(np.array),
    st.floats(-1e3, 1e3),
    st.floats(1e-300, 1e300),
)
def test_one_value_and_all_values_agree_to_the_last_bit(
    values: np.ndarray, center: float, scale: float
) -> None:
    scaling = Scaling("standard", center, scale)
    with np.errstate(over="ignore"):
        together = scaling.all(values)
    one_by_one = np.array([scaling.one(value) for value in values.tolist()])
    assert together.tobytes() == one_by_one.tobytes() or np.array_equal(together, one_by_one, equal_nan=True)
    assert not (np.abs(together) > LIMIT).any()


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.integers(-50, 50), st.integers(1, 5)), min_size=1, max_size=15))
@pytest.mark.parametrize("method", ["standard", "minmax", "robust"])
def test_counts_mean_the_same_as_repeating(method: str, pairs: list[tuple[int, int]]) -> None:
    values, counts = (np.array(each) for each in zip(*pairs, strict=True))
    counted = fit_scaling(values.astype(float), counts, method)
    repeated = fit_scaling(np.repeat(values.astype(float), counts), None, method)
    assert counted.center == pytest.approx(repeated.center, rel=1e-12, abs=1e-12)
    assert counted.scale == pytest.approx(repeated.scale, rel=1e-12)


@settings(deadline=None, max_examples=50)
@given(FLOATS)
def test_median_and_mean_are_numpys(values: np.ndarray) -> None:
    assert median(values) == np.median(values)
    assert mean(values) == pytest.approx(np.mean(values), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("unit", [1e-200, 1.0, 1e200])
def test_deviation_neither_overflows_nor_vanishes(unit: float) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scaling = fit_scaling(np.array([1.0, 2.0, 3.0]) * unit, None, "standard")
    assert scaling.center == pytest.approx(2 * unit)
    assert scaling.scale == pytest.approx(math.sqrt(2 / 3) * unit)


def test_a_constant_column_is_divided_by_one() -> None:
    for method in ("standard", "minmax", "robust"):
        assert fit_scaling(np.full(5, 0.1), None, method) == Scaling(method, 0.1, 1.0)
