"""An encoder–decoder Transformer: reads one sequence and writes another, with beam search.

Shape suffixes: B batch, S steps of the source, T steps of the target, D width, V tokens of the vocabulary.

References
----------
Sutskever, Vinyals and Le (2014), "Sequence to sequence learning with neural networks", NeurIPS; Vaswani et
al. (2017), "Attention is all you need", NeurIPS; Wu et al. (2016), "Google's neural machine translation
system" (the length penalty of beam search).
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812 - the field's own name
from torch import Tensor, nn

from groundup.models.networks.attention import Activation, Block, Memory, RMSNorm
from groundup.models.networks.encoder import PADDING


class Translator(nn.Module):
    """Reads with an encoder, writes with a decoder that looks at what was read.

    Parameters
    ----------
    n_tokens : int
        Size of the vocabulary, which both languages share.
    width, depth, n_heads : int
        Of the model; encoder and decoder have `depth` blocks each.
    activation : {"swiglu", "relu2", "gelu"}
        Of the feed-forward parts.
    dropout : float
        Share of units left out in training.

    Examples
    --------
    >>> translator = Translator(n_tokens=40, width=16, depth=1, n_heads=2)
    >>> source, target = torch.tensor([[5, 6, 0]]), torch.tensor([[1, 7]])
    >>> translator(source, target).shape
    torch.Size([1, 2, 40])
    """

    prefers_bfloat16 = True

    def __init__(
        self,
        n_tokens: int,
        *,
        width: int = 256,
        depth: int = 3,
        n_heads: int = 4,
        activation: Activation = "swiglu",
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.embed = nn.Embedding(n_tokens, width, padding_idx=PADDING)
        nn.init.normal_(self.embed.weight, std=0.02)
        self.encoder = nn.ModuleList(
            Block(width, n_heads, activation=activation, dropout=dropout) for _ in range(depth)
        )
        self.encoder_norm = RMSNorm(width)
        self.decoder = nn.ModuleList(
            Block(width, n_heads, is_causal=True, has_source=True, activation=activation, dropout=dropout)
            for _ in range(depth)
        )
        self.decoder_norm = RMSNorm(width)
        self.dropout = nn.Dropout(dropout)

    def read(self, source_BS: Tensor) -> tuple[Tensor, Tensor]:
        """Return what was read, shape (B, S, D), and which steps count, shape (B, S)."""
        mask_BS = source_BS != PADDING
        mask_BS[:, 0] = True  # attention over no step at all is no number
        x_BSD = self._embedded(source_BS)
        for block in self.encoder:
            x_BSD = block(x_BSD, mask_BS=mask_BS)
        return self.encoder_norm(x_BSD), mask_BS

    def write(
        self, target_BT: Tensor, read_BSD: Tensor, mask_BS: Tensor, memory: Memory | None = None
    ) -> Tensor:
        """Return the logits of the token after each of the target, shape (B, T, V)."""
        x_BTD = self._embedded(target_BT)
        for number, block in enumerate(self.decoder):
            x_BTD = block(x_BTD, source_BSD=read_BSD, source_mask_BS=mask_BS, memory=memory, block=number)
        return F.linear(self.decoder_norm(x_BTD), self.embed.weight)

    def forward(self, source_BS: Tensor, target_BT: Tensor) -> Tensor:
        """Return the logits of the token after each of the target, shape (B, T, V)."""
        return self.write(target_BT, *self.read(source_BS))

    def _embedded(self, tokens: Tensor) -> Tensor:
        embedded = self.embed(tokens.long())
        return self.dropout(F.rms_norm(embedded, (embedded.shape[-1],)))


@dataclass(frozen=True)
class Beams:
    """How a translation is searched for.

    Parameters
    ----------
    start, end : int
        The tokens that begin and end a target.
    n_beams : int
        Translations that are followed at once; 1 takes the likeliest token each time.
    longest : int
        Tokens written at most.
    length_penalty : float
        0 prefers short translations; 1 compares the likelihood of a token on average.
    """

    start: int
    end: int
    n_beams: int = 4
    longest: int = 128
    length_penalty: float = 0.6


@torch.inference_mode()
def translate(translator: Translator, source_BS: Tensor, beams: Beams) -> list[list[int]]:
    """Return the best target found for each source, without its first and last token.

    Parameters
    ----------
    translator : Translator
        In the state in which it answers.
    source_BS : Tensor of shape (B, S)
        Token numbers, filled up with `PADDING`.
    beams : Beams
        How to search.
    """
    n_rows, n_beams = len(source_BS), beams.n_beams
    read, mask = (each.repeat_interleave(n_beams, dim=0) for each in translator.read(source_BS))
    device = source_BS.device
    written = torch.full((n_rows * n_beams, 1), beams.start, device=device)
    scores = torch.full((n_rows, n_beams), -torch.inf, device=device)
    scores[:, 0] = 0.0  # all beams are equal at first: only one of them may branch
    done: list[list[tuple[float, list[int]]]] = [[] for _ in range(n_rows)]
    memory = Memory()
    for length in range(1, beams.longest + 1):
        logits = translator.write(written[:, -1:], read, mask, memory)[:, -1].float()
        total = scores.view(-1, 1) + logits.log_softmax(dim=-1)
        best, places = total.view(n_rows, -1).topk(2 * n_beams, dim=1)
        chosen, scores = _next_beams(best, places, logits.shape[1], written, done, beams, length)
        rows, tokens = chosen
        written = torch.cat([written[rows], tokens.unsqueeze(1)], dim=1)
        memory.reorder(rows)
        if all(_is_settled(found, scores[row], beams) for row, found in enumerate(done)):
            break
    for row, found in enumerate(done):
        if not found:
            found.append((float(scores[row, 0]), written[row * n_beams, 1:].tolist()))
    return [max(found, key=lambda each: each[0])[1] for found in done]


def _next_beams(
    best: Tensor,
    places: Tensor,
    n_tokens: int,
    written: Tensor,
    done: list[list[tuple[float, list[int]]]],
    beams: Beams,
    length: int,
) -> tuple[tuple[Tensor, Tensor], Tensor]:
    """Put finished targets into `done`; return the beams that go on, their new tokens and their scores."""
    n_rows, n_beams = len(best), beams.n_beams
    rows, tokens = [], []
    scores = torch.full((n_rows, n_beams), -torch.inf)
    for row, (values, found) in enumerate(zip(best.tolist(), places.tolist(), strict=True)):
        kept = 0
        for rank, (value, place) in enumerate(zip(values, found, strict=True)):
            beam, token = row * n_beams + place // n_tokens, place % n_tokens
            if token == beams.end:
                if rank < n_beams:
                    done[row].append((value / length**beams.length_penalty, written[beam, 1:].tolist()))
            elif kept < n_beams:
                rows.append(beam)
                tokens.append(token)
                scores[row, kept] = value
                kept += 1
    device = written.device
    return (torch.tensor(rows, device=device), torch.tensor(tokens, device=device)), scores.to(device)


def _is_settled(found: list[tuple[float, list[int]]], scores: Tensor, beams: Beams) -> bool:
    """Return whether as many targets have ended as were followed, or no other can become the best."""
    if len(found) >= beams.n_beams:
        return True
    best = max((score for score, _ in found), default=-math.inf)
    return float(scores.max()) / beams.longest**beams.length_penalty <= best
