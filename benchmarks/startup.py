"""What starting costs: `import groundup`, `groundup --help`, and a cold `groundup train` on 1 000 rows.

Each is a process of its own, measured by the CPU time the system charges it; the first two alternate
with a bare `python -c pass` and are stated as what they add to it.
"""

import csv
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

_PAIRS = 30
_COLD_RUNS = 5


def cpu_of(command: list[str]) -> float:
    """Return the CPU seconds of a process and its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1"}
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def added(command: list[str], bare: list[str]) -> str:
    """Return what `command` costs over `bare`: median and interval of the paired differences."""
    differences = [cpu_of(command) - cpu_of(bare) for _ in range(_PAIRS)]
    draw = random.Random(0)
    medians = sorted(statistics.median(draw.choices(differences, k=_PAIRS)) for _ in range(2000))
    return f"{statistics.median(differences):.3f} s  [{medians[50]:.3f}, {medians[1949]:.3f}]"


def write_table(path: Path, n_rows: int) -> None:
    """Write a table of four numbers and two categories with missing values and a noisy target."""
    draw = random.Random(0)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["rooms", "area", "age", "distance", "city", "heating", "price"])
        for _ in range(n_rows):
            rooms, area = draw.randint(1, 8), draw.gauss(100, 30)
            age = draw.randint(0, 90) if draw.random() > 0.1 else None
            city = draw.choice(["Bonn", "Ulm", "Jena", "Kiel"])
            price = 2000 * area + 9000 * rooms + (30_000 if city == "Bonn" else 0) + draw.gauss(0, 20_000)
            writer.writerow(
                [rooms, f"{area:.1f}", age, draw.expovariate(0.2), city, draw.choice("abc"), int(price)]
            )


def main() -> None:
    """Print the table."""
    python, bare = sys.executable, [sys.executable, "-c", "pass"]
    print(f"CPU over bare Python, {_PAIRS} alternating pairs, median [95 % interval]")
    print(f"  import groundup    {added([python, '-c', 'import groundup'], bare)}   (goal: 0.150 s)")
    print(f"  groundup --help    {added([python, '-m', 'groundup', '--help'], bare)}   (goal: 0.300 s)")
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "houses.csv"
        write_table(table, 1000)
        train = [python, "-m", "groundup", "train", str(table), "--target", "price", "--runs", folder]
        seconds = [cpu_of([*train, "--progress", "quiet"]) for _ in range(_COLD_RUNS)]
    print(
        f"Cold `groundup train`, 1 000 rows, to a written report, {_COLD_RUNS} runs: "
        f"median {statistics.median(seconds):.2f} s CPU, {min(seconds):.2f} to {max(seconds):.2f}   "
        "(goal: 6 s)"
    )


if __name__ == "__main__":
    main()
