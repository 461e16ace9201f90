import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundup.core.errors import TrainingError
from groundup.core.events import EventStream
from groundup.models.contract import RoundsResult
from groundup.training.options import EarlyStopping
from groundup.training.rounds import run_rounds


def run(
    losses: Sequence[float],
    *,
    patience: int | None = 3,
    min_delta: float = 0.0,
    n_possible: int | None = None,
    monitor: str = "validation",
    emit: Callable[..., None] = lambda **fact: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> RoundsResult:
    """Run over rounds whose validation losses are given."""
    n_advanced = 0

    def advance() -> bool:
        nonlocal n_advanced
        if n_advanced == n_possible:
            return True
        n_advanced += 1
        return False

    def scores(complete: bool) -> Mapping[str, float]:
        validation = {"validation": losses[n_advanced - 1]}
        return {"train": 1.0 / n_advanced, **validation} if complete else validation

    return run_rounds(
        advance,
        scores,
        n_rounds=len(losses),
        monitor=monitor,
        early_stopping=None
        if patience is None
        else EarlyStopping(patience_rounds=patience, min_delta=min_delta),
        emit=emit,
        should_stop=should_stop,
    )


def test_stops_when_patience_ends_and_keeps_the_best() -> None:
    result = run([5, 4, 3, 3.5, 3.4, 3.3, 1])
    assert (result.best_round, result.n_rounds, result.stopped) == (3, 6, "patience")


def test_runs_every_round_while_it_improves() -> None:
    result = run([5, 4, 3, 2])
    assert (result.best_round, result.n_rounds, result.stopped) == (4, 4, "limit")


def test_an_improvement_below_min_delta_does_not_count() -> None:
    result = run([5, 4, 3.95, 3.9, 3.85, 3.8], min_delta=0.5, patience=3)
    assert (result.best_round, result.stopped) == (2, "patience")


def test_without_early_stopping_the_last_round_is_kept() -> None:
    result = run([1, 2, 3, 4, 5, 6], patience=None)
    assert (result.best_round, result.stopped) == (6, "limit")


def test_without_the_monitored_loss_the_last_round_is_kept() -> None:
    result = run([1, 2, 3, 4, 5, 6], monitor="test", patience=1)
    assert (result.best_round, result.n_rounds, result.stopped) == (6, 6, "limit")


@pytest.mark.parametrize(("n_possible", "best"), [(0, 0), (1, 1), (3, 3)])
def test_ends_where_no_further_round_is_possible(n_possible: int, best: int) -> None:
    result = run([4, 3, 2, 1], n_possible=n_possible)
    assert (result.best_round, result.n_rounds, result.stopped) == (best, n_possible, "exhausted")


def test_a_request_keeps_the_best_so_far() -> None:
    answers = iter([False, False, True])
    result = run([3, 1, 2, 0], should_stop=lambda: next(answers))
    assert (result.best_round, result.n_rounds, result.stopped) == (2, 3, "request")


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_says_what_to_do(loss: float) -> None:
    with pytest.raises(TrainingError, match=r"validation loss became `(nan|inf)` in round 2.*learning rate"):
        run([1, loss, 1])


def test_keeps_every_point_of_the_monitored_curve_and_some_of_the_others() -> None:
    result = run([1000.0 - number for number in range(1000)])
    assert [number for number, _ in result.curve["validation"]] == list(range(1, 1001))
    assert [number for number, _ in result.curve["train"]] == [1, *range(10, 1001, 10)]


def test_reports_by_rounds_so_that_two_runs_emit_the_same() -> None:
    reports: list[dict[str, Any]] = []
    run([1000.0 - number for number in range(1000)], emit=lambda **fact: reports.append(fact))
    assert [report["round"] for report in reports] == [1, *range(10, 1001, 10)]
    assert {report["n_rounds"] for report in reports} == {1000}
    assert all(set(report["metrics"]) == {"train", "validation"} for report in reports)


def test_emits_into_an_event_stream() -> None:
    stream = EventStream([], clock=lambda: 0.0)
    run([2.0, 1.0], emit=lambda **fact: stream.emit("round", learner="x", fold=None, **fact))


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40),
    st.integers(1, 10),
)
def test_the_best_round_has_the_lowest_loss_of_those_run(losses: list[float], patience: int) -> None:
    result = run(losses, patience=patience)
    seen = losses[: result.n_rounds]
    assert seen[result.best_round - 1] == min(seen)
    assert result.best_round == seen.index(min(seen)) + 1
    assert result.n_rounds == min(len(losses), result.n_rounds)
    if result.stopped == "patience":
        assert result.n_rounds - result.best_round == patience
