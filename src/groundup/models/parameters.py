"""Parameters on disk: arrays in safetensors, everything else in JSON; reading them executes nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from groundup.core.errors import PackageError
from groundup.core.files import write_bytes, write_json
from groundup.models.facts import facts_to_save

_ARRAYS: Final = "weights.safetensors"
_STATE: Final = "learner.json"


def write_parameters(
    folder: Path, arrays: Mapping[str, NDArray[np.generic]], state: Mapping[str, Any]
) -> None:
    """Write ``weights.safetensors`` and ``learner.json`` into `folder`.

    Parameters
    ----------
    folder : Path
        Where; it exists.
    arrays : mapping of str to ndarray
        Of any shape; written C-contiguous.
    state : mapping
        JSON values; of ``facts`` only those that belong into a package are written.
    """
    from safetensors.numpy import save

    whole = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    write_bytes(folder / _ARRAYS, save(whole))
    write_json(folder / _STATE, {**state, "facts": facts_to_save(state["facts"])})


def read_parameters(
    folder: Path, what: str, *variants: Mapping[str, int]
) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Return the arrays and the state that `write_parameters` wrote.

    Parameters
    ----------
    folder : Path
        Where.
    what : str
        What should be there, for the message: ``"nearest neighbors"``.
    *variants : mapping of str to int
        Number of axes by name of the arrays that may be there, one mapping for each combination; all
        arrays are float64 or int64.

    Raises
    ------
    PackageError
        If the files are absent, damaged, or hold other arrays.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        arrays = load((folder / _ARRAYS).read_bytes())
        state = dict(json.loads((folder / _STATE).read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise PackageError(f"`{folder}` does not hold {what}: {error!r}.") from error
    found = {name: array.ndim for name, array in arrays.items()}
    is_typed = all(array.dtype in (np.float64, np.int64) for array in arrays.values())
    if not is_typed or found not in [dict(variant) for variant in variants]:
        raise PackageError(
            f"`{folder / _ARRAYS}` does not hold {what}: its arrays are "
            f"`{', '.join(sorted(found)) or 'none'}`. Train the model again."
        )
    return arrays, state


def refuse_unless(is_in_order: bool, folder: Path, what: str) -> None:
    """Raise a PackageError if parameters that were read do not belong together.

    Raises
    ------
    PackageError
        Unless `is_in_order`.
    """
    if not is_in_order:
        raise PackageError(
            f"The parameters of {what} in `{folder}` do not belong together. Train the model again."
        )
