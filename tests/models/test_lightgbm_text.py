import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundup.core.errors import PackageError
from groundup.core.inputs import Inputs
from groundup.models.booster_summary import ModelSummary
from groundup.models.lightgbm_native import FittedLightGBM
from groundup.models.lightgbm_text import check_text, without_parameters


def train(*, n_classes: int = 2, n_rounds: int = 4) -> bytes:
    """Return a small model with numbers, categories and missing values."""
    import lightgbm

    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 4))
    X[:, 3] = rng.integers(0, 40, 300)
    X[::7, 0] = np.nan
    y = (X[:, 3] % n_classes + (X[:, 0] > 0)) % n_classes
    goal = {"objective": "multiclass", "num_class": n_classes} if n_classes > 2 else {"objective": "binary"}
    settings = {**goal, "verbosity": -1, "num_threads": 1, "min_data_per_group": 5, "cat_smooth": 1}
    dataset = lightgbm.Dataset(X, y, categorical_feature=[3], params=settings)
    booster = lightgbm.train(settings, dataset, n_rounds)
    return booster.model_to_string().encode()


@pytest.fixture(scope="module")
def text() -> bytes:
    return train()


def test_reads_the_sizes(text: bytes) -> None:
    assert b"cat_threshold" in text
    assert check_text(text) == ModelSummary(n_features=4, n_outputs=1, n_trees=4)
    assert check_text(train(n_classes=3)) == ModelSummary(n_features=4, n_outputs=3, n_trees=12)


def test_parameters_are_left_out_and_not_missed(text: bytes) -> None:
    short = without_parameters(text)
    assert short.endswith(b"\nend of trees\n")
    assert b"num_threads" not in short
    X = np.random.default_rng(1).normal(size=(50, 4))
    long_form = FittedLightGBM(text, is_classifier=True, facts={}).predict(Inputs({"X": X}))
    short_form = FittedLightGBM(short, is_classifier=True, facts={}).predict(Inputs({"X": X}))
    np.testing.assert_array_equal(long_form.probabilities, short_form.probabilities)


@pytest.mark.parametrize(
    "content", [b"", b"tree", b"tree\n", b"tree\n\n", b"\x00" * 100, b"tree\nversion=v4\n\n", b"PK\x03\x04"]
)
def test_other_files_are_refused(content: bytes) -> None:
    with pytest.raises(PackageError, match=r"LightGBM"):
        check_text(content)


def replace_value(text: bytes, name: bytes, new: bytes, *, position: int = 0) -> bytes:
    """Return the text with one value of the first line `name` replaced, and the sizes kept right."""
    start = text.index(b"\n" + name + b"=") + len(name) + 2
    end = text.index(b"\n", start)
    values = text[start:end].split(b" ")
    values[position] = new
    changed = text[:start] + b" ".join(values) + text[end:]
    if b"Tree=0" in text[:start]:
        sizes_start = changed.index(b"tree_sizes=") + len(b"tree_sizes=")
        sizes_end = changed.index(b"\n", sizes_start)
        sizes = changed[sizes_start:sizes_end].split(b" ")
        sizes[0] = b"%d" % (int(sizes[0]) + len(changed) - len(text))
        changed = changed[:sizes_start] + b" ".join(sizes) + changed[sizes_end:]
    return changed


@pytest.mark.parametrize(
    ("name", "new", "complaint"),
    [
        (b"left_child", b"999", "a branch leads nowhere"),
        (b"left_child", b"0", "a branch leads nowhere"),
        (b"right_child", b"-999", "a branch leads nowhere"),
        (b"right_child", b"x", "damaged"),
        (b"split_feature", b"4", "a feature that does not exist"),
        (b"split_feature", b"-1", "a feature that does not exist"),
        (b"leaf_value", b"1 2", "too many or too few"),
        (b"num_leaves", b"1000", "too many or too few"),
        (b"num_leaves", b"0", "has no leaf"),
        (b"cat_boundaries", b"5", "list of categories is damaged"),
        (b"cat_threshold", b"1 2 3", "list of categories is damaged"),
        (b"num_cat", b"0", "categories that it does not list"),
        (b"is_linear", b"1", "linear trees are not supported"),
        (b"tree_sizes", b"12", "not as long as it says"),
        (b"tree_sizes", b"-12", "number of trees is wrong"),
        (b"max_feature_idx", b"2", "number of features contradicts itself"),
        (b"num_class", b"2", "number of classes contradicts itself"),
        (b"version", b"v9", "version `v9`"),
    ],
)
def test_every_wrong_position_is_found(text: bytes, name: bytes, new: bytes, complaint: str) -> None:
    assert replace_value(text, name, new) != text
    with pytest.raises(PackageError, match=complaint):
        check_text(replace_value(text, name, new))


def test_replacing_a_value_by_itself_changes_nothing(text: bytes) -> None:
    leaf = text.split(b"\nleaf_value=")[1].split(b" ")[0]
    assert check_text(replace_value(text, b"leaf_value", leaf))


@settings(deadline=None, max_examples=50, derandomize=True)
@given(st.integers(0, 2**32))
def test_random_damage_is_refused_or_harmless(seed: int) -> None:
    damage = random.Random(seed)
    changed = bytearray(TEXT)
    for _ in range(damage.randint(1, 3)):
        changed[damage.randrange(len(changed))] = damage.choice(b"0123456789-= \n.ae")
    try:
        check_text(bytes(changed))
        fitted = FittedLightGBM(bytes(changed), is_classifier=True, facts={})
    except PackageError:
        return
    fitted.predict(Inputs({"X": np.random.default_rng(0).normal(size=(20, 4)) * 30}))


@settings(deadline=None, max_examples=30)
@given(st.floats(0, 1))
def test_a_shortened_file_is_refused(share: float) -> None:
    end = TEXT.index(b"end of trees")
    with pytest.raises(PackageError):
        check_text(TEXT[: int(share * end)])


TEXT = train()
