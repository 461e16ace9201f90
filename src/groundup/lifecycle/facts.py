"""The facts of a run in one dictionary: what `report.json` holds and `report.html` shows."""

import platform
import resource
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from math import isfinite
from typing import Any, Final

from groundup import __version__
from groundup.evaluation.metrics import METRICS
from groundup.lifecycle.collect import Collected
from groundup.lifecycle.define import Framed
from groundup.lifecycle.design import Plan
from groundup.lifecycle.fitting import Trainer, Training
from groundup.lifecycle.judging import Judgement
from groundup.lifecycle.seeing import seen_learning
from groundup.lifecycle.session import Session, as_row
from groundup.lifecycle.stage_cost import measure_stages_us
from groundup.models.contract import Learner
from groundup.tuning.paired_test import TIED_ABOVE

_START: Final = (
    "No model is pre-trained: linear models start from zero weights or are solved at once, boosted trees "
    "start from the one answer that makes the loss smallest, networks from random weights."
)
ACCELERATOR: Final = "scikit-learn-intelex"
_LIBRARIES: Final = ("lightgbm", "numpy", "polars", "scikit-learn", "scipy")


def gather_facts(
    session: Session, trainer: Trainer, training: Training, judgement: Judgement
) -> dict[str, Any]:
    """Return everything a reader of the report may want to know, as JSON values."""
    framed, collected = trainer.framed, trainer.collected
    metric = METRICS[framed.problem.metric]
    return {
        **run_facts(session, is_stopped=session.events.should_stop),
        "problem": {**framed.problem.to_json(), "metric_title": metric.title, "question": _question(framed)},
        "data": _data(session, framed, collected),
        "split": _split(session, collected),
        "population": collected.population,
        "preparation": _preparation(training, collected),
        "leaderboard": leaderboard(training, higher_is_better=metric.higher_is_better),
        "selection": {
            "name": training.chosen,
            "reason": training.selection.reason,
            "metric": metric.name,
            "higher_is_better": metric.higher_is_better,
        },
        "model": _model(training, framed.learners[training.chosen], framed.problem.classes),
        "training": _training(session, trainer, training, trainer.plan),
        **judgement.scores,
        "metrics": {
            name: {
                "title": METRICS[name].title,
                "explanation": METRICS[name].explanation,
                "higher_is_better": METRICS[name].higher_is_better,
            }
            for name in judgement.scores["test"]
        },
        "nested": judgement.nested,
        "fit": {
            **judgement.fit_facts(),
            "loss": f"Mean {framed.loss.title}",
            "undone": trainer.shifted_by(training.chosen) or None,
        },
        "importance": judgement.importance,
        "contributions": judgement.contributions or None,
        "curves": judgement.test.curves,
        "slices": judgement.test.slices,
        "predictions": judgement.test.predictions,
        **judgement.test.worth,
        "findings": [finding.to_json() for finding in session.findings],
    }


def _question(framed: Framed) -> str:
    problem = framed.problem
    if framed.loss.name == "quantile":
        share = f"{100 * framed.loss.quantile:g} %"
        return f"What does `{problem.target}` not exceed in {share} of rows like this?"
    if problem.task == "regression":
        return f"What is `{problem.target}`, as a number?"
    if len(problem.classes) == 2 and problem.positive is not None:
        return f"Is `{problem.target}` `{problem.positive}`, or not?"
    return f"Which of {len(problem.classes)} classes is `{problem.target}`?"


def _data(session: Session, framed: Framed, collected: Collected) -> dict[str, Any]:
    dataset = framed.dataset
    return {
        "origin": dataset.origin,
        "n_rows": framed.n_rows_read,
        "n_columns": len(dataset.schema),
        "fingerprint": session.data_fingerprint,
        "facts": [list(fact) for fact in dataset.facts],
        "columns": [
            {**column, "reason": collected.schema[column["name"]].reason} for column in collected.profile
        ],
    }


def _split(session: Session, collected: Collected) -> dict[str, Any]:
    split = collected.split
    return {
        "method": split.method,
        "reason": split.reason,
        "n_train": len(split.train),
        "n_validation": len(split.validation),
        "n_test": len(split.test),
        "test_opened": session.folder.read_summary().test_opened,
    }


def _preparation(training: Training, collected: Collected) -> dict[str, Any]:
    preparation = training.final.preparation
    return {
        "learner": training.chosen,
        "n_features": len(preparation.feature_names),
        "columns": preparation.describe(),
        "stages": preparation.describe_stages(),
        "stages_us": measure_stages_us(preparation, collected.validation),
    }


def leaderboard(training: Training, *, higher_is_better: bool) -> list[dict[str, Any]]:
    """Return one row per candidate, the best first."""
    rows = []
    for candidate in training.candidates:
        result = training.results[candidate.name]
        interval = result.interval
        rows.append(
            {
                "name": candidate.name,
                "title": result.learner.title,
                "score": None if interval is None else interval.value,
                "low": None if interval is None else interval.low,
                "high": None if interval is None else interval.high,
                "standard_error": candidate.standard_error if isfinite(candidate.standard_error) else None,
                "fold_scores": [score if isfinite(score) else None for score in candidate.fold_scores],
                "seconds": result.seconds,
                "latency_us": candidate.latency_us,
                "size_bytes": candidate.size_bytes,
                "chosen": candidate.name == training.chosen,
                "within_one_standard_error": candidate.name in training.selection.tied,
                "p_value": training.p_values.get(candidate.name),
                "tied": _is_tied(training, candidate.name),
            }
        )
    sign = -1 if higher_is_better else 1
    return sorted(rows, key=lambda row: (row["score"] is None, sign * (row["score"] or 0.0)))


def _is_tied(training: Training, name: str) -> bool:
    """Return whether a candidate is the best, or one that the folds cannot tell from it."""
    p_value = training.p_values.get(name)
    return name in training.selection.tied[:1] if p_value is None else p_value > TIED_ABOVE


def _model(training: Training, learner: Learner, classes: Sequence[Any]) -> dict[str, Any]:
    facts = training.final.fitted.facts()
    samples = facts.pop("samples", ())
    if samples:
        facts["answers_while_it_learned"] = seen_learning(samples, classes)
    values = learner.model_dump(mode="json")
    return {
        "name": training.chosen,
        "title": learner.title,
        "idea": learner.idea,
        "reference": learner.reference,
        "hyperparameters": {
            name: {"value": values[name], "description": " ".join((field.description or "").split())}
            for name, field in type(learner).model_fields.items()
        },
        "facts": facts,
    }


def _training(session: Session, trainer: Trainer, training: Training, plan: Plan) -> dict[str, Any]:
    facts, learner = training.final.fitted.facts(), trainer.framed.learners[training.chosen]
    curves, weights = facts.get("curve") or {}, training.final.class_weight
    rounds: dict[int, dict[str, float]] = {}
    for part, points in curves.items():
        for round_, loss in points:
            rounds.setdefault(round_, {})[part] = loss
    said = {step.number: " ".join(step.sentences) for step in session.steps}
    return {
        "initialisation": _START,
        "optimizer": said[5],
        "seed": session.recipe.training.seed,
        "threads": plan.threads,
        "threads_reason": plan.threads_reason,
        "folds": len(trainer.folds.first),
        "repeats": trainer.folds.n_repeats,
        "fold_method": trainer.folds.method,
        "fold_reason": trainer.folds.reason,
        "curve": [{"round": round_, **rounds[round_]} for round_ in sorted(rounds)] or None,
        "best_round": facts.get("best_round"),
        "loss": facts.get("loss", learner.minimised(trainer.framed.loss).name),
        "stopped": facts.get("stopped"),
        "class_weight": None if weights is None else trainer.framed.weighing.named(weights),
        "class_weight_asked": session.recipe.training.class_weight,
        "sample_weight": session.recipe.training.sample_weight,
    }


def run_facts(session: Session, *, is_stopped: bool) -> dict[str, Any]:
    """Return which run it is, of which version, and how it ended."""
    return {
        "groundup": __version__,
        "run": session.folder.path.name,
        "folder": str(session.folder.path),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "confidence": session.recipe.evaluation.confidence,
        "status": "stopped" if is_stopped else "finished",
    }


def cost_facts(session: Session) -> dict[str, Any]:
    """Return what the run cost so far; energy is an assumption, labelled so."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    cpu_seconds = usage.ru_utime + usage.ru_stime
    watts = session.recipe.evaluation.cpu_watts
    # Linux counts kibibytes, macOS bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    return {
        "wall_seconds": time.monotonic() - session.started,
        "cpu_seconds": cpu_seconds,
        "peak_memory_bytes": usage.ru_maxrss * unit,
        "energy_wh": cpu_seconds * watts / 3600,
        "watts": watts,
        "steps": [as_row(step) for step in session.steps],
    }


def reproduce_facts(
    session: Session, threads: int, model_digest: str, libraries: Sequence[str] = _LIBRARIES
) -> dict[str, Any]:
    """Return what is needed to make the same model again."""
    libraries = (*_LIBRARIES, ACCELERATOR) if session.recipe.training.accelerate else _LIBRARIES
    return {
        "command": f"groundup reproduce {session.folder.path}",
        "recipe": str(session.folder.recipe),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": {name: version(name) for name in libraries},
        "seed": session.recipe.training.seed,
        "threads": threads,
        "model_digest": model_digest,
    }
