"""Ask every rule about the same signals, and collect what they answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from groundup.core.findings import Finding
from groundup.doctor.contract import NotApplicable, Rule


@dataclass(frozen=True)
class Diagnosis:
    """What the rules answered.

    Parameters
    ----------
    findings : tuple of Finding
        In the order of the rules.
    not_applicable : mapping of str to str
        Code of each rule that had nothing to look at → why.
    """

    findings: tuple[Finding, ...]
    not_applicable: Mapping[str, str]

    def to_json(self) -> dict[str, Any]:
        """Return the diagnosis as a JSON object."""
        return {
            "findings": [finding.to_json() for finding in self.findings],
            "not_applicable": dict(self.not_applicable),
        }


def load_rule(reference: str) -> Rule[Any]:
    """Return the rule that a table names as ``module:function``.

    Examples
    --------
    >>> load_rule("groundup.doctor.data_rules:constant_column").__name__
    'constant_column'
    """
    module, function = reference.split(":")
    rule: Rule[Any] = getattr(import_module(module), function)
    return rule


def examine(signals: object, rules: Mapping[str, str]) -> Diagnosis:
    """Ask every rule of a table about `signals`.

    Parameters
    ----------
    signals : DataSignals or FitSignals
        What the rules of this table look at.
    rules : mapping of str to str
        Code → ``module:function``: `groundup.doctor.rules.DATA_RULES` or `FIT_RULES`.

    Returns
    -------
    Diagnosis
        Every finding, and which rules did not apply and why.

    Examples
    --------
    >>> from groundup.doctor.rules import FIT_RULES
    >>> from groundup.doctor.signals import FitSignals
    >>> diagnosis = examine(FitSignals("regression", "lasso", facts={"converged": False}), FIT_RULES)
    >>> [finding.code for finding in diagnosis.findings], diagnosis.not_applicable["F003"]
    (['F004'], 'the test part was not evaluated')
    """
    findings: list[Finding] = []
    not_applicable: dict[str, str] = {}
    for code, reference in rules.items():
        answer = load_rule(reference)(signals)
        if isinstance(answer, NotApplicable):
            not_applicable[code] = answer.reason
        else:
            findings.extend(answer)
    return Diagnosis(tuple(findings), not_applicable)
