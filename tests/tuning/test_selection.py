"""Which candidate is kept, and what is said about it."""

from math import nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundup.tuning.options import TuningOptions
from groundup.tuning.selection import BASELINE, Candidate, select, standard_error


def candidate(
    name: str, score: float, error: float = 0.01, latency_us: float = 5.0, size_bytes: int = 1000
) -> Candidate:
    return Candidate(name, score, error, (), latency_us, size_bytes)


def test_within_one_standard_error_the_faster_one_is_kept() -> None:
    ridge, boosted = candidate("ridge", 0.90, 0.02, 2.0), candidate("lightgbm", 0.91, 0.012, 9.0)
    selection = select([ridge, boosted], higher_is_better=True)
    assert selection.name == "ridge"
    assert selection.tied == ("lightgbm", "ridge")
    assert selection.reason == (
        "`lightgbm` and `ridge` are within one standard error (0.012); "
        "`ridge` answers a row in 2 µs instead of 9: it is kept."
    )


def test_the_standard_error_is_the_best_ones() -> None:
    ridge, boosted = candidate("ridge", 0.90, 0.5, 2.0), candidate("lightgbm", 0.91, 0.005, 9.0)
    selection = select([ridge, boosted], higher_is_better=True)
    assert selection.name == "lightgbm"
    assert "more than one standard error" in selection.reason


def test_lower_can_be_better() -> None:
    assert select([candidate("a", 3.0), candidate("b", 2.0)], higher_is_better=False).name == "b"


def test_latencies_within_a_factor_are_equal_and_bytes_decide() -> None:
    small = candidate("small", 0.900, latency_us=2.8, size_bytes=500)
    large = candidate("large", 0.905, latency_us=2.0, size_bytes=90_000)
    selection = select([small, large], higher_is_better=True)
    assert selection.name == "small"
    assert "takes 0.5 kB instead of 90 kB" in selection.reason


def test_of_equally_simple_ones_the_better_is_kept() -> None:
    selection = select([candidate("a", 0.900), candidate("b", 0.905)], higher_is_better=True)
    assert selection.name == "b"
    assert "equally simple" in selection.reason


def test_simplicity_can_be_switched_off() -> None:
    ridge, boosted = candidate("ridge", 0.90, latency_us=2.0), candidate("lightgbm", 0.905, latency_us=9.0)
    options = TuningOptions(prefer_simpler=False)
    selection = select([ridge, boosted], higher_is_better=True, options=options)
    assert selection.name == "lightgbm"
    assert selection.tied == ("lightgbm", "ridge")
    assert "as asked" in selection.reason


def test_the_baseline_wins_only_if_nothing_is_better() -> None:
    baseline = candidate(BASELINE, 0.50, 0.05, latency_us=0.1, size_bytes=10)
    better, worse = candidate("ridge", 0.52, 0.05), candidate("lightgbm", 0.49, 0.05, latency_us=1.0)
    selection = select([baseline, better, worse], higher_is_better=True)
    assert (selection.name, selection.tied) == ("ridge", ("ridge",))
    selection = select([baseline, worse], higher_is_better=True)
    assert selection.name == BASELINE
    assert "Nothing is better" in selection.reason


def test_as_good_as_the_baseline_is_not_better() -> None:
    baseline, equal = candidate(BASELINE, 0.5, latency_us=0.1), candidate("ridge", 0.5)
    assert select([baseline, equal], higher_is_better=True).name == BASELINE
    assert select([equal, baseline], higher_is_better=True).name == BASELINE


def test_scores_that_could_not_be_had_are_passed_over() -> None:
    broken, fine = candidate("broken", nan), candidate("fine", 0.7, nan)
    selection = select([broken, fine], higher_is_better=True)
    assert selection.name == "fine"
    assert "only candidate with a score" in selection.reason
    assert select([broken, candidate(BASELINE, nan)], higher_is_better=True).name == BASELINE
    assert select([broken], higher_is_better=True).name == "broken"


def test_without_a_standard_error_the_best_is_kept() -> None:
    first, second = candidate("first", 0.9, nan), candidate("second", 0.8999, nan, latency_us=0.1)
    assert select([first, second], higher_is_better=True).name == "first"


def test_a_single_candidate_is_kept() -> None:
    assert select([candidate("only", 0.9)], higher_is_better=True).reason == "`only` is the only candidate."


@settings(deadline=None, max_examples=50)
@given(
    st.lists(
        st.tuples(st.floats(0, 1), st.floats(0, 0.3), st.floats(0.1, 99), st.integers(1, 10**6)), min_size=1
    ),
    st.booleans(),
)
def test_what_is_kept_is_never_worse_than_a_standard_error(
    rows: list[tuple[float, float, float, int]], higher_is_better: bool
) -> None:
    candidates = [candidate(f"c{i}", *row) for i, row in enumerate(rows)]
    selection = select(candidates, higher_is_better=higher_is_better)
    sign = 1 if higher_is_better else -1
    best = max(candidates, key=lambda each: sign * each.score)
    kept = next(each for each in candidates if each.name == selection.name)
    assert selection.name in selection.tied
    assert sign * (best.score - kept.score) <= max(
        each.standard_error for each in candidates if each.score == best.score
    )
    assert selection.reason.endswith(".")


@pytest.mark.parametrize(("latency_us", "words"), [(0.25, "0.2"), (3.0, "3"), (1234.5, "1,234")])
def test_latencies_read_well(latency_us: float, words: str) -> None:
    fast, slow = candidate("fast", 0.9, latency_us=latency_us), candidate("slow", 0.9, latency_us=9e6)
    assert f"in {words} µs" in select([slow, fast], higher_is_better=True).reason


def test_the_standard_error_is_that_of_a_mean_over_folds() -> None:
    from scipy.stats import sem

    scores = [0.81, 0.79, 0.84, 0.80, 0.77]
    assert standard_error(scores, n_folds=5) == pytest.approx(sem(scores))
    assert standard_error([*scores, nan], n_folds=6) == pytest.approx(sem(scores))
    assert np.isnan(standard_error([0.8], n_folds=5))
    assert np.isnan(standard_error([], n_folds=5))


def test_repeats_do_not_shrink_the_standard_error() -> None:
    """The mean over 4 disjoint folds of 100 rows moves by 1 / 20, however often they are drawn anew."""
    rng = np.random.default_rng(0)
    means, errors = [], []
    for _ in range(200):
        rows = rng.normal(size=400)
        scores = [fold.mean() for _ in range(10) for fold in np.split(rng.permutation(rows), 4)]
        means.append(np.mean(scores))
        errors.append(standard_error(scores, n_folds=4))
    assert np.std(means) == pytest.approx(1 / 20, rel=0.15)
    assert np.mean(errors) == pytest.approx(1 / 20, rel=0.1)
