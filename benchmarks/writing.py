"""What a language model learns in the time it takes, and what a step costs beside a loop written by hand.

Run ``python benchmarks/writing.py TEXT`` (``--only learning|steps``, ``--pairs 30``); TEXT is a file of some
megabytes, such as tiny-shakespeare. The goal is set for that: 1.53 nats per character on the validation part
within 180 CPU seconds.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from pairs import compare, show  # noqa: I001  (sets one thread before NumPy loads)

import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

import groundup as gu
from groundup.cli.progress import QuietProgress
from groundup.data.plain_text import cut_text, read_plain_text
from groundup.models.network_fitted import FittedNetwork
from groundup.models.networks.architectures import build
from groundup.models.writers import TransformerWriter
from groundup.preparation.vocabulary import Characters, vocabulary_from_state
from groundup.training.blocks import TextBlocks
from groundup.training.gradient_options import GradientOptions
from groundup.training.hardware import has_bfloat16
from groundup.training.loop import GradientFit
from groundup.training.losses import make_loss
from groundup.training.plan import fill_in, make_plan

GOAL, BUDGET = 1.53, 180.0
STEPS = 10


class Clock(QuietProgress):
    """Notes how much CPU time the training itself takes."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def on_fit_started(self, _data: object) -> None:
        """Start the clock."""
        self.seconds = -time.process_time()

    def on_fit_finished(self, _data: object) -> None:
        """Stop the clock."""
        self.seconds += time.process_time()


def learn(text: Path) -> bool:
    """Train with the defaults and return whether the goal was met."""
    clock = Clock()
    with tempfile.TemporaryDirectory() as runs:
        overrides = {"problem.task": "generation", "training.threads": 1}
        run = gu.train(text, overrides=overrides, runs=runs, observers=[clock])
        report = run.summary
        in_blocks = loss_in_blocks(run, text)
    training, unit = report["training"], report["preparation"]["unit"]
    print(f"\n{text}: {report['model']['hyperparameters']['size']['value']}, {training['n_steps']} steps")
    print(f"  training, one thread       {clock.seconds:.0f} CPU seconds (goal: {BUDGET:.0f})")
    for part in ("validation", "test"):
        loss, bits = report[part]["cross_entropy"], report[part]["bits_per_byte"]
        print(
            f"  {part:<10} nats per {unit} {loss['value']:.4f} [{loss['low']:.4f}, {loss['high']:.4f}]"
            f"   bits per byte {bits['value']:.4f}"
        )
    print(
        f"  validation in blocks, each from nothing: {in_blocks:.4f}, as a loop that draws blocks measures it"
    )
    for name, scores in report["baselines"].items():
        print(f"  {name + ' counts':<26} {scores['cross_entropy']['value']:.4f} nats on test")
    is_met = report["validation"]["cross_entropy"]["value"] <= GOAL and clock.seconds <= BUDGET
    print(f"  goal of {GOAL} on validation: {'met' if is_met else 'missed'}")
    return is_met


def loss_in_blocks(run: gu.Run, text: Path) -> float:
    """Return the mean loss on the validation part cut into blocks that do not see the text before them."""
    recipe, fitted = run.recipe, FittedNetwork.load(run.folder / "model" / "weights")
    split, context = recipe.data.split, recipe.writer().block_size
    state = json.loads((run.folder / "model" / "vocabulary.json").read_bytes())
    part = cut_text(read_plain_text(str(text)).text, validation=split.validation, test=split.test).validation
    tokens = torch.tensor(vocabulary_from_state(state).encode([part])[0])
    n_blocks = (len(tokens) - 1) // context
    inputs = tokens[: n_blocks * context].view(n_blocks, context)
    targets = tokens[1 : n_blocks * context + 1]
    with torch.no_grad():
        logits = torch.cat([fitted.module(each) for each in inputs.split(64)])
        return float(F.cross_entropy(logits.flatten(0, 1), targets))


def compare_steps(text: Path, n_pairs: int) -> None:
    """Compare steps of the loop with steps of one written by hand: same network, numbers and optimizer."""
    content = read_plain_text(str(text)).text[:500_000]
    vocabulary = Characters.learn([content], 1_000)
    tokens = torch.tensor(vocabulary.encode([content])[0], dtype=torch.int32)
    writer, _ = TransformerWriter(size="small").resolved(len(tokens))
    blocks = TextBlocks(tokens, writer.block_size, 32, seed=0)
    options, _ = fill_in(
        GradientOptions(steps=STEPS, batch_size=32, optimizer="adamw", schedule="constant"), {}
    )
    ours, theirs = (build("decoder", writer.arguments(vocabulary.size), seed=0) for _ in range(2))
    plan = make_plan(options, ours, blocks.n_batches)
    loss = make_loss("cross_entropy", options)

    def groundup() -> None:
        GradientFit(ours, blocks, loss, plan).run()

    optimizer = torch.optim.AdamW(theirs.parameters(), lr=1e-3, weight_decay=0.01, fused=True)
    computes_short = has_bfloat16(torch.device("cpu"))

    def by_hand() -> None:
        theirs.train()
        for _ in range(STEPS):
            starts = torch.randint(len(tokens) - writer.block_size, (32,)).tolist()
            block = torch.stack([tokens[start : start + writer.block_size + 1] for start in starts]).long()
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=computes_short):
                logits = theirs(block[:, :-1])
                error = F.cross_entropy(logits.flatten(0, 1), block[:, 1:].flatten())
            optimizer.zero_grad()
            error.backward()
            nn.utils.clip_grad_norm_(theirs.parameters(), 1.0)
            optimizer.step()

    show(
        f"{STEPS} steps of 32 blocks of {writer.block_size}, 0.8 million weights, AdamW",
        "groundup",
        "by hand",
        compare(groundup, by_hand, n_pairs=n_pairs),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("text", type=Path)
    parser.add_argument("--only", choices=["learning", "steps"])
    parser.add_argument("--pairs", type=int, default=30)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.only != "learning":
        compare_steps(arguments.text, arguments.pairs)
    if arguments.only != "steps" and not learn(arguments.text):
        sys.exit(1)


if __name__ == "__main__":
    main()
