"""Runs on folders of pictures."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

import groundup as gu
from groundup.core.errors import RecipeError
from groundup.lifecycle import predict


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for label, color in (("day", (200, 180, 90)), ("night", (20, 30, 60))):
        folder = tmp_path / "photos" / label
        folder.mkdir(parents=True)
        for number in range(40):
            noise = rng.normal(0, 40, (12, 12, 3)) + color
            Image.fromarray(noise.clip(0, 255).astype(np.uint8)).save(folder / f"{number:02}.png")
    (tmp_path / "photos" / "day" / "bad.jpg").write_bytes(b"no picture")
    return tmp_path / "photos"


def test_a_folder_of_pictures_becomes_a_model_that_answers_for_another(photos: Path, tmp_path: Path) -> None:
    run = gu.train(
        str(photos),
        runs=tmp_path / "runs",
        overrides={
            "training.epochs": 8,
            "training.batch_size": 16,
            "model.size": 8,
            "model.name": "cnn",
            "evaluation.learning_curve": False,
        },
    )
    report = run.summary
    assert report["problem"]["target"] == "label"
    assert report["test"]["accuracy"]["value"] > 0.8
    assert [finding["code"] for finding in report["findings"]].count("D021") == 1
    new = photos / "night"
    answers = tmp_path / "answers.csv"
    said = predict(run.folder, str(new), answers)
    table = pl.read_csv(answers)
    assert said["n_rows"] == 40
    assert table["image"].to_list() == [str(each) for each in sorted(new.iterdir())]
    assert (table["label"] == "night").mean() > 0.8
    model = gu.load(run.folder)
    path = str(new / "00.png")
    assert model.predict_proba_row({"image": path})["night"] == pytest.approx(
        model.predict_proba(pl.DataFrame({"image": [path]}))["night"][0], abs=1e-5
    )
    again = gu.reproduce(run.folder)
    assert again.equal


def test_learners_for_tables_say_who_sees_pictures(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="`cnn`, `vit`"):
        gu.train(str(photos), model="logistic", runs=tmp_path / "runs")
