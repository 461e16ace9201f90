import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save
from scipy.special import expit, softmax

from groundup.core.errors import PackageError
from groundup.core.inputs import Inputs
from groundup.models.linear_fitted import FittedLinear

numbers = st.floats(-1e3, 1e3)


@st.composite
def models(draw: st.DrawFn) -> tuple[FittedLinear, np.ndarray]:
    n_outputs, n_features = draw(st.integers(1, 4)), draw(st.integers(1, 6))
    coef = draw(
        st.lists(
            st.lists(numbers, min_size=n_features, max_size=n_features),
            min_size=n_outputs,
            max_size=n_outputs,
        )
    )
    intercept = draw(st.lists(numbers, min_size=n_outputs, max_size=n_outputs))
    is_classifier = draw(st.booleans()) or n_outputs > 1
    rows = draw(st.lists(st.lists(numbers, min_size=n_features, max_size=n_features), min_size=1, max_size=5))
    fitted = FittedLinear(np.array(coef), np.array(intercept), is_classifier=is_classifier, facts={})
    return fitted, np.array(rows)


@settings(deadline=None, max_examples=50)
@given(models())
def test_batch_and_row_agree_with_the_definition(case: tuple[FittedLinear, np.ndarray]) -> None:
    fitted, X = case
    outputs = X @ fitted.coef_.T + fitted.intercept_
    if not fitted.is_classifier:
        expected = outputs[:, 0]
    elif outputs.shape[1] == 1:
        expected = np.column_stack([expit(-outputs[:, 0]), expit(outputs[:, 0])])
    else:
        expected = softmax(outputs, axis=1)
    predictions = fitted.predict(Inputs({"X": X}))
    batch = predictions.values if predictions.probabilities is None else predictions.probabilities
    rows = np.array([fitted.predict_row(row) for row in X.tolist()])
    size = 1 + np.abs(X).max() * np.abs(fitted.coef_).max() * X.shape[1] + np.abs(fitted.intercept_).max()
    np.testing.assert_allclose(batch, expected, rtol=1e-12 * size, atol=1e-12 * size)
    np.testing.assert_allclose(rows, batch, rtol=1e-12 * size, atol=1e-12 * size)


@pytest.mark.parametrize("constant", [0.0, 800.0, -800.0, math.inf, -math.inf])
def test_extreme_outputs_of_two_classes_do_not_overflow(constant: float) -> None:
    fitted = FittedLinear(np.zeros((1, 2)), np.array([constant]), is_classifier=True, facts={})
    batch = fitted.predict(Inputs({"X": np.zeros((1, 2))})).probabilities
    assert batch is not None
    assert batch[0].tolist() == fitted.predict_row([0.0, 0.0])
    assert batch[0].sum() == 1


def test_a_class_without_training_rows_is_never_predicted() -> None:
    fitted = FittedLinear(np.zeros((3, 1)), np.array([0.0, -math.inf, 0.0]), is_classifier=True, facts={})
    assert fitted.predict_row([5.0]) == [0.5, 0.0, 0.5]
    batch = fitted.predict(Inputs({"X": np.array([[5.0]])}))
    assert batch.probabilities is not None
    assert batch.probabilities.tolist() == [[0.5, 0.0, 0.5]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    FittedLinear(np.ones((1, 2)), np.zeros(1), is_classifier=False, facts={"learner": "x"}).save(tmp_path)
    return tmp_path


def test_saves_arrays_and_json(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == ["learner.json", "weights.safetensors"]
    assert json.loads((folder / "learner.json").read_text()) == {
        "is_classifier": False,
        "facts": {"learner": "x"},
    }


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("weights.safetensors", b""),
        ("weights.safetensors", b"not safetensors at all"),
        ("weights.safetensors", save({"other": np.ones(2)})),
        ("weights.safetensors", save({"coef": np.ones(2), "intercept": np.ones(1)})),
        ("weights.safetensors", save({"coef": np.ones((2, 2)), "intercept": np.ones(1)})),
        ("weights.safetensors", save({"coef": np.ones((1, 2), dtype=np.float32), "intercept": np.ones(1)})),
        ("learner.json", b""),
        ("learner.json", b"{}"),
        ("learner.json", b"\xff\xfe"),
    ],
)
def test_damaged_files_are_refused(folder: Path, file: str, content: bytes) -> None:
    (folder / file).write_bytes(content)
    with pytest.raises(PackageError):
        FittedLinear.load(folder)


def test_missing_files_are_refused(folder: Path) -> None:
    (folder / "weights.safetensors").unlink()
    with pytest.raises(PackageError):
        FittedLinear.load(folder)
