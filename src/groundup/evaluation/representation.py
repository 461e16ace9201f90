"""Do the rows represent the population they are meant for? Shares of groups against stated shares.

A share in the rows differs from the population's by chance, too, and among many groups some differ by much.
So each group is tested (exactly, and knowing of rows that depend on each other), the p-values are adjusted
for the number of groups, and a group counts as under-represented only if it is also clearly smaller.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import sqrt
from statistics import NormalDist
from typing import Any, Final, Literal

import numpy as np

from groundup.core.inputs import FloatArray, IntArray
from groundup.evaluation.adjusting import holm
from groundup.evaluation.scores import ratio

Status = Literal["absent", "under", "over", "alike", "unclear"]

RARE: Final = 0.8
"""A group whose share is below this part of the population's is under-represented (four fifths)."""

FEWEST_EXPECTED: Final = 10
"""Rows of a joint group that would be expected before it is looked at."""

_MOST_CROSSED: Final = 8  # columns whose groups are crossed with each other
_RAKES: Final = 30


@dataclass(frozen=True, eq=False)
class Observed:
    """Which group the training rows belong to, and the population's shares of these groups.

    Parameters
    ----------
    column : str
        The column.
    labels : tuple of str
        Of the groups.
    shares : ndarray of shape (n_groups,)
        In the population.
    group : ndarray of shape (n_rows,)
        Group of each training row; negative where it has none.
    n_independent : int
        How many of the rows do not depend on each other.
    of_population : ndarray of shape (n_population,) or None
        Group of each row of a sample of the population; None where the shares were stated.
    """

    column: str
    labels: tuple[str, ...]
    shares: FloatArray
    group: IntArray
    n_independent: int
    of_population: IntArray | None = None


def compare_shares(columns: Sequence[Observed], *, confidence: float = 0.95) -> dict[str, Any]:
    """Compare the groups of each column with the population.

    Parameters
    ----------
    columns : sequence of Observed
        At least one.
    confidence : float, default=0.95
        Of all statements together.

    Returns
    -------
    dict
        ``n_groups`` (tested), ``columns`` (``column``, ``n``, ``distance``, ``groups``) and ``joint``: pairs
        of groups that are rarer together than each of them explains. A group has ``label``, ``n``, ``share``
        with ``low`` and ``high``, ``population``, ``ratio``, ``p_value`` and ``status``. JSON values.

    References
    ----------
    Clopper and Pearson (1934), "The use of confidence or fiducial limits illustrated in the case of the
    binomial", Biometrika 26; Fisher's exact test where the population is a sample itself; Holm (1979) for
    the number of groups; Deming and Stephan (1940), Annals of Mathematical Statistics 11, for joint groups.

    Examples
    --------
    >>> group = np.repeat([0, 1], [180, 20])
    >>> found = compare_shares([Observed("sex", ("m", "f"), np.array([0.5, 0.5]), group, 200)])
    >>> [(each["label"], each["status"], each["ratio"]) for each in found["columns"][0]["groups"]]
    [('m', 'over', 1.8), ('f', 'under', 0.2)]
    """
    n_groups = sum(len(each.labels) for each in columns)
    found = [_column(each, (1 - confidence) / n_groups) for each in columns]
    every = {(one["column"], each["label"]): each for one in found for each in one["groups"]}
    for name, adjusted in holm({name: each["p_value"] for name, each in every.items()}).items():
        every[name]["p_value"] = adjusted
        every[name]["status"] = _status(every[name], is_clear=adjusted < 1 - confidence)
    return {"n_groups": n_groups, "columns": found, "joint": _joint_groups(columns, confidence)}


def _column(observed: Observed, alpha: float) -> dict[str, Any]:
    counts = _counts(observed.group, observed.labels)
    n = int(counts.sum())
    # Rows that depend on each other count for fewer.
    n_effective = round(n * observed.n_independent / max(1, len(observed.group)))
    of_population = (
        None if observed.of_population is None else _counts(observed.of_population, observed.labels)
    )
    groups = [
        {
            "label": label,
            "n": int(count),
            **_share(int(count), n, n_effective, alpha),
            "population": float(share),
            "ratio": float(count / n / share) if n and share else None,
            "p_value": _p_value(
                round(n_effective * count / n) if n else 0, n_effective, float(share), sampled
            ),
        }
        for label, count, share, sampled in zip(
            observed.labels, counts, observed.shares, _of_sample(of_population, len(counts)), strict=True
        )
    ]
    distance = float(np.abs(counts / n - observed.shares).sum() / 2) if n else None
    return {
        "column": observed.column,
        "n": n,
        "n_independent": n_effective,
        "distance": distance,
        "groups": groups,
    }


def _counts(group: IntArray, labels: Sequence[str]) -> IntArray:
    return np.bincount(group[group >= 0], minlength=len(labels)).astype(np.int64)


def _of_sample(counts: IntArray | None, n_groups: int) -> list[tuple[int, int] | None]:
    """Return, for each group, its rows in the sample of the population and all rows there."""
    if counts is None:
        return [None] * n_groups
    return [(int(count), int(counts.sum())) for count in counts]


def _share(count: int, n: int, n_effective: int, alpha: float) -> dict[str, float | None]:
    """Return a share with Clopper and Pearson's interval."""
    from scipy.special import betaincinv

    if n == 0 or n_effective == 0:
        return {"share": None, "low": None, "high": None}
    share = count / n
    hits, misses = share * n_effective, (1 - share) * n_effective
    low = float(betaincinv(hits, misses + 1, alpha / 2)) if hits > 0 else 0.0
    high = float(betaincinv(hits + 1, misses, 1 - alpha / 2)) if misses > 0 else 1.0
    return {"share": share, "low": low, "high": high}


def _p_value(hits: int, n: int, share: float, sampled: tuple[int, int] | None) -> float:
    """Return the two-sided p-value of `hits` in n rows; exact, twice the smaller tail."""
    if n == 0:
        return 1.0
    if sampled is None:
        from scipy.special import bdtr

        below, above = float(bdtr(hits, n, share)), 1 - float(bdtr(hits - 1, n, share)) if hits else 1.0
    else:
        from scipy.stats import hypergeom

        of_all = hypergeom(n + sampled[1], hits + sampled[0], n)
        below, above = float(of_all.cdf(hits)), float(of_all.sf(hits - 1))
    return min(1.0, 2 * min(below, above))


def _status(group: Mapping[str, Any], *, is_clear: bool) -> Status:
    ratio, population = group["ratio"], group["population"]
    if ratio is None:
        return "unclear"
    if is_clear and group["n"] == 0:
        return "absent"
    if is_clear and not RARE <= ratio <= 1 / RARE:
        return "under" if ratio < 1 else "over"
    is_within = group["low"] >= RARE * population and group["high"] <= population / RARE
    return "alike" if is_clear or is_within else "unclear"


def _joint_groups(columns: Sequence[Observed], confidence: float) -> list[dict[str, Any]]:
    """Return pairs of groups that are clearly rarer together than their own shortages explain.

    The population's joint shares are raked to the shares in the rows: what is then expected of a pair
    lacks only what each of its groups lacks anyway.
    """
    crossed = [each for each in columns if each.of_population is not None][:_MOST_CROSSED]
    cells = [cell for one, other in combinations(crossed, 2) for cell in _crossed(one, other)]
    names = list(range(len(cells)))
    adjusted = holm({name: cells[name]["p_value"] for name in names})
    rare = [
        {**cells[name], "p_value": adjusted[name]}
        for name in names
        if adjusted[name] < 1 - confidence and cells[name]["n"] < RARE * cells[name]["expected"]
    ]
    return sorted(rare, key=lambda cell: float(cell["n"] / cell["expected"]))


def _crossed(one: Observed, other: Observed) -> list[dict[str, Any]]:
    assert one.of_population is not None
    assert other.of_population is not None
    here, there = (
        _table(one, other, one.group, other.group),
        _table(one, other, one.of_population, other.of_population),
    )
    n, n_population = int(here.sum()), int(there.sum())
    if not n or not n_population:
        return []
    expected = _raked(there / n_population, here.sum(axis=1) / n, here.sum(axis=0) / n)
    n_effective = n * min(one.n_independent, other.n_independent) / max(1, len(one.group))
    cells = []
    for i, j in np.argwhere((expected * n_effective >= FEWEST_EXPECTED) & (there >= FEWEST_EXPECTED)):
        share = float(expected[i, j])
        error = sqrt(share * (1 - share) * (1 / n_effective + 1 / n_population))
        z = (here[i, j] / n - share) / error
        cells.append(
            {
                "columns": [one.column, other.column],
                "labels": [one.labels[i], other.labels[j]],
                "n": int(here[i, j]),
                "expected": share * n,
                "population": float(there[i, j] / n_population),
                "p_value": min(1.0, NormalDist().cdf(float(z))),
            }
        )
    return cells


def _table(one: Observed, other: Observed, rows: IntArray, columns: IntArray) -> IntArray:
    table = np.zeros((len(one.labels), len(other.labels)), dtype=np.int64)
    is_placed = (rows >= 0) & (columns >= 0)
    np.add.at(table, (rows[is_placed], columns[is_placed]), 1)
    return table


def _raked(table: FloatArray, rows: FloatArray, columns: FloatArray) -> FloatArray:
    """Return the table with other margins and the same association (iterative proportional fitting)."""
    for _ in range(_RAKES):
        table = table * ratio(rows, table.sum(axis=1), otherwise=0.0)[:, None]
        table = table * ratio(columns, table.sum(axis=0), otherwise=0.0)
    return table
