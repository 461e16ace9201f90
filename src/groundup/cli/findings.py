"""Findings in the terminal: how serious, what, and what to do."""

import json
import shlex
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from groundup.cli.console import MARGIN, print_paragraph, styled
from groundup.cli.formats import one_line
from groundup.core.wording import count

if TYPE_CHECKING:
    from rich.console import Console

N_FINDINGS: Final = 5
"""Findings told at the end, and as many notes; the report has all of them."""


class Severity(NamedTuple):
    """How a severity is called, one and several, and how it looks."""

    word: str
    plural: str
    style: str


SEVERITIES: Final[Mapping[str, Severity]] = MappingProxyType(
    {
        "error": Severity("serious", "serious", "bold red"),
        "warning": Severity("warning", "warnings", "yellow"),
        "info": Severity("note", "notes", "dim"),
    }
)
"""A finding's severity, the most serious first."""


def finding_title(finding: Mapping[str, Any]) -> str:
    """Return a finding's severity, code, title and column, from its JSON.

    Examples
    --------
    >>> finding_title({"severity": "info", "code": "D006", "title": "A column is constant", "column": "ship"})
    'note D006: A column is constant (ship)'
    """
    column = f" ({finding['column']})" if finding.get("column") else ""
    return f"{SEVERITIES[finding['severity']].word} {finding['code']}: {finding['title']}{column}"


def print_findings(console: "Console", findings: Sequence[Mapping[str, Any]]) -> None:
    """Print findings, the most serious first, each with its remedy; notes by their titles alone.

    Parameters
    ----------
    console : Console
        Where.
    findings : sequence of mapping
        Findings as JSON objects.
    """
    ranked = sorted(findings, key=lambda finding: list(SEVERITIES).index(finding["severity"]))
    notes = _notes(finding for finding in ranked if finding["severity"] == "info")
    serious = [finding for finding in ranked if finding["severity"] != "info"]
    told = count_findings(findings) or "none"
    if notes and not serious:
        told, notes = f"{told}: {notes}", ""
    print_paragraph(console, styled(told), indent=MARGIN, label="Findings")
    for finding in serious[:N_FINDINGS]:
        _print_finding(console, finding)
    if len(serious) > N_FINDINGS:
        console.print(f"  … and {len(serious) - N_FINDINGS} more")
    if notes:
        print_paragraph(console, styled((f"notes {notes}", "dim")), indent=2)


def _notes(findings: Iterable[Mapping[str, Any]]) -> str:
    """Return the titles of notes as one sentence; equal ones are counted."""
    titles = [f"{each} ({n} times)" if n > 1 else each for each, n in Counter(map(_brief, findings)).items()]
    more = [f"{len(titles) - N_FINDINGS} more"] if len(titles) > N_FINDINGS else []
    return f"{'; '.join([*titles[:N_FINDINGS], *more])}." if titles else ""


def _brief(finding: Mapping[str, Any]) -> str:
    return finding_title(finding).removeprefix(f"{SEVERITIES['info'].word} ")


def _print_finding(console: "Console", finding: Mapping[str, Any]) -> None:
    severity = SEVERITIES[finding["severity"]]
    label = (f"{severity.word} {finding['code']}", severity.style)
    text = styled(label, f" {one_line(finding['message'])} ", (f"→ {one_line(finding['remedy'])}", "cyan"))
    patch = " ".join(_as_flag(path, value) for path, value in finding["patch"].items())
    if patch:
        text.append_text(styled((f" ({patch})", "dim")))
    print_paragraph(console, text, indent=2)


def _as_flag(path: str, value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"--set {shlex.quote(f'{path}={text}')}"


def count_findings(findings: Iterable[Mapping[str, Any]]) -> str:
    """Return how many findings there are of each severity.

    Examples
    --------
    >>> count_findings([{"severity": "info"}, {"severity": "warning"}, {"severity": "info"}])
    '1 warning, 2 notes'
    """
    severities = [finding["severity"] for finding in findings]
    numbers = [(severities.count(name), severity) for name, severity in SEVERITIES.items()]
    return ", ".join(count(n, severity.word, severity.plural) for n, severity in numbers if n)
