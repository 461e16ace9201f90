"""Rules about slices: each looks at `FitSignals.slices` and changes nothing."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from groundup.core.findings import Finding
from groundup.core.wording import number, shown
from groundup.doctor.contract import Answer, NotApplicable
from groundup.doctor.signals import FitSignals

_RATES: Final = {
    "selection_rate": "is answered",
    "true_positive_rate": "is found where it is true",
    "false_positive_rate": "is answered where it is not true",
}
_NOT_ASKED: Final = NotApplicable("`evaluation.slices` names no column")


def worse_on_a_slice(signals: FitSignals) -> Answer:
    """V001: on one slice of the test rows the model is clearly worse than on another."""
    if not signals.slices:
        return _NOT_ASKED
    return tuple(_gaps(signals))


def unequal_rates(signals: FitSignals) -> Answer:
    """V002: the class that is looked for is answered, or found, clearly more often on one slice."""
    if not signals.slices:
        return _NOT_ASKED
    if not any(set(_RATES) & set(column["gaps"]) for column in signals.slices["columns"]):
        return NotApplicable("rates are compared for two classes, on slices with enough rows")
    return tuple(_rates(signals))


def _gaps(signals: FitSignals) -> Iterator[Finding]:
    for column in signals.slices["columns"]:
        gap = _clear(column["gaps"].get(signals.metric))
        if gap is None:
            continue
        scores = {each["label"]: each["scores"] for each in column["slices"]}
        best, worst = (scores[gap[end]][signals.metric]["value"] for end in ("best", "worst"))
        yield Finding(
            "V001",
            "warning",
            f"Where `{column['column']}` is {shown(gap['worst'])}, {signals.metric} is {number(worst, 3)}; "
            f"where it is {shown(gap['best'])}, {number(best, 3)}. The gap of {number(gap['value'], 2)} "
            f"(interval {_ends(gap)}) is more than chance, with every pair of slices counted.",
            "Gather more rows like the worst slice, or columns that say something about it; tell those who "
            "use the model where it is weak.",
            {"metric": signals.metric, **gap},
            column=column["column"],
        )


def _rates(signals: FitSignals) -> Iterator[Finding]:
    for column in signals.slices["columns"]:
        known = {name: _clear(gap) for name, gap in column["gaps"].items() if name in _RATES}
        gaps = {name: gap for name, gap in known.items() if gap is not None}
        if gaps:
            said = "; ".join(_rate_words(name, gap, column) for name, gap in gaps.items())
            yield Finding(
                "V002",
                "info",
                f"By `{column['column']}`, the class that is looked for {said}.",
                "Ask whether this follows from the question or from the data, and which of the rates must be "
                "equal before the answers decide about people; they cannot all be unless the classes are as "
                "common in every slice.",
                {"gaps": gaps},
                column=column["column"],
            )


def _clear(gap: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """Return the gap between best and worst if it is clear, else between the pair that is clearest."""
    if gap is None:
        return None
    if gap["is_clear"]:
        return {key: value for key, value in gap.items() if key != "clearest"}
    clearest: Mapping[str, Any] = gap["clearest"]
    return clearest if clearest["is_clear"] else None


def _rate_words(name: str, gap: Mapping[str, Any], column: Mapping[str, Any]) -> str:
    scores = {each["label"]: each["scores"] for each in column["slices"]}
    high, low = (scores[gap[end]][name]["value"] for end in ("highest", "lowest"))
    return (
        f"{_RATES[name]} for {number(100 * high, 3)} % of {shown(gap['highest'])} and "
        f"{number(100 * low, 3)} % of {shown(gap['lowest'])}"
    )


def _ends(gap: Mapping[str, Any]) -> str:
    return f"{number(gap['low'], 2)} to {number(gap['high'], 2)}"
