"""Rules about using a model on new rows; each looks at `UseSignals` and changes nothing."""

from collections.abc import Mapping
from math import log
from types import MappingProxyType
from typing import Any, Final

from groundup.core.findings import Finding
from groundup.core.json import Json
from groundup.core.wording import count, listed, percent
from groundup.doctor.contract import Answer, NotApplicable
from groundup.doctor.data_rules import MAX_FINDINGS
from groundup.doctor.signals import UseSignals
from groundup.evaluation.giveaways import divergence

FEWEST: Final = 0.05
"""Share of new rows, beyond what training leads to expect, from which M001 speaks."""

_CHANCE: Final = 1e-4  # of a false alarm, for all columns of a table together
_WHAT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "missing": "is missing",
        "unseen": "has a level that training never saw",
        "outside": "lies outside the range of training",
    }
)


def unlike_training(signals: UseSignals) -> Answer:
    """M001: far more new rows than in training are missing a value, or have one never seen."""
    if not signals.columns or signals.n_rows == 0:
        return NotApplicable("what the training rows looked like is not known here")
    hits = [
        (column, what, *column[what])
        for column in signals.columns
        for what in _WHAT
        if what in column and _is_unlike(column["n"], *column[what], n_columns=len(signals.columns))
    ]
    hits.sort(key=lambda hit: hit[3] - hit[2] / hit[0]["n"])
    findings = [_finding(*hit) for hit in hits[:MAX_FINDINGS]]
    names = list(dict.fromkeys(column["name"] for column, *_ in hits[MAX_FINDINGS:]))
    if names:
        message = f"The same holds for {count(len(names), 'more column')}: {listed(names, limit=3)}."
        findings.append(Finding("M001", "warning", message, _REMEDY, {"columns": list(names[:100])}))
    return findings


_REMEDY: Final = (
    "Check that the column is filled, spelt and measured as it was for training; if the world has changed, "
    "train again with newer rows."
)


def _is_unlike(n: int, n_hits: int, expected: float, *, n_columns: int) -> bool:
    share = n_hits / n
    return share - expected >= FEWEST and n * divergence(share, expected) > log(3 * n_columns / _CHANCE)


def _finding(column: Mapping[str, Any], what: str, n_hits: int, expected: float) -> Finding:
    name, n = column["name"], column["n"]
    evidence: dict[str, Json] = {
        "what": what,
        "n": n_hits,
        "n_rows": n,
        "share": n_hits / n,
        "expected_share": expected,
    }
    return Finding(
        "M001",
        "warning",
        f"`{name}` {_WHAT[what]} in {count(n_hits)} of {count(n, 'new row')} ({percent(n_hits / n)}); the "
        f"training rows lead to expect {percent(expected)}. The model's answers for these rows are guesses.",
        _REMEDY,
        evidence,
        column=name,
    )
