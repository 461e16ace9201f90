"""Curves: exact against scikit-learn, short enough, and JSON."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as peer

from groundup.core.inputs import Predictions
from groundup.evaluation.curves import (
    calibration_points,
    confusion_matrix,
    error_curves,
    precision_recall_points,
    residual_points,
    roc_points,
)

FEW = settings(deadline=None, max_examples=40)


def scored(seed: int, n: int, *, ties: bool = False) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    is_class = rng.random(n) < 0.4
    is_class[:2] = False, True
    scores = np.clip(0.5 * rng.random(n) + 0.3 * is_class, 0, 1)
    return is_class, scores.round(1) if ties else scores


@FEW
@given(st.integers(0, 10**6), st.integers(2, 150), st.booleans())
def test_roc_agrees_with_scikit_learn(seed: int, n: int, ties: bool) -> None:
    is_class, scores = scored(seed, n, ties=ties)
    false, true, _ = peer.roc_curve(is_class, scores, drop_intermediate=False)
    assert np.array(roc_points(is_class, scores)) == pytest.approx(np.stack([false, true], axis=1))


@FEW
@given(st.integers(0, 10**6), st.integers(2, 150), st.booleans())
def test_precision_recall_agrees_with_scikit_learn(seed: int, n: int, ties: bool) -> None:
    is_class, scores = scored(seed, n, ties=ties)
    precision, recall, _ = peer.precision_recall_curve(is_class, scores)
    points = precision_recall_points(is_class, scores)
    expected = np.stack([recall, precision], axis=1)[::-1][1:]
    needed = expected[: int(np.searchsorted(expected[:, 0], 1.0)) + 1]
    assert np.array(points[1:]) == pytest.approx(needed)
    assert points[0] == [0.0, points[1][1]]
    assert points[-1][0] == 1


def test_many_points_are_thinned_with_exact_ends() -> None:
    is_class, scores = scored(0, 50_000)
    points = np.array(roc_points(is_class, scores))
    assert len(points) <= 200
    assert points[0].tolist() == [0, 0]
    assert points[-1].tolist() == [1, 1]
    area = np.trapezoid(points[:, 1], points[:, 0])
    assert area == pytest.approx(peer.roc_auc_score(is_class, scores), abs=0.002)
    points = np.array(precision_recall_points(is_class, scores))
    assert len(points) <= 200
    assert points[-1].tolist() == [
        1,
        pytest.approx(is_class.sum() / (scores >= scores[is_class].min()).sum()),
    ]


def test_calibration_bins_hold_every_row_once() -> None:
    is_class, scores = scored(1, 2000)
    points = np.array(calibration_points(is_class, scores))
    assert len(points) == 10
    assert points[:, 2].sum() == 2000
    assert (points[:, 0] * points[:, 2]).sum() == pytest.approx(scores.sum())
    assert (points[:, 1] * points[:, 2]).sum() == pytest.approx(is_class.sum())
    assert (np.diff(points[:, 0]) > 0).all()


def test_equal_probabilities_share_a_bin() -> None:
    points = calibration_points(np.arange(100) % 2 == 0, np.repeat([0.2, 0.8], 50))
    assert points == [[pytest.approx(0.2), 0.5, 50], [pytest.approx(0.8), 0.5, 50]]


def test_confusion_counts_and_shares() -> None:
    y_true, answers = np.array([0, 0, 0, 1, 2]), np.array([0, 0, 1, 1, 0])
    found = confusion_matrix(y_true, answers, ["a", "b", "c", "never"])
    assert found["counts"][:3] == [[2, 1, 0, 0], [0, 1, 0, 0], [1, 0, 0, 0]]
    assert found["shares"][0] == [pytest.approx(2 / 3), pytest.approx(1 / 3), 0, 0]
    assert found["shares"][3] == [None] * 4


def test_two_classes_have_the_positive_ones_curves() -> None:
    is_class, scores = scored(2, 300)
    predictions = Predictions((scores > 0.5).astype(int), np.stack([1 - scores, scores], axis=1))
    curves = error_curves(is_class.astype(int), predictions, labels=["no", "yes"], positive=1)
    assert [each["label"] for each in curves["roc"]] == ["yes"]
    assert curves["roc"][0]["auc"] == pytest.approx(peer.roc_auc_score(is_class, scores))
    average = peer.average_precision_score(is_class, scores)
    assert curves["precision_recall"][0]["ap"] == pytest.approx(average)
    assert curves["precision_recall"][0]["share"] == pytest.approx(is_class.mean())
    mirrored = error_curves(is_class.astype(int), predictions, labels=["no", "yes"], positive=0)
    assert mirrored["roc"][0]["auc"] == pytest.approx(curves["roc"][0]["auc"])
    json.dumps(curves, allow_nan=False)


def test_the_commonest_classes_are_shown() -> None:
    rng = np.random.default_rng(3)
    y = np.concatenate([np.arange(14), rng.integers(4, 14, 500)])
    p = rng.dirichlet(np.ones(15), len(y))  # class 14 never occurs
    labels = [f"c{code}" for code in range(15)]
    curves = error_curves(y, Predictions(p.argmax(axis=1), p), labels=labels)
    assert [each["label"] for each in curves["roc"]] == labels[4:14]
    assert len(curves["confusion"]["labels"]) == 15
    json.dumps(curves, allow_nan=False)


def test_one_class_alone_has_no_curves() -> None:
    curves = error_curves(
        np.zeros(5, int), Predictions(np.zeros(5, int), np.full((5, 2), 0.5)), labels=["a", "b"]
    )
    assert curves["roc"] == curves["precision_recall"] == curves["calibration"] == []
    assert curves["confusion"]["counts"] == [[5, 0], [0, 0]]


@pytest.mark.parametrize("n", [0, 1, 2, 199, 200, 201, 5000])
def test_residuals_are_picked_evenly(n: int) -> None:
    rng = np.random.default_rng(n)
    predicted = rng.normal(size=n)
    actual = predicted + rng.normal(size=n)
    found = residual_points(predicted, actual)
    points = np.array(found["points"]).reshape(-1, 2)
    assert len(points) == min(n, 200)
    assert sum(found["histogram"]["counts"]) == n
    if n:
        assert points[0, 0] == predicted.min()
        assert points[-1, 0] == predicted.max()
        assert len(found["histogram"]["edges"]) == len(found["histogram"]["counts"]) + 1
    json.dumps(found, allow_nan=False)
