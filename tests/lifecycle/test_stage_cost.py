"""Stages of the preparation, all the way: told in the terminal, in the report, in the package."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import groundup as gu
from groundup.core.events import Event
from groundup.data.samples import load_sample
from groundup.lifecycle.stage_cost import tell_asked
from groundup.preparation.options import ColumnPreparation, PreparationOptions

OPTIONS = {
    "preparation.impute_numbers": "knn",
    "preparation.select": "univariate",
    "preparation.select_features": 0.8,
    "preparation.reduce": "pca",
    "evaluation.importance_repeats": 3,
}


class Watcher:
    """Keeps what each step said."""

    def __init__(self) -> None:
        self.said: dict[int, str] = {}

    def on_event(self, event: Event) -> None:
        if event.kind == "step_finished":
            self.said[event.data["step"]] = event.data["summary"]

    def state_dict(self) -> dict[str, object]:
        return {}

    def load_state_dict(self, state: object) -> None:
        pass


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> tuple[gu.Run, Watcher]:
    watcher = Watcher()
    run = gu.train(
        "sample:penguins",
        "species",
        model=["logistic", "lightgbm"],
        overrides=OPTIONS,
        runs=tmp_path_factory.mktemp("runs"),
        name="staged",
        observers=[watcher],
    )
    return run, watcher


def test_the_terminal_tells_stages_and_their_cost(staged: tuple[gu.Run, Watcher]) -> None:
    said = staged[1].said
    assert "again in every fold: missing numbers are filled by `knn`" in said[2]
    # What is reduced is the same for every learner, so it is fitted and told once.
    assert said[3].count("Before `") == 1
    assert "Before `logistic`, `lightgbm`: missing values" in said[3]
    assert "inputs kept, those with the largest F statistic" in said[3]
    assert " µs a row, " in said[3]
    assert " µs where a number is missing." in said[3]


def test_the_report_tells_them_too(staged: tuple[gu.Run, Watcher]) -> None:
    facts = staged[0].summary["preparation"]
    assert [stage["stage"] for stage in facts["stages"]] == ["knn", "selection", "pca"]
    assert facts["stages"][-1]["n_features"] == facts["n_features"]
    assert facts["stages_us"]["gap"] > facts["stages_us"]["mean"] > 0
    page = (staged[0].folder / "report.html").read_text()
    assert "What the components are made of" in page
    assert "stored rows" in page


def test_importance_is_of_raw_columns(staged: tuple[gu.Run, Watcher]) -> None:
    rows = staged[0].summary["importance"]
    assert {row["column"] for row in rows} == set(load_sample("penguins").columns) - {"species"}
    assert rows[0]["importance"] > 0.02
    assert {row["column"] for row in rows[:3]} >= {"culmen_length_mm", "culmen_depth_mm"}


def test_rows_are_predicted_like_tables(staged: tuple[gu.Run, Watcher]) -> None:
    model = gu.load(staged[0].folder)
    frame = load_sample("penguins").head(60)
    alone = [model.predict_proba_row(row) for row in frame.to_dicts()]
    together = model.predict_proba(frame)
    expected = np.array([[each[label] for label in model.classes] for each in alone])
    np.testing.assert_allclose(together.to_numpy(), expected, atol=1e-12)


def test_the_resolved_recipe_gives_the_same_model(staged: tuple[gu.Run, Watcher]) -> None:
    assert gu.reproduce(staged[0].folder).equal
    recipe = (staged[0].folder / "recipe.yaml").read_text()
    assert "components hold" in recipe.partition("reduce: pca")[0]


def test_a_column_of_which_nothing_is_selected_need_not_be_known_later(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    size = random.normal(size=200)
    frame = pl.DataFrame({"size": size, "noise": random.normal(size=200), "price": 3 * size + 1})
    run = gu.train(
        frame,
        "price",
        model="ridge",
        overrides={"preparation.select": "sequential", "preparation.select_features": 1},
        runs=tmp_path,
    )
    assert run.model.schema.names == ("size",)
    assert run.model.predict_row({"size": 1.0}) == pytest.approx(4, abs=0.1)
    assert gu.evaluate(run.folder, frame)["metrics"]["r2"]["value"] > 0.99
    described = {
        row["column"]: row
        for row in json.loads((run.folder / "report.json").read_text())["preparation"]["columns"]
    }
    assert described["noise"]["why"] == "left out: none of its inputs was selected"


def test_only_stages_that_are_asked_for_are_told() -> None:
    assert tell_asked(PreparationOptions()) is None
    own = PreparationOptions(columns={"age": ColumnPreparation(impute="iterative")}, reduce="pca")
    assert tell_asked(own) == (
        "Then, on all columns together and again in every fold: missing numbers are filled by `iterative`, "
        "inputs are reduced (`pca`)."
    )
