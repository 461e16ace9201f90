"""Contract "Rule": a pure function from signals, gathered once and shared, to findings."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from groundup.core.findings import Finding

SignalsT = TypeVar("SignalsT", contravariant=True)


@dataclass(frozen=True)
class NotApplicable:
    """A rule's answer when the question does not arise; `reason` says why."""

    reason: str


Answer: TypeAlias = Iterable[Finding] | NotApplicable

Rule: TypeAlias = Callable[[SignalsT], Answer]
"""`rule(signals)`; has a docstring, reads nothing but its signals, and changes nothing."""
