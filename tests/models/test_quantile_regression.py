"""Linear quantile regression against scikit-learn's, the optimality conditions, and brute force."""

import numpy as np
import pytest
from sklearn.linear_model import QuantileRegressor
from sklearn.metrics import mean_pinball_loss

from groundup.core.errors import TrainingError
from groundup.core.inputs import Inputs
from groundup.core.losses import Loss
from groundup.models.contract import FitContext
from groundup.models.linear_fitted import FittedLinear
from groundup.models.quantile_regression import QuantileRegression


def fit(X: np.ndarray, y: np.ndarray, quantile: float, *, alpha: float = 0.0) -> FittedLinear:
    loss = Loss("quantile", quantile)
    context = FitContext("regression", 0, 0, 1, None, lambda: False, loss)  # type: ignore[arg-type]
    return QuantileRegression(alpha=alpha).fit(Inputs({"X": X, "y": y}), None, context)


def noisy(scale: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 4))
    return X, scale * (3 * X[:, 0] - X[:, 1] + 5 + rng.standard_t(3, size=300))


@pytest.mark.parametrize("quantile", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("alpha", [0.0, 0.05, 10.0])
def test_is_scikit_learns(quantile: float, alpha: float) -> None:
    X, y = noisy()
    fitted = fit(X, y, quantile, alpha=alpha)
    peer = QuantileRegressor(quantile=quantile, alpha=alpha, solver="highs").fit(X, y)
    np.testing.assert_allclose(fitted.coef_[0], peer.coef_, atol=1e-8)
    # Where all weights are zero, any value between two neighbours is a quantile.
    ours, theirs = (
        mean_pinball_loss(y, X @ fitted.coef_[0] + c, alpha=quantile)
        for c in (fitted.intercept_[0], peer.intercept_)
    )
    assert ours == pytest.approx(theirs, rel=1e-9)


@pytest.mark.parametrize("scale", [1e-12, 1e12])
def test_the_unit_of_the_target_does_not_matter(scale: float) -> None:
    X, y = noisy()
    plain, scaled = fit(X, y, 0.8), fit(X, y * scale, 0.8)
    np.testing.assert_allclose(scaled.coef_ / scale, plain.coef_, rtol=1e-6)


def test_a_share_of_the_rows_lies_below() -> None:
    X, y = noisy()
    below = np.mean(y <= fit(X, y, 0.8).predict(Inputs({"X": X})).values + 1e-9)
    assert below == pytest.approx(0.8, abs=5 / 300)


def test_rows_that_are_no_numbers_are_an_error() -> None:
    X, y = noisy()
    with pytest.raises(TrainingError, match="finite"):
        fit(X, np.where(y > 8, np.inf, y), 0.5)
