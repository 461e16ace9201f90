"""From what a user passed (a file, a recipe, a frame, a few keywords) to one recipe."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from groundup.core.errors import RecipeError
from groundup.core.tasks import GENERATION
from groundup.data.plain_text import is_text_name
from groundup.data.source_names import given_source
from groundup.lifecycle.writing import writing_defaults
from groundup.recipe import Recipe

_RECIPE_ENDINGS = (".yaml", ".yml")


def ask(
    source: object,
    target: str | None,
    *,
    model: str | Sequence[str | Mapping[str, Any]] | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> tuple[Recipe, object | None]:
    """Return the recipe that is meant, its source with a full path, and the frame if there is one.

    Parameters
    ----------
    source : str, Path, Recipe or frame
        A data file, `sample:NAME`, a recipe file (.yaml), a `Recipe`, or rows in memory.
    target : str or None
        `problem.target`.
    model : str, sequence or None
        One learner's name, or several candidates of which the best is kept.
    overrides : mapping, optional
        Dotted path → value; comes last and wins.

    Raises
    ------
    RecipeError
        If the recipe cannot be understood, or names no data.
    """
    recipe, frame = _start(source)
    changes: dict[str, Any] = {} if target is None else {"problem.target": target}
    if isinstance(model, str):
        changes["model.name"] = model
    elif model is not None and not isinstance(model, Sequence):
        raise RecipeError(f"`model` is `{model}`; it should be a learner's name, or a list of them.")
    elif model is not None:
        changes |= {"model.name": "auto", "model.candidates": list(model)}
    if _is_generation(recipe, target, overrides or {}):
        changes = {"problem.task": GENERATION, **writing_defaults(recipe), **changes}
    # A column may be called `1` or `yes`: what is named here is text, not YAML.
    recipe = recipe.with_values(changes).with_overrides(dict(overrides or {}))
    if frame is None and recipe.data.source is None:
        raise RecipeError("The recipe names no data. Set `data.source` to a file or `sample:NAME`.")
    return recipe.with_full_paths(Path.cwd()), frame


def _is_generation(recipe: Recipe, target: str | None, overrides: Mapping[str, Any]) -> bool:
    """Return whether a text is to be learned from: as asked, or because it is one and no column is named."""
    task = overrides.get("problem.task", recipe.problem.task)
    is_open = task == "auto" and "problem.target" not in overrides and target is None
    return task == GENERATION or (
        is_open and recipe.problem.target is None and is_text_name(recipe.data.source)
    )


def _start(source: object) -> tuple[Recipe, object | None]:
    if isinstance(source, Recipe):
        return source, None
    named = given_source(source)
    if named is None:
        return Recipe(), source
    if isinstance(named, str) and named.lower().endswith(_RECIPE_ENDINGS):
        return Recipe.load(named), None
    return Recipe.from_values({"data": {"source": named}}), None
