"""Every way to ask a model gives the same answer."""

import datetime
import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from groundup.core.errors import DataError, PredictionInputError
from groundup.serving.model import Model
from groundup.serving.package import PackageContents, load_package, write_package

ROW = {
    "age": 40,
    "income": 1000.0,
    "city": "Bonn",
    "member": True,
    "since": datetime.datetime(2020, 1, 31),
    "note": "far too loud",
}

ROWS = st.fixed_dictionaries(
    {
        "age": st.none() | st.integers(0, 120) | st.sampled_from(["31", " 7 ", "NA", 2.5]),
        "income": st.none() | st.floats(-1e9, 1e9) | st.sampled_from(["1,234.5", "(7)", math.nan, 3]),
        "city": st.sampled_from([None, "Bonn", " Rome ", "Ulm", "?", "", "Atlantis"]),
        "member": st.sampled_from([None, True, False, "yes", "No"]),
        "since": st.none()
        | st.datetimes(datetime.datetime(1990, 1, 1), datetime.datetime(2050, 1, 1))
        | st.sampled_from(["31.12.2019", "1.2.2021"]),
        "note": st.none() | st.text("abc xyz?", max_size=20),
    },
    optional={"surplus": st.integers()},
)


@pytest.fixture(scope="session")
def model(contents: PackageContents, tmp_path_factory: pytest.TempPathFactory) -> Model:
    """Return each kind of model, loaded."""
    folder = tmp_path_factory.mktemp("models") / "model"
    write_package(folder, contents)
    return load_package(folder)


@pytest.fixture(scope="session")
def classifier(package: Path) -> Model:
    """Return one model of two classes."""
    return load_package(package)


@pytest.fixture(scope="session")
def lenient(tmp_path_factory: pytest.TempPathFactory, boosted: PackageContents) -> Model:
    """Return a model that takes absent columns as missing."""
    import dataclasses

    from groundup.serving.options import DeploymentOptions

    folder = tmp_path_factory.mktemp("lenient") / "model"
    options = DeploymentOptions(missing_columns="impute")
    write_package(folder, dataclasses.replace(boosted, deployment=options))
    return load_package(folder)


def frame(n_rows: int = 50) -> pl.DataFrame:
    random = np.random.default_rng(1)
    rows = [
        {**ROW, "age": int(age), "city": city}
        for age, city in zip(
            random.integers(18, 90, n_rows), random.choice(["Bonn", "Rome", "Oslo"], n_rows), strict=True
        )
    ]
    return pl.DataFrame(rows)


@given(st.lists(ROWS, max_size=8))
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_rows_together_get_the_answers_of_rows_alone(model: Model, rows: list[dict[str, Any]]) -> None:
    together, alone = model.predict(rows), [model.predict_row(row) for row in rows]
    if model.task == "regression":
        assert together == pytest.approx(alone, rel=1e-12, abs=1e-12)
        return
    assert together == alone
    probabilities = model.predict_proba(rows)
    assert len(probabilities) == len(rows)
    for row, each in zip(rows, probabilities, strict=True):
        assert each == pytest.approx(model.predict_proba_row(row), rel=1e-12, abs=1e-12)
        assert sum(each.values()) == pytest.approx(1)
        assert max(each, key=lambda label: each[label]) == model.predict_row(row)


@given(st.lists(ROWS, min_size=1, max_size=8))
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_table_gets_the_answers_of_its_rows(model: Model, rows: list[dict[str, Any]]) -> None:
    typed = [
        {name: value for name, value in row.items() if not isinstance(value, str) or name in ("city", "note")}
        for row in rows
    ]
    types = {"age": pl.Float64, "income": pl.Float64, "city": pl.String, "member": pl.Boolean}
    schema = {**types, "since": pl.Datetime("us"), "note": pl.String}
    expected = model.predict([dict.fromkeys(schema) | row for row in typed])
    table = pl.DataFrame([dict.fromkeys(schema) | row for row in typed], schema=schema)
    if model.task == "regression":
        expected = pytest.approx(expected, rel=1e-12, abs=1e-12)
    assert model.predict(table).to_list() == expected


def test_a_column_of_the_kind_that_came_in_goes_out(model: Model) -> None:
    table = frame()
    expected = model.predict(table.to_dicts())
    polars, arrow = model.predict(table), model.predict(table.to_arrow())
    assert isinstance(polars, pl.Series)
    assert (polars.name, polars.to_list()) == ("y", expected)
    assert isinstance(arrow, pa.Array)
    assert arrow.to_pylist() == expected
    index = pd.Index(range(100, 150), name="key")
    pandas = model.predict(table.to_pandas().set_index(index))
    assert isinstance(pandas, pd.Series)
    assert pandas.index.equals(index)
    assert (pandas.name, pandas.tolist()) == ("y", expected)
    assert model.predict(table.to_dict(as_series=False)) == expected


def test_probabilities_are_named_by_class(classifier: Model) -> None:
    table = frame()
    polars = classifier.predict_proba(table)
    assert polars.columns == ["0", "1"]
    assert classifier.predict_proba(table.to_arrow()).column_names == ["0", "1"]
    pandas = classifier.predict_proba(table.to_pandas())
    assert list(pandas.columns) == ["0", "1"]
    assert polars.sum_horizontal().to_list() == pytest.approx([1.0] * len(table))
    assert classifier.predict_proba(table.to_dicts())[0] == classifier.predict_proba_row(
        table.row(0, named=True)
    )


def test_a_model_of_numbers_has_no_probabilities(contents: PackageContents, model: Model) -> None:
    if contents.task == "regression":
        for ask in (model.predict_proba_row, lambda row: model.predict_proba([row])):
            with pytest.raises(PredictionInputError, match=r"is a number.*Use `predict`"):
                ask(ROW)


def test_no_rows_get_no_answers(model: Model) -> None:
    assert model.predict([]) == []
    empty = frame().clear()
    assert model.predict(empty).to_list() == []
    assert model.predict(empty.to_pandas()).tolist() == []
    if model.classes:
        assert model.predict_proba([]) == []
        assert model.predict_proba(empty).shape == (0, len(model.classes))


def test_further_columns_and_their_order_do_not_matter(classifier: Model) -> None:
    table = frame()
    shuffled = table.select(reversed(table.columns)).with_columns(id=pl.lit("x"), more=pl.lit(1))
    assert classifier.predict(shuffled).to_list() == classifier.predict(table).to_list()
    assert classifier.predict_row({"more": object(), **ROW}) == classifier.predict_row(ROW)


def test_text_is_read_as_in_training(classifier: Model) -> None:
    spelled = {
        "age": "40",
        "income": "1,000.0",
        "city": " Bonn ",
        "member": "yes",
        "since": "31.01.2020",
        "note": "far too loud",
    }
    assert classifier.predict_proba_row(spelled) == classifier.predict_proba_row(ROW)
    assert classifier.predict_proba(pl.DataFrame([spelled])).equals(
        classifier.predict_proba(pl.DataFrame([ROW]))
    )


def test_a_missing_column_is_named(classifier: Model) -> None:
    row = {("citty" if name == "city" else name): value for name, value in ROW.items()}
    for ask, where in (
        (lambda: classifier.predict_row(row), "The row"),
        (lambda: classifier.predict([ROW, row]), r"Row 1 \(counted from 0\): The row"),
        (lambda: classifier.predict(pl.DataFrame([row])), "The table"),
        (lambda: classifier.predict(pd.DataFrame([row])), "The table"),
    ):
        with pytest.raises(
            PredictionInputError, match=f"{where} has no column `city`.*Did you mean `citty`.*impute"
        ):
            ask()


def test_many_missing_columns_are_counted(classifier: Model) -> None:
    with pytest.raises(PredictionInputError, match=r"no column `age` \(5 more are absent\)"):
        classifier.predict_row({})


def test_absent_columns_can_be_taken_as_missing(lenient: Model) -> None:
    full = {**ROW, "city": None, "age": None}
    part = {name: value for name, value in ROW.items() if name not in ("city", "age")}
    expected = lenient.predict_proba_row(full)
    assert lenient.predict_proba_row(part) == expected
    assert lenient.predict_proba([part, full]) == [expected, expected]
    assert lenient.predict_proba(pl.DataFrame([part])).row(0, named=True) == expected
    nothing = lenient.predict_proba_row(dict.fromkeys(ROW))
    assert lenient.predict_proba([{}, {}]) == [nothing, nothing]
    assert lenient.predict_proba(pl.DataFrame({"other": [1, 2]})).rows(named=True) == [nothing, nothing]


def test_a_value_that_cannot_be_read_is_told(classifier: Model) -> None:
    odd = {**ROW, "age": "old"}
    with pytest.raises(PredictionInputError, match="`'old'` of column `age`"):
        classifier.predict_row(odd)
    with pytest.raises(PredictionInputError, match=r"Row 1 .*`'old'` of column `age`"):
        classifier.predict([ROW, odd])
    with pytest.warns(UserWarning, match=r"D008: .*`age`") as caught:
        together = classifier.predict(pl.DataFrame([odd]))
    assert together.to_list() == [classifier.predict_row({**ROW, "age": None})]
    assert Path(caught[0].filename).name == "test_model.py"


@pytest.mark.parametrize("row", [[1, 2], "age", None, 3])
def test_what_is_no_row_is_refused(classifier: Model, row: Any) -> None:
    with pytest.raises(PredictionInputError, match="A row is a dict"):
        classifier.predict_row(row)


@pytest.mark.parametrize("table", ["houses.csv", np.zeros((2, 6)), ROW, None, [1]])
def test_what_is_no_table_is_refused(classifier: Model, table: Any) -> None:
    with pytest.raises(DataError, match="table"):
        classifier.predict(table)


def test_whole_numbers_as_names_match_their_text(lenient: Model) -> None:
    assert lenient.predict_row({7: 1, **ROW}) == lenient.predict_row(ROW)


def test_asking_changes_nothing(classifier: Model) -> None:
    row, rows = dict(ROW), [dict(ROW)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        classifier.predict_row(row)
        classifier.predict(rows)
    assert (row, rows) == (ROW, [ROW])


def test_a_model_shows_what_it_is(classifier: Model) -> None:
    assert repr(classifier) == f"Model(classification of `y` by lightgbm, {classifier.digest[:12]})"
