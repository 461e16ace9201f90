"""Wrong labels are told from overlapping classes, and their rows are named."""

import numpy as np
import pytest

from groundup.core.inputs import FloatArray, IntArray
from groundup.evaluation.label_noise import confident_rows, find_label_noise, find_outlying, wilson


def two_clouds(distance: float, n: int = 800) -> tuple[IntArray, FloatArray]:
    """Return labels, and the true probabilities of two overlapping normal clouds."""
    random = np.random.default_rng(4)
    y = random.integers(0, 2, n)
    x = random.normal(size=n) + distance * y
    p = 1 / (1 + np.exp(distance**2 / 2 - distance * x))
    return y, np.column_stack([1 - p, p])


def flipped(y: IntArray, share: float) -> IntArray:
    return np.where(np.random.default_rng(5).random(len(y)) < share, 1 - y, y)


@pytest.mark.parametrize("distance", [2.0, 2.5, 3.0, 4.0, 8.0])
def test_overlapping_classes_are_no_wrong_labels(distance: float) -> None:
    found = find_label_noise(*two_clouds(distance))
    assert found is not None
    assert not found.stands_out


@pytest.mark.parametrize("distance", [3.0, 4.0, 8.0])
def test_a_tenth_of_wrong_labels_is_found_and_measured(distance: float) -> None:
    y, p = two_clouds(distance)
    given = flipped(y, 0.1)
    found = find_label_noise(given, 0.9 * p + 0.05)
    assert found is not None
    assert found.stands_out
    assert found.low < 0.1 < found.high
    assert (given != y)[found.rows[:20]].mean() > 0.7
    assert (found.likely != given[found.rows]).all()


def test_a_model_that_knows_nothing_cannot_judge() -> None:
    y, _ = two_clouds(3.0)
    assert find_label_noise(y, np.full((len(y), 2), 0.5)) is None


def test_few_rows_are_not_judged() -> None:
    y, p = two_clouds(8.0, n=50)
    assert find_label_noise(y, p) is None


def test_chance_in_one_class_alone_is_no_wrong_label() -> None:
    random = np.random.default_rng(0)
    is_clear = np.arange(1_000) < 300
    y = np.where(is_clear, 1, random.random(1_000) < 0.08).astype(int)
    p = np.where(is_clear, 0.99, 0.08)
    found = find_label_noise(y, np.column_stack([1 - p, p]))
    assert found is not None
    assert not found.stands_out


def test_a_class_without_rows_is_no_trouble() -> None:
    given, p = np.array([0, 0, 1]), np.array([[0.9, 0.1, 0.0], [0.2, 0.8, 0.0], [0.1, 0.8, 0.1]])
    rows, likely = confident_rows(given, p)
    assert (rows.tolist(), likely.tolist()) == ([1], [1])


def test_intervals_stay_between_zero_and_one() -> None:
    assert wilson(0, 10)[0] == 0
    assert wilson(10, 10)[1] == 1


def test_an_outlying_value_is_named_first() -> None:
    random = np.random.default_rng(0)
    predicted = random.normal(size=500)
    y = predicted + 0.2 * random.normal(size=500)
    y[[3, 8]] += [40, -90]
    rows, distances = find_outlying(y, predicted)
    assert rows.tolist() == [8, 3]
    assert distances[0] < -100
    assert distances[1] > 100


def test_noise_that_grows_with_the_value_is_no_mistake() -> None:
    random = np.random.default_rng(0)
    predicted = np.exp(random.normal(size=2_000))
    y = predicted * np.exp(0.5 * random.normal(size=2_000))
    assert len(find_outlying(y, predicted)[0]) == 0


def test_exact_predictions_have_no_outliers() -> None:
    y = np.arange(100.0)
    assert len(find_outlying(y, y)[0]) == 0
    assert len(find_outlying(y[:10], y[:10])[0]) == 0
