"""Contract "Learner": one suite that every learner in the catalogue passes."""

import json
import pickletools
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import get_args

import numpy as np
import pydantic
import pytest

from groundup.core.errors import NotExplainedError
from groundup.core.inputs import Contributions, Inputs, Predictions
from groundup.core.losses import Loss, LossName
from groundup.core.tasks import Task
from groundup.evaluation.row_losses import row_losses
from groundup.models import catalogue
from groundup.models.baseline import least
from groundup.models.catalogue import LEARNERS, learner_class, load_fitted
from groundup.models.contract import FACTS, Choice, FitContext, Fitted, Learner, Range
from groundup.models.contributions import explain
from groundup.models.facts import facts_to_save
from groundup.models.network_fitted import FittedNetwork
from groundup.training.gradient_options import GradientOptions
from groundup.training.network_loop import network_loop
from groundup.training.options import EarlyStopping
from groundup.training.rounds import run_rounds

OF_TABLES = [name for name in LEARNERS if catalogue.make_learner(name).needs().form == "matrix"]
"""Those that see a matrix; tests/models/test_text_networks.py asks the same of those that read texts."""
CASES = [(name, task) for name in OF_TABLES for task in learner_class(name).tasks]
EACH_CASE = pytest.mark.parametrize(("name", "task"), CASES)
EACH_LEARNER = pytest.mark.parametrize("name", LEARNERS)

MEMBERS = ["linear", {"name": "decision_tree", "max_depth": 3}, {"name": "lightgbm", "n_estimators": 20}]
SMALL: dict[str, dict[str, object]] = {  # the same code in less time
    "random_forest": {"n_estimators": 10},
    "extra_trees": {"n_estimators": 10},
    "hist_gradient_boosting": {"n_estimators": 40},
    "bagging": {"n_estimators": 3},
    "voting": {"members": MEMBERS},
    "stacking": {"members": MEMBERS, "n_folds": 3},
}


def make_learner(name: str, hyperparameters: dict[str, object] | None = None) -> Learner:
    return catalogue.make_learner(name, SMALL.get(name, {}) | (hyperparameters or {}))


EXTRAS = {"xgboost": "xgboost", "catboost": "catboost", "mlp": "torch"}  # learner: extra


@pytest.fixture(autouse=True)
def _skip_without_its_extra(request: pytest.FixtureRequest) -> None:
    name = getattr(request.node, "callspec", None) and request.node.callspec.params.get("name")
    if name in EXTRAS and find_spec(EXTRAS[name]) is None:
        pytest.skip(f'`{name}` needs an extra; run: pip install "groundup[{EXTRAS[name]}]"')


def context(
    task: Task,
    n_classes: int = 2,
    *,
    threads: int = 1,
    seed: int = 0,
    should_stop: Callable[[], bool] = lambda: False,
) -> FitContext:
    loop = partial(
        run_rounds,
        early_stopping=EarlyStopping(patience_rounds=10),
        emit=lambda **fact: None,
        should_stop=should_stop,
    )
    return FitContext(
        task=task,
        n_classes=n_classes if task == "classification" else 0,
        seed=seed,
        threads=threads,
        run_rounds=loop,
        should_stop=should_stop,
        train_network=network_loop(
            options=GradientOptions(),
            early_stopping=EarlyStopping(),
            threads=threads,
            should_stop=should_stop,
        ),
    )


def table(
    learner: Learner,
    task: Task,
    *,
    n_samples: int = 200,
    n_features: int = 6,
    n_classes: int = 2,
    seed: int = 0,
) -> Inputs:
    """Return rows as the learner needs them, whose target depends on the first feature."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_samples, n_features))
    signal = X[:, 0] + 0.3 * rng.normal(size=n_samples)
    categorical: tuple[int, ...] = ()
    if learner.needs().categories == "codes":
        X[:, -1] = rng.integers(0, 4, n_samples)
        categorical = (n_features - 1,)
    if learner.needs().missing:
        X[rng.random(X.shape) < 0.05] = np.nan
    if task == "classification":
        y = np.digitize(signal, np.linspace(-1, 1, n_classes + 1)[1:-1]).astype(np.int64)
        y[:n_classes] = np.arange(n_classes)
    else:
        y = 100 * signal + 1000
    names = tuple(f"feature {position}" for position in range(n_features))
    return Inputs({"X": X, "y": y}, feature_names=names, categorical=categorical)


def fit(name: str, task: Task, *, n_classes: int = 2, **changes: object) -> tuple[Fitted, Inputs]:
    learner = make_learner(name)
    train = table(learner, task, n_classes=n_classes)
    validation = table(learner, task, n_classes=n_classes, seed=1)
    return learner.fit(train, validation, replace(context(task, n_classes), **changes)), train


def bytes_of(fitted: Fitted, folder: Path) -> dict[str, bytes]:
    folder.mkdir(parents=True)
    fitted.save(folder)
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def check_predictions(predictions: Predictions, task: Task, n_samples: int, n_classes: int) -> None:
    assert predictions.values.shape == (n_samples,)
    if task == "regression":
        assert predictions.probabilities is None
        assert predictions.values.dtype == np.float64
        assert np.isfinite(predictions.values).all()
        return
    assert predictions.probabilities is not None
    assert predictions.values.dtype == np.int64
    assert predictions.probabilities.shape == (n_samples, n_classes)
    assert (predictions.probabilities >= 0).all()
    np.testing.assert_allclose(predictions.probabilities.sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_array_equal(predictions.values, predictions.probabilities.argmax(axis=1))


def check_rows(fitted: Fitted, inputs: Inputs, *, is_exact: bool) -> None:
    batch = fitted.predict(inputs)
    expected = batch.values if batch.probabilities is None else batch.probabilities
    rows = np.array([fitted.predict_row(row) for row in inputs.X.tolist()])
    if is_exact:
        np.testing.assert_array_equal(rows, expected)
    else:
        tolerance = 1e-5 if isinstance(fitted, FittedNetwork) else 1e-12  # 32 bits
        np.testing.assert_allclose(rows, expected, rtol=tolerance, atol=tolerance)


@EACH_LEARNER
def test_describes_itself(name: str) -> None:
    learner = learner_class(name)
    for text in (learner.title, learner.idea, learner.reference, learner.fitted):
        assert text.strip()
    assert learner.tasks
    assert set(learner.tasks) <= set(get_args(Task))
    assert learner.inputs == ("table",)


@EACH_LEARNER
def test_every_hyperparameter_is_documented_and_has_a_default(name: str) -> None:
    for field, info in learner_class(name).model_fields.items():
        assert info.description, field
        assert not info.is_required(), field


@EACH_LEARNER
def test_hyperparameters_are_frozen_and_strict(name: str) -> None:
    learner = make_learner(name)
    for field in type(learner).model_fields:
        with pytest.raises(pydantic.ValidationError):
            setattr(learner, field, getattr(learner, field))
    with pytest.raises(pydantic.ValidationError):
        type(learner).model_validate({"no_such_field": 1})
    assert type(learner).model_validate(json.loads(learner.model_dump_json())) == learner


@EACH_LEARNER
def test_search_space_holds_fields_and_their_defaults(name: str) -> None:
    learner = make_learner(name)
    for field, domain in learner.search_space().items():
        default = getattr(learner, field)
        if isinstance(domain, Choice):
            assert default in domain.values
            values = list(domain.values)
        else:
            assert isinstance(domain, Range)
            assert domain.low < domain.high
            assert not domain.log or domain.low > 0
            assert default == "auto" or domain.low <= default <= domain.high
            values = [int(end) if domain.integer else end for end in (domain.low, domain.high)]
        for value in values:
            assert getattr(make_learner(name, {field: value}), field) == value


@EACH_CASE
@pytest.mark.parametrize("n_classes", [2, 3])
def test_predicts_batches_and_rows_alike(name: str, task: Task, n_classes: int) -> None:
    fitted, train = fit(name, task, n_classes=n_classes)
    check_predictions(fitted.predict(train), task, train.n_samples, n_classes)
    check_rows(fitted, train, is_exact=name in {"lightgbm", "baseline"})
    row = fitted.predict_row(train.X[0].tolist())
    assert isinstance(row, float) if task == "regression" else len(row) == n_classes  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "loss"),
    [(name, loss) for name in OF_TABLES for loss in learner_class(name).losses],
)
def test_makes_the_losses_small_that_it_says_it_can(name: str, loss: LossName) -> None:
    """No shift of all predictions makes the loss clearly smaller: means, medians, quantiles are met."""
    learner, asked = make_learner(name), Loss(loss, 0.8 if loss == "quantile" else 0.5)
    if "regression" not in learner.tasks:
        return
    assert learner.minimised(asked) == asked
    train = table(learner, "regression", n_samples=400)
    fitted = learner.fit(train, None, replace(context("regression"), run_rounds=rounds(40), loss=asked))
    errors = train.y - fitted.predict(train).values.astype(np.float64)
    best = least(asked, errors)
    assert abs(best) < 0.25 * errors.std() + 1e-9
    assert row_losses(asked, errors, Predictions(np.zeros(400))).mean() <= 1.05 * max(
        row_losses(asked, errors, Predictions(np.full(400, best))).mean(), 1e-9
    )


@EACH_CASE
def test_a_row_is_predicted_alike_in_every_batch(name: str, task: Task) -> None:
    fitted, train = fit(name, task, n_classes=3)
    whole = fitted.predict(train)
    for rows in (np.arange(1), np.arange(7, 60), np.arange(0)):
        part = fitted.predict(train.take(rows))
        if isinstance(
            fitted, FittedNetwork
        ):  # matrix products of other sizes add up in another order, in 32 bits
            same = part.values if part.probabilities is None else part.probabilities
            expected = whole.take(rows)
            known = expected.values if expected.probabilities is None else expected.probabilities
            np.testing.assert_allclose(same, known, rtol=1e-5, atol=1e-6)
            continue
        np.testing.assert_array_equal(part.values, whole.take(rows).values)
        np.testing.assert_array_equal(part.probabilities, whole.take(rows).probabilities)


@EACH_CASE
def test_does_not_change_its_inputs(name: str, task: Task) -> None:
    learner = make_learner(name)
    train, validation = table(learner, task), table(learner, task, seed=1)
    before = [array.copy() for each in (train, validation) for array in each.arrays.values()]
    fitted = learner.fit(train, validation, context(task))
    fitted.predict(validation)
    after = [array for each in (train, validation) for array in each.arrays.values()]
    for old, new in zip(before, after, strict=True):
        np.testing.assert_array_equal(old, new)


@EACH_CASE
def test_accepts_arrays_that_may_not_be_written(name: str, task: Task) -> None:
    learner = make_learner(name)
    train = table(learner, task)
    for array in train.arrays.values():
        array.setflags(write=False)
    learner.fit(train, None, replace(context(task), run_rounds=three_rounds)).predict(train)


@EACH_CASE
def test_same_seed_same_bytes(name: str, task: Task, tmp_path: Path) -> None:
    first, _ = fit(name, task, n_classes=3, seed=5)
    second, _ = fit(name, task, n_classes=3, seed=5)
    assert bytes_of(first, tmp_path / "first") == bytes_of(second, tmp_path / "second")


@pytest.mark.parametrize(("name", "task"), [case for case in CASES if case[0] == "lightgbm"])
def test_threads_do_not_change_the_bytes(name: str, task: Task, tmp_path: Path) -> None:
    """LightGBM alone promises it; BLAS may add up in another order on more threads."""
    one, _ = fit(name, task, n_classes=3, threads=1)
    two, _ = fit(name, task, n_classes=3, threads=2)
    assert bytes_of(one, tmp_path / "one") == bytes_of(two, tmp_path / "two")


@EACH_CASE
def test_saves_no_pickle_and_loads_equal(name: str, task: Task, tmp_path: Path) -> None:
    fitted, train = fit(name, task, n_classes=3)
    for file, content in bytes_of(fitted, tmp_path / "saved").items():
        assert Path(file).suffix in {".json", ".safetensors", ".txt", ".ubj", ".cbm"}
        with pytest.raises(ValueError):  # no sequence of pickle's instructions
            list(pickletools.genops(content))
        assert b"sklearn" not in content
    loaded = load_fitted(learner_class(name).fitted, tmp_path / "saved")
    np.testing.assert_array_equal(loaded.predict(train).values, fitted.predict(train).values)
    assert loaded.facts() == facts_to_save(fitted.facts())
    assert bytes_of(loaded, tmp_path / "again") == bytes_of(fitted, tmp_path / "original")


@EACH_CASE
def test_facts_are_json_with_known_keys(name: str, task: Task) -> None:
    fitted, _ = fit(name, task, n_classes=3)
    facts = fitted.facts()
    assert json.loads(json.dumps(facts, allow_nan=False)) == facts
    assert set(facts) <= {"learner", *FACTS}
    assert facts["learner"]


def said(contributions: Contributions, n_classes: int) -> np.ndarray:
    """Return the predictions that contributions add up to: values, or one probability a class."""
    sums = contributions.values.sum(axis=1)
    if contributions.scale == "value":
        return sums[:, 0]
    if contributions.scale == "log_odds":
        sums = 1 / (1 + np.exp(-sums))
    elif contributions.scale == "score":
        sums = np.exp(sums - sums.max(axis=1, keepdims=True))
        sums /= sums.sum(axis=1, keepdims=True)
    return np.column_stack([1 - sums, sums]) if n_classes == 2 else sums


UNEXPLAINED = {
    *((name, task) for name in ("baseline", "knn", "mlp", "svm") for task in get_args(Task)),
    ("adaboost", "regression"),  # a median
    ("voting", "classification"),  # of probabilities, while members explain their log-odds
    ("stacking", "classification"),
}


@EACH_CASE
@pytest.mark.parametrize("n_classes", [2, 3])
def test_contributions_add_up_to_the_prediction(
    name: str, task: Task, n_classes: int, tmp_path: Path
) -> None:
    fitted, train = fit(name, task, n_classes=n_classes)
    bytes_of(fitted, tmp_path / "saved")
    fitted = load_fitted(learner_class(name).fitted, tmp_path / "saved")
    if (name, task) in UNEXPLAINED:
        with pytest.raises(NotExplainedError, match="ermutation importance"):
            explain(fitted, train)
        return
    found = explain(fitted, train)
    n_outputs = n_classes if task == "classification" and n_classes > 2 else 1
    assert found.values.shape == (train.n_samples, train.X.shape[1] + 1, n_outputs)
    np.testing.assert_array_equal(found.values[:, -1], np.tile(found.values[0, -1], (train.n_samples, 1)))
    if not (name == "linear_svm" and n_classes == 3 and task == "classification"):
        # Those are log-odds one against all; their probabilities are made to sum to 1 afterwards.
        predictions = fitted.predict(train)
        expected = predictions.values if task == "regression" else predictions.probabilities
        np.testing.assert_allclose(said(found, n_classes), expected, rtol=0, atol=1e-9)
    one = explain(fitted, train.take(np.arange(3, 4))).values[0]
    np.testing.assert_allclose(one, found.values[3], rtol=0, atol=1e-9 * (1 + np.abs(one).max()))
    assert explain(fitted, train.take(np.arange(0))).values.shape == (0, *found.values.shape[1:])


FRESH_PROCESS = """
import sys, numpy as np
from pathlib import Path
from groundup.core.inputs import Inputs
from groundup.models.catalogue import load_fitted
for folder in sorted(Path(sys.argv[1]).iterdir()):
    X = np.load(folder / "X.npy")
    fitted = load_fitted((folder / "reference").read_text(), folder / "model")
    predictions = fitted.predict(Inputs({"X": X}))
    rows = np.array([fitted.predict_row(row) for row in X.tolist()])
    out = predictions.values if predictions.probabilities is None else predictions.probabilities
    np.save(folder / "batch.npy", out); np.save(folder / "rows.npy", rows)
print(*sorted({"sklearn", "lightgbm", "scipy", "pandas", "polars", "pyarrow"} & set(sys.modules)))
"""


def test_saved_learners_predict_the_same_in_a_fresh_process_without_training_libraries(
    tmp_path: Path,
) -> None:
    expected = {}
    for name, task in CASES:
        # Their own packages predict: tests/models/test_catboost.py, test_mlp.py and test_xgboost.py.
        if name == "catboost" or name in EXTRAS:
            continue
        fitted, train = fit(name, task, n_classes=3)
        folder = tmp_path / f"{name}-{task}"
        bytes_of(fitted, folder / "model")
        (folder / "reference").write_text(learner_class(name).fitted)
        np.save(folder / "X.npy", train.X)
        predictions = fitted.predict(train)
        rows = np.array([fitted.predict_row(row) for row in train.X.tolist()])
        expected[folder] = (predictions.values if task == "regression" else predictions.probabilities, rows)
    done = subprocess.run(
        [sys.executable, "-c", FRESH_PROCESS, tmp_path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []
    for folder, (batch, rows) in expected.items():
        np.testing.assert_array_equal(np.load(folder / "batch.npy"), batch, err_msg=folder.name)
        np.testing.assert_array_equal(np.load(folder / "rows.npy"), rows, err_msg=folder.name)


@pytest.mark.parametrize(("name", "task"), [case for case in CASES if make_learner(case[0]).can_weigh()])
def test_rows_that_count_more_pull_harder(name: str, task: Task) -> None:
    # A leaf of one row says that row's answer, however often it counts.
    learner = make_learner(name, {"min_samples_leaf": 20} if name == "extra_trees" else {})
    train, validation = table(learner, task), table(learner, task, seed=1)
    unseen = table(learner, task, seed=2)
    plain = learner.fit(train, validation, context(task)).predict(unseen)
    pulled = learner.fit(*(weighed(each, 9.0) for each in (train, validation)), context(task)).predict(unseen)
    if task == "regression":
        assert pulled.values.mean() > plain.values.mean()
    else:
        assert plain.probabilities is not None
        assert pulled.probabilities is not None
        assert pulled.probabilities[:, 1].mean() > plain.probabilities[:, 1].mean() + 0.005


@pytest.mark.parametrize(("name", "task"), [case for case in CASES if make_learner(case[0]).can_weigh()])
def test_equal_weights_change_nothing(name: str, task: Task) -> None:
    if name == "random_forest":
        pytest.skip("scikit-learn draws the rows of its trees by their weights, with other random numbers")
    learner = make_learner(name)
    train, validation = table(learner, task), table(learner, task, seed=1)
    plain = learner.fit(train, validation, context(task)).predict(train)
    ones = learner.fit(*(weighed(each, 1.0) for each in (train, validation)), context(task)).predict(train)
    np.testing.assert_allclose(ones.values, plain.values, rtol=1e-5)
    if plain.probabilities is not None:
        np.testing.assert_allclose(ones.probabilities, plain.probabilities, atol=1e-5)


def weighed(inputs: Inputs, weight: float) -> Inputs:
    """Return rows of which those of class 1, or with a large target, count `weight` times."""
    return inputs.with_weight(np.where(inputs.y > inputs.y.mean(), weight, 1.0))


def rounds(most: int) -> Callable[..., object]:
    def loop(*arguments: object, n_rounds: int, monitor: str) -> object:
        return context("regression").run_rounds(*arguments, n_rounds=min(most, n_rounds), monitor=monitor)  # type: ignore[arg-type]

    return loop


def three_rounds(*arguments: object, n_rounds: int, monitor: str) -> object:
    return context("regression").run_rounds(*arguments, n_rounds=min(3, n_rounds), monitor=monitor)  # type: ignore[arg-type]


def hard_tables(learner: Learner, task: Task) -> Iterator[tuple[str, Inputs]]:
    yield "tiny", table(learner, task, n_samples=4)
    yield "few", table(learner, task, n_samples=20)
    yield "wide", table(learner, task, n_samples=15, n_features=300)
    yield "one feature", table(learner, task, n_features=1)
    constant = table(learner, task, n_samples=40)
    yield "constant features", replace(constant, arrays={"X": np.ones_like(constant.X), "y": constant.y})
    twice = np.concatenate([constant.X[:, :3], constant.X[:, :3]], axis=1)
    yield "repeated features", replace(constant, arrays={"X": twice, "y": constant.y}, categorical=())
    yield "one answer", constant.with_target(np.full_like(constant.y, constant.y[0]))
    large = replace(constant, arrays={"X": constant.X * 1e100, "y": constant.y}, categorical=())
    if not learner.needs().scaled:
        yield "large numbers", large


@EACH_CASE
def test_survives_hard_tables(name: str, task: Task) -> None:
    learner = make_learner(name)
    for title, train in hard_tables(learner, task):
        fitted = learner.fit(train, train.take(np.arange(3)), context(task))
        predictions = fitted.predict(train)
        check_predictions(predictions, task, train.n_samples, 2)
        check_rows(fitted, train, is_exact=name in {"lightgbm", "baseline"})
        assert json.dumps(fitted.facts(), allow_nan=False), title


@pytest.mark.parametrize(("name", "task"), [case for case in CASES if case[1] == "classification"])
@pytest.mark.parametrize("n_classes", [2, 3, 4])
def test_survives_classes_missing_from_a_part(name: str, task: Task, n_classes: int) -> None:
    learner = make_learner(name)
    whole = table(learner, task, n_classes=n_classes)
    without_last = whole.take(np.flatnonzero(whole.y != n_classes - 1))
    for train, validation in ((whole, without_last), (without_last, whole)):
        fitted = learner.fit(train, validation, context(task, n_classes))
        predictions = fitted.predict(whole)
        check_predictions(predictions, task, whole.n_samples, n_classes)
        check_rows(fitted, whole, is_exact=name in {"lightgbm", "baseline"})
    assert predictions.probabilities is not None
    assert predictions.probabilities[:, -1].max() < 0.01


@EACH_CASE
def test_keeps_the_best_so_far_when_asked_to_stop(name: str, task: Task) -> None:
    fitted, train = fit(name, task)
    learner = make_learner(name)
    stopped = learner.fit(train, train, context(task, should_stop=lambda: True))
    check_predictions(stopped.predict(train), task, train.n_samples, 2)
    if "n_rounds" in fitted.facts():
        assert stopped.facts()["n_rounds"] == 1
        assert stopped.facts()["stopped"] == "request"


@EACH_CASE
def test_needs_no_validation_rows(name: str, task: Task) -> None:
    learner = make_learner(
        name, {"n_estimators": 5} if "n_estimators" in learner_class(name).model_fields else {}
    )
    train = table(learner, task)
    check_predictions(learner.fit(train, None, context(task)).predict(train), task, train.n_samples, 2)
