"""The threshold of two classes: from which probability on a row is called positive, and what errors cost."""

from typing import Any, Final

import numpy as np

from groundup.core.inputs import FloatArray, IntArray, Predictions
from groundup.evaluation.intervals import BootstrapOptions, mean_interval, paired_difference
from groundup.evaluation.metrics import compute_metrics, get_metric
from groundup.evaluation.options import Costs

_MOST_TRIED: Final = 200
_BY_LABEL: Final = ("accuracy", "balanced_accuracy", "precision", "recall", "f1", "mcc")
"""Metrics that a threshold moves; also with `_macro` and `_weighted`."""


def follows_threshold(metric: str) -> bool:
    """Return whether a metric looks at the predicted class, not only at probabilities.

    Examples
    --------
    >>> follows_threshold("f1_macro"), follows_threshold("roc_auc")
    (True, False)
    """
    return metric.removesuffix("_macro").removesuffix("_weighted") in _BY_LABEL


def row_costs(is_positive: IntArray, is_flagged: IntArray, costs: Costs) -> FloatArray:
    """Return what each row costs: a false alarm, a miss, or nothing.

    Parameters
    ----------
    is_positive, is_flagged : ndarray of shape (n_samples,)
        What is true and what is said, as booleans or 0 and 1.
    costs : Costs
        Of the two errors.

    Examples
    --------
    >>> costs = Costs(false_positive=1, false_negative=5)
    >>> row_costs(np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]), costs).tolist()
    [0.0, 1.0, 5.0, 0.0]
    """
    actual, said = np.asarray(is_positive, dtype=bool), np.asarray(is_flagged, dtype=bool)
    alarms, misses = (each.astype(np.float64) for each in (said & ~actual, actual & ~said))
    return np.asarray(costs.false_positive * alarms + costs.false_negative * misses)


def cheapest_threshold(scores: FloatArray, is_positive: IntArray, costs: Costs) -> float:
    """Return the threshold with the lowest total cost on some rows.

    Parameters
    ----------
    scores : ndarray of shape (n_samples,)
        Probability of the positive class, for rows that the model was not fitted on.
    is_positive : ndarray of shape (n_samples,)
        Which rows are of it.
    costs : Costs
        Of the two errors.

    Returns
    -------
    float
        In (0, 1), halfway between two scores; of equally cheap ones the nearest to what would be best
        if the probabilities were exactly right, false_positive / (false_positive + false_negative).

    References
    ----------
    Elkan (2001), "The foundations of cost-sensitive learning", IJCAI.

    Examples
    --------
    >>> scores = np.array([0.1, 0.2, 0.4, 0.8])
    >>> round(cheapest_threshold(scores, np.array([0, 1, 0, 1]), Costs(false_negative=5)), 3)
    0.15
    """
    order = np.argsort(scores, kind="stable")
    ordered, actual = scores[order], np.asarray(is_positive, dtype=np.float64)[order]
    # Calling the first k rows negative misses their positives and spares their negatives.
    missed = np.concatenate([[0.0], np.cumsum(actual)])
    alarms = (1 - actual).sum() - np.concatenate([[0.0], np.cumsum(1 - actual)])
    edges = np.concatenate([[0.0], ordered, [1.0]])
    thresholds = (edges[1:] + edges[:-1]) / 2
    # Between neighbouring floats there is no room: the middle is one of them.
    is_possible = (thresholds > edges[:-1]) & (thresholds > 0) & (thresholds < 1)
    total = np.where(is_possible, costs.false_positive * alarms + costs.false_negative * missed, np.inf)
    cheapest = thresholds[total <= total.min() * (1 + 1e-12)]
    ideal = costs.false_positive / (costs.false_positive + costs.false_negative)
    return float(cheapest[np.argmin(np.abs(cheapest - ideal))])


def best_threshold(probabilities: FloatArray, y_true: IntArray, metric: str, *, positive: int) -> float:
    """Return the threshold at which a metric is best on some rows.

    Parameters
    ----------
    probabilities : ndarray of shape (n_samples, 2)
        For rows that the model was not fitted on.
    y_true : ndarray of shape (n_samples,)
        Class codes.
    metric : str
        One that looks at the predicted class, e.g. ``"f1"``.
    positive : int
        Code of the class that is looked for.

    Returns
    -------
    float
        In (0, 1): of up to 200 thresholds spread evenly over the rows; of equally good ones the
        nearest to 0.5.

    Examples
    --------
    >>> scores = np.array([0.1, 0.2, 0.3, 0.4])
    >>> both = np.stack([1 - scores, scores], axis=1)
    >>> round(best_threshold(both, np.array([0, 0, 1, 1]), "accuracy", positive=1), 3)
    0.25
    """
    scores = probabilities[:, positive]
    distinct = np.unique(np.concatenate([[0.0], scores, [1.0]]))
    thresholds = (distinct[1:] + distinct[:-1]) / 2
    if len(thresholds) > _MOST_TRIED:
        wanted = np.quantile(scores, np.linspace(0, 1, _MOST_TRIED))
        thresholds = np.unique(thresholds[np.searchsorted(thresholds, wanted).clip(0, len(thresholds) - 1)])
    sign = 1 if get_metric(metric, "classification").higher_is_better else -1
    found = []
    for threshold in thresholds.tolist():
        said = Predictions(np.where(scores >= threshold, positive, 1 - positive), probabilities)
        found.append(sign * compute_metrics([metric], y_true, said, positive=positive)[metric])
    values = np.nan_to_num(np.array(found), nan=-np.inf)
    best = thresholds[values >= values.max()]
    return float(best[np.argmin(np.abs(best - 0.5))])


def cost_facts(
    is_positive: IntArray,
    is_flagged: IntArray,
    scores: FloatArray,
    costs: Costs,
    *,
    options: BootstrapOptions,
) -> dict[str, Any]:
    """Return what a row costs on average, beside what it would cost never or always to flag it.

    Parameters
    ----------
    is_positive, is_flagged : ndarray of shape (n_samples,)
        What is true and what the model says.
    scores : ndarray of shape (n_samples,)
        Probability of the positive class.
    costs : Costs
        Of the two errors.
    options : BootstrapOptions
        How intervals are made.

    Returns
    -------
    dict
        ``model``, ``at_half`` (threshold 0.5), ``always_no``, ``always_yes`` and ``saved`` (the cheaper
        of the two constants minus the model) as {value, low, high}.

    Examples
    --------
    >>> y_true = np.array([0, 1] * 50)
    >>> facts = cost_facts(y_true, y_true, y_true * 1.0, Costs(), options=BootstrapOptions())
    >>> facts["model"]["value"], facts["saved"]["value"]
    (0.0, 0.5)
    """
    none, every = np.zeros_like(is_flagged), np.ones_like(is_flagged)
    answers = {
        "model": is_flagged,
        "at_half": (scores >= 0.5).astype(np.int64),
        "always_no": none,
        "always_yes": every,
    }
    found = {name: row_costs(is_positive, each, costs) for name, each in answers.items()}
    constant = min(("always_no", "always_yes"), key=lambda name: float(found[name].mean()))
    facts: dict[str, Any] = {
        name: mean_interval(each, options=options).to_json() for name, each in found.items()
    }
    saved = paired_difference(found[constant], found["model"], options=options)
    return {**facts, "saved": saved.to_json(), "cheaper_constant": constant}
