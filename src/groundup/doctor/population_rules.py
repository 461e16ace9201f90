"""The rule about whom the rows represent: it looks at `DataSignals.population` and changes nothing."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from groundup.core.findings import Finding
from groundup.core.json import Json
from groundup.core.wording import count, number, percent, shown
from groundup.doctor.contract import Answer, NotApplicable
from groundup.doctor.data_rules import MAX_FINDINGS
from groundup.doctor.signals import DataSignals

_MOST_NAMED: Final = 3
_REMEDY: Final = (
    "Gather more rows of these groups. Until then look at the scores of each group (the patch measures "
    "them), and trust the model less where it has seen little."
)


def under_represented(signals: DataSignals) -> Answer:
    """D018: a group has clearly fewer of the training rows than of the population, or none."""
    population = signals.population
    if not population or "not_applicable" in population:
        return NotApplicable(population.get("not_applicable", "no population is stated"))
    found = [*_columns(population["columns"], signals.sliced), *_joint(population["joint"], signals.sliced)]
    return tuple(found[:MAX_FINDINGS])


def _columns(columns: Sequence[Mapping[str, Any]], sliced: Sequence[str]) -> Iterator[Finding]:
    for column in columns:
        rare = [group for group in column["groups"] if group["status"] in ("absent", "under")]
        if not rare:
            continue
        name = column["column"]
        rare.sort(key=lambda group: float(group["ratio"]))
        named = "; ".join(_words(group) for group in rare[:_MOST_NAMED])
        more = f"; and {count(len(rare) - _MOST_NAMED, 'more group')}" if len(rare) > _MOST_NAMED else ""
        yield Finding(
            "D018",
            "warning",
            f"By `{name}`, the training rows do not represent the population: {named}{more}.",
            _REMEDY,
            {"n": column["n"], "distance": column["distance"], "groups": [dict(group) for group in rare]},
            _patch([name], sliced),
            column=name,
        )


def _words(group: Mapping[str, Any]) -> str:
    population = percent(group["population"])
    if group["status"] == "absent":
        return f"{shown(group['label'])} is absent, and should be {population} of the rows"
    return (
        f"{shown(group['label'])} is {percent(group['share'])} of the rows ({percent(group['low'])} to "
        f"{percent(group['high'])}), and should be {population}"
    )


def _joint(cells: Sequence[Mapping[str, Any]], sliced: Sequence[str]) -> Iterator[Finding]:
    if not cells:
        return
    named = "; ".join(_joint_words(cell) for cell in cells[:_MOST_NAMED])
    more = f"; and {count(len(cells) - _MOST_NAMED, 'more pair')}" if len(cells) > _MOST_NAMED else ""
    columns = list(dict.fromkeys(name for cell in cells[:_MOST_NAMED] for name in cell["columns"]))
    evidence: dict[str, Json] = {"n_pairs": len(cells), "pairs": [dict(cell) for cell in cells[:20]]}
    yield Finding(
        "D018",
        "warning",
        f"Groups are rarer together than each of them explains: {named}{more}.",
        _REMEDY,
        evidence,
        _patch(columns, sliced),
    )


def _joint_words(cell: Mapping[str, Any]) -> str:
    pair = " and ".join(
        f"`{name}` {shown(label)}" for name, label in zip(cell["columns"], cell["labels"], strict=True)
    )
    return f"{pair} have {count(cell['n'], 'row')} where {number(cell['expected'], 3)} would be expected"


def _patch(columns: Sequence[str], sliced: Sequence[str]) -> dict[str, Json]:
    """Return the recipe's change that measures the columns' groups on the test part."""
    new = [name for name in columns if name not in sliced]
    return {"evaluation.slices": [*sliced, *new]} if new else {}
