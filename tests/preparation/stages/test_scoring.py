import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.feature_selection import (
    SelectFromModel,
    f_classif,
    f_regression,
    mutual_info_classif,
    mutual_info_regression,
)
from sklearn.linear_model import LassoCV, MultiTaskLassoCV
from sklearn.preprocessing import StandardScaler

from groundup.core.inputs import FloatArray, Supervision
from groundup.preparation.stages.one_scale import EVERYTHING, OneScale
from groundup.preparation.stages.scoring import (
    N_PARTS,
    score_linear,
    score_trees,
    score_univariate,
    target_columns,
)
from groundup.preparation.target_encoding import make_parts
from preparation.stages.stage_examples import context, numbers

X = numbers(200, 8, missing=0.0)
Z = StandardScaler().fit_transform(X)
VALUES = Supervision(Z[:, 0] - 2 * Z[:, 3] + np.random.default_rng(0).normal(size=200), 0, seed=4)
TWO = Supervision((VALUES.y > 0).astype(np.int64), 2, seed=4)
THREE = Supervision(np.digitize(VALUES.y, [-1.0, 1.0]), 3, seed=4)


def scale_of(X: FloatArray, roles: str | tuple[str, ...] = "number") -> OneScale:
    asked = context(X.shape[1], roles)
    return OneScale.fit(X, asked.roles, asked.n_levels, EVERYTHING)


@pytest.mark.parametrize(("known", "peer"), [(VALUES, f_regression), (TWO, f_classif), (THREE, f_classif)])
def test_f_is_scikit_learns(known: Supervision, peer: object) -> None:
    scored = score_univariate(Z, scale_of(X), known, score="f", p_value=0.01)
    F, p = peer(X, known.y)  # type: ignore[operator]
    np.testing.assert_allclose(scored.scores, F, rtol=1e-9)
    np.testing.assert_array_equal(scored.is_enough, p < 0.01)


@pytest.mark.parametrize(("known", "peer"), [(VALUES, mutual_info_regression), (THREE, mutual_info_classif)])
def test_mutual_information_is_scikit_learns(known: Supervision, peer: object) -> None:
    scored = score_univariate(Z, scale_of(X), known, score="mutual_info", p_value=0.01)
    np.testing.assert_array_equal(scored.scores, peer(Z, known.y, random_state=4))  # type: ignore[operator]


@pytest.mark.parametrize("known", [VALUES, TWO, THREE])
def test_l1_keeps_what_scikit_learns_select_from_model_keeps(known: Supervision) -> None:
    scored = score_linear(Z, scale_of(X), known)
    y, parts = target_columns(known), make_parts(known, N_PARTS)
    folds = [(np.flatnonzero(parts != part), np.flatnonzero(parts == part)) for part in range(N_PARTS)]
    estimator = LassoCV(cv=folds) if y.shape[1] == 1 else MultiTaskLassoCV(cv=folds)
    peer = SelectFromModel(estimator, threshold=1e-5).fit(Z, y[:, 0] if y.shape[1] == 1 else y)
    np.testing.assert_array_equal(scored.is_enough, peer.get_support())
    assert set(np.argsort(-scored.scores)[:2]) == {0, 3}
    assert 0 <= scored.scores.min() <= scored.scores.max() == pytest.approx(1, abs=0.1)


def test_trees_are_scikit_learns() -> None:
    scored = score_trees(Z, scale_of(X), TWO)
    peer = SelectFromModel(ExtraTreesClassifier(100, random_state=4)).fit(Z, TWO.y)
    np.testing.assert_array_equal(scored.is_enough, peer.get_support())


def test_a_code_counts_by_its_best_level() -> None:
    codes = np.arange(200) % 3
    y = Supervision((codes == 1).astype(np.int64), 2)
    both = np.column_stack([codes, X[:, 0]])
    scale = scale_of(both, ("code", "number"))
    for score in ("f", "mutual_info"):
        scored = score_univariate(scale.transform(both), scale, y, score=score, p_value=0.05)
        assert scored.scores.argmax() == 0
    assert score_linear(scale.transform(both), scale, y).is_enough.tolist() == [True, False]
    trees = score_trees(scale.transform(both), scale, y)
    assert trees.scores.sum() == pytest.approx(1)
    assert trees.scores[0] > 0.9


@pytest.mark.parametrize("known", [Supervision(np.zeros(200, int), 2), Supervision(np.ones(200), 0)])
def test_a_constant_target_tells_nothing(known: Supervision) -> None:
    constant = np.column_stack([Z, np.zeros(200)])
    scale = scale_of(constant)
    scored = [
        score_univariate(constant, scale, known, score="f", p_value=0.05),
        score_linear(constant, scale, known),
    ]
    assert not any(each.is_enough.any() for each in scored)
    assert all(np.isfinite(each.scores).all() for each in scored)
