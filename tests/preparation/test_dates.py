from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundup.core.errors import RecipeError
from groundup.core.schema import Column
from groundup.preparation.arrays import Times, Wanted, read_arrays
from groundup.preparation.dates import DatePlan, fit_date, from_microseconds, to_microseconds
from groundup.preparation.plan import Choice, Dropped

WHEN = Column("when", "datetime", "datetime")
MOMENTS = st.datetimes(datetime(1000, 1, 1), datetime(9999, 12, 31))
START = datetime(2023, 12, 30, 22)
TRAINING = [START + timedelta(hours=7 * step) for step in range(30)] + [None]


def times(values: list[datetime | None]) -> Times:
    frame = pl.DataFrame({"when": pl.Series(values, dtype=pl.Datetime("us"))})
    arrays = read_arrays(frame, [Wanted(WHEN, "date")])[0]
    assert isinstance(arrays, Times)
    return arrays


def fit(
    values: list[datetime | None], *, keeps_missing: bool = False, **options: object
) -> DatePlan | Dropped:
    choice = Choice("date", keeps_missing, **{"impute": "median", **options})  # type: ignore[arg-type]
    return fit_date(WHEN, times(values), choice)


def plan_of(values: list[datetime | None], **options: object) -> DatePlan:
    plan = fit(values, **options)  # type: ignore[arg-type]
    assert isinstance(plan, DatePlan)
    return plan


def encode(plan: DatePlan, values: list[datetime | None]) -> np.ndarray:
    block = np.zeros((len(values), len(plan.feature_names)))
    plan.encode(times(values))(block, 0, len(values))
    return block


def rows(plan: DatePlan, values: list[object]) -> np.ndarray:
    write = plan.compile_row(0)
    result = np.zeros((len(values), len(plan.feature_names)))
    for position, value in enumerate(values):
        out = [0.0] * len(plan.feature_names)
        write(value, out)
        result[position] = out
    return result


def test_only_parts_that_vary_become_features() -> None:
    plan = plan_of(TRAINING)
    assert [name for name, _ in plan.features] == ["year", "month", "day", "weekday", "hour", "days"]
    days = plan_of([datetime(2024, 5, day) for day in (1, 2, 9)])
    assert [name for name, _ in days.features] == ["day", "weekday", "days"]
    np.testing.assert_array_equal(encode(days, [datetime(2024, 5, 9)]), [[9, 3, 8]])


def test_cycles_close() -> None:
    plan = plan_of(TRAINING, has_cycles=True)
    names = [name for name, _ in plan.features]
    december, january = encode(plan, [datetime(2023, 12, 31), datetime(2024, 1, 1)])
    cosine, sine = names.index("month cosine"), names.index("month sine")
    for row in (december, january):
        assert row[cosine] ** 2 + row[sine] ** 2 == pytest.approx(1)
    assert abs(december[cosine] - january[cosine]) < 0.2


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.one_of(st.none(), MOMENTS), min_size=3, max_size=30),
    st.lists(st.one_of(st.none(), MOMENTS), min_size=1, max_size=10),
    st.sampled_from(["standard", "minmax", "none"]),
    st.booleans(),
)
def test_a_row_equals_the_batch(
    training: list[datetime | None], values: list[datetime | None], scale: str, keeps: bool
) -> None:
    options = {"impute": "none", "keeps_missing": True} if keeps else {"indicator": True}
    plan = fit(training, scale=scale, has_cycles=True, **options)  # type: ignore[arg-type]
    if isinstance(plan, DatePlan):
        np.testing.assert_array_equal(rows(plan, list(values)), encode(plan, values))
        assert DatePlan.from_state(WHEN, plan.state()) == plan


@settings(deadline=None, max_examples=50)
@given(st.lists(MOMENTS, min_size=2, max_size=20, unique=True))
def test_parts_are_those_of_datetime(values: list[datetime]) -> None:
    plan = plan_of(values)  # type: ignore[arg-type]
    matrix = encode(plan, values)  # type: ignore[arg-type]
    first = min(values)
    expected = {
        "year": lambda each: each.year,
        "month": lambda each: each.month,
        "day": lambda each: each.day,
        "weekday": lambda each: each.weekday(),
        "hour": lambda each: each.hour,
        "days": lambda each: (each - first) / timedelta(days=1),
    }
    for place, (name, _) in enumerate(plan.features):
        np.testing.assert_allclose(matrix[:, place], [expected[name](each) for each in values], rtol=1e-12)


@pytest.mark.parametrize("impute", ["median", "mean", "most_frequent", "drop_rows"])
def test_fills_missing_dates(impute: str) -> None:
    values = [datetime(2024, 1, day) for day in (1, 3, 3, 5)] + [None]
    plan = plan_of(values, impute=impute)  # type: ignore[arg-type]
    np.testing.assert_array_equal(encode(plan, [None]), encode(plan, [datetime(2024, 1, 3)]))
    assert "2024-01-03" in " ".join(plan.steps())


def test_a_constant_must_be_a_date() -> None:
    plan = plan_of(TRAINING, impute="constant", fill_value="2024-02-29")
    assert plan.fill == to_microseconds(datetime(2024, 2, 29))
    assert plan_of(TRAINING, impute="constant").fill == to_microseconds(START)
    with pytest.raises(RecipeError, match="2024-12-31"):
        fit(TRAINING, impute="constant", fill_value="soon")
    with pytest.raises(RecipeError, match="takes no missing values"):
        fit(TRAINING, impute="none")


def test_one_date_is_dropped() -> None:
    assert fit([START, START]) == Dropped("it is 2023-12-30 22:00:00 in every training row that has a value")
    assert fit([None]) == Dropped("it has no value in the training rows")
    assert isinstance(fit([START, None], indicator=True), DatePlan)


def test_rows_read_text_and_zones() -> None:
    plan = plan_of(TRAINING)
    zoned = datetime(2024, 1, 1, 1, tzinfo=UTC)
    expected = encode(plan, [datetime(2024, 1, 1, 1)])
    np.testing.assert_array_equal(rows(plan, ["2024-01-01T01:00:00"]), expected)
    np.testing.assert_array_equal(rows(plan, [zoned]), expected)


def test_microseconds_outside_the_calendar_are_its_ends() -> None:
    assert from_microseconds(2**62) == datetime.max
    assert from_microseconds(-(2**62)) == datetime.min
