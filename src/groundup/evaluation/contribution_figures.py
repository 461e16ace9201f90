"""Which charts of contributions a report holds, and how each is read."""

import math
from collections.abc import Iterator, Mapping
from itertools import accumulate
from typing import Any, Final

from groundup.core.wording import count
from groundup.evaluation import contribution_charts as charts
from groundup.evaluation.drawing import Spec
from groundup.evaluation.formatting import is_number, number, percent, shorten

_MOST_TERMS: Final = 8
_UNITS: Final = {
    "log_odds": "the log-odds of {}",
    "score": "the score of {}",
    "probability": "the probability of {}",
}
_EXAMPLES: Final = {
    "typical": "A typical row",
    "outstanding": "The surest answer",
    "worst": "The largest error",
}


def contribution_plans(report: Mapping[str, Any]) -> Iterator[tuple[str, Spec, str, str]]:
    """Yield each chart's name, specification, title and note; nothing without contributions.

    Parameters
    ----------
    report : mapping
        The report as in `report.json`.
    """
    found = report.get("contributions") or {}
    if not any(row["mean_absolute"] > 0 for row in found.get("columns") or ()):
        return
    target = str((report.get("problem") or {}).get("target") or "the value")
    about = _unit(found, found.get("of"), target)
    yield _sizes(found, "the score of a class" if found["scale"] == "score" else about)
    if found.get("strips"):
        yield _strips(found, about)
    for position, row in enumerate(found.get("dependence") or (), 1):
        yield _dependence(position, row, about)


def explained_rows(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the example rows, each as the steps from the base value to the prediction.

    Parameters
    ----------
    report : mapping
        The report as in `report.json`.

    Returns
    -------
    list of dict
        ``title``, ``note``, ``unit``, and ``steps``: ``label``, ``text``, ``way`` (``up``, ``down`` or
        ``whole``), and where its bar lies: ``left`` and ``width``, percent of the drawing.
    """
    found = report.get("contributions") or {}
    target = str((report.get("problem") or {}).get("target") or "the value")
    return [
        {
            "title": _title(example),
            "note": f"Row {number(example['row'])}. {_answer(example)} {_way(example, unit, found['scale'])}",
            "unit": unit,
            "steps": _steps(example),
        }
        for example in found.get("examples") or ()
        for unit in [_unit(found, example.get("of"), target)]
        if is_number(example.get("base_value")) and is_number(example.get("total"))
    ]


def _unit(found: Mapping[str, Any], of: Any, target: str) -> str:
    return _UNITS.get(found["scale"], "{}").format(shorten(target if of is None else of, 30))


def _sizes(found: Mapping[str, Any], unit: str) -> tuple[str, Spec, str, str]:
    over = " and the classes" if found["scale"] == "score" or "by_class" in found["columns"][0] else ""
    note = (
        f"How far each column moves a prediction, in the mean over {number(found['n_rows'])} rows{over}. "
        "Importance asks what the score loses without a column; this, what the model makes of it: a column "
        "can move predictions and not make them better."
    )
    return "contribution_sizes", charts.sizes(found["columns"], unit=unit), "Size of contributions", note


def _strips(found: Mapping[str, Any], unit: str) -> tuple[str, Spec, str, str]:
    note = (
        "Each mark holds the rows whose contribution lies there, taller where there are more. Right of the "
        "dashed line the column raised the prediction."
    )
    if any(level in ("low", "high") for row in found["strips"] for _, _, level in row["bins"]):
        note += (
            " Orange marks on the right and blue ones on the left mean: the higher the value, the higher the "
            "prediction."
        )
    return "contribution_strips", charts.strips(found["strips"], unit=unit), "Which way columns push", note


def _dependence(position: int, row: Mapping[str, Any], unit: str) -> tuple[str, Spec, str, str]:
    what = "a row; the line is the mean of a level" if "levels" in row else "a row"
    missing = row.get("missing") or {}
    gap = (
        f" {number(missing['n'])} rows without a value get {number(missing['mean'], 3)} in the mean."
        if missing.get("n")
        else ""
    )
    title = f"What “{shorten(row['column'], 30)}” adds"
    note = (
        f"Each dot is {what}. Dots of one value differ where other columns change what it means.{gap} "
        "It shows the model, not what causes the target."
    )
    return f"contribution_dependence_{position}", charts.dependence(row, unit=unit), title, note


def _title(example: Mapping[str, Any]) -> str:
    if example["title"] == "outstanding" and example.get("of") is None:
        return "The largest prediction"
    return _EXAMPLES[example["title"]]


def _answer(example: Mapping[str, Any]) -> str:
    if example.get("of") is None:
        return f"The model says {number(example['answer'])}; it was {number(example['observed'])}."
    is_right = example["answer"] == example["observed"]
    truth = "which is right" if is_right else f"but it was `{shorten(example['observed'], 30)}`"
    given = f"`{shorten(example['of'], 30)}` gets {percent(example['probability'], 0)}"
    return f"{given}; the answer is `{shorten(example['answer'], 30)}`, {truth}."


def _way(example: Mapping[str, Any], unit: str, scale: str) -> str:
    start = number(example["base_value"], 3)
    if scale == "log_odds":
        start += f" ({percent(1 / (1 + math.exp(-max(-700.0, example['base_value']))), 0)})"
    elif scale == "probability":
        start = percent(example["base_value"], 0)
    ways = []
    for sign, words in ((1, "raises it most"), (-1, "lowers it most")):
        term = max(example["terms"], key=lambda each: sign * each["contribution"], default=None)
        if term is not None and sign * term["contribution"] > 0:
            ways.append(f"{term_label(term, code=True)} {words}")
    return "; ".join([f"Before anything is known of the row, {unit} is {start}", *ways]) + "."


def _steps(example: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the base value, each term from where the one before it ended, and the total."""
    terms = [(term_label(each), each["contribution"]) for each in example["terms"]]
    others = example.get("others") or {"n": 0, "contribution": 0.0}
    n_rest = others["n"] + len(terms[_MOST_TERMS:])
    rest = others["contribution"] + sum(part for _, part in terms[_MOST_TERMS:])
    shown = terms[:_MOST_TERMS] + ([(count(n_rest, "other column"), rest)] if n_rest else [])
    ends = list(accumulate([example["base_value"], *(part for _, part in shown)]))
    low, width = min(ends), (max(ends) - min(ends)) or 1.0

    def step(label: str, text: str, way: str, start: float, end: float) -> dict[str, Any]:
        left, right = sorted((100 * (start - low) / width, 100 * (end - low) / width))
        return {
            "label": label,
            "text": text,
            "way": way,
            "left": round(left, 1),
            "width": round(right - left, 1),
        }

    moves = zip(shown, ends[:-1], ends[1:], strict=True)
    return [
        step("nothing known yet", number(ends[0]), "whole", ends[0], ends[0]),
        *(
            step(
                label, ("+" if part >= 0 else "") + number(part, 3), "up" if part >= 0 else "down", start, end
            )
            for (label, part), start, end in moves
        ),
        step("prediction", number(example["total"]), "whole", ends[-1], ends[-1]),
    ]


def term_label(term: Mapping[str, Any], *, code: bool = False) -> str:
    """Return a column with its value, in backticks if `code`.

    Examples
    --------
    >>> term_label({"column": "age", "value": 23.0}), term_label({"column": "pca 1"}, code=True)
    ('age = 23', '`pca 1`')
    """
    tick = "`" if code else ""
    name = f"{tick}{shorten(term['column'], 30)}{tick}"
    return f"{name} = {tick}{shorten(shown_value(term['value']), 30)}{tick}" if "value" in term else name


def shown_value(value: Any) -> str:
    """Return a cell as a reader wants it.

    Examples
    --------
    >>> shown_value(None), shown_value(23.0), shown_value("2024-01-31T00:00:00")
    ('missing', '23', '2024-01-31')
    """
    if value is None:
        return "missing"
    text = number(value, 4) if is_number(value) or isinstance(value, bool) else str(value)
    return text.removesuffix("T00:00:00")
