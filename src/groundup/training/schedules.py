"""Schedules: the learning rate's share of its full value at every step."""

import math
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Final

Schedule = Callable[[int], float]
"""From a step, counted from 0, to a factor in (0, 1]."""


def make_schedule(
    name: str, n_steps: int, *, warmup: float = 0.0, decay: float = 0.2, drop_every: int = 0
) -> Schedule:
    """Return the schedule of a run.

    Parameters
    ----------
    name : str
        A key of `SCHEDULES`, or ``"plateau"``, which is constant here: the loop divides the rate when the
        validation loss no longer falls.
    n_steps : int
        Updates in the whole run, at least 1.
    warmup : float
        Share of the steps in which the factor rises from near 0 to 1, in [0, 1).
    decay : float
        For ``"warmup_stable_decay"``: share of the steps in which it falls to 0.
    drop_every : int
        For ``"step"``: steps between two divisions by 10; 0: none.

    Returns
    -------
    callable
        ``step`` (from 0) → factor. The last step's is above 0, so that no step is idle.

    References
    ----------
    Loshchilov and Hutter (2017), "SGDR", ICLR (cosine); Smith and Topin (2018), "Super-convergence"
    (one cycle); Hu et al. (2024), "MiniCPM" (warm-up, stable, decay).

    Examples
    --------
    >>> cosine = make_schedule("cosine", 100, warmup=0.1)
    >>> [round(cosine(step), 3) for step in (0, 9, 10, 55, 99)]
    [0.1, 1.0, 1.0, 0.5, 0.0]
    """
    n_warm = round(warmup * n_steps)
    if name in ("constant", "plateau"):
        shape: Callable[[int], float] = _constant
    elif name == "step":
        shape = partial(_step, drop_every)
    else:
        shape = partial(SCHEDULES[name], n_steps, n_warm, decay)

    def factor(step: int) -> float:
        return (step + 1) / n_warm if step < n_warm else shape(step)

    return factor


def _constant(_step: int) -> float:
    return 1.0


def _step(drop_every: int, step: int) -> float:
    return 0.1 ** (step // drop_every) if drop_every else 1.0


def _cosine(n_steps: int, n_warm: int, _decay: float, step: int) -> float:
    return 0.5 * (1 + math.cos(math.pi * (step - n_warm) / max(1, n_steps - n_warm)))


def _one_cycle(n_steps: int, n_warm: int, _decay: float, step: int) -> float:
    """Fall in a straight line after the warm-up, which one cycle has by default (see the resolved recipe)."""
    return (n_steps - step) / max(1, n_steps - n_warm)


def _warmup_stable_decay(n_steps: int, _n_warm: int, decay: float, step: int) -> float:
    return min(1.0, (n_steps - step) / max(1.0, decay * n_steps))


SCHEDULES: Final[Mapping[str, Callable[[int, int, float, int], float]]] = MappingProxyType(
    {"cosine": _cosine, "one_cycle": _one_cycle, "warmup_stable_decay": _warmup_stable_decay}
)
"""The schedules that end with the run."""
