"""Step 2: whom the training rows represent, where the recipe states a population."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from groundup.core.errors import DataError, UnknownColumnError
from groundup.core.inputs import IntArray
from groundup.core.wording import count, listed
from groundup.data.dataset import Dataset
from groundup.data.options import DataOptions
from groundup.data.population import MISSING, UNPLACED, Groups, sampled_groups, stated_groups
from groundup.data.sources import read
from groundup.evaluation.intervals import BootstrapOptions, find_units
from groundup.evaluation.representation import Observed, compare_shares

NOT_STATED: Final = "no population is stated; name one in `data.population`"

_NOT_COMPARED: Final = ("identifier", "text", "image", "datetime")


def represent(train: Dataset, options: DataOptions, dependent: BootstrapOptions) -> dict[str, Any]:
    """Compare the training rows with the population that the recipe states.

    Parameters
    ----------
    train : Dataset
        The training rows.
    options : DataOptions
        Where the population is stated.
    dependent : BootstrapOptions
        Which training rows depend on each other, and the level of all statements together.

    Returns
    -------
    dict
        What `groundup.evaluation.representation.compare_shares` found, with ``origin``, ``n_population``
        and ``left_out`` (columns that were not compared, and why); or ``not_applicable``: the reason.

    Raises
    ------
    DataError
        If the population names a column or groups that the rows do not have, or cannot be read.
    """
    stated = options.population
    if stated is None:
        return {"not_applicable": NOT_STATED}
    pairs: Sequence[tuple[Groups, IntArray | None]]
    about: dict[str, Any] = {"origin": "the recipe", "n_population": None, "left_out": {}}
    if isinstance(stated, str):
        sample = read(DataOptions(source=stated, missing=options.missing), schema=train.schema)
        pairs, left_out = _sampled(train, sample)
        about = {"origin": sample.origin, "n_population": sample.n_rows, "left_out": left_out}
    else:
        pairs = [(_stated(train, name, shares), None) for name, shares in stated.items()]
    if not pairs:
        return about | {"not_applicable": "no column of the population can be compared with the rows"}
    columns = [_observed(train, groups, sampled, dependent) for groups, sampled in pairs]
    found = compare_shares(columns, confidence=dependent.confidence)
    for observed, facts in zip(columns, found["columns"], strict=True):
        facts["n_missing"] = int((observed.group == MISSING).sum())
        facts["n_unplaced"] = int((observed.group == UNPLACED).sum())
    return about | found | {"sentence": _sentence(found["columns"])}


def _stated(train: Dataset, name: str, shares: Mapping[str, float]) -> Groups:
    if name not in train.schema:
        raise UnknownColumnError(name, train.schema.names)
    return stated_groups(train.schema[name], shares)


def _sampled(train: Dataset, sample: Dataset) -> tuple[Sequence[tuple[Groups, IntArray]], dict[str, str]]:
    """Return the groups of the columns that both have, with the group of each row of the sample."""
    pairs, left_out = [], {}
    for column in train.schema:
        if column.name not in sample.schema:
            continue
        values = sample.frame([column.name]).to_series()
        groups = None if column.kind in _NOT_COMPARED else sampled_groups(column, values)
        if groups is None:
            is_kind = column.kind in _NOT_COMPARED
            left_out[column.name] = f"its kind is {column.kind}" if is_kind else "it has no two groups there"
        else:
            pairs.append((groups, groups.place(values)))
    return pairs, left_out


def _observed(
    train: Dataset, groups: Groups, sampled: IntArray | None, dependent: BootstrapOptions
) -> Observed:
    values = train.frame([groups.column]).to_series()
    placed = groups.place(values)
    known = placed[placed >= 0]
    if not len(known) and values.null_count() < len(values):
        raise DataError(
            f"No training row belongs to a group of `{groups.column}` that `data.population` names: "
            f"{listed(groups.labels)}. The rows hold {listed(values.drop_nulls().unique().sort().to_list())}."
        )
    commonest = np.bincount(known).argmax() if len(known) else 0
    units = find_units(dependent, (placed == commonest).astype(np.float64))
    return Observed(groups.column, groups.labels, groups.shares, placed, units.basis.n_units, sampled)


def _sentence(columns: Sequence[Mapping[str, Any]]) -> str:
    groups = [group for column in columns for group in column["groups"]]
    rare = [group for group in groups if group["status"] in ("absent", "under")]
    n_unclear = sum(group["status"] == "unclear" for group in groups)
    unclear = f"; for {count(n_unclear)}, the rows are too few to tell" if n_unclear else ""
    whom = f"Of {count(len(groups), 'group')} of the population"
    if not rare:
        return f"{whom}, none is clearly under-represented{unclear}."
    return f"{whom}, {count(len(rare))} {'is' if len(rare) == 1 else 'are'} under-represented{unclear}."
