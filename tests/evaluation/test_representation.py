"""Under-represented groups are found, chance is not taken for them, and the tests are the exact ones."""

import json

import numpy as np
import pytest
from scipy.stats import binom, binomtest, fisher_exact

from groundup.evaluation.representation import Observed, compare_shares

SHARES = np.array([0.5, 0.3, 0.15, 0.05])
LABELS = ("a", "b", "c", "d")


def observed(counts: list[int], shares: np.ndarray = SHARES, *, n_independent: int | None = None) -> Observed:
    group = np.repeat(np.arange(len(counts)), counts)
    labels = tuple("abcdefgh"[: len(counts)])
    return Observed("col", labels, shares, group, len(group) if n_independent is None else n_independent)


def groups_of(column: Observed) -> dict[str, dict]:
    (found,) = compare_shares([column])["columns"]
    return {group["label"]: group for group in found["groups"]}


def test_shares_intervals_and_p_values_are_the_exact_ones() -> None:
    groups = groups_of(observed([60, 40], np.array([0.5, 0.5])))
    assert groups["a"]["share"] == 0.6
    exact = binomtest(60, 100).proportion_ci(1 - 0.05 / 2, method="exact")
    assert (groups["a"]["low"], groups["a"]["high"]) == pytest.approx((exact.low, exact.high))
    central = 2 * binom.sf(59, 100, 0.5)  # SciPy's own two-sided test sums other tails
    assert groups["a"]["p_value"] == pytest.approx(2 * central)  # Holm, of two groups
    assert groups["a"]["ratio"] == pytest.approx(1.2)


def test_where_the_population_is_a_sample_it_is_fishers_test() -> None:
    column = observed([30, 70], np.array([0.45, 0.55]))
    column = Observed(*list(vars(column).values())[:5], np.repeat([0, 1], [90, 110]))
    one_sided = fisher_exact([[30, 70], [90, 110]], alternative="less").pvalue
    assert groups_of(column)["a"]["p_value"] == pytest.approx(min(1, 2 * 2 * one_sided))


def test_absent_and_rare_groups_are_found() -> None:
    groups = groups_of(observed([700, 250, 50, 0]))
    assert {label: group["status"] for label, group in groups.items()} == {
        "a": "over",
        "b": "alike",
        "c": "under",
        "d": "absent",
    }
    assert groups["d"]["ratio"] == 0.0
    json.dumps(groups, allow_nan=False)


def test_where_rows_are_few_nothing_is_sure() -> None:
    assert {group["status"] for group in groups_of(observed([6, 3, 1, 0])).values()} == {"unclear"}
    (empty,) = compare_shares([observed([0, 0, 0, 0])])["columns"]
    assert empty["distance"] is None
    assert {group["status"] for group in empty["groups"]} == {"unclear"}


def test_rows_that_depend_on_each_other_count_for_fewer() -> None:
    counts = [560, 290, 110, 40]
    assert groups_of(observed(counts))["c"]["status"] == "under"
    assert groups_of(observed(counts, n_independent=50))["c"]["status"] == "unclear"


def test_a_small_difference_is_none_however_sure() -> None:
    groups = groups_of(observed([51_000, 30_000, 14_200, 4_800]))
    assert groups["a"]["p_value"] < 1e-6
    assert {group["status"] for group in groups.values()} == {"alike"}


def test_chance_seldom_passes_for_a_shortage() -> None:
    rng, n_alarms = np.random.default_rng(0), 0
    for _ in range(300):
        columns = [Observed(f"c{i}", LABELS, SHARES, rng.choice(4, 300, p=SHARES), 300) for i in range(5)]
        found = compare_shares(columns)["columns"]
        statuses = {group["status"] for column in found for group in column["groups"]}
        n_alarms += bool(statuses & {"absent", "under", "over"})
    assert n_alarms <= 0.05 * 300 + 5


def test_the_distance_is_the_share_of_rows_that_would_have_to_be_others() -> None:
    (column,) = compare_shares([observed([70, 30], np.array([0.5, 0.5]))])["columns"]
    assert column["distance"] == pytest.approx(0.2)


def crossed(rng: np.random.Generator, n: int, *, kept: float) -> np.ndarray:
    """Two columns that go together; of the rows with 1 in both, only some are kept."""
    one = (rng.random(n) < 0.4).astype(int)
    other = (rng.random(n) < 0.3 + 0.2 * one).astype(int)
    rows = np.stack([one, other])
    return rows[:, (rng.random(n) < kept) | (rows.sum(axis=0) < 2)]


@pytest.mark.parametrize(("kept", "n_pairs"), [(0.3, 1), (1.0, 0)])
def test_pairs_are_found_that_are_rarer_than_their_groups(kept: float, n_pairs: int) -> None:
    rng = np.random.default_rng(0)
    rows, population = crossed(rng, 2000, kept=kept), crossed(rng, 3000, kept=1.0)
    columns = [
        Observed(
            name,
            ("no", "yes"),
            np.bincount(population[i]) / population.shape[1],
            rows[i],
            rows.shape[1],
            population[i],
        )
        for i, name in enumerate(("one", "other"))
    ]
    joint = compare_shares(columns)["joint"]
    assert len(joint) == n_pairs
    for pair in joint:
        assert (pair["columns"], pair["labels"]) == (["one", "other"], ["yes", "yes"])
        assert pair["n"] < 0.8 * pair["expected"]


def test_a_shortage_of_one_group_is_none_of_its_pairs() -> None:
    rng = np.random.default_rng(1)
    population = crossed(rng, 4000, kept=1.0)
    rows = crossed(rng, 4000, kept=1.0)
    rows = rows[:, (rows[0] == 0) | (rng.random(rows.shape[1]) < 0.4)]  # fewer of `one`, whatever `other` is
    columns = [
        Observed(
            str(i), ("no", "yes"), np.bincount(population[i]) / 4000, rows[i], rows.shape[1], population[i]
        )
        for i in range(2)
    ]
    found = compare_shares(columns)
    assert found["columns"][0]["groups"][1]["status"] == "under"
    assert found["joint"] == []
