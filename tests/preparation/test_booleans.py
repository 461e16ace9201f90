import numpy as np
import pytest

from groundup.core.errors import RecipeError
from groundup.core.schema import Column
from groundup.preparation.arrays import Numbers
from groundup.preparation.booleans import BooleanPlan, fit_boolean
from groundup.preparation.plan import Choice, Dropped

OK = Column("ok", "boolean", "boolean")
VALUES = np.array([1.0, 0.0, np.nan, 1.0])


def fit(values: np.ndarray, *, keeps_missing: bool = False, **options: object) -> BooleanPlan | Dropped:
    choice = Choice("boolean", keeps_missing, **{"impute": "most_frequent", **options})  # type: ignore[arg-type]
    return fit_boolean(OK, Numbers(values), choice)


def both_ways(plan: BooleanPlan | Dropped) -> list[list[float]]:
    assert isinstance(plan, BooleanPlan)
    block = np.zeros((4, len(plan.feature_names)))
    plan.encode(Numbers(VALUES))(block, 0, 4)
    write = plan.compile_row(0)
    for value, expected in zip((True, "no", None, 1), block.tolist(), strict=True):
        out = [0.0] * len(plan.feature_names)
        write(value, out)
        np.testing.assert_array_equal(out, expected)
    return block.tolist()


def test_missing_becomes_the_more_frequent_value_and_is_told() -> None:
    plan = fit(VALUES, indicator=True)
    assert both_ways(plan) == [[1.0, 0.0], [0.0, 0.0], [1.0, 1.0], [1.0, 0.0]]
    assert isinstance(plan, BooleanPlan)
    assert plan.steps()[1] == "missing values (25 %) are filled with `yes`"
    assert BooleanPlan.from_state(OK, plan.state()) == plan


def test_missing_stays_for_learners_that_take_it() -> None:
    assert np.isnan(both_ways(fit(VALUES, impute="none", keeps_missing=True))[2][0])
    with pytest.raises(RecipeError, match="1 values are missing"):
        fit(VALUES, impute="none")


def test_a_constant_must_be_yes_or_no() -> None:
    assert both_ways(fit(VALUES, impute="constant", fill_value=0.0))[2] == [0.0]
    assert both_ways(fit(VALUES, impute="constant"))[2] == [1.0]
    with pytest.raises(RecipeError, match="Give 0 or 1"):
        fit(VALUES, impute="constant", fill_value="maybe")


def test_one_value_is_dropped() -> None:
    assert fit(np.ones(3)) == Dropped("it is `yes` in every training row that has a value")
    assert fit(np.full(2, np.nan)) == Dropped("it has no value in the training rows")
    assert isinstance(fit(np.array([1.0, np.nan]), indicator=True), BooleanPlan)
