"""Networks that read texts: they learn, save themselves, and go on where they were killed."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from groundup.core.checkpoints import CheckpointStore
from groundup.core.inputs import Inputs
from groundup.models.catalogue import learner_class, load_fitted, make_learner
from groundup.models.contract import FitContext
from groundup.training.checkpointing import CheckpointKeeper
from groundup.training.gradient_options import GradientOptions
from groundup.training.network_loop import network_loop
from groundup.training.options import EarlyStopping

pytest.importorskip("torch")

SMALL = {
    "transformer": {"width": 24, "n_heads": 2, "dropout": 0.0, "token_dropout": 0.0},
    "rnn": {"width": 12, "dropout": 0.1},
}
EACH = pytest.mark.parametrize("name", SMALL)


def texts(n_rows: int = 400, *, seed: int = 0, is_number: bool = False) -> Inputs:
    """Return rows of tokens whose class depends on whether token 5 comes before token 6."""
    random = np.random.default_rng(seed)
    tokens = np.zeros((n_rows, 12), dtype=np.int32)
    y = random.integers(0, 2, n_rows)
    for row in range(n_rows):
        length = random.integers(4, 13)
        tokens[row, :length] = random.integers(7, 20, length)
        low, high = np.sort(random.permutation(length)[:2])
        tokens[row, [low, high]] = (5, 6) if y[row] else (6, 5)
    return Inputs({"tokens": tokens, "y": y * 10.0 + 100 if is_number else y.astype(np.int64)}, n_tokens=20)


def context(
    n_classes: int = 2,
    *,
    epochs: int = 25,
    keeper: CheckpointKeeper | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> FitContext:
    loop = network_loop(
        options=GradientOptions(epochs=epochs, learning_rate=5e-3, batch_size=16, checkpoint_seconds=1e-6),
        early_stopping=EarlyStopping(patience_rounds=100),
        threads=1,
        keeper=None if keeper is None else lambda _: keeper,
        should_stop=should_stop,
    )
    task = "classification" if n_classes else "regression"
    return FitContext(task, n_classes, 1, 1, None, lambda: False, train_network=loop)  # type: ignore[arg-type]


def bytes_of(fitted: object, folder: Path) -> dict[str, bytes]:
    folder.mkdir()
    fitted.save(folder)  # type: ignore[attr-defined]
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@EACH
def test_learns_what_the_order_of_words_says(name: str, tmp_path: Path) -> None:
    fitted = make_learner(name, SMALL[name]).fit(texts(), texts(60, seed=1), context())
    new = texts(200, seed=2)
    said = fitted.predict(new)
    assert (said.values == new.y).mean() > 0.85
    rows = [fitted.predict_row(row) for row in new.arrays["tokens"][:20]]  # type: ignore[arg-type]
    assert said.probabilities is not None
    np.testing.assert_allclose(rows, said.probabilities[:20], atol=1e-5)
    files = bytes_of(fitted, tmp_path / "saved")
    assert set(files) == {"network.json", "weights.safetensors"}
    loaded = load_fitted(learner_class(name).fitted, tmp_path / "saved")
    np.testing.assert_array_equal(loaded.predict(new).probabilities, said.probabilities)
    samples = fitted.facts()["samples"]
    assert [len(each["answers"]) for each in samples] == [5] * 4
    assert samples[0]["answers"][0][0] == 0


@EACH
def test_predicts_numbers_in_their_own_unit(name: str) -> None:
    train = texts(is_number=True)
    fitted = make_learner(name, SMALL[name]).fit(train, texts(60, seed=1, is_number=True), context(0))
    new = texts(200, seed=2, is_number=True)
    error = np.abs(fitted.predict(new).values.astype(float) - new.y.astype(float)).mean()
    assert error < 3.5  # guessing 105 errs by 5


@EACH
def test_a_fit_that_was_stopped_goes_on_as_if_nothing_had_happened(name: str, tmp_path: Path) -> None:
    learner = make_learner(name, SMALL[name])
    make = partial(learner.fit, texts(96), texts(30, seed=1))
    whole = bytes_of(make(context(epochs=3)), tmp_path / "whole")
    store = CheckpointStore(tmp_path / "checkpoints")

    class Killed(Exception):
        """The process ends here."""

    asked = iter(range(1000))

    def dies() -> bool:
        if next(asked) == 11:
            raise Killed
        return False

    def keeper() -> CheckpointKeeper:
        return CheckpointKeeper(store, "fit", "same", lambda _: None, n_kept=2)

    with pytest.raises(Killed):
        make(context(epochs=3, keeper=keeper(), should_stop=dies))
    resumed = make(context(epochs=3, keeper=keeper()))
    assert bytes_of(resumed, tmp_path / "resumed") == whole


@EACH
def test_a_text_without_words_gets_an_answer(name: str) -> None:
    train = texts(64)
    fitted = make_learner(name, SMALL[name]).fit(train, None, context(epochs=1))
    empty = Inputs({"tokens": np.zeros((2, 12), dtype=np.int32)})
    probabilities = fitted.predict(empty).probabilities
    assert probabilities is not None
    assert np.isfinite(probabilities).all()


@EACH
def test_a_token_that_no_training_row_shows_gets_an_answer(name: str) -> None:
    train = texts(64)
    assert train.arrays["tokens"].max() < 25
    fitted = make_learner(name, SMALL[name]).fit(replace(train, n_tokens=25), None, context(epochs=1))
    last = Inputs({"tokens": np.full((2, 12), 24, dtype=np.int32)})
    probabilities = fitted.predict(last).probabilities
    assert probabilities is not None
    assert np.isfinite(probabilities).all()
