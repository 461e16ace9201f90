import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

from groundup.core.errors import RecipeError
from groundup.core.schema import Column
from groundup.preparation.arrays import Factor, Wanted, read_arrays
from groundup.preparation.categories import CategoryPlan, fit_category
from groundup.preparation.plan import Choice, Dropped

CITY = Column("city", "category", "string")
TRAINING = ["b"] * 4 + ["a"] * 4 + ["c"] * 3 + ["d", None]


def factor(series: pl.Series, column: Column = CITY) -> Factor:
    arrays = read_arrays(series.alias(column.name).to_frame(), [Wanted(column, "category")])[0]
    assert isinstance(arrays, Factor)
    return arrays


def fit(
    values: list[object], *, keeps_missing: bool = False, column: Column = CITY, **options: object
) -> CategoryPlan | Dropped:
    defaults = {"impute": "constant", "encode": "one_hot", "rare_below": 1}
    choice = Choice("category", keeps_missing, **{**defaults, **options})  # type: ignore[arg-type]
    return fit_category(column, factor(pl.Series(values), column), choice)


def encode(plan: CategoryPlan | Dropped, values: list[object]) -> list[list[float]]:
    """Encode a batch, and check that each row alone gives the same bits."""
    assert isinstance(plan, CategoryPlan)
    series = pl.Series("city", values, dtype=pl.String if plan.column.storage == "string" else None)
    block = np.zeros((len(values), len(plan.feature_names)))
    plan.encode(factor(series, plan.column))(block, 0, len(values))
    write = plan.compile_row(0)
    for value, expected in zip(values, block.tolist(), strict=True):
        out = [0.0] * len(plan.feature_names)
        write(value, out)
        np.testing.assert_array_equal(out, expected)
    return block.tolist()


def test_levels_stand_by_frequency_then_value() -> None:
    plan = fit(TRAINING)
    assert isinstance(plan, CategoryPlan)
    assert plan.feature_names == ("city=a", "city=b", "city=c", "city=d", "city (missing)")
    assert encode(plan, ["b", None, "z"]) == [[0, 1, 0, 0, 0], [0, 0, 0, 0, 1], [0, 0, 0, 0, 0]]


def test_rare_and_unseen_levels_share_a_column() -> None:
    plan = fit(TRAINING, rare_below=4)
    assert isinstance(plan, CategoryPlan)
    assert plan.feature_names == ("city=a", "city=b", "city (rare)", "city (missing)")
    assert encode(plan, ["c", "d", "unheard of", None]) == [[0, 0, 1, 0]] * 3 + [[0, 0, 0, 1]]
    assert plan.n_rare == 2
    capped = fit(TRAINING, max_levels=2)
    assert isinstance(capped, CategoryPlan)
    assert capped.levels == ("a", "b")


def test_missing_at_prediction_alone_is_rare_or_nothing() -> None:
    assert encode(fit(["a", "b", "b", "c"], rare_below=2, max_levels=5), [None]) == [[0, 1]]
    assert encode(fit(["a", "b"]), [None]) == [[0, 0]]


def test_most_frequent_and_a_constant_level() -> None:
    assert encode(fit(TRAINING, impute="most_frequent"), [None]) == [[1, 0, 0, 0]]
    plan = fit(TRAINING, impute="constant", fill_value="none given")
    assert isinstance(plan, CategoryPlan)
    assert "city=none given" in plan.feature_names
    assert encode(plan, [None]) == encode(plan, ["none given"])
    assert encode(fit(TRAINING, impute="none"), [None]) == [[0, 0, 0, 0]]


def test_codes_keep_missing_as_nan_and_unseen_as_rare() -> None:
    plan = fit(TRAINING, encode="codes", impute="none", keeps_missing=True, rare_below=2)
    np.testing.assert_array_equal(
        encode(plan, ["a", "b", "c", "d", "z", None]), [[0], [1], [2], [3], [3], [np.nan]]
    )
    assert isinstance(plan, CategoryPlan)
    assert plan.is_categorical
    no_rare = fit(TRAINING, encode="codes", impute="none", keeps_missing=True)
    assert np.isnan(encode(no_rare, ["z", None])).all()
    own_code = fit(TRAINING, encode="codes", impute="constant", keeps_missing=True)
    assert encode(own_code, [None]) == [[4]]


def test_ordinal_follows_the_values_and_can_be_scaled() -> None:
    plan = fit(TRAINING, encode="ordinal", scale="minmax")
    assert encode(plan, ["a", "b", "c", "d", None]) == [[0.0], [0.25], [0.5], [0.75], [1.0]]
    assert encode(plan, ["z"]) == [[-0.25]]
    scaled = encode(fit(TRAINING, encode="ordinal", scale="standard"), TRAINING)
    assert np.mean(scaled) == pytest.approx(0, abs=1e-12)
    assert np.std(scaled) == pytest.approx(1)
    kept = fit(TRAINING, encode="ordinal", impute="none", keeps_missing=True)
    np.testing.assert_array_equal(encode(kept, [None, "z"]), [[np.nan], [np.nan]])
    with pytest.raises(RecipeError, match="takes no missing values"):
        fit(TRAINING, encode="ordinal", impute="none")


def test_numbers_can_be_levels() -> None:
    zones = Column("zone", "category", "integer")
    plan = fit([10, 9, 10, None, 2**60], column=zones)
    assert encode(plan, [9, 10, None, 7, 2**60]) == [
        [0, 1, 0, 0],
        [1, 0, 0, 0],
        [0, 0, 0, 1],
        [0] * 4,
        [0, 0, 1, 0],
    ]
    assert encode(fit([0.5, 1.5, float("nan")], column=Column("zone", "category", "float")), [1.5]) == [
        [0, 1, 0]
    ]
    assert encode(fit([1, 2, None], column=zones, fill_value=2.0), [None]) == [[1, 0]]
    with pytest.raises(RecipeError, match="Give a number"):
        fit([1, 2, None], column=zones, fill_value="two")


def test_text_is_read_before_it_is_unknown() -> None:
    column = Column("city", "category", "string", missing=("?",))
    plan = fit(["a", "b", None], column=column)
    assert isinstance(plan, CategoryPlan)
    write = plan.compile_row(0)
    for value, expected in ((" a ", [1, 0, 0]), ("?", [0, 0, 1]), (float("nan"), [0, 0, 1]), (3, [0, 0, 0])):
        out = [0.0] * 3
        write(value, out)
        assert out == expected


def test_one_place_is_dropped() -> None:
    assert fit(["a", "a"]) == Dropped("it is `a` in every training row that has a value")
    assert fit([None, None]) == Dropped("it has no value in the training rows")
    dropped = fit(["a", "b", "c"], rare_below=5)
    assert isinstance(dropped, Dropped)
    assert "fewer than 5 training rows" in dropped.why
    assert isinstance(fit(["a", None]), CategoryPlan)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.sampled_from(["x", "y", "zürich", "", " ", "日本"]), min_size=2, max_size=40))
def test_equals_scikit_learn(values: list[str]) -> None:
    plan = fit(values)
    if isinstance(plan, Dropped):
        assert len(set(values)) == 1
        return
    levels = sorted(set(values))
    peer = OneHotEncoder(sparse_output=False, categories=[levels]).fit_transform(np.array(values)[:, None])
    block = np.zeros(peer.shape)
    plan.encode(factor(pl.Series(values)))(block, 0, len(values))
    np.testing.assert_array_equal(block[:, [plan.levels.index(level) for level in levels]], peer)
    ordinal = fit(values, encode="ordinal")
    assert isinstance(ordinal, CategoryPlan)
    column = np.zeros((len(values), 1))
    ordinal.encode(factor(pl.Series(values)))(column, 0, len(values))
    np.testing.assert_array_equal(
        column, OrdinalEncoder().fit_transform(np.array(values, dtype=object)[:, None])
    )


def test_state_and_steps() -> None:
    plan = fit(TRAINING, rare_below=4)
    assert isinstance(plan, CategoryPlan)
    assert CategoryPlan.from_state(CITY, plan.state()) == plan
    assert plan.steps() == [
        "2 levels, one 0/1 column for each",
        "2 rarer levels share the level “rare”",
        "missing values (8 %) are a level of their own",
    ]
    for options in (
        {"impute": "most_frequent"},
        {"impute": "none"},
        {"impute": "drop_rows"},
        {"encode": "ordinal"},
    ):
        other = fit(TRAINING, scale="minmax", **options)
        assert isinstance(other, CategoryPlan)
        assert all(other.steps())


def test_frequency_is_the_share_of_training_rows() -> None:
    plan = fit(TRAINING, encode="frequency")
    shares = [[4 / 13], [3 / 13], [1 / 13], [1 / 13]]
    assert encode(plan, ["b", "c", "d", None]) == shares
    assert encode(plan, ["never seen"]) == [[0.0]]
    assert isinstance(plan, CategoryPlan)
    assert plan.feature_names == ("city",)
    assert plan.steps()[0] == "4 levels, replaced by the share of training rows that have it"
    rare = fit(["a"] * 4 + ["b", "c", "c"], encode="frequency", rare_below=3, max_levels=1)
    assert encode(rare, ["a", "b", "c", "z"]) == [[4 / 7], [1.5 / 7], [1.5 / 7], [1.5 / 7]]
    kept = fit(TRAINING, encode="frequency", impute="none", keeps_missing=True)
    assert np.isnan(encode(kept, [None])).all()
    assert fit(["a", "b"], encode="frequency") == Dropped("each of its 2 levels is equally frequent")
    scaled = encode(fit(TRAINING, encode="frequency", scale="standard"), TRAINING)
    assert np.mean(scaled) == pytest.approx(0, abs=1e-12)
    no_levels_lost = fit(
        [each for each in "abcdef" for _ in range(ord(each) - 96)], encode="frequency", max_levels=2
    )
    assert isinstance(no_levels_lost, CategoryPlan)
    assert len(no_levels_lost.levels) == 6
    assert "a level that training did not have" in no_levels_lost.steps()[-1]
