"""The parts of a Transformer: attention with rotary positions, gated units, a block of both.

Shape suffixes: B batch, T query steps, S key steps, H heads, K width of a head, D width of the model.

References
----------
Vaswani et al. (2017), "Attention is all you need", NeurIPS; Zhang and Sennrich (2019), "Root mean square
layer normalization", NeurIPS; Su et al. (2021), "RoFormer" (rotary positions); Henry et al. (2020),
"Query-key normalization for transformers"; Shazeer (2020), "GLU variants improve transformer" (SwiGLU);
So et al. (2021), "Primer", NeurIPS (squared ReLU); Xiong et al. (2020), "On layer normalization in the
transformer architecture", ICML (norms before each part).
"""

from dataclasses import dataclass, field
from typing import Literal

import torch
import torch.nn.functional as F  # noqa: N812 - the field's own name
from torch import Tensor, nn

from groundup.models.networks.initialisation import ZeroLinear

Activation = Literal["swiglu", "relu2", "gelu"]


@dataclass
class Memory:
    """Keys and values of the steps that a generating network has read; each step adds its own.

    Parameters
    ----------
    keys, values : list of Tensor of shape (B, H, S, K)
        One entry a block; empty before the first step.
    """

    keys: list[Tensor] = field(default_factory=list)
    values: list[Tensor] = field(default_factory=list)

    @property
    def n_steps(self) -> int:
        """Steps read so far."""
        return self.keys[0].shape[2] if self.keys else 0

    def extend(self, block: int, key_BHSK: Tensor, value_BHSK: Tensor) -> tuple[Tensor, Tensor]:
        """Add the keys and values of new steps to a block's and return all of them."""
        if block == len(self.keys):
            self.keys.append(key_BHSK)
            self.values.append(value_BHSK)
        else:
            self.keys[block] = torch.cat([self.keys[block], key_BHSK], dim=2)
            self.values[block] = torch.cat([self.values[block], value_BHSK], dim=2)
        return self.keys[block], self.values[block]

    def reorder(self, rows_B: Tensor) -> None:
        """Keep the given rows in the given order, as beams are dropped and doubled."""
        self.keys = [key.index_select(0, rows_B) for key in self.keys]
        self.values = [value.index_select(0, rows_B) for value in self.values]


class RMSNorm(nn.Module):
    """Each step divided by the root of its mean square, in the precision it comes in.

    Parameters
    ----------
    width : int
        Of a step.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        """Return the same shape and type."""
        return F.rms_norm(x, self.weight.shape, self.weight.to(x.dtype))


class Rotary(nn.Module):
    """Positions as rotations of queries and keys, so that only distances count.

    Parameters
    ----------
    head_width : int
        Width of a head, even.
    base : float
        The slowest wave has this many steps to the radian.
    """

    def __init__(self, head_width: int, base: float = 10_000.0) -> None:
        super().__init__()
        self.speeds: Tensor
        speeds = base ** (-torch.arange(0, head_width, 2) / head_width)
        self.register_buffer("speeds", speeds, persistent=False)

    def forward(self, x_BHTK: Tensor, start: int = 0) -> Tensor:
        """Return `x_BHTK` with each step rotated by its position, the first one being `start`."""
        steps_T = torch.arange(start, start + x_BHTK.shape[2], device=x_BHTK.device)
        angles = torch.outer(steps_T, self.speeds)
        cos, sin = angles.cos().to(x_BHTK.dtype), angles.sin().to(x_BHTK.dtype)
        first, second = x_BHTK.chunk(2, dim=-1)
        return torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1)


class Attention(nn.Module):
    """Every step looks at others and takes from each according to how well they match.

    Parameters
    ----------
    width, n_heads : int
        `n_heads` divides `width` into even parts.
    is_causal : bool
        Whether a step sees only itself and those before it.
    has_positions : bool
        Whether queries and keys are rotated by their positions.
    dropout : float
        Share of the matches left out in training.
    """

    def __init__(
        self,
        width: int,
        n_heads: int,
        *,
        is_causal: bool = False,
        has_positions: bool = True,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.n_heads, self.is_causal, self.dropout = n_heads, is_causal, dropout
        self.query = nn.Linear(width, width, bias=False)
        self.key = nn.Linear(width, width, bias=False)
        self.value = nn.Linear(width, width, bias=False)
        self.out = ZeroLinear(width, width, bias=False)
        self.query_norm, self.key_norm = RMSNorm(width // n_heads), RMSNorm(width // n_heads)
        self.rotary = Rotary(width // n_heads) if has_positions else None

    def forward(
        self,
        x_BTD: Tensor,
        source_BSD: Tensor | None = None,
        *,
        mask_BS: Tensor | None = None,
        memory: Memory | None = None,
        block: int = 0,
    ) -> Tensor:
        """Return what each step takes, shape (B, T, D).

        Parameters
        ----------
        x_BTD : Tensor of shape (B, T, D)
            The steps that ask.
        source_BSD : Tensor of shape (B, S, D), optional
            The steps that are looked at; None: the same.
        mask_BS : Tensor of shape (B, S), optional
            True where a step may be looked at; False for padding.
        memory : Memory, optional
            Of earlier steps, which these ones follow.
        block : int
            Whose entry of the memory it is.
        """
        source_BSD = x_BTD if source_BSD is None else source_BSD
        query = self.query_norm(self._heads(self.query(x_BTD)))
        key = self.key_norm(self._heads(self.key(source_BSD)))
        value = self._heads(self.value(source_BSD))
        start = 0 if memory is None else memory.keys[block].shape[2] if block < len(memory.keys) else 0
        if self.rotary is not None:
            query, key = self.rotary(query, start), self.rotary(key, start)
        if memory is not None:
            key, value = memory.extend(block, key, value)
        taken = _attend(
            query,
            key,
            value,
            mask=None if mask_BS is None else mask_BS[:, None, None, :],
            is_causal=self.is_causal and query.shape[2] > 1,
            dropout=self.dropout if self.training else 0.0,
        )
        return self.out(taken.transpose(1, 2).flatten(2))

    def _heads(self, x_BSD: Tensor) -> Tensor:
        return x_BSD.unflatten(-1, (self.n_heads, -1)).transpose(1, 2)


def _attend(
    query: Tensor, key: Tensor, value: Tensor, *, mask: Tensor | None, is_causal: bool, dropout: float
) -> Tensor:
    """Return torch's attention; on a CPU in 32 bits, where the backward pass of 16 bits is slow."""
    if query.device.type == "cpu" and query.dtype != torch.float32:
        query, key, value = query.float(), key.float(), value.float()
    elif query.dtype != value.dtype:  # norms leave autocast's type
        query, key = query.to(value.dtype), key.to(value.dtype)
    if is_causal and mask is not None:
        n_steps = query.shape[2]
        seen = torch.ones(n_steps, key.shape[2], dtype=torch.bool, device=query.device)
        mask, is_causal = mask & seen.tril(key.shape[2] - n_steps), False
    if is_causal and key.shape[2] != query.shape[2]:  # new steps after a memory
        seen = torch.ones(query.shape[2], key.shape[2], dtype=torch.bool, device=query.device)
        mask, is_causal = seen.tril(key.shape[2] - query.shape[2]), False
    with torch.autocast(query.device.type, enabled=False):
        return F.scaled_dot_product_attention(
            query, key, value, attn_mask=mask, dropout_p=dropout, is_causal=is_causal
        )


class FeedForward(nn.Module):
    """Each step by itself: wider, bent, narrower again.

    Parameters
    ----------
    width : int
        Of a step.
    activation : {"swiglu", "relu2", "gelu"}
        How it is bent.
    dropout : float
        Share of units left out in training.
    """

    def __init__(self, width: int, activation: Activation = "swiglu", dropout: float = 0.0) -> None:
        super().__init__()
        self.activation, self.dropout = activation, dropout
        # A gate costs a third matrix: with two thirds of the units both kinds have as many weights.
        inner = (8 * width // 3 + 7) // 8 * 8 if activation == "swiglu" else 4 * width
        self.up = nn.Linear(width, inner, bias=False)
        self.gate = nn.Linear(width, inner, bias=False) if activation == "swiglu" else None
        self.down = ZeroLinear(inner, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return the same shape."""
        hidden = self.up(x)
        if self.gate is not None:
            hidden = F.silu(self.gate(x)) * hidden
        else:
            hidden = F.relu(hidden).square() if self.activation == "relu2" else F.gelu(hidden)
        return self.down(F.dropout(hidden, self.dropout, self.training))


class Block(nn.Module):
    """Attention, then a feed-forward part, each added to what came in.

    Parameters
    ----------
    width, n_heads : int
        See `Attention`.
    is_causal : bool
        See `Attention`.
    has_source : bool
        Whether it also looks at another sequence.
    activation : {"swiglu", "relu2", "gelu"}
        See `FeedForward`.
    dropout : float
        Share of units left out in training.
    """

    def __init__(
        self,
        width: int,
        n_heads: int,
        *,
        is_causal: bool = False,
        has_source: bool = False,
        activation: Activation = "swiglu",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.attention_norm, self.feed_norm = RMSNorm(width), RMSNorm(width)
        self.attention = Attention(width, n_heads, is_causal=is_causal, dropout=dropout)
        self.source_norm = RMSNorm(width) if has_source else None
        self.source_attention = (
            Attention(width, n_heads, has_positions=False, dropout=dropout) if has_source else None
        )
        self.feed_forward = FeedForward(width, activation, dropout)
        self.dropout = dropout

    def forward(
        self,
        x_BTD: Tensor,
        *,
        mask_BS: Tensor | None = None,
        source_BSD: Tensor | None = None,
        source_mask_BS: Tensor | None = None,
        memory: Memory | None = None,
        block: int = 0,
    ) -> Tensor:
        """Return the steps, each having looked at the others; see `Attention.forward`."""
        looked = self.attention(self.attention_norm(x_BTD), mask_BS=mask_BS, memory=memory, block=block)
        x_BTD = x_BTD + F.dropout(looked, self.dropout, self.training)
        if self.source_attention is not None and self.source_norm is not None:
            asked = self.source_norm(x_BTD)
            looked = self.source_attention(asked, source_BSD, mask_BS=source_mask_BS)
            x_BTD = x_BTD + F.dropout(looked, self.dropout, self.training)
        fed = self.feed_forward(self.feed_norm(x_BTD))
        return x_BTD + F.dropout(fed, self.dropout, self.training)
