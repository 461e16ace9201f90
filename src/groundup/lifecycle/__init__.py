"""The eight steps as eight calls. Start reading here.

A run is one pass through `_eight_steps`; everything else on this page starts one, goes on with one,
or uses what one left behind. What each step does stands in the file named for it.
"""

import contextlib
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from groundup.core.errors import GroundupError, RunError
from groundup.core.events import EventStream, Observer
from groundup.core.metrics_store import MetricsStore
from groundup.core.runs import RunFolder
from groundup.core.tensorboard import TensorBoardWriter
from groundup.data.source_names import source_stem
from groundup.lifecycle.asking import ask
from groundup.lifecycle.checking import CheckResult, check_data
from groundup.lifecycle.collect import collect
from groundup.lifecycle.comparison import Comparison, compare_runs
from groundup.lifecycle.define import define
from groundup.lifecycle.deploying import deploy
from groundup.lifecycle.design import choose_loss, design, initialise
from groundup.lifecycle.fitting import Trainer, train_candidates
from groundup.lifecycle.judging import evaluate_choice
from groundup.lifecycle.memory import keep_frame
from groundup.lifecycle.run import Run
from groundup.lifecycle.session import Session
from groundup.lifecycle.using import Reproduction, compare_models, evaluate_model, predict_file
from groundup.lifecycle.writing import learn_to_write
from groundup.recipe import Recipe
from groundup.serving.package import check_package

__all__ = [
    "CheckResult",
    "Comparison",
    "Reproduction",
    "Run",
    "check",
    "compare",
    "evaluate",
    "init",
    "predict",
    "reproduce",
    "resume",
    "train",
]


def _eight_steps(session: Session) -> None:
    """Take a session from a question to a packaged model; what is asked of a text has steps of its own."""
    if session.recipe.is_generation:
        learn_to_write(session)
        return
    framed = define(session)
    collected = collect(session, framed)
    design(session, framed, collected)
    plan = initialise(session, collected)
    choose_loss(session, framed)
    trainer = Trainer(session, framed, collected, plan)
    training = train_candidates(session, trainer)
    judgement = evaluate_choice(session, trainer, training)
    deploy(session, trainer, training, judgement)


def train(
    source: object,
    target: str | None = None,
    *,
    model: str | Sequence[str | Mapping[str, Any]] | None = None,
    overrides: Mapping[str, Any] | None = None,
    runs: str | Path = "runs",
    name: str | None = None,
    observers: Sequence[Observer] = (),
) -> Run:
    """Train a model, evaluate it on rows it has never seen, and package it.

    Parameters
    ----------
    source : str, Path, Recipe or frame
        A data file, `sample:NAME`, a recipe file (.yaml), a `Recipe`, or rows in memory (pandas,
        Polars, Arrow, list of dicts), of which the run then keeps a copy.
    target : str or None
        The column to predict; None where the recipe says it, and for a text file, which a language model
        then learns to go on with (`problem.task: generation`).
    model : str or sequence, optional
        A learner's name, or several of which the best is kept; by default a linear model and
        boosted trees are compared.
    overrides : mapping, optional
        Any option of the recipe by its dotted path: ``{"training.seed": 3}``.
    runs : str or Path, default="runs"
        The folder of runs.
    name : str, optional
        The run's name.
    observers : sequence of Observer
        Who is told what happens, e.g. `groundup.show_progress()`.

    Returns
    -------
    Run
        Scores, findings, report and model.

    Raises
    ------
    GroundupError
        If the recipe, the data or the question do not allow it; the message says what to do.

    Examples
    --------
    >>> import tempfile
    >>> run = train("sample:iris", "species", model="logistic", runs=tempfile.mkdtemp())
    >>> run.metrics["accuracy"]["value"] > 0.8
    True
    """
    recipe, frame = ask(source, target, model=model, overrides=overrides)
    stem = "frame" if frame is not None or recipe.data.source is None else source_stem(recipe.data.source)
    folder = RunFolder.create(Path(runs), name, stem=stem)
    with _session(folder, recipe, observers, frame=frame) as session:
        _eight_steps(session)
    return Run(folder.path)


def resume(run: str | Path, *, observers: Sequence[Observer] = ()) -> Run:
    """Go on with a run that was interrupted; finished fits are kept.

    Parameters
    ----------
    run : str or Path
        The run's folder.
    observers : sequence of Observer
        Who is told what happens.

    Raises
    ------
    RunError
        If it has ended already, is in use, or its data have changed.
    """
    folder = RunFolder(Path(run))
    if folder.read_summary().status == "finished":
        raise RunError(f"The run `{folder.path}` has ended already. See it with: groundup show {folder.path}")
    if not folder.asked.is_file():
        raise RunError(
            f"The run `{folder.path}` was interrupted before it began. Start it again with `train`."
        )
    with _session(folder, Recipe.load(folder.asked), observers, resumed=True) as session:
        _eight_steps(session)
    return Run(folder.path)


def reproduce(run: str | Path, *, observers: Sequence[Observer] = ()) -> Reproduction:
    """Train a run's resolved recipe again, beside it, and say whether the model is bit-equal.

    Parameters
    ----------
    run : str or Path
        The run's folder; it must have finished.
    observers : sequence of Observer
        Who is told what happens.

    Raises
    ------
    RunError
        If the run has not finished.
    """
    first = RunFolder(Path(run))
    if first.read_summary().status != "finished":
        raise RunError(f"The run `{first.path}` has not finished, so there is no model to compare with.")
    done, recipe = Run(first.path), Recipe.load(first.recipe)
    _ = (
        done.summary,
        check_package(first.model),
    )  # a damaged one is refused before an hour of training, not after
    again = RunFolder.create(first.path.parent, None, stem=f"{first.path.name}-again")
    with _session(again, recipe, observers) as session:
        _eight_steps(session)
    return compare_models(first, again)


def check(
    source: object,
    target: str | None = None,
    *,
    overrides: Mapping[str, Any] | None = None,
    observers: Sequence[Observer] = (),
) -> CheckResult:
    """Look at the data and the question; train nothing and leave nothing behind.

    Parameters
    ----------
    source, target, overrides
        As for `train`.
    observers : sequence of Observer
        Who is told what happens.
    """
    return check_data(*ask(source, target, overrides=overrides), observers)


def init(source: object, target: str | None = None, *, overrides: Mapping[str, Any] | None = None) -> str:
    """Return a commented recipe (YAML) with everything that can be inferred from the data.

    Parameters
    ----------
    source, target, overrides
        As for `train`.
    """
    return check(source, target, overrides=overrides).recipe_yaml


def evaluate(run: str | Path, source: object) -> dict[str, Any]:
    """Measure a model on new rows whose target is known.

    Parameters
    ----------
    run : str or Path
        A run's folder, or a package.
    source : str, Path or frame
        The rows.

    Returns
    -------
    dict
        ``metrics`` ({name: {value, low, high}}), ``baseline`` (the same for guessing), ``n_rows``,
        ``findings``.
    """
    return evaluate_model(Path(run), source)


def compare(*runs: str | Path | Run) -> Comparison:
    """Compare runs: what was set differently, how they score, and whether the difference is real.

    Each run keeps its predictions of the test rows, so nothing is predicted and no test part is opened
    again. Differences are taken row by row where the runs were tested on the same rows.

    Parameters
    ----------
    *runs : Run, str or Path
        At least two, or their folders; the others are measured against the first.

    Returns
    -------
    Comparison
        ``settings``, ``metrics``, ``pairings``; a page with charts in a notebook, or by ``to_html()``.

    Raises
    ------
    RunError
        If a run has not finished, its predictions are damaged, or the questions differ.
    """
    return compare_runs([run.folder if isinstance(run, Run) else Path(run) for run in runs])


def predict(
    run: str | Path,
    source: object,
    output: str | Path,
    *,
    coverage: float | None = None,
    contributions: bool = False,
) -> dict[str, Any]:
    """Predict the rows of a file and write the answers beside them.

    Parameters
    ----------
    run : str or Path
        A run's folder, or a package.
    source : str, Path or frame
        The rows.
    output : str or Path
        Where to: .csv, .tsv or .parquet; appears whole.
    coverage : float, optional
        Also write intervals or sets that hold the truth as often, in (0, 1): the columns ``low`` and
        ``high``, or ``in_set_CLASS``.
    contributions : bool, default=False
        Also write what each column adds to the prediction: ``contribution_COLUMN`` and ``base_value``,
        of two classes about the positive one, of more about the one that is answered.

    Returns
    -------
    dict
        ``n_rows``, ``output``, ``findings``; ``contributions``: what they add up to, as a sentence.

    Raises
    ------
    NotExplainedError
        If contributions are asked for and the model's predictions are no sum over the columns.
    """
    return predict_file(Path(run), source, Path(output), coverage=coverage, contributions=contributions)


@contextlib.contextmanager
def _session(
    folder: RunFolder,
    recipe: Recipe,
    observers: Sequence[Observer],
    *,
    frame: object | None = None,
    resumed: bool = False,
) -> Iterator[Session]:
    """Hold the run's folder, tell when it starts and how it ends."""
    with folder.hold():
        try:
            if frame is not None:
                recipe = keep_frame(recipe, frame, folder)
            with contextlib.closing(MetricsStore(folder.metrics)) as store:
                board = TensorBoardWriter(folder.path)
                yield from _told(folder, recipe, [store, board, *observers], resumed=resumed)
        except GroundupError:
            _clean_up(folder, resumed=resumed)
            raise


def _told(
    folder: RunFolder, recipe: Recipe, observers: Sequence[Observer], *, resumed: bool
) -> Iterator[Session]:
    events = EventStream(observers, clock=time.monotonic)
    session = Session(recipe, folder, events)
    session.write_recipe()
    source, target = recipe.data.source, recipe.problem.target
    folder.update_summary(status="running", source=str(source), target=target or "")
    events.emit(
        "run_started",
        run=str(folder.path),
        name=folder.path.name,
        source=source,
        target=target,
        resumed=resumed,
    )
    try:
        yield session
    except GroundupError as error:
        events.emit("run_failed", error=str(error))
        raise


def _clean_up(folder: RunFolder, *, resumed: bool) -> None:
    """Remove a run that failed before its first fit had ended: a wrong question leaves nothing behind."""
    if resumed or folder.checkpoints.is_dir():
        with contextlib.suppress(GroundupError):  # the first error says more, e.g. that the disk is full
            folder.update_summary(status="failed")
    else:
        shutil.rmtree(folder.path, ignore_errors=True)
