"""Wrong labels are told from overlapping classes, and their rows are named."""

import numpy as np
import pytest

from groundup.core.inputs import FloatArray, IntArray
from groundup.evaluation.label_noise import (
    confident_rows,
    find_label_noise,
    find_outlying,
    second_opinion,
)


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


@pytest.mark.parametrize("distance", [3.0, 4.0, 8.0])
@pytest.mark.parametrize("share", [0.05, 0.2])
def test_less_and_more_noise_are_measured(distance: float, share: float) -> None:
    y, p = two_clouds(distance, n=2_000)
    found = find_label_noise(flipped(y, share), (1 - 2 * share) * p + share)
    assert found is not None
    assert found.stands_out
    assert found.low < 1.2 * share
    assert found.high > share
    assert found.one_sided is None


def test_labels_that_are_wrong_in_one_class_alone_are_told_as_such() -> None:
    y, p = two_clouds(4.0)
    given = np.where((y == 1) & (np.random.default_rng(1).random(len(y)) < 0.2), 0, y)
    found = find_label_noise(given, p * [1, 0.8] + p[:, 1:] * [0.2, 0])
    assert found is not None
    assert found.stands_out
    assert found.one_sided == 1
    assert len(found.rows) > 0
    assert (found.likely == 1).all()
    assert found.low < 0.2 < found.high


def test_chance_in_one_class_that_is_no_share_of_it_is_left_alone() -> None:
    random = np.random.default_rng(0)
    risk = 0.3 * random.random(2_000) ** 3  # events that hardly any column explains, some rows safe
    y = (random.random(2_000) < risk).astype(int)
    found = find_label_noise(y, np.column_stack([1 - risk, risk]))
    assert found is None or not found.stands_out


def spread(random: np.random.Generator, n: int, n_classes: int, scale: float) -> tuple[IntArray, FloatArray]:
    """Return honest classes whose logits are spread normally, and nearly their probabilities."""
    logits = scale * random.normal(size=(n, n_classes))
    if n_classes == 2:
        logits[:, 0] = 0
    y = (logits + random.gumbel(size=logits.shape)).argmax(axis=1)
    said = np.exp(logits + 0.5 * random.normal(size=logits.shape))
    return y, said / said.sum(axis=1, keepdims=True)


@pytest.mark.parametrize(("n_classes", "scale"), [(2, 1.0), (2, 1.5), (2, 3.0), (3, 1.5), (3, 3.0), (6, 2.5)])
@pytest.mark.parametrize("n_rows", [150, 1_500])
def test_weak_signals_raise_no_alarm(n_rows: int, n_classes: int, scale: float) -> None:
    random, n_alarms = np.random.default_rng(0), 0
    for _ in range(60):
        found = find_label_noise(*spread(random, n_rows, n_classes, scale))
        n_alarms += found is not None and found.stands_out
    assert n_alarms <= 2


def test_a_model_that_is_sure_and_wrong_is_not_believed_alone() -> None:
    y, p = two_clouds(4.0)
    misled = np.where((np.arange(len(y)) % 11 == 0)[:, None], p[:, ::-1], p)  # one row in eleven turned round
    alone = find_label_noise(y, misled)
    assert alone is not None
    assert alone.stands_out
    together = find_label_noise(y, misled, second=lambda: p)
    assert together is not None
    assert not together.stands_out


def test_a_second_opinion_that_agrees_is_kept_and_asked_for_only_on_suspicion() -> None:
    y, p = two_clouds(4.0)
    given = flipped(y, 0.1)
    found = find_label_noise(given, 0.9 * p + 0.05, second=lambda: 0.8 * p + 0.1)
    assert found is not None
    assert found.stands_out

    def never() -> FloatArray:
        raise AssertionError("nothing was suspicious")

    assert find_label_noise(y, p, second=never) is not None


def test_the_second_opinion_has_not_seen_its_rows_and_stands_gaps() -> None:
    random = np.random.default_rng(0)
    X = random.normal(size=(300, 3))
    X[random.random(X.shape) < 0.1] = np.nan
    y = random.integers(0, 2, 300)
    said = second_opinion(X, y, n_classes=3, seed=1)
    assert said.shape == (300, 3)
    assert said.sum(axis=1) == pytest.approx(np.ones(300))
    # What cannot be learnt is not known: trees that had seen a row would name its class nearly always.
    assert (said.argmax(axis=1) == y).mean() < 0.6
    assert np.array_equal(said, second_opinion(X, y, n_classes=3, seed=1))


def test_few_classes_of_many_are_judged_on_all_sides_of_an_imbalance() -> None:
    random = np.random.default_rng(3)
    y = (random.random(4_000) < 0.08).astype(int)
    p = np.column_stack([1 - 0.96 * y - 0.02, 0.96 * y + 0.02])
    found = find_label_noise(flipped(y, 0.1), 0.8 * p + 0.1)
    assert found is not None
    assert found.stands_out
    assert found.one_sided is None


def test_a_class_without_rows_is_no_trouble() -> None:
    given, p = np.array([0, 0, 1]), np.array([[0.9, 0.1, 0.0], [0.2, 0.8, 0.0], [0.1, 0.8, 0.1]])
    rows, likely = confident_rows(given, p)
    assert (rows.tolist(), likely.tolist()) == ([1], [1])


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


@pytest.mark.parametrize("tail", ["laplace", "exponential", "gamma"])
def test_long_tails_are_no_mistakes_and_mistakes_are_found_beside_them(tail: str) -> None:
    random, n_alarms = np.random.default_rng(1), 0
    for _ in range(50):
        noise = random.gamma(1.5, size=600) if tail == "gamma" else getattr(random, tail)(size=600)
        predicted = random.normal(size=600)
        n_alarms += len(find_outlying(predicted + noise, predicted)[0]) > 0
        noise[5] += 60
        assert find_outlying(predicted + noise, predicted)[0].tolist()[:1] == [5]
    assert n_alarms <= 2


def test_exact_predictions_have_no_outliers() -> None:
    y = np.arange(100.0)
    assert len(find_outlying(y, y)[0]) == 0
    assert len(find_outlying(y[:10], y[:10])[0]) == 0
