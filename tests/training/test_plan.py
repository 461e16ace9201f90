"""A plan leaves nothing undecided."""

import pytest
from pydantic import ValidationError
from torch import nn

from groundup.core.errors import TrainingError
from groundup.training.gradient_options import GradientOptions
from groundup.training.options import EarlyStopping
from groundup.training.plan import DEFAULTS, fill_in, make_plan


def test_every_auto_is_replaced_with_a_reason() -> None:
    filled, reasons = fill_in(GradientOptions(), {"epochs": 7})
    plan = make_plan(filled, nn.Linear(2, 2), 10, reasons=reasons)
    left = {name for name, value in plan.options.model_dump().items() if value in ("auto", "default")}
    assert left == set()
    assert plan.n_steps == 70
    assert plan.reasons["epochs"] == "the learner's default"
    assert set(DEFAULTS) <= set(plan.reasons)


def test_the_resolved_options_lead_to_the_same_plan() -> None:
    filled, reasons = fill_in(GradientOptions(optimizer="muon", steps=55), {})
    plan = make_plan(filled, nn.Conv2d(1, 1, 1), 10, reasons=reasons)
    again, _ = fill_in(GradientOptions.model_validate(plan.options.model_dump()), {"batch_size": 3})
    assert make_plan(again, nn.Conv2d(1, 1, 1), 10).options == plan.options
    assert plan.momentum == 0.95
    assert plan.n_steps == 55


def test_validation_is_looked_at_every_epoch_or_five_times() -> None:
    filled, _ = fill_in(GradientOptions(epochs=100), {})
    assert make_plan(filled, nn.Linear(2, 2), 10).evaluate_every == 10
    filled, _ = fill_in(GradientOptions(epochs=1), {})
    assert make_plan(filled, nn.Linear(2, 2), 400).evaluate_every == 80


def test_patience_is_the_learners_unless_asked_for() -> None:
    filled, _ = fill_in(GradientOptions(), {})
    module = nn.Linear(2, 2)
    assert make_plan(filled, module, 1).patience is None
    assert make_plan(filled, module, 1, early_stopping=EarlyStopping(), default_patience=6).patience == 6
    asked = EarlyStopping(patience_rounds=3)
    assert make_plan(filled, module, 1, early_stopping=asked, default_patience=6).patience == 3


def test_epochs_and_steps_exclude_each_other() -> None:
    with pytest.raises(ValidationError, match="either `epochs` or `steps`, not both"):
        GradientOptions(epochs=3, steps=4)


def test_a_device_that_is_not_there_is_refused() -> None:
    filled, _ = fill_in(GradientOptions(device="mps"), {})
    with pytest.raises(TrainingError, match=r"`training\.device` is `mps`"):
        make_plan(filled, nn.Linear(2, 2), 1)


def test_only_what_gains_by_short_numbers_gets_them() -> None:
    filled, _ = fill_in(GradientOptions(device="cpu"), {})
    assert make_plan(filled, nn.Linear(2, 2), 1).hardware.precision == "float32"
    convolution = make_plan(filled, nn.Conv2d(1, 1, 1), 1).hardware
    assert convolution.channels_last
    assert convolution.precision in ("float32", "bfloat16")
