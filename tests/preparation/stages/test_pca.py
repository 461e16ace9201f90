import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from groundup.preparation.stages.pca import PrincipalComponents, fit_pca
from preparation.stages.stage_examples import context, numbers

X = StandardScaler().fit_transform(numbers(200, 8, missing=0.0))


@pytest.mark.parametrize("asked", [1, 3, 8, 0.5, 0.95, 0.999])
def test_equals_scikit_learns(asked: float) -> None:
    stage = fit_pca(X, context(8, reduce="pca", reduce_components=asked))
    peer = PCA(asked, svd_solver="full").fit(X)
    np.testing.assert_allclose(stage.transform(X), peer.transform(X), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(stage.shares, peer.explained_variance_ratio_, rtol=1e-9)
    assert stage.feature_names == tuple(f"pca {number}" for number in range(1, peer.n_components_ + 1))
    assert stage.origins is None


def test_signs_do_not_depend_on_the_rows_order() -> None:
    one, other = (fit_pca(rows, context(8, reduce="pca", reduce_components=3)) for rows in (X, X[::-1]))
    np.testing.assert_allclose(one.components, other.components, atol=1e-9)
    largest = np.abs(one.components).argmax(axis=1)
    assert (one.components[np.arange(3), largest] > 0).all()


def test_a_row_equals_its_batch() -> None:
    stage = fit_pca(X, context(8, reduce="pca"))
    rows = np.array([stage.transform_row(row) for row in X.tolist()])
    np.testing.assert_allclose(rows, stage.transform(X), rtol=1e-12, atol=1e-12)


def test_no_more_components_than_there_are() -> None:
    stage = fit_pca(X[:4], context(8, reduce="pca", reduce_components=50))
    assert stage.components.shape == (4, 8)
    assert "(50 were asked for)" in stage.tell().what
    wide = fit_pca(X[:4], context(8, reduce="pca", reduce_components=0.9))
    assert len(wide.components) <= 3


@pytest.mark.parametrize("rows", [X[:1], np.ones((5, 8))])
def test_rows_that_do_not_differ_have_one_component(rows: np.ndarray) -> None:
    stage = fit_pca(rows, context(8, reduce="pca"))
    np.testing.assert_array_equal(stage.transform(rows), np.zeros((len(rows), 1)))
    assert stage.tell().what == "1 component holds 0 % of the variance of 8 inputs"


def test_extreme_numbers_stay_finite() -> None:
    far = np.array([[1e308, -1e308], [1.0, 2.0], [-1e308, 1e308]])
    stage = fit_pca(far, context(2, reduce="pca", scale="none"))
    assert np.isfinite(stage.transform(far)).all()


def test_tells_what_the_components_hold_and_are_made_of() -> None:
    told = fit_pca(X, context(8, reduce="pca", reduce_components=2, scale="none")).tell()
    assert told.what.startswith("2 components hold ")
    assert told.what.endswith("so large ones decide")
    assert told.cost == "16 multiplications"
    assert [row[0] for row in told.rows] == ["pca 1", "pca 2"]
    assert told.rows[1][2] == pytest.approx(told.rows[0][1] + told.rows[1][1])
    assert told.rows[0][3].count("x") == 4


def test_state_comes_back_and_misfits_are_refused() -> None:
    stage = fit_pca(X, context(8, reduce="pca"))
    again = PrincipalComponents.from_state(stage.state(), stage.arrays())
    np.testing.assert_array_equal(again.transform(X), stage.transform(X))
    with pytest.raises(ValueError, match="components of 8 inputs"):
        PrincipalComponents.from_state(stage.state(), {**stage.arrays(), "mean": np.zeros(3)})
