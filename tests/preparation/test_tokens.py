"""Texts become token numbers, the same for one row or many, in training and from a package."""

import json

import numpy as np
import polars as pl
import pytest

from groundup.core.errors import DataError, PredictionInputError, RecipeError
from groundup.core.inputs import Needs
from groundup.core.schema import Column, Schema
from groundup.data.dataset import Dataset
from groundup.preparation.forms import make_preparation, preparation_from_state
from groundup.preparation.options import ColumnPreparation, PreparationOptions, TokenOptions
from groundup.preparation.tokens import TokenPreparation

pytest.importorskip("tokenizers")

TEXTS = ["a good film", "a bad film", "good", None, "the film was not bad at all, it was rather good", ""] * 5
NEEDS = Needs(form="tokens")


def dataset(texts: list[str | None] = TEXTS) -> Dataset:
    schema = Schema([Column("review", "text", "string"), Column("year", "number", "integer")])
    frame = pl.DataFrame({"review": texts, "year": range(len(texts))}, schema_overrides={"review": pl.String})
    return Dataset(frame.lazy(), schema, len(texts), "frame")


@pytest.mark.parametrize("kind", ["byte_pairs", "characters"])
def test_rows_batches_and_packages_agree(kind: str) -> None:
    preparation = make_preparation(PreparationOptions(tokens=TokenOptions(kind=kind)), "tokens")
    inputs, kept = preparation.fit_transform(dataset(), NEEDS)
    tokens = inputs.arrays["tokens"]
    assert tokens.dtype == np.int32
    assert tokens.max() < inputs.n_tokens
    assert len(tokens) == len(TEXTS) == len(kept)
    frame = dataset().frame()
    np.testing.assert_array_equal(preparation.transform(frame).arrays["tokens"], tokens)
    rows = [preparation.transform_row(row) for row in frame.to_dicts()]
    np.testing.assert_array_equal(preparation.stack(rows).arrays["tokens"], tokens)
    state, arrays = preparation.state()
    read = preparation_from_state(json.loads(json.dumps(state)), arrays)
    np.testing.assert_array_equal(read.transform(frame).arrays["tokens"], tokens)
    assert read.columns == preparation.columns == ("review",)


def test_an_empty_text_is_padding_alone_and_a_long_one_is_cut() -> None:
    options = PreparationOptions(tokens=TokenOptions(kind="characters", length=4))
    preparation = TokenPreparation(options)
    tokens = preparation.fit_transform(dataset(), NEEDS)[0].arrays["tokens"]
    assert tokens.shape == (len(TEXTS), 4)
    assert not tokens[3].any()
    assert not tokens[5].any()
    assert tokens[4].all()
    assert preparation.resolved_options().tokens.length == 4
    assert "are cut" in preparation.describe()[0]["steps"][1]


def test_the_resolved_options_lead_to_the_same_tokens() -> None:
    preparation = TokenPreparation(PreparationOptions())
    inputs, _ = preparation.fit_transform(dataset(), NEEDS)
    again, _ = TokenPreparation(preparation.resolved_options()).fit_transform(dataset(), NEEDS)
    np.testing.assert_array_equal(again.arrays["tokens"], inputs.arrays["tokens"])


def test_a_table_without_texts_is_refused() -> None:
    schema = Schema([Column("year", "number", "integer")])
    numbers = Dataset(pl.DataFrame({"year": [1, 2]}).lazy(), schema, 2, "frame")
    with pytest.raises(RecipeError, match="none of `year` is a text"):
        TokenPreparation(PreparationOptions()).fit_transform(numbers, NEEDS)
    dropped = PreparationOptions(columns={"review": ColumnPreparation(drop=True)})
    with pytest.raises(RecipeError, match="is a text"):
        TokenPreparation(dropped).fit_transform(dataset(), NEEDS)


def test_texts_that_are_all_empty_are_refused() -> None:
    with pytest.raises(DataError, match="empty in all 2 training rows"):
        TokenPreparation(PreparationOptions()).fit_transform(dataset(["", None]), NEEDS)


def test_an_absent_column_is_named() -> None:
    preparation = TokenPreparation(PreparationOptions())
    preparation.fit_transform(dataset(), NEEDS)
    with pytest.raises(PredictionInputError, match="no column `review`"):
        preparation.transform_row({"reviews": "good"})
    with pytest.raises(PredictionInputError, match="no column `review`"):
        preparation.transform(pl.DataFrame({"year": [1]}))


def test_a_package_of_an_unknown_form_is_refused() -> None:
    with pytest.raises(ValueError, match="no preparation of the form `smells`"):
        preparation_from_state({"form": "smells"}, {})
