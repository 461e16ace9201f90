import warnings

import numpy as np
import pytest
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer
from sklearn.linear_model import BayesianRidge
from sklearn.preprocessing import StandardScaler

from groundup.preparation.stages import chained_equations
from groundup.preparation.stages.chained_equations import ChainedEquations, fit_chained_equations
from preparation.stages.stage_examples import context, numbers


def test_equals_scikit_learns_imputer_on_standardised_numbers() -> None:
    X, new = numbers(), numbers(60, seed=1)
    ours = fit_chained_equations(X, context(5), [0, 1, 2])
    scaler = StandardScaler().fit(X)
    Z = scaler.transform(X)
    peer = IterativeImputer(
        min_value=np.nanmin(Z, axis=0), max_value=np.nanmax(Z, axis=0), skip_complete=True, random_state=0
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer.fit(Z)
    for rows in (X, new):
        expected = scaler.inverse_transform(peer.transform(scaler.transform(rows)))
        np.testing.assert_allclose(ours.transform(rows), expected, rtol=1e-9, atol=1e-9)


def test_a_row_equals_its_batch() -> None:
    X, new = numbers(), numbers(60, seed=1, missing=0.5)
    stage = fit_chained_equations(X, context(5), [0, 1, 2, 3])
    rows = np.array([stage.transform_row(row) for row in new.tolist()])
    np.testing.assert_allclose(rows, stage.transform(new), rtol=1e-12, atol=1e-12)


def test_a_column_that_was_complete_is_regressed_once() -> None:
    X = numbers(missing=0.0)
    stage = fit_chained_equations(X, context(5), [3])
    assert len(stage.constants) == 1
    Z = StandardScaler().fit_transform(X)
    peer = BayesianRidge().fit(np.delete(Z, 3, axis=1), Z[:, 3])
    expected = peer.predict(np.delete(Z[:1], 3, axis=1))[0] * X[:, 3].std() + X[:, 3].mean()
    row = [*X[0, :3].tolist(), np.nan, X[0, 4]]
    assert stage.transform_row(row)[3] == pytest.approx(expected, rel=1e-9)
    assert "no number was missing in training" in stage.tell().what


def test_predictions_stay_within_what_training_rows_had() -> None:
    X = numbers()
    stage = fit_chained_equations(X, context(5), [0])
    far = np.array([[np.nan, 1e9, 1e9, 1e9, 1e9], [np.nan, -1e9, -1e9, -1e9, -1e9]])
    low, high = np.nanmin(X[:, 0]), np.nanmax(X[:, 0])
    np.testing.assert_allclose(sorted(stage.transform(far)[:, 0]), [low, high])


def test_rows_for_the_fit_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chained_equations, "FIT_ROWS", 40)
    X = numbers(200)
    few = fit_chained_equations(X, context(5), [0, 1])
    monkeypatch.setattr(chained_equations, "FIT_ROWS", 400)
    assert not np.array_equal(few.weights, fit_chained_equations(X, context(5), [0, 1]).weights)
    assert np.isfinite(few.transform(X)[:, :2]).all()


def test_one_column_alone_is_filled_with_its_mean() -> None:
    X = np.array([[1.0], [np.nan], [4.0]])
    stage = fit_chained_equations(X, context(1), [0])
    assert stage.transform(X)[1, 0] == pytest.approx(2.5)
    assert stage.transform_row([np.nan]) == pytest.approx([2.5])
    assert "no other column" in stage.tell().what


@pytest.mark.parametrize("n_rows", [1, 2, 3])
def test_very_few_and_extreme_rows_are_filled_with_finite_numbers(n_rows: int) -> None:
    X = np.array([[1e308, np.nan, 0.0], [np.nan, -1e308, 1.0], [5.0, np.nan, 1.0]])[:n_rows]
    targets = [place for place in range(3) if np.isfinite(X[:, place]).any()]
    stage = fit_chained_equations(X, context(3), targets)
    assert np.isfinite(stage.transform(X)[:, targets]).all()
    assert np.isfinite(stage.transform(np.array([[np.nan, np.nan, 1e308]]))[:, targets]).all()


def test_state_comes_back_and_misfits_are_refused() -> None:
    X = numbers()
    stage = fit_chained_equations(X, context(5), [0, 1])
    again = ChainedEquations.from_state(stage.state(), stage.arrays())
    np.testing.assert_array_equal(again.transform(X), stage.transform(X))
    with pytest.raises(ValueError, match="weights for"):
        ChainedEquations.from_state(stage.state(), {**stage.arrays(), "weights": np.zeros((2, 2))})
