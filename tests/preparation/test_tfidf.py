import json

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from groundup.core.errors import RecipeError
from groundup.core.inputs import Needs
from groundup.core.schema import Column, Schema
from groundup.data.dataset import Dataset
from groundup.preparation.options import ColumnPreparation, PreparationOptions
from groundup.preparation.plan import Choice, Dropped
from groundup.preparation.table import TablePreparation
from groundup.preparation.tfidf import TfidfPlan, fit_tfidf

SCHEMA = Schema([Column("note", "text", "string")])
TFIDF = PreparationOptions(text="tfidf")
TEXTS = [
    "a good day",
    "A bad day, a very bad day",
    "zürich is good",
    None,
    "very good very bad",
]
NOTES = st.lists(
    st.one_of(
        st.none(), st.text(max_size=12), st.lists(st.sampled_from(["ja", "Ja", "no", "ü"])).map(" ".join)
    ),
    min_size=1,
    max_size=12,
)


def frame(texts: list[str | None]) -> pl.DataFrame:
    return pl.DataFrame({"note": texts}, schema={"note": pl.String})


def fitted(
    texts: list[str | None], options: PreparationOptions = TFIDF
) -> tuple[TablePreparation, np.ndarray]:
    preparation = TablePreparation(options)
    dataset = Dataset(frame(texts).lazy(), SCHEMA, len(texts), "frame")
    return preparation, preparation.fit_transform(dataset, Needs())[0].X


@pytest.mark.parametrize("n_words", [1, 2])
def test_equals_scikit_learn(n_words: int) -> None:
    texts = [text for text in TEXTS if text is not None]
    preparation, X = fitted(texts, PreparationOptions(text="tfidf", text_words=n_words))
    peer = TfidfVectorizer(token_pattern=r"\w+", ngram_range=(1, n_words))
    expected = peer.fit_transform(texts).toarray()
    names = [name.removeprefix("note: ") for name in preparation.feature_names]
    assert sorted(names) == sorted(peer.get_feature_names_out())
    np.testing.assert_allclose(X[:, np.argsort(names)], expected, rtol=1e-12, atol=1e-15)


def test_the_commonest_terms_are_kept_and_others_not_seen() -> None:
    preparation, X = fitted(TEXTS, TFIDF.model_copy(update={"text_features": 3}))
    assert preparation.feature_names == ("note: good", "note: a", "note: bad")
    assert X[3].tolist() == [0.0, 0.0, 0.0]
    assert preparation.transform_row({"note": "nothing of that"}) == [0.0, 0.0, 0.0]
    assert preparation.transform_row({"note": "GOOD!"}) == [1.0, 0.0, 0.0]
    assert preparation.describe()[0]["steps"][0].startswith("3 words of the training rows are counted")


def test_one_column_can_be_weighed_alone() -> None:
    own = PreparationOptions(columns={"note": ColumnPreparation(text="tfidf")})
    preparation, X = fitted(TEXTS, own)
    assert preparation.resolved_options().columns["note"] == ColumnPreparation(text="tfidf")
    assert fitted(TEXTS, preparation.resolved_options())[1].tobytes() == X.tobytes()
    category = Dataset(frame(TEXTS).lazy(), Schema([Column("note", "category", "string")]), 5, "frame")
    as_text = TablePreparation(own)
    as_text.fit(category, Needs())
    assert as_text.feature_names == preparation.feature_names
    number = Schema([Column("note", "number", "float")])
    numbers = Dataset(pl.LazyFrame({"note": [1.0, 2.0]}), number, 2, "frame")
    with pytest.raises(RecipeError, match="`text` means nothing for a number column"):
        TablePreparation(own).fit(numbers, Needs())


def test_a_column_without_words_is_dropped() -> None:
    from groundup.preparation.arrays import Texts

    dropped = fit_tfidf(SCHEMA["note"], Texts(["", "..."], 1), Choice("tfidf", keeps_missing=False))
    assert dropped == Dropped("it has no word in the training rows")


@settings(deadline=None, max_examples=40)
@given(NOTES, NOTES, st.integers(1, 3))
def test_rows_equal_batches_and_states_come_back(
    training: list[str | None], new: list[str | None], n_words: int
) -> None:
    from groundup.preparation.arrays import Wanted, read_arrays

    column = SCHEMA["note"]

    def texts(values: list[str | None]) -> object:
        canonical = [value.strip() or None if value else None for value in values]
        return read_arrays(frame(canonical), [Wanted(column, "tfidf")])[0]

    plan = fit_tfidf(column, texts(training), Choice("tfidf", keeps_missing=False, text_words=n_words))  # type: ignore[arg-type]
    if isinstance(plan, Dropped):
        return
    assert TfidfPlan.from_state(column, json.loads(json.dumps(plan.state()))) == plan
    write = plan.compile_row(0)
    for values in (training, new):
        block = np.zeros((len(values), len(plan.terms)))
        plan.encode(texts(values))(block, 0, len(values))  # type: ignore[arg-type]
        rows = [[0.0] * len(plan.terms) for _ in values]
        for value, out in zip(values, rows, strict=True):
            write(None if value is None else value.strip(), out)
        np.testing.assert_array_equal(rows, block)
        lengths = np.sqrt((block**2).sum(axis=1))
        assert (np.isclose(lengths, 1) | (lengths == 0)).all()
