import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundup.core.schema import Column
from groundup.preparation import text as module
from groundup.preparation.arrays import Texts
from groundup.preparation.plan import Choice, Dropped
from groundup.preparation.text import TextPlan, fit_text, hash_texts

NOTE = Column("note", "text", "string")
TEXTS = st.lists(st.text(max_size=60), min_size=1, max_size=12)


def plan_of(n_buckets: int = 32) -> TextPlan:
    plan = fit_text(NOTE, Texts(["a word"], 0), Choice("text", keeps_missing=False, buckets=n_buckets))
    assert isinstance(plan, TextPlan)
    return plan


def encode(plan: TextPlan, values: list[str]) -> np.ndarray:
    block = np.zeros((len(values), plan.n_buckets))
    plan.encode(Texts(values, 0))(block, 0, len(values))
    return block


@settings(deadline=None, max_examples=50)
@given(TEXTS)
def test_a_text_hashes_the_same_alone_and_among_others(values: list[str]) -> None:
    together = hash_texts(values, 32)
    alone = np.concatenate([hash_texts([value], 32) for value in values])
    assert together.tobytes() == alone.tobytes()
    lengths = np.linalg.norm(together, axis=1)
    assert np.logical_or(lengths == 0, np.abs(lengths - 1) < 1e-12).all()


@settings(deadline=None, max_examples=50)
@given(TEXTS)
def test_a_row_equals_the_batch(values: list[str]) -> None:
    plan = plan_of()
    stripped = [value.strip() for value in values]
    write = plan.compile_row(0)
    for value, expected in zip(values, encode(plan, stripped), strict=True):
        out = [0.0] * 32
        write(value, out)
        np.testing.assert_array_equal(out, expected)


def test_hashes_never_change() -> None:
    """Packages that were written earlier must mean the same later, on every machine."""
    found = np.flatnonzero(hash_texts(["Hello wörld, 日本"], 1000)[0]).tolist()
    assert found == [156, 275, 401, 403, 451, 542, 609, 676, 687, 746, 774, 866, 884, 907, 922, 923, 963]


def test_similar_texts_are_near_and_others_far() -> None:
    X = hash_texts(["the cat sat on the mat", "The cats sat on a mat", "invoice 4711 overdue"], 512)
    assert X[0] @ X[1] > 0.5
    assert abs(X[0] @ X[2]) < 0.2


def test_word_order_and_case_and_punctuation() -> None:
    X = hash_texts(["dog bites man", "man bites dog", "DOG, bites: man!", "..."], 4096)
    assert (X[0] == X[2]).all()
    assert (X[0] != X[1]).any()
    assert not X[3].any()


def test_missing_text_is_all_zero() -> None:
    plan = plan_of()
    out = [0.0] * 32
    plan.compile_row(0)(None, out)
    assert out == [0.0] * 32
    assert not encode(plan, ["", "word", "word"])[0].any()


def test_long_columns_are_hashed_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    values = [f"text number {i}" for i in range(50)]
    whole = encode(plan_of(), values)
    monkeypatch.setattr(module, "_CHUNK_CHARACTERS", 40)
    assert encode(plan_of(), values).tobytes() == whole.tobytes()


def test_only_the_beginning_of_a_long_text_counts() -> None:
    start = "a b c " * 1000
    X = hash_texts([start, start + "unlike anything before"], 64)
    assert (X[0] == X[1]).all()


def test_no_buckets_or_no_text_is_dropped() -> None:
    assert isinstance(fit_text(NOTE, Texts(["a"], 0), Choice("text", keeps_missing=False)), Dropped)
    assert isinstance(fit_text(NOTE, Texts([""], 1), Choice("text", keeps_missing=False, buckets=8)), Dropped)
    assert TextPlan.from_state(NOTE, plan_of().state()) == plan_of()
    assert len(plan_of().steps()) == 3
