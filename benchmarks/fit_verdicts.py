"""How often over- and underfitting are recognised: models whose verdict is known by construction.

41 planted cases (a full-grown tree on noisy labels overfits, a line on an exclusive-or underfits, a
line on a line fits) on generated data, each with several seeds. The table counts verdicts by truth;
below it, every case that was not judged as planted.

About 5 s of CPU a seed, so half a minute for the default six. `--seeds 1` for a quick look.
"""

import os

for _name in ("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[_name] = "1"

import argparse  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from collections import Counter  # noqa: E402
from pathlib import Path  # noqa: E402

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from planted.fits import PLANTED, judge  # noqa: E402

VERDICTS = ("overfits", "underfits", "fits", "undecided")


def main() -> int:
    """Print the confusion table; 1 if a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seeds", type=int, default=6)
    arguments = parser.parse_args()
    misses, found = [], {}
    for truth, cases in PLANTED.items():
        found[truth] = Counter[str]()
        for name, data, fit in cases:
            for seed in range(1, arguments.seeds + 1):
                verdict = judge(data(seed), fit).verdict
                found[truth][verdict] += 1
                if verdict != truth:
                    misses.append(f"  {truth}: {name}, seed {seed}: {verdict}")
    print(f"{'planted':<12}" + "".join(f"{verdict:>12}" for verdict in VERDICTS) + "    recognised")
    for truth, counts in found.items():
        cells = "".join(f"{counts[verdict]:>12}" for verdict in VERDICTS)
        print(f"{truth:<12}{cells}{counts[truth] / counts.total():>13.1%}   (goal: 90 %)")
    healthy = found["fits"]
    n_alarms = healthy["overfits"] + healthy["underfits"]
    print(f"false alarms on models that fit: {n_alarms / healthy.total():.1%}   (goal: at most 5 %)")
    print("\n".join(misses))
    print(f"{time.process_time():.0f} s of CPU")
    is_good = all(counts[truth] / counts.total() >= 0.9 for truth, counts in found.items())
    return 0 if is_good and n_alarms / healthy.total() <= 0.05 else 1


if __name__ == "__main__":
    sys.exit(main())
