"""Entities (customers, patients, machines) whose rows are in more than one part.

Rows of one entity resemble each other in ways that no column shows. A model tested on entities that
it has learnt from looks better than it will be on new ones.
"""

import re
from typing import Final

import numpy as np
import polars as pl

from groundup.core.findings import Finding
from groundup.core.inputs import IntArray
from groundup.core.schema import Column
from groundup.core.seeds import generator
from groundup.core.wording import count, percent
from groundup.data.comparing import make_comparable
from groundup.data.dataset import Dataset
from groundup.data.split import Split

ENTITY_WORDS: Final = frozenset(
    (
        *(
            "account",
            "animal",
            "applicant",
            "booking",
            "borrower",
            "buyer",
            "case",
            "child",
            "claim",
            "client",
        ),
        *("contract", "customer", "device", "doctor", "donor", "driver", "email", "employee", "family"),
        *("household", "invoice", "loan", "machine", "member", "order", "passenger", "passport", "patient"),
        *("person", "phone", "player", "policy", "pupil", "respondent", "seller", "sensor", "session", "ssn"),
        *("student", "subject", "subscriber", "tenant", "ticket", "user", "vehicle", "visitor", "worker"),
    )
)
"""Words that name what has several rows."""

KEY_WORDS: Final = frozenset(
    ("id", "uid", "uuid", "guid", "no", "nr", "num", "number", "key", "code", "name", "hash")
)
IDENTIFYING: Final = frozenset(("id", "uid", "uuid", "guid"))

FEWEST_ENTITIES: Final = 20
MOST_ROWS_AN_ENTITY: Final = 100
FEWEST_ROWS_AN_ENTITY: Final = 1.1
SMALLEST_SHARE: Final = 0.05
N_PAIRS: Final = 2_000
MOST_COLUMNS: Final = 40
"""Pairs of rows, and other columns, that resemblance is judged by."""


def find_entities(
    dataset: Dataset, split: Split, *, target: str, group: str | None, seed: int
) -> list[Finding]:
    """Return S003 for each column that names entities which are in train and in test.

    A column names entities when its name says so, or when at least half of the other columns, and
    two at least, hardly vary between training rows that share its value but do among others. Linear
    in the rows.

    Parameters
    ----------
    dataset : Dataset
        All rows.
    split : Split
        Which row is in which part.
    target : str
        The column to predict.
    group : str or None
        The column that the split went by; it cannot straddle parts.
    seed : int
        The run's seed.

    Examples
    --------
    >>> from groundup.core.schema import Schema
    >>> frame = pl.DataFrame({"patient": [f"p{row // 4}" for row in range(200)], "y": [0, 1] * 100})
    >>> schema = Schema([Column("patient", "category", "string"), Column("y", "number", "integer")])
    >>> rows = np.arange(200)
    >>> split = Split(rows[rows % 4 > 1], rows[rows % 4 == 1], rows[rows % 4 == 0], "random", "")
    >>> (found,) = find_entities(
    ...     Dataset(frame.lazy(), schema, 200, "frame"), split, target="y", group=None, seed=0
    ... )
    >>> found.code, dict(found.patch)
    ('S003', {'data.split.group': 'patient'})
    """
    candidates = [
        column.name
        for column in dataset.schema
        if column.name not in (target, group) and _could_name_entities(column)
    ]
    is_asked = split.method in ("group", "time")
    findings = []
    for keys in dataset.frame(candidates).iter_columns():
        n_entities = keys.drop_nulls().n_unique()
        if not _has_sizes_of_entities(keys, n_entities):
            continue
        share = _share_seen(keys, split)
        if share < SMALLEST_SHARE:
            continue
        why = _hint(keys.name, n_entities, len(keys)) or _resemblance(dataset, split, keys, target, seed)
        if why:
            findings.append(_finding(keys.name, share, n_entities, why, is_asked=is_asked))
    return findings


def _could_name_entities(column: Column) -> bool:
    if column.kind in ("category", "identifier"):
        return True
    return column.storage in ("integer", "string") and column.kind in ("number", "text")


def _share_seen(keys: pl.Series, split: Split) -> float:
    """Return the share of test rows whose key is also among the rows that are learnt from."""
    hashes = keys.hash(0).to_numpy()
    known = keys.is_not_null().to_numpy()
    learnt = np.concatenate([split.train, split.validation])
    seen = np.isin(hashes[split.test], hashes[learnt]) & known[split.test]
    return float(np.mean(seen))


def _has_sizes_of_entities(keys: pl.Series, n_entities: int) -> bool:
    n_known = len(keys) - keys.null_count()
    fewest = FEWEST_ENTITIES // 2 if _is_entity_word(keys.name) else FEWEST_ENTITIES
    if n_entities < fewest:
        return False
    rows_an_entity = n_known / n_entities
    return rows_an_entity >= FEWEST_ROWS_AN_ENTITY and (
        rows_an_entity <= MOST_ROWS_AN_ENTITY or _is_entity_word(keys.name)
    )


def _words_of(name: str) -> set[str]:
    return {word.casefold() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)}


def _is_entity_word(name: str) -> bool:
    """Whether a name is an entity's and nothing else: `CustomerID`, `patient no`; not `customer_age`."""
    words = _words_of(name) - KEY_WORDS
    singular = {word.removesuffix("s") for word in words}
    return bool(words) and singular <= ENTITY_WORDS


def _hint(name: str, n_entities: int, n_rows: int) -> str:
    if _is_entity_word(name):
        return "its name says so"
    if _words_of(name) & IDENTIFYING and n_entities >= np.sqrt(n_rows):
        return "its name says so"
    return ""


def _resemblance(dataset: Dataset, split: Split, keys: pl.Series, target: str, seed: int) -> str:
    """Return how training rows that share a key resemble each other, or "" if they do not."""
    random = generator(seed, "entities", keys.name)
    others = [
        each for each in dataset.schema if each.name not in (keys.name, target) and each.kind != "constant"
    ]
    if len(others) > MOST_COLUMNS:
        others = [others[which] for which in random.choice(len(others), MOST_COLUMNS, replace=False)]
    first, second = _pairs_within(keys.gather(split.train), random)
    if len(others) < 2 or len(first) < FEWEST_ENTITIES:
        return ""
    stranger = random.integers(0, len(split.train), len(first))
    looked_at, inverse = np.unique(np.concatenate([first, second, stranger]), return_inverse=True)
    first, second, stranger = np.split(inverse, 3)
    sample = dataset.frame(each.name for each in others)[split.train[looked_at]]
    every = np.arange(len(sample))
    n_alike = 0
    for each in others:
        comparable = make_comparable(sample[each.name], each, every)
        within = float(np.mean(comparable.same(first, second)))
        between = float(np.mean(comparable.same(first, stranger)))
        n_alike += within >= 0.9 and between <= 0.5
    if n_alike < max(2, len(others) / 2):
        return ""
    return f"rows that share it agree in {n_alike} of the {len(others)} other columns"


def _pairs_within(keys: pl.Series, random: np.random.Generator) -> tuple[IntArray, IntArray]:
    """Return up to `N_PAIRS` pairs of rows that share a key."""
    order = keys.arg_sort().to_numpy().astype(np.int64)
    in_order = keys.gather(order)
    same = np.flatnonzero((in_order == in_order.shift(1)).fill_null(False).to_numpy())
    if len(same) > N_PAIRS:
        same = random.choice(same, N_PAIRS, replace=False)
    return order[same - 1], order[same]


def _finding(name: str, share: float, n_entities: int, why: str, *, is_asked: bool) -> Finding:
    return Finding(
        "S003",
        "info" if is_asked else "warning",
        f"`{name}` seems to name entities ({count(n_entities)} of them; {why}), and {percent(share)} of "
        "the test rows belong to one that the model also learns from. The score then holds for known "
        "entities, not for new ones.",
        f"If the model will meet new ones, keep each in one part: `data.split.group: {name}`.",
        evidence={"share_of_test": share, "n_entities": n_entities, "why": why},
        patch={"data.split.group": name},
        column=name,
    )
