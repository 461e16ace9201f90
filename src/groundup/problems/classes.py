"""What follows from how many rows each class has: the metric, the class looked for, the findings."""

from collections.abc import Mapping
from typing import Final, TypeAlias

from groundup.core.errors import ProblemError, did_you_mean
from groundup.core.findings import Finding
from groundup.core.wording import count, listed, percent, shown

Label: TypeAlias = str | int | float | bool
"""A class as it stands in the data."""

ClassCounts: TypeAlias = Mapping[Label, int]
"""Rows by class, in the order of the classes."""

FEW_ROWS: Final = 10
"""A class with fewer rows than this cannot be in every fold, let alone be measured."""

MANY_CLASSES: Final = 20

_YES, _NO = ("true", "yes", "y", "on"), ("false", "no", "n", "off")


def choose_metric(counts: ClassCounts) -> tuple[str, str]:
    """Return the metric that decides between classifiers, and why.

    Parameters
    ----------
    counts : mapping
        Rows by class, at least two classes.

    Examples
    --------
    >>> choose_metric({"<=50K": 760, ">50K": 240})[0]
    'roc_auc'
    >>> choose_metric({"a": 50, "b": 50, "c": 50})[0]
    'accuracy'
    """
    rarest = min(counts, key=lambda label: counts[label])
    share = counts[rarest] / sum(counts.values())
    told = f"{percent(share)} of the rows are {shown(rarest)}"
    if len(counts) > 2:
        return _choose_for_many(counts, share, told)
    if share >= 0.4:
        return (
            "accuracy",
            f"the two classes are about equally frequent ({told}), so accuracy says what it seems",
        )
    if share >= 0.05:
        return "roc_auc", (f"{told}, so accuracy alone would mislead: roc_auc leads")
    return "pr_auc", (
        f"only {told}, so accuracy would mislead and roc_auc would flatter; pr_auc leads: it asks how "
        f"many of the rows called {shown(rarest)} really are"
    )


def _choose_for_many(counts: ClassCounts, share: float, told: str) -> tuple[str, str]:
    if min(counts.values()) < 2 * FEW_ROWS:
        return "log_loss", (
            f"some classes have very few rows ({told}), so scores per class would jump about; log_loss "
            "leads: it rates how much probability the model gave to what turned out true"
        )
    if share * len(counts) >= 0.5:
        return (
            "accuracy",
            f"the {len(counts)} classes are about equally frequent, so accuracy says what it seems",
        )
    return "balanced_accuracy", (
        f"the classes differ in size ({told}), so accuracy would mostly measure the large ones; "
        "the balanced accuracy leads: each class counts the same"
    )


def choose_positive(
    target: str, counts: ClassCounts, wanted: str | bool | int | float | None
) -> tuple[Label | None, str]:
    """Return the class that is looked for in a problem of two classes, and why.

    Parameters
    ----------
    target : str
        Name of the column, for messages.
    counts : mapping
        Rows by class.
    wanted : str, bool, int or None
        The option `problem.positive`. A YAML `yes` arrives as True and finds the class `yes`.

    Returns
    -------
    label : str, int, float, bool or None
        None when there are more than two classes.
    reason : str
        Why, or "".

    Raises
    ------
    ProblemError
        If `wanted` is not one of the classes, or there are more than two.

    Examples
    --------
    >>> choose_positive("income", {"<=50K": 760, ">50K": 240}, None)
    ('>50K', '`>50K` is the rarer of the two classes, usually the one that is looked for')
    """
    if len(counts) > 2:
        if wanted is None:
            return None, ""
        raise ProblemError(
            f"`problem.positive` is {shown(wanted)}, but `{target}` has {len(counts)} classes; a class to "
            "look for only exists where there are two. Leave the option out."
        )
    if wanted is not None:
        return find_class(target, tuple(counts), wanted), "as asked"
    # Of two equally frequent classes the later one: True, 1, "yes".
    rarer = min(reversed(list(counts)), key=lambda label: counts[label])
    if len(set(counts.values())) == 1:
        return rarer, "the two classes are equally frequent, so it is the later of the two in their order"
    return rarer, f"{shown(rarer)} is the rarer of the two classes, usually the one that is looked for"


def find_class(
    target: str,
    classes: tuple[Label, ...],
    wanted: str | bool | int | float,
    *,
    option: str = "problem.positive",
) -> Label:
    """Return the class that is meant by what stands in a recipe.

    Parameters
    ----------
    target : str
        Name of the column, for messages.
    classes : tuple of str, int, float or bool
        The classes.
    wanted : str, bool, int or float
        What was written; a YAML `yes` arrives as True and finds the class `yes`.
    option : str, default="problem.positive"
        Where it was written, for messages.

    Raises
    ------
    ProblemError
        If it is not one of the classes.

    Examples
    --------
    >>> find_class("y", (0, 1), "1")
    1
    """
    exact = [label for label in classes if type(label) is type(wanted) and label == wanted]
    texts = {str(wanted)}
    if isinstance(wanted, bool):
        texts |= {*(_YES if wanted else _NO), str(int(wanted))}
    alike = [
        label for label in classes if (f"{label:g}" if isinstance(label, float) else str(label)) in texts
    ]
    folded = [label for label in classes if str(label).casefold() in {text.casefold() for text in texts}]
    for found in (exact, alike, folded):
        if len(found) == 1:
            return found[0]
    raise ProblemError(
        f"`{option}` names {shown(wanted)}, which is not one of the classes of `{target}`."
        + did_you_mean(str(wanted), [str(label) for label in classes])
    )


def _written(label: Label) -> str:
    return f"{label:g}" if isinstance(label, float) else str(label)


def class_findings(target: str, counts: ClassCounts) -> tuple[Finding, ...]:
    """Return what the sizes of the classes make hard: P001, P002, P003.

    Examples
    --------
    >>> [finding.code for finding in class_findings("y", {"a": 990, "b": 4})]
    ['P001', 'P002']
    """
    found = (_few_rows(target, counts), _imbalance(target, counts), _many_classes(target, counts))
    return tuple(finding for finding in found if finding is not None)


def _few_rows(target: str, counts: ClassCounts) -> Finding | None:
    few = {label: n for label, n in counts.items() if n < FEW_ROWS}
    if not few:
        return None
    n_classes = count(len(few), "class", "classes")
    verb = "has" if len(few) == 1 else "have"
    return Finding(
        "P001",
        "warning",
        f"{n_classes} of `{target}` {verb} fewer than {FEW_ROWS} rows: {listed(few)}. Such a class may be "
        "absent from a fold or from the test part, and what is said about it is a guess.",
        "Collect more rows of it, merge it with a class that means nearly the same, or leave its rows out.",
        evidence={str(label): n for label, n in sorted(few.items(), key=lambda item: item[1])[:20]},
        column=target,
    )


def _imbalance(target: str, counts: ClassCounts) -> Finding | None:
    n_rows, rarest, largest = sum(counts.values()), _rarest(counts), _most_frequent(counts)
    share = counts[rarest] / n_rows
    if share * len(counts) >= 0.4:
        return None
    return Finding(
        "P002",
        "warning" if share * len(counts) < 0.1 else "info",
        f"The classes of `{target}` differ much in size: {shown(largest)} has "
        f"{count(counts[largest], 'row')}, {shown(rarest)} has {count(counts[rarest], 'row')} "
        f"({percent(share)}).",
        f"Judge by a metric that sees the rare class, not by accuracy: always saying {shown(largest)} "
        f"would already be right {percent(counts[largest] / n_rows)} of the time. To find more rows of the "
        "rare class, count them more (the patch), or say what errors cost (`evaluation.cost`).",
        evidence={
            "largest": counts[largest],
            "rarest": counts[rarest],
            "share_of_rarest": share,
            "n_classes": len(counts),
        },
        patch={"training.class_weight": "balanced"},
        column=target,
    )


def _many_classes(target: str, counts: ClassCounts) -> Finding | None:
    if len(counts) <= MANY_CLASSES:
        return None
    mean = sum(counts.values()) / len(counts)
    return Finding(
        "P003",
        "info",
        f"`{target}` has {count(len(counts), 'class', 'classes')}, with {mean:.0f} rows each on average. "
        "Training takes about as many times longer than for two classes, and each class is learnt from "
        "its own rows only.",
        "If a coarser question would do, group the classes first.",
        evidence={"n_classes": len(counts), "rows_per_class": mean},
        column=target,
    )


def _rarest(counts: ClassCounts) -> Label:
    return min(counts, key=lambda label: counts[label])


def _most_frequent(counts: ClassCounts) -> Label:
    return max(counts, key=lambda label: counts[label])


def always_the_largest(counts: ClassCounts) -> str:
    """Return what a model that always says the most frequent class would score, as a sentence.

    Examples
    --------
    >>> always_the_largest({"<=50K": 760, ">50K": 240})
    'always `<=50K`: accuracy 0.76, roc_auc 0.5'
    """
    largest = _most_frequent(counts)
    accuracy = f"always {shown(largest)}: accuracy {counts[largest] / sum(counts.values()):.2g}"
    other = "roc_auc 0.5" if len(counts) == 2 else f"balanced_accuracy {1 / len(counts):.2g}"
    return f"{accuracy}, {other}"
