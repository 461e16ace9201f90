import numpy as np
import pytest
from sklearn.impute import KNNImputer
from sklearn.preprocessing import StandardScaler

from groundup.preparation.stages.nearest_rows import NearestRows, draw_rows, fit_nearest_rows
from preparation.stages.stage_examples import context, numbers


def test_equals_scikit_learns_imputer_on_standardised_numbers() -> None:
    X, new = numbers(), numbers(60, seed=1)
    ours = fit_nearest_rows(X, context(5), [0, 1, 2])
    scaler = StandardScaler().fit(X)
    peer = KNNImputer().fit(scaler.transform(X))
    for rows in (X, new):
        expected = scaler.inverse_transform(peer.transform(scaler.transform(rows)))
        np.testing.assert_allclose(ours.transform(rows), expected, rtol=1e-9, atol=1e-9)


def test_equals_scikit_learns_imputer_with_levels_as_columns() -> None:
    X, random = numbers(), np.random.default_rng(2)
    codes = random.integers(0, 3, len(X))
    levels = (codes[:, None] == np.arange(3)).astype(float)
    scaler = StandardScaler().fit(X)
    peer = KNNImputer(n_neighbors=3).fit_transform(np.hstack([scaler.transform(X), levels]))
    expected = scaler.inverse_transform(peer[:, :5])
    roles = ("number",) * 5 + ("level",) * 3
    spread = fit_nearest_rows(np.hstack([X, levels]), context(8, roles, impute_neighbors=3), [0, 1, 2])
    np.testing.assert_allclose(
        spread.transform(np.hstack([X, levels]))[:, :5], expected, rtol=1e-9, atol=1e-9
    )
    coded = fit_nearest_rows(
        np.column_stack([codes, X]),
        context(6, ("code", *["number"] * 5), impute_neighbors=3),
        [1, 2, 3],
    )
    np.testing.assert_allclose(
        coded.transform(np.column_stack([codes, X]))[:, 1:], expected, rtol=1e-9, atol=1e-9
    )


def test_other_columns_stay_and_nothing_is_changed_in_place() -> None:
    X = numbers()
    before = X.copy()
    filled = fit_nearest_rows(X, context(5), [0]).transform(X)
    np.testing.assert_array_equal(X, before)
    np.testing.assert_array_equal(filled[:, 1:], X[:, 1:])
    assert np.isfinite(filled[:, 0]).all()


def test_a_row_equals_its_batch_to_the_last_bit_even_with_ties() -> None:
    random = np.random.default_rng(0)
    X = random.integers(0, 3, (80, 4)).astype(float)
    X[random.random((80, 4)) < 0.3] = np.nan
    stage = fit_nearest_rows(X, context(4), [0, 1, 2, 3])
    rows = np.array([stage.transform_row(row) for row in X.tolist()])
    np.testing.assert_array_equal(rows, stage.transform(X))


def test_a_row_that_shares_nothing_gets_the_mean() -> None:
    X = numbers()
    stage = fit_nearest_rows(X, context(5), [0, 1, 2, 3, 4])
    np.testing.assert_allclose(stage.transform(np.full((1, 5), np.nan))[0], np.nanmean(X, axis=0))


def test_donors_are_bounded_and_drawn_by_the_seed() -> None:
    X = numbers(500)
    asked = context(5, y=np.zeros(500), impute_donors=50)
    one, other = fit_nearest_rows(X, asked, [0]), fit_nearest_rows(X, asked, [0])
    assert one.donors.shape == (50, 5)
    np.testing.assert_array_equal(one.donors, other.donors)
    assert "50 of 500 training rows" in one.tell().what
    assert "50 stored rows" in one.tell().cost
    assert len(set(draw_rows(500, 50, 3).tolist())) == 50


def test_extreme_numbers_are_filled_with_finite_ones() -> None:
    X = np.array([[1e308, 1.0], [-1e308, 2.0], [np.nan, 3.0], [1e308, -1e308]])
    stage = fit_nearest_rows(X, context(2), [0, 1])
    assert np.isfinite(stage.transform(X)).all()
    assert np.isfinite(stage.transform(np.array([[np.nan, 1e308], [-1e308, np.nan]]))).all()


def test_state_comes_back_and_misfits_are_refused() -> None:
    X = np.column_stack([numbers(), np.arange(120) % 3])
    stage = fit_nearest_rows(X, context(6, (*["number"] * 5, "code")), [0, 1])
    again = NearestRows.from_state(stage.state(), stage.arrays())
    np.testing.assert_array_equal(again.transform(X), stage.transform(X))
    assert stage.arrays()["flags"].dtype == np.uint8
    with pytest.raises(ValueError, match="donors for"):
        NearestRows.from_state(stage.state(), {**stage.arrays(), "values": np.zeros((3, 2))})
