"""Every stage, in the order in which they are fitted, and how a state becomes one again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from groundup.core.errors import PackageError
from groundup.preparation.numbers import BY_COLUMNS, NumberPlan

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from groundup.core.inputs import FloatArray, Supervision
    from groundup.preparation.options import PreparationOptions
    from groundup.preparation.plan import ColumnPlan
    from groundup.preparation.stages.contract import Stage, StageContext

STAGES: Final[Mapping[str, str]] = MappingProxyType(  # loaded on use: "module:name"
    {
        "knn": "groundup.preparation.stages.nearest_rows:NearestRows",
        "iterative": "groundup.preparation.stages.chained_equations:ChainedEquations",
        "selection": "groundup.preparation.stages.selection:Selection",
        "pca": "groundup.preparation.stages.pca:PrincipalComponents",
    }
)
"""The class of each kind of fitted stage, by its name in a state."""

IMPUTATIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "knn": "groundup.preparation.stages.nearest_rows:fit_nearest_rows",
        "iterative": "groundup.preparation.stages.chained_equations:fit_chained_equations",
    }
)
"""What fits each `impute` that needs the other columns; called with the columns to be filled."""

REDUCTIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "pca": "groundup.preparation.stages.pca:fit_pca",
    }
)
"""What fits each `reduce`. Another one is a file here, a line in this table and in `STAGES`, and its name in
`PreparationOptions.reduce`."""


def has_stages(options: PreparationOptions, plans: Sequence[ColumnPlan]) -> bool:
    """Return whether anything is to be done after the column plans."""
    is_asked = options.select != "none" or options.reduce != "none"
    return is_asked or any(isinstance(plan, NumberPlan) and plan.is_filled_later for plan in plans)


def fit_stages(
    X: FloatArray,
    plans: Sequence[ColumnPlan],
    feature_names: Sequence[str],
    options: PreparationOptions,
    supervision: Supervision | None,
) -> tuple[tuple[Stage, ...], FloatArray]:
    """Fit every stage on what the ones before it return for the training rows.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Training rows as the column plans wrote them, out of fold where a plan learned from the target.
    plans : sequence of ColumnPlan
        Where they come from.
    feature_names : sequence of str, length n_features
        Their names.
    options : PreparationOptions
        With every `auto` replaced.
    supervision : Supervision or None
        The targets of the same rows.

    Returns
    -------
    stages : tuple of Stage
        In the order in which rows go through them.
    X : ndarray of shape (n_samples, n_outputs)
        What the last one returns.

    Raises
    ------
    RecipeError
        If options contradict each other or need a target that was not given.
    """
    from threadpoolctl import threadpool_limits

    context, stages = _context(plans, feature_names, options, supervision), []
    # One thread, whatever the machine: the caller knows how busy it is, and bits must not depend on it.
    with threadpool_limits(1):
        for fit in _fits(context):
            stage = fit(X, context)
            X, context = stage.transform(X), _after(stage, context)
            stages.append(stage)
    return tuple(stages), X


def _fits(context: StageContext) -> Iterator[Callable[[FloatArray, StageContext], Stage]]:
    """Yield what fits each stage that is asked for, in order."""
    for impute in BY_COLUMNS:
        targets, start = [], 0
        for plan in context.plans:
            if isinstance(plan, NumberPlan) and plan.impute == impute:
                targets.append(start)
            start += len(plan.feature_names)
        if targets:
            yield partial(_load(IMPUTATIONS[impute]), targets=targets)
    if context.options.select != "none":
        yield _load("groundup.preparation.stages.selection:fit_selection")
    if context.options.reduce != "none":
        yield _load(REDUCTIONS[context.options.reduce])


def _context(
    plans: Sequence[ColumnPlan],
    feature_names: Sequence[str],
    options: PreparationOptions,
    supervision: Supervision | None,
) -> StageContext:
    from groundup.preparation.stages.contract import StageContext
    from groundup.preparation.stages.one_scale import roles_of

    roles = tuple(role for plan in plans for role in roles_of(plan))
    sizes = [getattr(plan, "n_places", 0) for plan in plans for _ in plan.feature_names]
    n_levels = {place: size for place, size in enumerate(sizes) if roles[place] == "code"}
    return StageContext(tuple(feature_names), roles, n_levels, tuple(plans), options, supervision)


def _after(stage: Stage, context: StageContext) -> StageContext:
    """Return what the next stage may look at."""
    origins = stage.origins
    if origins is None:
        roles = ("number",) * len(stage.feature_names)
        return replace(context, feature_names=stage.feature_names, roles=roles, n_levels={})
    return replace(
        context,
        feature_names=stage.feature_names,
        roles=tuple(context.roles[place] for place in origins),
        n_levels={
            new: context.n_levels[old] for new, old in enumerate(origins) if context.roles[old] == "code"
        },
    )


def without_unused(
    plans: Sequence[ColumnPlan], stages: Sequence[Stage]
) -> tuple[tuple[ColumnPlan, ...], tuple[Stage, ...]]:
    """Leave out the columns of which a selection keeps nothing, so that rows need not hold them.

    Where numbers are filled in first, every column stays: the others are filled from it.
    """
    from groundup.preparation.stages.selection import Selection

    first = stages[0]
    if not isinstance(first, Selection):
        return tuple(plans), tuple(stages)
    kept, used, places, start, n_left = set(first.kept), [], [], 0, 0
    for plan in plans:
        size = len(plan.feature_names)
        chosen = [n_left + place for place in range(size) if start + place in kept]
        if chosen:
            used.append(plan)
            places += chosen
            n_left += size
        start += size
    return tuple(used), (replace(first, kept=tuple(places)), *stages[1:])


def stages_state(stages: Sequence[Stage]) -> tuple[list[dict[str, Any]], dict[str, NDArray[Any]]]:
    """Return what was fitted: JSON values for each stage, and the arrays of all."""
    states = [{"kind": stage.kind, "fitted": stage.state()} for stage in stages]
    arrays = {
        f"{index}.{name}": array
        for index, stage in enumerate(stages)
        for name, array in stage.arrays().items()
    }
    return states, arrays


def stages_from_state(state: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> tuple[Stage, ...]:
    """Return the stages that a preparation's state holds.

    Raises
    ------
    PackageError
        If the state is damaged.
    """
    try:
        return tuple(
            _load(STAGES[entry["kind"]]).from_state(entry["fitted"], _arrays_of(index, arrays))
            for index, entry in enumerate(state.get("stages", ()))
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise PackageError(
            f"The preparation's stages are damaged: `{error!r}`. Copy the package again."
        ) from error


def _arrays_of(index: int, arrays: Mapping[str, NDArray[np.generic]]) -> dict[str, NDArray[np.generic]]:
    prefix = f"{index}."
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def _load(reference: str) -> Any:
    module, _, name = reference.partition(":")
    return getattr(import_module(module), name)
