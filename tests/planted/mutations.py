"""Model files altered on purpose: what a library's reader does with them, watched from another process.

``python mutations.py FOLDER FIRST LAST`` alters the model in FOLDER, one way a number, and loads it.
"""

import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from groundup.core.errors import PackageError
from groundup.core.inputs import Inputs
from groundup.models.catalogue import load_fitted, make_learner
from groundup.models.contract import FitContext
from groundup.training.rounds import run_rounds

FILES: Final = {"lightgbm": "model.txt", "xgboost": "model.ubj", "catboost": "model.cbm"}
_MOST_SECONDS: Final = 20
_EXTREMES: Final = tuple(
    value.to_bytes(size, order, signed=True)
    for size in (1, 2, 4, 8)
    for order in ("big", "little")
    for value in (-1, -2, 0, 1, 7, 2 ** (8 * size - 1) - 1, -(2 ** (8 * size - 1)))
)


def mutated(content: bytes, number: int) -> bytes:
    """Return the content altered in one to four places, the same for the same number."""
    draw, changed = random.Random(number), bytearray(content)
    for _ in range(draw.choice([1, 1, 2, 4])):
        place = draw.randrange(len(changed))
        match draw.randrange(5):
            case 0:
                changed[place] ^= 1 << draw.randrange(8)
            case 1:
                new = draw.choice(_EXTREMES)
                changed[place : place + len(new)] = new
            case 2:
                del changed[place : place + draw.randrange(1, 9)]
            case 3:
                other = draw.randrange(len(changed))
                changed[place : place + 8] = changed[other : other + 8]
            case _:
                changed[place] = draw.randrange(256)
    return bytes(changed)


def save_model(name: str, n_classes: int, folder: Path) -> None:
    """Fit a small model on numbers and a category and save it, with what `main` needs to load it."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 4))
    X[:, 3] = rng.integers(0, 12, 500)
    X[::9, 0] = np.nan
    signal = np.nan_to_num(X[:, 0]) + X[:, 1] * X[:, 2] + X[:, 3] % 3 - 1
    y = np.digitize(signal, np.arange(n_classes - 1)) if n_classes else signal
    loop = partial(run_rounds, early_stopping=None, emit=lambda **_: None, should_stop=lambda: False)
    task = "classification" if n_classes else "regression"
    context = FitContext(task, n_classes, 0, 1, loop, lambda: False)  # type: ignore[arg-type]
    learner = make_learner(name, {"n_estimators": 5})
    learner.fit(Inputs({"X": X, "y": y}, categorical=(3,)), None, context).save(folder)
    (folder / "reference").write_text(f"{learner.fitted}\n{FILES[name]}")


def try_mutations(folder: Path, n_mutations: int) -> Counter[str]:
    """Return how many altered models were ``refused`` or ``loaded``, ``crashed`` or ``hung`` the process."""
    outcomes = Counter[str]()
    first = 0
    while first < n_mutations:
        command = [sys.executable, __file__, str(folder), str(first), str(n_mutations)]
        process = subprocess.run(command, capture_output=True, text=True)
        words = process.stdout.split()
        outcomes.update(words[1::2])
        if process.returncode == 0:
            break
        outcomes["hung" if process.returncode == -signal.SIGALRM else "crashed"] += 1
        first = int(words[-1]) + 1
    return outcomes


def say(text: str) -> None:
    """Write at once, so that it is read even if the process ends."""
    sys.stdout.write(text)
    sys.stdout.flush()


def main(folder: Path, first: int, last: int) -> None:
    """Print the number of each mutation, then what came of it."""
    reference, file = (folder / "reference").read_text().split()
    X = np.random.default_rng(1).normal(size=(50, 4))
    X[:, 3] = np.arange(50) % 12
    content = (folder / file).read_bytes()
    with tempfile.TemporaryDirectory() as copy:
        shutil.copytree(folder, copy, dirs_exist_ok=True)
        for number in range(first, last):
            say(f"{number} ")
            signal.alarm(_MOST_SECONDS)  # nothing catches it: what takes longer ends the process
            (Path(copy) / file).write_bytes(mutated(content, number))
            try:
                fitted = load_fitted(reference, Path(copy))
                fitted.predict(Inputs({"X": X}))
                fitted.predict_row(X[0].tolist())
            except PackageError:
                say("refused\n")
            except Exception as error:  # what nobody foresaw is counted, not hidden
                say(f"{type(error).__name__}\n")
            else:
                say("loaded\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
