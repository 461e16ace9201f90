"""Framing: what is inferred from a target, how it is explained, and what is refused."""

import json
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from statistics import median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundup.core.errors import ProblemError
from groundup.problems.infer import TargetSummary, define_problem
from groundup.problems.options import ProblemOptions


def summary(values, *, name="y", kind=None, n_missing=0):
    counts = Counter(values)
    storage = {bool: "boolean", int: "integer", float: "float", str: "string"}[type(values[0])]
    numbers = values if storage in ("integer", "float") else []
    return TargetSummary(
        name=name,
        kind=kind or {"boolean": "boolean", "string": "category"}.get(storage, "number"),
        storage=storage,
        n_rows=len(values) + n_missing,
        n_missing=n_missing,
        n_unique=len(counts),
        top=tuple(counts.most_common()),
        minimum=min(numbers, default=None),
        maximum=max(numbers, default=None),
        mean=sum(numbers) / len(numbers) if numbers else None,
        skewness=0.0 if numbers else None,
        quantile=median(numbers) if numbers else None,
        is_integer_like=bool(numbers) and all(float(value).is_integer() for value in numbers),
        is_increasing=bool(numbers) and all(a < b for a, b in pairwise(numbers)),
    )


def frame(values, *, kind=None, **options):
    return define_problem(summary(values, kind=kind), ProblemOptions(**options))


INCOME = ["<=50K"] * 760 + [">50K"] * 240
PRICES = [float(price) + 0.5 for price in range(100)]


@pytest.mark.parametrize(
    ("values", "task"),
    [
        (INCOME, "classification"),
        ([True, False] * 20, "classification"),
        ([0, 1] * 20, "classification"),
        ([0.0, 1.0] * 20, "classification"),
        ([-1, 1] * 20, "classification"),
        ([1, 2, 3] * 20, "classification"),
        ([3.0, 4.0, 5.0, 8.0] * 20, "classification"),
        (["a", "b", "c"] * 20, "classification"),
        ([10, 200, 3000, 50000] * 20, "regression"),
        (list(range(3, 30)) * 20, "regression"),
        ([0.5, 1.5, 2.5] * 20, "regression"),
        ([5, 3, 4, 1, 2, 7, 6, 9, 8, 10, 12, 11], "regression"),
        (PRICES, "regression"),
    ],
)
def test_the_task_is_inferred(values, task):
    assert frame(values).task == task


def test_reasons_name_the_numbers_they_rest_on():
    problem = frame(INCOME)
    assert problem.reasons["problem.task"] == (
        "`y` has 2 values, `<=50K` and `>50K`, so this is binary classification"
    )
    assert "24 % of the rows are `>50K`" in problem.reasons["problem.metric"]
    assert "76" in problem.baseline
    assert "set `problem.task: regression`" in frame([1, 2, 3] * 20).reasons["problem.task"]
    assert frame(PRICES).reasons["problem.task"] == (
        "`y` is a number with 100 different values from `0.5` to `99.5`, so this is regression"
    )
    assert frame(INCOME, metric="f1", task="classification").reasons["problem.metric"] == "as asked"


@pytest.mark.parametrize(
    ("values", "metric"),
    [
        (["a"] * 50 + ["b"] * 45, "accuracy"),
        (INCOME, "roc_auc"),
        (["a"] * 980 + ["b"] * 20, "pr_auc"),
        (["a", "b", "c"] * 50, "accuracy"),
        (["a"] * 500 + ["b"] * 50 + ["c"] * 50, "balanced_accuracy"),
        (["a"] * 500 + ["b"] * 50 + ["c"] * 5, "log_loss"),
        (PRICES, "rmse"),
    ],
)
def test_the_metric_follows_the_classes(values, metric):
    assert frame(values).metric == metric


def test_a_skewed_number_is_judged_by_mae_and_told():
    skewed = replace(summary(PRICES), skewness=5.0)
    problem = define_problem(skewed, ProblemOptions())
    assert problem.metric == "mae"
    assert [finding.code for finding in problem.findings] == ["P004"]


def test_a_metric_asked_for_is_kept():
    assert frame(PRICES, metric="r2").metric == "r2"


def test_classes_are_in_order_and_the_rarer_is_positive():
    assert frame([3, 1, 2] * 20).classes == (1, 2, 3)
    assert frame([True] * 30 + [False] * 20).positive is False
    assert frame(INCOME).positive == ">50K"
    assert frame([0, 1] * 20).positive == 1
    assert frame(["no", "yes"] * 20).positive == "yes"
    assert frame(["a", "b", "c"] * 20).positive is None
    assert frame(PRICES).classes == ()


@pytest.mark.parametrize(
    ("values", "asked", "found"),
    [
        (["no", "yes"] * 20, "no", "no"),
        (["no", "yes"] * 20, True, "yes"),
        (["No", "Yes"] * 20, False, "No"),
        (["no", "yes"] * 20, "YES", "yes"),
        ([1, 2] * 20, "2", 2),
        ([0, 1] * 20, True, 1),
        (["1", "2"] * 20, 2, "2"),
        ([False, True] * 20, "true", True),
        ([0.0, 1.0] * 20, 1, 1.0),
    ],
)
def test_the_positive_class_is_found_as_yaml_may_spell_it(values, asked, found):
    positive = frame(values, positive=asked).positive
    assert positive == found
    assert type(positive) is type(found)


@pytest.mark.parametrize(
    ("values", "options", "words"),
    [
        (INCOME, {"positive": ">50"}, ["`>50`", "Did you mean `>50K`"]),
        (["a", "b", "c"] * 20, {"positive": "a"}, ["3 classes", "Leave the option out"]),
        (PRICES, {"positive": 1}, ["regression", "Leave the option out"]),
        (INCOME, {"task": "regression"}, ["no number", "`problem.task: classification`"]),
        (PRICES, {"task": "classification"}, ["measurements", "`problem.task: regression`"]),
        ([str(i) for i in range(5000)] * 3, {}, ["5 000 different values", "`problem.max_classes: 5000`"]),
        (list(range(200)) * 3, {"task": "classification"}, ["200 different", "`problem.task: regression`"]),
        ([str(i) for i in range(30)] * 1, {}, ["30 different values in only 30 rows", "Add rows"]),
        (["a"] * 50, {}, ["constant", "`a` in every row"]),
        (["a", "b"] * 3, {}, ["Only 6 rows", "at least 10"]),
        (list(range(1, 51)), {}, ["counts the rows", "`problem.task: regression`"]),
    ],
)
def test_wrong_framings_are_refused_with_what_to_do(values, options, words):
    with pytest.raises(ProblemError) as error:
        frame(values, **options)
    assert all(word in str(error.value) for word in words), str(error.value)


@pytest.mark.parametrize("task", ["auto", "classification", "regression"])
def test_identifiers_dates_and_free_text_are_no_targets(task):
    for values, kind, words in (
        ([7 * i for i in range(50)], "identifier", "names rows"),
        ([f"u{i}" for i in range(50)], "identifier", "names rows"),
        ([f"some words about {i}" for i in range(50)], "text", "free text"),
    ):
        with pytest.raises(ProblemError, match=words):
            frame(values, kind=kind, task=task)
    dates = replace(summary(["x", "y"] * 20), kind="datetime", storage="datetime")
    with pytest.raises(ProblemError, match="holds dates"):
        define_problem(dates, ProblemOptions(task=task))


def test_text_that_repeats_is_a_class_and_a_counter_can_be_insisted_on():
    assert frame(["good product", "bad product"] * 20, kind="text").task == "classification"
    assert frame(list(range(1, 51)), task="regression").task == "regression"


def test_a_target_without_any_value_is_refused():
    nothing = TargetSummary("y", "constant", "string", 20, 20, 0)
    with pytest.raises(ProblemError, match="missing in all 20 rows"):
        define_problem(nothing, ProblemOptions())


def test_findings_about_classes():
    def codes(values):
        return [finding.code for finding in frame(values).findings]

    assert codes(["a", "b"] * 50) == []
    assert codes(INCOME) == []
    assert codes(["a"] * 90 + ["b"] * 10) == ["P002"]
    assert codes(["a"] * 90 + ["b"] * 3) == ["P001", "P002"]
    assert codes([f"c{i}" for i in range(40)] * 20) == ["P003"]


def test_baselines_say_what_knowing_nothing_scores():
    assert frame(INCOME).baseline == "always `<=50K`: accuracy 0.76, roc_auc 0.5"
    assert frame(["a", "b", "c", "c"] * 20).baseline == "always `c`: accuracy 0.5, balanced_accuracy 0.33"
    assert frame(PRICES).baseline == "always the mean, `50`: r2 0"
    assert frame([*PRICES, 1e6], metric="mae").baseline == "always the median, `50.5`"


def test_a_quantile_brings_its_metric_and_its_baseline():
    problem = define_problem(replace(summary(PRICES), quantile=90.0), ProblemOptions(quantile=0.9))
    assert problem.metric == "pinball_loss_0.9"
    assert problem.baseline == "always the 90 % quantile, `90`"
    assert "90 % quantile is asked for" in problem.reasons["problem.metric"]
    assert frame(PRICES, quantile=0.9, metric="pinball_loss_0.9").metric == "pinball_loss_0.9"
    assert frame(PRICES, metric="pinball_loss_0.25").metric == "pinball_loss_0.25"


def test_a_quantile_that_cannot_be_meant_is_refused():
    with pytest.raises(ProblemError, match="`rmse`, which does not measure that quantile"):
        frame(PRICES, quantile=0.9, metric="rmse")
    with pytest.raises(ProblemError, match="`y` is predicted as classes"):
        frame(INCOME, quantile=0.9)


def test_a_skewed_target_is_no_finding_where_a_quantile_is_asked_for():
    skewed = replace(summary(PRICES), skewness=5.0)
    assert [each.code for each in define_problem(skewed, ProblemOptions()).findings] == ["P004"]
    assert define_problem(skewed, ProblemOptions(quantile=0.9)).findings == ()


@settings(deadline=None, max_examples=50)
@given(
    st.one_of(
        st.lists(st.integers(-5, 30), min_size=1, max_size=60),
        st.lists(st.floats(-10, 10), min_size=1, max_size=60),
        st.lists(st.booleans(), min_size=1, max_size=60),
        st.lists(st.sampled_from(["a", "b", "A", "yes"]), min_size=1, max_size=60),
    )
)
def test_any_column_is_framed_or_refused_never_anything_else(values):
    try:
        problem = frame(values)
    except ProblemError:
        return
    assert set(problem.classes) == (set(values) if problem.task == "classification" else set())
    assert problem.task == "regression" or len(problem.classes) > 1
    json.dumps(problem.to_json(), allow_nan=False)
