import json
from typing import Any

import numpy as np
import polars as pl
import pytest

from groundup.core.errors import PackageError, RecipeError
from groundup.core.inputs import Needs, Supervision
from groundup.core.schema import Column, Schema
from groundup.data.dataset import Dataset
from groundup.preparation.options import ColumnPreparation, PreparationOptions
from groundup.preparation.stages.catalogue import IMPUTATIONS, REDUCTIONS, STAGES
from groundup.preparation.table import TablePreparation

LINEAR, TREES = Needs(scaled=True), Needs(categories="codes", missing=True)
SCHEMA = Schema(
    [
        Column("noise", "number", "float"),
        Column("size", "number", "float"),
        Column("city", "category", "string"),
        Column("weight", "number", "float"),
        Column("when", "datetime", "datetime"),
    ]
)


def table(n_rows: int = 300) -> tuple[Dataset, Supervision]:
    random = np.random.default_rng(0)
    size = random.normal(10, 3, n_rows)
    weight = 2 * size + random.normal(size=n_rows)
    weight[::4] = np.nan
    frame = pl.DataFrame(
        {
            "noise": random.normal(size=n_rows),
            "size": size,
            "city": random.choice(["Bonn", "Oslo", "Rome"], n_rows),
            "weight": pl.Series(weight, nan_to_null=True),
            "when": pl.Series(np.arange(n_rows) * 86_400_000_000).cast(pl.Datetime("us")),
        }
    )
    y = (size + (frame["city"] == "Rome").to_numpy() * 3 > 11).astype(np.int64)
    return Dataset(frame.lazy(), SCHEMA, n_rows, "frame"), Supervision(y, 2, seed=1)


def fitted(needs: Needs, columns: dict[str, Any] | None = None, **options: Any) -> TablePreparation:
    own = {name: ColumnPreparation(**each) for name, each in (columns or {}).items()}
    preparation = TablePreparation(PreparationOptions(columns=own, **options))
    dataset, supervision = table()
    preparation.fit(dataset, needs, supervision)
    return preparation


def test_stages_are_fitted_in_a_fixed_order() -> None:
    preparation = fitted(
        LINEAR, {"size": {"impute": "knn"}}, impute_numbers="iterative", select="univariate", reduce="pca"
    )
    assert [stage.kind for stage in preparation.stages] == ["knn", "iterative", "selection", "pca"]
    assert set(IMPUTATIONS) | set(REDUCTIONS) <= set(STAGES)


def test_one_column_alone_can_be_filled_from_the_others() -> None:
    preparation = fitted(TREES, {"weight": {"impute": "iterative"}})
    row = {"noise": None, "size": 10.0, "city": "Bonn", "weight": None, "when": None}
    values = dict(zip(preparation.feature_names, preparation.transform_row(row), strict=True))
    assert values["weight"] == pytest.approx(20, abs=1)
    assert np.isnan(values["noise"])
    assert values["weight (missing)"] == 1
    resolved = preparation.resolved_options()
    assert resolved.columns["weight"].impute == "iterative"
    assert resolved.columns["noise"].impute == "none"


def test_what_fills_a_number_does_not_depend_on_the_learner() -> None:
    row = {"noise": 0.5, "size": 12.0, "city": "Rome", "weight": None, "when": "1970-05-05"}
    for impute in IMPUTATIONS:
        found = []
        for needs in (LINEAR, TREES, Needs()):
            preparation = fitted(needs, impute_numbers=impute)
            scaling = preparation.plans[3].scaling  # type: ignore[attr-defined]
            place = preparation.feature_names.index("weight")
            found.append(preparation.transform_row(row)[place] * scaling.scale + scaling.center)
        np.testing.assert_allclose(found, found[0], rtol=1e-9)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"when": {"impute": "knn"}}, "would make no date"),
        ({"city": {"impute": "iterative"}}, "is for numbers. A category column"),
    ],
)
def test_what_is_no_number_is_not_filled_from_the_others(columns: dict[str, Any], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        fitted(LINEAR, columns)


def test_dates_keep_their_own_rule() -> None:
    preparation = fitted(TREES, impute_numbers="knn")
    assert preparation.resolved_options().columns["when"].impute == "none"
    assert fitted(LINEAR, impute_numbers="knn").resolved_options().columns["when"].impute == "median"


def test_columns_of_which_nothing_is_selected_are_not_needed_any_more() -> None:
    preparation = fitted(LINEAR, select="univariate", select_features=2)
    assert preparation.columns == ("size", "weight")
    told = {each["column"]: each for each in preparation.describe()}
    assert told["noise"]["why"] == "left out: none of its inputs was selected"
    assert preparation.feature_sources == (("size",), ("weight",))
    assert len(preparation.transform_row({"size": 1.0, "weight": 2.0})) == 2
    assert not preparation.resolved_options().columns["noise"].drop


def test_columns_stay_where_others_are_filled_from_them() -> None:
    preparation = fitted(LINEAR, impute_numbers="knn", select="univariate", select_features=2)
    assert preparation.columns == SCHEMA.names
    assert preparation.feature_sources == (("size",), ("weight",))


def test_codes_stay_codes_through_a_selection() -> None:
    preparation = fitted(TREES, select="model", select_features=3)
    assert [preparation.feature_names[place] for place in preparation.categorical] == ["city"]


def test_components_are_made_of_columns_as_for_a_linear_model() -> None:
    one, other = fitted(TREES, reduce="pca"), fitted(LINEAR, reduce="pca")
    row = table()[0].frame().row(0, named=True)
    assert one.transform_row(row) == other.transform_row(row)
    assert one.categorical == ()
    assert set(one.feature_sources) == {SCHEMA.names}
    assert one.resolved_options().scale == "standard"
    with pytest.raises(RecipeError, match="cannot be reduced by `pca`"):
        fitted(TREES, {"city": {"encode": "codes"}}, reduce="pca")
    with pytest.raises(RecipeError, match=r"or `preparation.reduce`, takes no missing values"):
        fitted(TREES, impute_numbers="none", reduce="pca")


def test_encoded_rows_stay_as_they_are() -> None:
    preparation = fitted(LINEAR, impute_numbers="knn", reduce="pca")
    frame = table()[0].frame()
    encoded = preparation.encode(frame)
    before = encoded.copy()
    inputs = preparation.apply_stages(encoded)
    np.testing.assert_array_equal(encoded, before)
    assert np.isnan(encoded[:, preparation.encoded_features["weight"]]).any()
    assert inputs.X.tobytes() == preparation.transform(frame).X.tobytes()


def test_no_row_goes_through_stages_too() -> None:
    for options in ({"impute_numbers": "knn"}, {"impute_numbers": "iterative"}, {"reduce": "pca"}):
        preparation = fitted(LINEAR, **options)
        none = table()[0].frame().head(0)
        assert preparation.transform(none).X.shape == (0, len(preparation.feature_names))


def test_a_damaged_state_is_an_error_of_the_package() -> None:
    preparation = fitted(LINEAR, impute_numbers="knn", reduce="pca")
    state, arrays = preparation.state()
    assert state["version"] == 2
    broken = json.loads(json.dumps(state))
    broken["stages"][0]["kind"] = "os:system"
    for found, held in ((broken, arrays), (state, {})):
        with pytest.raises(PackageError, match="stages are damaged"):
            TablePreparation.from_state(found, held)
