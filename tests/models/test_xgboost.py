"""XGBoost through its C library against its Python package."""

import sys
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from groundup.core.errors import MissingExtraError, PackageError
from groundup.core.inputs import Inputs
from groundup.core.tasks import Task
from groundup.models import xgboost_native
from groundup.models.contract import FitContext
from groundup.models.xgboost import XGBoost
from groundup.models.xgboost_native import FittedXGBoost
from groundup.training.options import EarlyStopping
from groundup.training.rounds import run_rounds

needs_xgboost = pytest.mark.skipif(find_spec("xgboost") is None, reason="xgboost is not installed")


def context(n_classes: int = 0) -> FitContext:
    task: Task = "classification" if n_classes else "regression"
    loop = partial(
        run_rounds, early_stopping=EarlyStopping(patience_rounds=10), emit=lambda **_: None, should_stop=bool
    )
    return FitContext(task, n_classes, seed=0, threads=1, run_rounds=loop, should_stop=bool)


def table(seed: int = 0, n_classes: int = 0) -> Inputs:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(300, 4))
    X[:, 3] = rng.integers(0, 5, 300)
    y = X[:, 0] + (X[:, 3] == 2) + 0.3 * rng.normal(size=300)
    X[rng.random(X.shape) < 0.05] = np.nan
    target = np.digitize(y, np.linspace(-0.5, 1, n_classes - 1)).astype(np.int64) if n_classes else y + 1e6
    return Inputs({"X": X, "y": target}, categorical=(3,))


@needs_xgboost
@pytest.mark.parametrize("n_classes", [0, 2, 3])
def test_equals_the_python_package(n_classes: int, tmp_path: Path) -> None:
    import xgboost

    train = table(0, n_classes)
    fitted = XGBoost().fit(train, table(1, n_classes), context(n_classes))
    fitted.save(tmp_path)
    booster = xgboost.Booster(model_file=tmp_path / "model.ubj")
    rows = xgboost.DMatrix(train.X, feature_types=["q", "q", "q", "c"], enable_categorical=True)
    divided = booster.predict(rows, pred_contribs=True, strict_shape=True).astype(float).transpose(0, 2, 1)
    divided[:, -1] += fitted.start
    found = fitted.contributions(train).values
    np.testing.assert_allclose(found, divided, atol=1e-5, rtol=1e-5)  # it adds up in 32 bits
    margins = booster.inplace_predict(train.X.astype(np.float32), predict_type="margin").astype(float)
    outputs = margins.reshape(len(margins), -1) + fitted.start
    found = fitted.predict(train)
    if not n_classes:
        np.testing.assert_allclose(found.values, outputs[:, 0], rtol=1e-12)
        return
    if n_classes == 2:
        outputs = np.column_stack([np.zeros(len(outputs)), outputs])
    expected = np.exp(outputs) / np.exp(outputs).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found.probabilities, expected, atol=1e-9)


@needs_xgboost
def test_regression_without_validation_equals_training_with_the_package() -> None:
    import xgboost

    train = table()
    learner = XGBoost(n_estimators=20)
    fitted = learner.fit(train, None, context())
    mean = train.y.astype(float).mean()
    data = xgboost.QuantileDMatrix(
        train.X.astype(np.float32),
        train.y - mean,
        feature_types=["q", "q", "q", "c"],
        enable_categorical=True,
    )
    booster = xgboost.train(learner.settings(context()), data, 20)
    expected = booster.predict(data).astype(float) + mean
    np.testing.assert_allclose(fitted.predict(train).values, expected, rtol=1e-9)


@needs_xgboost
def test_early_stopping_keeps_the_best_round() -> None:
    validation = table(1, 2)
    fitted = XGBoost().fit(table(0, 2), validation, context(2))
    facts = fitted.facts()
    assert facts["stopped"] == "patience"
    assert facts["n_rounds"] == facts["best_round"] + 10
    probabilities = fitted.predict(validation).probabilities
    assert probabilities is not None
    reached = -np.log(probabilities[np.arange(300), validation.y.astype(int)]).mean()
    assert dict(facts["curve"]["validation"])[facts["best_round"]] == pytest.approx(reached, rel=1e-5)
    assert facts["importance"][0]["feature"] == "feature 0"


@needs_xgboost
@pytest.mark.parametrize("content", [b"", b"{L", b"not a model", b'{"learner": {}}'])
def test_damaged_files_are_refused(content: bytes, tmp_path: Path) -> None:
    XGBoost(n_estimators=2).fit(table(), None, context()).save(tmp_path)
    (tmp_path / "model.ubj").write_bytes(content)
    with pytest.raises(PackageError):
        FittedXGBoost.load(tmp_path)


def test_without_the_package_the_command_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xgboost", None)
    with pytest.raises(MissingExtraError, match=r'pip install "groundup\[xgboost\]"'):
        XGBoost().fit(table(), None, context())
    monkeypatch.setattr(xgboost_native.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r'pip install "groundup\[xgboost\]"'):
        xgboost_native._library.__wrapped__()
