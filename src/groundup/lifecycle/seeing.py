"""What a network said of the same few rows before, while and after it learned, in words."""

from collections.abc import Mapping, Sequence
from typing import Any

from groundup.core.wording import number, percent, shown

Sample = Mapping[str, Any]
"""An entry of the fact ``samples`` (`groundup.models.contract.FACTS`)."""


def seen_learning(samples: Sequence[Sample], classes: Sequence[Any]) -> list[dict[str, str]]:
    """Return a table: a row each validation row, a column each look.

    Parameters
    ----------
    samples : sequence of mapping
        What the network said.
    classes : sequence
        Names of the classes, by code; empty for numbers.

    Examples
    --------
    >>> seen_learning([{"row": 4, "truth": 1, "answers": [[0, 0, 0.58], [90, 1, 0.98]]}], ["car", "cat"])
    [{'validation row': '5', 'truth': 'cat', 'before': 'car (58 %)', 'step 90': 'cat (98 %)'}]
    """
    return [
        {
            "validation row": str(sample["row"] + 1),
            "truth": _named(sample["truth"], classes),
            **{
                f"step {step}" if step else "before": _told(answer, sure, classes)
                for step, answer, sure in sample["answers"]
            },
        }
        for sample in samples
    ]


def told_learning(samples: Sequence[Sample], classes: Sequence[Any]) -> str:
    """Return one sentence about the row whose answer moved most, for the terminal; empty without samples.

    Examples
    --------
    >>> told_learning([{"row": 4, "truth": 1, "answers": [[0, 0, 0.58], [90, 1, 0.98]]}], ["car", "cat"])
    'Row 5 of the validation part, which is `cat`: `car` (58 %) before training, `cat` (98 %) after 90 steps.'
    """
    kept = [sample for sample in samples if len(sample["answers"]) > 1]
    if not kept:
        return ""
    sample = max(kept, key=lambda each: _moved(each, is_class=bool(classes)))
    (_, first, sure_first), (step, last, sure_last) = sample["answers"][0], sample["answers"][-1]
    before, after = _told(first, sure_first, classes, tick="`"), _told(last, sure_last, classes, tick="`")
    return (
        f"Row {sample['row'] + 1} of the validation part, which is `{_named(sample['truth'], classes)}`: "
        f"{before} before training, {after} after {step} steps."
    )


def _moved(sample: Sample, *, is_class: bool) -> float:
    (_, first, sure_first), (_, last, sure_last) = sample["answers"][0], sample["answers"][-1]
    if not is_class:
        return abs(float(last) - float(first))
    truth = sample["truth"]
    return (sure_last if last == truth else 0.0) - (sure_first if first == truth else 0.0)


def _named(value: Any, classes: Sequence[Any]) -> str:
    if classes:
        return shown(classes[value]).strip("`")
    return number(value)


def _told(answer: Any, sure: float | None, classes: Sequence[Any], *, tick: str = "") -> str:
    named = f"{tick}{_named(answer, classes)}{tick}"
    return named if sure is None else f"{named} ({percent(sure)})"
