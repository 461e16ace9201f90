"""Step 2, collect and preprocess: split first, then look, then prepare."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from groundup import __version__
from groundup.core.errors import RunError, SplitError, UnknownColumnError
from groundup.core.files import write_json
from groundup.core.inputs import Inputs, IntArray, Needs, Supervision
from groundup.core.runs import RunFolder
from groundup.core.wording import count
from groundup.data.dataset import Dataset
from groundup.data.fingerprint import fingerprint
from groundup.data.kinds import find_kind
from groundup.data.leaks import find_leaks
from groundup.data.options import SplitOptions
from groundup.data.profile import dominant_values, profile
from groundup.data.split import Split, make_split
from groundup.doctor.examine import examine
from groundup.doctor.rules import DATA_RULES
from groundup.doctor.signals import DataSignals
from groundup.evaluation.availability import Availability, find_availability
from groundup.evaluation.giveaways import find_giveaways
from groundup.evaluation.intervals import BootstrapOptions
from groundup.lifecycle.define import Framed
from groundup.lifecycle.representing import represent
from groundup.lifecycle.session import Session
from groundup.lifecycle.stage_cost import tell_asked
from groundup.monitoring.reference import build_reference
from groundup.preparation.choices import needs_of_plans
from groundup.preparation.contract import Preparation
from groundup.preparation.fitting import tell_outliers
from groundup.preparation.forms import make_preparation
from groundup.preparation.options import PreparationOptions
from groundup.preparation.target import TargetPlan


class SealedTest:
    """The test part. It is opened after every choice is made, and the run counts how often."""

    def __init__(self, dataset: Dataset, positions: IntArray, folder: RunFolder) -> None:
        self._dataset = dataset
        self._positions = positions
        self._folder = folder
        self.n_rows = len(positions)

    def open(self) -> Dataset:
        """Return the test rows; `run.json` counts it."""
        self._folder.update_summary(test_opened=self._folder.read_summary().test_opened + 1)
        return self._dataset.take(self._positions)


@dataclass(frozen=True)
class Prepared:
    """The training and validation parts as one kind of learner needs them.

    Parameters
    ----------
    preparation : Preparation
        Fitted on the training part.
    train, validation : Inputs
        With their targets.
    kept : ndarray of shape (n_kept,)
        Positions of the training rows in `train` (all, unless rows with missing values are dropped).
    """

    preparation: Preparation
    train: Inputs
    validation: Inputs
    kept: IntArray


class Collected:
    """The parts, prepared on demand for what each learner needs."""

    def __init__(self, session: Session, framed: Framed, split: Split) -> None:
        recipe, self.problem = session.recipe, framed.problem
        self.split = split
        self.target = framed.problem.target
        left_out = {
            self.target,
            recipe.data.split.column,
            recipe.data.split.group,
            recipe.training.sample_weight,
        }
        # A column may be a feature in one run and name the groups of the next: then its exception is moot.
        columns = {name: own for name, own in recipe.preparation.columns.items() if name not in left_out}
        self.options = recipe.preparation.model_copy(update={"columns": columns})
        dropped = {name for name, column in recipe.preparation.columns.items() if column.drop}
        # The preparation is offered what the recipe drops, too: it says so and checks the names.
        self.offered = tuple(name for name in framed.dataset.schema.names if name not in left_out)
        self.features = tuple(name for name in self.offered if name not in dropped)
        if not self.features:
            raise SplitError("There is no column left to predict from; the table holds only the target.")
        self.schema = framed.dataset.schema
        self.train = framed.dataset.take(split.train)
        self.validation = framed.dataset.take(split.validation)
        self.test = SealedTest(framed.dataset, split.test, session.folder)
        self.target_plan = TargetPlan(framed.problem.task, framed.problem.classes)
        self.y_train = self.encode(self.train)
        self.y_validation = self.encode(self.validation)
        self.weight_train = framed.weighing.of_rows(self.train)
        self.weight_validation = framed.weighing.of_rows(self.validation)
        self.supervision = Supervision(
            self.y_train,
            len(framed.problem.classes),
            self.groups(self.train, recipe.data.split.group),
            session.seed("preparation"),
        )
        self._prepared: dict[Needs, Prepared] = {}
        self.profile: list[dict[str, Any]] = profile(self.train.frame(), self.train.schema)
        self.population: dict[str, Any] = {}

    def encode(self, dataset: Dataset) -> NDArray[np.generic]:
        """Return the targets of a part: class codes or values."""
        return self.target_plan.encode(dataset.frame([self.target]).to_series())

    def groups(self, dataset: Dataset, column: str | None) -> IntArray | None:
        """Return the codes of a column's values, for splits and intervals that depend on it."""
        return None if column is None else codes_of(dataset.frame([column]).to_series())

    def supervised(self, inputs: Inputs, rows: IntArray) -> Inputs:
        """Return the inputs of the given rows of the training part with their targets and weights."""
        weight = None if self.weight_train is None else self.weight_train[rows]
        return inputs.with_target(self.y_train[rows]).with_weight(weight)

    def make_preparation(self, options: PreparationOptions, needs: Needs) -> Preparation:
        """Return a preparation for what a learner needs; pictures alone become a table as thumbnails."""
        are_pictures = all(self.schema[name].kind == "image" for name in self.features)
        form = "thumbnails" if are_pictures and needs.form == "matrix" else needs.form
        return make_preparation(options, form)

    def prepared(self, needs: Needs) -> Prepared:
        """Return both parts as `needs` says; fitted once per needs, on the training part."""
        needs = needs_of_plans(self.options, needs)
        if needs not in self._prepared:
            preparation = self.make_preparation(self.options, needs)
            train, kept = preparation.fit_transform(self.train.select(self.offered), needs, self.supervision)
            validation = preparation.transform(self.validation.frame(self.features))
            self._prepared[needs] = Prepared(
                preparation,
                self.supervised(train, kept),
                validation.with_target(self.y_validation).with_weight(self.weight_validation),
                kept,
            )
        return self._prepared[needs]


def codes_of(values: pl.Series) -> IntArray:
    """Return a column's values as codes in their order; 0 where one is missing."""
    return values.rank("dense").fill_null(0).cast(pl.Int64).to_numpy()


def collect(session: Session, framed: Framed) -> Collected:
    """Split the rows, look for leaks between the parts, and prepare the training part."""
    recipe = session.recipe
    with session.step(2, "Collect and preprocess data") as step:
        dataset, problem = framed.dataset, framed.problem
        for name in recipe.evaluation.slices:  # an hour of training later would be late
            if name not in dataset.schema:
                raise UnknownColumnError(name, dataset.schema.names)
        split = make_split(
            dataset,
            target=problem.target,
            task=problem.task,
            options=recipe.data.split,
            seed=session.seed("split"),
        )
        session.data_fingerprint = fingerprint(dataset)
        _refuse_other_data(session)
        collected = Collected(session, framed, split)
        session.report_findings(split.findings)
        session.report_findings(
            find_leaks(
                dataset,
                split,
                features=[
                    name
                    for name in collected.features
                    if dataset.schema[name].kind not in ("identifier", "constant", "image")
                ],
                target=problem.target,
                options=recipe.data.split,
                seed=session.seed("leaks"),
            )
        )
        collected.population = represent(
            collected.train,
            recipe.data,
            BootstrapOptions(
                confidence=recipe.evaluation.confidence,
                groups=collected.groups(collected.train, recipe.data.split.group),
                times=collected.groups(collected.train, recipe.data.split.time),
            ),
        )
        session.report_findings(_examine_data(session, framed, collected))
        _write_data(session, collected)
        kinds = [dataset.schema[name].kind for name in collected.features]
        counted = ", ".join(f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds))
        step.say(
            f"{count(dataset.n_rows, 'row')}, {count(len(kinds), 'column')} besides the target: {counted}."
        )
        step.say(
            f"Split {_how_split(split.method, recipe.data.split)}: {count(len(split.train))} rows train, "
            f"{count(len(split.validation))} validation, {count(len(split.test))} test; all statistics come "
            "from the training rows."
        )
        if "sentence" in collected.population:
            step.say(collected.population["sentence"])
        for told in tell_outliers(collected.train.select(collected.offered), collected.options):
            step.say(f"Outliers in the training rows, {told}.")
        if stages := tell_asked(collected.options):
            step.say(stages)
        session.reasons["data.split.method"] = split.reason
        for name in dataset.schema.names:
            session.reasons[f"data.columns.{name}"] = dataset.schema[name].reason
    return collected


def _how_split(method: str, options: SplitOptions) -> str:
    """Return how rows came into their parts, in a few words; `split.reason` says more."""
    return {
        "random": "at random",
        "stratified": "at random, class by class",
        "group": f"by `{options.group}`",
        "time": f"in the order of `{options.time}`",
        "column": f"as `{options.column}` says",
    }[method]


def _refuse_other_data(session: Session) -> None:
    """Raise if an interrupted run is resumed on data that are no longer the same."""
    if not session.folder.data.is_file():
        return
    try:
        before = json.loads(session.folder.data.read_text(encoding="utf-8"))["fingerprint"]
    except (ValueError, KeyError, TypeError) as error:
        raise RunError(
            f"`{session.folder.data}` is damaged or was edited, so it is not known whether the data are the "
            "same, and the run cannot go on. Train a new run."
        ) from error
    if before != session.data_fingerprint:
        raise RunError(
            f"The data in `{session.recipe.data.source}` have changed since the run `{session.folder.path}` "
            "was interrupted, so it cannot go on. Train a new run, or bring the old data back."
        )


def _examine_data(session: Session, framed: Framed, collected: Collected) -> list[Any]:
    """Ask the doctor's rules about the data."""
    problem = framed.problem
    counts = np.bincount(collected.y_train, minlength=len(problem.classes)) if problem.classes else ()
    signals = DataSignals(
        schema=collected.schema,
        target=problem.target,
        task=problem.task,
        features=collected.features,
        profile=collected.profile,
        n_rows_read=framed.n_rows_read,
        n_rows_without_target=framed.n_rows_without_target,
        n_train=len(collected.split.train),
        n_validation=len(collected.split.validation),
        n_test=len(collected.split.test),
        class_counts={str(name): int(n) for name, n in zip(problem.classes, counts, strict=True)},
        giveaways=find_giveaways(
            collected.train.frame(collected.features),
            collected.schema.select(collected.features),
            collected.y_train,
            task=problem.task,
            seed=session.seed("giveaways"),
        ),
        availability=_availability(session, collected),
        dominant=dominant_values(
            collected.train.frame(),
            [each for each in collected.profile if each["name"] in collected.features],
        ),
        forced_identifiers=_forced_identifiers(session, collected),
        population=collected.population,
        sliced=session.recipe.evaluation.slices,
    )
    return list(examine(signals, DATA_RULES).findings)


def _availability(session: Session, collected: Collected) -> Availability | None:
    """Look at the training and validation rows in the order of time, where a column gives one."""
    time = session.recipe.data.split.time
    if time is None:
        return None
    names = list(dict.fromkeys([*collected.features, time]))
    return find_availability(
        pl.concat([part.frame(names) for part in (collected.train, collected.validation)]),
        collected.schema.select(collected.features),
        np.concatenate([collected.y_train, collected.y_validation]),
        time,
        task=collected.problem.task,
        seed=session.seed("availability"),
    )


def _forced_identifiers(session: Session, collected: Collected) -> dict[str, str]:
    """Return the features that look like identifiers though the recipe calls them something else, and why."""
    forced = [name for name in collected.features if name in session.recipe.data.columns]
    kinds = {
        name: find_kind(collected.train.frame([name])[name], collected.schema[name].storage)
        for name in forced
        if collected.schema[name].kind not in ("identifier", "constant")
    }
    return {name: found.reason for name, found in kinds.items() if found.kind == "identifier"}


def _write_data(session: Session, collected: Collected) -> None:
    """Write `data.json`: schema, fingerprint, statistics, and the reference for drift."""
    train = collected.train
    write_json(
        session.folder.data,
        {
            "groundup": __version__,
            "origin": train.origin,
            "fingerprint": session.data_fingerprint,
            "schema": collected.schema.to_json(),
            "split": collected.split.to_json(),
            "profile": collected.profile,
            "reference": build_reference(
                train.frame(), train.schema, collected.profile, bins=session.recipe.monitoring.bins
            ),
        },
    )
