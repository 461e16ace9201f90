"""`fit` trains any module, from Python alone."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from groundup.core.errors import TrainingError
from groundup.core.events import Event
from groundup.training.fit import fit
from groundup.training.gradient_options import GradientOptions
from groundup.training.options import EarlyStopping

X = torch.randn(200, 3, generator=torch.Generator().manual_seed(0))
Y = X @ torch.tensor([1.0, -2.0, 0.5])


class Recorder:
    """Keeps the kinds of events, and asks to stop after the first look at the validation part."""

    def __init__(self, *, stops: bool = False) -> None:
        self.kinds: list[str] = []
        self.stops = stops

    def on_event(self, event: Event) -> str | None:
        self.kinds.append(event.kind)
        return "stop" if self.stops and event.kind == "round" and event.data["round"] > 0 else None

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        pass


def test_a_module_learns_numbers_with_early_stopping_and_observers() -> None:
    torch.manual_seed(0)
    module, recorder = nn.Linear(3, 1), Recorder()
    result = fit(
        module,
        (X[:150], Y[:150]),
        GradientOptions(epochs=80, batch_size=25, learning_rate=0.05),
        [recorder],
        validation=(X[150:], Y[150:]),
        early_stopping=EarlyStopping(),
    )
    assert result.curve["validation"][-1][1] < 1e-3
    assert {"steps", "round"} <= set(recorder.kinds)


def test_an_observer_can_stop_it() -> None:
    options = GradientOptions(epochs=80, batch_size=25)
    result = fit(nn.Linear(3, 1), (X, Y), options, [Recorder(stops=True)], validation=(X, Y))
    assert result.stopped == "request"
    assert result.n_steps == 8


def test_a_second_call_goes_on_from_the_checkpoints_of_a_killed_one(tmp_path: Path) -> None:
    options = GradientOptions(epochs=5, batch_size=25, checkpoint_seconds=1e-6)

    def train(module: nn.Module, observers: tuple[Recorder, ...] = ()) -> None:
        fit(module, (X, Y), options, observers, checkpoints=tmp_path, seed=3)

    torch.manual_seed(0)
    first, again = nn.Linear(3, 1), nn.Linear(3, 1)
    train(first)
    recorder = Recorder()
    train(again, (recorder,))
    assert torch.equal(first.weight, again.weight)
    assert "steps" not in recorder.kinds


@pytest.mark.parametrize(
    ("data", "told"),
    [((X, Y[:10]), "2 tensors of 10 and 200 rows"), ((X,), "1 tensors of 200 rows")],
)
def test_tensors_that_do_not_belong_together_are_refused(data: tuple[torch.Tensor, ...], told: str) -> None:
    with pytest.raises(TrainingError, match=told):
        fit(nn.Linear(3, 1), data)
