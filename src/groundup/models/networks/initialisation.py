"""Initialisation: how random weights are drawn, by name.

References
----------
He et al. (2015), "Delving deep into rectifiers", ICCV (Kaiming); Glorot and Bengio (2010),
"Understanding the difficulty of training deep feedforward neural networks", AISTATS (Xavier); Saxe,
McClelland and Ganguli (2014), "Exact solutions to the nonlinear dynamics of learning", ICLR (orthogonal);
Radford et al. (2019), "Language models are unsupervised multitask learners" (normal of 0.02, truncated).
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import torch
from torch import Tensor, nn

_NARROW: Final = 0.02

INITIALISATIONS: Final[Mapping[str, Callable[[Tensor], Tensor]]] = MappingProxyType(
    {
        "kaiming": lambda weight: nn.init.kaiming_normal_(weight, nonlinearity="relu"),
        "xavier": lambda weight: nn.init.xavier_uniform_(weight),
        "orthogonal": lambda weight: nn.init.orthogonal_(weight),
        "truncated_normal": lambda weight: nn.init.trunc_normal_(
            weight, std=_NARROW, a=-2 * _NARROW, b=2 * _NARROW
        ),
    }
)
"""Name → what draws a matrix or a kernel in place."""


class ZeroLinear(nn.Linear):
    """A linear layer that starts at 0: the last one of a residual branch, which so begins as the identity.

    Goyal et al. (2017), "Accurate, large minibatch SGD"; Zhang, Dauphin and Ma (2019), "Fixup", ICLR.
    """

    def reset_parameters(self) -> None:
        """Set everything to 0."""
        nn.init.zeros_(self.weight)
        if self.bias is not None:
            nn.init.zeros_(self.bias)


@torch.no_grad()
def initialise(module: nn.Module, name: str, *, seed: int) -> None:
    """Draw the weights of all linear layers and convolutions of a module; biases start at 0.

    A `ZeroLinear` stays at 0. Embeddings, norms and other parameters keep what their module gave them.

    Parameters
    ----------
    module : Module
        Changed in place.
    name : str
        A key of `INITIALISATIONS`.
    seed : int
        The same seed draws the same weights.

    Examples
    --------
    >>> layer = nn.Linear(100, 100)
    >>> initialise(layer, "kaiming", seed=0)
    >>> 0.13 < float(layer.weight.detach().std()) < 0.15  # the square root of 2 / 100
    True
    """
    draw = INITIALISATIONS[name]
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        for part in module.modules():
            if isinstance(part, nn.Linear | nn.Conv1d | nn.Conv2d) and not isinstance(part, ZeroLinear):
                draw(part.weight)
                if part.bias is not None:
                    nn.init.zeros_(part.bias)
