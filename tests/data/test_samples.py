"""Samples: real tables inside a required package, read without importing it."""

import subprocess
import sys
from pathlib import Path

import pytest

from groundup.core.errors import DataError, UnknownNameError
from groundup.data import samples
from groundup.data.options import DataOptions
from groundup.data.samples import SAMPLES, load_sample
from groundup.data.sources import read


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_every_sample_is_what_it_says(name: str) -> None:
    sample = SAMPLES[name]
    dataset = read(DataOptions(source=f"sample:{name}"))
    assert sample.name == name
    assert sample.target in dataset.schema
    assert sample.description.replace(" ", "").startswith(str(dataset.n_rows))
    assert dataset.frame()[sample.target].null_count() == 0
    assert dataset.origin == f"sample:{name}"


def test_classes_have_names() -> None:
    assert sorted(load_sample("iris")["species"].unique()) == ["setosa", "versicolor", "virginica"]
    assert sorted(load_sample("breast_cancer")["diagnosis"].unique()) == ["benign", "malignant"]


def test_titanic_does_not_give_the_answer_away() -> None:
    frame = load_sample("titanic")
    assert frame.shape == (1309, 12)
    assert not {"boat", "body"} & set(frame.columns)
    assert frame["age"].null_count() == 263


def test_penguins_have_missing_values() -> None:
    frame = load_sample("penguins")
    assert frame.shape == (344, 7)
    assert sorted(frame["sex"].drop_nulls().unique()) == ["FEMALE", "MALE"]


def test_unknown_and_absent_samples_say_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"no sample `iriss`. Did you mean `iris`"):
        load_sample("iriss")
    monkeypatch.setattr(samples, "_folder", lambda sample: tmp_path)
    with pytest.raises(DataError, match=r"scikit-learn's wheel of version .* holds"):
        load_sample("iris")
    monkeypatch.undo()
    monkeypatch.setattr(samples, "find_spec", lambda name: None)
    with pytest.raises(DataError, match="pip install scikit-learn"):
        load_sample("iris")


def test_samples_are_read_without_importing_their_package() -> None:
    code = (
        "import sys; from groundup.data.samples import load_sample; load_sample('titanic'); "
        "print('sklearn' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
