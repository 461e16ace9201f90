"""What boosters' model files do that were altered on purpose, with all digests made right again.

A small model of each booster and task is saved; then thousands of altered copies are loaded and asked for
predictions, in another process, so that a crash of the library is seen. Refused is best, a prediction that is
merely wrong is what digests are there to prevent, a crash is a fault. CatBoost's format is not checked by
groundup (see docs/package.md): its crashes are shown, and do not count.

Some minutes for the default 3 000 a model. ``--mutations``, ``--only``.
"""

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from planted.mutations import FILES, save_model, try_mutations

UNCHECKED = ("catboost",)


def main() -> int:
    """Print the table; 1 if an altered model got past the checks and did harm."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--mutations", type=int, default=3_000)
    parser.add_argument("--only", choices=sorted(FILES))
    arguments = parser.parse_args()
    is_harmed = False
    print(
        f"{'model':<14}{'classes':>8}{'altered':>9}{'refused':>9}{'loaded':>8}{'crashed':>9}{'hung':>6}{'other':>7}"
    )
    for name in [arguments.only] if arguments.only else FILES:
        for n_classes in (0, 2, 3):
            with tempfile.TemporaryDirectory() as folder:
                save_model(name, n_classes, Path(folder))
                outcomes = try_mutations(Path(folder), arguments.mutations)
            words = ("refused", "loaded", "crashed", "hung")
            refused, loaded, crashed, hung = (outcomes.pop(word, 0) for word in words)
            counts = f"{refused:>9}{loaded:>8}{crashed:>9}{hung:>6}{outcomes.total():>7}"
            print(f"{name:<14}{n_classes:>8}{arguments.mutations:>9}{counts}", flush=True)
            is_harmed |= name not in UNCHECKED and crashed + hung + outcomes.total() > 0
    return int(is_harmed)


if __name__ == "__main__":
    sys.exit(main())
