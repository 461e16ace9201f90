"""A look at the data and the question without training: `groundup check` and `groundup init`."""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from groundup.core.errors import ProblemError
from groundup.core.events import EventStream, Observer
from groundup.core.findings import Finding
from groundup.core.runs import RunFolder
from groundup.core.schema import Schema
from groundup.data.split import Split
from groundup.lifecycle.collect import collect
from groundup.lifecycle.define import define
from groundup.lifecycle.memory import keep_frame
from groundup.lifecycle.resolving import resolve_data
from groundup.lifecycle.session import Session
from groundup.problems.infer import Problem
from groundup.recipe import Recipe

_HEADER = """\
A recipe for groundup. Everything below was inferred from the data or is the default; change what
you like, delete what you do not care about, then type: groundup train recipe.yaml"""


@dataclass(frozen=True)
class CheckResult:
    """What a look at the data found.

    Parameters
    ----------
    problem : Problem
        Task, classes, metric, and why.
    schema : Schema
        What each column is, and why.
    split : Split
        The parts that training would use.
    findings : tuple of Finding
        What the doctor noticed.
    population : dict
        Whom the training rows represent (see `groundup.lifecycle.representing.represent`).
    recipe_yaml : str
        A commented recipe that says all of it.
    """

    problem: Problem
    schema: Schema
    split: Split
    findings: tuple[Finding, ...]
    population: dict[str, Any]
    recipe_yaml: str

    def to_json(self) -> dict[str, Any]:
        """Return the result as a JSON object."""
        return {
            "problem": self.problem.to_json(),
            "schema": self.schema.to_json(),
            "split": self.split.to_json(),
            "findings": [finding.to_json() for finding in self.findings],
            "population": self.population,
        }


def check_data(recipe: Recipe, frame: object | None, observers: Sequence[Observer]) -> CheckResult:
    """Take the first two steps in a folder that is thrown away."""
    if recipe.is_generation:
        raise ProblemError(
            f"`{recipe.data.source}` is asked about as a text, and there is no table to look at. Train on it "
            "as it is: groundup train FILE --task generation"
        )
    with tempfile.TemporaryDirectory(prefix="groundup-") as scratch:
        folder = RunFolder.create(Path(scratch), "check", stem="check")
        asked = recipe if frame is None else keep_frame(recipe, frame, folder)
        session = Session(asked, folder, EventStream(observers, clock=time.monotonic))
        framed = define(session)
        collected = collect(session, framed)
        # The recipe that is written says what was found, but keeps the choice of the model open.
        found = recipe.with_values(resolve_data(framed, collected))
        return CheckResult(
            problem=framed.problem,
            schema=framed.dataset.schema,
            split=collected.split,
            findings=tuple(session.findings),
            population=collected.population,
            recipe_yaml=found.to_yaml(reasons=session.reasons, header=_HEADER, with_help=True),
        )
