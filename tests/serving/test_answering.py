"""The stage between a learner and a model's answers: the same on a table and a row, kept by the package."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest

from groundup.core.errors import PackageError, PredictionInputError
from groundup.core.inputs import Predictions
from groundup.evaluation.calibrators import Calibrator, Isotonic, Platt, Temperature
from groundup.evaluation.conformal import ConformalScores
from groundup.serving.answering import Answering
from groundup.serving.model import Model

RISING = (0.1, 0.3, 0.9), (0.05, 0.5, 0.97)
CALIBRATORS: dict[str, Calibrator] = {
    "platt": Platt(0.7, 0.4),
    "temperature": Temperature(1.8),
    "isotonic": Isotonic((RISING,)),
}
SCORES = ConformalScores.fit(np.linspace(0.01, 0.99, 99))


Load = Callable[..., Model]


@pytest.mark.parametrize("name", CALIBRATORS)
@pytest.mark.parametrize("learner", ["lightgbm", "logistic"])
@pytest.mark.parametrize("threshold", [None, 0.3])
def test_a_row_is_answered_as_its_table(
    load_with: Load, rows: pl.DataFrame, name: str, learner: str, threshold: float | None
) -> None:
    model = load_with(learner, Answering(CALIBRATORS[name], threshold, 1, SCORES))
    frame, dicts = rows, rows.to_dicts()
    assert model.threshold == threshold
    batch = model.predict_proba(frame).to_numpy()
    single = np.array([list(model.predict_proba_row(row).values()) for row in dicts])
    assert np.abs(batch - single).max() <= 1e-12
    answers = model.predict(frame).to_list()
    assert answers == [model.predict_row(row) for row in dicts]
    expected = batch[:, 1] >= threshold if threshold else batch.argmax(axis=1) == 1
    assert answers == np.where(expected, "1", "0").tolist()
    sets = model.predict_set(frame, 0.8).to_dicts()
    named = [[label for label, is_in in row.items() if is_in] for row in sets]
    assert named == [model.predict_set_row(row, 0.8) for row in dicts]


def test_intervals_of_a_row_and_a_table(load_with: Load, rows: pl.DataFrame) -> None:
    model = load_with("ridge", Answering(conformal=SCORES), task="regression")
    frame = rows
    ends = model.predict_interval(frame)
    assert ends.columns == ["low", "high"]
    assert (ends["high"] - ends["low"]).to_numpy() == pytest.approx(2 * SCORES.radius(0.9))
    for low_high, row in zip(ends.rows(), frame.to_dicts(), strict=True):
        assert model.predict_interval_row(row) == pytest.approx(low_high, abs=1e-12)
    assert isinstance(model.predict_interval(frame.to_dicts())[0]["low"], float)
    with pytest.raises(PredictionInputError, match="Use `predict_interval`"):
        model.predict_set(frame)
    with pytest.raises(PredictionInputError, match=r"at most 0\.99"):
        model.predict_interval(frame, 0.999)


def test_classes_have_no_interval_and_old_packages_no_scores(load_with: Load, rows: pl.DataFrame) -> None:
    model = load_with("baseline", Answering())
    row = rows.to_dicts()[0]
    with pytest.raises(PredictionInputError, match="Use `predict_set`"):
        model.predict_interval_row(row)
    with pytest.raises(PredictionInputError, match="older groundup"):
        model.predict_set_row(row)


def test_the_stage_is_part_of_the_identity(load_with: Load) -> None:
    digests = {
        load_with("baseline", answering).digest
        for answering in (Answering(), Answering(threshold=0.3), Answering(Temperature(2.0)))
    }
    assert len(digests) == 3


def test_a_threshold_needs_two_classes(load_with: Load) -> None:
    with pytest.raises(PackageError, match="a threshold needs two classes"):
        load_with("logistic", Answering(threshold=0.3), classes=3)


def test_numbers_pass_unchanged() -> None:
    predictions = Predictions(np.array([1.0, 2.0]))
    assert Answering(threshold=0.3).apply(predictions) is predictions


@pytest.mark.parametrize(
    "changed", [{"threshold": 1.5}, {"positive": 7}, {"conformal": {"n": 0, "scores": []}}]
)
def test_a_state_that_misfits_is_refused(changed: dict[str, Any]) -> None:
    state = json.loads(json.dumps(Answering(threshold=0.4, conformal=SCORES).state()))
    assert Answering.from_state(state) == Answering(threshold=0.4, conformal=SCORES)
    with pytest.raises(ValueError, match=r"threshold|positive|conformal"):
        Answering.from_state({**state, **changed})
