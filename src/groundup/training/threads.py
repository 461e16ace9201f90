"""How many threads a fit gets: resolved once, recorded, and used again when a run is repeated."""

import os
from pathlib import Path
from typing import Final, Literal

from groundup.core.wording import count

_CELLS_FOR_MORE: Final = 5_000_000
# A boosting round over 4 million cells takes one thread 20 ms. A second thread saves at most half of
# that, while beside one busy neighbour it cost four times as much (below 1 million cells, ten times).
_WEIGHTS_FOR_MORE: Final = 300_000  # a second thread saves 40 % of a step of 800 000, next to none below
_CGROUP_QUOTA: Final = Path("/sys/fs/cgroup/cpu.max")


def resolve_threads(option: int | Literal["auto"], n_cells: int) -> tuple[int, str]:
    """Return the number of threads for fits on a table, and why.

    Threads that wait for each other by spinning make small work slower, and on a busy machine up to
    a hundred times slower; so `auto` takes one for small tables and no more than there are idle cores.

    Parameters
    ----------
    option : int or "auto"
        The recipe's `training.threads`.
    n_cells : int
        Rows times columns of the training part.

    Returns
    -------
    int
        At least 1.
    str
        The reason, as a sentence.

    Examples
    --------
    >>> resolve_threads(2, n_cells=100)
    (2, 'The recipe asks for 2 threads.')
    >>> resolve_threads("auto", n_cells=2_400)
    (1, 'One thread: a table of 2 400 cells is too small to repay more.')
    """
    if option != "auto":
        return option, f"The recipe asks for {option} thread{'s' if option != 1 else ''}."
    size = f"{n_cells:,}".replace(",", " ")
    if n_cells < _CELLS_FOR_MORE:
        return 1, f"One thread: a table of {size} cells is too small to repay more."
    return _idle_cores()


def resolve_network_threads(option: int | Literal["auto"], n_weights: int) -> tuple[int, str]:
    """Return the number of threads for the training of a network of `n_weights`, and why.

    Examples
    --------
    >>> resolve_network_threads("auto", n_weights=100_000)
    (1, 'One thread: a network of 100 000 weights is too small to repay more.')
    """
    if option == "auto" and n_weights < _WEIGHTS_FOR_MORE:
        return 1, f"One thread: a network of {count(n_weights)} weights is too small to repay more."
    return resolve_threads(option, _CELLS_FOR_MORE)


def _idle_cores() -> tuple[int, str]:
    available = _available_cores()
    idle = max(1, min(available, round(available - _load())))
    if idle == 1:
        return 1, f"One thread: of {available} available core{'s' if available != 1 else ''} one is idle."
    return idle, f"{idle} threads: {idle} of {available} available cores are idle."


def _available_cores() -> int:
    """Return the cores this process may use: its affinity, and in a container its quota."""
    has_affinity = hasattr(os, "sched_getaffinity")
    cores = len(os.sched_getaffinity(0)) if has_affinity else os.cpu_count() or 1
    try:
        quota, period = _CGROUP_QUOTA.read_text(encoding="ascii").split()
        return max(1, min(cores, int(quota) // int(period)))
    except (OSError, ValueError):  # no container, or "max": no quota
        return cores


def _load() -> float:
    """Return how many cores were busy over the last minute; 0 where unknown."""
    try:
        return os.getloadavg()[0]
    except (AttributeError, OSError):
        return 0.0
