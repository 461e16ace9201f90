"""Optimizers: from the gradient of a vector of weights to its next value.

They compute what torch.optim computes, which the tests compare step by step, on vectors that lie ready.
torch's own classes would import its compiler at every start and look through their groups at every step,
which small networks feel (``python benchmarks/network_steps.py`` compares both).
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import ClassVar, Final

import torch
from torch import Tensor, nn

from groundup.training.parameters import Group

NEEDS_MATRICES: Final = frozenset({"muon"})
"""Optimizers that update matrices one by one, and leave the rest to AdamW."""


class Optimizer(ABC):
    """Updates one group of parameters.

    Parameters
    ----------
    group : Group
        What is updated.
    weight_decay : float
        Strength of the decay of `Group.n_decayed` values.
    momentum : float
        For those that have one.
    """

    moments: ClassVar[tuple[str, ...]] = ()
    """What it remembers of each weight."""
    is_decoupled: ClassVar[bool] = False
    """Whether decay shrinks the weights themselves; otherwise it is added to the gradient."""

    def __init__(self, group: Group, weight_decay: float, momentum: float) -> None:
        self.group, self.weight_decay, self.momentum = group, weight_decay, momentum
        self.n_steps = 0
        self.state = {name: torch.zeros_like(group.weights) for name in self.moments}

    @torch.no_grad()
    def step(self, learning_rate: float) -> None:
        """Update the weights once."""
        self.n_steps += 1
        group, rate = self.group, learning_rate * self.group.rate
        if self.weight_decay and group.n_decayed:
            decayed = group.weights[: group.n_decayed]
            if self.is_decoupled:
                decayed.mul_(1 - rate * self.weight_decay)
            else:
                group.gradient[: group.n_decayed].add_(decayed, alpha=self.weight_decay)
        self.update(group.weights, group.gradient, rate)

    @abstractmethod
    def update(self, weights: Tensor, gradient: Tensor, rate: float) -> None:
        """Change `weights` in place; `self.n_steps` counts this step already."""


class SGD(Optimizer):
    """Stochastic gradient descent with momentum (Robbins and Monro, 1951; Polyak, 1964)."""

    moments = ("momentum",)

    def update(self, weights: Tensor, gradient: Tensor, rate: float) -> None:
        """Move along a decaying sum of gradients."""
        weights.add_(self.state["momentum"].mul_(self.momentum).add_(gradient), alpha=-rate)


class Adam(Optimizer):
    """Adam (Kingma and Ba, 2015): each weight's gradient over its usual size."""

    moments = ("mean", "square")
    betas: ClassVar[tuple[float, float]] = (0.9, 0.999)

    def __init__(self, group: Group, weight_decay: float, momentum: float) -> None:
        super().__init__(group, weight_decay, momentum)
        self._count = torch.zeros((), device=group.weights.device)

    def update(self, weights: Tensor, gradient: Tensor, rate: float) -> None:
        """Update in one pass over memory."""
        self._count.fill_(self.n_steps)
        torch.ops.aten._fused_adam_(
            [weights],
            [gradient],
            [self.state["mean"]],
            [self.state["square"]],
            [],
            [self._count],
            lr=rate,
            beta1=self.betas[0],
            beta2=self.betas[1],
            weight_decay=0.0,
            eps=1e-8,
            amsgrad=False,
            maximize=False,
        )


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov and Hutter, 2019)."""

    is_decoupled = True


class RMSprop(Optimizer):
    """RMSprop (Tieleman and Hinton, 2012) with momentum."""

    moments = ("square", "momentum")

    def update(self, weights: Tensor, gradient: Tensor, rate: float) -> None:
        """Divide the gradient by its usual size."""
        square = self.state["square"].mul_(0.99).addcmul_(gradient, gradient, value=0.01)
        size = square.sqrt().add_(1e-8)
        weights.add_(self.state["momentum"].mul_(self.momentum).addcdiv_(gradient, size), alpha=-rate)


class Adagrad(Optimizer):
    """Adagrad (Duchi, Hazan and Singer, 2011)."""

    moments = ("sum",)

    def update(self, weights: Tensor, gradient: Tensor, rate: float) -> None:
        """Divide the gradient by the size of all before it."""
        total = self.state["sum"].addcmul_(gradient, gradient)
        weights.addcdiv_(gradient, total.sqrt().add_(1e-10), value=-rate)


class Muon(Optimizer):
    """Muon (Jordan et al., 2024): the nearest orthogonal matrix to each matrix of momentum.

    Its updates are as large as AdamW's (Liu et al., 2025, "Muon is scalable for LLM training"), so that
    the same learning rate suits both. Matrices of one shape are orthogonalised together.
    """

    moments = ("momentum",)
    is_decoupled = True

    def update(self, weights: Tensor, gradient: Tensor, rate: float) -> None:
        """Update every matrix by an orthogonal one."""
        momentum = self.state["momentum"].lerp_(gradient, 1 - self.momentum)
        nesterov = self.group.as_matrices(gradient.lerp(momentum, self.momentum))
        places: dict[tuple[int, ...], list[int]] = {}
        for place, matrix in enumerate(nesterov):
            places.setdefault(tuple(matrix.shape), []).append(place)
        targets = self.group.as_matrices(weights)
        for (n_rows, n_columns), same in places.items():
            updates = orthogonalized(torch.stack([nesterov[place] for place in same]))
            scale = 0.2 * math.sqrt(max(n_rows, n_columns))
            for place, update in zip(same, updates, strict=True):
                targets[place].add_(update.to(weights.dtype), alpha=-rate * scale)


def orthogonalized(matrices: Tensor) -> Tensor:
    """Return near-orthogonal matrices with the same singular vectors, by five Newton–Schulz iterations.

    Parameters
    ----------
    matrices : Tensor of shape (n_matrices, n_rows, n_columns)
        Any; computed with in bfloat16, which is enough.

    Returns
    -------
    Tensor of the same shape, bfloat16
        Singular values between about 0.7 and 1.2.
    """
    a, b, c = 3.4445, -4.7750, 2.0315
    is_tall = matrices.shape[1] > matrices.shape[2]
    X = (matrices.mT if is_tall else matrices).bfloat16()
    X = X / X.norm(dim=(1, 2), keepdim=True).clamp(min=1e-7)
    for _ in range(5):
        A = X @ X.mT
        X = torch.baddbmm(X, torch.baddbmm(A, A, A, beta=b, alpha=c), X, beta=a)
    return X.mT if is_tall else X


class Optimizers:
    """The optimizers of all groups, which act as one.

    Parameters
    ----------
    parts : sequence of Optimizer
        One a group.
    """

    def __init__(self, parts: Sequence[Optimizer]) -> None:
        self.parts = tuple(parts)

    def step(self, learning_rate: float) -> None:
        """Update all weights once."""
        for part in self.parts:
            part.step(learning_rate)

    def state(self) -> tuple[list[int], dict[str, Tensor]]:
        """Return how many steps each part has made, and what it remembers, by name; not copied."""
        tensors = {
            f"{number}/{name}": tensor
            for number, part in enumerate(self.parts)
            for name, tensor in part.state.items()
        }
        return [part.n_steps for part in self.parts], tensors

    def load_state(self, n_steps: Sequence[int], tensors: Mapping[str, Tensor]) -> None:
        """Take up what `state` returned."""
        for part, made in zip(self.parts, n_steps, strict=True):
            part.n_steps = made
        for name, tensor in self.state()[1].items():
            tensor.copy_(tensors[name])


def make_optimizers(
    name: str, groups: Sequence[Group], *, weight_decay: float, momentum: float = 0.9
) -> Optimizers:
    """Return the optimizers of a network's parameters.

    Parameters
    ----------
    name : str
        A key of `OPTIMIZERS`; ``"muon"`` updates groups of matrices and leaves the others to AdamW.
    groups : sequence of Group
        What is updated (`Parameters.groups`).
    weight_decay : float
        For the values that are decayed.
    momentum : float, default=0.9
        For those that have one; 0.95 is customary for Muon.

    Examples
    --------
    >>> from groundup.training.parameters import Parameters
    >>> module = nn.Linear(1, 1, bias=False)
    >>> optimizers = make_optimizers("sgd", Parameters(module).groups, weight_decay=0.0)
    >>> before = module.weight.item()
    >>> (3 * module.weight).sum().backward()
    >>> optimizers.step(0.1)
    >>> round(before - module.weight.item(), 5)
    0.3
    """

    def make(group: Group) -> Optimizer:
        kind = OPTIMIZERS["adamw" if name in NEEDS_MATRICES and not group.matrices else name]
        return kind(group, weight_decay, momentum)

    return Optimizers([make(group) for group in groups])


def is_hidden_matrix(name: str, parameter: nn.Parameter) -> bool:
    """Return whether Muon updates a parameter: hidden matrices and kernels, not embeddings, heads, vectors.

    Parameters
    ----------
    name : str
        Its name in the module; a component that begins with ``embed`` or ``head`` marks the first layer and
        the last one.
    parameter : Parameter
        Any.
    """
    is_end = any(part.startswith(("embed", "head")) for part in name.split("."))
    return parameter.ndim >= 2 and not is_end and min(parameter.shape[0], parameter[0].numel()) > 1


OPTIMIZERS: Final[Mapping[str, Callable[[Group, float, float], Optimizer]]] = MappingProxyType(
    {"sgd": SGD, "adam": Adam, "adamw": AdamW, "rmsprop": RMSprop, "adagrad": Adagrad, "muon": Muon}
)
"""Name → optimizer."""
