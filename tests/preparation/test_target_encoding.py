import json
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.preprocessing import TargetEncoder

from groundup.core.errors import RecipeError
from groundup.core.inputs import Needs, Supervision
from groundup.core.schema import Column, Schema
from groundup.data.dataset import Dataset
from groundup.preparation import fitting, table
from groundup.preparation.options import ColumnPreparation, PreparationOptions
from groundup.preparation.table import TablePreparation
from groundup.preparation.target_encoding import make_parts

SCHEMA = Schema([Column("city", "category", "string"), Column("n", "number", "integer")])
TARGET = PreparationOptions(encode="target", rare_below=1)


def dataset(values: list[str | None]) -> Dataset:
    frame = pl.DataFrame(
        {"city": values, "n": list(range(len(values)))}, schema={"city": pl.String, "n": pl.Int64}
    )
    return Dataset(frame.lazy(), SCHEMA, len(frame), "frame")


def fitted(
    values: list[str | None], supervision: Supervision, options: PreparationOptions = TARGET, **needs: Any
) -> tuple[TablePreparation, np.ndarray]:
    preparation = TablePreparation(options)
    inputs, _ = preparation.fit_transform(dataset(values), Needs(**needs), supervision)
    return preparation, inputs.X


def test_new_rows_get_the_smoothed_mean_of_all_training_rows() -> None:
    y = np.array([1.0, 2.0, 3.0, 10.0])
    options = TARGET.model_copy(update={"target_smoothing": 2.0})
    preparation, _ = fitted(["a", "a", "b", "b"], Supervision(y, 0), options)
    assert preparation.feature_names == ("city", "n")
    assert preparation.transform_row({"city": "a", "n": 0})[0] == (3 + 2 * 4) / (2 + 2)
    assert preparation.transform_row({"city": "b", "n": 0})[0] == (13 + 2 * 4) / (2 + 2)
    for city in ("never seen", None):
        assert preparation.transform_row({"city": city, "n": 0})[0] == 4.0


@pytest.mark.parametrize(("n_classes", "n_features"), [(2, 1), (3, 3)])
def test_classes_become_shares(n_classes: int, n_features: int) -> None:
    random = np.random.default_rng(0)
    values = random.choice(["a", "b", "c"], 300).tolist()
    y = random.integers(0, n_classes, 300)
    options = TARGET.model_copy(update={"target_smoothing": 4.0})
    preparation, _ = fitted(values, Supervision(y, n_classes), options)
    X = preparation.transform(dataset(["a", "b", "c"]).frame()).X[:, :n_features]
    peer = TargetEncoder(smooth=4.0, random_state=0).fit(np.array(values)[:, None], y)
    np.testing.assert_allclose(X, peer.transform(np.array([["a"], ["b"], ["c"]])), rtol=1e-12)
    if n_features > 1:
        assert preparation.feature_names[:2] == ("city (class 0)", "city (class 1)")
        np.testing.assert_allclose(X.sum(axis=1), 1.0)


def test_no_training_row_meets_its_own_target() -> None:
    random = np.random.default_rng(1)
    values = [f"level {each}" for each in random.integers(0, 100, 400)]
    y = random.normal(size=400)
    options = TARGET.model_copy(update={"target_smoothing": 0.0})
    for seed in range(3):
        _, before = fitted(values, Supervision(y, 0, seed=seed), options)
        for row in (0, 17, 399):
            changed = y.copy()
            changed[row] += 1e6
            _, after = fitted(values, Supervision(changed, 0, seed=seed), options)
            assert after[row, 0] == before[row, 0]
            assert (after[:, 0] != before[:, 0]).any()
    preparation, inside = fitted(values, Supervision(y, 0), options)
    plain = preparation.transform(dataset(values).frame()).X[:, 0]
    # Pure noise: the plain encoding seems to know the target, the out-of-fold one does not.
    assert np.corrcoef(plain, y)[0, 1] > 0.3
    assert abs(np.corrcoef(inside[:, 0], y)[0, 1]) < 0.15


def test_rows_of_one_entity_stay_together() -> None:
    groups = np.repeat(np.arange(12), 5)
    supervision = Supervision(np.arange(60.0), 0, groups, seed=3)
    parts = make_parts(supervision, 5)
    assert all(len(set(parts[groups == group])) == 1 for group in range(12))
    assert set(parts) == set(range(5))
    y = np.array([0] * 50 + [1] * 10)
    assert np.bincount(make_parts(Supervision(y, 2), 5)[y == 1]).tolist() == [2] * 5
    _, X = fitted(["a", "b"] * 3, Supervision(np.arange(6.0), 0, np.zeros(6)))
    assert X[:, 0].tolist() == [2.5] * 6


def test_one_seed_gives_one_encoding() -> None:
    values = ["a", "b", "c"] * 20
    y = np.random.default_rng(0).normal(size=60)
    first, again, other = (fitted(values, Supervision(y, 0, seed=seed))[1] for seed in (1, 1, 2))
    assert first.tobytes() == again.tobytes()
    assert first.tobytes() != other.tobytes()


def test_missing_and_rare_levels() -> None:
    values = ["a"] * 6 + ["b"] * 6 + ["c", "d"] + [None] * 6
    y = np.array([0.0] * 6 + [6.0] * 6 + [3.0, 5.0] + [10.0] * 6)
    options = PreparationOptions(encode="target", rare_below=3, target_smoothing=0.0)
    preparation, X = fitted(values, Supervision(y, 0), options)
    found = preparation.transform(dataset(["a", "b", "c", "z", None]).frame()).X[:, 0]
    assert found.tolist() == [0.0, 6.0, 4.0, 4.0, 10.0]
    kept = options.model_copy(update={"impute_categories": "none"})
    preparation, X = fitted(values, Supervision(y, 0), kept, missing=True)
    assert np.isnan(X[-6:, 0]).all()
    assert np.isnan(preparation.transform_row({"city": None, "n": 1})[0])
    with pytest.raises(RecipeError, match="takes no missing values"):
        fitted(values, Supervision(y, 0), kept)


def test_means_can_be_scaled() -> None:
    values = ["a"] * 30 + ["b"] * 20 + ["c"] * 10
    y = np.repeat([0.0, 50.0, 300.0], [30, 20, 10])
    preparation, _ = fitted(values, Supervision(y, 0), scaled=True)
    X = preparation.transform(dataset(values).frame()).X[:, 0]
    assert X.mean() == pytest.approx(0, abs=1e-12)
    assert X.std() == pytest.approx(1)
    steps = preparation.describe()[0]["steps"]
    assert steps[0] == "3 levels, replaced by the mean target of their training rows"
    assert steps[2] == "training rows get the means of the other 4 of 5 parts of them"
    assert preparation.resolved_options().columns["city"] == ColumnPreparation(
        encode="target", impute="constant", scale="standard"
    )


def test_a_target_is_needed() -> None:
    with pytest.raises(RecipeError, match="`encode: frequency`"):
        TablePreparation(TARGET).fit(dataset(["a", "b"]), Needs())


def test_dropped_rows_take_their_targets_with_them() -> None:
    values = ["a", None, "a", "b", "b", "b"]
    y = np.array([1.0, 1e9, 1.0, 3.0, 3.0, 3.0])
    options = TARGET.model_copy(update={"impute_categories": "drop_rows", "target_smoothing": 0.0})
    preparation, X = fitted(values, Supervision(y, 0), options)
    assert X.shape == (5, 2)
    assert preparation.transform(dataset(["a", "b"]).frame()).X[:, 0].tolist() == [1.0, 3.0]


def test_large_data_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    values = random.choice(["a", "b", "c", None], 500).tolist()
    supervision = Supervision(random.integers(0, 3, 500), 3)
    preparation, X = fitted(values, supervision)
    monkeypatch.setattr(fitting, "FIT_BYTES", 1)
    monkeypatch.setattr(table, "BATCH_ROWS", 70)
    again, X_again = fitted(values, supervision)
    assert X_again.tobytes() == X.tobytes()
    assert again.state() == preparation.state()


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(st.sampled_from(["a", "b", "ü", None]), st.integers(0, 2)), min_size=2, max_size=40),
    st.lists(st.sampled_from(["a", "b", "never", None]), min_size=1, max_size=8),
    st.sampled_from([0, 2, 3]),
    st.sampled_from([0.0, 5.0]),
    st.sampled_from(["none", "standard", "quantile_normal"]),
    st.booleans(),
)
def test_rows_equal_batches_and_states_come_back(
    training: list[tuple[str | None, int]],
    new: list[str | None],
    n_classes: int,
    smoothing: float,
    scale: Any,
    is_missing_kept: bool,
) -> None:
    values, codes = [value for value, _ in training], np.array([code for _, code in training])
    y = np.minimum(codes, n_classes - 1) if n_classes else codes * 1.5
    impute: Any = "none" if is_missing_kept else "auto"
    options = TARGET.model_copy(
        update={"target_smoothing": smoothing, "scale": scale, "impute_categories": impute}
    )
    preparation, X = fitted(values, Supervision(y, n_classes), options, missing=is_missing_kept)
    assert X.shape == (len(values), len(preparation.feature_names))
    assert is_missing_kept or np.isfinite(X).all()
    batch = preparation.transform(dataset(new).frame()).X
    rows = [preparation.transform_row(row) for row in dataset(new).frame().to_dicts()]
    np.testing.assert_array_equal(rows, batch)
    state = json.loads(json.dumps(preparation.state()[0], allow_nan=False))
    read = TablePreparation.from_state(state, {})
    assert read.transform(dataset(new).frame()).X.tobytes() == batch.tobytes()
    resolved = preparation.resolved_options()
    again, X_again = fitted(values, Supervision(y, n_classes), resolved, missing=is_missing_kept)
    assert X_again.tobytes() == X.tobytes()
    assert again.state() == preparation.state()
