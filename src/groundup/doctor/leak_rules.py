"""Rules about what gives the target away; each looks at its signals and changes nothing."""

from collections.abc import Iterable, Iterator
from typing import Final

from groundup.core.findings import Finding
from groundup.core.json import Json
from groundup.core.wording import count, listed, number, percent
from groundup.doctor.contract import Answer, NotApplicable
from groundup.doctor.data_rules import MAX_FINDINGS, dropped
from groundup.doctor.signals import DataSignals, FitSignals
from groundup.evaluation.formulas import Formula
from groundup.evaluation.giveaways import Giveaways, Presence

SUSPICIOUS: Final = 0.01
"""Share of the baseline's held-out loss below which a model is too good to be true (F006)."""

_N_ERRORS: Final = 10
_ROUNDING: Final = 1e-6
_REMEDY: Final = (
    "Ask when and how it is recorded: if only once the answer is known, or from it, leave it out (the patch "
    "does); if it is truly known before, keep it."
)


def gives_target_away(signals: DataSignals) -> Answer:
    """D015: a column holds the answer, which it will not when the answer is asked for."""
    found, availability = signals.giveaways, signals.availability
    ahead = () if availability is None else availability.ahead
    if found is None and not ahead:
        return NotApplicable("there are too few rows or columns to compare columns with each other")
    findings = [] if found is None else _giveaways(signals, found)
    named = {name for each in findings for name in _columns(each)}
    return [*findings, *(_by_later_rows(signals, *each) for each in ahead if each[0] not in named)]


def _columns(finding: Finding) -> list[str]:
    columns = finding.evidence.get("columns", [finding.column])
    return [str(name) for name in columns] if isinstance(columns, list) else []


def _giveaways(signals: DataSignals, found: Giveaways) -> list[Finding]:
    findings: list[Finding] = []
    named: set[str] = set()
    if found.formula is not None:
        findings.append(_by_formula(signals, found, found.formula))
        named |= set(found.formula.columns)
    columns = tuple(name for name in found.columns if name not in named)
    if columns:
        findings.append(_by_columns(signals, found, columns))
    named |= set(columns)
    presences = [each for each in found.presences if each.column not in named]
    findings += _by_presences(signals, presences[:MAX_FINDINGS])
    return findings


def suspiciously_good(signals: FitSignals) -> Answer:
    """F006: hardly any loss is left on rows held out, which honest data seldom allow."""
    if signals.loss_ratio is None:
        return NotApplicable("no rows were held out")
    if not is_suspicious(signals):
        return ()
    return (
        Finding(
            "F006",
            "warning",
            f"On rows held out, the {signals.loss} of `{signals.learner}` is {percent(signals.loss_ratio)} "
            "of the baseline's: nearly every answer is exact. Seldom is a question so easy; more often a "
            "column holds the answer, or the same rows are learned and tested.",
            "Look at the columns that matter most and ask of each whether it is known before the answer is; "
            "look for copied rows (S001, S002) and for columns that give the target away (D015).",
            {"learner": signals.learner, "loss": signals.loss, "loss_ratio": signals.loss_ratio},
        ),
    )


def is_suspicious(signals: FitSignals) -> bool:
    """Return whether the model is too good to be true."""
    return signals.loss_ratio is not None and signals.loss_ratio < SUSPICIOUS


def _by_columns(signals: DataSignals, found: Giveaways, columns: tuple[str, ...]) -> Finding:
    errors = dict(found.errors)
    second = next((pair for pair in found.errors if pair[0] not in found.columns), None)
    verb = "leaves" if len(columns) == 1 else "each leave"
    worst = max(errors[name] for name in columns)
    best_other = "" if second is None else f", the next best alone (`{second[0]}`) {percent(second[1])}"
    rest = "" if found.rest_error is None else f"; all others together leave {percent(found.rest_error)}"
    return Finding(
        "D015",
        "warning",
        f"{listed(columns)} alone {verb} {percent(worst)} of the error of guessing `{signals.target}`"
        f"{rest}{best_other}. So large a lead is typical of a column that was recorded after the answer, or "
        "from it.",
        _REMEDY,
        {
            "columns": list(columns),
            "rest_error": found.rest_error,
            "errors": [[name, error] for name, error in found.errors[:_N_ERRORS]],
            "n_rows": found.n_rows,
        },
        dropped(signals, columns),
        column=columns[0] if len(columns) == 1 else None,
    )


def _by_formula(signals: DataSignals, found: Giveaways, formula: Formula) -> Finding:
    return Finding(
        "D015",
        "warning",
        f"`{signals.target}` can be computed exactly: it is {formula_text(formula)}. A model would learn "
        f"that {'product' if formula.is_product else 'sum'} alone.",
        "If these columns are known only together with the answer, leave them out (the patch does); if they "
        "are known before, no model is needed.",
        {
            "columns": list(formula.columns),
            "factors": list(formula.factors),
            "constant": formula.constant,
            "is_product": formula.is_product,
            "n_rows": found.n_rows,
        },
        dropped(signals, formula.columns),
        column=formula.columns[0] if len(formula.columns) == 1 else None,
    )


def _by_later_rows(signals: DataSignals, column: str, n_ahead: int) -> Finding:
    assert signals.availability is not None
    time = signals.availability.time
    rows = "of its own row" if n_ahead == 0 else f"up to {count(n_ahead, 'row')} ahead"
    return Finding(
        "D015",
        "warning",
        f"`{column}` is computed exactly from `{signals.target}` {rows}, in the order of `{time}`: when the "
        "answer is asked for, that is not known yet.",
        "Compute it from rows before its own alone, or leave it out (the patch does).",
        {"columns": [column], "time": time, "n_rows_ahead": n_ahead},
        dropped(signals, (column,)),
        column=column,
    )


def formula_text(formula: Formula) -> str:
    """Return a formula as people write it.

    Examples
    --------
    >>> formula_text(Formula(("casual", "registered"), (1.0, 1.0), 0.0, is_product=False))
    '`casual` + `registered`'
    >>> formula_text(Formula(("price", "pieces"), (1.0, -1.0), 2.0, is_product=True))
    '2 × `price` × `pieces`^-1'
    """
    terms = list(_terms(formula))
    return (" × " if formula.is_product else " + ").join(terms)


def _terms(formula: Formula) -> Iterator[str]:
    if formula.is_product and abs(formula.constant - 1) > _ROUNDING:
        yield number(formula.constant)
    for name, factor in zip(formula.columns, formula.factors, strict=True):
        is_one = abs(factor - 1) <= _ROUNDING
        if formula.is_product:
            yield f"`{name}`" if is_one else f"`{name}`^{number(factor)}"
        else:
            yield f"`{name}`" if is_one else f"{number(factor)} × `{name}`"
    if not formula.is_product and abs(formula.constant) > _ROUNDING:
        yield number(formula.constant)


def _by_presences(signals: DataSignals, presences: Iterable[Presence]) -> Iterator[Finding]:
    labels = list(signals.class_counts)
    for each in presences:
        label = labels[each.code] if each.code < len(labels) else str(each.code)
        state = "filled in" if each.is_filled else "missing"
        evidence: dict[str, Json] = {
            "state": state,
            "class": label,
            "n": each.n,
            "share": each.share,
            "overall_share": each.overall,
        }
        yield Finding(
            "D015",
            "warning",
            f"Where `{each.column}` is {state} ({count(each.n, 'training row')}), `{signals.target}` is "
            f"`{label}` in {percent(each.share)}; of all rows it is in {percent(each.overall)}. So it seems "
            "to be recorded for one answer only.",
            _REMEDY,
            evidence,
            dropped(signals, (each.column,)),
            column=each.column,
        )
