"""Whether a flipped bit in what a run stored is ever used: every file of a package, every checkpoint.

A run is trained. Then one bit of one file is flipped (every file is equally likely, then every bit of
it), the package is loaded or the checkpoint restored, and the bit is flipped back. Loading must be
refused. Last, one bit of every checkpoint is flipped at once and the run resumed as if it had been
killed: each must be told as damaged, and the model must come out bit-equal.

About 20 s for the default 200 flips. `--flips`, `--seed`, `--source`, `--target`.
"""

import argparse
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import groundup
from groundup.core.checkpoints import CheckpointStore
from groundup.core.errors import PackageError
from groundup.core.events import Event
from groundup.core.runs import RunFolder
from groundup.serving.package import load_package


class Notes:
    """An observer that keeps the notes."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def on_event(self, event: Event) -> None:
        """Keep a note."""
        if event.kind == "note":
            self.messages.append(event.data["message"])

    def state_dict(self) -> dict[str, Any]:
        """Return nothing."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up nothing."""


def flip(path: Path, draw: random.Random) -> bytes:
    """Flip one bit of a file and return what it held."""
    content = path.read_bytes()
    damaged = bytearray(content)
    damaged[draw.randrange(len(damaged))] ^= 1 << draw.randrange(8)
    path.write_bytes(damaged)
    return content


def is_noticed(folder: RunFolder, path: Path) -> bool:
    """Return whether a damaged file is refused."""
    if path.suffix == ".checkpoint":
        store = CheckpointStore(folder.checkpoints)
        return store.load(path.stem) is None and store.damaged == [path.stem]
    try:
        load_package(folder.model)
    except PackageError:
        return True
    return False


def resume_damaged(folder: RunFolder, draw: random.Random) -> tuple[int, int, bool]:
    """Damage every checkpoint and resume: how many, how many were told, and whether the model is equal."""
    digest = load_package(folder.model).digest
    paths = sorted(folder.checkpoints.glob("*.checkpoint"))
    for path in paths:
        flip(path, draw)
    folder.update_summary(status="running")
    notes = Notes()
    model = groundup.resume(folder.path, observers=[notes]).model
    return len(paths), sum("damaged" in message for message in notes.messages), model.digest == digest


def main() -> int:
    """Print the table; 1 if a flipped bit was used."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--flips", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--source", default="sample:titanic")
    parser.add_argument("--target", default="survived")
    arguments = parser.parse_args()
    draw = random.Random(arguments.seed)
    flips, noticed = Counter[str](), Counter[str]()
    with tempfile.TemporaryDirectory() as runs:
        run = groundup.train(
            arguments.source, arguments.target, model=["logistic", "lightgbm"], runs=runs, name="run"
        )
        folder = RunFolder(run.folder)
        paths = sorted(path for path in folder.model.rglob("*") if path.is_file())
        paths += sorted(folder.checkpoints.glob("*.checkpoint"))
        for _ in range(arguments.flips):
            path = draw.choice(paths)
            name = "checkpoints/*" if path.suffix == ".checkpoint" else str(path.relative_to(folder.path))
            content = flip(path, draw)
            flips[name] += 1
            noticed[name] += is_noticed(folder, path)
            path.write_bytes(content)
        n_damaged, n_told, is_equal = resume_damaged(folder, draw)
    print(f"{'file':<36}{'flips':>8}{'noticed':>10}")
    for name, n in sorted(flips.items()):
        print(f"{name:<36}{n:>8}{noticed[name]:>10}")
    print(f"{'all':<36}{flips.total():>8}{noticed.total():>10}   (goal: {flips.total()})")
    print(f"resumed with {n_damaged} damaged checkpoints: {n_told} told, model bit-equal: {is_equal}")
    return 0 if noticed == flips and n_told == n_damaged and is_equal else 1


if __name__ == "__main__":
    sys.exit(main())
