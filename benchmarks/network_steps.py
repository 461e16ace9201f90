"""What a training step costs in groundup's loop, beside the best loop by hand, and beside a usual one.

Run ``python benchmarks/network_steps.py`` (``--pairs 30``, ``--steps 60``, ``--only mlp cnn gpt``). By
hand: tensors in memory, one indexed copy per epoch, `torch.optim.AdamW(fused=True)`, the gradient's norm
clipped by `torch.nn.utils.clip_grad_norm_`, a one-cycle rate set by hand, no look at the loss; groundup has
the same settings, and reports loss and speed besides. Usual: a `DataLoader`, `AdamW` and `OneCycleLR` with
their defaults, `loss.item()` after each step; groundup then has its own defaults (shorter numbers, channels
last). All sides train the same module on the same rows with the same batch size. Goals: at most 1.02 times
the loop by hand; 3, 2 and 1.4 times faster than the usual one.
"""

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from pairs import compare, show  # noqa: I001  (sets one thread before torch loads)

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

import groundup as gu
from groundup.models.networks.cnn import ConvolutionalNetwork
from groundup.models.networks.decoder import Decoder

RATE, DECAY, CLIP = 1e-3, 0.01, 1.0
GOALS = {"mlp": (1.02, 3.0), "cnn": (1.02, 2.0), "gpt": (1.02, 1.4)}


@dataclass(frozen=True)
class Task:
    """A network, rows for it, and how many it is shown at once."""

    make: Callable[[], nn.Module]
    X: Tensor
    y: Tensor
    batch_size: int


def mlp(n_steps: int) -> Task:
    """Return three dense layers of 256 on 32 numbers."""
    X = torch.randn(256 * n_steps, 32)
    return Task(
        lambda: nn.Sequential(
            nn.Linear(32, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 10)
        ),
        X,
        torch.randint(0, 10, (len(X),)),
        256,
    )


def cnn(n_steps: int) -> Task:
    """Return a small residual network on 28 × 28 grey pixels."""
    X = torch.randint(0, 256, (64 * n_steps, 28, 28, 1), dtype=torch.uint8)

    def make() -> nn.Module:
        return ConvolutionalNetwork(28, 28, 1, 10, mean=[33.0], deviation=[78.0], widths=(16, 32, 64))

    return Task(make, X, torch.randint(0, 10, (len(X),)), 64)


def gpt(n_steps: int) -> Task:
    """Return four layers of 128 on 64 characters."""
    X = torch.randint(1, 65, (16 * n_steps, 64))
    return Task(lambda: Decoder(65, 64, width=128, depth=4, n_heads=4), X, X.roll(-1, dims=1), 16)


def loss_of(outputs: Tensor, targets: Tensor) -> Tensor:
    return nn.functional.cross_entropy(outputs.flatten(0, -2), targets.flatten())


def by_groundup(task: Task, *, is_auto: bool = False) -> None:
    options = gu.GradientOptions(
        epochs=1,
        batch_size=task.batch_size,
        optimizer="adamw",
        learning_rate=RATE,
        weight_decay=DECAY,
        clip_norm=CLIP,
        schedule="one_cycle",
        precision="auto" if is_auto else "float32",
        channels_last="auto" if is_auto else False,
    )
    gu.fit(task.make(), (task.X, task.y), options)


def by_hand(task: Task) -> None:
    module, size = task.make(), task.batch_size
    module.train()
    decayed = [each for each in module.parameters() if each.ndim >= 2]
    others = [each for each in module.parameters() if each.ndim < 2]
    groups = [{"params": decayed, "weight_decay": DECAY}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=RATE, fused=True)
    order = torch.randperm(len(task.X))
    X, y = task.X[order], task.y[order]
    n_steps = len(X) // size
    for step in range(n_steps):
        for group in optimizer.param_groups:
            group["lr"] = RATE * min((step + 1) / (0.1 * n_steps), 1 - step / n_steps)
        batch = slice(step * size, (step + 1) * size)
        loss = loss_of(module(X[batch]), y[batch])
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(module.parameters(), CLIP)
        optimizer.step()


def as_usual(task: Task) -> None:
    module = task.make()
    module.train()
    loader = DataLoader(
        TensorDataset(task.X, task.y), batch_size=task.batch_size, shuffle=True, drop_last=True
    )
    optimizer = torch.optim.AdamW(module.parameters(), lr=RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=len(loader))
    total = 0.0
    for X, y in loader:
        optimizer.zero_grad()
        loss = loss_of(module(X), y)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(module.parameters(), CLIP)
        optimizer.step()
        schedule.step()
        total += loss.item()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=30)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--only", nargs="+", choices=GOALS, default=list(GOALS))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    missed = 0
    for name in arguments.only:
        task = {"mlp": mlp, "cnn": cnn, "gpt": gpt}[name](arguments.steps)
        most, least = GOALS[name]
        title = f"{name}: {arguments.steps} steps of {task.batch_size} rows"
        hand = compare(
            lambda task=task: by_groundup(task), lambda task=task: by_hand(task), n_pairs=arguments.pairs
        )
        show(title, "groundup", "by hand", hand)
        usual = compare(
            lambda task=task: by_groundup(task, is_auto=True),
            lambda task=task: as_usual(task),
            n_pairs=arguments.pairs,
        )
        show(title, "groundup", "as usual", usual)
        print(f"  groundup / by hand: {1 / hand.ratio:.3f} (goal: at most {most})", end="; ")
        print(f"as usual / groundup: {usual.ratio:.2f} (goal: at least {least})")
        missed += (1 / hand.ratio > most) + (usual.ratio < least)
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
