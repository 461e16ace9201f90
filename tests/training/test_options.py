import pytest
from pydantic import ValidationError

from groundup.training.options import EarlyStopping, TrainingOptions


def test_defaults() -> None:
    options = TrainingOptions()
    assert options.seed == 0
    assert options.threads == "auto"
    assert options.early_stopping == EarlyStopping(patience_rounds=50, min_delta=0.0)


@pytest.mark.parametrize("threads", [0, -1, 2000, "many", 1.5])
def test_refuses_impossible_threads(threads: object) -> None:
    with pytest.raises(ValidationError):
        TrainingOptions.model_validate({"threads": threads})


def test_early_stopping_can_be_turned_off() -> None:
    assert TrainingOptions.model_validate({"early_stopping": None}).early_stopping is None
