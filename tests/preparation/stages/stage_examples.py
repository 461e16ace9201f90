"""Rows of numbers, flags and codes, and what a stage may look at while it is fitted on them."""

from typing import Any

import numpy as np

from groundup.core.inputs import FloatArray, Supervision
from groundup.preparation.options import PreparationOptions
from groundup.preparation.stages.contract import StageContext


def numbers(n_rows: int = 120, n_columns: int = 5, *, missing: float = 0.2, seed: int = 0) -> FloatArray:
    """Return correlated numbers, a share of them missing in all columns but the last two."""
    random = np.random.default_rng(seed)
    X = random.normal(size=(n_rows, n_columns)) + 2 * random.normal(size=(n_rows, 1))
    X *= 10.0 ** np.arange(n_columns)
    X += 7.0
    X[:, :-2][random.random((n_rows, n_columns - 2)) < missing] = np.nan
    return X


def context(
    n_columns: int, roles: str | tuple[str, ...] = "number", y: Any = None, n_classes: int = 0, **options: Any
) -> StageContext:
    """Return a context for columns x0, x1, …; `roles` is one for all or one each; codes are 0 to 2."""
    roles = (roles,) * n_columns if isinstance(roles, str) else roles
    return StageContext(
        tuple(f"x{place}" for place in range(n_columns)),
        roles,
        {place: 3 for place, role in enumerate(roles) if role == "code"},
        (),
        PreparationOptions(**options),
        None if y is None else Supervision(np.asarray(y), n_classes, seed=3),
    )
