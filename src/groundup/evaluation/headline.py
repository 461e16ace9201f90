"""The result in plain words: the score beside the baseline, as sentences and as two bars."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from groundup.core.losses import loss_of
from groundup.evaluation.formatting import interval_texts, is_number, number, percent, range_text, shorten

Against = Literal["better", "unclear", "worse"]


@dataclass(frozen=True)
class Bar:
    """One bar of the headline; positions are shares of the full width, in [0, 1]."""

    title: str
    text: str
    share: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Headline:
    """What the top of the report says.

    Parameters
    ----------
    part : {"test", "validation"}
        The rows that were measured on.
    sentences : tuple of str
        The result in words; backticks mark names and values.
    caption : str
        What the bars show.
    bars : tuple of Bar
        The model's and the baseline's; empty when a bar cannot show the numbers.
    against_baseline : {"better", "unclear", "worse"} or None
        Where the interval lies relative to the baseline; None when there is no baseline.
    """

    part: Literal["test", "validation"]
    sentences: tuple[str, ...]
    caption: str
    bars: tuple[Bar, ...]
    against_baseline: Against | None


def make_headline(report: Mapping[str, Any]) -> Headline | None:
    """Return the headline of a report, or None when nothing has been measured.

    Parameters
    ----------
    report : mapping
        The report as in `report.json`.

    Returns
    -------
    Headline or None
        Classification leads with accuracy, regression with the mean absolute error, where they were
        measured, because they need no explanation; the metric that decided follows.

    Examples
    --------
    >>> made = make_headline({"problem": {"task": "classification", "metric": "accuracy"},
    ...     "split": {"n_test": 1000}, "test": {"accuracy": {"value": 0.8, "low": 0.775, "high": 0.825}},
    ...     "baseline": {"accuracy": {"value": 0.6}}})
    >>> print(made.sentences[0].replace(chr(0x202F), " "))
    On 1 000 rows it had never seen, the model was right on 80.0 % (95 % interval 77.5–82.5).
    >>> made.against_baseline
    'better'
    """
    part: Literal["test", "validation"] = "test" if report.get("test") else "validation"
    scores = report.get(part) or {}
    problem = report.get("problem") or {}
    plain = "mae" if problem.get("task") == "regression" else "accuracy"
    name = plain if _value(scores, plain) is not None else str(problem.get("metric"))
    if _value(scores, name) is None:
        return None
    baseline = (report.get("baseline") or {}) if part == "test" else {}
    against = _against_baseline(scores[name], _value(baseline, name), _is_higher_better(report, name))
    sentences = [_score_sentence(report, part, name), _baseline_sentence(report, name, baseline)]
    sentences += [_COMPARED.get(against or "", ""), _decider_sentence(report, part, name, baseline)]
    bars = _bars(name, scores[name], _value(baseline, name))
    title = metric_title(report, name)
    caption = f"{title[:1].upper()}{title[1:]} on {part} rows"
    return Headline(part, tuple(filter(None, sentences)), caption, bars, against)


_COMPARED = {
    "unclear": "The baseline lies inside that interval: these rows do not show that the model is any better.",
    "worse": "By this number the model is worse than the baseline.",
}


def metric_title(report: Mapping[str, Any], name: str) -> str:
    """Return a metric's title, or its name where the report does not describe it."""
    problem = report.get("problem") or {}
    known = (report.get("metrics") or {}).get(name) or {}
    return str(
        known.get("title") or (problem.get("metric_title") if problem.get("metric") == name else "") or name
    )


def in_sentence(title: str) -> str:
    """Return a title as it stands inside a sentence: abbreviations keep their capitals.

    Examples
    --------
    >>> in_sentence("Balanced accuracy"), in_sentence("ROC-AUC"), in_sentence("R²")
    ('balanced accuracy', 'ROC-AUC', 'R²')
    """
    return title[:1].lower() + title[1:] if title[1:2].islower() else title


def confidence_percent(report: Mapping[str, Any]) -> str:
    """Return the level of the report's intervals (`confidence`, by default 0.95) as a percentage."""
    level = report.get("confidence") or 0.95
    return percent(level, 0 if float(100 * level).is_integer() else 1)


def majority_class(report: Mapping[str, Any]) -> Any:
    """Return the most frequent value of the target column, or None when it is not known."""
    target = (report.get("problem") or {}).get("target")
    columns = (report.get("data") or {}).get("columns") or ()
    found = next((levels_of(column) for column in columns if column.get("name") == target), [])
    return found[0][0] if found else None


def levels_of(column: Mapping[str, Any]) -> list[tuple[Any, int]]:
    """Return a column's most frequent values with their counts, the most frequent first.

    Examples
    --------
    >>> levels_of({"top": [["yes", 7], ["no", 3]]}) == levels_of(
    ...     {"levels": [{"value": "yes", "count": 7}, {"value": "no", "count": 3}]}
    ... )
    True
    """
    if column.get("top"):
        return [(value, count) for value, count in column["top"]]
    return [(level["value"], level["count"]) for level in column.get("levels") or ()]


def _value(scores: Mapping[str, Any], name: str) -> float | None:
    value = (scores.get(name) or {}).get("value")
    return float(value) if is_number(value) else None


def _is_higher_better(report: Mapping[str, Any], name: str) -> bool:
    stated = ((report.get("metrics") or {}).get(name) or {}).get("higher_is_better")
    if stated is None and (report.get("problem") or {}).get("metric") == name:
        stated = (report.get("selection") or {}).get("higher_is_better")
    return name != "mae" if stated is None else bool(stated)


def _against_baseline(
    score: Mapping[str, Any], baseline: float | None, higher_is_better: bool
) -> Against | None:
    if baseline is None:
        return None
    low, high = (score[key] if is_number(score.get(key)) else score["value"] for key in ("low", "high"))
    if low <= baseline <= high:
        return "unclear"
    return "better" if (low > baseline) == higher_is_better else "worse"


def _score_sentence(report: Mapping[str, Any], part: str, name: str) -> str:
    n = (report.get("split") or {}).get(f"n_{part}")
    count = f"{number(n)} rows" if is_number(n) else "rows"
    seen = "it had never seen" if part == "test" else "that also steered training, so this flatters it"
    target = shorten((report.get("problem") or {}).get("target"), 40)
    score = report[part][name]
    if name == "accuracy":
        value, low, high = interval_texts(score["value"], score.get("low"), score.get("high"), scale=100)
        result = f"the model was right on {value}\u202f%"
    else:
        value, low, high = interval_texts(score["value"], score.get("low"), score.get("high"))
        words = f"its answers for `{target}` were off by {value} on average"
        result = words if name == "mae" else f"its {in_sentence(metric_title(report, name))} is {value}"
    interval = f" ({confidence_percent(report)} interval {range_text(low, high)})" if low else ""
    return f"On {count} {seen}, {result}{interval}."


def _baseline_sentence(report: Mapping[str, Any], name: str, baseline: Mapping[str, Any]) -> str:
    value = _value(baseline, name)
    if value is None:
        return ""
    if name == "mae":
        problem = report.get("problem") or {}
        is_squared = loss_of("regression", str(problem.get("metric"))).name == "squared_error"
        what = "mean" if is_squared else "median"
        return f"Always answering the {what} would be off by {number(value, 3)}."
    if name == "accuracy":
        label = majority_class(report)
        answer = "the most frequent class" if label is None else f"`{shorten(label, 40)}`"
        return f"Always answering {answer} would be right on {percent(value)}."
    return f"The baseline, which ignores every column, reaches {number(value, 3)}."


def _decider_sentence(report: Mapping[str, Any], part: str, name: str, baseline: Mapping[str, Any]) -> str:
    decider = str((report.get("problem") or {}).get("metric"))
    score = report[part].get(decider) or {}
    if decider == name or not is_number(score.get("value")):
        return ""
    value, low, high = interval_texts(score["value"], score.get("low"), score.get("high"))
    interval = f" ({range_text(low, high)})" if low else ""
    other = _value(baseline, decider)
    than = f"; the baseline reaches {number(other, 3)}" if other is not None else ""
    title = metric_title(report, decider)
    title = title[:1].upper() + title[1:]
    return f"{title}, the metric that decided between models, is {value}{interval}{than}."


def _bars(name: str, score: Mapping[str, Any], baseline: float | None) -> tuple[Bar, ...]:
    value, low, high = (score.get(key) for key in ("value", "low", "high"))
    known = [each for each in (value, low, high, baseline) if is_number(each)]
    if baseline is None or not is_number(value) or min(known) < 0 or max(known) == 0:
        return ()
    is_share = name == "accuracy"
    full = 1.0 if is_share or (max(known) <= 1 and name != "mae") else max(known) * 1.05
    shown, _, _ = interval_texts(value, low, high, scale=100 if is_share else 1)
    whiskers = (low / full, high / full) if is_number(low) and is_number(high) else (None, None)
    model = Bar("Model", f"{shown}\u202f%" if is_share else shown, value / full, *whiskers)
    text = percent(baseline) if is_share else number(baseline, 3)
    return model, Bar("Baseline", text, baseline / full)
