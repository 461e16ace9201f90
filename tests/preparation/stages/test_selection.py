import json
from typing import Any

import numpy as np
import pytest
from sklearn.feature_selection import SelectKBest, VarianceThreshold, f_regression

from groundup.core.errors import RecipeError
from groundup.preparation.options import PreparationOptions
from groundup.preparation.stages.selection import Selection, fit_selection
from preparation.stages.stage_examples import context, numbers

X = numbers(200, 6, missing=0.0)
Y = X[:, 2] + np.random.default_rng(0).normal(size=200)


def test_keeps_the_highest_scores_as_scikit_learn_does() -> None:
    stage = fit_selection(X, context(6, y=Y, select="univariate", select_features=3))
    peer = SelectKBest(f_regression, k=3).fit(X, Y)
    assert stage.kept == tuple(np.flatnonzero(peer.get_support()))
    np.testing.assert_array_equal(stage.transform(X), peer.transform(X))
    assert stage.transform_row(X[0].tolist()) == stage.transform(X)[0].tolist()
    assert stage.feature_names == tuple(f"x{place}" for place in stage.kept)
    assert stage.tell().what.startswith("3 of 6 inputs kept, those with the largest F statistic: `x")


@pytest.mark.parametrize(("asked", "n_kept"), [(2, 2), (0.5, 3), (0.01, 1), (99, 6)])
def test_a_number_or_a_share_is_kept(asked: float, n_kept: int) -> None:
    for select in ("univariate", "model", "sequential"):
        stage = fit_selection(X, context(6, y=Y, select=select, select_features=asked))
        assert len(stage.kept) == n_kept


def test_variance_is_scikit_learns_and_leaves_codes_alone() -> None:
    flags = (np.arange(200)[:, None] % np.array([2, 100]) == 0).astype(float)
    both = np.hstack([X[:, :2], flags, np.full((200, 1), 2.0)])
    roles = ("number", "number", "level", "level", "code")
    stage = fit_selection(both, context(5, roles, select="variance", select_threshold=0.01))
    peer = VarianceThreshold(0.01).fit(both[:, :4])
    assert stage.kept == (*np.flatnonzero(peer.get_support()), 4)
    assert stage.rows[0] == ("x4", None, "yes")


@pytest.mark.parametrize(
    "options",
    [{"select": "univariate", "select_p_value": 1e-12}, {"select": "variance", "select_threshold": 9}],
)
def test_something_is_kept_and_told_where_nothing_is_enough(options: dict[str, Any]) -> None:
    noise = np.random.default_rng(1).normal(size=(50, 3))
    stage = fit_selection(noise, context(3, y=np.arange(50) % 2, n_classes=2, **options))
    assert len(stage.kept) == 1
    assert ", as none has a " in stage.tell().what


@pytest.mark.parametrize("select", ["univariate", "model", "sequential"])
def test_missing_numbers_count_as_the_mean_and_stay_missing(select: str) -> None:
    holes = X.copy()
    holes[::7, 2] = np.nan
    stage = fit_selection(holes, context(6, y=Y, select=select, select_features=5))
    assert 2 in stage.kept
    assert np.isnan(stage.transform(holes)).any()


def test_what_contradicts_itself_is_refused() -> None:
    with pytest.raises(RecipeError, match=r"`preparation.select` is `model`, but no target"):
        fit_selection(X, context(6, select="model"))
    with pytest.raises(RecipeError, match="has no p-value to stop at"):
        fit_selection(X, context(6, y=Y, select="univariate", select_score="mutual_info"))


@pytest.mark.parametrize("asked", [0, 0.0, 1.0, 1.5, -1, "few"])
def test_no_other_numbers_are_taken(asked: object) -> None:
    with pytest.raises(ValueError, match=r"whole number|valid integer"):
        PreparationOptions(select_features=asked)  # type: ignore[arg-type]


def test_state_comes_back_and_misfits_are_refused() -> None:
    stage = fit_selection(X, context(6, y=Y, select="sequential"))
    state = json.loads(json.dumps(stage.state(), allow_nan=False))
    assert Selection.from_state(state, {}) == stage
    with pytest.raises(ValueError, match="names for"):
        Selection.from_state({**state, "kept": [1, 2, 3, 4, 5, 6]}, {})
