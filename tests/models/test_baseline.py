import json
from pathlib import Path

import numpy as np
import pytest

from groundup.core.errors import PackageError
from groundup.core.inputs import Inputs
from groundup.models.baseline import FittedBaseline


def test_classes_get_their_frequencies() -> None:
    fitted = FittedBaseline((0.2, 0.5, 0.3), is_classifier=True)
    predictions = fitted.predict(Inputs({"X": np.empty((4, 0))}))
    assert predictions.values.tolist() == [1, 1, 1, 1]
    assert predictions.probabilities is not None
    assert predictions.probabilities.tolist() == [[0.2, 0.5, 0.3]] * 4


def test_numbers_get_the_mean() -> None:
    fitted = FittedBaseline((2.5,), is_classifier=False)
    assert fitted.predict(Inputs({"X": np.empty((2, 3))})).values.tolist() == [2.5, 2.5]
    assert fitted.predict_row([1.0, 2.0, 3.0]) == 2.5


@pytest.mark.parametrize(
    "content", ["", "{}", "[1]", '{"answer": ["x"], "is_classifier": true}', '{"answer": 3}']
)
def test_a_damaged_file_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "learner.json").write_text(content)
    with pytest.raises(PackageError, match=r"learner\.json"):
        FittedBaseline.load(tmp_path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PackageError):
        FittedBaseline.load(tmp_path)


def test_saves_plain_json(tmp_path: Path) -> None:
    FittedBaseline((0.25, 0.75), is_classifier=True).save(tmp_path)
    assert json.loads((tmp_path / "learner.json").read_text()) == {
        "answer": [0.25, 0.75],
        "is_classifier": True,
    }
