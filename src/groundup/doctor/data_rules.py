"""Rules about the data: each looks at `DataSignals` and changes nothing."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from groundup.core.findings import Finding, column_patch
from groundup.core.json import Json
from groundup.core.wording import count, listed, percent
from groundup.doctor.contract import Answer, NotApplicable
from groundup.doctor.signals import DataSignals

MANY_MISSING: Final = 0.5
"""Share of missing values above which D010 speaks."""

MANY_ROWS_WITHOUT_TARGET: Final = 0.05
"""Share of rows without a target above which D004 is a warning, not only information."""

MAX_FINDINGS: Final = 10
"""Columns that one rule reports one by one; the others share a last finding."""

_NO_FEATURES: Final = NotApplicable("there is no column besides the target")
_NO_PROFILE: Final = NotApplicable("the columns were not profiled")


def rows_without_target(signals: DataSignals) -> Answer:
    """D004: rows in which the target is missing teach nothing and were left out."""
    n_missing, n_rows = signals.n_rows_without_target, signals.n_rows_read
    if n_rows == 0:
        return NotApplicable("the rows were not counted")
    if n_missing == 0:
        return ()
    share = n_missing / n_rows
    return (
        Finding(
            "D004",
            "warning" if share > MANY_ROWS_WITHOUT_TARGET else "info",
            f"The target `{signals.target}` is missing in {count(n_missing)} of {count(n_rows)} rows "
            f"({percent(share)}); these rows were left out.",
            "Find out why: if rows lack it for a reason that also shapes the target, the model will be "
            "biased; otherwise go on.",
            {"n_missing": n_missing, "n_rows": n_rows, "share": share},
            column=signals.target,
        ),
    )


def missing_column(signals: DataSignals) -> Answer:
    """D005: a column without a single value in the training rows was left out."""

    def finding(column: Mapping[str, Any]) -> Finding:
        name = column["name"]
        return Finding(
            "D005",
            "warning",
            f"`{name}` has no value in any of the {count(column['n'])} training rows; it was left out.",
            "Check that the column was exported and that its values are not spelt like a missing one; "
            "else drop it.",
            {"n": column["n"], "missing_spellings": _missing_spellings(signals, name)},
            column_patch("preparation.columns", name, "drop", value=True),
            column=name,
        )

    return _per_column(signals, _is_all_missing, finding)


def constant_column(signals: DataSignals) -> Answer:
    """D006: a column with one value in every training row tells rows apart by nothing."""

    def finding(column: Mapping[str, Any]) -> Finding:
        name = column["name"]
        return Finding(
            "D006",
            "info",
            f"`{name}` has the same value in all {count(_n_known(column))} training rows "
            f"{_in_which(column)}; it was left out.",
            "Drop it, or check whether the data were filtered by it.",
            {"n": column["n"], "n_missing": column["n_missing"]},
            column_patch("preparation.columns", name, "drop", value=True),
            column=name,
        )

    def is_constant(column: Mapping[str, Any]) -> bool:
        by_schema = signals.schema[column["name"]].kind == "constant" and not _is_all_missing(column)
        return by_schema or _has_one_value(column)

    return _per_column(signals, is_constant, finding)


def identifier_column(signals: DataSignals) -> Answer:
    """D007: a column that names rows cannot say anything about rows not seen; it was left out."""

    def finding(column: Mapping[str, Any]) -> Finding:
        name = column["name"]
        return Finding(
            "D007",
            "info",
            f"`{name}` looks like an identifier ({count(column['n_unique'])} distinct values in "
            f"{count(column['n'])} training rows), so a model could only learn it by heart; it was left out.",
            "If it does carry meaning, state its kind; if it names an entity with several rows, "
            "split by it with `data.split.group`.",
            {"n": column["n"], "n_unique": column["n_unique"], "reason": signals.schema[name].reason},
            column_patch("data.columns", name, value="category"),
            column=name,
        )

    def is_identifier(column: Mapping[str, Any]) -> bool:
        return signals.schema[column["name"]].kind == "identifier" and not _is_all_missing(column)

    return _per_column(signals, is_identifier, finding)


def many_missing_values(signals: DataSignals) -> Answer:
    """D010: a column in which most training rows have no value says little, and may say it by accident."""

    def finding(column: Mapping[str, Any]) -> Finding:
        name, share = column["name"], column["n_missing"] / column["n"]
        return Finding(
            "D010",
            "warning",
            f"`{name}` is missing in {count(column['n_missing'])} of {count(column['n'])} training rows "
            f"({percent(share)}).",
            "Find out whether it will be known when the model is used; drop it if it will not.",
            {"n_missing": column["n_missing"], "n": column["n"], "share": share},
            column_patch("preparation.columns", name, "drop", value=True),
            column=name,
        )

    return _per_column(signals, _is_mostly_missing, finding)


def more_columns_than_rows(signals: DataSignals) -> Answer:
    """D012: with more columns than training rows, some columns fit the target by chance."""
    if signals.n_train == 0:
        return NotApplicable("the rows were not split")
    if signals.n_features <= signals.n_train:
        return ()
    return (
        Finding(
            "D012",
            "warning",
            f"There are {count(signals.n_features)} columns and only {count(signals.n_train)} training "
            "rows, so some columns will match the target by chance.",
            "Use a model that leaves columns out, drop columns that cannot matter, or gather more rows.",
            {"n_features": signals.n_features, "n_train": signals.n_train},
            SPARSE_MODEL[signals.task],
        ),
    )


SPARSE_MODEL: Final[Mapping[str, Mapping[str, Json]]] = {
    "regression": {"model.name": "lasso"},
    "classification": {"model.name": "logistic", "model.l1_ratio": 1.0},
}
"""The model that copes best with more columns than rows, as a patch, by task."""


def dropped(signals: DataSignals, columns: Iterable[str]) -> dict[str, Json]:
    """Return the patch that leaves columns out; empty if none would remain."""
    names = set(columns)
    if names >= set(signals.features):
        return {}
    patch: dict[str, Json] = {}
    for name in sorted(names):
        patch |= column_patch("preparation.columns", name, "drop", value=True)
    return patch


def _is_all_missing(column: Mapping[str, Any]) -> bool:
    return bool(column["n"] > 0 and column["n_missing"] == column["n"])


def _has_one_value(column: Mapping[str, Any]) -> bool:
    return bool(column["n"] > 1 and column["n_missing"] == 0 and column["n_unique"] == 1)


def _n_known(column: Mapping[str, Any]) -> int:
    return int(column["n"] - column["n_missing"])


def _in_which(column: Mapping[str, Any]) -> str:
    return "that have one" if column["n_missing"] else "there are"


def _is_mostly_missing(column: Mapping[str, Any]) -> bool:
    return bool(MANY_MISSING * column["n"] < column["n_missing"] < column["n"])


def _missing_spellings(signals: DataSignals, name: str) -> list[Json]:
    return list(signals.schema[name].missing)


def _per_column(
    signals: DataSignals,
    is_hit: Callable[[Mapping[str, Any]], bool],
    finding: Callable[[Mapping[str, Any]], Finding],
) -> Answer:
    """Return a finding for each feature that is hit: the first few one by one, the others in one."""
    if not signals.features:
        return _NO_FEATURES
    if not signals.profile:
        return _NO_PROFILE
    hits = [column for column in signals.feature_profiles() if is_hit(column)]
    shown = [finding(column) for column in hits[:MAX_FINDINGS]]
    return (*shown, *_rest(hits[MAX_FINDINGS:], shown))


def _rest(hits: list[Mapping[str, Any]], shown: list[Finding]) -> Iterable[Finding]:
    """Return one finding for the columns beyond those shown one by one."""
    if not hits:
        return ()
    first, names = shown[0], [column["name"] for column in hits]
    message = f"The same holds for {count(len(names), 'more column')}: {listed(names, limit=3)}."
    evidence: dict[str, Json] = {"n_columns": len(names), "columns": list(names[:100])}
    return (Finding(first.code, first.severity, message, first.remedy, evidence),)
