"""Tables, and altered copies of their training rows planted in their test part."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from groundup.core.schema import Column, Schema
from groundup.data.near_duplicates import near_pairs

LETTERS = np.array(list("etaoinshrdlucmfw"))
WORDS = ["".join(np.random.default_rng(seed).choice(LETTERS, 3 + seed % 6)) for seed in range(300)]
N_PLANTED = 40


def make_table(seed: int, *, n_rows: int = 1500) -> tuple[pl.DataFrame, Schema, NDArray[np.int8]]:
    """Return a table of numbers, whole numbers, categories and texts, its schema, and its parts."""
    random = np.random.default_rng(seed)
    n_numbers, n_categories, has_text = random.integers(3, 14), random.integers(2, 8), seed % 3 == 0
    hidden = random.normal(size=n_rows)
    columns: dict[str, Any] = {}
    schema: list[Column] = []
    for position in range(n_numbers):
        name, values = f"x{position}", random.normal(size=n_rows) + random.random() * hidden
        if position % 3 == 1:
            columns[name] = np.round(values * 20).astype(np.int64)
        elif position % 3 == 2:
            is_missing = random.random(n_rows) < 0.1
            columns[name] = pl.Series(np.where(is_missing, np.nan, np.exp(values))).fill_nan(None)
        else:
            columns[name] = values
        schema.append(Column(name, "number", "integer" if position % 3 == 1 else "float"))
    for position in range(n_categories):
        levels = [f"level {level}" for level in range(random.integers(2, 30))]
        shares = random.dirichlet(np.ones(len(levels)))
        columns[f"c{position}"] = random.choice(levels, n_rows, p=shares)
        schema.append(Column(f"c{position}", "category", "string"))
    if has_text:
        columns["note"] = [" ".join(random.choice(WORDS, random.integers(4, 30))) for _ in range(n_rows)]
        schema.append(Column("note", "text", "string"))
    parts = random.choice(np.array([0, 1, 2], dtype=np.int8), n_rows, p=[0.64, 0.16, 0.2])
    return pl.DataFrame(columns), Schema(schema), parts


def plant(
    frame: pl.DataFrame, schema: Schema, parts: NDArray[np.int8], how: str, seed: int
) -> tuple[pl.DataFrame, list[tuple[int, int]]]:
    """Return the table with test rows replaced by altered copies of training rows, and the pairs."""
    random = np.random.default_rng(seed + 1000)
    copies = random.choice(np.flatnonzero(parts == 2), N_PLANTED, replace=False)
    originals = random.choice(np.flatnonzero(parts == 0), N_PLANTED, replace=False)
    columns = {name: frame[name].to_list() for name in frame.columns}
    changed = random.choice(frame.columns, N_PLANTED)
    for copy, original, which in zip(copies, originals, changed, strict=True):
        for column in schema:
            values = columns[column.name]
            value = values[original]
            if how == "jitter" and column.kind == "number" and value is not None:
                spread: Any = frame[column.name].std()
                value += random.normal() * 0.01 * spread
                value = round(value) if column.storage == "integer" else value
            if how == "one column" and column.name == which:
                value = values[int(random.integers(len(frame)))]
            if how == "typo" and column.kind == "text":
                at = int(random.integers(len(value)))
                value = value[:at] + "#" + value[at + 1 :]
            values[copy] = value
    planted = pl.DataFrame(columns, schema=frame.schema)
    hashes = planted.hash_rows(0).to_numpy()
    pairs = zip(copies.tolist(), originals.tolist(), strict=True)
    return planted, [(copy, original) for copy, original in pairs if hashes[copy] != hashes[original]]


def count_found(how: str, seeds: Iterable[int]) -> tuple[int, int, int]:
    """Return how many copies were planted in the tables of `seeds`, found as pairs, and stood out."""
    n_planted = n_found = n_stand_out = 0
    for seed in seeds:
        frame, schema, parts = make_table(seed)
        if how == "typo" and "note" not in frame.columns:
            continue
        table, planted = plant(frame, schema, parts, how, seed)
        pairs = near_pairs(table, schema, parts, seed=seed)
        found = set(zip(pairs.rows.tolist(), pairs.others.tolist(), strict=True))
        standing = set(pairs.rows[pairs.stands_out].tolist())
        n_planted += len(planted)
        n_found += sum(pair in found for pair in planted)
        n_stand_out += sum(copy in standing for copy, _ in planted)
    return n_planted, n_found, n_stand_out
