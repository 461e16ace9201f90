"""Networks that look at pictures: they learn a shape wherever it is, and their packages answer alike."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from groundup.core.errors import NotExplainedError
from groundup.core.inputs import Inputs
from groundup.models.catalogue import load_fitted, make_learner
from groundup.models.contract import FitContext, Fitted
from groundup.models.contributions import explain
from groundup.training.gradient_options import GradientOptions
from groundup.training.network_loop import network_loop
from groundup.training.options import EarlyStopping
from groundup.training.rounds import run_rounds

SMALL: dict[str, dict[str, object]] = {
    "cnn": {"size": 8},
    "vit": {"size": 32, "depth": 2, "patch": 3, "dropout": 0.0},
}
EACH = pytest.mark.parametrize("name", SMALL)


def bars(n_rows: int, *, seed: int, side: int = 9, n_channels: int = 1) -> Inputs:
    """Return bytes with a bar somewhere, lying (0) or standing (1), in noise."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 60, (n_rows, side, side, n_channels)).astype(np.uint8)
    y = rng.integers(0, 2, n_rows)
    for image, is_standing, (row, column) in zip(
        images, y, rng.integers(0, side - 4, (n_rows, 2)), strict=True
    ):
        part = image[row : row + 5, column] if is_standing else image[row, column : column + 5]
        part += 120
    return Inputs({"images": images, "y": y.astype(np.int64)})


def context(task: str = "classification", *, epochs: int = 6, seed: int = 0) -> FitContext:
    loop = partial(run_rounds, early_stopping=None, emit=lambda **fact: None, should_stop=lambda: False)
    return FitContext(
        task=task,  # type: ignore[arg-type]
        n_classes=2 if task == "classification" else 0,
        seed=seed,
        threads=1,
        run_rounds=loop,
        should_stop=lambda: False,
        train_network=network_loop(
            options=GradientOptions(epochs=epochs, batch_size=32, device="cpu"),
            early_stopping=EarlyStopping(),
            threads=1,
        ),
    )


def fit(name: str, train: Inputs, validation: Inputs | None = None, **more: object) -> Fitted:
    return make_learner(name, SMALL[name] | more).fit(train, validation, context())


@EACH
def test_learns_a_shape_wherever_it_is(name: str) -> None:
    fitted = fit(name, bars(600, seed=0), bars(100, seed=1))
    test = bars(200, seed=2)
    assert (fitted.predict(test).values == test.y).mean() > 0.95


@EACH
def test_a_package_answers_alike_row_by_row(name: str, tmp_path: Path) -> None:
    fitted = fit(name, bars(64, seed=0, n_channels=3))
    fitted.save(tmp_path)
    again = load_fitted("groundup.models.network_fitted:FittedNetwork", tmp_path)
    test = bars(20, seed=2, n_channels=3)
    probabilities = fitted.predict(test).probabilities
    assert probabilities is not None
    np.testing.assert_array_equal(again.predict(test).probabilities, probabilities)
    rows = [again.predict_row(image) for image in test.arrays["images"]]  # type: ignore[arg-type]
    np.testing.assert_allclose(rows, probabilities, atol=1e-5)
    with pytest.raises(NotExplainedError):
        explain(again, test)


@EACH
def test_the_same_seed_gives_the_same_weights_with_pictures_that_are_varied(name: str) -> None:
    plain = bars(64, seed=0)
    varied = Inputs(plain.arrays, augment=("shift", "flip"))
    test = bars(20, seed=2)
    first, again, other = (fit(name, each).predict(test).probabilities for each in (varied, varied, plain))
    assert first is not None
    assert again is not None
    assert other is not None
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 1e-6


@EACH
def test_predicts_numbers(name: str) -> None:
    train, test = bars(400, seed=0), bars(100, seed=2)
    learner = make_learner(name, SMALL[name])
    y = train.y.astype(np.float64)
    fitted = learner.fit(train.with_target(1000 + 500 * y), None, context("regression"))
    errors = fitted.predict(test).values - (1000 + 500 * test.y)
    assert np.sqrt(np.mean(errors.astype(float) ** 2)) < 125


def test_brightness_is_measured_on_the_training_pictures() -> None:
    train = bars(50, seed=0, n_channels=2)
    images = train.arrays["images"].astype(float)
    arguments = make_learner("cnn").arguments(train, 2)  # type: ignore[attr-defined]
    np.testing.assert_allclose(arguments["mean"], images.mean(axis=(0, 1, 2)))
    np.testing.assert_allclose(arguments["deviation"], images.std(axis=(0, 1, 2)))
    blank = Inputs({"images": np.full((5, 8, 8, 1), 7, np.uint8)})
    assert make_learner("cnn").arguments(blank, 2)["deviation"] == [1.0]  # type: ignore[attr-defined]


@pytest.mark.parametrize(("side", "n_stages", "stride"), [(8, 3, 1), (32, 3, 1), (64, 4, 2), (160, 4, 4)])
def test_networks_fit_their_pictures(side: int, n_stages: int, stride: int) -> None:
    train = Inputs({"images": np.zeros((2, side, side, 3), np.uint8)})
    cnn = make_learner("cnn", {"size": "medium"}).arguments(train, 4)  # type: ignore[attr-defined]
    assert (cnn["widths"][0], len(cnn["widths"]), cnn["stem_stride"]) == (32, n_stages, stride)
    vit = make_learner("vit").arguments(train, 4)  # type: ignore[attr-defined]
    assert 4 <= side / vit["patch"] <= 8
