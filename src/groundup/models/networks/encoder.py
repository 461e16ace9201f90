"""A Transformer encoder: reads a whole sequence, both ways, and answers one question about it.

Shape suffixes: B batch, T steps, F values of a step, D width of the model.

References
----------
Devlin et al. (2019), "BERT", NAACL; Nie et al. (2023), "A time series is worth 64 words", ICLR (patches of a
series). The parts are in `groundup.models.networks.attention`.
"""

import torch
from torch import Tensor, nn

from groundup.models.networks.attention import Activation, Block, RMSNorm

PADDING = 0
"""The token that fills up shorter texts; it is never looked at."""


class TextEncoder(nn.Module):
    """Tokens of a text to logits or a number.

    Parameters
    ----------
    n_tokens, n_outputs : int
        Size of the vocabulary; classes, or 1.
    width, depth, n_heads : int
        Of the model.
    activation : {"swiglu", "relu2", "gelu"}
        Of the feed-forward parts.
    dropout : float
        Share of units left out in training.
    token_dropout : float
        Share of whole tokens left out in training.

    Examples
    --------
    >>> encoder = TextEncoder(n_tokens=50, n_outputs=2, width=16, depth=1, n_heads=2)
    >>> encoder(torch.tensor([[3, 4, 0], [5, 0, 0]])).shape
    torch.Size([2, 2])
    """

    prefers_bfloat16 = True

    def __init__(
        self,
        n_tokens: int,
        n_outputs: int,
        *,
        width: int = 128,
        depth: int = 2,
        n_heads: int = 4,
        activation: Activation = "swiglu",
        dropout: float = 0.1,
        token_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.token_dropout = token_dropout
        self.embed = nn.Embedding(n_tokens, width, padding_idx=PADDING)
        nn.init.normal_(self.embed.weight, std=0.1)
        self.blocks = nn.ModuleList(
            Block(width, n_heads, activation=activation, dropout=dropout) for _ in range(depth)
        )
        self.norm = RMSNorm(2 * width)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(2 * width, n_outputs)

    def forward(self, tokens_BT: Tensor) -> Tensor:
        """Return logits or values, shape (B, n_outputs); a text without any token gets those of no words."""
        mask_BT = tokens_BT != PADDING
        if self.training and self.token_dropout:
            mask_BT = mask_BT & (torch.rand(tokens_BT.shape, device=tokens_BT.device) >= self.token_dropout)
        # Attention over no step at all is no number: the first place always counts.
        seen_BT = mask_BT.clone()
        seen_BT[:, 0] = True
        x_BTD = self.embed(tokens_BT.long())
        for block in self.blocks:
            x_BTD = block(x_BTD, mask_BS=seen_BT)
        return self.head(self.dropout(self.norm(pooled(x_BTD, seen_BT))))


def pooled(x_BTD: Tensor, mask_BT: Tensor) -> Tensor:
    """Return the mean and the maximum over the steps that count, shape (B, 2 D).

    Parameters
    ----------
    x_BTD : Tensor of shape (B, T, D)
        Any.
    mask_BT : Tensor of shape (B, T)
        True for steps that count, at least one a row.
    """
    counts = mask_BT.unsqueeze(-1)
    mean = (x_BTD * counts).sum(dim=1) / counts.sum(dim=1)
    highest = x_BTD.masked_fill(~counts, -torch.inf).amax(dim=1)
    return torch.cat([mean, highest], dim=-1)


class SeriesEncoder(nn.Module):
    """Windows of a series to logits or a number.

    Parameters
    ----------
    n_values, n_outputs : int
        Values of a step; classes, or 1.
    patch : int
        Steps that are read together.
    width, depth, n_heads, activation, dropout
        See `TextEncoder`.
    """

    def __init__(
        self,
        n_values: int,
        n_outputs: int,
        *,
        patch: int = 8,
        width: int = 128,
        depth: int = 2,
        n_heads: int = 4,
        activation: Activation = "swiglu",
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.patch = patch
        self.embed = nn.Linear(n_values * patch, width)
        self.blocks = nn.ModuleList(
            Block(width, n_heads, activation=activation, dropout=dropout) for _ in range(depth)
        )
        self.norm = RMSNorm(2 * width)
        self.head = nn.Linear(2 * width, n_outputs)

    def forward(self, steps_BTF: Tensor) -> Tensor:
        """Return logits or values, shape (B, n_outputs)."""
        x_BTD = self.embed(patches(steps_BTF, self.patch))
        for block in self.blocks:
            x_BTD = block(x_BTD)
        every = torch.ones(x_BTD.shape[:2], dtype=torch.bool, device=x_BTD.device)
        return self.head(self.norm(pooled(x_BTD, every)))


def patches(steps_BTF: Tensor, size: int) -> Tensor:
    """Return runs of `size` steps side by side, shape (B, ceil(T / size), size * F); zeros fill up the first.

    Examples
    --------
    >>> patches(torch.arange(1.0, 4.0).view(1, 3, 1), 2).tolist()
    [[[0.0, 1.0], [2.0, 3.0]]]
    """
    missing = -steps_BTF.shape[1] % size
    filled = nn.functional.pad(steps_BTF, (0, 0, missing, 0))
    return filled.unflatten(1, (-1, size)).flatten(2)
