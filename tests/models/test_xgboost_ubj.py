"""XGBoost's model, checked before its reader sees it: real ones pass, altered ones do no harm."""

from pathlib import Path

import numpy as np
import pytest

from groundup.core.errors import PackageError
from groundup.models.booster_summary import ModelSummary
from groundup.models.xgboost_ubj import check_model
from planted.mutations import mutated, save_model, try_mutations

pytest.importorskip("xgboost")


@pytest.fixture(scope="module")
def contents(tmp_path_factory: pytest.TempPathFactory) -> dict[int, bytes]:
    """Return a model of each task: regression, two classes, three."""
    found = {}
    for n_classes in (0, 2, 3):
        folder = tmp_path_factory.mktemp("model")
        save_model("xgboost", n_classes, folder)
        found[n_classes] = (folder / "model.ubj").read_bytes()
    return found


def test_reads_the_sizes(contents: dict[int, bytes]) -> None:
    assert check_model(contents[0]) == ModelSummary(n_features=4, n_outputs=1, n_trees=5)
    assert check_model(contents[2]) == ModelSummary(n_features=4, n_outputs=1, n_trees=5)
    assert check_model(contents[3]) == ModelSummary(n_features=4, n_outputs=3, n_trees=15)


@pytest.mark.parametrize(
    "settings",
    [
        {"gamma": 2.0, "grow_policy": "lossguide", "max_leaves": 40},
        {"max_depth": 1, "reg_alpha": 1.0},
        {"max_cat_to_onehot": 100},
        {"objective": "reg:absoluteerror"},
        {"objective": "count:poisson"},
        {"objective": "reg:quantileerror", "quantile_alpha": 0.9},
    ],
)
def test_accepts_whatever_xgboost_may_write(settings: dict[str, object]) -> None:
    import xgboost

    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 3))
    X[:, 2] = rng.integers(0, 40, 400)
    y = np.abs(X[:, 0]) + (X[:, 2] % 7 > 2)
    data = xgboost.QuantileDMatrix(X, y, feature_types=["q", "q", "c"], enable_categorical=True)
    booster = xgboost.train({"verbosity": 0, **settings}, data, 8)[:6]
    assert check_model(bytes(booster.save_raw("ubj"))).n_trees == 6


def replaced(content: bytes, name: str, position: int, value: int) -> bytes:
    """Return the model with one number replaced in the first array `name` that is long enough."""
    place = 0
    while True:
        place = content.index(name.encode() + b"[$", place) + len(name) + 2
        size = {b"U": 1, b"l": 4, b"L": 8}[content[place : place + 1]]
        begin = place + 3 + 8
        if int.from_bytes(content[place + 3 : begin], "big") > position:
            begin += size * position
            return content[:begin] + value.to_bytes(size, "big", signed=size > 1) + content[begin + size :]


@pytest.mark.parametrize(
    ("name", "position", "value", "complaint"),
    [
        ("left_children", 0, 10_000, "leads nowhere"),
        ("left_children", 0, 0, "leads nowhere"),
        ("left_children", 0, 3, "wrong node"),
        ("right_children", 0, -1, "leads nowhere"),
        ("parents", 1, 1, "wrong node"),
        ("split_indices", 0, 4, "does not exist"),
        ("split_indices", 0, -1, "does not exist"),
        ("split_type", 0, 2, "unknown kind"),
        ("split_type", 0, 1, "list of categories"),
        ("categories_nodes", 0, 10**6, "list of categories"),
        ("categories_segments", 1, 10**12, "list of categories"),
        ("categories_sizes", 0, 0, "list of categories"),
        ("categories_sizes", 0, 2**62, "list of categories"),
        ("categories", 0, -1, "list of categories"),
        ("categories", 0, 2**31 - 1, "too large"),
    ],
)
def test_what_leads_outside_is_refused(
    name: str, position: int, value: int, complaint: str, contents: dict[int, bytes]
) -> None:
    with pytest.raises(PackageError, match=complaint):
        check_model(replaced(contents[2], name, position, value))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"gbtree", b"gblinr"),
        (b"num_targetSL\0\0\0\0\0\0\0\x011", b"num_targetSL\0\0\0\0\0\0\0\x012"),
        (b"reg:squarederror", b"rank:ndcg!!!!!!!"),
        (b"num_treesSL\0\0\0\0\0\0\0\x015", b"num_treesSL\0\0\0\0\0\0\0\x014"),
        (b"base_scoreS", b"base_scoreZ"),
    ],
)
def test_other_kinds_of_models_are_refused(old: bytes, new: bytes, contents: dict[int, bytes]) -> None:
    assert old in contents[0]
    with pytest.raises(PackageError):
        check_model(contents[0].replace(old, new))


@pytest.mark.parametrize("n_classes", [0, 2, 3])
def test_every_cut_is_noticed(n_classes: int, contents: dict[int, bytes]) -> None:
    content = contents[n_classes]
    for length in range(0, len(content), 37):
        with pytest.raises(PackageError):
            check_model(content[:length])
    with pytest.raises(PackageError, match="follows after its end"):
        check_model(content + b"}")


def test_altered_models_are_refused_or_predict_and_never_end_the_process(tmp_path: Path) -> None:
    save_model("xgboost", 2, tmp_path)
    outcomes = try_mutations(tmp_path, 300)
    assert set(outcomes) == {"refused", "loaded"}
    assert outcomes["refused"] > 200
    assert mutated(b"0" * 100, 3) == mutated(b"0" * 100, 3) != b"0" * 100
