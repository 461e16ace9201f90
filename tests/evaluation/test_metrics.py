"""The metrics against scikit-learn, their definitions, and each other."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as peer

from groundup.core.errors import RecipeError, UnknownNameError
from groundup.core.inputs import Predictions
from groundup.core.losses import ABSOLUTE_ERROR, LOG_LOSS, SQUARED_ERROR, Loss
from groundup.evaluation.metrics import (
    METRICS,
    OTHER_SPELLINGS,
    compute_metrics,
    default_metrics,
    get_metric,
)
from groundup.evaluation.row_losses import row_losses

FEW = settings(deadline=None, max_examples=30)


def classes(seed: int, n: int, k: int, *, ties: bool = False) -> tuple[np.ndarray, Predictions, np.ndarray]:
    rng = np.random.default_rng(seed)
    y_true = np.concatenate([np.arange(k), rng.integers(0, k, n)])
    scores = rng.integers(1, 5, (n + k, k)).astype(float) if ties else rng.random((n + k, k)) + 1e-3
    scores[np.arange(n + k), y_true] += 0.5
    probabilities = scores / scores.sum(axis=1, keepdims=True)
    weight = rng.integers(0, 4, n + k).astype(float)
    weight[:k] = 1  # every class keeps some weight
    return y_true, Predictions(probabilities.argmax(axis=1), probabilities), weight


def numbers(seed: int, n: int) -> tuple[np.ndarray, Predictions, np.ndarray]:
    rng = np.random.default_rng(seed)
    y_true = 100 + rng.normal(size=n + 2).round(2)
    return y_true, Predictions(y_true + rng.normal(size=n + 2)), rng.integers(1, 4, n + 2).astype(float)


def binary_peers(y: np.ndarray, p: Predictions, positive: int, w: np.ndarray | None) -> dict[str, float]:
    is_positive, says, score = y == positive, p.values == positive, p.probabilities[:, positive]
    label = {"sample_weight": w, "zero_division": 0.0}
    return {
        "precision": peer.precision_score(is_positive, says, **label),
        "recall": peer.recall_score(is_positive, says, **label),
        "f1": peer.f1_score(is_positive, says, **label),
        "roc_auc": peer.roc_auc_score(is_positive, score, sample_weight=w),
        "pr_auc": peer.average_precision_score(is_positive, score, sample_weight=w),
        "brier": peer.brier_score_loss(is_positive, score, sample_weight=w),
    }


def label_peers(y: np.ndarray, p: Predictions, w: np.ndarray | None) -> dict[str, float]:
    codes = range(p.probabilities.shape[1])
    scores = {
        "accuracy": peer.accuracy_score(y, p.values, sample_weight=w),
        "balanced_accuracy": peer.balanced_accuracy_score(y, p.values, sample_weight=w),
        "log_loss": peer.log_loss(y, p.probabilities, sample_weight=w, labels=codes),
        "mcc": peer.matthews_corrcoef(y, p.values, sample_weight=w),
    }
    for average in ("macro", "weighted"):
        for name in ("precision", "recall", "f1"):
            score = getattr(peer, f"{name}_score")
            scores[f"{name}_{average}"] = score(
                y, p.values, average=average, sample_weight=w, zero_division=0.0
            )
    return scores


@FEW
@given(st.integers(0, 10**6), st.integers(2, 60), st.booleans(), st.booleans(), st.integers(0, 1))
def test_two_classes_agree_with_scikit_learn(
    seed: int, n: int, weighted: bool, ties: bool, positive: int
) -> None:
    y, predictions, weight = classes(seed, n, 2, ties=ties)
    w = weight if weighted else None
    expected = label_peers(y, predictions, w) | binary_peers(y, predictions, positive, w)
    never_predicted = not ((predictions.values == positive) * (weight if weighted else 1)).any()
    for name, value in expected.items():
        ours = float(METRICS[name].compute(y, predictions, w, positive=positive))
        if name == "precision" and never_predicted:
            assert np.isnan(ours)
        else:
            assert ours == pytest.approx(value, rel=1e-9, abs=1e-9), name


@FEW
@given(st.integers(0, 10**6), st.integers(5, 60), st.integers(3, 6), st.booleans(), st.booleans())
def test_several_classes_agree_with_scikit_learn(
    seed: int, n: int, k: int, weighted: bool, ties: bool
) -> None:
    y, predictions, weight = classes(seed, n, k, ties=ties)
    w = weight if weighted else None
    expected = label_peers(y, predictions, w)
    is_class = y[:, None] == np.arange(k)
    expected |= {name: expected[f"{name}_macro"] for name in ("precision", "recall", "f1")}
    expected["roc_auc"] = peer.roc_auc_score(is_class, predictions.probabilities, sample_weight=w)
    expected["pr_auc"] = peer.average_precision_score(is_class, predictions.probabilities, sample_weight=w)
    gaps = ((predictions.probabilities - is_class) ** 2).sum(axis=1)
    expected["brier"] = np.average(gaps, weights=w)
    for name, value in expected.items():
        assert float(METRICS[name].compute(y, predictions, w)) == pytest.approx(value, abs=1e-9), name


@FEW
@given(st.integers(0, 10**6), st.integers(1, 60), st.booleans())
def test_numbers_agree_with_scikit_learn(seed: int, n: int, weighted: bool) -> None:
    y, predictions, weight = numbers(seed, n)
    w = weight if weighted else None
    expected = {
        "rmse": peer.root_mean_squared_error(y, predictions.values, sample_weight=w),
        "mae": peer.mean_absolute_error(y, predictions.values, sample_weight=w),
        "r2": peer.r2_score(y, predictions.values, sample_weight=w),
        # Whole weights are repetitions of a row.
        "median_absolute_error": np.median(
            np.repeat(np.abs(predictions.values - y), (weight if weighted else np.ones(len(y))).astype(int))
        ),
    }
    for name, value in expected.items():
        assert float(METRICS[name].compute(y, predictions, w)) == pytest.approx(value, rel=1e-9, abs=1e-12), (
            name
        )


@FEW
@given(st.integers(0, 10**6), st.integers(2, 40), st.integers(0, 4))
def test_a_batch_of_weights_equals_repeated_rows(seed: int, n: int, k: int) -> None:
    k = 0 if k < 2 else k
    y, predictions, _ = classes(seed, n, k, ties=True) if k else numbers(seed, n)
    drawn = np.random.default_rng(seed).integers(0, len(y), (5, len(y)))
    weight = np.stack([np.bincount(each, minlength=len(y)) for each in drawn])
    for name in default_metrics("classification" if k else "regression", k):
        batch = METRICS[name].compute(y, predictions, weight)
        single = [float(METRICS[name].compute(y[each], predictions.take(each))) for each in drawn]
        assert batch == pytest.approx(single, rel=1e-9, abs=1e-9, nan_ok=True), name


@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize("k", [2, 4])
def test_one_class_alone_is_undefined_and_never_warns(n: int, k: int) -> None:
    y, p = np.zeros(n, dtype=np.int64), np.full((n, k), 1 / k)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        values = compute_metrics(tuple(get_all("classification")), y, Predictions(np.zeros(n, int), p))
    undefined = {name for name, value in values.items() if np.isnan(value)}
    binary_only = {"precision", "recall", "f1"} if k == 2 else set()
    assert undefined == {"balanced_accuracy", "roc_auc", "pr_auc", "mcc"} | binary_only
    assert all(METRICS[name].undefined for name in undefined)


def get_all(task: str) -> list[str]:
    return [metric.name for metric in METRICS.values() if task in metric.tasks]


def test_a_constant_target_has_no_r2() -> None:
    y = np.full(7, 1e6 + 0.1)
    values = compute_metrics(get_all("regression"), y, Predictions(y + np.arange(7)))
    assert np.isnan(values["r2"])
    assert values["mae"] == pytest.approx(3)


def test_no_rows_are_undefined() -> None:
    nothing = Predictions(np.empty(0, int), np.empty((0, 2)))
    assert np.isnan(
        list(compute_metrics(get_all("classification"), np.empty(0, int), nothing).values())
    ).all()


def test_predicting_one_class_alone_has_no_correlation() -> None:
    y, p = np.array([0, 1, 1]), np.array([[0.9, 0.1]] * 3)
    assert compute_metrics(["mcc", "f1"], y, Predictions(np.zeros(3, int), p)) == {"mcc": 0.0, "f1": 0.0}


def test_classes_never_seen_are_left_out_of_the_mean() -> None:
    y, predictions, _ = classes(0, 40, 3)
    wider = Predictions(predictions.values, np.pad(predictions.probabilities, ((0, 0), (0, 2))))
    for name in get_all("classification"):
        assert METRICS[name].compute(y, wider) == pytest.approx(METRICS[name].compute(y, predictions)), name


def test_every_metric_is_described() -> None:
    for name, metric in METRICS.items():
        assert metric.name == name
        assert metric.explanation.endswith(".")
        assert metric.title
        assert metric.undefined
        assert metric.tasks


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_default_metrics_exist_and_fit(task: str) -> None:
    for n_classes in (2, 3):
        for name in default_metrics(task, n_classes):
            assert get_metric(name, task).name == name


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("average_precision", "pr_auc"),
        ("neg_log_loss", "log_loss"),
        ("r2_score", "r2"),
        ("balanced-accuracy", "balanced_accuracy"),
        ("ROC AUC", "roc_auc"),
        ("neg_root_mean_squared_error", "rmse"),
        ("matthews_corrcoef", "mcc"),
        ("acuracy", "accuracy"),
    ],
)
def test_other_spellings_are_recognised(asked: str, meant: str) -> None:
    with pytest.raises(UnknownNameError, match=f"`{asked}`.*Did you mean `{meant}`"):
        get_metric(asked, "classification")


def test_other_spellings_lead_to_metrics() -> None:
    assert all(name in METRICS for name in OTHER_SPELLINGS.values())
    assert not set(OTHER_SPELLINGS) & set(METRICS)


def test_a_metric_must_fit_the_task() -> None:
    with pytest.raises(RecipeError, match=r"`rmse` does not fit classification.*`roc_auc`"):
        get_metric("rmse", "classification")


@pytest.mark.parametrize("quantile", [0.05, 0.5, 0.9])
def test_pinball_loss_is_that_of_scikit_learn(quantile: float) -> None:
    y, predictions, weight = numbers(3, 50)
    metric = METRICS[f"pinball_loss_{quantile}"]
    expected = peer.mean_pinball_loss(y, predictions.values, alpha=quantile, sample_weight=weight)
    assert metric.compute(y, predictions, weight) == pytest.approx(expected)
    losses = row_losses(Loss("quantile", quantile), y, predictions)
    assert losses.mean() == pytest.approx(float(metric.compute(y, predictions)))
    assert get_metric(metric.name, "regression") is metric
    assert str(round(100 * quantile)) in metric.title


@pytest.mark.parametrize(
    "name", ["pinball_loss", "pinball_loss_0.90", "pinball_loss_1.5", "pinball_loss_0.0"]
)
def test_a_pinball_loss_has_one_name(name: str) -> None:
    assert name not in METRICS
    with pytest.raises(UnknownNameError, match=r"pinball_loss_0\.9"):
        get_metric(name, "regression")


def test_row_losses_average_to_the_metric() -> None:
    y, predictions, _ = classes(3, 30, 3)
    losses = row_losses(LOG_LOSS, y, predictions)
    assert losses.mean() == pytest.approx(float(METRICS["log_loss"].compute(y, predictions)))
    y, predictions, _ = numbers(3, 30)
    losses = row_losses(SQUARED_ERROR, y, predictions)
    assert np.sqrt(losses.mean()) == pytest.approx(float(METRICS["rmse"].compute(y, predictions)))
    losses = row_losses(ABSOLUTE_ERROR, y, predictions)
    assert losses.mean() == pytest.approx(float(METRICS["mae"].compute(y, predictions)))


def test_a_sure_mistake_costs_a_finite_loss() -> None:
    sure = Predictions(np.array([1]), np.array([[0.0, 1.0]]))
    assert row_losses(LOG_LOSS, np.array([0]), sure)[0] == pytest.approx(36.04, abs=0.01)


@pytest.mark.parametrize("k", [3, 5])
def test_top_k_accuracy_is_that_of_scikit_learn(k: int) -> None:
    y, predictions, _ = classes(0, 200, 7)
    expected = peer.top_k_accuracy_score(y, predictions.probabilities, k=k, labels=range(7))
    assert METRICS[f"top_{k}_accuracy"].compute(y, predictions) == pytest.approx(expected)


def test_equally_probable_classes_are_named_in_their_order() -> None:
    flat = Predictions(np.zeros(6, dtype=np.int64), np.full((6, 6), 1 / 6))
    assert METRICS["top_3_accuracy"].compute(np.arange(6), flat) == 0.5


def test_mape_is_that_of_scikit_learn_and_undefined_at_zero() -> None:
    random = np.random.default_rng(0)
    y = random.normal(5, 1, 100)
    predictions = Predictions(y + random.normal(0, 1, 100))
    expected = peer.mean_absolute_percentage_error(y, predictions.values)
    assert METRICS["mape"].compute(y, predictions) == pytest.approx(expected)
    y[3] = 0
    assert np.isnan(METRICS["mape"].compute(y, predictions))
