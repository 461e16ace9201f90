"""A rule about targets that look wrong; it looks at its signals and changes nothing."""

from typing import Final

from groundup.core.findings import Finding
from groundup.core.json import Json
from groundup.core.wording import count, percent, shown
from groundup.doctor.contract import Answer, NotApplicable
from groundup.doctor.signals import DoubtfulTargets, FitSignals, Span

_N_NAMED: Final = 3
_BY_MEDIAN: Final = (
    "if mistakes cannot be corrected, predict the median and judge by the mean absolute error, both of "
    "which they move less."
)


def labels_look_wrong(signals: FitSignals) -> Answer:
    """F007: rows bear a target that models which have not seen them are sure is another."""
    doubtful = signals.doubtful
    if doubtful is None:
        return NotApplicable("the rows are too few, or the model knows too little, to judge targets by")
    if not doubtful.stands_out:
        return ()
    evidence: dict[str, Json] = {
        "n_rows": doubtful.n_rows,
        "n_doubtful": doubtful.n_doubtful,
        "rows": [list(row) for row in doubtful.rows],
    }
    if doubtful.share is None:
        return (_outlying(signals, doubtful, evidence),)
    return (_mislabelled(signals, doubtful, doubtful.share, evidence),)


def _mislabelled(
    signals: FitSignals, doubtful: DoubtfulTargets, share: Span, evidence: dict[str, Json]
) -> Finding:
    named = "; ".join(
        f"row {row}: {shown(given)}, probably {shown(likely)}" for row, given, likely in _few(doubtful)
    )
    interval = f"(interval {percent(share.low)} to {percent(share.high)})"
    doubt = f"`{signals.learner}` contradicts them even where it is surest"
    is_one_sided = doubtful.one_sided is not None
    said = f"About {percent(share.value)} of the labels in `{signals.target}` look wrong {interval}: {doubt}."
    if is_one_sided:
        said = (
            f"About {percent(share.value)} of the rows that look like {shown(doubtful.one_sided)} bear "
            f"another label in `{signals.target}` {interval}: {doubt}. Either these labels are wrong, or the "
            "answer hangs on chance that no column knows."
        )
    return Finding(
        "F007",
        "info" if is_one_sided else "warning",
        f"{said} Most suspicious of {count(doubtful.n_doubtful, 'row')}: {named}." if named else said,
        "Check the rows that the evidence lists (rows with a target, counted from 0) against their origin "
        "and correct the source; do not just delete what the model gets wrong.",
        {
            **evidence,
            "share": share.value,
            "low": share.low,
            "high": share.high,
            "one_sided": doubtful.one_sided,
        },
        column=signals.target,
    )


def _outlying(signals: FitSignals, doubtful: DoubtfulTargets, evidence: dict[str, Json]) -> Finding:
    is_squared = signals.loss == "squared error"
    named = "; ".join(
        f"row {row}: {shown(given)}, expected about {shown(likely)}" for row, given, likely in _few(doubtful)
    )
    return Finding(
        "F007",
        "info",
        f"In {count(doubtful.n_doubtful)} of {count(doubtful.n_rows, 'row')} `{signals.target}` is "
        f"extremely far from what `{signals.learner}` expects: {named}. They may be mistakes, or true "
        "and rare.",
        "Check these rows (rows with a target, counted from 0) against their origin"
        + (f"; {_BY_MEDIAN}" if is_squared else "."),
        evidence,
        {"problem.metric": "mae"} if is_squared else {},
        column=signals.target,
    )


def _few(doubtful: DoubtfulTargets) -> tuple[tuple[int, Json, Json], ...]:
    return doubtful.rows[:_N_NAMED]
