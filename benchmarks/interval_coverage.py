"""How often a 95 % interval holds the truth: simulated predictions whose true scores are known.

For each distribution, samples are drawn, and every metric's bootstrap interval is compared with the
score of 400 000 rows. Then means of losses whose rows depend on each other, by entity or in time:
with the interval that knows of it, and with one that takes rows for independent, for comparison. Last,
tests of few rows: how far up an interval of the root mean squared error reaches, beside the truth.
A share measured in 400 repetitions is itself uncertain by 2.2 points, which a single one is allowed.

About a minute of CPU on one core with the defaults. `--repetitions 2000` for a closer look.
"""

import os

for _name in ("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[_name] = "1"

import argparse  # noqa: E402
import statistics  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from dataclasses import replace  # noqa: E402
from math import sqrt  # noqa: E402
from pathlib import Path  # noqa: E402

import numpy as np  # noqa: E402

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from groundup.evaluation.metrics import compute_metrics  # noqa: E402
from planted.distributions import (  # noqa: E402
    DEPENDENT,
    DISTRIBUTIONS,
    Misses,
    Size,
    dependent_misses,
    metric_misses,
)


def line(name: str, misses: Misses) -> str:
    """Return one row: the coverage, and how the misses divide."""
    return f"  {name:<24}{misses.coverage:>8.1%}{misses.above:>14}{misses.below:>14}"


def main() -> int:
    """Print the tables; 1 if intervals are wrong on average."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", type=int, default=250)
    parser.add_argument("--repetitions", type=int, default=400)
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    size = Size(arguments.rows, arguments.repetitions, arguments.resamples)
    print(f"{size.n_rows} rows, {size.n_repetitions} repetitions, {size.resamples} resamples")
    print(f"  {'':<24}{'coverage':>8}{'truth below':>14}{'truth above':>14}")
    means, single = [], []
    for name, (task, draw) in DISTRIBUTIONS.items():
        misses = metric_misses(task, draw, size, arguments.seed)
        means.append(statistics.mean(each.coverage for each in misses.values()))
        print(f"{name}: mean over the metrics {means[-1]:.1%}   (goal: 93 to 97 %)", flush=True)
        for metric, each in misses.items():
            print(line(metric, each))
        single += [each.coverage for each in misses.values()]
    known = []
    for name in DEPENDENT:
        informed, naive = dependent_misses(name, size, arguments.seed)
        known.append(informed.coverage)
        print(f"{name}   (goal: 93 to 97 % where the dependence is known)", flush=True)
        print(line("dependence known", informed))
        print(line("taken for independent", naive))
    show_few_rows(size, arguments.seed)
    print(f"{time.process_time():.0f} s of CPU")
    slack = 2 * sqrt(0.95 * 0.05 / size.n_repetitions)  # of a share that is exactly on the goal
    is_good = all(0.93 <= mean <= 0.97 for mean in means)
    is_good &= all(0.93 - slack <= share <= 0.97 + slack for share in [*single, *known])
    return 0 if is_good else 1


def show_few_rows(size: Size, seed: int) -> None:
    """Print coverage and upper ends of the root mean squared error on small tests; no goal is set."""
    print("root mean squared error on few rows; its upper end, as a multiple of the truth")
    print(f"  {'':<40}{'coverage':>8}{'median':>10}{'95th of 100':>14}")
    for name in list(DISTRIBUTIONS)[2:]:
        task, draw = DISTRIBUTIONS[name]
        truth = compute_metrics(["rmse"], *draw(np.random.default_rng(9), 400_000))["rmse"]
        for n_rows in (30, 60, 100):
            misses = metric_misses(task, draw, replace(size, n_rows=n_rows), seed)["rmse"]
            upper = np.quantile([high / truth for _, high in misses.ends], [0.5, 0.95])
            print(
                f"  {f'{name}, {n_rows} rows':<40}{misses.coverage:>8.1%}{upper[0]:>10.2f}{upper[1]:>14.2f}"
            )


if __name__ == "__main__":
    sys.exit(main())
