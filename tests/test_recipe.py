"""The recipe: sections, errors with lines, overrides, the resolved file."""

import json
from pathlib import Path

import pytest

from groundup.core.errors import RecipeError, UnknownKeyError, UnknownNameError
from groundup.recipe import Recipe, recipe_schema

SMALLEST = {"data": {"source": "/x/houses.csv"}, "problem": {"target": "price"}}


def load(tmp_path: Path, text: str) -> Recipe:
    path = tmp_path / "recipe.yaml"
    path.write_text(text)
    return Recipe.load(path)


def test_source_and_target_are_enough() -> None:
    recipe = Recipe.from_values(SMALLEST)
    assert recipe.problem.task == "auto"
    assert recipe.model.name == "auto"
    assert recipe.asked() == SMALLEST


def test_a_relative_source_is_relative_to_the_recipe(tmp_path: Path) -> None:
    recipe = load(tmp_path, "data: {source: houses.csv}\n")
    assert recipe.data.source == str(tmp_path / "houses.csv")
    assert load(tmp_path, "data: {source: 'sample:iris'}\n").data.source == "sample:iris"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("problem:\n  tarjet: price\n", ["recipe.yaml:2", "`tarjet`", "Did you mean `target`?"]),
        ("trainin:\n  seed: 1\n", ["recipe.yaml:1", "`trainin`", "Did you mean `training`?"]),
        (
            "training:\n  early_stopping:\n    patience: 3\n",
            ["recipe.yaml:3", "`patience`", "Did you mean `patience_rounds`?"],
        ),
        (
            "training:\n  seed: -1\n",
            ["recipe.yaml:2", "`training.seed`", "`-1`", "greater than or equal to 0"],
        ),
        ("data:\n  split:\n    test: 1.5\n", ["recipe.yaml:3", "`data.split.test`", "less than 1"]),
        ("problem:\n  task: clasification\n", ["recipe.yaml:2", "`problem.task`", "'classification'"]),
        ("model:\n  name: lightgbm\n  n_leaves: 4\n", ["recipe.yaml:3", "`n_leaves`", "`num_leaves`"]),
        ("model:\n  name: ridge\n  alpha: -1\n", ["recipe.yaml:3", "`alpha`", "`-1`"]),
        (
            "preparation:\n  columns:\n    age: {scal: none}\n",
            ["recipe.yaml:3", "`scal`", "Did you mean `scale`?"],
        ),
        ("model: lightgbm\n", ["recipe.yaml:1", "`model`"]),
        ("data:\n  columns: {zip: number2}\n", ["recipe.yaml:2", "number2", "'number'"]),
    ],
)
def test_an_error_names_line_key_value_and_remedy(tmp_path: Path, text: str, parts: list[str]) -> None:
    with pytest.raises(RecipeError) as caught:
        load(tmp_path, text)
    for part in parts:
        assert part in str(caught.value)


def test_an_unknown_learner_is_named() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean `lightgbm`"):
        Recipe.from_values({"model": {"name": "lightgmb"}})


def test_overrides_are_read_as_yaml_and_checked() -> None:
    recipe = Recipe.from_values(SMALLEST).with_overrides(
        {
            "training.seed": "3",
            "data.drop": "[a, b]",
            "training.early_stopping": "null",
            "problem.target": "cost",
        }
    )
    assert recipe.training.seed == 3
    assert recipe.data.drop == ("a", "b")
    assert recipe.training.early_stopping is None
    assert recipe.problem.target == "cost"
    with pytest.raises(UnknownKeyError, match="Did you mean `seed`"):
        recipe.with_overrides({"training.sed": "3"})
    with pytest.raises(RecipeError, match="is a value, not a section"):
        recipe.with_overrides({"training.seed.x": "3"})


def test_another_learner_drops_the_hyperparameters_of_the_one_before() -> None:
    recipe = Recipe.from_values({"model": {"name": "lightgbm", "num_leaves": 7}})
    assert recipe.with_overrides({"model.name": "lightgbm"}).model.hyperparameters == {"num_leaves": 7}
    assert recipe.with_overrides({"model.name": "ridge"}).model.hyperparameters == {}


def test_candidates_may_have_hyperparameters() -> None:
    model = {"candidates": ["ridge", {"name": "lightgbm", "num_leaves": 7}]}
    learners = Recipe.from_values({"model": model}).learners()
    assert list(learners) == ["ridge", "lightgbm"]
    assert learners["lightgbm"].model_dump()["num_leaves"] == 7
    with pytest.raises(RecipeError, match="needs a `name`"):
        Recipe.from_values({"model": {"candidates": [{"num_leaves": 7}]}})
    with pytest.raises(RecipeError, match="num_leaves"):
        Recipe.from_values({"model": {"name": "auto", "num_leaves": 7}})


def test_the_written_recipe_is_the_same_recipe(tmp_path: Path) -> None:
    recipe = Recipe.from_values(
        {**SMALLEST, "data": {"source": "/x/h.csv", "columns": {"a.b: c": "category"}}}
    )
    text = recipe.to_yaml(
        reasons={"data.columns.a.b: c": "it has 3 values", "training.seed": "the default"}, with_help=True
    )
    (tmp_path / "again.yaml").write_text(text)
    assert Recipe.load(tmp_path / "again.yaml").model_dump() == recipe.model_dump()
    assert "# it has 3 values" in text
    assert "The one seed" in text


def test_the_schema_describes_every_section_and_learner() -> None:
    schema = recipe_schema()
    json.dumps(schema)
    assert set(schema["properties"]) == set(Recipe.model_fields)
    names = {choice["properties"]["name"]["const"] for choice in schema["$defs"]["ModelOptions"]["anyOf"]}
    assert {"auto", "ridge", "lightgbm"} <= names
    assert all("description" in field for field in schema["properties"].values())


def test_a_column_exception_is_set_by_its_path() -> None:
    recipe = Recipe.from_values({}).with_overrides({"preparation.columns.home.dest.drop": "true"})
    assert recipe.preparation.columns["home.dest"].drop
    recipe = recipe.with_overrides({"preparation.columns.age": "{scale: robust}"})
    assert recipe.preparation.columns["age"].scale == "robust"


def test_naming_a_group_changes_how_rows_are_split() -> None:
    recipe = Recipe.from_values({"data": {"split": {"method": "stratified"}}})
    assert recipe.with_overrides({"data.split.group": "ticket"}).data.split.method == "auto"
    with pytest.raises(RecipeError, match="method: auto"):
        Recipe.from_values({"data": {"split": {"method": "stratified", "group": "ticket"}}})


def test_a_candidate_stands_once() -> None:
    candidates = ["lightgbm", {"name": "lightgbm", "num_leaves": 7}]
    with pytest.raises(RecipeError, match="names `lightgbm` twice"):
        Recipe.from_values({"model": {"candidates": candidates}})
