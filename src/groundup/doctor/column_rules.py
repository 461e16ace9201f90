"""Rules about columns that say little, or too much about single rows."""

from collections.abc import Iterator
from typing import Final

from groundup.core.findings import Finding, column_patch
from groundup.core.wording import count, percent, shown
from groundup.doctor.contract import Answer, NotApplicable
from groundup.doctor.data_rules import MAX_FINDINGS
from groundup.doctor.signals import DataSignals, FitSignals

WIDE: Final = 1.0
"""Width of the improvement's interval, as a share of the improvement, from which F008 may speak."""

FEW_ROWS: Final = 10
"""Training rows per column below which F008 may speak."""

_NO_FEATURES: Final = NotApplicable("there is no column besides the target")


def near_constant_column(signals: DataSignals) -> Answer:
    """D016: a column has the same value in nearly every row, and the few others teach little."""
    if not signals.features:
        return _NO_FEATURES
    return tuple(_near_constant(signals))[:MAX_FINDINGS]


def _near_constant(signals: DataSignals) -> Iterator[Finding]:
    for name, value, n_same, n_known in signals.dominant:
        yield Finding(
            "D016",
            "info",
            f"`{name}` is {shown(value)} in {count(n_same)} of {count(n_known, 'training row')} "
            f"({percent(n_same / n_known)}); the other {count(n_known - n_same)} are too few to learn from.",
            "Drop it, unless these few rows are what the question is about.",
            {"n_same": n_same, "n": n_known, "share": n_same / n_known},
            column_patch("preparation.columns", name, "drop", value=True),
            column=name,
        )


def identifier_as_feature(signals: DataSignals) -> Answer:
    """D017: a column that names rows is a feature, for the recipe says what kind it is."""
    if not signals.features:
        return _NO_FEATURES
    return tuple(
        Finding(
            "D017",
            "warning",
            f"`{name}` is used as a {signals.schema[name].kind}, as the recipe says, but looks like an "
            f"identifier ({reason}). What a model learns about single names says nothing about new rows.",
            "Let it be an identifier (the patch does), or split by it if an entity has several rows.",
            {"kind": signals.schema[name].kind, "reason": reason},
            column_patch("data.columns", name, value="identifier"),
            column=name,
        )
        for name, reason in list(signals.forced_identifiers.items())[:MAX_FINDINGS]
    )


def too_little_data(signals: FitSignals) -> Answer:
    """F008: the rows are too few to say how much better than guessing the model is."""
    if signals.improvement is None or signals.n_features == 0:
        return NotApplicable("the test part was not evaluated")
    value, low, high = signals.improvement
    is_vague = low > 0 and high - low > WIDE * value
    has_few_rows = signals.n_train < FEW_ROWS * signals.n_features
    if not (is_vague and has_few_rows):
        return ()
    return (
        Finding(
            "F008",
            "warning",
            f"{count(signals.n_train, 'training row')} for {count(signals.n_features, 'column')} are few: "
            f"the gain over guessing may be anything from {percent(low / value)} to {percent(high / value)} "
            "of what the test part shows.",
            "Gather more rows, or drop columns that can hardly matter; until then compare models by "
            "cross-validation with more folds (the patch).",
            {
                "n_train": signals.n_train,
                "n_features": signals.n_features,
                "improvement": {"value": value, "low": low, "high": high},
                "slope": None if signals.slope is None else list(signals.slope),
            },
            {"evaluation.folds": 10},
        ),
    )
