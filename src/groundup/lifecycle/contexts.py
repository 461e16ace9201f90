"""What each fit of a run receives besides its data."""

from collections.abc import Callable
from functools import partial
from typing import Any

from groundup.lifecycle.define import Framed
from groundup.lifecycle.design import Plan
from groundup.lifecycle.session import Session
from groundup.models.contract import FitContext
from groundup.training.network_loop import network_loop
from groundup.training.rounds import run_rounds


def fit_context(
    session: Session,
    framed: Framed,
    plan: Plan,
    name: str,
    fold: int | None,
    *,
    is_told: bool,
    note: Callable[[str], None],
) -> FitContext:
    """Return the context of a learner's fit; `fold` None is the final fit, and only some fits are told of."""
    events, options = session.events, session.recipe.training
    seed = session.seed("fit", name, "final" if fold is None else fold)

    def tell(kind: str, **data: Any) -> None:
        if kind == "note":
            if is_told and fold == 0:  # the other fits cost the same
                note(f"`{name}`, each fit: {data['message']}")
        elif is_told:
            events.emit(kind, learner=name, fold=fold, **data)

    where = "final" if fold is None else f"fold-{fold + 1}"
    return FitContext(
        task=framed.problem.task,
        n_classes=len(framed.problem.classes),
        seed=seed,
        threads=plan.threads,
        run_rounds=partial(
            run_rounds,
            early_stopping=options.early_stopping,
            emit=partial(tell, "round"),
            should_stop=lambda: events.should_stop,
        ),
        should_stop=lambda: events.should_stop,
        loss=framed.loss,
        accelerate=options.accelerate,
        note=note,
        train_network=network_loop(
            options=options,
            early_stopping=options.early_stopping,
            threads=plan.threads,
            emit=tell,
            should_stop=lambda: events.should_stop,
            keeper=(lambda seed: session.keeper(f"{name}-{where}-{seed}")) if is_told else None,
        ),
    )


def silent_context(session: Session, framed: Framed) -> FitContext:
    """Return the context of a fit that looks into another: one thread, every round, no events."""
    seed = session.seed("fit", "probe")
    return FitContext(
        task=framed.problem.task,
        n_classes=len(framed.problem.classes),
        seed=seed,
        threads=1,
        run_rounds=partial(
            run_rounds, early_stopping=None, emit=lambda **_fact: None, should_stop=lambda: False
        ),
        should_stop=lambda: False,
        loss=framed.loss,
        train_network=network_loop(options=session.recipe.training, early_stopping=None, threads=1),
    )
