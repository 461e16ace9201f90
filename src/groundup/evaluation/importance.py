"""Permutation importance: how much worse the score gets when a column's values are shuffled."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from groundup.core.inputs import FloatArray, IntArray, Predictions
from groundup.core.seeds import generator
from groundup.evaluation.metrics import Metric, weighted_values
from groundup.evaluation.scores import Case

_RESAMPLES: Final = 200

PredictShuffled = Callable[[str | None, IntArray | None], Predictions]
"""``predict_shuffled(column, order)``: see `permutation_importance`."""


@dataclass(frozen=True)
class Shuffling:
    """How columns are shuffled.

    Parameters
    ----------
    repeats : int, default=5
        Shuffles per column, at least 1.
    seed : int, default=0
        The same seed gives the same shuffles.
    confidence : float, default=0.95
        Level of the interval, in (0, 1).
    """

    repeats: int = 5
    seed: int = 0
    confidence: float = 0.95


def permutation_importance(
    predict_shuffled: PredictShuffled,
    columns: Sequence[str],
    y_true: NDArray[np.generic],
    *,
    metric: Metric,
    positive: int = 1,
    shuffling: Shuffling | None = None,
) -> list[dict[str, Any]]:
    """Return how much each raw column matters to a model, the most important first.

    Rows should be ones the model was not fitted on. Of two columns that say the same, each seems to
    matter little, because the model can read the other.

    Parameters
    ----------
    predict_shuffled : callable
        ``predict_shuffled(column, order)`` predicts the rows with the values of one column taken from the
        rows `order`; (None, None) as they are. Called ``1 + n_columns * repeats`` times.
    columns : sequence of str
        The columns to shuffle in turn.
    y_true : ndarray of shape (n_samples,)
        Class codes or values.
    metric : Metric
        What the score is.
    positive : int, default=1
        Code of the class that is looked for, where there are two.
    shuffling : Shuffling, optional
        How often, and with which seed.

    Returns
    -------
    list of dict
        ``column``; ``importance``: mean loss of score, in the metric's units, above 0 where the
        column helps; ``low`` and ``high``: its interval over rows and shuffles (None where undefined).
        Takes 1.6 kB of memory per row.

    References
    ----------
    Breiman (2001), "Random Forests", Machine Learning 45; Fisher, Rudin and Dominici (2019), "All
    Models are Wrong, but Many are Useful", JMLR 20.

    Examples
    --------
    >>> from groundup.evaluation.metrics import METRICS
    >>> used = np.arange(50.0)
    >>> def predict_shuffled(column, order):
    ...     return Predictions(used[order] if column == "used" else used)
    >>> rows = permutation_importance(predict_shuffled, ["unused", "used"], used, metric=METRICS["mae"])
    >>> [row["column"] for row in rows], rows[1]["importance"]
    (['used', 'unused'], 0.0)
    """
    shuffling = Shuffling() if shuffling is None else shuffling
    if len(y_true) == 0:
        return []
    weight = _weights(len(y_true), shuffling.seed)
    sign = 1 if metric.higher_is_better else -1

    def score(column: str | None, order: IntArray | None) -> FloatArray:
        case = Case(y_true, predict_shuffled(column, order), positive=positive)
        return sign * weighted_values({"score": metric.function}, case, weight)["score"]

    intact = score(None, None)
    rows = [{"column": name, **_importance(name, len(y_true), score, intact, shuffling)} for name in columns]
    return sorted(rows, key=_descending)


def _weights(n_samples: int, seed: int) -> FloatArray:
    """Return all rows once, then bootstrap resamples of them, shape (1 + n_resamples, n_samples)."""
    drawn = generator(seed, "importance", "rows").integers(0, n_samples, (_RESAMPLES, n_samples))
    drawn += np.arange(_RESAMPLES)[:, None] * n_samples
    counts = np.bincount(drawn.ravel(), minlength=_RESAMPLES * n_samples).reshape(_RESAMPLES, n_samples)
    return np.concatenate([np.ones((1, n_samples)), counts])


def _importance(
    name: str,
    n_samples: int,
    score: Callable[[str | None, IntArray | None], FloatArray],
    intact: FloatArray,
    shuffling: Shuffling,
) -> dict[str, float | None]:
    rng = generator(shuffling.seed, "importance", name)
    orders = [rng.permutation(n_samples) for _ in range(shuffling.repeats)]
    drops = np.stack([intact - score(name, order) for order in orders])
    # Shuffles are drawn again along with the rows, so that the interval knows of both.
    times = rng.multinomial(len(orders), np.full(len(orders), 1 / len(orders)), _RESAMPLES).T
    draws = (drops[:, 1:] * times).sum(axis=0) / len(orders)
    draws = draws[np.isfinite(draws)]
    if not np.isfinite(drops[:, 0]).all() or len(draws) < _RESAMPLES / 2:
        return {"importance": None, "low": None, "high": None}
    value, tail = float(drops[:, 0].mean()), (1 - shuffling.confidence) / 2
    low, high = np.quantile(draws, [tail, 1 - tail])
    return {"importance": value, "low": min(float(low), value), "high": max(float(high), value)}


def _descending(row: Mapping[str, Any]) -> tuple[bool, float]:
    return row["importance"] is None, -(row["importance"] or 0.0)
