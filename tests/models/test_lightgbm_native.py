import ctypes
import gc
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundup.core.errors import PackageError
from groundup.core.inputs import Inputs
from groundup.models import lightgbm_native
from groundup.models.lightgbm_native import FittedLightGBM


def train(n_classes: int, X: np.ndarray) -> tuple[bytes, np.ndarray]:
    """Return a model and LightGBM's own predictions for `X`."""
    import lightgbm

    y = np.nan_to_num(X[:, 0] + X[:, 1])
    goal = {"objective": "regression"}
    if n_classes:
        y = np.digitize(y, np.linspace(-0.5, 0.5, n_classes - 1))
        goal = (
            {"objective": "multiclass", "num_class": n_classes} if n_classes > 2 else {"objective": "binary"}
        )
    settings = {**goal, "verbosity": -1, "num_threads": 1}
    booster = lightgbm.train(settings, lightgbm.Dataset(X, y, categorical_feature=[2], params=settings), 20)
    return booster.model_to_string().encode(), booster.predict(X, num_threads=1)


def make_rows() -> np.ndarray:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 3))
    X[:, 2] = rng.integers(0, 5, 500)
    X[::9, 1] = np.nan
    return X


ROWS = make_rows()
MODELS = {n_classes: train(n_classes, ROWS) for n_classes in (0, 2, 4)}
values = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True), st.integers(-3, 9).map(float), st.just(0.0)
)


def fitted_of(n_classes: int) -> FittedLightGBM:
    return FittedLightGBM(MODELS[n_classes][0], is_classifier=n_classes > 0, facts={})


@pytest.mark.parametrize("n_classes", MODELS)
def test_equals_lightgbm_s_own_predictions(n_classes: int) -> None:
    _, expected = MODELS[n_classes]
    predictions = fitted_of(n_classes).predict(Inputs({"X": ROWS}))
    if n_classes == 0:
        np.testing.assert_array_equal(predictions.values, expected)
    elif n_classes == 2:
        assert predictions.probabilities is not None
        np.testing.assert_array_equal(predictions.probabilities[:, 1], expected)
    else:
        np.testing.assert_array_equal(predictions.probabilities, expected)


@pytest.mark.parametrize("n_classes", MODELS)
def test_contributions_are_lightgbm_s_own(n_classes: int) -> None:
    import lightgbm

    booster = lightgbm.Booster(model_str=MODELS[n_classes][0].decode())
    expected = np.asarray(booster.predict(ROWS, pred_contrib=True, num_threads=1))
    found = fitted_of(n_classes).contributions(Inputs({"X": ROWS})).values
    np.testing.assert_array_equal(found.transpose(0, 2, 1).reshape(len(ROWS), -1), expected)


@settings(deadline=None, max_examples=50)
@given(st.sampled_from(sorted(MODELS)), st.lists(st.tuples(values, values, values), min_size=1, max_size=4))
def test_row_equals_batch_for_every_number_there_is(n_classes: int, rows: list[tuple[float, ...]]) -> None:
    fitted = FITTED[n_classes]
    batch = fitted.predict(Inputs({"X": np.array(rows)}))
    expected = batch.values if batch.probabilities is None else batch.probabilities
    np.testing.assert_array_equal(np.array([fitted.predict_row(row) for row in rows]), expected)


FITTED = {n_classes: fitted_of(n_classes) for n_classes in MODELS}


def test_serves_many_threads_at_once() -> None:
    fitted = fitted_of(4)
    expected = fitted.predict(Inputs({"X": ROWS})).probabilities
    assert expected is not None
    rows = ROWS.tolist()

    def predict_all(_: int) -> list[object]:
        return [fitted.predict_row(row) for row in rows]

    with ThreadPoolExecutor(8) as pool:
        for answers in pool.map(predict_all, range(16)):
            assert answers == expected.tolist()


def test_memory_is_given_back_in_the_right_order(monkeypatch: pytest.MonkeyPatch) -> None:
    freed: list[str] = []
    library = lightgbm_native._library()

    class Recorder:
        """Passes every call on and notes those that free something."""

        def __getattr__(self, name: str) -> object:
            function = getattr(library, name)
            if not name.endswith("Free"):
                return function
            return lambda handle: (freed.append(name), function(handle))

    monkeypatch.setattr(lightgbm_native, "_library", lambda **_: Recorder())
    fitted = fitted_of(0)
    fitted.predict_row([0.0, 0.0, 0.0])
    fitted.predict_row([1.0, 0.0, 0.0])
    assert freed == []
    del fitted
    gc.collect()
    assert freed == ["LGBM_FastConfigFree", "LGBM_BoosterFree"]


def test_a_row_of_the_wrong_length_is_refused() -> None:
    fitted = fitted_of(0)
    for row in ([], [1.0], [1.0] * 4):
        with pytest.raises(Exception, match="pack_into expected 3 items"):
            fitted.predict_row(row)
    with pytest.raises(AssertionError):
        fitted.predict(Inputs({"X": np.zeros((2, 4))}))


def test_other_memory_layouts_are_read_right() -> None:
    fitted = fitted_of(0)
    expected = fitted.predict(Inputs({"X": ROWS})).values
    np.testing.assert_array_equal(fitted.predict(Inputs({"X": np.asfortranarray(ROWS)})).values, expected)
    np.testing.assert_array_equal(fitted.predict(Inputs({"X": ROWS[::2]})).values, expected[::2])


def test_an_error_of_the_library_is_a_package_error(monkeypatch: pytest.MonkeyPatch) -> None:
    text = MODELS[0][0].replace(b"objective=regression", b"objective=nonsense")
    with pytest.raises(PackageError, match=r"LightGBM cannot load this model: .*nonsense"):
        FittedLightGBM(text, is_classifier=False, facts={})


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("model.txt", b""),
        ("model.txt", b"tree\n"),
        ("learner.json", b"{}"),
        ("learner.json", b"["),
        ("model.txt", None),
    ],
)
def test_damaged_files_are_refused(tmp_path: Path, file: str, content: bytes | None) -> None:
    fitted_of(0).save(tmp_path)
    if content is None:
        (tmp_path / file).unlink()
    else:
        (tmp_path / file).write_bytes(content)
    with pytest.raises(PackageError):
        FittedLightGBM.load(tmp_path)


def test_a_missing_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    uncached = lightgbm_native._library.__wrapped__
    monkeypatch.setattr(lightgbm_native.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(PackageError, match="pip install lightgbm"):
        uncached()
    spec = type("Spec", (), {"origin": str(tmp_path / "lightgbm" / "__init__.py")})()
    monkeypatch.setattr(lightgbm_native.importlib.util, "find_spec", lambda name: spec)
    with pytest.raises(PackageError, match="Install it again"):
        uncached()


def test_finds_the_library_that_lightgbm_uses() -> None:
    from lightgbm.basic import _LIB

    assert isinstance(lightgbm_native._library(), ctypes.CDLL)
    assert Path(lightgbm_native._library()._name).samefile(_LIB._name)


def test_loading_imports_neither_lightgbm_nor_pydantic(tmp_path: Path) -> None:
    fitted_of(0).save(tmp_path)
    program = (
        "import sys; from pathlib import Path; from groundup.models.catalogue import load_fitted;"
        f"load_fitted('groundup.models.lightgbm_native:FittedLightGBM', Path({str(tmp_path)!r}));"
        "print(sorted({'lightgbm', 'sklearn', 'scipy', 'polars', 'pydantic'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
