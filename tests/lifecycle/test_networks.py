"""Networks in a run: texts read token by token, one part held out, answers while they learn, options kept."""

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import groundup
from groundup.core.errors import RecipeError
from groundup.recipe import Recipe

pytest.importorskip("torch")
pytest.importorskip("tokenizers")

SHORT = {
    "training.epochs": 4,
    "training.learning_rate": 0.01,
    "preparation.tokens.vocabulary": 400,
    "evaluation.resamples": 200,
}


def reviews(n_rows: int = 240) -> pl.DataFrame:
    random = np.random.default_rng(0)
    good, bad = ["splendid", "moving", "funny and warm"], ["dull", "a waste of time", "tiresome"]
    filler = ["the film", "the plot", "its second half", "the music of this one", "all in all it"]
    y = random.integers(0, 2, n_rows)
    text = [
        f"{random.choice(filler)} was {random.choice(good if each else bad)}, said {random.integers(1_000)}"
        for each in y
    ]
    return pl.DataFrame({"review": text, "verdict": np.where(y, "up", "down")})


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> groundup.Run:
    overrides = {**SHORT, "data.columns": {"review": "text"}}
    folder = tmp_path_factory.mktemp("runs")
    return groundup.train(
        reviews(), "verdict", model=[{"name": "rnn", "width": 16}], overrides=overrides, runs=folder
    )


def test_reads_texts_and_beats_guessing(run: groundup.Run) -> None:
    assert run.metrics["accuracy"]["value"] > 0.9
    row = {"review": "the plot was splendid, said 7"}
    assert run.model.predict_row(row) == "up"
    assert run.model.predict([row, {"review": "all in all it was dull, said 8"}]) == ["up", "down"]


def test_one_part_is_held_out_once(run: groundup.Run) -> None:
    report = json.loads((run.folder / "report.json").read_text())
    assert report["training"]["folds"] == 1
    assert "held out, once" in report["training"]["fold_reason"]
    assert {row["name"] for row in report["leaderboard"]} == {"rnn", "baseline"}
    assert "`rnn` takes long to train" in (run.folder / "recipe.yaml").read_text()


def test_the_terminal_does_not_call_it_cross_validation(run: groundup.Run) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "groundup", "show", run.folder], capture_output=True, text=True, check=True
    )
    assert "held-out" in done.stdout
    assert "cross-validated" not in done.stdout


def test_the_report_shows_the_same_rows_before_and_after(run: groundup.Run) -> None:
    report = json.loads((run.folder / "report.json").read_text())
    samples = report["model"]["facts"]["answers_while_it_learned"]
    assert len(samples) == 4
    assert list(samples[0])[:3] == ["validation row", "truth", "before"]
    assert all(sample["truth"] in ("up", "down") for sample in samples)
    said = (run.folder / "report.html").read_text()
    assert "before" in said
    assert "training options" in said.lower()


def test_what_was_auto_is_resolved_and_leads_to_the_same_model(run: groundup.Run) -> None:
    recipe = Recipe.load(run.folder / "recipe.yaml")
    training = recipe.training.model_dump()
    assert "auto" not in [value for name, value in training.items() if name != "early_stopping"]
    assert recipe.training.batch_size == 16
    assert recipe.preparation.tokens.length is not None
    assert groundup.reproduce(run.folder).equal


def test_tensorboard_and_metrics_hold_every_report(run: groundup.Run) -> None:
    assert list(run.folder.glob("events.out.tfevents.*"))
    with sqlite3.connect(run.folder / "metrics.sqlite") as connection:
        found = connection.execute("select name, count(*) from scalars where fold is null group by name")
        names = dict(found.fetchall())
    connection.close()
    assert {"loss", "learning_rate", "gradient_norm", "train", "validation"} <= set(names)
    assert names["loss"] > names["validation"] == 5  # four epochs, and before them


def test_repeats_ask_for_folds() -> None:
    with pytest.raises(RecipeError, match="2 folds or more"):
        groundup.train(
            "sample:iris",
            "species",
            model="logistic",
            overrides={"evaluation.folds": 1, "evaluation.repeats": 2},
        )


def test_tables_can_be_held_out_once_as_well(tmp_path: Path) -> None:
    overrides = {"evaluation.folds": 1, "evaluation.resamples": 200}
    found = groundup.train(
        "sample:iris", "species", model=["logistic", "knn"], overrides=overrides, runs=tmp_path
    )
    assert found.metrics["accuracy"]["value"] > 0.8


def test_a_table_without_texts_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="choose a learner for tables"):
        groundup.train("sample:iris", "species", model="transformer", runs=tmp_path)


def test_a_loss_of_the_other_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="the target holds classes"):
        groundup.train(
            "sample:iris", "species", model="mlp", overrides={"training.loss": "mse"}, runs=tmp_path
        )
