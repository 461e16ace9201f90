"""The learner that writes: its sizes, and what `auto` becomes."""

import pytest

from groundup.core.errors import RecipeError, UnknownKeyError, UnknownNameError
from groundup.models.networks.architectures import build
from groundup.models.writers import SIZES, TransformerWriter, make_writer


@pytest.mark.parametrize(
    ("n_tokens", "size"), [(5_000, "nano"), (200_000, "small"), (1_000_000, "small"), (20_000_000, "base")]
)
def test_the_size_follows_the_text(n_tokens: int, size: str) -> None:
    writer, reasons = TransformerWriter().resolved(n_tokens)
    assert writer.size == size
    assert "training text" in reasons["size"]
    assert "auto" not in writer.model_dump().values()


def test_numbers_replace_those_of_a_size() -> None:
    writer, reasons = TransformerWriter(size="base", depth=1, context=32).resolved(10_000)
    assert (writer.depth, writer.width, writer.context) == (1, SIZES["base"].width, 32)
    assert (reasons["depth"], reasons["width"]) == ("as asked", "of the size `base`")


def test_a_context_is_no_longer_than_a_small_text_allows() -> None:
    writer, reasons = TransformerWriter().resolved(160)
    assert writer.context == 10
    assert "sixteenth" in reasons["context"]


def test_a_width_that_heads_cannot_divide_is_refused() -> None:
    with pytest.raises(RecipeError, match=r"`30`, which 4 heads.*multiple of 8"):
        TransformerWriter(width=30, n_heads=4).resolved(1_000)


def test_training_lasts_a_thousand_updates_or_a_hundred_passes() -> None:
    writer, _ = TransformerWriter(size="small").resolved(1_000_000)
    assert writer.training_defaults(16_000, "auto")["epochs"] == 2
    assert writer.training_defaults(16_000, 16)["epochs"] == 1
    assert writer.training_defaults(40, "auto")["epochs"] == 100
    assert writer.training_defaults(10**7, "auto")["epochs"] == 1
    assert writer.training_defaults(10, "auto")["batch_size"] == 10


def test_what_it_is_built_with_is_what_it_says() -> None:
    writer, _ = TransformerWriter(size="nano", tied=False, activation="swiglu").resolved(10_000)
    decoder = build(writer.architecture, writer.arguments(50))
    assert len(decoder.blocks) == 2
    assert decoder.head.weight.shape == (50, 64)


def test_names_and_options_that_do_not_exist() -> None:
    with pytest.raises(RecipeError, match=r"`ridge` does not do generation.*`transformer`"):
        make_writer("ridge")
    with pytest.raises(UnknownNameError, match="Did you mean `transformer`"):
        make_writer("transfromer")
    with pytest.raises(UnknownKeyError, match="`width`"):
        make_writer("transformer", {"widht": 3})
    assert make_writer("auto") == TransformerWriter()
