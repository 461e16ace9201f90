"""What the stages of a preparation did and what they cost per row, as sentences for the terminal."""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from groundup.core.inputs import FloatArray
from groundup.core.wording import listed, number
from groundup.data.dataset import Dataset
from groundup.preparation.contract import Preparation
from groundup.preparation.numbers import BY_COLUMNS
from groundup.preparation.options import PreparationOptions
from groundup.preparation.table import TablePreparation

_ROWS: Final = 200
_PASSES: Final = 3


def tell_asked(options: PreparationOptions) -> str | None:
    """Return which stages the options ask for; None for none."""
    imputes = {options.impute_numbers, *(own.impute for own in options.columns.values())}
    asked = [f"missing numbers are filled by `{impute}`" for impute in BY_COLUMNS if impute in imputes]
    asked += [f"inputs are selected (`{options.select}`)"] if options.select != "none" else []
    asked += [f"inputs are reduced (`{options.reduce}`)"] if options.reduce != "none" else []
    if not asked:
        return None
    return f"Then, on all columns together and again in every fold: {', '.join(asked)}."


def tell_stages(prepared: Mapping[str, Preparation], rows: Dataset) -> Iterator[str]:
    """Yield what the stages before each learner did; learners for which it was the same come together."""
    learners: dict[str, list[str]] = {}
    for name, preparation in prepared.items():
        told = "; ".join(stage["what"] for stage in preparation.describe_stages())
        learners.setdefault(told, []).append(name)
    for told, names in learners.items():
        if told:
            costs = measure_stages_us(prepared[names[0]], rows)
            gap = f", {number(costs['gap'], 3)} µs where a number is missing" if "gap" in costs else ""
            yield f"Before {listed(names)}: {told}. This takes {number(costs['mean'], 3)} µs a row{gap}."


def measure_stages_us(preparation: Preparation, rows: Dataset) -> dict[str, float]:
    """Return the time that the stages take for one row, microseconds.

    Returns
    -------
    dict
        ``mean``: over the first 200 rows as they are; ``gap``: of the same rows without the number that was
        missing most often in training, if numbers are filled from the other columns. Empty without stages.
    """
    if not isinstance(preparation, TablePreparation) or not preparation.stages:
        return {}
    encoded = preparation.encode(rows.frame(preparation.columns).head(_ROWS))
    costs = {"mean": _microseconds(preparation, encoded)}
    gaps = [stage.most_missing for stage in preparation.stages if hasattr(stage, "most_missing")]
    if gaps:
        encoded[:, gaps] = math.nan
        costs["gap"] = _microseconds(preparation, encoded)
    return costs


def _microseconds(preparation: TablePreparation, encoded: FloatArray) -> float:
    steps, listed_rows = [stage.transform_row for stage in preparation.stages], encoded.tolist()
    return min(_seconds(steps, listed_rows) for _ in range(_PASSES)) / max(1, len(encoded)) * 1e6


def _seconds(steps: Sequence[Any], rows: Sequence[Sequence[float]]) -> float:
    start = time.perf_counter()
    for row in rows:
        values = list(row)
        for step in steps:
            values = step(values)
    return time.perf_counter() - start
