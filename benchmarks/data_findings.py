"""How often the data findings are right: false alarms on clean tables, planted faults found.

Run ``python benchmarks/data_findings.py``; ``--data FOLDER`` names a folder of further real tables. Every
table is trained with boosted trees. Goals: at most 2 % of clean tables with a false alarm, at least 90 % of
the planted faults found.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

import groundup as gu  # noqa: E402
from groundup.data.options import DataOptions  # noqa: E402
from groundup.data.samples import SAMPLES  # noqa: E402
from groundup.data.sources import read  # noqa: E402
from planted.data_faults import HONEST, LEAKS, Table, blobs, spiral  # noqa: E402

ALARMS = ("D015", "F006", "F007")
"""The findings that a clean table must not have."""

REAL = {
    "wheat-seeds/wheat_seeds.csv.gz": "variety",
    "german-credit/german_credit.csv.gz": "credit_risk",
    "spambase/spambase.csv.gz": "spam",
    "california-housing/housing.csv.gz": "median_house_value",
    "wholesale-customers/wholesale_customers.csv.gz": "Channel",
    "adult-income/adult_train.csv.gz": "income",
}
MOST_ROWS = 4_000


def real_tables(folder: Path) -> Iterator[tuple[str, Table]]:
    """Yield the samples and the files that are there, the first rows of each."""
    sources = {f"sample:{name}": sample.target for name, sample in SAMPLES.items()}
    sources |= {str(folder / name): target for name, target in REAL.items() if (folder / name).is_file()}
    for source, target in sources.items():
        frame = (
            read(DataOptions(source=source)).frame().sample(fraction=1, shuffle=True, seed=0).head(MOST_ROWS)
        )
        is_number = target in ("progression", "median_house_value")
        yield Path(source).name, Table(frame, target, "regression" if is_number else "classification")


def clean_tables(n_tables: int, folder: Path) -> Iterator[tuple[str, Table]]:
    """Yield real tables, then generated ones, `n_tables` in all."""
    n = 0
    for n, named in enumerate(real_tables(folder), 1):  # noqa: B007 - it is how many there were
        yield named
    kinds = list(HONEST)
    for i in range(n_tables - n):
        name = kinds[i % len(kinds)]
        yield f"{name} {i // len(kinds) + 1}", HONEST[name](np.random.default_rng(1_000 + i))


def codes_of(table: Table, *, model: str = "lightgbm") -> tuple[set[str], set[str]]:
    """Train and return the codes of all findings, and the columns that D015 names."""
    overrides = {"evaluation.importance_repeats": 0, "evaluation.resamples": 200, "problem.task": table.task}
    with tempfile.TemporaryDirectory() as folder:
        run = gu.train(table.frame, table.target, model=model, runs=folder, overrides=overrides)
        findings = run.findings
    leaks = [each for each in findings if each.code == "D015"]
    named = {str(name) for each in leaks for name in [*each.evidence.get("columns", []), each.column] if name}
    return {each.code for each in findings}, named


def leaks_of(table: Table) -> set[str]:
    """Look at the data without training, and return the columns that D015 names."""
    found = [each for each in gu.check(table.frame, table.target).findings if each.code == "D015"]
    return {str(name) for each in found for name in [*each.evidence.get("columns", []), each.column] if name}


def with_wrong_labels(table: Table, random: np.random.Generator, share: float = 0.1) -> Table:
    """Return the table with a share of its labels replaced by others."""
    labels = table.frame[table.target]
    classes = labels.unique().sort()
    codes = labels.cast(pl.String).rank("dense").to_numpy().astype(int) - 1
    classes = classes.cast(pl.String).sort()
    wrong = random.random(len(codes)) < share
    codes[wrong] = (codes[wrong] + random.integers(1, len(classes), int(wrong.sum()))) % len(classes)
    return replace(table, frame=table.frame.with_columns(classes[codes].alias(table.target)))


def learnable(folder: Path) -> list[Table]:
    """Return tables of which a model makes few errors; in others wrong labels cannot be told from chance."""
    wanted = {"sample:iris", "sample:wine", "sample:breast_cancer", "sample:penguins", "wheat_seeds.csv.gz"}
    tables = [table for name, table in real_tables(folder) if name in wanted]
    return [*tables, *(make(np.random.default_rng(7)) for make in (spiral, blobs))]


def with_copies(table: Table, random: np.random.Generator) -> Table:
    """Return the table with one row in ten repeated, in random order."""
    extra = table.frame.sample(fraction=0.1, seed=int(random.integers(2**31)))
    frame = pl.concat([table.frame, extra]).sample(fraction=1, shuffle=True, seed=int(random.integers(2**31)))
    return replace(table, frame=frame)


def share_found(name: str, cases: Iterator[bool], *, goal: float = 0.9) -> bool:
    """Print how many faults were found beside the goal."""
    hits = list(cases)
    share = sum(hits) / len(hits)
    print(f"{name:<34}{sum(hits):>4} of {len(hits):<4} found{share:>8.1%}   goal ≥ {goal:.0%}", flush=True)
    return share >= goal


def false_alarms(n_tables: int, folder: Path) -> bool:
    """Print the clean tables with a false alarm, and their share beside the goal."""
    n_alarms = 0
    for name, table in clean_tables(n_tables, folder):
        alarms = sorted(codes_of(table)[0] & set(ALARMS))
        n_alarms += bool(alarms)
        if alarms:
            print(f"  false alarm: {name}: {', '.join(alarms)}", flush=True)
    share = n_alarms / n_tables
    print(f"{'clean tables':<34}{n_alarms:>4} of {n_tables:<4} alarm{share:>8.1%}   goal ≤ 2%", flush=True)
    return share <= 0.02


def planted_faults(n_draws: int, folder: Path) -> Iterator[bool]:
    """Print how many of each planted fault were found; yield whether each goal is met."""

    def leaks(make: Callable[[np.random.Generator], Table]) -> Iterator[bool]:
        for draw in range(n_draws):
            table = make(np.random.default_rng(draw))
            yield set(table.leaks) <= leaks_of(table)

    for name, make in LEAKS.items():
        yield share_found(f"leak: {name}", leaks(make))
    bases = [HONEST[name] for name in ("linear classes", "linear numbers", "blobs", "curved numbers")]
    tables = [
        with_copies(make(np.random.default_rng(draw)), np.random.default_rng(draw))
        for make in bases
        for draw in range(n_draws)
    ]
    found = ({each.code for each in gu.check(table.frame, table.target).findings} for table in tables)
    yield share_found("duplicates: 10 % of the rows", ("S001" in codes for codes in found))
    noisy = (
        with_wrong_labels(table, np.random.default_rng(draw))
        for table in learnable(folder)
        for draw in range(3)
    )
    yield share_found("label noise: 10 %", ("F007" in codes_of(table)[0] for table in noisy))


def main() -> int:
    """Print the table; 1 if a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--tables", type=int, default=40)
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--only", choices=["clean", "planted"])
    arguments = parser.parse_args()
    is_good = [] if arguments.only == "clean" else list(planted_faults(arguments.draws, arguments.data))
    if arguments.only != "planted":
        is_good.append(false_alarms(arguments.tables, arguments.data))
    return 0 if all(is_good) else 1


if __name__ == "__main__":
    sys.exit(main())
