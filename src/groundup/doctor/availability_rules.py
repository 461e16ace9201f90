"""Rules about when a column is known; each looks at its signals and changes nothing."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from groundup.core.findings import Finding
from groundup.core.wording import count, percent
from groundup.doctor.contract import Answer, NotApplicable
from groundup.doctor.data_rules import MAX_FINDINGS, dropped
from groundup.doctor.signals import DataSignals

_NO_TIME: Final = NotApplicable("`data.split.time` names no column that orders the rows")


def later_than_the_row(signals: DataSignals) -> Answer:
    """D019: a column holds dates after the row's own moment, which are not known at that moment."""
    if signals.availability is None:
        return _NO_TIME
    time = signals.availability.time
    return tuple(
        Finding(
            "D019",
            "warning",
            f"In {count(each.n_later)} of {count(each.n, 'row')} with both dates "
            f"({percent(each.n_later / each.n)}), `{each.column}` lies after `{time}`, the row's own moment. "
            "Unless it was planned by then, it was filled in afterwards.",
            f"Ask what is known at `{time}`: keep the column if its dates are planned ahead, else leave it "
            "out (the patch does), and with it what is recorded at the same time.",
            {"time": time, "n_later": each.n_later, "n": each.n, "share": each.n_later / each.n},
            dropped(signals, (each.column,)),
            column=each.column,
        )
        for each in signals.availability.later[:MAX_FINDINGS]
    )


def changes_with_time(signals: DataSignals) -> Answer:
    """D020: a column comes or goes in the course of time, or no longer says what it said."""
    if signals.availability is None:
        return _NO_TIME
    time = signals.availability.time
    return tuple(
        Finding(
            "D020",
            "warning",
            f"`{each.column}` {_SAID[each.what].format(early=percent(each.early), late=percent(each.late))} "
            f"of the rows by `{time}`. A model is used at the end of that order, where it would be misled.",
            "Find out what changed, and whether the column will be filled and mean the same in new rows; if "
            "not, leave it out (the patch does) or learn from rows after the change.",
            {"time": time, "what": each.what, "early": each.early, "late": each.late, "n_rows": each.n},
            dropped(signals, (each.column,)),
            column=each.column,
        )
        for each in signals.availability.changes[:MAX_FINDINGS]
    )


_SAID: Final[Mapping[str, str]] = MappingProxyType(
    {
        "filled": "is filled in {early} of the earlier and {late} of the later half",
        "tie": "alone takes {early} off the error of guessing in the earlier and {late} in the later half",
    }
)
