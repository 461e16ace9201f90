import json

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from groundup.core.schema import Column
from groundup.preparation.categories import CategoryPlan
from groundup.preparation.numbers import NumberPlan
from groundup.preparation.plan import Seen
from groundup.preparation.scaling import Scaling
from groundup.preparation.stages.one_scale import EVERYTHING, SUBSTANCE, OneScale, roles_of
from preparation.stages.stage_examples import numbers


def test_numbers_are_measured_in_deviations() -> None:
    X = numbers()
    Z = OneScale.fit(X, ["number"] * 5, {}, SUBSTANCE).transform(X)
    np.testing.assert_allclose(Z, StandardScaler().fit_transform(X), rtol=1e-12, atol=1e-12)


def test_codes_are_the_same_as_levels() -> None:
    codes = np.array([0.0, 2.0, 1.0, np.nan, 2.0])
    levels = np.nan_to_num(codes[:, None] == np.arange(3)).astype(float)
    number = np.arange(5.0)
    coded = OneScale.fit(np.column_stack([codes, number]), ["code", "number"], {0: 3}, SUBSTANCE)
    spread = OneScale.fit(np.column_stack([number, levels]), ["number"] + ["level"] * 3, {}, SUBSTANCE)
    np.testing.assert_array_equal(
        coded.transform(np.column_stack([codes, number])), spread.transform(np.column_stack([number, levels]))
    )
    assert coded.origins.tolist() == [1, 0, 0, 0]


def test_marks_and_words_take_part_only_where_asked() -> None:
    X = np.array([[1.0, 0.0, 0.5, 3.0], [2.0, 1.0, 0.1, 4.0]])
    roles = ["number", "mark", "word", "part"]
    assert OneScale.fit(X, roles, {}, SUBSTANCE).origins.tolist() == [0]
    assert OneScale.fit(X, roles, {}, EVERYTHING).origins.tolist() == [0, 2, 3, 1]


def test_extreme_and_missing_numbers_stay_finite() -> None:
    X = np.array([[1e308, np.nan], [-1e308, np.nan], [0.0, np.nan]])
    scale = OneScale.fit(X, ["number", "yes_no"], {}, SUBSTANCE)
    assert np.isfinite(scale.transform(X)[:, 0]).all()
    assert np.isfinite([*scale.centers, *scale.scales]).all()


def test_state_survives_json_and_misfits_are_refused() -> None:
    X = numbers()
    scale = OneScale.fit(X, ["number"] * 4 + ["code"], {4: 3}, SUBSTANCE)
    state = json.loads(json.dumps(scale.state()))
    assert OneScale.from_state(state) == scale
    with pytest.raises(ValueError, match="as many centres"):
        OneScale.from_state({**state, "centers": [0.0]})


def test_roles_name_marks_and_levels() -> None:
    column, seen = Column("x", "number", "float"), Seen(9, 1)
    number = NumberPlan(column, seen, "knn", None, has_indicator=True, scaling=Scaling())
    assert roles_of(number) == ["number", "mark"]
    category = CategoryPlan(column, seen, "one_hot", "constant", ("a", "b"), 0, has_missing_level=True)
    assert roles_of(category) == ["level"] * 3
    assert roles_of(CategoryPlan(column, seen, "codes", "none", ("a", "b"), 0, False)) == ["code"]
