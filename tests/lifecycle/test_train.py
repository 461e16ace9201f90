"""One table, all the way: from a file to a report and a package, from Python."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import groundup as gu
from groundup.core.errors import (
    DataError,
    PackageError,
    ProblemError,
    RecipeError,
    RunError,
    UnknownColumnError,
)
from groundup.core.events import Event, Request
from groundup.core.runs import RunFolder, list_runs
from groundup.data.samples import load_sample
from groundup.lifecycle import predict


class Watcher:
    """An observer that keeps every event, and may ask to stop after some number of fits."""

    def __init__(self, *, stop_after_fits: int | None = None) -> None:
        self.events: list[Event] = []
        self.stop_after_fits = stop_after_fits

    def on_event(self, event: Event) -> Request | None:
        self.events.append(event)
        n_fits = sum(each.kind == "fit_finished" for each in self.events)
        return "stop" if self.stop_after_fits is not None and n_fits >= self.stop_after_fits else None

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: object) -> None:
        pass


@pytest.fixture(scope="module")
def penguins(tmp_path_factory: pytest.TempPathFactory) -> gu.Run:
    """A finished run on real data with numbers, categories and missing values."""
    return gu.train("sample:penguins", "species", runs=tmp_path_factory.mktemp("runs"), name="first")


def test_a_run_leaves_everything_behind(penguins: gu.Run) -> None:
    names = {path.name for path in penguins.folder.iterdir() if not path.name.startswith(".")}
    assert names >= {
        "checkpoints",
        "data.json",
        "findings.json",
        "metrics.sqlite",
        "model",
        "predictions.safetensors",
        "recipe.yaml",
        "report.html",
        "report.json",
        "run.json",
    }
    summary = RunFolder(penguins.folder).read_summary()
    assert (summary.status, summary.test_opened) == ("finished", 1)


def test_scores_have_intervals_and_beat_the_baseline(penguins: gu.Run) -> None:
    report = json.loads((penguins.folder / "report.json").read_text())
    for part in ("train", "validation", "test", "cross_validation", "baseline"):
        score = report[part]["accuracy"]
        assert score["low"] <= score["value"] <= score["high"]
    assert penguins.metrics["accuracy"]["low"] > report["baseline"]["accuracy"]["high"]
    assert penguins.metrics == report["test"]
    assert penguins.leaderboard[-1]["name"] == "baseline"


def test_frames_of_every_kind_give_answers_of_the_same_kind(penguins: gu.Run) -> None:
    table = pl.DataFrame(
        {
            "island": ["Biscoe", "Dream", None],
            "culmen_length_mm": [39.1, 49.0, None],
            "culmen_depth_mm": [18.7, 19.0, 17.0],
            "flipper_length_mm": [181.0, 195.0, 215.0],
            "body_mass_g": [3750.0, 3600.0, 5000.0],
            "sex": ["MALE", "FEMALE", "somewhere else"],
        }
    )
    model = gu.load(penguins.folder)
    answers = model.predict(table)
    assert isinstance(answers, pl.Series)
    pandas = model.predict(table.to_pandas().set_index(pd.Index([7, 8, 9])))
    assert isinstance(pandas, pd.Series)
    assert pandas.index.tolist() == [7, 8, 9]
    assert isinstance(model.predict(table.to_arrow()), pa.Array | pa.ChunkedArray)
    rows = model.predict(table.to_dicts())
    assert (
        answers.to_list() == pandas.to_list() == rows == [model.predict_row(row) for row in table.to_dicts()]
    )
    probabilities = model.predict_proba(table)
    assert probabilities.columns == ["Adelie", "Chinstrap", "Gentoo"]
    for batch_row, row in zip(probabilities.to_dicts(), table.to_dicts(), strict=True):
        assert model.predict_proba_row(row) == pytest.approx(batch_row, abs=1e-12)


def test_the_resolved_recipe_gives_the_same_model(penguins: gu.Run) -> None:
    reproduction = gu.reproduce(penguins.folder)
    assert reproduction.differences == []
    assert reproduction.equal
    recipe = gu.Recipe.load(penguins.folder / "recipe.yaml")
    assert "auto" not in (recipe.problem.task, recipe.model.name, recipe.data.split.method)
    assert isinstance(recipe.training.threads, int)


def test_another_seed_gives_another_split(penguins: gu.Run, tmp_path: Path) -> None:
    again = gu.train(
        "sample:penguins", "species", model="logistic", overrides={"training.seed": 1}, runs=tmp_path
    )
    splits = [
        json.loads((folder / "data.json").read_text())["profile"][0]
        for folder in (penguins.folder, again.folder)
    ]
    assert splits[0] != splits[1]


def test_regression_on_a_frame_keeps_a_copy_that_reproduces(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    rooms, city = random.integers(1, 8, 200), random.choice(["Bonn", "Ulm"], 200)
    price = 10_000 * rooms + 50_000 * (city == "Bonn") + random.normal(0, 5_000, 200)
    frame = pd.DataFrame({"rooms": rooms, "city": city, "price": price})
    run = gu.train(frame, "price", model=["linear", "lightgbm"], runs=tmp_path)
    assert run.metrics["r2"]["low"] > 0.8
    assert {row["name"] for row in run.leaderboard} == {"baseline", "linear", "lightgbm"}
    assert gu.reproduce(run.folder).equal


def test_evaluate_and_predict_files(penguins: gu.Run, tmp_path: Path) -> None:
    from groundup.data.options import DataOptions
    from groundup.data.sources import read
    from groundup.lifecycle import predict

    table = read(DataOptions(source="sample:penguins")).frame()
    table.write_csv(tmp_path / "new.csv")
    scores = gu.evaluate(penguins.folder, tmp_path / "new.csv")
    assert scores["n_rows"] == len(table)
    assert scores["metrics"]["accuracy"]["low"] > scores["baseline"]["accuracy"]["high"]
    result = predict(penguins.folder, tmp_path / "new.csv", tmp_path / "out.csv")
    answers = pl.read_csv(tmp_path / "out.csv")
    assert result["n_rows"] == len(answers) == len(table)
    share = (answers["species"] == table["species"]).mean()
    assert share == pytest.approx(scores["metrics"]["accuracy"]["value"])
    with pytest.raises(DataError, match="no column `species`"):
        gu.evaluate(penguins.folder, table.drop("species"))


def test_events_tell_the_eight_steps_in_order(tmp_path: Path) -> None:
    watcher = Watcher()
    gu.train("sample:iris", "species", model="logistic", runs=tmp_path, observers=[watcher])
    kinds = [event.kind for event in watcher.events]
    assert kinds[0] == "run_started"
    assert kinds[-1] == "run_finished"
    steps = [event.data["step"] for event in watcher.events if event.kind == "step_finished"]
    assert steps == [1, 2, 3, 4, 5, 6, 7, 8]
    assert all(event.data["summary"] for event in watcher.events if event.kind == "step_finished")
    json.dumps([dict(event.data) for event in watcher.events], allow_nan=False)


@pytest.mark.parametrize("n_fits", [0, 1, 7])
def test_a_request_to_stop_keeps_the_best_so_far(penguins: gu.Run, tmp_path: Path, n_fits: int) -> None:
    run = gu.train("sample:penguins", "species", runs=tmp_path, observers=[Watcher(stop_after_fits=n_fits)])
    assert RunFolder(run.folder).read_summary().status == "stopped"
    assert (
        run.model.predict_row({"island": "Dream", **dict.fromkeys(run.model.schema.names)})
        in run.model.classes
    )
    resumed = gu.resume(run.folder)
    assert RunFolder(resumed.folder).read_summary().status == "finished"
    assert resumed.summary["split"]["test_opened"] == 2
    # It goes on from what was asked, not from the one learner that was kept for the time being.
    assert resumed.model.digest == penguins.model.digest
    assert {row["name"] for row in resumed.leaderboard} == {row["name"] for row in penguins.leaderboard}


def test_an_interrupted_run_ends_like_an_uninterrupted_one(penguins: gu.Run, tmp_path: Path) -> None:
    class Crash(Watcher):
        def on_event(self, event: Event) -> Request | None:
            super().on_event(event)
            if sum(each.kind == "fit_finished" for each in self.events) == 8:
                raise KeyboardInterrupt
            return None

    with pytest.raises(KeyboardInterrupt):
        gu.train("sample:penguins", "species", runs=tmp_path, name="killed", observers=[Crash()])
    assert list_runs(tmp_path)[0].is_interrupted
    watcher = Watcher()
    run = gu.resume(tmp_path / "killed", observers=[watcher])
    restored = [event.data["restored"] for event in watcher.events if event.kind == "fit_finished"]
    assert sum(restored) == 8
    assert run.model.digest == penguins.model.digest
    assert run.metrics == penguins.metrics
    with pytest.raises(RunError, match="has ended already"):
        gu.resume(run.folder)


def test_a_run_whose_data_changed_is_not_resumed(tmp_path: Path) -> None:
    class Crash(Watcher):
        def on_event(self, event: Event) -> Request | None:
            if event.kind == "fit_finished":
                raise KeyboardInterrupt
            return None

    table = pl.DataFrame({"a": [i * 37 % 100 / 4 for i in range(100)], "y": [i * 2.5 for i in range(100)]})
    table.write_csv(tmp_path / "t.csv")
    with pytest.raises(KeyboardInterrupt):
        gu.train(tmp_path / "t.csv", "y", runs=tmp_path, name="r", observers=[Crash()])
    table.with_columns(pl.col("y") + 1).write_csv(tmp_path / "t.csv")
    with pytest.raises(RunError, match="have changed"):
        gu.resume(tmp_path / "r")


def test_a_damaged_checkpoint_is_made_again(penguins: gu.Run, tmp_path: Path) -> None:
    run = gu.train("sample:penguins", "species", runs=tmp_path, observers=[Watcher(stop_after_fits=7)])
    path = next((run.folder / "checkpoints").iterdir())
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)
    watcher = Watcher()
    assert gu.resume(run.folder, observers=[watcher]).model.digest == penguins.model.digest
    assert any("damaged" in event.data["message"] for event in watcher.events if event.kind == "note")


def test_wrong_questions_leave_no_run_behind(tmp_path: Path) -> None:
    with pytest.raises(UnknownColumnError, match="Did you mean `species`"):
        gu.train("sample:iris", "specis", runs=tmp_path)
    with pytest.raises(ProblemError, match="No target"):
        gu.train("sample:iris", runs=tmp_path)
    with pytest.raises(RecipeError, match="does not do classification"):
        gu.train("sample:iris", "species", model="ridge", runs=tmp_path)
    with pytest.raises(DataError):
        gu.train(tmp_path / "nothing.csv", "y", runs=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_check_and_init_leave_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = gu.check("sample:penguins", "species")
    assert result.problem.task == "classification"
    assert result.schema["island"].kind == "category"
    json.dumps(result.to_json(), allow_nan=False)
    text = gu.init("sample:penguins", "species")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "recipe.yaml").write_text(text)
    run = gu.train(tmp_path / "recipe.yaml", model="logistic", runs=tmp_path / "runs")
    assert run.summary["model"]["name"] == "logistic"


def test_a_run_without_a_model_says_so(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path, "empty", stem="x")
    with pytest.raises(PackageError, match="no model yet"):
        gu.load(folder.path)


def test_what_follows_from_the_data_is_resolved_so_that_training_again_is_equal(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    x, z = random.normal(size=(2, 200))
    rare = [f"v{n % 90}" if n % 3 else None for n in range(200)]
    frame = pd.DataFrame({"id": range(1, 201), "x": x, "z": z, "rare": rare, "y": 3 * x + z})
    # All levels of `rare` are dropped: its missing values must not cost rows, then or now.
    overrides = {"preparation.columns": {"rare": {"impute": "drop_rows"}, "z": {"drop": True}}}
    source = tmp_path / "rows.csv"
    frame.to_csv(source, index=False)
    run = gu.train(source, "y", model="ridge", overrides=overrides, runs=tmp_path)
    reproduction = gu.reproduce(run.folder)
    assert reproduction.differences == []
    assert reproduction.equal


@pytest.mark.parametrize("n_fits", [1, 7, 12])
def test_a_stopped_run_does_not_judge_a_model_of_one_fold(n_fits: int, tmp_path: Path) -> None:
    run = gu.train("sample:penguins", "species", runs=tmp_path, observers=[Watcher(stop_after_fits=n_fits)])
    assert "verdict" not in run.summary["fit"]
    said = {step["step"]: step["summary"] for step in run.summary["cost"]["steps"]}
    assert "rows of one fold" in said[6]
    assert "whole training part" not in said[6]


def test_the_leaderboard_says_what_the_folds_cannot_tell_apart(penguins: gu.Run) -> None:
    best, *others = [row for row in penguins.leaderboard if row["name"] != "baseline"]
    assert (best["p_value"], best["tied"]) == (None, True)
    for row in others:
        assert row["tied"] == (row["p_value"] > 0.05)
    baseline = penguins.leaderboard[-1]
    assert (baseline["p_value"], baseline["tied"]) == (None, False)
    assert "statistically tied" in penguins.report.read_text(encoding="utf-8")


def test_the_leaderboard_averages_the_folds(penguins: gu.Run) -> None:
    for row in penguins.leaderboard:
        assert row["score"] == pytest.approx(np.mean(row["fold_scores"]))


def test_the_doctors_patches_train_again(tmp_path: Path) -> None:
    first = gu.train("sample:titanic", "survived", model="logistic", runs=tmp_path, name="first")
    codes = {finding.code: finding for finding in first.findings}
    for code in ("D010", "S003"):
        again = gu.train(first.folder / "recipe.yaml", overrides=dict(codes[code].patch), runs=tmp_path)
        assert code not in {
            finding.code for finding in again.findings if finding.column == codes[code].column
        }
        assert gu.reproduce(again.folder).equal
    scores = gu.evaluate(again.folder, _titanic())
    assert scores["metrics"]["roc_auc"]["low"] > scores["baseline"]["roc_auc"]["value"]


def _titanic() -> pl.DataFrame:
    from groundup.data.options import DataOptions
    from groundup.data.sources import read

    return read(DataOptions(source="sample:titanic")).frame()


def test_answers_are_spelled_as_the_target_is(tmp_path: Path) -> None:
    rows = "".join(f"{i % 7},{'Yes' if i % 7 > 3 else 'No'}\n" for i in range(140))
    (tmp_path / "t.csv").write_text("a,churn\n" + rows)
    run = gu.train(
        tmp_path / "t.csv", "churn", model="logistic", overrides={"problem.positive": "yes"}, runs=tmp_path
    )
    assert run.model.classes == ("No", "Yes")
    assert run.model.predict_row({"a": 6}) == "Yes"
    assert run.summary["problem"]["positive"] == "Yes"
    assert gu.reproduce(run.folder).equal
    booleans = pl.DataFrame({"a": [i % 7 for i in range(140)], "y": [i % 7 > 3 for i in range(140)]})
    assert gu.train(booleans, "y", model="logistic", runs=tmp_path).model.predict_row({"a": 6}) is True


def test_a_column_that_gives_the_target_away_is_found_and_its_patch_leaves_it_out(tmp_path: Path) -> None:
    rows = _titanic().with_columns(boat=pl.when(pl.col("survived") == 1).then(pl.lit("C 7")))
    found = {finding.code: finding for finding in gu.check(rows, "survived").findings}
    assert found["D015"].column == "boat"
    run = gu.train(rows, "survived", model="lightgbm", runs=tmp_path)
    assert {"D015", "F006"} <= {finding.code for finding in run.findings}
    again = gu.train(rows, "survived", model="lightgbm", runs=tmp_path, overrides=dict(found["D015"].patch))
    assert not {"D015", "F006"} & {finding.code for finding in again.findings}


def test_wrong_labels_are_found_without_further_fits(tmp_path: Path) -> None:
    rows = load_sample("penguins")
    random = np.random.default_rng(0)
    wrong = random.random(len(rows)) < 0.1
    shifted = {"Adelie": "Gentoo", "Gentoo": "Chinstrap", "Chinstrap": "Adelie"}
    given = [
        shifted[name] if is_wrong else name for name, is_wrong in zip(rows["species"], wrong, strict=True)
    ]
    run = gu.train(rows.with_columns(species=pl.Series(given)), "species", model="logistic", runs=tmp_path)
    (finding,) = [finding for finding in run.findings if finding.code == "F007"]
    named = [row for row, _, _ in finding.evidence["rows"]]
    assert wrong[named].mean() > 0.8
    assert [shifted[rows["species"][row]] for row in named if wrong[row]] == [
        label for row, label, _ in finding.evidence["rows"] if wrong[row]
    ]


def test_new_rows_unlike_the_training_rows_are_told(penguins: gu.Run, tmp_path: Path) -> None:
    rows = load_sample("penguins")
    assert "M001" not in {each["code"] for each in gu.evaluate(penguins.folder, rows)["findings"]}
    changed = rows.with_columns(pl.col("culmen_length_mm") / 25.4, island=pl.lit("Bouvet"))
    told = [each for each in gu.evaluate(penguins.folder, changed)["findings"] if each["code"] == "M001"]
    assert {each["column"] for each in told} == {"culmen_length_mm", "island"}
    emptied = changed.with_columns(island=pl.lit(None, pl.String))
    said = predict(penguins.folder, emptied, tmp_path / "answers.csv")["findings"]
    assert [each["evidence"]["what"] for each in said if each["code"] == "M001"] == ["missing", "outside"]


def test_an_identifier_forced_to_be_a_feature_is_told() -> None:
    rows = load_sample("penguins").with_row_index("penguin_id")
    forced = gu.check(rows, "species", overrides={"data.columns.penguin_id": "number"})
    assert "D017" in {each.code for each in forced.findings}
    assert "D017" not in {each.code for each in gu.check(rows, "species").findings}


@pytest.mark.parametrize("method", ["over", "under"])
def test_classes_are_resampled_for_fitting_alone(tmp_path: Path, method: str) -> None:
    rows = _titanic()

    def mean_probability(**options: str) -> float:
        overrides = {
            "evaluation.resamples": 50,
            **{f"training.{key}": value for key, value in options.items()},
        }
        run = gu.train(rows, "survived", model="logistic", runs=tmp_path, overrides=overrides)
        return float(np.asarray(run.model.predict_proba(rows))[:, 1].mean())

    assert mean_probability(resample=method) > mean_probability() + 0.05


def test_numbers_cannot_be_resampled(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="has no classes"):
        gu.train(_titanic(), "fare", model="ridge", runs=tmp_path, overrides={"training.resample": "over"})
