"""Blocks of a long text: at random to learn from, and overlapping in order to be measured on.

References
----------
Press, Smith and Lewis (2021), "Shortformer", ACL (how much context each token of a measurement has).
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the field's own name
from numpy.typing import NDArray
from torch import Tensor, nn

from groundup.core.seeds import derive_seed
from groundup.training.batches import Batch, TensorBatches
from groundup.training.losses import IGNORED

_MEASURED_AT_ONCE: Final = 16_384  # tokens


@dataclass(frozen=True, eq=False)
class TextBlocks:
    """Batches of blocks of a text: in an epoch each token is shown once, in blocks that begin anywhere.

    Where the blocks begin, and their order, depend on the seed and the epoch alone.

    Parameters
    ----------
    tokens : Tensor of shape (n_tokens,)
        Token numbers, at least twice as many as `context`.
    context : int
        Tokens of a block.
    batch_size : int
        Blocks of a batch.
    seed : int
        Decides all chance.

    Examples
    --------
    >>> blocks = TextBlocks(torch.arange(20), context=4, batch_size=2, seed=0)
    >>> blocks.n_samples, blocks.n_batches
    (4, 2)
    >>> batch = next(blocks.epoch(0))
    >>> bool((batch.inputs[0] + 1 == batch.targets).all())  # each token's target is the next one
    True
    """

    tokens: Tensor
    context: int
    batch_size: int
    seed: int

    @property
    def n_samples(self) -> int:
        """Blocks in an epoch."""
        return len(self.tokens) // self.context - 1

    @property
    def n_batches(self) -> int:
        """Batches in an epoch."""
        return max(1, self.n_samples // self.batch_size)

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """Yield the batches of an epoch, from the batch `start` on."""
        random = torch.Generator().manual_seed(derive_seed(self.seed, "blocks", epoch))
        first = int(torch.randint(self.context, (), generator=random))
        places = first + self.context * torch.randperm(self.n_samples, generator=random)
        offsets, places = torch.arange(self.context + 1), places.unsqueeze(1)
        for number in range(start, self.n_batches):
            chosen = places[number * self.batch_size : (number + 1) * self.batch_size] + offsets
            block = self.tokens[chosen.to(self.tokens.device)]
            yield Batch((block[:, :-1],), block[:, 1:].long())

    def on(self, device: torch.device) -> "TextBlocks":
        """Return the same batches on a device."""
        return replace(self, tokens=self.tokens.to(device))


def windows(before: Tensor, tokens: Tensor, context: int, *, most: int | None = None) -> TensorBatches:
    """Return a part of a text as batches in which each token is predicted once, from half a context or more.

    Windows overlap by half; in each, the later half counts, as when a network writes: its window moves on
    by half each time it is full.

    Parameters
    ----------
    before : Tensor of shape (n_before,)
        The text that the part follows; the end of it is the first tokens' context. At least half a context
        and one token.
    tokens : Tensor of shape (n_tokens,)
        The part.
    context : int
        Tokens of a window, at least 2.
    most : int, optional
        Tokens measured; of a longer part some, spread evenly.

    Examples
    --------
    >>> batches = windows(torch.arange(3), torch.arange(3, 10), context=4)
    >>> batches.inputs[0].tolist()[0], batches.targets.tolist()[0]
    ([0, 1, 2, 3], [-100, -100, 3, 4])
    >>> batches.targets[batches.targets != -100].tolist()
    [3, 4, 5, 6, 7, 8, 9]
    """
    kept = context - context // 2
    n_windows = -(-len(tokens) // kept)
    n_before = context // 2 + 1
    padding = torch.zeros(n_windows * kept - len(tokens), dtype=tokens.dtype)
    text = torch.cat([before[-n_before:], tokens, padding])
    starts = torch.arange(n_windows) * kept
    if most is not None and n_windows > (n_kept := max(1, most // kept)):
        starts = starts[torch.linspace(0, n_windows - 1, n_kept).long()]
    places = starts.unsqueeze(1) + torch.arange(context + 1)
    block, targets = text[places], text[places][:, 1:].long()
    targets[:, : context - kept] = IGNORED
    targets[places[:, 1:] >= n_before + len(tokens)] = IGNORED
    return TensorBatches((block[:, :-1],), targets, max(1, _MEASURED_AT_ONCE // context))


@torch.no_grad()
def token_losses(
    module: nn.Module, batches: TensorBatches, computing: Callable[[], AbstractContextManager[Any]]
) -> NDArray[np.float64]:
    """Return the surprise at each token that counts, in its order, shape (n_tokens,), in nats.

    Parameters
    ----------
    module : Module
        In the state in which it answers, on the device of the batches.
    batches : TensorBatches
        As `windows` makes them.
    computing : callable
        Makes the context to compute in (`Hardware.computing`).
    """
    found = []
    for batch in batches.epoch(0):
        with computing():
            logits = module(*batch.inputs)
        counts = batch.targets != IGNORED
        each = F.cross_entropy(logits[counts].float(), batch.targets[counts], reduction="none")
        found.append(each.double().cpu().numpy())
    return np.concatenate(found)
