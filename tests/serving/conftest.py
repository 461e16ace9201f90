"""Small fitted models, made once, and the packages they are written to."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from groundup.core.inputs import Inputs
from groundup.core.schema import Column, Schema
from groundup.core.tasks import Task
from groundup.data.dataset import Dataset
from groundup.models.catalogue import make_learner
from groundup.models.contract import FitContext, RoundsResult
from groundup.preparation.options import PreparationOptions
from groundup.preparation.table import TablePreparation
from groundup.preparation.target import TargetPlan
from groundup.serving.answering import Answering
from groundup.serving.model import Model
from groundup.serving.options import DeploymentOptions
from groundup.serving.package import PackageContents, load_package, write_package

SCHEMA = Schema(
    [
        Column("age", "number", "integer"),
        Column("income", "number", "float", format="1,234.5"),
        Column("city", "category", "string", missing=("?",)),
        Column("member", "boolean", "boolean"),
        Column("since", "datetime", "datetime", format="%d.%m.%Y"),
        Column("note", "text", "string"),
        Column("id", "identifier", "integer"),
    ]
)

FEATURES = ("age", "income", "city", "member", "since", "note")


def table(n_rows: int = 300) -> pl.DataFrame:
    """Return rows in canonical types, some of their values missing."""
    random = np.random.default_rng(0)

    def holed(values: pl.Series) -> pl.Series:
        return pl.select(pl.when(pl.Series(random.random(n_rows) > 0.1)).then(values)).to_series()

    days = pl.Series(random.integers(0, 2000, n_rows)).cast(pl.Int64)
    columns = {
        "age": pl.Series(random.integers(18, 90, n_rows)),
        "income": pl.Series(random.lognormal(10, 1, n_rows)),
        "city": pl.Series(random.choice(["Bonn", "Rome", "Ulm", "Oslo"], n_rows)),
        "member": pl.Series(random.random(n_rows) > 0.5),
        "since": pl.Series(days * 86_400_000_000 + 1_500_000_000_000_000).cast(pl.Datetime("us")),
        "note": pl.Series(
            random.choice(["a nice place to be", "far too loud", "never again please"], n_rows)
        ),
    }
    frame = pl.DataFrame([holed(values).alias(name) for name, values in columns.items()])
    return frame.with_columns(id=pl.int_range(n_rows))


def rounds(advance: Callable[[], bool], scores: Any, *, n_rounds: int, monitor: str) -> RoundsResult:
    """Run all rounds, watching nothing."""
    for number in range(1, n_rounds + 1):
        if advance():
            return RoundsResult(number - 1, number - 1, {}, "exhausted")
    return RoundsResult(n_rounds, n_rounds, {}, "limit")


def labels(frame: pl.DataFrame, task: Task, classes: int = 2) -> pl.Series:
    """Return a target that follows from the columns."""
    score = frame["age"].fill_null(40) / 90 + (frame["city"] == "Bonn").fill_null(value=False).cast(
        pl.Float64
    )
    if task == "regression":
        return score.alias("y") * 10
    return (score * classes / 2).floor().cast(pl.Int64).clip(0, classes - 1).cast(pl.String).alias("y")


def make_contents(
    learner: str,
    task: Task = "classification",
    *,
    hyperparameters: Mapping[str, Any] | None = None,
    missing_columns: Any = "error",
    classes: int = 2,
    answering: Answering | None = None,
) -> PackageContents:
    """Return a fitted model."""
    frame = table()
    plan = TargetPlan.fit(labels(frame, task, classes), task)
    model = make_learner(learner, hyperparameters)
    preparation = TablePreparation(PreparationOptions(text_buckets=8))
    features = SCHEMA.select(FEATURES)
    dataset = Dataset(frame.select(FEATURES).lazy(), features, len(frame), "frame")
    inputs, _ = preparation.fit_transform(dataset, model.needs())
    train: Inputs = inputs.with_target(plan.encode(labels(frame, task, classes)))
    context = FitContext(task, len(plan.classes), 0, 1, rounds, lambda: False)
    fitted = model.fit(train, None, context)
    return PackageContents(
        task=task,
        target="y",
        positive="1" if task == "classification" and classes == 2 else None,
        classes=plan.classes,
        schema=SCHEMA,
        preparation=preparation,
        fitted=fitted,
        learner=learner,
        fitted_reference=type(model).fitted,
        deployment=DeploymentOptions(missing_columns=missing_columns),
        answering=Answering() if answering is None else answering,
        card={"accuracy": {"value": 0.9, "low": 0.8, "high": 0.95}},
    )


FAST = {"lightgbm": {"n_estimators": 10}}

MODELS: dict[str, tuple[str, Task, int]] = {
    "boosted classes": ("lightgbm", "classification", 2),
    "boosted three classes": ("lightgbm", "classification", 3),
    "boosted numbers": ("lightgbm", "regression", 0),
    "linear classes": ("logistic", "classification", 3),
    "linear numbers": ("ridge", "regression", 0),
    "baseline": ("baseline", "classification", 2),
}


@pytest.fixture(scope="session", params=MODELS)
def contents(request: pytest.FixtureRequest) -> PackageContents:
    """Return each kind of fitted model."""
    learner, task, classes = MODELS[request.param]
    return make_contents(learner, task, hyperparameters=FAST.get(learner), classes=classes)


@pytest.fixture(scope="session")
def boosted() -> PackageContents:
    """Return one fitted model."""
    return make_contents("lightgbm", hyperparameters=FAST["lightgbm"])


@pytest.fixture(scope="session")
def package(boosted: PackageContents, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a package that no test may change."""
    folder = tmp_path_factory.mktemp("packages") / "model"
    write_package(folder, boosted)
    return folder


@pytest.fixture(scope="session")
def rows() -> pl.DataFrame:
    """Return rows as a model meets them: without the target."""
    return table(80).select(FEATURES)


@pytest.fixture
def load_with(tmp_path: Path) -> Callable[..., Model]:
    """Return what packs a small fitted model with a stage of answers, and loads it again."""

    def load(learner: str, answering: Answering, task: Task = "classification", classes: int = 2) -> Model:
        contents = make_contents(
            learner, task, hyperparameters=FAST.get(learner), classes=classes, answering=answering
        )
        write_package(tmp_path / "model", contents)
        return load_package(tmp_path / "model")

    return load
