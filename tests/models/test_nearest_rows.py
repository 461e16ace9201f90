"""The search for nearest rows against the definition, where rounding makes it hard."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundup.models import nearest_rows
from groundup.models.nearest_rows import NearestRows


def by_definition(rows: np.ndarray, X: np.ndarray, n_neighbors: int, p: float) -> np.ndarray:
    powers = (np.abs(rows - X[:, None]) ** p).sum(axis=2)
    return np.argsort(powers, axis=1, kind="stable")[:, :n_neighbors]


@settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 10_000),
    st.sampled_from([1, 2, 9, 300]),
    st.sampled_from([(1.0, 2**20), (2.0, 2**20), (3.0, 1)]),
    st.sampled_from([1, 16]),
)
def test_finds_what_the_definition_finds(
    seed: int, n_neighbors: int, power_and_center: tuple[float, int], outliers: int
) -> None:
    random, (p, center) = np.random.default_rng(seed), power_and_center
    # On a grid, and below 2^53 also to their power, so that distances are exact and many are equal.
    rows, X = (random.integers(-4, 5, size=(n, 3)) + float(center) for n in (300, 40))
    rows[::50] *= outliers
    neighbors, distances = NearestRows(rows, n_neighbors, p).nearest(X)
    np.testing.assert_array_equal(neighbors, by_definition(rows, X, n_neighbors, p))
    expected = (np.abs(rows[neighbors] - X[:, None]) ** p).sum(axis=2) ** (1 / p)
    np.testing.assert_allclose(distances, expected, rtol=1e-12)


@pytest.mark.parametrize("p", [1.0, 2.0])
def test_an_answer_does_not_depend_on_the_other_rows(p: float) -> None:
    random = np.random.default_rng(0)
    rows, X = random.normal(size=(3_000, 17)), random.normal(size=(300, 17))
    search = NearestRows(rows, 5, p)
    neighbors, distances = search.nearest(X)
    for row in (0, 7, 299):
        for alone in (search.nearest(X[row : row + 1]), search.nearest_to_row(X[row])):
            np.testing.assert_array_equal(np.ravel(alone[0]), neighbors[row])
            np.testing.assert_array_equal(np.ravel(alone[1]), distances[row])


def test_rows_that_32_bits_cannot_tell_apart_are_searched_with_64(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    rows = 1 + 1e-9 * random.integers(-50, 51, size=(2_000, 4))
    rows[0] = 1e6  # far from their mean
    monkeypatch.setattr(nearest_rows, "_N_PAIRS_FOR_TREE", 10**12)
    neighbors, _ = NearestRows(rows, 3, 2.0).nearest(rows[1:50])
    np.testing.assert_array_equal(neighbors, by_definition(rows, rows[1:50], 3, 2.0))
