"""One seed in, as many independent generators out as there are names for them."""

import hashlib

import numpy as np


def derive_seed(seed: int, *names: str | int) -> int:
    """Return a seed for one purpose, the same on every machine.

    Parameters
    ----------
    seed : int
        The run's seed, `training.seed`.
    *names : str or int
        What the seed is for, e.g. ``"fold", 3``.

    Returns
    -------
    int
        In [0, 2**31).

    Examples
    --------
    >>> derive_seed(0, "split") == derive_seed(0, "split")
    True
    >>> derive_seed(0, "fold", 1) == derive_seed(0, "fold", 2)
    False
    """
    text = "\x1f".join([str(seed), *map(str, names)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") >> 1


def generator(seed: int, *names: str | int) -> np.random.Generator:
    """Return a NumPy generator seeded by `derive_seed`."""
    return np.random.default_rng(derive_seed(seed, *names))
