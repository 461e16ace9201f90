"""The loop learns, reports, stops, and goes on after a kill as if nothing had happened."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from groundup.core.checkpoints import CheckpointStore
from groundup.core.errors import RunError, TrainingError
from groundup.training.batches import TensorBatches
from groundup.training.checkpointing import CheckpointKeeper
from groundup.training.fit_state import weights_of
from groundup.training.gradient_options import GradientOptions
from groundup.training.loop import GradientFit, GradientResult, Watch
from groundup.training.losses import make_loss
from groundup.training.options import EarlyStopping
from groundup.training.plan import Plan, fill_in, make_plan

RANDOM = torch.Generator().manual_seed(0)
X = torch.randn(240, 6, generator=RANDOM)
Y = (X[:, 0] * X[:, 1] + 0.1 * torch.randn(240, generator=RANDOM) > 0).long()
TRAIN, HELD_OUT = slice(0, 180), slice(180, 240)


class Killed(BaseException):
    """What ends a fit from outside."""


def make_module() -> nn.Module:
    torch.manual_seed(1)
    return nn.Sequential(
        nn.Linear(6, 24),
        nn.BatchNorm1d(24),
        nn.ReLU(),
        nn.Dropout(0.2),
        nn.Linear(24, 24),
        nn.ReLU(),
        nn.Linear(24, 2),
    )


def plan_for(module: nn.Module, batches: TensorBatches, *, patience: int | None = 4, **options: Any) -> Plan:
    values = {"epochs": 12, "batch_size": 20, "learning_rate": 0.01, "checkpoint_seconds": 1e-6, **options}
    filled, reasons = fill_in(GradientOptions.model_validate(values), {})
    stopping = None if patience is None else EarlyStopping(patience_rounds=patience)
    return make_plan(filled, module, batches.n_batches, early_stopping=stopping, reasons=reasons, seed=7)


def run(
    module: nn.Module,
    *,
    keeper: CheckpointKeeper | None = None,
    watch: Mapping[str, Any] | None = None,
    **options: Any,
) -> GradientResult:
    batches = TensorBatches((X[TRAIN],), Y[TRAIN], 20, seed=3)
    plan = plan_for(module, batches, **options)
    fit = GradientFit(
        module,
        batches,
        make_loss("cross_entropy", plan.options),
        plan,
        validation=TensorBatches((X[HELD_OUT],), Y[HELD_OUT], 32),
        watch=Watch(keeper=keeper, **(watch or {})),
    )
    return fit.run()


def keeper_in(folder: Path, told: list[str], identity: str = "this") -> CheckpointKeeper:
    return CheckpointKeeper(CheckpointStore(folder), "mlp-final", identity, told.append)


def kill_at(step: int) -> dict[str, Any]:
    """Return watchers that end the process, as it were, once `step` updates are made."""
    n_asked = 0

    def should_stop() -> bool:
        nonlocal n_asked
        n_asked += 1
        if n_asked > step:
            raise Killed
        return False

    return {"should_stop": should_stop}


def equal(one: nn.Module, other: nn.Module) -> bool:
    ours, theirs = weights_of(one), weights_of(other)
    return all(torch.equal(ours[name], theirs[name]) for name in ours)


SETTINGS: list[dict[str, Any]] = [
    {},
    {"optimizer": "muon", "ema": 0.9},
    {"optimizer": "sgd", "schedule": "plateau", "step_epochs": 2, "accumulate": 2, "patience": None},
    {"optimizer": "rmsprop", "schedule": "cosine", "clip_norm": None, "patience": None},
]


@pytest.mark.parametrize("options", SETTINGS)
@pytest.mark.parametrize("step", [1, 9, 47])
def test_killed_and_resumed_equals_uninterrupted(step: int, options: dict[str, Any], tmp_path: Path) -> None:
    whole = make_module()
    result = run(whole, **options)
    told: list[str] = []
    interrupted = make_module()
    keeper = keeper_in(tmp_path, told)
    with pytest.raises(Killed):
        run(interrupted, keeper=keeper, watch=kill_at(step), **options)
    keeper.wait()
    torch.manual_seed(99)  # another process has other random numbers
    resumed = make_module()
    again = run(resumed, keeper=keeper_in(tmp_path, told), **options)
    assert equal(resumed, whole)
    assert again.curve == result.curve
    assert (again.n_steps, again.best_step, again.stopped) == (
        result.n_steps,
        result.best_step,
        result.stopped,
    )
    assert told == []


def test_resuming_at_the_very_end_trains_no_more(tmp_path: Path) -> None:
    first, again, events = make_module(), make_module(), []
    result = run(first, keeper=keeper_in(tmp_path, []))
    watch = {"emit": lambda kind, **data: events.append(kind)}
    assert run(again, keeper=keeper_in(tmp_path, []), watch=watch).curve == result.curve
    assert equal(first, again)
    assert "steps" not in events


def test_a_checkpoint_of_another_recipe_is_refused(tmp_path: Path) -> None:
    run(make_module(), keeper=keeper_in(tmp_path, []))
    with pytest.raises(RunError, match="another recipe or other data"):
        run(make_module(), keeper=keeper_in(tmp_path, [], identity="other"))


def test_the_same_seed_gives_the_same_weights_whatever_happened_before() -> None:
    one, other = make_module(), make_module()
    run(one)
    torch.rand(17)
    run(other)
    assert equal(one, other)


def test_fitting_leaves_the_generator_of_its_caller_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    module = nn.Linear(6, 2)
    torch.manual_seed(5)
    run(module)
    assert torch.equal(torch.rand(3), expected)


def test_it_learns_what_a_linear_model_cannot() -> None:
    module = make_module()
    result = run(module, epochs=60, patience=None)
    with torch.no_grad():
        accuracy = float((module(X[HELD_OUT]).argmax(dim=1) == Y[HELD_OUT]).float().mean())
    assert accuracy > 0.75
    assert result.stopped == "limit"


def test_the_best_weights_are_returned_and_patience_ends_the_fit() -> None:
    module = make_module()
    result = run(module, epochs=200, patience=3, learning_rate=0.05, schedule="constant")
    losses = dict(result.curve["validation"])
    assert result.stopped == "patience"
    assert result.best_step == min(losses, key=losses.__getitem__)
    with torch.no_grad():
        loss = nn.functional.cross_entropy(module(X[HELD_OUT]), Y[HELD_OUT])
    assert float(loss) == pytest.approx(losses[result.best_step], rel=1e-5)


def test_gradients_may_accumulate_over_parts_of_a_batch() -> None:
    modules = [nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 2)) for _ in range(2)]
    modules[1].load_state_dict(modules[0].state_dict())
    for module, accumulate in zip(modules, (1, 4), strict=True):
        run(module, accumulate=accumulate, epochs=2)
    for one, other in zip(modules[0].parameters(), modules[1].parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4)


def test_asking_to_stop_keeps_the_best_so_far() -> None:
    asked = iter(range(1_000))
    result = run(make_module(), watch={"should_stop": lambda: next(asked) > 30})
    assert result.stopped == "request"
    assert result.n_steps < 40


def test_a_fit_that_was_asked_to_stop_goes_on_when_it_is_resumed(tmp_path: Path) -> None:
    whole, module = make_module(), make_module()
    expected = run(whole)
    asked = iter(range(1_000))
    stop = {"should_stop": lambda: next(asked) > 30}
    assert run(module, keeper=keeper_in(tmp_path, []), watch=stop).stopped == "request"
    result = run(again := make_module(), keeper=keeper_in(tmp_path, []))
    assert (result.n_steps, result.stopped) == (expected.n_steps, expected.stopped)
    assert equal(again, whole)


def test_a_loss_that_is_no_number_before_anything_was_learned_is_an_error() -> None:
    module = make_module()
    batches = TensorBatches((X[TRAIN] * torch.inf,), Y[TRAIN], 20, seed=0)
    plan = plan_for(module, batches)
    with pytest.raises(TrainingError, match="The training loss became `nan` by step 1"):
        GradientFit(module, batches, make_loss("cross_entropy", plan.options), plan).run()


def test_a_loss_that_explodes_later_ends_the_fit_with_the_last_good_weights() -> None:
    module = make_module()
    result = run(module, learning_rate=90.0, optimizer="sgd", clip_norm=None, schedule="constant", epochs=100)
    assert result.stopped in ("diverged", "patience")
    assert all(bool(torch.isfinite(weight).all()) for weight in module.parameters())


def test_reports_tell_loss_rate_norm_and_speed() -> None:
    told: list[tuple[str, dict[str, Any]]] = []
    run(make_module(), watch={"emit": lambda kind, **data: told.append((kind, data))})
    steps = [data for kind, data in told if kind == "steps"]
    assert set(steps[0]["metrics"]) == {"loss", "learning_rate", "samples_per_second", "gradient_norm"}
    rounds = [data for kind, data in told if kind == "round"]
    assert rounds[0]["round"] == 0
    assert set(rounds[0]["metrics"]) == {"validation"}
    assert set(rounds[1]["metrics"]) == {"train", "validation"}


def test_the_network_is_shown_before_during_and_after() -> None:
    seen: list[int] = []

    def show(module: nn.Module) -> list[float]:
        assert not module.training
        return [float(value) for value in module(X[:1])[0]]

    def emit(kind: str, **data: Any) -> None:
        if kind == "samples":
            seen.append(data["step"])
            assert len(data["samples"]) == 2

    run(make_module(), watch={"emit": emit, "show": show}, epochs=3)
    assert seen == [0, 9, 18, 27]


def test_metrics_see_the_whole_validation_part() -> None:
    def accuracy(outputs: Tensor, targets: Tensor) -> dict[str, float]:
        assert outputs.shape == (60, 2)
        return {"accuracy": float((outputs.argmax(dim=1) == targets).float().mean())}

    module, told = make_module(), []
    batches = TensorBatches((X[TRAIN],), Y[TRAIN], 20, seed=3)
    plan = plan_for(module, batches, epochs=2)
    GradientFit(
        module,
        batches,
        make_loss("cross_entropy", plan.options),
        plan,
        validation=TensorBatches((X[HELD_OUT],), Y[HELD_OUT], 32),
        metrics=accuracy,
        watch=Watch(emit=lambda kind, **data: told.append(data) if kind == "round" else None),
    ).run()
    assert all(0 <= data["metrics"]["accuracy"] <= 1 for data in told)


def test_out_of_memory_says_which_batch_to_try(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_inputs: Tensor) -> Tensor:
        raise RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory")

    module = make_module()
    monkeypatch.setattr(module, "forward", refuse)
    with pytest.raises(TrainingError, match=r"`training.accumulate: 2`.*`training.batch_size: 10`"):
        run(module)
