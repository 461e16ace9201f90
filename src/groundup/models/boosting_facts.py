"""What boosting in rounds tells a reader of the report: the course of the loss, and which inputs mattered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from groundup.core.inputs import FloatArray
from groundup.models.contract import FitContext, RoundsResult

_N_CURVE_POINTS: Final = 200
_N_IMPORTANCES: Final = 50


def loss_name(context: FitContext) -> str:
    """Return what the losses of a boosting curve are, e.g. ``rmse`` for the squared error.

    Examples
    --------
    >>> loss_name(FitContext("classification", 2, seed=0, threads=1, run_rounds=None, should_stop=bool))
    'binary_logloss'
    """
    if context.task == "classification":
        return "binary_logloss" if context.n_classes == 2 else "multi_logloss"
    return {"squared_error": "rmse", "quantile": "pinball_loss"}.get(context.loss.name, context.loss.name)


def rounds_facts(result: RoundsResult) -> dict[str, Any]:
    """Return the facts about the rounds; the curve thinned evenly, with its last point.

    Parameters
    ----------
    result : RoundsResult
        What the loop over rounds returned.

    Returns
    -------
    dict
        ``best_round``, ``n_rounds``, ``stopped`` and ``curve``.

    Examples
    --------
    >>> rounds_facts(RoundsResult(1, 2, {"train": [(1, 0.5), (2, 0.4)]}, "limit"))["curve"]
    {'train': [[1, 0.5], [2, 0.4]]}
    """
    curve = {}
    for name, points in result.curve.items():
        spacing = -(-len(points) // _N_CURVE_POINTS)
        kept = list(points[::spacing])
        kept += [points[-1]] if kept[-1] != points[-1] else []
        curve[name] = [[number, float(f"{loss:.6g}")] for number, loss in kept]
    return {
        "best_round": result.best_round,
        "n_rounds": result.n_rounds,
        "stopped": result.stopped,
        "curve": curve,
    }


def importance_facts(gain: FloatArray, names: Sequence[str]) -> list[dict[str, Any]]:
    """Return each feature's share of the loss reduction, largest first, those without any left out.

    Parameters
    ----------
    gain : ndarray of shape (n_features,)
        Loss reduction of each feature, at least 0.
    names : sequence of str
        Their names; empty: they are numbered.

    Examples
    --------
    >>> importance_facts(np.array([0.0, 3.0, 1.0]), ("a", "b", "c"))
    [{'feature': 'b', 'share': 0.75}, {'feature': 'c', 'share': 0.25}]
    """
    shares = gain / max(float(gain.sum()), float(np.finfo(float).tiny))
    order = np.argsort(-shares, kind="stable")[:_N_IMPORTANCES].tolist()
    labels = tuple(names) or tuple(f"feature {position}" for position in range(len(shares)))
    return [
        {"feature": labels[each], "share": float(f"{shares[each]:.6g}")} for each in order if shares[each] > 0
    ]
