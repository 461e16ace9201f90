"""What is unlike the training rows is counted column by column, over batches."""

from typing import Any

import polars as pl

from groundup.core.schema import Column, Schema
from groundup.data.profile import profile
from groundup.monitoring.mismatch import count_mismatches
from groundup.monitoring.reference import build_reference

SCHEMA = Schema(
    [
        Column("age", "number", "integer"),
        Column("town", "category", "string"),
        Column("member", "boolean", "boolean"),
    ]
)
TRAIN = pl.DataFrame(
    {"age": list(range(98)), "town": ["Bonn", "Ulm"] * 49, "member": [True, False] * 49},
)


def counted(*batches: pl.DataFrame, bins: int = 20) -> dict[str, dict[str, Any]]:
    reference = build_reference(TRAIN, SCHEMA, profile(TRAIN, SCHEMA), bins=bins)
    return {column["name"]: column for column in count_mismatches(batches, reference)}


def test_the_training_rows_are_like_themselves() -> None:
    for column in counted(TRAIN, TRAIN).values():
        assert column["n"] == 2 * len(TRAIN)
        assert column["missing"][0] == 0
        assert column.get("unseen", (0,))[0] == column.get("outside", (0,))[0] == 0


def test_missing_unseen_and_outside_values_are_counted() -> None:
    rows = pl.DataFrame({"age": [5, 200, None], "town": ["Kiel", "Ulm", None], "member": [True, True, False]})
    found = counted(rows, rows)
    assert found["age"]["missing"] == (2, 0.01)
    assert found["age"]["outside"] == (2, 2 / 99)
    assert found["town"]["unseen"] == (2, 0.01)
    assert found["member"]["unseen"][0] == 0


def test_an_absent_column_is_missing_everywhere() -> None:
    assert counted(TRAIN.drop("town"))["town"]["missing"][0] == len(TRAIN)


def test_levels_that_were_not_all_kept_are_not_compared() -> None:
    train = TRAIN.with_columns(town=pl.Series([f"t{i % 9}" for i in range(98)]))
    (_, town, _) = count_mismatches([train], build_reference(train, SCHEMA, profile(train, SCHEMA), bins=4))
    assert "unseen" not in town
