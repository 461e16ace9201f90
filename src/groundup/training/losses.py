"""Losses: what training makes small, by name."""

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Final, Protocol

import torch
import torch.nn.functional as F  # noqa: N812 - the field's own name
from torch import Tensor

from groundup.core.errors import RecipeError
from groundup.training.gradient_options import GradientOptions

CLASS_LOSSES: Final = ("cross_entropy", "bce", "focal")
NUMBER_LOSSES: Final = ("mse", "mae", "huber", "quantile", "poisson")

IGNORED: Final = -100
"""A class code that does not count, such as that of padding."""


class Loss(Protocol):
    """From a network's outputs and the targets to how wrong they are."""

    def __call__(self, outputs: Tensor, targets: Tensor, *, reduction: str = "mean") -> Tensor:
        """Return the mean over all targets, a scalar; with reduction ``"none"`` one value for each target."""


def make_loss(name: str, options: GradientOptions) -> Loss:
    """Return a loss.

    Parameters
    ----------
    name : str
        A key of `LOSSES`.
    options : GradientOptions
        For label smoothing, gamma, delta, quantiles.

    Returns
    -------
    Loss
        ``(outputs, targets)`` → scalar. For class losses `outputs` are logits of shape (…, n_classes) and
        `targets` codes of shape (…), of which those equal to `IGNORED` do not count, or probabilities of the
        outputs' shape. For the others both have the same shape, but for a last axis of `outputs`: of length
        1, or for ``"quantile"`` one entry a quantile.

    Examples
    --------
    >>> loss = make_loss("cross_entropy", GradientOptions())
    >>> round(loss(torch.zeros(1, 4), torch.tensor([2])).item(), 4)
    1.3863
    """
    smoothing = 0.0 if options.label_smoothing == "auto" else options.label_smoothing
    if name == "cross_entropy":
        return partial(_cross_entropy, smoothing=smoothing)
    if smoothing:
        raise RecipeError(
            f"`training.label_smoothing` is `{smoothing}`, but the loss `{name}` smooths no labels. Set it "
            "to 0, or `training.loss` to `cross_entropy`."
        )
    if name == "focal":
        return partial(_focal, gamma=options.focal_gamma)
    if name == "huber":
        return partial(_huber, delta=options.huber_delta)
    if name == "quantile":
        return partial(_quantile, levels=(0.5,) if options.quantiles == "auto" else options.quantiles)
    return LOSSES[name]


def weighted(loss: Loss, outputs: Tensor, targets: Tensor, weights: Tensor | None) -> Tensor:
    """Return the mean loss, in which each row counts by its weight (None: all alike).

    Parameters
    ----------
    loss : Loss
        What is averaged.
    outputs, targets : Tensor
        See `make_loss`.
    weights : Tensor of shape (n_rows,) or None
        Non-negative.
    """
    if weights is None:
        return loss(outputs, targets)
    each = loss(outputs, targets, reduction="none").view(len(weights), -1)
    return (each.mean(dim=1) * weights).sum() / weights.sum()


def _cross_entropy(
    outputs: Tensor, targets: Tensor, *, smoothing: float = 0.0, reduction: str = "mean"
) -> Tensor:
    if outputs.ndim > 2:  # one answer for each token
        outputs, targets = outputs.flatten(0, -2), targets.flatten(0, -1 - int(targets.is_floating_point()))
    return F.cross_entropy(
        outputs, targets, ignore_index=IGNORED, label_smoothing=smoothing, reduction=reduction
    )


def _shares(outputs: Tensor, targets: Tensor) -> Tensor:
    """Return targets as probabilities of the outputs' shape."""
    if outputs.shape == targets.shape:
        return targets.to(outputs.dtype)
    return F.one_hot(targets, outputs.shape[-1]).to(outputs.dtype)


def _reduced(each: Tensor, reduction: str) -> Tensor:
    return each.mean() if reduction == "mean" else each


def _bce(outputs: Tensor, targets: Tensor, *, reduction: str = "mean") -> Tensor:
    """Each class against the rest, added up; with one output a row, one yes-or-no question."""
    each = F.binary_cross_entropy_with_logits(outputs, _shares(outputs, targets), reduction="none")
    return _reduced(each.sum(dim=-1) if outputs.ndim > 1 else each, reduction)


def _focal(outputs: Tensor, targets: Tensor, *, gamma: float = 2.0, reduction: str = "mean") -> Tensor:
    log_p = F.log_softmax(outputs, dim=-1)
    each = -((1 - log_p.exp()) ** gamma) * log_p * _shares(outputs, targets)
    return _reduced(each.sum(dim=-1), reduction)


def _mse(outputs: Tensor, targets: Tensor, *, reduction: str = "mean") -> Tensor:
    return F.mse_loss(_like(outputs, targets), targets, reduction=reduction)


def _mae(outputs: Tensor, targets: Tensor, *, reduction: str = "mean") -> Tensor:
    return F.l1_loss(_like(outputs, targets), targets, reduction=reduction)


def _huber(outputs: Tensor, targets: Tensor, *, delta: float = 1.0, reduction: str = "mean") -> Tensor:
    return F.huber_loss(_like(outputs, targets), targets, delta=delta, reduction=reduction)


def _quantile(
    outputs: Tensor, targets: Tensor, *, levels: tuple[float, ...] = (0.5,), reduction: str = "mean"
) -> Tensor:
    """Average the pinball loss over the quantiles; outputs have the shape (…, n_quantiles)."""
    if outputs.shape[-1] != len(levels):
        raise RecipeError(
            f"`training.quantiles` asks for {len(levels)} numbers a row, and this network gives "
            f"{outputs.shape[-1]}. Leave it at `auto`; the metric `pinball_loss_0.9` asks for a quantile."
        )
    tau = torch.tensor(levels, dtype=outputs.dtype, device=outputs.device)
    error = targets.unsqueeze(-1) - outputs
    return _reduced(torch.maximum(tau * error, (tau - 1) * error).mean(dim=-1), reduction)


def _poisson(outputs: Tensor, targets: Tensor, *, reduction: str = "mean") -> Tensor:
    """Take outputs as the logarithm of the expected count."""
    return F.poisson_nll_loss(_like(outputs, targets), targets, log_input=True, reduction=reduction)


def _like(outputs: Tensor, targets: Tensor) -> Tensor:
    """Return outputs without a last axis of length 1 that the targets do not have."""
    return outputs.squeeze(-1) if outputs.ndim == targets.ndim + 1 and outputs.shape[-1] == 1 else outputs


LOSSES: Final[Mapping[str, Loss]] = MappingProxyType(
    {
        "cross_entropy": _cross_entropy,
        "bce": _bce,
        "focal": _focal,
        "mse": _mse,
        "mae": _mae,
        "huber": _huber,
        "quantile": _quantile,
        "poisson": _poisson,
    }
)
"""Name → loss: cross-entropy, binary cross-entropy, focal (Lin et al., 2017), squared, absolute, Huber
(1964), pinball (Koenker and Bassett, 1978), Poisson."""
