"""A network for tables: numbers and categories embedded, then a few dense layers that act as many at once.

Shape suffixes: B rows of a batch, N numbers, E width of an embedding, D width of an input, M members.

References
----------
Gorishniy, Rubachev and Babenko (2022), "On embeddings for numerical features in tabular deep learning",
NeurIPS (periodic embeddings); Gorishniy, Kotelnikov and Babenko (2025), "TabM", ICLR (members that share
all weights but a scale of their inputs and their heads).
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

_WIDEST_CODE = 16  # values that a category becomes, at most
_FAR = 3.0
"""Standard deviations that no number enters beyond (Holzmüller et al., 2024, RealMLP)."""


class PeriodicEmbedding(nn.Module):
    """Each number as waves of it: frequencies that are learned, then one dense layer for all numbers.

    Parameters
    ----------
    n_numbers : int
        How many numbers.
    n_frequencies : int
        Waves a number.
    width : int
        Values each number becomes.
    scale : float
        Standard deviation of the frequencies at the start; larger for wilder dependences.
    """

    def __init__(self, n_numbers: int, n_frequencies: int, width: int, scale: float) -> None:
        super().__init__()
        frequencies = torch.randn(n_numbers, n_frequencies).mul_(scale).clamp_(-3 * scale, 3 * scale)
        self.frequencies = nn.Parameter(frequencies)
        self.linear = nn.Linear(2 * n_frequencies, width)

    def forward(self, x_BN: Tensor) -> Tensor:
        """Return the embeddings, shape (B, N, width)."""
        angles = 2 * math.pi * self.frequencies * x_BN.unsqueeze(-1)
        waves = torch.cat([angles.sin(), angles.cos()], dim=-1)
        return torch.relu(self.linear(waves))


class TableNetwork(nn.Module):
    """Dense layers over an embedded row.

    Parameters
    ----------
    n_features : int
        Columns of the input.
    n_outputs : int
        Classes, or 1.
    cardinalities : sequence of (int, int)
        Columns of the input that hold category codes, each with how many there are; NaN, and any code
        that the training rows did not have, is one more.
    width, depth : int
        Of the dense layers.
    dropout : float
        Share of their outputs left out in training.
    n_frequencies, embedding_width : int
        Of the embedding of numbers; 0: numbers as they are.
    frequency_scale : float
        See `PeriodicEmbedding`.
    n_members : int
        Models in one; their answers are averaged.
    """

    def __init__(
        self,
        n_features: int,
        n_outputs: int,
        cardinalities: Sequence[Sequence[int]] = (),
        *,
        width: int = 256,
        depth: int = 3,
        dropout: float = 0.1,
        n_frequencies: int = 16,
        embedding_width: int = 16,
        frequency_scale: float = 0.05,
        n_members: int = 16,
    ) -> None:
        super().__init__()
        self.number_columns: Tensor
        self.code_columns: Tensor
        self.n_codes: Tensor
        codes: dict[int, int] = {column: size for column, size in cardinalities}  # noqa: C416 - JSON gives lists
        numbers = [column for column in range(n_features) if column not in codes]
        self.n_members, self.n_outputs = n_members, n_outputs
        self.register_buffer("number_columns", torch.tensor(numbers, dtype=torch.long), persistent=False)
        self.register_buffer("code_columns", torch.tensor(list(codes), dtype=torch.long), persistent=False)
        self.register_buffer("n_codes", torch.tensor(list(codes.values())), persistent=False)
        self.embed_numbers = None
        if numbers and embedding_width:
            self.embed_numbers = PeriodicEmbedding(
                len(numbers), n_frequencies, embedding_width, frequency_scale
            )
        widths = [min(size, _WIDEST_CODE, round(1.6 * size**0.56)) for size in codes.values()]
        self.embed_codes = nn.ModuleList(
            nn.Embedding(size + 1, own) for size, own in zip(codes.values(), widths, strict=True)
        )
        n_inputs = len(numbers) * (1 + (embedding_width if self.embed_numbers is not None else 0))
        n_inputs += sum(widths)
        scales = torch.randint(0, 2, (n_members, n_inputs)).mul_(2).sub_(1).float()
        self.member_scale = nn.Parameter(scales) if n_members > 1 else None
        layers: list[nn.Module] = []
        for size in [n_inputs] + [width] * (depth - 1):
            layers += [nn.Linear(size, width), nn.ReLU(), nn.Dropout(dropout)]
        self.layers = nn.Sequential(*layers)
        bound = 1 / math.sqrt(width)
        self.head_weight = nn.Parameter(torch.empty(n_members, width, n_outputs).uniform_(-bound, bound))
        self.head_bias = nn.Parameter(torch.zeros(n_members, n_outputs))

    @torch.no_grad()
    def start_at(self, outputs: Tensor) -> None:
        """Let every row's first answer be near `outputs`: what is true without looking at the row."""
        self.head_bias.copy_(outputs.expand_as(self.head_bias))

    def embed(self, x: Tensor) -> Tensor:
        """Return rows of the input as the dense layers take them, shape (B, D)."""
        pieces = []
        if len(self.number_columns):
            numbers = x[:, self.number_columns]
            numbers = numbers * torch.rsqrt(1 + (numbers / _FAR).square())
            pieces.append(numbers)
            if self.embed_numbers is not None:
                pieces.append(self.embed_numbers(numbers).flatten(1))
        if len(self.embed_codes):
            codes = x[:, self.code_columns]
            codes = torch.where(codes < self.n_codes, codes, self.n_codes.to(x.dtype)).long()
            pieces += [embed(codes[:, place]) for place, embed in enumerate(self.embed_codes)]
        return torch.cat(pieces, dim=1)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits or values.

        Parameters
        ----------
        x : Tensor of shape (B, n_features)
            Scaled numbers, and category codes.

        Returns
        -------
        Tensor of shape (B, M, n_outputs) in training, else (B, n_outputs)
            Each member answers for itself while it learns, and they answer as one afterwards.
        """
        x_BD = self.embed(x)
        x_BMD = x_BD.unsqueeze(1)
        if self.member_scale is not None:
            x_BMD = x_BMD * self.member_scale
        hidden_MBD = self.layers(x_BMD).transpose(0, 1)
        outputs = (torch.bmm(hidden_MBD, self.head_weight) + self.head_bias.unsqueeze(1)).transpose(0, 1)
        return outputs if self.training else outputs.mean(dim=1)
