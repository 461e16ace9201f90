"""What a model says each column adds: sums, classes, kinds of tables, calibration."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from groundup.core.errors import NotExplainedError, UnknownNameError
from groundup.core.inputs import Contributions
from groundup.evaluation.calibrators import calibrator_of
from groundup.serving.answering import Answering
from groundup.serving.explaining import about_classes, scale_sentence
from groundup.serving.model import Model

Load = Callable[..., Model]
NAMES = ["age", "income", "city", "member", "since", "note"]
COLUMNS = [*(f"contribution_{name}" for name in NAMES), "base_value"]


def sums(table: pl.DataFrame) -> np.ndarray:
    return table.to_numpy().sum(axis=1)


def test_two_classes_are_explained_about_the_positive_one(load_with: Load, rows: pl.DataFrame) -> None:
    model = load_with("lightgbm", Answering())
    found = model.contributions(rows)
    assert found.columns == COLUMNS
    assert model.contribution_scale == "log_odds"
    np.testing.assert_allclose(1 / (1 + np.exp(-sums(found))), model.predict_proba(rows)["1"], atol=1e-9)
    other = model.contributions(rows, of="0")
    np.testing.assert_allclose(other.to_numpy(), -found.to_numpy(), atol=1e-12)


def test_a_forest_is_explained_in_probabilities(load_with: Load, rows: pl.DataFrame) -> None:
    model = load_with("decision_tree", Answering())
    assert model.contribution_scale == "probability"
    for label in ("0", "1"):
        found = sums(model.contributions(rows, of=label))
        np.testing.assert_allclose(found, model.predict_proba(rows)[label], atol=1e-9)


def test_of_several_classes_the_answered_one_is_explained(load_with: Load, rows: pl.DataFrame) -> None:
    model = load_with("logistic", Answering(), classes=3)
    assert model.contribution_scale == "score"
    of_each = {label: sums(model.contributions(rows, of=label)) for label in model.classes}
    scores = np.array(list(of_each.values())).T
    shares = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(shares, model.predict_proba(rows).to_numpy(), atol=1e-9)
    np.testing.assert_allclose(sums(model.contributions(rows)), scores.max(axis=1), atol=1e-9)
    with pytest.raises(UnknownNameError, match="no class `4`"):
        model.contributions(rows, of="4")


def test_a_value_is_its_contributions(load_with: Load, rows: pl.DataFrame) -> None:
    model = load_with("ridge", Answering(), "regression")
    assert model.contribution_scale == "value"
    np.testing.assert_allclose(sums(model.contributions(rows)), model.predict(rows), atol=1e-9)


def test_the_table_that_comes_back_is_of_the_kind_that_came_in(load_with: Load, rows: pl.DataFrame) -> None:
    model = load_with("lightgbm", Answering())
    expected = model.contributions(rows).to_numpy()
    pandas = rows.to_pandas().set_index(np.arange(len(rows)) + 7)
    found: dict[str, Any] = {
        "pandas": model.contributions(pandas),
        "arrow": model.contributions(rows.to_arrow()),
        "rows": model.contributions(rows.to_dicts()),
        "columns": model.contributions(rows.to_dict(as_series=False)),
    }
    assert isinstance(found["pandas"], pd.DataFrame)
    assert found["pandas"].index[0] == 7
    assert isinstance(found["arrow"], pa.Table)
    assert isinstance(found["rows"], list)
    for table in (
        found["pandas"].to_numpy(),
        found["arrow"].to_pandas().to_numpy(),
        pl.DataFrame(found["rows"]).to_numpy(),
        pl.DataFrame(found["columns"]).to_numpy(),
    ):
        np.testing.assert_array_equal(table, expected)
    assert model.contributions(rows[:0]).shape == (0, 7)


def test_a_row_is_explained_as_in_a_table(load_with: Load, rows: pl.DataFrame) -> None:
    model = load_with("lightgbm", Answering(threshold=0.3))
    for row in rows[:5].to_dicts():
        explained = model.explain_row(row)
        expected = model.contributions([row])[0]
        assert explained.base_value == expected.pop("base_value")
        assert {f"contribution_{name}": value for name, value in explained.contributions.items()} == expected
        sizes = [abs(value) for value in explained.contributions.values()]
        assert sizes == sorted(sizes, reverse=True)
        assert explained.answer == model.predict_row(row)
        assert explained.of == "1"
        assert explained.probability == pytest.approx(1 / (1 + math.exp(-explained.total)))
        text = str(explained)
        assert "log-odds of `1`" in text
        assert all(name in text for name in NAMES)


def test_contributions_are_of_what_was_before_calibration(load_with: Load, rows: pl.DataFrame) -> None:
    calibrator = calibrator_of({"method": "platt", "slope": 0.5, "intercept": 1.0})
    model = load_with("lightgbm", Answering(calibrator=calibrator))
    plain = load_with("lightgbm", Answering())
    assert model.contributions(rows).equals(plain.contributions(rows))
    explained = model.explain_row(rows.row(0, named=True))
    assert (explained.is_calibrated, plain.explain_row(rows.row(0, named=True)).is_calibrated) == (
        True,
        False,
    )
    assert explained.probability == model.predict_proba_row(rows.row(0, named=True))["1"]
    assert explained.probability != pytest.approx(1 / (1 + math.exp(-explained.total)))


def test_a_model_that_does_not_explain_itself_says_what_says_more(
    load_with: Load, rows: pl.DataFrame
) -> None:
    model = load_with("knn", Answering())
    for ask in (lambda: model.contributions(rows), lambda: model.explain_row(rows.row(0, named=True))):
        with pytest.raises(NotExplainedError, match="Permutation importance"):
            ask()


def test_what_speaks_for_one_of_two_classes_speaks_against_the_other() -> None:
    values = np.array([[[0.2], [-0.1], [0.5]]] * 2)
    both = about_classes(Contributions(values, "probability"), np.array([1, 0]))
    np.testing.assert_allclose(both, [[0.2, -0.1, 0.5], [-0.2, 0.1, 0.5]])
    both = about_classes(Contributions(values, "log_odds"), np.array([1, 0]))
    np.testing.assert_allclose(both, [[0.2, -0.1, 0.5], [-0.2, 0.1, -0.5]])


@pytest.mark.parametrize(
    ("scale", "words"),
    [
        ("value", "in its own unit"),
        ("log_odds", "0 means 50 %"),
        ("score", "largest score"),
        ("probability", "y"),
    ],
)
def test_every_scale_has_words(scale: Any, words: str) -> None:
    assert words in scale_sentence(scale, what="`y`", is_calibrated=False)
    assert ("before calibration" in scale_sentence(scale, what="`y`", is_calibrated=True)) == (
        scale != "value"
    )
