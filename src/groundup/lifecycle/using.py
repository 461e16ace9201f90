"""What a finished run is for: measuring it on new rows, predicting a file, making it again."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from groundup.core.errors import DataError, PackageError, RunError, StorageError
from groundup.core.files import whole_file
from groundup.core.findings import Finding
from groundup.core.inputs import Predictions
from groundup.core.runs import RunFolder
from groundup.core.schema import Schema
from groundup.data.dataset import Dataset
from groundup.data.frames import unique_names
from groundup.data.options import DataOptions
from groundup.data.source_names import given_source
from groundup.data.sources import read
from groundup.doctor.examine import examine
from groundup.doctor.rules import USE_RULES
from groundup.doctor.signals import UseSignals
from groundup.evaluation.intervals import BootstrapOptions, bootstrap
from groundup.evaluation.metrics import METRICS
from groundup.lifecycle.collect import codes_of
from groundup.lifecycle.run import Run
from groundup.monitoring.mismatch import count_mismatches
from groundup.preparation.target import TargetPlan
from groundup.serving.explaining import scale_sentence
from groundup.serving.package import check_package, load_model

if TYPE_CHECKING:
    from groundup.serving.model import Model


@dataclass(frozen=True)
class Reproduction:
    """Whether a recipe gave the same model again.

    Parameters
    ----------
    equal : bool
        Every file of the two packages that decides a prediction is equal, bit for bit.
    run : Run
        The second run.
    differences : list of str
        What differs, for people.
    """

    equal: bool
    run: Run
    differences: list[str]


def compare_models(first: RunFolder, again: RunFolder) -> Reproduction:
    """Compare two runs' packages by their digests."""
    one, other = Run(first.path), Run(again.path)
    differences = []
    if one.summary["data"]["fingerprint"] != other.summary["data"]["fingerprint"]:
        differences.append(f"The data in {one.summary['data']['origin']} have changed since.")
    packages = one.summary["reproduce"]["packages"], other.summary["reproduce"]["packages"]
    differences += [
        f"{name}: version {packages[0].get(name)} then, {packages[1].get(name)} now."
        for name in sorted(packages[0].keys() | packages[1].keys())
        if packages[0].get(name) != packages[1].get(name)
    ]
    manifests = check_package(first.model), check_package(again.model)
    digests = manifests[0].digests, manifests[1].digests
    differences += [
        f"`model/{name}` differs."
        for name in sorted(digests[0].keys() | digests[1].keys())
        if digests[0].get(name) != digests[1].get(name)
    ]
    return Reproduction(manifests[0].digest == manifests[1].digest, other, differences)


def evaluate_model(folder: Path, source: object) -> dict[str, Any]:
    """Measure a model on new rows whose target is known; see `groundup.evaluate`."""
    model = load_model(folder)
    dataset = _read(source, Schema([*model.schema, *_card_columns(model)]))
    if model.target not in dataset.schema:
        raise DataError(
            f"The rows have no column `{model.target}`, so nothing can be compared with the truth."
        )
    table = dataset.frame().filter(pl.col(model.target).is_not_null())
    if table.is_empty():
        raise DataError(
            f"No row of {dataset.origin} has a `{model.target}`, so there is nothing to compare with."
        )
    target_plan = TargetPlan("classification" if model.classes else "regression", model.classes)
    y_true = target_plan.encode(table[model.target])
    guess = _constant(model.card["baseline_prediction"], len(table))
    metrics = list(model.card["test"])
    positive = model.classes.index(model.manifest.positive) if model.manifest.positive in model.classes else 1
    scores, baseline = (
        {
            name: interval.to_json()
            for name, interval in bootstrap(
                metrics, y_true, each, positive=positive, options=_bootstrap_options(model, table)
            ).items()
        }
        for each in (_predictions(model, table), guess)
    )
    return {
        "n_rows": len(table),
        "metric": model.card["metric"],
        "metrics": scores,
        "baseline": baseline,
        "titles": {name: METRICS[name].title for name in metrics},
        "findings": [
            finding.to_json()
            for finding in (*dataset.findings, *_unlike_training(folder, model, [table], len(table)))
        ],
    }


def _unlike_training(
    folder: Path, model: "Model", batches: Iterable[pl.DataFrame], n_rows: int
) -> tuple[Finding, ...]:
    """Ask the doctor whether new rows look like the training rows; nothing is known of these in a package."""
    data = RunFolder(folder).data
    if not data.is_file():
        return ()
    try:
        columns = json.loads(data.read_text(encoding="utf-8"))["reference"]
        reference = [column for column in columns if column["name"] in model.schema]
        signals = UseSignals(n_rows, count_mismatches(batches, reference))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RunError(f"`{data}` is damaged or was edited. Train the run again.") from error
    return examine(signals, USE_RULES).findings


def _card_columns(model: "Model") -> Schema:
    """Return what else is read of labelled rows: the target, and what rows depend on each other by."""
    try:
        return Schema.from_json([model.card["target_column"], *model.card["split"].values()])
    except (KeyError, TypeError, AttributeError) as error:
        raise PackageError(
            "The package's card does not say how the target is read; train it again."
        ) from error


def _bootstrap_options(model: "Model", table: pl.DataFrame) -> BootstrapOptions:
    """Return how intervals are made: as in the run, by entity or in time where the rows say which."""
    units = {
        role: codes_of(table[column["name"]])
        for role, column in model.card["split"].items()
        if column["name"] in table.columns
    }
    return BootstrapOptions(
        confidence=model.card["confidence"], groups=units.get("groups"), times=units.get("times")
    )


def _read(source: object, schema: Schema) -> Dataset:
    if (named := given_source(source)) is not None:
        dataset = read(DataOptions(source=named), schema=schema)
    else:
        dataset = read(DataOptions(), frame=source, schema=schema)
    if not dataset.schema.names:
        wanted = ", ".join(f"`{name}`" for name in schema.names[:20])
        raise DataError(
            f"{dataset.origin} has none of the columns that the model was trained with ({wanted}). Check "
            "that it is the right table, and that its first row holds the names."
        )
    return dataset


def _predictions(model: "Model", table: pl.DataFrame) -> Predictions:
    if model.task == "regression":
        return Predictions(model.predict(table).to_numpy())
    probabilities = model.predict_proba(table).to_numpy(order="c")
    if model.threshold is None:
        return Predictions(probabilities.argmax(axis=1).astype(np.int64), probabilities)
    codes = TargetPlan("classification", model.classes).encode(model.predict(table))
    return Predictions(codes, probabilities)


def _constant(prediction: float | list[float], n_rows: int) -> Predictions:
    """Return what the baseline says of every row."""
    if isinstance(prediction, list):
        probabilities = np.tile(np.array(prediction), (n_rows, 1))
        return Predictions(probabilities.argmax(axis=1).astype(np.int64), probabilities)
    return Predictions(np.full(n_rows, prediction))


_WRITERS: Final[Mapping[str, Callable[[pl.DataFrame, Path], None]]] = MappingProxyType(
    {
        ".csv": lambda answers, path: answers.write_csv(path),
        ".tsv": lambda answers, path: answers.write_csv(path, separator="\t"),
        ".parquet": lambda answers, path: answers.write_parquet(path),
        ".jsonl": lambda answers, path: answers.write_ndjson(path),
        ".arrow": lambda answers, path: answers.write_ipc(path),
    }
)
"""Extension → what writes predictions so."""


def predict_file(
    folder: Path, source: object, output: Path, *, coverage: float | None = None, contributions: bool = False
) -> dict[str, Any]:
    """Predict the rows of a file, in their order; see `groundup.predict`."""
    write = _WRITERS.get(output.suffix.lower())
    if write is None:
        *others, last = _WRITERS
        raise StorageError(f"Cannot write `{output}`: its name must end in {', '.join(others)} or {last}.")
    if (
        isinstance(source, str | Path)
        and output.exists()
        and Path(source).exists()
        and output.samefile(source)
    ):
        raise StorageError(f"`{output}` holds the rows to predict; write the predictions to another file.")
    model = load_model(folder)
    added_up = _added_up(model) if contributions else None  # a model that cannot tell says so at once
    dataset = _read(source, model.schema)

    def answers_of(batch: pl.DataFrame) -> pl.DataFrame:
        answers = _answers(model, batch, coverage, contributions=contributions)
        pictures = [each.name for each in dataset.schema if each.kind == "image"]  # files that were left out
        return pl.DataFrame([*batch.select(pictures), *answers])  # would shift the rows

    parts = [answers_of(batch) for batch in dataset.batches()]
    answers = pl.concat(parts) if parts else answers_of(dataset.frame())
    with whole_file(output) as temporary:
        write(answers, temporary)
    return {
        "n_rows": len(answers),
        "output": str(output),
        "contributions": added_up,
        "findings": [
            finding.to_json()
            for finding in (
                *dataset.findings,
                *_unlike_training(folder, model, dataset.batches(), dataset.n_rows),
            )
        ],
    }


def _added_up(model: "Model") -> str:
    """Return what the model's contributions add up to, as a sentence."""
    if not model.classes:
        what = f"`{model.target}`"
    elif len(model.classes) == 2:
        what = f"`{model.manifest.positive}`"
    else:
        what = "the class that is answered"
    return scale_sentence(model.contribution_scale, what=what, is_calibrated=model.is_calibrated)


def _answers(
    model: "Model", batch: pl.DataFrame, coverage: float | None, *, contributions: bool
) -> pl.DataFrame:
    """Return a column named after the target, each class's probability, and what else was asked for."""
    answers = pl.DataFrame({model.target: model.predict(batch)})
    if model.task == "regression":
        further = [] if coverage is None else model.predict_interval(batch, coverage).get_columns()
    else:
        further = _renamed(model.predict_proba(batch), "probability_")
        if coverage is not None:
            further += _renamed(model.predict_set(batch, coverage), "in_set_")
    if contributions:
        further += model.contributions(batch).get_columns()
    names = [model.target, *(column.name for column in further)]
    unique = unique_names(names)[1:]  # the target itself may be called `probability_yes`
    return answers.hstack([column.alias(name) for column, name in zip(further, unique, strict=True)])


def _renamed(table: pl.DataFrame, prefix: str) -> list[pl.Series]:
    return [column.alias(prefix + column.name) for column in table]
