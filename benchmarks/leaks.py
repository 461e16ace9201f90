"""How many planted near-equal rows are found, how many alarms clean tables raise, and how long it takes.

Forty generated tables of 1 500 mixed rows, with seeds that no test uses; in each, 40 test rows are
replaced by copies of training rows, altered in one of three ways: another value in one column, every
number moved by 1 % of its spread, a mistyped letter. A pair is found if it is listed, and stands out
if it is one that the finding reports. Then the same tables without copies; then large ones, timed.

About half a minute of CPU, and 2 GB of memory. `--tables 10 --only recall|time` for a part.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import numpy as np
import polars as pl

from groundup.core.schema import Column, Schema
from groundup.data.dataset import Dataset
from groundup.data.leaks import find_leaks
from groundup.data.near_duplicates import near_pairs
from groundup.data.options import SplitOptions
from groundup.data.split import make_split
from planted.near_copies import count_found, make_table

FIRST_SEED = 100  # the tests use those below
KINDS = {
    pl.Float64(): ("number", "float"),
    pl.Int64(): ("number", "integer"),
    pl.String(): ("category", "string"),
}


def measure_alarms(n_tables: int) -> tuple[int, int, int]:
    """Return how many rows clean tables have, how many are reported, and in how many tables."""
    n_rows = n_alarms = n_affected = 0
    for seed in range(FIRST_SEED, FIRST_SEED + n_tables):
        frame, schema, parts = make_table(seed)
        pairs = near_pairs(frame, schema, parts, seed=seed)
        alarms = len(np.unique(pairs.rows[pairs.stands_out]))
        n_rows += int(np.count_nonzero(parts))
        n_alarms += alarms
        n_affected += alarms > 0
    return n_rows, n_alarms, n_affected


def mixed(n_rows: int, n_numbers: int, n_categories: int) -> pl.DataFrame:
    """Return independent normal numbers, categories of eight levels, and a target."""
    random = np.random.default_rng(0)
    numbers = {f"x{i}": random.normal(size=n_rows) for i in range(n_numbers)}
    categories = {f"c{i}": random.choice(list("abcdefgh"), n_rows) for i in range(n_categories)}
    return pl.DataFrame({**numbers, **categories, "y": random.integers(2, size=n_rows)})


LARGE: dict[str, Callable[[], pl.DataFrame]] = {
    "100 000 × 30": lambda: mixed(100_000, 20, 10),
    "1 000 000 × 12": lambda: mixed(1_000_000, 8, 4),
}


def measure_time(frame: pl.DataFrame) -> tuple[float, float]:
    """Return wall and CPU seconds of looking for leaks between the parts of a table."""
    schema = Schema(Column(name, *KINDS[dtype]) for name, dtype in frame.schema.items())  # type: ignore[arg-type]
    dataset = Dataset(frame.lazy(), schema, len(frame), "frame")
    split = make_split(dataset, target="y", task="classification", options=SplitOptions(), seed=0)
    wall, cpu = time.monotonic(), time.process_time()
    find_leaks(dataset, split, features=frame.columns[:-1], target="y", seed=0)
    return time.monotonic() - wall, time.process_time() - cpu


def show_recall(n_tables: int) -> bool:
    """Print recall and false alarms; return whether the goals are met."""
    is_good = True
    print(f"{'copies with':<16}{'planted':>9}{'found':>9}{'reported':>10}")
    for how in ("one column", "jitter", "typo"):
        n_planted, n_found, n_reported = count_found(how, range(FIRST_SEED, FIRST_SEED + n_tables))
        shares = n_found / n_planted, n_reported / n_planted
        print(
            f"{how:<16}{n_planted:>9}{shares[0]:>9.1%}{shares[1]:>10.1%}   (goal: 95 %)",
            flush=True,
        )
        is_good = is_good and min(shares) >= 0.95
    n_rows, n_alarms, n_affected = measure_alarms(n_tables)
    print(
        f"clean: {n_alarms} of {n_rows} rows reported, in {n_affected} of {n_tables} tables   (goal: 0.1 %)"
    )
    return is_good and n_alarms <= 0.001 * n_rows


def main() -> int:
    """Print the tables; 1 if a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--tables", type=int, default=40)
    parser.add_argument("--only", choices=["recall", "time"])
    arguments = parser.parse_args()
    is_good = arguments.only == "time" or show_recall(arguments.tables)
    if arguments.only != "recall":
        print(f"{'rows × columns':<16}{'wall':>9}{'CPU':>9}")
        for name, make in LARGE.items():
            wall, cpu = measure_time(make())
            print(f"{name:<16}{wall:>7.1f} s{cpu:>7.1f} s", flush=True)
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
