import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from groundup.core.errors import PredictionInputError, RecipeError
from groundup.core.schema import Column
from groundup.preparation.arrays import Numbers
from groundup.preparation.numbers import NumberPlan, fit_number
from groundup.preparation.plan import Choice, Dropped
from groundup.preparation.scaling import Scaling

AGE = Column("age", "number", "float")
HOLES = np.array([20.0, np.nan, 40.0, 30.0, 30.0])


def fit(values: np.ndarray, *, keeps_missing: bool = False, **options: object) -> NumberPlan | Dropped:
    choice = Choice("number", keeps_missing, **{"impute": "median", **options})  # type: ignore[arg-type]
    return fit_number(AGE, Numbers(values), choice)


def plan_of(values: np.ndarray, **options: object) -> NumberPlan:
    plan = fit(values, **options)  # type: ignore[arg-type]
    assert isinstance(plan, NumberPlan)
    return plan


def encode(plan: NumberPlan, values: np.ndarray) -> np.ndarray:
    block = np.zeros((len(values), len(plan.feature_names)))
    plan.encode(Numbers(values))(block, 0, len(values))
    return block


@pytest.mark.parametrize(
    ("impute", "filled"), [("median", 30.0), ("mean", 30.0), ("most_frequent", 30.0), ("drop_rows", 30.0)]
)
def test_fills_missing_values(impute: str, filled: float) -> None:
    assert encode(plan_of(HOLES, impute=impute), HOLES)[1, 0] == filled


@pytest.mark.parametrize("strategy", ["median", "mean", "most_frequent"])
def test_equals_scikit_learns_pipeline(strategy: str) -> None:
    random = np.random.default_rng(1)
    values = np.round(random.gamma(2.0, 3.0, 500), 1)
    values[random.random(500) < 0.2] = np.nan
    plan = plan_of(values, impute=strategy, scale="standard", indicator=True)
    peer = make_pipeline(SimpleImputer(strategy=strategy), StandardScaler()).fit_transform(values[:, None])
    ours = encode(plan, values)
    np.testing.assert_allclose(ours[:, 0], peer[:, 0], rtol=1e-11, atol=1e-12)
    np.testing.assert_array_equal(ours[:, 1], np.isnan(values))


@pytest.mark.parametrize("impute", ["knn", "iterative"])
def test_what_the_other_columns_fill_stays_missing_here(impute: str) -> None:
    plan = plan_of(HOLES, impute=impute, scale="standard", indicator=True)
    np.testing.assert_array_equal(encode(plan, HOLES)[1], [np.nan, 1.0])
    assert encode(plan, HOLES)[:, 0][~np.isnan(HOLES)].mean() == pytest.approx(0)
    out = [0.0, 0.0]
    plan.compile_row(0)(None, out)
    np.testing.assert_array_equal(out, [np.nan, 1.0])
    assert plan.steps()[0].startswith("missing values (20 %) are filled with ")
    again = NumberPlan.from_state(AGE, plan.state())
    assert (again, again.is_filled_later) == (plan, True)


def test_a_constant_fills_and_must_be_a_number() -> None:
    assert plan_of(HOLES, impute="constant").fill == 0.0
    assert plan_of(HOLES, impute="constant", fill_value="-1").fill == -1.0
    with pytest.raises(RecipeError, match=r"fill_value` is `many`"):
        fit(HOLES, impute="constant", fill_value="many")


def test_missing_values_stay_for_learners_that_take_them() -> None:
    plan = plan_of(HOLES, impute="none", keeps_missing=True)
    assert np.isnan(encode(plan, HOLES)[1, 0])
    assert plan.feature_names == ("age",)
    with pytest.raises(RecipeError, match="1 values are missing"):
        fit(HOLES, impute="none")
    assert plan_of(HOLES[2:], impute="none").fill == 30.0


def test_columns_that_say_nothing_are_dropped() -> None:
    assert isinstance(fit(np.full(3, np.nan)), Dropped)
    dropped = fit(np.full(3, 5.0))
    assert isinstance(dropped, Dropped)
    assert "is 5 in every" in dropped.why
    half = np.array([5.0, np.nan])
    assert isinstance(fit(half), Dropped)
    assert isinstance(fit(half, indicator=True), NumberPlan)
    assert isinstance(fit(half, impute="none", keeps_missing=True), NumberPlan)


def test_extreme_training_values_give_finite_numbers() -> None:
    values = np.array([1.7e308, -1.7e308, 0.0, 1.0, np.nan])
    for scale in ("standard", "minmax", "robust"):
        with np.errstate(over="ignore"):
            assert np.isfinite(encode(plan_of(values, scale=scale, impute="mean"), values)).all()


VALUES = st.one_of(
    st.none(), st.floats(allow_nan=True, allow_infinity=True), st.integers(-(2**63), 2**63 - 1)
)


@settings(deadline=None, max_examples=50)
@given(st.lists(VALUES, min_size=1, max_size=20), st.booleans(), st.sampled_from(["standard", "none"]))
def test_a_row_equals_the_batch(values: list[float | None], keeps: bool, method: str) -> None:
    scaling = Scaling(method, 7.0, 0.3) if method != "none" else Scaling()
    plan = NumberPlan(AGE, plan_of(HOLES).seen, "median", None if keeps else 3.0, not keeps, scaling)
    as_floats = np.array([np.nan if value is None else float(value) for value in values])
    as_floats[np.isinf(as_floats)] = np.nan
    write = plan.compile_row(0)
    rows = np.zeros((len(values), len(plan.feature_names)))
    for position, value in enumerate(values):
        out = [0.0] * len(plan.feature_names)
        write(value, out)
        rows[position] = out
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(rows, encode(plan, as_floats))


def test_a_row_reads_text_and_refuses_what_is_no_number() -> None:
    write = plan_of(HOLES).compile_row(0)
    out = [0.0]
    write("41.5", out)
    assert out == [41.5]
    write(10**400, out)
    assert out == [30.0]
    with pytest.raises(PredictionInputError, match=r"`'old'` of column `age`"):
        write("old", out)


def test_steps_tell_share_and_value() -> None:
    plan = plan_of(HOLES, indicator=True, scale="standard")
    assert plan.steps() == [
        "missing values (20 %) are filled with the median, 30",
        "a column says which were missing",
        "scaled to mean 0, deviation 1",
    ]
    assert NumberPlan.from_state(AGE, plan.state()) == plan
    assert "left out of training" in plan_of(HOLES[2:], impute="drop_rows").steps()[0]
