"""Step 8, deploy: the package, the resolved recipe, the report."""

from dataclasses import asdict
from typing import Any, Final

from groundup.core.files import write_json, write_text
from groundup.evaluation.report import render_report
from groundup.lifecycle.facts import cost_facts, gather_facts, reproduce_facts
from groundup.lifecycle.fitting import Trainer, Training
from groundup.lifecycle.judging import Judgement
from groundup.lifecycle.resolving import resolve_data, resolve_model
from groundup.lifecycle.session import Session
from groundup.serving.package import PackageContents, write_package

RESOLVED_HEADER: Final = """\
The resolved recipe: every default filled in, every `auto` replaced by the value that was used.
Training it again gives the same model: groundup reproduce {folder}"""


def deploy(session: Session, trainer: Trainer, training: Training, judgement: Judgement) -> None:
    """Write the package, the resolved recipe and the report; then the run has finished."""
    folder = session.folder
    with session.step(8, "Deploy") as step:
        facts = gather_facts(session, trainer, training, judgement)
        digest = _package(session, trainer, training, judgement, facts)
        step.say(
            f"The package `{folder.model}` holds preparation, weights and schema; loading it executes "
            "nothing."
        )
        values = resolve_data(trainer.framed, trainer.collected) | resolve_model(session, trainer, training)
        values |= judgement.decided.resolved(trainer.framed.problem)
        resolved = session.recipe.with_values(values)
        write_text(
            folder.recipe,
            resolved.to_yaml(reasons=session.reasons, header=RESOLVED_HEADER.format(folder=folder.path)),
        )
        write_json(folder.findings, facts["findings"])
    facts["cost"] = cost_facts(session)
    facts["reproduce"] = reproduce_facts(session, trainer.plan.threads, digest)
    write_json(folder.report_json, facts)
    write_text(folder.report_html, render_report(facts))
    finish(session, facts)


def _package(
    session: Session, trainer: Trainer, training: Training, judgement: Judgement, facts: dict[str, Any]
) -> str:
    collected, problem = trainer.collected, trainer.framed.problem
    learner, split = trainer.framed.learners[training.chosen], session.recipe.data.split
    card = {
        "target_column": asdict(collected.schema[problem.target]),
        "metric": problem.metric,
        "confidence": session.recipe.evaluation.confidence,
        "split": {
            role: asdict(collected.schema[name])
            for role, name in (("groups", split.group), ("times", split.time))
            if name is not None
        },
        "test": facts["test"],
        "baseline": facts["baseline"],
        "baseline_prediction": judgement.baseline.fitted.predict_row(()),
        "n_train": facts["split"]["n_train"],
        "fingerprint": session.data_fingerprint,
    }
    contents = PackageContents(
        task=problem.task,
        target=problem.target,
        positive=problem.positive,
        schema=collected.schema,
        preparation=training.final.preparation,
        classes=collected.target_plan.classes,
        fitted=training.final.fitted,
        learner=training.chosen,
        fitted_reference=learner.fitted,
        deployment=session.recipe.deployment,
        answering=judgement.decided.answering,
        card=card,
    )
    return write_package(session.folder.model, contents)


def finish(session: Session, facts: dict[str, Any]) -> None:
    """Mark the run as ended and tell it."""
    metric = facts["problem"]["metric"]
    score = facts["test"][metric]
    before = session.folder.read_summary().seconds
    session.folder.update_summary(
        status=facts["status"],
        model=facts["model"]["name"],
        metric=metric,
        value=score["value"],
        low=score["low"],
        high=score["high"],
        seconds=before + facts["cost"]["wall_seconds"],
    )
    if facts["status"] == "stopped":
        session.events.emit("run_stopped", reason="You asked to stop; the best model so far was kept.")
    session.events.emit(
        "run_finished",
        run=str(session.folder.path),
        report=str(session.folder.report_html),
        seconds=facts["cost"]["wall_seconds"],
    )
