"""The MLP beside other fits of its kind: in an ensemble, and with categories that training did not show."""

from pathlib import Path

import numpy as np
import pytest

from groundup.core.checkpoints import CheckpointStore
from groundup.core.inputs import Inputs
from groundup.models.catalogue import make_learner
from groundup.models.contract import FitContext
from groundup.models.ensembles_fitted import FittedEnsemble
from groundup.training.checkpointing import CheckpointKeeper
from groundup.training.gradient_options import GradientOptions
from groundup.training.network_loop import network_loop

pytest.importorskip("torch")

SMALL = {"width": 8, "depth": 1, "n_members": 2}


def table(n_rows: int = 120) -> Inputs:
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 5, n_rows)
    X = np.column_stack([rng.normal(size=n_rows), codes])
    return Inputs({"X": X, "y": (codes % 2).astype(np.int64)}, ("x", "c"), categorical=(1,))


def context(store: CheckpointStore | None = None) -> FitContext:
    def keeper(seed: int) -> CheckpointKeeper:
        assert store is not None
        return CheckpointKeeper(store, f"fit-{seed}", "same", lambda _: None, n_kept=2)

    loop = network_loop(
        options=GradientOptions(epochs=3, checkpoint_seconds=1e-6),
        early_stopping=None,
        threads=1,
        keeper=None if store is None else keeper,
    )
    return FitContext("classification", 2, 7, 1, None, lambda: False, train_network=loop)  # type: ignore[arg-type]


def test_members_of_a_bag_do_not_go_on_from_each_others_checkpoints(tmp_path: Path) -> None:
    bag = make_learner("bagging", {"learner": {"name": "mlp", **SMALL}, "n_estimators": 3})
    kept = bag.fit(table(), None, context(CheckpointStore(tmp_path)))
    alone = bag.fit(table(), None, context())
    assert isinstance(kept, FittedEnsemble)
    assert isinstance(alone, FittedEnsemble)
    new = table(40)
    said = [member.fitted.predict(new).probabilities for member in kept.members]
    assert not any(np.allclose(said[0], each) for each in said[1:])
    for one, other in zip(said, alone.members, strict=True):
        np.testing.assert_array_equal(one, other.fitted.predict(new).probabilities)


def test_a_code_that_training_did_not_show_counts_as_missing() -> None:
    train = table()
    shown = train.take(np.flatnonzero(train.X[:, 1] < 4))
    fitted = make_learner("mlp", SMALL).fit(shown, None, context())
    row = [0.3, 4.0]
    assert fitted.predict_row(row) == fitted.predict_row([0.3, float("nan")])
    assert fitted.predict(Inputs({"X": np.array([row])})).probabilities is not None
