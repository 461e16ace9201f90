"""The forms that inputs take, and which preparation makes each: a matrix, token numbers, pictures."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from groundup.core.inputs import Form
    from groundup.preparation.contract import Preparation
    from groundup.preparation.options import PreparationOptions

PREPARATIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "matrix": "groundup.preparation.table:TablePreparation",
        "tokens": "groundup.preparation.tokens:TokenPreparation",
        "images": "groundup.preparation.images:ImagePreparation",
        "thumbnails": "groundup.preparation.images:ThumbnailPreparation",
    }
)
"""Form → ``module:class``; a package says its form, and never what is imported for it."""


def _class_of(form: str) -> Any:
    module, _, name = PREPARATIONS[form].partition(":")
    return getattr(import_module(module), name)


def make_preparation(options: PreparationOptions, form: Form) -> Preparation:
    """Return a preparation that is yet to learn from training rows.

    Parameters
    ----------
    options : PreparationOptions
        What the recipe asks for.
    form : Form
        What the learner takes (`Needs.form`).
    """
    preparation: Preparation = _class_of(form)(options)
    return preparation


def preparation_from_state(state: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Preparation:
    """Return the preparation that a package holds.

    Raises
    ------
    ValueError
        If its form is unknown.
    """
    form = state.get("form", "matrix")
    if form not in PREPARATIONS:
        raise ValueError(f"there is no preparation of the form `{form}`")
    preparation: Preparation = _class_of(form).from_state(state, arrays)
    return preparation
