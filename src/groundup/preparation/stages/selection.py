"""Some of the inputs are kept, the others are not: only their places are remembered.

The methods bear the names of `sklearn.feature_selection`: variance threshold, univariate selection,
selection from a model, sequential selection.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from groundup.core.errors import RecipeError
from groundup.core.inputs import FloatArray, Supervision
from groundup.core.wording import count, listed
from groundup.preparation.options import PreparationOptions
from groundup.preparation.stages.contract import StageContext, Told
from groundup.preparation.stages.one_scale import EVERYTHING, OneScale
from groundup.preparation.stages.scoring import Scored, score_linear, score_trees, score_univariate
from groundup.preparation.stages.sequential import search

N_NAMED: Final = 8
"""Inputs named in a sentence; the table has all."""


@dataclass(frozen=True)
class Selection:
    """Keeps some inputs, in their order.

    Parameters
    ----------
    feature_names : tuple of str
        Names of the inputs that are kept, at least one.
    kept : tuple of int
        Their places in a row, ascending.
    n_inputs : int
        How many there were to choose from.
    what : str
        By what they were chosen, as a clause.
    title, heading, rows : str, tuple, tuple
        What was found of each, as a table.
    """

    feature_names: tuple[str, ...]
    kept: tuple[int, ...]
    n_inputs: int
    what: str
    title: str
    heading: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    kind: ClassVar[str] = "selection"
    option: ClassVar[str] = "select"

    @property
    def origins(self) -> tuple[int, ...]:
        """Where each kept input stood."""
        return self.kept

    def transform(self, X: FloatArray) -> FloatArray:
        """Return the kept columns, shape (n_samples, n_kept)."""
        return np.ascontiguousarray(X[:, list(self.kept)])

    def transform_row(self, values: list[float]) -> list[float]:
        """Return the kept values."""
        return [values[place] for place in self.kept]

    def tell(self) -> Told:
        """Return which inputs are kept, and the score of each."""
        names = listed(self.feature_names, limit=N_NAMED)
        return Told(f"{self.what}: {names}", "nothing", self.title, self.heading, self.rows)

    def state(self) -> dict[str, Any]:
        """Return the places and the scores as JSON values."""
        return {
            "feature_names": list(self.feature_names),
            "kept": list(self.kept),
            "n_inputs": self.n_inputs,
            "what": self.what,
            "title": self.title,
            "heading": list(self.heading),
            "rows": [list(row) for row in self.rows],
        }

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Return nothing: a few places are no array."""
        return {}

    @classmethod
    def from_state(cls, state: Mapping[str, Any], arrays: Mapping[str, NDArray[np.generic]]) -> Selection:  # noqa: ARG003
        """Return the stage that `state` described."""
        names, kept, heading = (tuple(state[name]) for name in ("feature_names", "kept", "heading"))
        if len(names) != len(kept) or min(kept) < 0:
            raise ValueError(f"{len(names)} names for {len(kept)} places")
        rows = tuple(map(tuple, state["rows"]))
        return cls(names, kept, state["n_inputs"], state["what"], state["title"], heading, rows)


def fit_selection(X: FloatArray, context: StageContext) -> Selection:
    """Choose the inputs as the options say.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Training rows; NaN where a learner that takes it gets it.
    context : StageContext
        Its supervision holds the targets.

    Returns
    -------
    Selection

    Raises
    ------
    RecipeError
        If options contradict each other, no target was given, or it would take far too long.
    """
    options = context.options
    if options.select == "variance":
        return _by_score(_score_variance(X, context), context, n_kept=None)
    supervision = _checked(context)
    scale = OneScale.fit(X, context.roles, context.n_levels, EVERYTHING)
    # A missing number counts as the mean, which is 0 on one scale.
    Z = np.nan_to_num(scale.transform(X), copy=False, nan=0.0)
    n_kept = _number(options, X.shape[1])
    if options.select == "sequential":
        return _by_search(Z, scale, context, n_kept)
    if options.select == "univariate":
        scored = score_univariate(
            Z, scale, supervision, score=options.select_score, p_value=options.select_p_value
        )
    else:
        score = score_linear if options.select_model == "linear" else score_trees
        scored = score(Z, scale, supervision)
    return _by_score(scored, context, n_kept)


def _checked(context: StageContext) -> Supervision:
    options = context.options
    if context.supervision is None:
        raise RecipeError(
            f"`preparation.select` is `{options.select}`, but no target was given to the preparation. "
            "Give it, or choose `variance`."
        )
    needs_number = options.select == "univariate" and options.select_score == "mutual_info"
    if needs_number and options.select_features is None:
        raise RecipeError(
            "`preparation.select_score` is `mutual_info`, which has no p-value to stop at. Say with "
            "`preparation.select_features` how many inputs are kept, or choose `f`."
        )
    return context.supervision


def _number(options: PreparationOptions, n_features: int) -> int | None:
    asked = options.select_features
    if asked is None:
        return None
    return min(n_features, asked if isinstance(asked, int) else max(1, round(asked * n_features)))


def _score_variance(X: FloatArray, context: StageContext) -> Scored:
    threshold = context.options.select_threshold
    with np.errstate(over="ignore"):
        variances = np.nanvar(X, axis=0)
    is_code = np.array([role == "code" for role in context.roles])
    # The numbers of codes mean nothing, so neither does their variance: they stay.
    variances = np.where(is_code, np.inf, np.nan_to_num(variances, nan=0.0))
    return Scored(variances, variances > threshold, "variance", f"a variance above {threshold:g}")


def _by_score(scored: Scored, context: StageContext, n_kept: int | None) -> Selection:
    ranked = np.argsort(-scored.scores, kind="stable")
    kept, which = np.flatnonzero(scored.is_enough), f"those with {scored.enough}"
    if n_kept is not None:
        kept, which = ranked[:n_kept], f"those with the largest {scored.by}"
    elif not len(kept):
        kept, which = ranked[:1], f"the one with the largest {scored.by}, as none has {scored.enough}"
    is_kept = np.isin(ranked, kept)
    rows = [
        (context.feature_names[place], _plain(scored.scores[place]), "yes" if chosen else "no")
        for place, chosen in zip(ranked.tolist(), is_kept, strict=True)
    ]
    score = scored.by[0].upper() + scored.by[1:]
    table = (f"{score} of each input", ("Input", score, "Kept"), tuple(rows))
    return _selection(context, np.sort(kept).tolist(), f", {which}", table)


def _plain(score: float) -> float | None:
    """Return a score that JSON can hold; None: it knows no bounds."""
    return float(score) if np.isfinite(score) else None


def _by_search(Z: FloatArray, scale: OneScale, context: StageContext, n_kept: int | None) -> Selection:
    direction = context.options.select_direction
    assert context.supervision is not None
    path = search(Z, scale, context.supervision, direction=direction, n_kept=n_kept)
    verb = "added" if direction == "forward" else "taken away"
    rows = [
        (step, context.feature_names[feature], error)
        for step, (feature, error) in enumerate(path.steps, start=1)
    ]
    how = f" by a {direction} search ({count(path.n_fits, 'fit')} of a linear model)"
    heading = ("Step", f"Input {verb}", "Error, as a share of guessing's")
    return _selection(context, path.kept, how, ("Each step of the search", heading, tuple(rows)))


def _selection(context: StageContext, kept: Sequence[int], how: str, table: tuple[Any, ...]) -> Selection:
    names, n_inputs = tuple(context.feature_names[place] for place in kept), len(context.feature_names)
    what = f"{count(len(kept))} of {count(n_inputs, 'input')} kept{how}"
    return Selection(names, tuple(kept), n_inputs, what, *table)
