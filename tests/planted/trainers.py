"""A trainer over rows in memory, as the first four steps of a run make it: for what needs no whole run."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from groundup.core.events import EventStream
from groundup.core.runs import RunFolder
from groundup.lifecycle.asking import ask
from groundup.lifecycle.collect import collect
from groundup.lifecycle.define import define
from groundup.lifecycle.design import initialise
from groundup.lifecycle.fitting import Trainer
from groundup.lifecycle.memory import keep_frame
from groundup.lifecycle.session import Session


def make_trainer(
    frame: object,
    target: str,
    models: Sequence[str],
    folder: Path,
    overrides: Mapping[str, Any] | None = None,
) -> Trainer:
    """Return the trainer of a run over `frame`; its files are kept in a run of `folder`."""
    recipe, rows = ask(frame, target, model=models, overrides={"training.threads": 1, **(overrides or {})})
    run = RunFolder.create(folder, None, stem="rows")
    session = Session(keep_frame(recipe, rows, run), run, EventStream([], clock=time.monotonic))
    framed = define(session)
    collected = collect(session, framed)
    return Trainer(session, framed, collected, initialise(session, collected))
