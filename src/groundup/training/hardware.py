"""Where a network trains and in which numbers: decided once, with the reason, before the first step."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import torch
from torch import nn

from groundup.core.errors import TrainingError
from groundup.training.gradient_options import GradientOptions

_COMPILE_FROM_STEPS: Final = 2_000  # compiling costs up to a minute; on a CPU it gained nothing
_CONVOLUTIONS: Final = (nn.Conv1d, nn.Conv2d, nn.Conv3d)


@dataclass(frozen=True)
class Hardware:
    """What a fit computes on.

    Parameters
    ----------
    device : device
        Where the weights are.
    precision : {"float32", "bfloat16"}
        What forward and backward compute with.
    channels_last : bool
        Whether images are stored channel by channel within a pixel.
    is_compiled : bool
        Whether `torch.compile` rewrites the network.
    reasons : dict of str to str
        By option, why it is what it is.
    """

    device: torch.device
    precision: str
    channels_last: bool
    is_compiled: bool
    reasons: dict[str, str] = field(default_factory=dict)

    def computing(self) -> Callable[[], contextlib.AbstractContextManager[Any]]:
        """Return what makes the context in which the network computes."""
        if self.precision == "float32":
            return contextlib.nullcontext
        return lambda: torch.autocast(self.device.type, dtype=torch.bfloat16)

    def place(self, module: nn.Module) -> nn.Module:
        """Return the module on the device, its kernels in the order of channels that is asked for."""
        module.to(self.device)
        if self.channels_last:
            module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        return module

    def resolved(self) -> dict[str, Any]:
        """Return the options as used."""
        return {
            "device": self.device.type,
            "precision": self.precision,
            "channels_last": self.channels_last,
            "compile": self.is_compiled,
        }


def resolve_hardware(options: GradientOptions, module: nn.Module, *, n_steps: int) -> Hardware:
    """Return where and in which numbers a module trains.

    Parameters
    ----------
    options : GradientOptions
        What is asked for.
    module : Module
        Decides what `auto` becomes: convolutions gain by shorter numbers and by channels stored last.
    n_steps : int
        Steps of the whole fit.

    Raises
    ------
    TrainingError
        If a device is asked for that is not there.

    Examples
    --------
    >>> hardware = resolve_hardware(GradientOptions(device="cpu"), nn.Linear(2, 2), n_steps=10)
    >>> hardware.precision, hardware.channels_last, hardware.is_compiled
    ('float32', False, False)
    """
    device, why_device = _device(options.device)
    convolves = any(isinstance(part, _CONVOLUTIONS) for part in module.modules())
    precision, why_precision = _precision(options.precision, device, module, convolves=convolves)
    reasons = {"device": why_device, "precision": why_precision}
    if options.channels_last == "auto":
        channels_last = any(isinstance(part, nn.Conv2d) for part in module.modules())
        reasons["channels_last"] = "the network convolves" if channels_last else "nothing is convolved"
    else:
        channels_last, reasons["channels_last"] = options.channels_last, "as asked"
    if options.compile == "auto":
        is_compiled = device.type == "cuda" and n_steps >= _COMPILE_FROM_STEPS
        where = "on a CPU it gains nothing" if device.type == "cpu" else f"{n_steps} steps"
        reasons["compile"] = where if not is_compiled else f"{n_steps} steps repay the minute it takes"
    else:
        is_compiled, reasons["compile"] = options.compile, "as asked"
    return Hardware(device, precision, channels_last, is_compiled, reasons)


def _device(asked: str) -> tuple[torch.device, str]:
    has_mps = torch.backends.mps.is_available()
    if asked == "auto":
        if torch.cuda.is_available():
            return torch.device(
                "cuda", torch.cuda.current_device()
            ), f"there is {torch.cuda.get_device_name()}"
        return (torch.device("mps"), "there is an Apple GPU") if has_mps else (torch.device("cpu"), "no GPU")
    if (asked == "cuda" and not torch.cuda.is_available()) or (asked == "mps" and not has_mps):
        raise TrainingError(
            f"`training.device` is `{asked}`, but torch {torch.__version__} finds no such device here. Set "
            "it to `cpu`, or install a torch that was built for it."
        )
    return torch.device(asked), "as asked"


def _precision(asked: str, device: torch.device, module: nn.Module, *, convolves: bool) -> tuple[str, str]:
    if asked != "auto":
        return asked, "as asked"
    if device.type == "mps":
        return "float32", "not measured on this device"
    if not (convolves or getattr(module, "prefers_bfloat16", False)):
        return "float32", "a network of small matrices gains nothing by shorter numbers"
    if has_bfloat16(device):
        return "bfloat16", "the processor multiplies short numbers faster"
    return "float32", "the processor has no instructions for shorter numbers"


def has_bfloat16(device: torch.device) -> bool:
    """Return whether a device computes with bfloat16 itself, rather than by way of longer numbers."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    capability = torch.backends.cpu.get_cpu_capability()
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported()) and capability.startswith("AVX512")
