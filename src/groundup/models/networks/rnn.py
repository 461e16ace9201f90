"""Recurrent networks: a state that each step of a sequence changes.

Shape suffixes: B batch, T steps, F values of a step, D width of the state.

References
----------
Hochreiter and Schmidhuber (1997), "Long short-term memory", Neural Computation; Cho et al. (2014), "Learning
phrase representations using RNN encoder–decoder", EMNLP (gated recurrent unit); Schuster and Paliwal (1997),
"Bidirectional recurrent neural networks", IEEE Transactions on Signal Processing.
"""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from groundup.models.networks.encoder import PADDING, pooled

Cell = Literal["lstm", "gru"]


def recurrent(
    cell: Cell, n_inputs: int, width: int, depth: int, *, is_bidirectional: bool, dropout: float
) -> nn.LSTM | nn.GRU:
    """Return torch's recurrent layers; a gate that forgets starts open (Jozefowicz et al., 2015)."""
    kind = nn.LSTM if cell == "lstm" else nn.GRU
    layers = kind(
        n_inputs,
        width,
        depth,
        batch_first=True,
        bidirectional=is_bidirectional,
        dropout=dropout if depth > 1 else 0.0,
    )
    for name, parameter in layers.named_parameters():
        if "weight_hh" in name:
            for gate in parameter.data.split(width):
                nn.init.orthogonal_(gate)
        elif "weight_ih" in name:
            nn.init.xavier_uniform_(parameter.data)
        else:
            nn.init.zeros_(parameter.data)
            if cell == "lstm" and "bias_ih" in name:
                parameter.data[width : 2 * width] = 1.0
    return layers


class RecurrentText(nn.Module):
    """Tokens of a text to logits or a number.

    Parameters
    ----------
    n_tokens, n_outputs : int
        Size of the vocabulary; classes, or 1.
    cell : {"lstm", "gru"}
        What a step does to the state.
    width, depth : int
        Of the state; layers.
    is_bidirectional : bool
        Whether the text is also read from its end.
    dropout : float
        Share of units left out in training.

    Examples
    --------
    >>> network = RecurrentText(n_tokens=50, n_outputs=2, width=8)
    >>> network(torch.tensor([[3, 4, 0], [5, 0, 0]])).shape
    torch.Size([2, 2])
    """

    def __init__(
        self,
        n_tokens: int,
        n_outputs: int,
        *,
        cell: Cell = "lstm",
        width: int = 128,
        depth: int = 1,
        is_bidirectional: bool = True,
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        self.embed = nn.Embedding(n_tokens, width, padding_idx=PADDING)
        nn.init.normal_(self.embed.weight, std=0.1)
        self.embed_dropout = nn.Dropout(dropout)
        self.layers = recurrent(cell, width, width, depth, is_bidirectional=is_bidirectional, dropout=dropout)
        n_features = 2 * width * (2 if is_bidirectional else 1)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(n_features, n_outputs)

    def forward(self, tokens_BT: Tensor) -> Tensor:
        """Return logits or values, shape (B, n_outputs)."""
        mask_BT = tokens_BT != PADDING
        lengths = mask_BT.sum(dim=1).clamp(min=1)
        embedded = self.embed_dropout(self.embed(tokens_BT.long()))
        packed = pack_padded_sequence(embedded, lengths.cpu(), batch_first=True, enforce_sorted=False)
        states_BTD, _ = pad_packed_sequence(
            self.layers(packed)[0], batch_first=True, total_length=tokens_BT.shape[1]
        )
        steps = torch.arange(tokens_BT.shape[1], device=tokens_BT.device)
        return self.head(self.dropout(pooled(states_BTD, steps < lengths.unsqueeze(1))))


class RecurrentSeries(nn.Module):
    """Windows of a series to logits or numbers.

    Parameters
    ----------
    n_values, n_outputs : int
        Values of a step; classes, or numbers.
    cell, width, depth, is_bidirectional, dropout
        See `RecurrentText`.
    """

    def __init__(
        self,
        n_values: int,
        n_outputs: int,
        *,
        cell: Cell = "gru",
        width: int = 64,
        depth: int = 1,
        is_bidirectional: bool = False,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.layers = recurrent(
            cell, n_values, width, depth, is_bidirectional=is_bidirectional, dropout=dropout
        )
        self.is_bidirectional = is_bidirectional
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(width * (2 if is_bidirectional else 1), n_outputs)

    def forward(self, steps_BTF: Tensor) -> Tensor:
        """Return logits or values, shape (B, n_outputs)."""
        states_BTD = self.layers(steps_BTF)[0]
        width = self.layers.hidden_size
        last = states_BTD[:, -1, :width]
        if self.is_bidirectional:
            last = torch.cat([last, states_BTD[:, 0, width:]], dim=-1)
        return self.head(self.dropout(last))
