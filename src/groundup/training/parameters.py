"""The weights of a network as few long vectors, so that one call updates, clips or averages all of them.

A network of many small tensors spends more time on starting operations than on computing: with one
vector an update, the norm of the gradient and a moving average cost one operation each.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

Selects = Callable[[str, nn.Parameter], bool]


def decays(parameter: nn.Parameter) -> bool:
    """Return whether weight decay shrinks a parameter: matrices and kernels, not biases and norms."""
    return parameter.ndim >= 2


@dataclass(frozen=True, eq=False)
class Group:
    """Parameters that are updated together.

    Parameters
    ----------
    weights, gradient : Tensor of shape (n_values,)
        All of them one behind the other, those that weight decay shrinks first.
    n_decayed : int
        How many values it shrinks.
    rate : float
        Their share of the learning rate.
    matrices : tuple of (int, int), optional
        Where the group consists of matrices that are updated one by one: their sizes, in order.
    """

    weights: Tensor
    gradient: Tensor
    n_decayed: int
    rate: float
    matrices: tuple[tuple[int, int], ...] = ()

    def as_matrices(self, vector: Tensor) -> list[Tensor]:
        """Return the matrices that lie in a vector of the group's length, as views."""
        pieces = torch.split(vector, [rows * columns for rows, columns in self.matrices])
        return [piece.view(size) for piece, size in zip(pieces, self.matrices, strict=True)]


class Parameters:
    """The trainable parameters of a module, in groups.

    The module keeps its parameters: each becomes a view into a vector, and so does its gradient.

    Parameters
    ----------
    module : Module
        On its device already; parameters that need no gradient are left alone.
    is_matrix : callable, optional
        ``(name, parameter)`` → whether a parameter is to be updated as a matrix.
    rates : mapping of str to float, optional
        Share of the learning rate by the beginning of a parameter's name; the longest that fits counts.

    Examples
    --------
    >>> module = nn.Linear(3, 2)
    >>> parameters = Parameters(module)
    >>> [(len(group.weights), group.n_decayed) for group in parameters.groups]
    [(8, 6)]
    >>> module(torch.ones(1, 3)).sum().backward()
    >>> parameters.groups[0].gradient.tolist()
    [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    """

    def __init__(
        self,
        module: nn.Module,
        *,
        is_matrix: Selects | None = None,
        rates: Mapping[str, float] | None = None,
    ) -> None:
        kinds: dict[tuple[bool, float, torch.dtype], list[nn.Parameter]] = {}
        for name, parameter in module.named_parameters():
            if parameter.requires_grad:
                own = is_matrix is not None and is_matrix(name, parameter)
                kinds.setdefault((own, _rate_of(name, rates or {}), parameter.dtype), []).append(parameter)
        self.groups = tuple(
            _lay_out(members, rate, of_matrices=own) for (own, rate, _), members in kinds.items()
        )

    def zero_grad(self) -> None:
        """Set the gradient to 0 where it lies."""
        for group in self.groups:
            group.gradient.zero_()

    def gradient_norm(self) -> Tensor:
        """Return the length of the whole gradient, a scalar on its device."""
        norms: list[Tensor] = [torch.linalg.vector_norm(group.gradient) for group in self.groups]
        return norms[0] if len(norms) == 1 else torch.stack(norms).norm()

    def clip(self, limit: float) -> Tensor:
        """Shorten the gradient to length `limit` where it is longer; return how long it was."""
        norm = self.gradient_norm()
        scale = torch.clamp(limit / (norm + 1e-6), max=1.0)
        for group in self.groups:
            group.gradient.mul_(scale)
        return norm


def histograms(module: nn.Module, *, n_bins: int = 30) -> dict[str, dict[str, list[float]]]:
    """Return, by layer, how its matrix of weights is spread: `n_bins` + 1 edges, and counts between them.

    Examples
    --------
    >>> found = histograms(nn.Linear(3, 2), n_bins=4)
    >>> list(found), len(found["weight"]["edges"]), sum(found["weight"]["counts"])
    (['weight'], 5, 6.0)
    """
    found = {}
    for name, parameter in module.named_parameters():
        weights = parameter.detach().float().cpu().flatten()
        if decays(parameter) and bool(weights.isfinite().all()):
            low, high = float(weights.min()), float(weights.max())
            low, high = (low, high) if low < high else (low - 0.5, high + 0.5)
            counts = torch.histc(weights, n_bins, low, high).tolist()
            found[name] = {"edges": torch.linspace(low, high, n_bins + 1).tolist(), "counts": counts}
    return found


class Average:
    """A moving average over the weights of all steps (Polyak and Juditsky, 1992).

    Parameters
    ----------
    module : Module
        Its running statistics are averaged as well, so that they belong to the averaged weights.
    parameters : Parameters
        What is averaged.
    decay : float
        Share of the old value, in (0, 1); smaller at first, so that the start is soon forgotten.
    """

    def __init__(self, module: nn.Module, parameters: Parameters, decay: float) -> None:
        statistics = [buffer for buffer in module.buffers() if buffer.is_floating_point()]
        self._live = (*(group.weights for group in parameters.groups), *statistics)
        self.decay, self.n_updates = decay, 0
        self.tensors = tuple(tensor.detach().clone() for tensor in self._live)

    @torch.no_grad()
    def update(self) -> None:
        """Take the present weights into the average."""
        self.n_updates += 1
        weight = 1 - min(self.decay, self.n_updates / (self.n_updates + 10))
        for mean, live in zip(self.tensors, self._live, strict=True):
            mean.lerp_(live, weight)

    @torch.no_grad()
    def swap(self) -> None:
        """Exchange the live weights and the average, in place."""
        for mean, live in zip(self.tensors, self._live, strict=True):
            kept = live.clone()
            live.copy_(mean)
            mean.copy_(kept)


def _rate_of(name: str, rates: Mapping[str, float]) -> float:
    fitting = [prefix for prefix in rates if name == prefix or name.startswith(f"{prefix}.")]
    return rates[max(fitting, key=len)] if fitting else 1.0


def _lay_out(members: list[nn.Parameter], rate: float, *, of_matrices: bool) -> Group:
    """Move parameters and their gradients into two vectors; they become views into these."""
    ordered = [member for member in members if decays(member)]
    n_decayed = sum(member.numel() for member in ordered)
    ordered += [member for member in members if not decays(member)]
    n_values = sum(member.numel() for member in ordered)
    weights = torch.empty(n_values, dtype=ordered[0].dtype, device=ordered[0].device)
    gradient = torch.zeros_like(weights)
    start = 0
    for member in ordered:
        stop = start + member.numel()
        data = _placed(weights[start:stop], member)
        data.copy_(member.data)
        member.data, member.grad = data, _placed(gradient[start:stop], member)
        start = stop
    sizes = tuple((member.shape[0], math.prod(member.shape[1:])) for member in ordered)
    return Group(weights, gradient, n_decayed, rate, sizes if of_matrices else ())


def _placed(values: Tensor, like: Tensor) -> Tensor:
    """Return a vector in the shape of `like`, and in its order of channels."""
    if like.ndim == 4 and like.is_contiguous(memory_format=torch.channels_last) and not like.is_contiguous():
        n_out, n_in, height, width = like.shape
        return values.view(n_out, height, width, n_in).permute(0, 3, 1, 2)
    return values.view(like.shape)


def count_parameters(module: nn.Module) -> tuple[int, int]:
    """Return how many numbers a module learns, and how many it holds in all (frozen ones included).

    Examples
    --------
    >>> count_parameters(nn.Linear(3, 2))
    (8, 8)
    """
    sizes = [(parameter.numel(), parameter.requires_grad) for parameter in module.parameters()]
    return sum(n for n, learns in sizes if learns), sum(n for n, _ in sizes)
