"""Every architecture by name, so that a package can say which one its weights belong to."""

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from groundup.core.errors import PackageError

if TYPE_CHECKING:
    from torch import nn

ARCHITECTURES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "table": "groundup.models.networks.table:TableNetwork",
        "text_encoder": "groundup.models.networks.encoder:TextEncoder",
        "recurrent_text": "groundup.models.networks.rnn:RecurrentText",
        "convolutional": "groundup.models.networks.cnn:ConvolutionalNetwork",
        "vision_transformer": "groundup.models.networks.vit:VisionTransformer",
    }
)
"""Name → ``module:class``; a class takes plain numbers, words and lists, and gives random weights."""


def build(name: str, arguments: Mapping[str, Any], *, seed: int = 0) -> "nn.Module":
    """Return a network with random weights.

    Parameters
    ----------
    name : str
        A key of `ARCHITECTURES`.
    arguments : mapping
        What its class takes, as JSON values.
    seed : int, default=0
        Decides the random weights; torch's own generator stays as it was.

    Raises
    ------
    PackageError
        If there is no such architecture (a file never decides what is imported).
    """
    if name not in ARCHITECTURES:
        raise PackageError(
            f"The package asks for the architecture `{name}`, which this groundup does not know."
        )
    module, _, kind = ARCHITECTURES[name].partition(":")
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network: nn.Module = getattr(import_module(module), kind)(**arguments)
    return network
