import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.preprocessing import QuantileTransformer

from groundup.preparation.quantiles import N_KNOTS, Knots, fit_knots
from groundup.preparation.scaling import LARGEST, Scaling, fit_scaling

METHODS = ["quantile_uniform", "quantile_normal"]
WIDE = st.lists(st.floats(-LARGEST, LARGEST, allow_nan=False), min_size=1, max_size=30).map(np.array)
ANY = st.lists(st.floats(allow_infinity=False), min_size=1, max_size=20).map(np.array)


def test_ranks_equal_scikit_learn() -> None:
    values = np.random.default_rng(0).gamma(2.0, 30.0, 2000)
    peer = QuantileTransformer(n_quantiles=N_KNOTS, subsample=None).fit_transform(values[:, None])[:, 0]
    np.testing.assert_allclose(fit_knots(values, "quantile_uniform").all(values), peer, atol=1e-12)


def test_normal_scores_are_normal() -> None:
    values = np.random.default_rng(0).lognormal(size=5000)
    scores = fit_knots(values, "quantile_normal").all(values)
    assert scores.mean() == pytest.approx(0, abs=0.01)
    assert scores.std() == pytest.approx(1, abs=0.02)
    assert np.abs(scores).max() < 4


@settings(deadline=None, max_examples=50)
@given(WIDE, ANY, st.sampled_from(METHODS))
def test_one_value_and_all_values_agree_to_the_last_bit(
    training: np.ndarray, values: np.ndarray, method: str
) -> None:
    knots = fit_knots(training, method)
    for some in (training, values):
        together = knots.all(some)
        np.testing.assert_array_equal(together, [knots.one(value) for value in some.tolist()])
        assert np.isfinite(together[~np.isnan(some)]).all()
    ordered = knots.all(np.sort(training))
    assert (np.diff(ordered) >= -1e-12).all()


@pytest.mark.parametrize("method", METHODS)
def test_values_outside_training_are_the_ends(method: str) -> None:
    knots = fit_knots(np.arange(100.0), method)
    assert knots.one(-1e300) == knots.heights[0] == knots.one(0)
    assert knots.one(10**30) == knots.heights[-1]
    assert np.isnan(knots.one(float("nan")))
    assert np.isnan(Knots((1.0,), (0.5,)).all(np.array([np.nan]))).all()


@pytest.mark.parametrize("method", METHODS)
def test_state_is_json(method: str) -> None:
    scaling = fit_scaling(np.array([1.0, 2.0, 2.0, 5.0]), None, method)
    assert Scaling.from_state(json.loads(json.dumps(scaling.state()))) == scaling
    counted = fit_scaling(np.array([1.0, 2.0, 5.0]), np.array([1, 2, 1]), method)
    assert counted == scaling
