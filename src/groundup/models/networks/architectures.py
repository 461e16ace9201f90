"""Every architecture by name, so that a package can say which one its weights belong to."""

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from groundup.core.errors import MissingExtraError, PackageError

if TYPE_CHECKING:
    from torch import nn

ARCHITECTURES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "table": "groundup.models.networks.table:TableNetwork",
        "text_encoder": "groundup.models.networks.encoder:TextEncoder",
        "recurrent_text": "groundup.models.networks.rnn:RecurrentText",
        "convolutional": "groundup.models.networks.cnn:ConvolutionalNetwork",
        "vision_transformer": "groundup.models.networks.vit:VisionTransformer",
        "decoder": "groundup.models.networks.decoder:Decoder",
    }
)
"""Name → ``module:class``; a class takes plain numbers, words and lists, and gives random weights."""


def require_torch(purpose: str) -> None:
    """Check that PyTorch is installed, without loading it.

    Raises
    ------
    MissingExtraError
        If it is not; the message says what to install.
    """
    if find_spec("torch") is None:
        raise MissingExtraError("torch", "torch", purpose=purpose)


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
