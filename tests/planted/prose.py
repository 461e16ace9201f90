"""Text with rules that are known: what a language model can learn of it, and counting pairs cannot."""

import random
from pathlib import Path

NAMES = ("Anna", "Bert", "Cleo", "Dora")
THINGS = ("a red apple", "the old boat", "some cold tea", "a tall tree")


def write_prose(path: Path, n_characters: int = 12_000, *, seed: int = 0) -> Path:
    """Write sentences of one pattern, in which who is asked is who answers, and return where."""
    draw, text = random.Random(seed), ""
    while len(text) < n_characters:
        name, thing = draw.choice(NAMES), draw.choice(THINGS)
        text += f"Who saw {thing}? {name} did.\nSo {name} saw {thing}.\n"
    path.write_text(text[:n_characters], encoding="utf-8")
    return path


SMALL = {
    "model.depth": 2,
    "model.width": 32,
    "model.n_heads": 2,
    "model.context": 32,
    "training.steps": 60,
    "training.evaluate_steps": 20,
    "training.batch_size": 16,
    "training.threads": 1,
}
"""A network that learns such a text in two seconds."""
