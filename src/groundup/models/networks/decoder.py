"""A Transformer decoder: predicts each next token from those before it, and writes by doing so repeatedly.

Shape suffixes: B batch, T steps, D width of the model, V tokens of the vocabulary.

References
----------
Radford et al. (2019), "Language models are unsupervised multitask learners"; Press and Wolf (2017), "Using
the output embedding to improve language models", EACL (one matrix for both ends). The parts are in
`groundup.models.networks.attention`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812 - the field's own name
from torch import Tensor, nn

from groundup.models.networks.attention import Activation, Block, Memory, RMSNorm


class Decoder(nn.Module):
    """A language model.

    Parameters
    ----------
    n_tokens : int
        Size of the vocabulary.
    context : int
        Steps it can look back.
    width, depth, n_heads : int
        Of the model.
    activation : {"swiglu", "relu2", "gelu"}
        Of the feed-forward parts.
    dropout : float
        Share of units left out in training.
    is_tied : bool
        Whether the matrix that reads tokens also writes them.

    Examples
    --------
    >>> decoder = Decoder(n_tokens=50, context=8, width=16, depth=1, n_heads=2)
    >>> decoder(torch.zeros(3, 5, dtype=torch.long)).shape
    torch.Size([3, 5, 50])
    """

    prefers_bfloat16 = True

    def __init__(
        self,
        n_tokens: int,
        context: int,
        *,
        width: int = 128,
        depth: int = 4,
        n_heads: int = 4,
        activation: Activation = "relu2",
        dropout: float = 0.0,
        is_tied: bool = True,
    ) -> None:
        super().__init__()
        self.context = context
        self.embed = nn.Embedding(n_tokens, width)
        nn.init.normal_(self.embed.weight, std=0.02 if is_tied else 1.0)
        self.blocks = nn.ModuleList(
            Block(width, n_heads, is_causal=True, activation=activation, dropout=dropout)
            for _ in range(depth)
        )
        self.norm = RMSNorm(width)
        self.head = None if is_tied else nn.Linear(width, n_tokens, bias=False)

    def forward(self, tokens_BT: Tensor, memory: Memory | None = None) -> Tensor:
        """Return the logits of the token after each, shape (B, T, V).

        Parameters
        ----------
        tokens_BT : Tensor of shape (B, T)
            Token numbers, at most `context` of them.
        memory : Memory, optional
            Of the steps before these.
        """
        x_BTD = F.rms_norm(self.embed(tokens_BT.long()), (self.embed.embedding_dim,))
        for number, block in enumerate(self.blocks):
            x_BTD = block(x_BTD, memory=memory, block=number)
        x_BTD = self.norm(x_BTD)
        return F.linear(x_BTD, self.embed.weight) if self.head is None else self.head(x_BTD)


@dataclass(frozen=True)
class Drawing:
    """How the next token is drawn.

    Parameters
    ----------
    temperature : float
        0 takes the likeliest token; below 1 likelier ones more often, above 1 less.
    top_k : int, optional
        Draw among this many likeliest tokens.
    top_p : float, optional
        Draw among the likeliest tokens that together have this probability (Holtzman et al., 2020).
    end : int, optional
        The token that ends a text; what follows it is `end` again.
    first_token : int
        Tokens below it, which stand for no text, are never drawn.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    end: int | None = None
    first_token: int = 0


def stream(
    decoder: Decoder,
    tokens_BT: Tensor,
    n_new: int,
    drawing: Drawing,
    *,
    random: torch.Generator | None = None,
) -> Iterator[Tensor]:
    """Yield further tokens one after another, each of shape (B, 1), as soon as it is drawn.

    Parameters
    ----------
    decoder : Decoder
        In the state in which it answers.
    tokens_BT : Tensor of shape (B, T)
        What has been written, at least one token.
    n_new : int
        Tokens to add; fewer if all rows have reached the end.
    drawing : Drawing
        How each is drawn.
    random : Generator, optional
        Where chance comes from.
    """
    memory, fresh = Memory(), tokens_BT[:, -decoder.context :]
    is_over = torch.zeros(len(tokens_BT), dtype=torch.bool, device=tokens_BT.device)
    for _ in range(n_new):
        with torch.inference_mode():
            if memory.n_steps + fresh.shape[1] > decoder.context:
                # The window is full: read its later half again, so that there is room for as many new steps.
                memory, fresh = Memory(), tokens_BT[:, -max(1, decoder.context // 2) :]
            logits_BV = decoder(fresh, memory)[:, -1].float()
            logits_BV[:, : drawing.first_token] = -torch.inf
            fresh = _drawn(logits_BV, drawing, random)
            if drawing.end is not None:
                fresh = torch.where(is_over.unsqueeze(1), drawing.end, fresh)
                is_over = is_over | (fresh[:, 0] == drawing.end)
            tokens_BT = torch.cat([tokens_BT, fresh], dim=1)
        yield fresh
        if bool(is_over.all()):
            return


def generate(
    decoder: Decoder,
    tokens_BT: Tensor,
    n_new: int,
    drawing: Drawing,
    *,
    random: torch.Generator | None = None,
) -> Tensor:
    """Return the tokens and up to `n_new` further ones, shape (B, T + n_new); see `stream`."""
    return torch.cat([tokens_BT, *stream(decoder, tokens_BT, n_new, drawing, random=random)], dim=1)


def _drawn(logits_BV: Tensor, drawing: Drawing, random: torch.Generator | None) -> Tensor:
    temperature, top_k, top_p = drawing.temperature, drawing.top_k, drawing.top_p
    if temperature == 0:
        return logits_BV.argmax(dim=-1, keepdim=True)
    logits_BV = logits_BV / temperature
    if top_k is not None and top_k < logits_BV.shape[1]:
        lowest = logits_BV.topk(top_k, dim=-1).values[:, -1:]
        logits_BV = logits_BV.masked_fill(logits_BV < lowest, -torch.inf)
    if top_p is not None and top_p < 1:
        ordered, places = logits_BV.sort(dim=-1, descending=True)
        before = ordered.softmax(dim=-1).cumsum(dim=-1) - ordered.softmax(dim=-1)
        ordered = ordered.masked_fill(before >= top_p, -torch.inf)
        logits_BV = torch.empty_like(logits_BV).scatter(1, places, ordered)
    return torch.multinomial(logits_BV.softmax(dim=-1), 1, generator=random)
