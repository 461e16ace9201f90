"""Step 1 of 8: from one column's summary to a question that a model can answer, or why there is none."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

from groundup.core.errors import ProblemError
from groundup.core.findings import Finding
from groundup.core.losses import loss_of, pinball_name, quantile_of
from groundup.core.schema import Kind, Storage
from groundup.core.tasks import GENERATION, Task
from groundup.core.wording import count, listed, shown
from groundup.problems.classes import (
    ClassCounts,
    Label,
    always_the_largest,
    choose_metric,
    choose_positive,
    class_findings,
)
from groundup.problems.options import ProblemOptions

FEWEST_ROWS: Final = 10
"""With fewer labelled rows no part of a split could say anything."""

LARGEST_TARGET: Final = 1e150
"""Squares of larger numbers overflow; squared differences below its inverse vanish."""

MOST_NUMBERED_CLASSES: Final = 20
"""Whole numbers with at most this many distinct values can be the numbers of classes."""

SKEWED: Final = 2.0
"""From this skewness on, a few extreme rows would decide a squared error (an exponential has 2)."""


@dataclass(frozen=True)
class TargetSummary:
    """What has to be known of the target to frame the problem.

    Parameters
    ----------
    name, kind, storage : str
        As in the schema.
    n_rows, n_missing, n_unique : int
        Rows of the table, rows without a target, and distinct values among the others.
    top : tuple of (value, count)
        The most frequent values, most frequent first.
    minimum, maximum, mean, skewness : float or None
        Of numbers; None otherwise, or where there is no value.
    quantile : float or None
        Of numbers: the quantile that is asked for, else the median.
    is_integer_like : bool
        Every value is a whole number.
    is_increasing : bool
        Each row's value is above that of the row before, in the order of the table.
    """

    name: str
    kind: Kind
    storage: Storage
    n_rows: int
    n_missing: int
    n_unique: int
    top: tuple[tuple[Label, int], ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    mean: float | None = None
    skewness: float | None = None
    quantile: float | None = None
    is_integer_like: bool = False
    is_increasing: bool = False

    @property
    def n_present(self) -> int:
        """Rows with a target."""
        return self.n_rows - self.n_missing

    @property
    def is_number(self) -> bool:
        """Whether its values are numbers, whatever they mean."""
        return self.storage in ("integer", "float")


@dataclass(frozen=True)
class Problem:
    """The question, framed.

    Parameters
    ----------
    task : {"classification", "regression"}
        What is asked for.
    target : str
        The column to predict.
    metric : str
        The number that decides between models.
    classes : tuple of str, int, float or bool
        The classes in their order; () for regression.
    positive : str, int, float, bool or None
        Of two classes, the one that is looked for.
    baseline : str
        What a model without any knowledge scores: "always `<=50K`: accuracy 0.76, roc_auc 0.5".
    reasons : mapping of str to str
        Dotted path of the recipe to why its value became what it is.
    findings : tuple of Finding
        What makes the question hard.
    """

    task: Task
    target: str
    metric: str
    classes: tuple[Label, ...] = ()
    positive: Label | None = None
    baseline: str = ""
    reasons: Mapping[str, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the problem as a JSON object."""
        return {
            "task": self.task,
            "target": self.target,
            "metric": self.metric,
            "classes": list(self.classes),
            "positive": self.positive,
            "baseline": self.baseline,
            "reasons": dict(self.reasons),
            "findings": [finding.to_json() for finding in self.findings],
        }


def define_problem(target: TargetSummary, options: ProblemOptions) -> Problem:
    """Return the problem that `target` poses, every `auto` of `options` decided and explained.

    Parameters
    ----------
    target : TargetSummary
        What the column to predict holds.
    options : ProblemOptions
        What the user asked for. A metric given there is taken as it is; whether it exists is for
        the evaluation to say.

    Returns
    -------
    Problem
        Task, metric, classes, baseline, and the reasons for them.

    Raises
    ------
    ProblemError
        If the column cannot be a target, or not in the way that was asked.

    Examples
    --------
    >>> income = TargetSummary(
    ...     "income", "category", "string", 1000, 0, 2, (("<=50K", 760), (">50K", 240))
    ... )
    >>> problem = define_problem(income, ProblemOptions())
    >>> problem.task, problem.metric, problem.positive, problem.baseline
    ('classification', 'roc_auc', '>50K', 'always `<=50K`: accuracy 0.76, roc_auc 0.5')
    >>> problem.reasons["problem.task"]
    '`income` has 2 values, `<=50K` and `>50K`, so this is binary classification'
    """
    _check_values(target)
    _check_meaning(target, options.task)
    if options.task == GENERATION:
        raise ProblemError(
            f"`problem.task` is `{GENERATION}`, which is for texts, and this is a table with the target "
            f"`{target.name}`. Remove one of the two."
        )
    if options.task == "auto":
        task, reason = _infer_task(target, options.max_classes)
    else:
        task, reason = options.task, "as asked"
    if task == "classification":
        return _classification(target, options, reason)
    return _regression(target, options, reason)


def _check_values(target: TargetSummary) -> None:
    """Refuse a target that holds nothing to learn."""
    name, n_present = target.name, target.n_present
    if n_present == 0:
        raise ProblemError(
            f"The target `{name}` is missing in all {count(target.n_rows, 'row')}: there is nothing to "
            "learn from. Name the column that holds the answers, or check how its missing values are "
            "spelt (`data.missing`)."
        )
    if target.n_unique <= 1:
        value = shown(target.top[0][0]) if target.top else "one value"
        where, hint = "every row", ""
        if target.n_missing:
            where = f"{n_present} of {count(target.n_rows, 'row')}, and missing in the others"
            hint = " If `-` or `None` means something here, leave it out of `data.missing`."
        raise ProblemError(
            f"The target `{name}` is constant: {value} in {where}, so there is nothing to tell apart. "
            f"Name another target, or add rows in which it differs.{hint}"
        )
    if n_present < FEWEST_ROWS:
        raise ProblemError(
            f"Only {count(n_present, 'row')} of {target.n_rows} have a target `{name}`; it takes at least "
            f"{FEWEST_ROWS} to train and test anything, and some hundreds to trust the result. Add rows."
        )


def _check_meaning(target: TargetSummary, task: str) -> None:
    """Refuse a target that names rows, a date, or free text."""
    name, n_unique = target.name, count(target.n_unique)
    if target.kind == "identifier":
        _refuse_identifier(target, f"{n_unique} different values in {count(target.n_present, 'row')}")
    if _is_row_counter(target) and task == "auto":
        _refuse_identifier(target, "it counts the rows one by one", extra=" and `problem.task: regression`")
    if target.kind == "datetime":
        raise ProblemError(
            f"The target `{name}` holds dates, and a date cannot be predicted as such. Turn it into a "
            "number, e.g. the days from a known date until then, and predict that."
        )
    if target.storage == "string" and target.kind == "text" and not _repeats(target):
        raise ProblemError(
            f"The target `{name}` holds free text ({n_unique} different values in "
            f"{count(target.n_present, 'row')}, such as "
            f"{listed([_cut(value) for value, _ in target.top], limit=1)}), and this release predicts "
            "classes and numbers only. Name a column with a few repeated values, or a number."
        )


def _refuse_identifier(target: TargetSummary, why: str, extra: str = "") -> NoReturn:
    kind = "number" if target.is_number else "category"
    raise ProblemError(
        f"The target `{target.name}` names rows ({why}): knowing it for some rows says nothing about "
        f"others. Name the column that holds the answer. If it really is a {kind} to predict, say so in "
        f"the recipe: `data.columns: {{{target.name}: {kind}}}`{extra}."
    )


def _is_row_counter(target: TargetSummary) -> bool:
    if not (target.is_increasing and target.is_integer_like and target.n_missing == 0):
        return False
    assert target.minimum is not None
    assert target.maximum is not None
    return target.maximum - target.minimum == target.n_rows - 1 and target.minimum in (0.0, 1.0)


def _cut(value: Label) -> str:
    return str(value) if len(str(value)) <= 40 else f"{str(value)[:39]}…"


def _repeats(target: TargetSummary) -> bool:
    return target.n_present >= 5 * target.n_unique


def _infer_task(target: TargetSummary, max_classes: int) -> tuple[Task, str]:
    """Return the task and a reason that names the numbers it rests on."""
    name, n_unique = target.name, target.n_unique
    if n_unique == 2:
        values = " and ".join(shown(value) for value in _classes(target))
        return "classification", f"`{name}` has 2 values, {values}, so this is binary classification"
    if not target.is_number:
        return "classification", f"`{name}` has {count(n_unique)} values, so this is classification"
    if target.kind == "category" and n_unique <= max_classes:
        return (
            "classification",
            f"`{name}` is a category with {count(n_unique)} values, so this is classification",
        )
    assert target.minimum is not None
    assert target.maximum is not None
    span = f"from {shown(float(target.minimum))} to {shown(float(target.maximum))}"
    is_dense = target.maximum - target.minimum < 2 * n_unique
    if target.is_integer_like and n_unique <= MOST_NUMBERED_CLASSES and is_dense and _repeats(target):
        return "classification", (
            f"`{name}` has only {n_unique} values, whole numbers {span}, so they are taken as classes; if "
            "they measure an amount, set `problem.task: regression`"
        )
    return (
        "regression",
        f"`{name}` is a number with {count(n_unique)} different values {span}, so this is regression",
    )


def _classification(target: TargetSummary, options: ProblemOptions, reason: str) -> Problem:
    _check_classes(target, options)
    if options.quantile is not None:
        raise ProblemError(
            f"`problem.quantile` is `{options.quantile}`, but `{target.name}` is predicted as classes, which "
            "have no quantiles. Leave the option out, or set `problem.task: regression`."
        )
    name = target.name
    sizes = dict(target.top)
    counts: ClassCounts = {label: sizes[label] for label in _classes(target)}
    metric, why = choose_metric(counts) if options.metric == "auto" else (options.metric, "as asked")
    positive, why_positive = choose_positive(name, counts, options.positive)
    reasons = {"problem.task": reason, "problem.metric": why}
    return Problem(
        task="classification",
        target=name,
        metric=metric,
        classes=tuple(counts),
        positive=positive,
        baseline=always_the_largest(counts),
        reasons={**reasons, "problem.positive": why_positive} if why_positive else reasons,
        findings=class_findings(name, counts),
    )


def _check_classes(target: TargetSummary, options: ProblemOptions) -> None:
    name, n_unique, n_present = target.name, target.n_unique, target.n_present
    as_number = " If it measures an amount, set `problem.task: regression`." if target.is_number else ""
    is_measured = target.storage == "float" and not target.is_integer_like
    if is_measured and not _repeats(target):
        raise ProblemError(
            f"The target `{name}` holds measurements ({count(n_unique)} different values in "
            f"{count(n_present, 'row')}, such as {listed([value for value, _ in target.top], limit=2)}), "
            "which are no classes. Set `problem.task: regression`, or cut the range into a few named "
            "classes first."
        )
    if n_unique > options.max_classes:
        raise ProblemError(
            f"The target `{name}` has {count(n_unique)} different values; as classes, each would have "
            f"{n_present / n_unique:.1f} rows on average to be learnt from, and more than "
            f"{options.max_classes} are refused.{as_number} Group the values into fewer classes"
            + (f", or set `problem.max_classes: {n_unique}`." if len(target.top) == n_unique else ".")
        )
    if n_present < 2 * n_unique:
        raise ProblemError(
            f"The target `{name}` has {count(n_unique)} different values in only "
            f"{count(n_present, 'row')}; most classes would have a single row, so nothing could be "
            f"tested.{as_number} Add rows, or group the values."
        )


def _classes(target: TargetSummary) -> tuple[Label, ...]:
    """Return the classes in their order: False before True, numbers by size, text by code point."""
    return tuple(sorted(value for value, _ in target.top))


def _regression(target: TargetSummary, options: ProblemOptions, reason: str) -> Problem:
    name = target.name
    if not target.is_number:
        raise ProblemError(
            f"`problem.task` is `regression`, but the target `{name}` is no number: it holds "
            f"{listed(_classes(target), limit=3)}. Set `problem.task: classification`, or name a number."
        )
    if options.positive is not None:
        raise ProblemError(
            f"`problem.positive` is {shown(options.positive)}, but predicting the number `{name}` is "
            "regression, which has no classes. Leave the option out, or set `problem.task: "
            "classification`."
        )
    _check_magnitude(target)
    skewness = target.skewness or 0.0
    metric, why = _regression_metric(skewness, options)
    return Problem(
        task="regression",
        target=name,
        metric=metric,
        baseline=_always_the_same(target, metric),
        reasons={"problem.task": reason, "problem.metric": why},
        findings=_skew_findings(target, skewness) if quantile_of(metric) is None else (),
    )


def _check_magnitude(target: TargetSummary) -> None:
    """Refuse numbers whose squared differences leave the range of a 64-bit float."""
    assert target.minimum is not None
    assert target.maximum is not None
    largest = max(-target.minimum, target.maximum)
    if largest > LARGEST_TARGET:
        trouble, remedy = f"reaches {largest:.3g}, which is too large", "Divide it by a constant"
    elif target.maximum - target.minimum < 1 / LARGEST_TARGET:
        trouble = f"varies by {target.maximum - target.minimum:.3g}, which is too little"
        remedy = "Multiply it by a constant"
    else:
        return
    raise ProblemError(
        f"The target `{target.name}` {trouble} to compute squared errors with. {remedy} first, or read the "
        "largest values as missing (`data.missing`) if they stand for that."
    )


def _always_the_same(target: TargetSummary, metric: str) -> str:
    """Return what a model that says the same for every row would best say, as a sentence."""
    assert target.mean is not None
    assert target.quantile is not None
    loss = loss_of("regression", metric)
    if loss.name == "squared_error":
        return f"always the mean, {shown(float(target.mean))}: r2 0"
    what = "median" if loss.name == "absolute_error" else f"{100 * loss.quantile:g} % quantile"
    return f"always the {what}, {shown(float(target.quantile))}"


def _regression_metric(skewness: float, options: ProblemOptions) -> tuple[str, str]:
    if options.quantile is not None:
        metric = pinball_name(options.quantile)
        if options.metric not in ("auto", metric):
            raise ProblemError(
                f"`problem.quantile` is `{options.quantile}`, and `problem.metric` is `{options.metric}`, "
                f"which does not measure that quantile. Leave the metric at `auto`: it becomes `{metric}`."
            )
        return metric, (
            f"the {100 * options.quantile:g} % quantile is asked for, and the pinball loss is lowest for it"
        )
    if options.metric != "auto":
        return options.metric, "as asked"
    if abs(skewness) >= SKEWED:
        return "mae", (
            f"a few extreme values (skewness {skewness:.1f}) would decide a squared error; the mean absolute "
            "error (mae) leads: how far off the predictions are on average, in the target's own unit; what "
            "is predicted is then the median of rows like this, not their mean"
        )
    return (
        "rmse",
        "the root mean squared error (rmse) leads: how far off the predictions are, in the target's own "
        "unit, large misses counting more",
    )


def _skew_findings(target: TargetSummary, skewness: float) -> tuple[Finding, ...]:
    if abs(skewness) < SKEWED:
        return ()
    assert target.minimum is not None
    assert target.maximum is not None
    assert target.mean is not None
    side = "large" if skewness > 0 else "small"
    finding = Finding(
        "P004",
        "info",
        f"`{target.name}` is skewed (skewness {skewness:.1f}): most rows lie near each other and a few are "
        f"very {side} (from {shown(float(target.minimum))} to {shown(float(target.maximum))}, mean "
        f"{shown(float(target.mean))}). Those few dominate rmse and r2.",
        "Read mae and the median error beside rmse; with the patch the median is predicted instead of the "
        "mean. If ratios matter more than differences, predict the logarithm.",
        evidence={
            "skewness": skewness,
            "minimum": target.minimum,
            "maximum": target.maximum,
            "mean": target.mean,
        },
        patch={"problem.metric": "mae"},
        column=target.name,
    )
    return (finding,)
