import json
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load, save
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from groundup.core.errors import DataError, PackageError, PredictionInputError, RecipeError
from groundup.core.inputs import Needs
from groundup.core.schema import Column, Schema
from groundup.data.dataset import Dataset
from groundup.preparation import fitting, table
from groundup.preparation.options import ColumnPreparation, PreparationOptions
from groundup.preparation.table import TablePreparation

LINEAR, TREES = Needs(scaled=True), Needs(categories="codes", missing=True)
SCHEMA = Schema(
    [
        Column("number", "number", "float"),
        Column("count", "number", "integer"),
        Column("city", "category", "string", missing=("?",)),
        Column("zone", "category", "integer"),
        Column("ok", "boolean", "boolean"),
        Column("when", "datetime", "datetime"),
        Column("note", "text", "string"),
        Column("id", "identifier", "string"),
    ]
)
# Reading trims text and takes "" and "?" as missing, so canonical text is never padded or one of these.
TEXT = st.text(max_size=8).map(str.strip).filter(lambda text: text not in ("", "?"))
CELLS: dict[str, st.SearchStrategy[Any]] = {
    "number": st.floats(allow_nan=False, allow_infinity=False),
    "count": st.integers(-(2**63), 2**63 - 1),
    "city": st.one_of(st.sampled_from(["Rome", "Bonn", "日本", "(rare)"]), TEXT),
    "zone": st.integers(-3, 3),
    "ok": st.booleans(),
    "when": st.datetimes(datetime(1000, 1, 1), datetime(9999, 12, 31)),
    "note": TEXT,
    "id": TEXT,
}
DTYPES = pl.Schema(
    {
        "number": pl.Float64,
        "count": pl.Int64,
        "city": pl.String,
        "zone": pl.Int64,
        "ok": pl.Boolean,
        "when": pl.Datetime("us"),
        "note": pl.String,
        "id": pl.String,
    }
)
ROWS = st.fixed_dictionaries({name: st.one_of(st.none(), cells) for name, cells in CELLS.items()})
TABLES = st.lists(ROWS, min_size=1, max_size=25)
OPTIONS = st.builds(
    PreparationOptions,
    scale=st.sampled_from(
        ["auto", "standard", "minmax", "robust", "quantile_uniform", "quantile_normal", "none"]
    ),
    outliers=st.sampled_from(["none", "clip", "flag"]),
    outlier_rule=st.sampled_from(["iqr", "quantiles"]),
    outlier_share=st.sampled_from([0.01, 0.2]),
    impute_numbers=st.sampled_from(["auto", "median", "mean", "most_frequent", "constant"]),
    encode=st.sampled_from(["auto", "one_hot", "ordinal", "frequency"]),
    rare_below=st.integers(1, 3),
    max_levels=st.integers(2, 5),
    dates=st.sampled_from(["auto", "parts", "parts_and_cycles"]),
    text=st.sampled_from(["hashed", "tfidf"]),
    text_words=st.integers(1, 3),
    text_buckets=st.sampled_from([0, 7]),
)
STAGES = st.builds(
    PreparationOptions,
    impute_numbers=st.sampled_from(["auto", "knn", "iterative"]),
    impute_donors=st.sampled_from([2, 100]),
    select=st.sampled_from(["none", "variance"]),
    reduce=st.sampled_from(["none", "pca"]),
    reduce_components=st.sampled_from([2, 0.9]),
    rare_below=st.integers(1, 3),
    text_buckets=st.sampled_from([0, 7]),
)
NEEDS = st.sampled_from([LINEAR, TREES, Needs()])


def dataset_of(rows: list[dict[str, Any]] | pl.DataFrame) -> Dataset:
    frame = rows if isinstance(rows, pl.DataFrame) else pl.DataFrame(rows, schema=DTYPES)
    return Dataset(frame.lazy(), SCHEMA, len(frame), "frame")


def fitted(
    dataset: Dataset, options: PreparationOptions, needs: Needs
) -> tuple[TablePreparation, np.ndarray] | None:
    preparation = TablePreparation(options)
    try:
        inputs, kept = preparation.fit_transform(dataset, needs)
    except DataError as error:
        assert "No column is left" in str(error)  # noqa: PT017
        return None
    assert kept.tolist() == list(range(dataset.n_rows))
    return preparation, inputs.X


def sample(n_rows: int = 200) -> pl.DataFrame:
    def holes(values: list[Any], every: int) -> list[Any]:
        return [None if row % every == 0 else value for row, value in enumerate(values)]

    random = np.random.default_rng(7)
    return pl.DataFrame(
        {
            "number": holes(random.normal(5, 2, n_rows).tolist(), 5),
            "count": random.integers(0, 9, n_rows).tolist(),
            "city": holes(random.choice(["Rome", "Bonn", "Oslo"], n_rows).tolist(), 9),
            "zone": random.integers(0, 4, n_rows).tolist(),
            "ok": holes([bool(each) for each in random.integers(0, 2, n_rows)], 7),
            "when": [datetime(2023, 1, 1) + timedelta(hours=29 * row) for row in range(n_rows)],
            "note": [f"order {row % 17} delivered" for row in range(n_rows)],
            "id": [f"r{row}" for row in range(n_rows)],
        },
        schema=DTYPES,
    )


@settings(deadline=None, max_examples=40)
@given(TABLES, TABLES, OPTIONS, NEEDS)
def test_one_row_equals_the_batch_to_the_last_bit(
    training: list[dict[str, Any]], rows: list[dict[str, Any]], options: PreparationOptions, needs: Needs
) -> None:
    found = fitted(dataset_of(training), options, needs)
    if found is None:
        return
    preparation, X = found
    assert X.flags.c_contiguous
    assert X.shape[1] == len(preparation.feature_names) == len(set(preparation.feature_names))
    assert needs.missing or np.isfinite(X).all()
    alone = np.array([preparation.transform_row(row) for row in training])
    np.testing.assert_array_equal(alone, X)
    batch = preparation.transform(pl.DataFrame(rows, schema=DTYPES)).X
    np.testing.assert_array_equal(np.array([preparation.transform_row(row) for row in rows]), batch)


@settings(deadline=None, max_examples=25)
@given(TABLES, TABLES, STAGES, NEEDS)
def test_stages_take_any_rows_alike_alone_and_in_a_batch(
    training: list[dict[str, Any]], rows: list[dict[str, Any]], options: PreparationOptions, needs: Needs
) -> None:
    found = fitted(dataset_of(training), options, needs)
    if found is None:
        return
    preparation, X = found
    state, arrays = preparation.state()
    again = TablePreparation.from_state(json.loads(json.dumps(state, allow_nan=False)), load(save(arrays)))
    assert again.transform(pl.DataFrame(training, schema=DTYPES)).X.tobytes() == X.tobytes()
    batch = preparation.transform(pl.DataFrame(rows, schema=DTYPES)).X
    assert (needs.missing and options.reduce == "none") or np.isfinite(batch).all()
    alone = [again.transform_row(row) for row in rows]
    # Sums of numbers that cancel out are as exact as their largest term is, read or filled in.
    encoded = preparation.encode(pl.DataFrame(rows, schema=DTYPES))
    reach = 1 + max(np.abs(np.nan_to_num(each)).max(initial=0) for each in (encoded, batch))
    np.testing.assert_allclose(alone, batch, rtol=1e-12, atol=1e-12 * reach)


@settings(deadline=None, max_examples=30)
@given(TABLES, OPTIONS, NEEDS)
def test_state_survives_its_files(
    training: list[dict[str, Any]], options: PreparationOptions, needs: Needs
) -> None:
    found = fitted(dataset_of(training), options, needs)
    if found is None:
        return
    preparation, X = found
    state, arrays = preparation.state()
    text, packed = json.dumps(state, allow_nan=False), save(arrays)
    again = TablePreparation.from_state(json.loads(text), load(packed))
    assert again.transform(pl.DataFrame(training, schema=DTYPES)).X.tobytes() == X.tobytes()
    assert again.feature_names == preparation.feature_names
    assert again.categorical == preparation.categorical
    assert json.dumps(again.state()[0], allow_nan=False) == text


@settings(deadline=None, max_examples=30)
@given(TABLES, OPTIONS, NEEDS)
def test_resolved_options_lead_to_the_same_plan(
    training: list[dict[str, Any]], options: PreparationOptions, needs: Needs
) -> None:
    dataset = dataset_of(training)
    found = fitted(dataset, options, needs)
    if found is None:
        return
    resolved = found[0].resolved_options()
    unused = {"tokens", "images"}  # a table has neither
    assert "auto" not in resolved.model_dump_json(exclude=unused)
    again = TablePreparation(resolved)
    assert again.fit_transform(dataset, needs)[0].X.tobytes() == found[1].tobytes()
    assert json.dumps(again.state()[0]) == json.dumps(found[0].state()[0])
    part = dataset_of(training[: max(1, len(training) // 2)])
    on_part, again_on_part = fitted(part, options, needs), fitted(part, resolved, needs)
    assert (on_part is None) == (again_on_part is None)
    if on_part is not None and again_on_part is not None:
        assert on_part[0].feature_names == again_on_part[0].feature_names
        assert on_part[1].tobytes() == again_on_part[1].tobytes()


@settings(deadline=None, max_examples=20)
@given(TABLES, st.integers(1, 7), NEEDS)
def test_batches_add_up(training: list[dict[str, Any]], n_rows: int, needs: Needs) -> None:
    dataset = dataset_of(training)
    found = fitted(dataset, PreparationOptions(rare_below=1, text_buckets=5), needs)
    if found is None:
        return
    pieces = [inputs.X for inputs in found[0].transform_batches(dataset, n_rows)]
    assert np.concatenate(pieces).tobytes() == found[1].tobytes()


@pytest.mark.parametrize("needs", [LINEAR, TREES])
def test_large_data_give_the_same_in_bounded_memory(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, needs: Needs
) -> None:
    frame = sample(500)
    path = tmp_path / "rows.parquet"
    frame.write_parquet(path, row_group_size=60)
    options = PreparationOptions(columns={"number": ColumnPreparation(impute="drop_rows")}, text_buckets=16)
    whole = TablePreparation(options)
    X, kept = whole.fit_transform(dataset_of(frame), needs)
    monkeypatch.setattr(fitting, "FIT_BYTES", 1)
    monkeypatch.setattr(table, "BATCH_ROWS", 70)
    monkeypatch.setattr(table, "BLOCK_ROWS", 16)
    scanned = TablePreparation(options)
    X_again, kept_again = scanned.fit_transform(Dataset(pl.scan_parquet(path), SCHEMA, 500, "file"), needs)
    np.testing.assert_array_equal(kept_again, kept)
    assert X_again.X.tobytes() == X.X.tobytes()
    assert scanned.state() == whole.state()


def test_the_same_rows_give_the_same_bits_however_they_are_chunked() -> None:
    frame = sample(5_000)
    states = []
    for pieces in (1, 1, 7, 50):
        size = -(-len(frame) // pieces)
        chunked = pl.concat(
            [frame[start : start + size] for start in range(0, len(frame), size)], rechunk=False
        )
        preparation = TablePreparation(PreparationOptions(scale="standard", impute_numbers="mean"))
        preparation.fit(dataset_of(chunked), LINEAR)
        states.append(json.dumps(preparation.state()[0]))
    assert len(set(states)) == 1


def test_fitting_looks_at_training_rows_only() -> None:
    frame = sample()
    one, other = TablePreparation(PreparationOptions()), TablePreparation(PreparationOptions())
    one.fit(dataset_of(frame[:100]), LINEAR)
    other.fit(Dataset(frame.lazy(), SCHEMA, 200, "frame").take(np.arange(100)), LINEAR)
    assert one.state() == other.state()
    before = json.dumps(one.state()[0])
    one.transform(frame[100:])
    one.transform_row(frame.row(150, named=True))
    assert json.dumps(one.state()[0]) == before


def test_equals_scikit_learns_column_transformer() -> None:
    frame = sample(1_000).select("number", "count", "city")
    schema = SCHEMA.select(frame.columns)
    options = PreparationOptions(rare_below=1, indicator=False)
    ours = TablePreparation(options)
    X, _ = ours.fit_transform(Dataset(frame.lazy(), schema, 1_000, "frame"), LINEAR)
    table = frame.to_pandas()
    table["city"] = table["city"].astype(object).where(table["city"].notna(), "~missing")
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    levels = [[*(name.removeprefix("city=") for name in ours.feature_names[2:-1]), "~missing"]]
    peer = ColumnTransformer(
        [
            ("n", numbers, ["number", "count"]),
            ("c", OneHotEncoder(categories=levels, sparse_output=False), ["city"]),
        ]
    )
    np.testing.assert_allclose(X.X, peer.fit_transform(table), rtol=1e-12, atol=1e-12)


def test_describe_tells_every_column() -> None:
    preparation = TablePreparation(PreparationOptions(text_buckets=8))
    preparation.fit(dataset_of(sample()), LINEAR)
    told = {each["column"]: each for each in preparation.describe()}
    assert list(told) == list(SCHEMA.names)
    assert told["number"]["steps"][0].startswith("missing values (20 %) are filled with the median, ")
    assert told["number"]["n_features"] == 2
    assert told["number"]["resolved"]["impute"] == "median"
    assert told["id"]["steps"] == []
    assert told["id"]["why"].startswith("left out: it names rows")
    assert sum(each["n_features"] for each in told.values()) == len(preparation.feature_names)
    assert json.loads(json.dumps(list(told.values()))) == list(told.values())


def test_categorical_columns_point_at_codes() -> None:
    preparation = TablePreparation(PreparationOptions())
    preparation.fit(dataset_of(sample()), TREES)
    assert [preparation.feature_names[place] for place in preparation.categorical] == ["city", "zone"]


def test_names_are_unique() -> None:
    frame = pl.DataFrame({"a": ["x", "y"], "a=x": [1.0, 2.0]})
    schema = Schema([Column("a", "category", "string"), Column("a=x", "number", "float")])
    preparation = TablePreparation(PreparationOptions(rare_below=1))
    preparation.fit(Dataset(frame.lazy(), schema, 2, "frame"), LINEAR)
    assert preparation.feature_names == ("a=x", "a=y", "a=x (2)")


def test_dropped_rows_are_reported_and_filled_later() -> None:
    options = PreparationOptions(
        impute_numbers="drop_rows", impute_categories="drop_rows", rare_below=1, text_buckets=0
    )
    frame = sample()
    preparation = TablePreparation(options)
    inputs, kept = preparation.fit_transform(dataset_of(frame), LINEAR)
    complete = frame.drop("id", "note").with_row_index().drop_nulls()
    assert kept.tolist() == complete["index"].to_list()
    assert inputs.n_samples == len(kept)
    assert np.isfinite(preparation.transform(frame).X).all()
    with pytest.raises(DataError, match="`drop_rows` leaves no row"):
        TablePreparation(options).fit(dataset_of(frame.with_columns(number=None).cast(DTYPES)), LINEAR)


def test_no_rows_and_no_columns_are_errors() -> None:
    with pytest.raises(DataError, match="no rows to learn from"):
        TablePreparation(PreparationOptions()).fit(dataset_of(sample(0)), LINEAR)
    ids = Dataset(sample().lazy().select("id"), SCHEMA.select(["id"]), 200, "frame")
    with pytest.raises(DataError, match=r"No column is left to learn from .`id`: it names rows"):
        TablePreparation(PreparationOptions()).fit(ids, LINEAR)
    options = PreparationOptions(columns={"citi": ColumnPreparation(encode="ordinal")})
    with pytest.raises(RecipeError, match="Did you mean `city`"):
        TablePreparation(options).fit(dataset_of(sample()), LINEAR)


def test_no_rows_can_be_predicted() -> None:
    preparation = TablePreparation(PreparationOptions(text_buckets=4))
    preparation.fit(dataset_of(sample()), LINEAR)
    assert preparation.transform(sample(0)).X.shape == (0, len(preparation.feature_names))


def test_wrong_rows_are_refused_by_both_paths() -> None:
    preparation = TablePreparation(PreparationOptions(text_buckets=4))
    preparation.fit(dataset_of(sample()), LINEAR)
    row = sample().row(1, named=True)
    with pytest.raises(PredictionInputError, match="no column `number`"):
        preparation.transform(sample().drop("number").with_columns(numbr=1.0))
    with pytest.raises(PredictionInputError, match=r"no column `number`.* Did you mean `numbr`"):
        preparation.transform_row({**{k: v for k, v in row.items() if k != "number"}, "numbr": 1.0})
    with pytest.raises(PredictionInputError, match="column `number`"):
        preparation.transform_row({**row, "number": "many"})
    with pytest.raises(PredictionInputError, match="column `number`"):
        preparation.transform(sample().with_columns(number=pl.lit("many")))


def test_a_damaged_state_is_an_error_of_the_package() -> None:
    preparation = TablePreparation(PreparationOptions(text_buckets=4))
    preparation.fit(dataset_of(sample()), LINEAR)
    state, arrays = preparation.state()
    with pytest.raises(PackageError, match="format `9`"):
        TablePreparation.from_state({**state, "version": 9}, arrays)
    broken = json.loads(json.dumps(state))
    del broken["columns"][0]["fitted"]["fill"]
    with pytest.raises(PackageError, match="damaged"):
        TablePreparation.from_state(broken, arrays)


def test_a_model_can_be_fitted_again_on_other_rows() -> None:
    preparation = TablePreparation(PreparationOptions())
    preparation.fit(dataset_of(sample()), LINEAR)
    first = preparation.transform_row(sample().row(3, named=True))
    preparation.fit(dataset_of(sample(90)), TREES)
    assert preparation.transform_row(sample().row(3, named=True)) != first


def test_many_columns_are_no_problem() -> None:
    names = [f"x{i}" for i in range(2_000)]
    frame = pl.DataFrame({name: [float(place), 1.0, 2.0] for place, name in enumerate(names)})
    schema = Schema(Column(name, "number", "float") for name in names)
    preparation = TablePreparation(PreparationOptions())
    inputs, _ = preparation.fit_transform(Dataset(frame.lazy(), schema, 3, "frame"), LINEAR)
    assert inputs.X.shape[0] == 3


def test_a_row_needs_neither_polars_nor_numpy(tmp_path: Path) -> None:
    preparation = TablePreparation(PreparationOptions(text_buckets=0))
    preparation.fit(dataset_of(sample()), LINEAR)
    path = tmp_path / "state.json"
    path.write_text(json.dumps(preparation.state()[0]))
    row = {**sample().row(3, named=True), "when": "2024-01-01"}
    code = f"""
import json, sys
from pathlib import Path
from groundup.preparation.table import TablePreparation
preparation = TablePreparation.from_state(json.loads(Path({str(path)!r}).read_text()), {{}})
print(json.dumps(preparation.transform_row({row!r})))
assert not {{"polars", "numpy", "pydantic", "sklearn"}} & set(sys.modules), sorted(sys.modules)
"""
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert json.loads(printed) == preparation.transform_row(row)
