"""Step 8 of a language model: the package, the resolved recipe, and the facts behind the report."""

from typing import Any, Final

from groundup.core.files import write_json, write_text
from groundup.core.tasks import GENERATION
from groundup.evaluation.language import DECIDING, LANGUAGE_METRICS
from groundup.evaluation.writing_page import render_writing
from groundup.lifecycle.deploying import RESOLVED_HEADER, finish
from groundup.lifecycle.facts import cost_facts, reproduce_facts, run_facts
from groundup.lifecycle.session import Session
from groundup.lifecycle.writing import Scores, Texts
from groundup.lifecycle.writing_fit import KEPT_AS, NAME, WrittenFit
from groundup.models.contract import TargetUnit
from groundup.models.network_fitted import FittedNetwork
from groundup.serving.writer import WriterContents, write_writer
from groundup.training.gradient_options import GradientOptions
from groundup.training.networks import thinned

_START: Final = "No model is pre-trained: the network starts from random weights."
_N_SAMPLES: Final = 5


def deploy_writing(session: Session, texts: Texts, fit: WrittenFit, scores: Scores) -> None:
    """Write the package, the resolved recipe and the report; then the run has finished."""
    folder = session.folder
    with session.step(8, "Deploy") as step:
        facts = _gather(session, texts, fit, scores)
        digest = write_writer(folder.model, _contents(texts, fit, facts))
        step.say(f"The package `{folder.model}` holds vocabulary and weights; loading it executes nothing.")
        resolved = session.recipe.with_values(_resolved(session, texts, fit))
        header = RESOLVED_HEADER.format(folder=folder.path) + "\nWhat is about tables was not looked at."
        write_text(folder.recipe, resolved.to_yaml(reasons=session.reasons, header=header))
        write_json(folder.findings, [])
    facts["cost"] = cost_facts(session)
    facts["reproduce"] = reproduce_facts(session, fit.threads, digest, _libraries(texts))
    write_json(folder.report_json, facts)
    write_text(folder.report_html, render_writing(facts))
    finish(session, facts)
    if facts["status"] == "finished":
        session.keeper(KEPT_AS).clear()


def _libraries(texts: Texts) -> tuple[str, ...]:
    return ("numpy", "torch") if texts.unit == "character" else ("numpy", "tokenizers", "torch")


def _contents(texts: Texts, fit: WrittenFit, facts: dict[str, Any]) -> WriterContents:
    fitted = FittedNetwork(
        fit.writer.architecture,
        fit.arguments,
        fit.module,
        arrays=("tokens",),
        n_classes=texts.vocabulary.size,
        target=TargetUnit(link="softmax"),
        facts={"learner": fit.writer.title},
    )
    card = {
        "metric": DECIDING,
        "test": facts["test"],
        "baseline": facts["baseline"],
        "n_train": facts["split"]["n_train"],
        "fingerprint": facts["data"]["fingerprint"],
        "sample": fit.sample,
    }
    return WriterContents(texts.vocabulary, fitted, NAME, card)


def _resolved(session: Session, texts: Texts, fit: WrittenFit) -> dict[str, Any]:
    """Return every value that was decided, by dotted path, and keep the reasons."""
    used = fit.plan.options.model_dump(mode="json", include=set(GradientOptions.model_fields))
    session.reasons |= {f"training.{name}": fit.plan.reasons.get(name, "") for name in used}
    session.reasons = {path: reason for path, reason in session.reasons.items() if reason}
    return {
        "problem.task": GENERATION,
        "problem.metric": DECIDING,
        "preparation.tokens.kind": texts.vocabulary.state()["kind"],
        "model": {"name": NAME, **fit.writer.model_dump(mode="json")},
        "training.threads": fit.threads,
        **{f"training.{name}": value for name, value in used.items()},
    }


def _gather(session: Session, texts: Texts, fit: WrittenFit, scores: Scores) -> dict[str, Any]:
    """Return everything a reader of the report may want to know, as JSON values."""
    test = {name: interval.to_json() for name, interval in scores.test.items()}
    baselines = {
        model: {name: interval.to_json() for name, interval in found.items()}
        for model, found in scores.baselines.items()
    }
    values, reasons = fit.writer.model_dump(mode="json"), session.reasons
    return {
        **run_facts(session, is_stopped=fit.result.stopped == "request"),
        "problem": {
            "task": GENERATION,
            "target": "",
            "metric": DECIDING,
            "metric_title": LANGUAGE_METRICS[DECIDING].title,
            "question": "How does this text go on?",
        },
        "data": {
            "origin": texts.source.origin,
            "n_characters": len(texts.source.text),
            "fingerprint": session.data_fingerprint,
            "beginning": texts.source.text[:400],
        },
        "split": _split(session, texts),
        "preparation": {
            "kind": texts.vocabulary.state()["kind"],
            "unit": texts.unit,
            "reason": reasons["preparation.tokens.kind"],
            "n_vocabulary": texts.vocabulary.size,
            "n_tokens": len(texts.train),
            "n_unknown": scores.n_unknown,
        },
        "model": {
            "name": NAME,
            "title": fit.writer.title,
            "idea": fit.writer.idea,
            "reference": fit.writer.reference,
            "hyperparameters": {
                name: {
                    "value": values[name],
                    "why": reasons.get(f"model.{name}", "the default"),
                    "description": " ".join((field.description or "").split()),
                }
                for name, field in type(fit.writer).model_fields.items()
            },
        },
        "training": _training(session, fit),
        "validation": {name: interval.to_json() for name, interval in scores.validation.items()},
        "test": test,
        "baseline": baselines["bigram"],
        "baselines": baselines,
        "metrics": {
            name: {"title": each.title, "explanation": each.explanation, "higher_is_better": False}
            for name, each in LANGUAGE_METRICS.items()
        },
        "selection": {
            "name": NAME,
            "reason": "It is the only learner that was trained.",
            "metric": DECIDING,
            "higher_is_better": False,
        },
        "leaderboard": [
            {"name": name, "title": title, **found[DECIDING], "chosen": name == NAME}
            for name, title, found in (
                (NAME, fit.writer.title, test),
                ("bigram", "how often each token followed the one before", baselines["bigram"]),
                ("unigram", "how often each token occurred", baselines["unigram"]),
            )
        ],
        "samples": _samples(fit),
        "findings": [],
    }


def _split(session: Session, texts: Texts) -> dict[str, Any]:
    return {
        "method": "in order",
        "reason": session.reasons["data.split.method"],
        "n_train": len(texts.parts.train),
        "n_validation": len(texts.parts.validation),
        "n_test": len(texts.parts.test),
        "test_opened": session.folder.read_summary().test_opened,
    }


def _training(session: Session, fit: WrittenFit) -> dict[str, Any]:
    steps: dict[int, dict[str, float]] = {}
    for part, points in fit.result.curve.items():
        for step, loss in thinned(points):
            steps.setdefault(int(step), {})[part] = loss
    said = {step.number: step.sentences for step in session.steps}
    plan, size = fit.plan, int(fit.plan.options.batch_size)
    return {
        "initialisation": _START,
        "told": said[5],
        "ended": said[6][0],
        "seed": session.recipe.training.seed,
        "threads": fit.threads,
        "threads_reason": fit.threads_reason,
        "curve": [{"round": step, **steps[step]} for step in sorted(steps)],
        "best_round": fit.result.best_step,
        "n_steps": fit.result.n_steps,
        "loss": "cross_entropy",
        "stopped": fit.result.stopped,
        "n_parameters": fit.cost.n_parameters,
        "memory_bytes": fit.cost.memory_bytes(size // plan.options.accumulate),
        "step_flops": size * fit.cost.row_flops,
        "tokens_per_second": fit.result.samples_per_second * fit.writer.block_size,
        "seconds": fit.seconds,
    }


def _samples(fit: WrittenFit) -> list[dict[str, Any]]:
    """Return what it wrote before, while and after it learned: a few of all looks."""
    first, *middle, last = fit.samples
    spacing = max(1, -(-len(middle) // (_N_SAMPLES - 2)))
    kept = [first, *middle[spacing - 1 :: spacing], last]
    names = [
        "before training",
        *(f"after {step} steps" for step, _ in kept[1:-1]),
        "with the weights that are kept",
    ]
    return [
        {"when": name, "step": step, "text": text} for name, (step, text) in zip(names, kept, strict=True)
    ]
