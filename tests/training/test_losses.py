"""Losses against torch's and the definitions."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from groundup.core.errors import RecipeError
from groundup.training.gradient_options import GradientOptions
from groundup.training.losses import IGNORED, LOSSES, make_loss, weighted

RANDOM = torch.Generator().manual_seed(0)
LOGITS = torch.randn(6, 4, generator=RANDOM)
CODES = torch.tensor([0, 1, 2, 3, 1, 0])
VALUES = torch.randn(6, generator=RANDOM)
ANSWERS = torch.randn(6, 1, generator=RANDOM)


@pytest.mark.parametrize("name", LOSSES)
def test_the_mean_is_the_mean_of_the_single_losses(name: str) -> None:
    loss = make_loss(name, GradientOptions())
    is_class = name in ("cross_entropy", "bce", "focal")
    outputs = LOGITS if is_class else LOGITS[:, :1] if name == "quantile" else ANSWERS
    targets = CODES if is_class else VALUES.abs().round() if name == "poisson" else VALUES
    each = loss(outputs, targets, reduction="none")
    assert each.shape == (6,)
    torch.testing.assert_close(loss(outputs, targets), each.mean())


def test_smoothing_spreads_a_share_of_the_label() -> None:
    loss = make_loss("cross_entropy", GradientOptions(label_smoothing=0.2))
    theirs = nn.CrossEntropyLoss(label_smoothing=0.2)
    torch.testing.assert_close(loss(LOGITS, CODES), theirs(LOGITS, CODES))


def test_tokens_are_judged_one_by_one_and_padding_not_at_all() -> None:
    loss = make_loss("cross_entropy", GradientOptions())
    outputs = LOGITS.view(2, 3, 4)
    targets = CODES.view(2, 3).clone()
    targets[1, 2] = IGNORED
    torch.testing.assert_close(loss(outputs, targets), functional.cross_entropy(LOGITS[:5], CODES[:5]))


def test_mixed_labels_are_probabilities() -> None:
    shares = torch.softmax(torch.randn(6, 4, generator=RANDOM), dim=1)
    expected = -(shares * torch.log_softmax(LOGITS, dim=1)).sum(dim=1).mean()
    torch.testing.assert_close(make_loss("cross_entropy", GradientOptions())(LOGITS, shares), expected)


def test_focal_without_gamma_is_cross_entropy() -> None:
    focal = make_loss("focal", GradientOptions(focal_gamma=0.0))
    torch.testing.assert_close(focal(LOGITS, CODES), functional.cross_entropy(LOGITS, CODES))


def test_bce_takes_one_yes_or_no_question() -> None:
    answers = ANSWERS.squeeze(1)
    asked = (CODES > 1).long()
    expected = functional.binary_cross_entropy_with_logits(answers, asked.float())
    torch.testing.assert_close(make_loss("bce", GradientOptions())(answers, asked), expected)


def test_quantile_is_the_pinball_loss() -> None:
    from sklearn.metrics import mean_pinball_loss

    loss = make_loss("quantile", GradientOptions(quantiles=(0.1, 0.9)))
    outputs = LOGITS[:, :2]
    expected = sum(mean_pinball_loss(VALUES, outputs[:, i], alpha=a) for i, a in ((0, 0.1), (1, 0.9))) / 2
    assert loss(outputs, VALUES).item() == pytest.approx(expected, rel=1e-5)


def test_huber_uses_its_delta() -> None:
    loss = make_loss("huber", GradientOptions(huber_delta=0.3))
    theirs = nn.HuberLoss(delta=0.3)
    torch.testing.assert_close(loss(ANSWERS, VALUES), theirs(ANSWERS.squeeze(1), VALUES))


def test_weights_decide_what_a_row_counts() -> None:
    loss = make_loss("cross_entropy", GradientOptions())
    weights = torch.tensor([1.0, 0, 0, 0, 2, 0])
    each = loss(LOGITS, CODES, reduction="none")
    torch.testing.assert_close(weighted(loss, LOGITS, CODES, weights), (each[0] + 2 * each[4]) / 3)
    torch.testing.assert_close(weighted(loss, LOGITS, CODES, None), each.mean())


def test_smoothing_labels_of_numbers_is_refused() -> None:
    with pytest.raises(RecipeError, match=r"`training\.label_smoothing` is `0\.1`, but the loss `mse`"):
        make_loss("mse", GradientOptions(label_smoothing=0.1))
