"""Leave-one-out errors against the definition and against scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Ridge, RidgeCV

from groundup.models.leave_one_out import leave_one_out_errors

ALPHAS = (1e-3, 0.1, 10.0, 1e4)


def rows(n_samples: int, n_features: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    X = random.normal(size=(n_samples, n_features)) + random.normal(size=n_features)
    return X, X @ random.normal(size=n_features) + random.normal(size=n_samples)


@settings(deadline=None, max_examples=20)
@given(st.integers(3, 25), st.integers(1, 30), st.integers(0, 1_000))
def test_equals_fits_without_each_row(n_samples: int, n_features: int, seed: int) -> None:
    X, y = rows(n_samples, n_features, seed)
    expected = []
    for alpha in ALPHAS:
        errors = []
        for row in range(n_samples):
            rest = np.delete(np.arange(n_samples), row)
            fitted = Ridge(alpha=alpha, solver="svd").fit(X[rest], y[rest])
            errors.append(float(fitted.predict(X[[row]])[0] - y[row]) ** 2)
        expected.append(np.mean(errors))
    np.testing.assert_allclose(leave_one_out_errors(X, y, ALPHAS), expected, rtol=1e-6)


@pytest.mark.parametrize("n_repeats", [0, 3])
@pytest.mark.parametrize("is_weighted", [False, True])
def test_equals_scikit_learn_also_where_features_repeat_each_other(n_repeats: int, is_weighted: bool) -> None:
    X, y = rows(400, 8, seed=0)
    X = np.hstack([X, X[:, :n_repeats], np.ones((400, 1))])
    weight = np.random.default_rng(1).uniform(0.1, 3, 400) if is_weighted else None
    path = RidgeCV(alphas=ALPHAS, store_cv_results=True).fit(X, y, weight)
    np.testing.assert_allclose(
        leave_one_out_errors(X, y, ALPHAS, weight), path.cv_results_.mean(axis=0), rtol=1e-9
    )
