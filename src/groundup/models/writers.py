"""Learners that learn to write: networks that predict each next token of a text."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import Field

from groundup.core.errors import RecipeError, UnknownNameError
from groundup.core.options import Options
from groundup.core.tasks import GENERATION
from groundup.core.wording import count
from groundup.models.catalogue import checked_options, learner_names
from groundup.models.contract import Choice, Range, SearchSpace

Size = Literal["nano", "small", "base"]
Count = Annotated[int, Field(ge=1, le=65_536)] | Literal["auto"]


@dataclass(frozen=True)
class Dimensions:
    """How large a network is, and what it is shown at once.

    Parameters
    ----------
    depth, width, n_heads, context : int
        See `TransformerWriter`.
    batch_size : int
        Blocks behind one update.
    learning_rate : float
        At its largest.
    """

    depth: int
    width: int
    n_heads: int
    context: int
    batch_size: int
    learning_rate: float


SIZES: Final[Mapping[Size, Dimensions]] = MappingProxyType(
    {
        "nano": Dimensions(2, 64, 2, 64, 16, 1e-2),
        "small": Dimensions(4, 128, 4, 64, 32, 1e-2),
        "base": Dimensions(6, 384, 6, 256, 32, 3e-3),
    }
)
"""Name → what `auto` stands for."""

_NANO_BELOW, _BASE_FROM = 200_000, 20_000_000  # tokens of the training part
_STEPS, _MOST_EPOCHS = 1_000, 100


class TransformerWriter(Options):
    """A Transformer decoder that predicts each next token from those before it."""

    title: ClassVar[str] = "Transformer decoder"
    idea: ClassVar[str] = (
        "Reads a text token by token, lets each token look at those before it, and predicts the next."
    )
    optimizer: ClassVar[str] = "gradient steps on random blocks of the text, backwards through the layers."
    reference: ClassVar[str] = (
        "Vaswani et al. (2017), Attention is all you need; Radford et al. (2019), Language models are "
        "unsupervised multitask learners"
    )
    tasks: ClassVar[tuple[str, ...]] = (GENERATION,)
    architecture: ClassVar[str] = "decoder"

    size: Size | Literal["auto"] = "auto"
    """What `auto` stands for below: `nano` (2 layers of 64), `small` (4 of 128), `base` (6 of 384). `auto`:
    `nano` for less than 200 000 tokens of training text, `base` from 20 million on."""
    depth: Count = "auto"
    """Blocks of attention and units, one above the other."""
    width: Count = "auto"
    """Numbers that stand for a token; a multiple of twice the heads."""
    n_heads: Count = "auto"
    """Parts that attention is divided into; each looks at the text in its own way."""
    context: Count = "auto"
    """Tokens it can look back."""
    activation: Literal["relu2", "swiglu", "gelu"] = "relu2"
    """How the units bend what they are told."""
    dropout: float = Field(default=0.0, ge=0, lt=1)
    """Share of units left out, at random, in each training step; helps where a small text is read often."""
    tied: bool = True
    """Whether the matrix that reads tokens also writes them."""

    @property
    def block_size(self) -> int:
        """Tokens of a block of text: `context`, once it is decided."""
        assert self.context != "auto"
        return self.context

    @classmethod
    def search_space(cls) -> SearchSpace:
        """Return the ranges worth trying."""
        return {
            "depth": Range(2, 12, integer=True),
            "width": Choice((64, 128, 256, 384)),
            "dropout": Range(0.0, 0.3),
        }

    def resolved(self, n_tokens: int) -> tuple["TransformerWriter", dict[str, str]]:
        """Return itself without `auto` for a training text of `n_tokens`, and the reason for each value.

        Raises
        ------
        RecipeError
            If the width cannot be divided among the heads.

        Examples
        --------
        >>> writer, reasons = TransformerWriter(depth=3).resolved(1_000_000)
        >>> writer.size, writer.depth, writer.width, reasons["depth"], reasons["width"]
        ('small', 3, 128, 'as asked', 'of the size `small`')
        """
        size, why = self.size, "as asked"
        if size == "auto":
            size = "nano" if n_tokens < _NANO_BELOW else "base" if n_tokens >= _BASE_FROM else "small"
            why = f"suits {count(n_tokens, 'token')} of training text"
        values: dict[str, Any] = {"size": size}
        reasons = {"size": why}
        for name in ("depth", "width", "n_heads", "context"):
            asked = getattr(self, name)
            values[name] = getattr(SIZES[size], name) if asked == "auto" else asked
            reasons[name] = f"of the size `{size}`" if asked == "auto" else "as asked"
        if self.context == "auto" and values["context"] > (most := max(2, n_tokens // 16)):
            values["context"], reasons["context"] = most, "a sixteenth of the training text"
        if values["width"] % (2 * values["n_heads"]):
            raise RecipeError(
                f"`model.width` is `{values['width']}`, which {values['n_heads']} heads cannot divide into "
                f"even parts. Make it a multiple of {2 * values['n_heads']}.",
                key="width",
            )
        return self.model_copy(update=values), reasons

    def arguments(self, n_tokens: int) -> dict[str, Any]:
        """Return what the network is built with for a vocabulary of `n_tokens`, as JSON values."""
        return {
            "n_tokens": n_tokens,
            "context": self.context,
            "width": self.width,
            "depth": self.depth,
            "n_heads": self.n_heads,
            "activation": self.activation,
            "dropout": self.dropout,
            "is_tied": self.tied,
        }

    def training_defaults(self, n_blocks: int, batch_size: int | Literal["auto"]) -> dict[str, Any]:
        """Return what `auto` stands for in the section `training`, for a text of so many blocks.

        The text is gone through as often as makes a thousand updates, at most a hundred times.
        """
        assert self.size != "auto"
        dimensions = SIZES[self.size]
        size = min(n_blocks, dimensions.batch_size if batch_size == "auto" else batch_size)
        return {
            "epochs": min(_MOST_EPOCHS, max(1, round(_STEPS / max(1, n_blocks // size)))),
            "batch_size": size,
            "optimizer": "muon",
            "learning_rate": dimensions.learning_rate,
            "schedule": "one_cycle",
            "warmup": 0.05,
            "weight_decay": 0.01,
            "loss": "cross_entropy",
            "initialisation": "kaiming",
            "patience": 10,
        }


WRITERS: Final[Mapping[str, type[TransformerWriter]]] = MappingProxyType({"transformer": TransformerWriter})
"""Name → learner for the task `generation`; `model.name: auto` takes the first."""


def make_writer(name: str, hyperparameters: Mapping[str, Any] | None = None) -> TransformerWriter:
    """Return a writer with the given hyperparameters, the others at their defaults.

    Raises
    ------
    RecipeError
        If it is a learner for tables, or a value is out of range.
    UnknownNameError
        If there is no such learner.
    UnknownKeyError
        If it has no such hyperparameter.

    Examples
    --------
    >>> make_writer("transformer", {"depth": 2}).depth
    2
    """
    if name == "auto":
        name = next(iter(WRITERS))
    if name not in WRITERS:
        if name in learner_names():
            able = ", ".join(f"`{each}`" for each in WRITERS)
            raise RecipeError(
                f"`model.name`: the learner `{name}` does not do {GENERATION}. These do: {able}."
            )
        raise UnknownNameError("learner", name, list(WRITERS))
    return checked_options(WRITERS[name], name, hyperparameters)
