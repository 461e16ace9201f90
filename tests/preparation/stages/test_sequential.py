import numpy as np
import pytest
from sklearn.feature_selection import SequentialFeatureSelector
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

from groundup.core.errors import RecipeError
from groundup.core.inputs import FloatArray, Supervision
from groundup.preparation.stages import sequential
from groundup.preparation.stages.one_scale import EVERYTHING, OneScale
from groundup.preparation.stages.sequential import N_PARTS, search
from groundup.preparation.target_encoding import make_parts
from preparation.stages.stage_examples import context, numbers

X = numbers(150, 8, missing=0.0)
Z = StandardScaler().fit_transform(X)
Y = Z[:, 1] - Z[:, 4] + 0.5 * Z[:, 6] + np.random.default_rng(0).normal(size=150)
VALUES, TWO = Supervision(Y, 0, seed=4), Supervision((Y > 0).astype(np.int64), 2, seed=4)


def scale_of(X: FloatArray, roles: str | tuple[str, ...] = "number") -> OneScale:
    asked = context(X.shape[1], roles)
    return OneScale.fit(X, asked.roles, asked.n_levels, EVERYTHING)


def test_the_order_of_numbers_and_levels_does_not_matter() -> None:
    # On one scale, numbers stand before 0/1 columns, wherever they stood.
    flags = (X[:, [1, 4]] > X[:, [1, 4]].mean(axis=0)).astype(float)
    mixed = np.column_stack([flags[:, 0], X[:, 0], flags[:, 1], X[:, 2], X[:, 6]])
    scale = scale_of(mixed, ("level", "number", "level", "number", "number"))
    for direction in ("forward", "backward"):
        for n_kept in (1, 2, 3, 4):
            path = search(scale.transform(mixed), scale, VALUES, direction=direction, n_kept=n_kept)
            expected = search_with_scikit_learn(scale.transform(mixed), VALUES, direction, n_kept)
            assert path.kept == sorted(scale.origins[place] for place in expected)


@pytest.mark.parametrize("direction", ["forward", "backward"])
@pytest.mark.parametrize("known", [VALUES, TWO])
@pytest.mark.parametrize("n_kept", [1, 4])
def test_keeps_what_scikit_learns_search_keeps(direction: str, known: Supervision, n_kept: int) -> None:
    path = search(Z, scale_of(X), known, direction=direction, n_kept=n_kept)
    assert path.kept == search_with_scikit_learn(Z, known, direction, n_kept)
    assert len(path.steps) == (n_kept if direction == "forward" else 8 - n_kept)


def search_with_scikit_learn(Z: FloatArray, known: Supervision, direction: str, n_kept: int) -> list[int]:
    parts = make_parts(known, N_PARTS)
    folds = [(np.flatnonzero(parts != part), np.flatnonzero(parts == part)) for part in range(N_PARTS)]
    # The size of a number's error does not decide, but the penalty's weight beside it would.
    y = (Y - Y.mean()) / Y.std() if known is VALUES else known.y
    peer = SequentialFeatureSelector(
        Ridge(), n_features_to_select=n_kept, direction=direction, scoring="neg_mean_squared_error", cv=folds
    ).fit(Z, y)
    found: list[int] = np.flatnonzero(peer.get_support()).tolist()
    return found


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_stops_by_itself_once_nothing_is_gained(direction: str) -> None:
    path = search(Z, scale_of(X), VALUES, direction=direction, n_kept=None)
    assert {1, 4, 6} <= set(path.kept)
    assert len(path.kept) < 8
    errors = [error for _, error in path.steps]
    assert 0 < errors[-1] < 1
    if direction == "forward":
        assert errors == sorted(errors, reverse=True)


def test_columns_of_one_code_come_and_go_together() -> None:
    codes = np.arange(150) % 3
    known = Supervision(np.array([0.0, 3.0, -1.0])[codes] + 0.1 * Y, 0)
    both = np.column_stack([X[:, :3], codes])
    scale = scale_of(both, (*["number"] * 3, "code"))
    path = search(scale.transform(both), scale, known, direction="forward", n_kept=1)
    assert path.kept == [3]
    assert path.steps[0][1] < 0.1
    backward = search(scale.transform(both), scale, known, direction="backward", n_kept=1)
    assert backward.kept == [3]
    assert backward.steps[-1][1] == pytest.approx(path.steps[0][1])


def test_three_classes_are_three_targets() -> None:
    known = Supervision(np.digitize(Y, [-1.0, 1.0]), 3)
    path = search(Z, scale_of(X), known, direction="forward", n_kept=3)
    assert {1, 4} <= set(path.kept)


def test_an_endless_search_is_refused_with_its_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sequential, "MOST_OPERATIONS", 1e4)
    # Backward from 8 to 2: 8 + 7 + … + 3 candidates on 5 folds.
    with pytest.raises(RecipeError, match=r"over 8 inputs, which may take 165 fits of up to 8 weights"):
        search(Z, scale_of(X), VALUES, direction="backward", n_kept=2)


def test_one_group_leaves_nothing_to_hold_out() -> None:
    known = Supervision(Y, 0, groups=np.zeros(150))
    assert search(Z, scale_of(X), known, direction="forward", n_kept=2).kept == list(range(8))
