import pytest
from pydantic import ValidationError

from groundup.training.options import EarlyStopping, TrainingOptions


def test_defaults() -> None:
    options = TrainingOptions()
    assert options.seed == 0
    assert options.threads == "auto"
    assert options.early_stopping == EarlyStopping(patience_rounds="auto", min_delta=0.0)


@pytest.mark.parametrize("threads", [0, -1, 2000, "many", 1.5])
def test_refuses_impossible_threads(threads: object) -> None:
    with pytest.raises(ValidationError):
        TrainingOptions.model_validate({"threads": threads})


def test_early_stopping_can_be_turned_off() -> None:
    assert TrainingOptions.model_validate({"early_stopping": None}).early_stopping is None


def test_classes_are_named_by_text() -> None:
    given = {3: 2, 2.0: 3, True: 4, "bad": 5}
    options = TrainingOptions.model_validate({"class_weight": {**given, "1.5": 1}})
    assert options.class_weight == {"3": 2.0, "2": 3.0, "True": 4.0, "bad": 5.0, "1.5": 1.0}
    assert TrainingOptions.model_validate(options.model_dump(mode="json")) == options


@pytest.mark.parametrize(
    "weights", ["balance", {}, {"a": 0}, {"a": -1}, {"a": "heavy"}, {"a": float("inf")}, 3]
)
def test_refuses_weights_that_mean_nothing(weights: object) -> None:
    with pytest.raises(ValidationError, match="`none`, `balanced`, or a weight above 0"):
        TrainingOptions.model_validate({"class_weight": weights})
