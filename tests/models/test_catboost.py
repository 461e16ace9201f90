"""CatBoost through the loop over rounds against CatBoost alone."""

import subprocess
import sys
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from groundup.core.errors import MissingExtraError, PackageError
from groundup.core.inputs import Inputs
from groundup.core.tasks import Task
from groundup.models.catboost import CatBoost
from groundup.models.catboost_fitted import Columns, FittedCatBoost
from groundup.models.contract import FitContext
from groundup.training.options import EarlyStopping
from groundup.training.rounds import run_rounds

needs_catboost = pytest.mark.skipif(find_spec("catboost") is None, reason="catboost is not installed")


def context(n_classes: int = 0) -> FitContext:
    task: Task = "classification" if n_classes else "regression"
    loop = partial(
        run_rounds, early_stopping=EarlyStopping(patience_rounds=10), emit=lambda **_: None, should_stop=bool
    )
    return FitContext(task, n_classes, seed=0, threads=1, run_rounds=loop, should_stop=bool)


def table(seed: int = 0, n_classes: int = 0) -> Inputs:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(300, 4))
    X[:, 1] = rng.integers(0, 5, 300)
    y = X[:, 0] + (X[:, 1] == 2) + 0.3 * rng.normal(size=300)
    X[rng.random(X.shape) < 0.05] = np.nan
    target = np.digitize(y, np.linspace(-0.5, 1, n_classes - 1)).astype(np.int64) if n_classes else y
    return Inputs({"X": X, "y": target}, categorical=(1,))


@needs_catboost
@pytest.mark.parametrize("n_classes", [0, 2, 3])
def test_equals_catboost_alone(n_classes: int) -> None:
    import catboost

    train, validation = table(0, n_classes), table(1, n_classes)
    learner = CatBoost(learning_rate=0.2, n_estimators=100)
    fitted = learner.fit(train, validation, context(n_classes))
    n_rounds = fitted.facts()["best_round"]
    loss = "RMSE" if not n_classes else "Logloss" if n_classes == 2 else "MultiClass"
    settings = learner.settings(context(n_classes), loss, 300)
    mean = 0.0 if n_classes else train.y.astype(float).mean()
    pools = [Columns.of(part).pool(part.X, part.y - mean) for part in (train, validation)]
    alone = catboost.CatBoost(settings).fit(pools[0], eval_set=pools[1], use_best_model=False)
    alone.shrink(n_rounds)
    found = fitted.predict(train)
    if n_classes:
        expected = alone.predict(pools[0], prediction_type="Probability")
        np.testing.assert_allclose(found.probabilities, expected, atol=1e-9)
    else:
        np.testing.assert_allclose(found.values, alone.predict(pools[0]) + mean, atol=1e-9)


@needs_catboost
def test_early_stopping_keeps_the_best_round() -> None:
    validation = table(1, 2)
    fitted = CatBoost(learning_rate=0.2).fit(table(0, 2), validation, context(2))
    facts = fitted.facts()
    assert facts["stopped"] == "patience"
    assert facts["n_rounds"] == facts["best_round"] + 10
    probabilities = fitted.predict(validation).probabilities
    assert probabilities is not None
    reached = -np.log(probabilities[np.arange(300), validation.y.astype(int)]).mean()
    assert dict(facts["curve"]["validation"])[facts["best_round"]] == pytest.approx(reached, rel=1e-5)
    assert {entry["feature"] for entry in facts["importance"][:2]} == {"feature 0", "feature 1"}


@needs_catboost
def test_a_class_without_training_rows_is_never_predicted() -> None:
    train = table(0, 3)
    part = train.take(np.flatnonzero(train.y != 1))
    found = CatBoost(n_estimators=20).fit(part, train, context(3)).predict(train)
    assert found.probabilities is not None
    assert (found.probabilities[:, 1] == 0).all()


FRESH_PROCESS = """
import sys, numpy as np
from pathlib import Path
from groundup.core.inputs import Inputs
from groundup.models.catalogue import load_fitted
folder = Path(sys.argv[1])
fitted = load_fitted("groundup.models.catboost_fitted:FittedCatBoost", folder / "model")
np.save(folder / "found.npy", fitted.predict(Inputs({"X": np.load(folder / "X.npy")})).values)
print(*{"sklearn", "matplotlib"} & set(sys.modules))
"""


@needs_catboost
def test_predicts_the_same_in_a_fresh_process(tmp_path: Path) -> None:
    train = table()
    fitted = CatBoost(n_estimators=20).fit(train, None, context())
    (tmp_path / "model").mkdir()
    fitted.save(tmp_path / "model")
    np.save(tmp_path / "X.npy", train.X)
    done = subprocess.run(
        [sys.executable, "-c", FRESH_PROCESS, tmp_path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []
    np.testing.assert_array_equal(np.load(tmp_path / "found.npy"), fitted.predict(train).values)


@needs_catboost
def test_damaged_files_are_refused(tmp_path: Path) -> None:
    CatBoost(n_estimators=2).fit(table(), None, context()).save(tmp_path)
    (tmp_path / "model.cbm").write_bytes(b"not a model")
    with pytest.raises(PackageError):
        FittedCatBoost.load(tmp_path)
    (tmp_path / "model.cbm").unlink()
    with pytest.raises(PackageError):
        FittedCatBoost.load(tmp_path)


def test_without_the_package_the_command_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "catboost", None)
    with pytest.raises(MissingExtraError, match=r'pip install "groundup\[catboost\]"'):
        CatBoost().fit(table(), None, context())
    answers = {"n_classes": 0, "classes": [], "start": [0.0]}
    with pytest.raises(MissingExtraError, match=r'pip install "groundup\[catboost\]"'):
        FittedCatBoost(b"", Columns((0,), ()), answers, facts={})
