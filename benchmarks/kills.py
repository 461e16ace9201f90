"""Whether a run that is killed and resumed ends like one that was left alone: bit for bit, nothing lost.

A reference run goes to its end. Then the same `groundup train` is started again and again, killed
with SIGKILL at a random moment (half of them just behind any event of the reference, half of them
at any time), and resumed; every third run is killed a second time while it is being resumed.
Model digest, scores, leaderboard, findings, learning curves and resolved recipe must equal those of
the reference; a fold that was finished must not be fitted again; no half-written file may stay.

About 7 s a kill on an idle machine of two cores, so 60 kills take 7 minutes.
`--source`, `--target`, `--model`, `--kills`, `--seed`; `--nested` with a nested cross-validation.
"""

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from planted.kills import Reference, Trial, kill_and_resume, run_reference


def kill_often(reference: Reference, runs: Path, n_kills: int, seed: int) -> list[Trial]:
    """Kill and resume until `n_kills` runs were met at work."""
    draw = random.Random(seed)
    trials: list[Trial] = []
    while len(trials) < n_kills:
        moments = [reference.draw_moment(draw) for _ in range(2 if len(trials) % 3 == 2 else 1)]
        trial = kill_and_resume(reference, moments, runs, f"killed-{len(trials)}-{draw.randrange(10**6)}")
        if trial is not None:
            trials.append(trial)
            if trial.differences or trial.leftovers or trial.n_restored < trial.n_finished:
                print(f"  {trial}", flush=True)
    return trials


def show(reference: Reference, trials: list[Trial], seconds: float) -> None:
    """Print the table."""
    n_equal = sum(not trial.differences for trial in trials)
    n_lost = sum(trial.n_finished - trial.n_restored for trial in trials)
    n_left = sum(len(trial.leftovers) for trial in trials)
    where = Counter(reference.events[moment.after]["kind"] for trial in trials for moment in trial.moments)
    print(f"{'runs killed':<42}{len(trials):>6}")
    print(f"{'  of them killed twice':<42}{sum(len(trial.moments) > 1 for trial in trials):>6}")
    print(f"{'ended bit-equal to the reference':<42}{n_equal:>6}   (goal: {len(trials)})")
    print(f"{'folds finished before the kill':<42}{sum(trial.n_finished for trial in trials):>6}")
    print(f"{'finished folds that were fitted again':<42}{n_lost:>6}   (goal: 0)")
    print(f"{'half-written or damaged files':<42}{n_left:>6}   (goal: 0)")
    print(f"killed after: {', '.join(f'{kind} {n}' for kind, n in where.most_common())}")
    print(f"{seconds:.0f} s")


def main() -> int:
    """Kill, resume, compare; 1 if anything was lost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--source", default="sample:titanic")
    parser.add_argument("--target", default="survived")
    parser.add_argument("--model", help="a learner, e.g. mlp; by default as `groundup train` chooses")
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--nested", action="store_true")
    arguments = parser.parse_args()
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        runs = Path(folder)
        words = [arguments.source, "--target", arguments.target]
        words += ["--set", "evaluation.nested=true"] if arguments.nested else []
        if arguments.model is not None:
            words += ["--model", arguments.model, "--set", "training.checkpoint_seconds=0.1"]
        reference = run_reference(words, runs)
        length = reference.events[-1]["time_seconds"]
        print(f"{arguments.source}: {len(reference.events)} events in {length:.1f} s", flush=True)
        trials = kill_often(reference, runs, arguments.kills, arguments.seed)
    show(reference, trials, time.monotonic() - start)
    is_good = all(
        not trial.differences and not trial.leftovers and trial.n_restored == trial.n_finished
        for trial in trials
    )
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
