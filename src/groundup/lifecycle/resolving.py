"""The resolved recipe: every default filled in, every `auto` replaced by what was used, and why."""

from typing import Any

from groundup.core.inputs import Needs
from groundup.core.losses import quantile_of
from groundup.lifecycle.collect import Collected
from groundup.lifecycle.define import Framed
from groundup.lifecycle.fitting import Trainer, Training
from groundup.lifecycle.session import Session


def resolve_data(framed: Framed, collected: Collected) -> dict[str, Any]:
    """Return the values that reading, framing and splitting decided, by dotted path."""
    problem, schema = framed.problem, framed.dataset.schema
    values: dict[str, Any] = {
        "problem.task": problem.task,
        "problem.metric": problem.metric,
        "problem.quantile": quantile_of(problem.metric),
        "problem.positive": problem.positive,
        "data.split.method": collected.split.method,
        "data.columns": {column.name: column.kind for column in schema},
    }
    return values | {f"data.{option}": value for option, value in framed.dataset.read_as.items()}


def resolve_model(session: Session, trainer: Trainer, training: Training) -> dict[str, Any]:
    """Return the values that training decided: the learner, its hyperparameters, its preparation."""
    learner, facts = trainer.framed.learners[training.chosen], training.final.fitted.facts()
    session.reasons["model.name"] = training.selection.reason
    for name in facts.get("chosen", {}):
        session.reasons[f"model.{name}"] = str(facts["chosen_by"])
    for row in training.final.preparation.describe():
        session.reasons[f"preparation.columns.{row['column']}"] = "; ".join(row["steps"]) or row["why"]
    session.reasons |= _stage_reasons(training, learner.needs())
    session.reasons["evaluation.folds"] = trainer.folds_reason
    values: dict[str, Any] = {}
    if (weights := training.final.class_weight) is not None:
        values["training.class_weight"] = trainer.framed.weighing.named(weights)
        if session.recipe.training.class_weight == "balanced":
            session.reasons["training.class_weight"] = (
                "balanced: rows / (classes x rows of the class), in the fit on the whole training part"
            )
    for used in facts.get("training_options", ()):
        values[f"training.{used['option']}"] = used["value"]
        session.reasons[f"training.{used['option']}"] = used["why"]
    return values | {
        "model": {"name": training.chosen, **learner.model_dump(mode="json"), **facts.get("chosen", {})},
        "preparation": training.final.preparation.resolved_options().model_dump(mode="json"),
        "training.threads": trainer.plan.threads,
        "evaluation.folds": len(trainer.folds.first),
        "evaluation.repeats": trainer.folds.n_repeats,
    }


def _stage_reasons(training: Training, needs: Needs) -> dict[str, str]:
    """Return what each stage did by the option that asked for it, and what it needs unlike the learner."""
    reasons: dict[str, str] = {}
    if training.final.preparation.resolved_options().reduce != "none":
        if not needs.scaled:
            reasons["preparation.scale"] = (
                f"`{training.chosen}` needs no scale, but what is reduced must be on one"
            )
        if needs.categories == "codes":
            reasons["preparation.encode"] = (
                f"`{training.chosen}` splits on codes, but what is reduced must be numbers"
            )
        if needs.missing:
            reasons["preparation.impute_numbers"] = (
                f"`{training.chosen}` takes gaps, but what is reduced must be complete"
            )
    for stage in training.final.preparation.describe_stages():
        path = f"preparation.{stage['option']}"
        reasons[path] = "; ".join([*filter(None, [reasons.get(path)]), stage["what"]])
    return reasons
