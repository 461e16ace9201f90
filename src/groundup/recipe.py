"""The recipe: what the user asks for, one section per step, each declared by the step's own package."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, Field, ValidationError

from groundup.core.errors import RecipeError, UnknownKeyError, UnknownNameError, did_you_mean
from groundup.core.options import Options
from groundup.core.tasks import GENERATION
from groundup.core.yaml import YamlDocument, read_value, read_yaml, write_yaml
from groundup.data.options import DataOptions
from groundup.data.source_names import absolute_source
from groundup.evaluation.options import EvaluationOptions
from groundup.models.catalogue import learner_class, learner_names, make_learner
from groundup.models.contract import Learner
from groundup.models.options import ModelOptions
from groundup.models.writers import WRITERS, TransformerWriter, make_writer
from groundup.monitoring.options import MonitoringOptions
from groundup.preparation.options import ColumnPreparation, PreparationOptions
from groundup.problems.options import ProblemOptions
from groundup.serving.options import DeploymentOptions
from groundup.training.options import TrainingOptions
from groundup.tuning.options import TuningOptions

_SPLIT_COLUMNS = ("data.split.group", "data.split.time", "data.split.column")


class Recipe(Options):
    """What a run is asked to do; only `data.source` and `problem.target` must be given.

    Examples
    --------
    >>> recipe = Recipe.from_values({"data": {"source": "houses.csv"}, "problem": {"target": "price"}})
    >>> recipe.training.seed
    0
    >>> recipe.with_overrides({"model.name": "ridge", "model.alpha": 0.5}).model.hyperparameters
    {'alpha': 0.5}
    """

    problem: ProblemOptions = Field(default_factory=ProblemOptions)
    """Step 1, define: what is asked of the data."""
    data: DataOptions = Field(default_factory=DataOptions)
    """Step 2, collect: where the data are, how they are read and split."""
    preparation: PreparationOptions = Field(default_factory=PreparationOptions)
    """Step 2, prepare: how raw columns become model inputs."""
    model: ModelOptions = Field(default_factory=ModelOptions)
    """Step 3, design: which learner, with which hyperparameters."""
    training: TrainingOptions = Field(default_factory=TrainingOptions)
    """Steps 4 to 6, train: seed, threads, when to stop."""
    evaluation: EvaluationOptions = Field(default_factory=EvaluationOptions)
    """Step 7, evaluate: how models are compared and the final one is measured."""
    tuning: TuningOptions = Field(default_factory=TuningOptions)
    """Step 7, tune: how one of several candidates is chosen."""
    deployment: DeploymentOptions = Field(default_factory=DeploymentOptions)
    """Step 8, deploy: how the packaged model treats unusual rows."""
    monitoring: MonitoringOptions = Field(default_factory=MonitoringOptions)
    """Step 8, monitor: what is kept to notice drift later."""

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> Self:
        """Return the recipe of nested plain values.

        Raises
        ------
        RecipeError
            If a key or value is not allowed; names the key, what came, and what is allowed.
        """
        return cls._from_document(YamlDocument(values, {}, "recipe"))

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Return the recipe in a YAML file; relative paths in it are relative to the file's folder.

        Raises
        ------
        RecipeError
            If the file cannot be read or understood; names file and line.
        """
        path = Path(path)
        try:
            text = path.read_text(encoding="utf-8-sig")
        except FileNotFoundError:
            near = did_you_mean(path.name, [each.name for each in path.parent.glob("*.y*ml")])
            raise RecipeError(f"There is no recipe `{path}`.{near}") from None
        except OSError as error:
            raise RecipeError(f"Cannot read the recipe `{path}`: {error.strerror}.") from error
        except UnicodeDecodeError as error:
            raise RecipeError(
                f"Cannot read the recipe `{path}`: byte {error.start} is not UTF-8. Save it as UTF-8 text."
            ) from error
        return cls._from_document(read_yaml(text, origin=str(path))).with_full_paths(path.parent)

    def with_full_paths(self, folder: Path) -> Self:
        """Return the recipe with the full paths of the files it names, relative ones being in `folder`."""
        changes = {
            path: full
            for path, value in (("data.source", self.data.source), ("data.population", self.data.population))
            if isinstance(value, str | tuple) and (full := absolute_source(value, folder)) != value
        }
        return self.with_values(changes) if changes else self

    @classmethod
    def _from_document(cls, document: YamlDocument) -> Self:
        # A section of which every line is commented out says nothing.
        values = {key: value for key, value in document.values.items() if value is not None}
        try:
            recipe = cls.model_validate(values)
        except ValidationError as error:
            raise _explain(error, document) from error
        try:
            _ = recipe.writer() if recipe.is_generation else recipe.learners()
        except RecipeError as error:
            raise RecipeError(f"{document.where(('model', error.key or 'candidates'))}: {error}") from error
        except UnknownNameError as error:
            if not document.lines:
                raise
            raise RecipeError(f"{document.where(('model', 'name'))}: {error}") from error
        return recipe

    def with_overrides(self, overrides: Mapping[str, Any]) -> Self:
        """Return the recipe with some values replaced.

        Parameters
        ----------
        overrides : mapping of str to value
            Dotted path → value. Text is read as YAML: ``{"training.seed": "3"}``. Another
            `model.name` drops the hyperparameters of the one before.

        Raises
        ------
        RecipeError
            If a path or value is not allowed.
        """
        typed = {
            key: read_value(value) if isinstance(value, str) else value for key, value in overrides.items()
        }
        return self.with_values(typed)

    def with_values(self, changes: Mapping[str, Any]) -> Self:
        """Return the recipe with some values replaced by others as they are (text stays text).

        Parameters
        ----------
        changes : mapping of str to value
            Dotted path → value.

        Raises
        ------
        RecipeError
            If a path or value is not allowed.
        """
        values = self.asked()
        if "data.split.method" not in changes and any(changes.get(path) for path in _SPLIT_COLUMNS):
            # Naming the column says how to split, whatever the recipe said before.
            changes = {"data.split.method": "auto", **changes}
        for path, value in changes.items():
            *sections, key = _split_path(path)
            place = values
            for section in sections:
                place = place.setdefault(section, {})
                if not isinstance(place, dict):
                    raise RecipeError(f"`{path}` cannot be set: `{section}` is a value, not a section.")
            if path == "model.name" and place.get("name") != value:
                place.clear()
            place[key] = value
        return self._from_document(YamlDocument(values, {}, "--set"))

    def asked(self) -> dict[str, Any]:
        """Return the values that differ from the defaults."""
        return self.model_dump(mode="json", exclude_unset=True)

    def learners(self) -> dict[str, Learner]:
        """Return the learners that the section `model` names, by name; empty for `auto` alone.

        Raises
        ------
        RecipeError
            If a hyperparameter does not exist or is out of range.
        UnknownNameError
            If a learner does not exist.
        """
        if self.model.name != "auto":
            return {self.model.name: make_learner(self.model.name, self.model.hyperparameters)}
        if self.model.hyperparameters:
            key = next(iter(self.model.hyperparameters))
            raise UnknownKeyError(key, ["name", "candidates"], where="section `model` (name: auto)")
        chosen = {}
        for candidate in self.model.candidates:
            entry = {"name": candidate} if isinstance(candidate, str) else dict(candidate)
            name = entry.pop("name", None)
            if not isinstance(name, str):
                raise RecipeError(f"A candidate needs a `name`; got `{candidate}`.")
            if name in chosen:
                raise RecipeError(f"`model.candidates` names `{name}` twice; each learner stands once.")
            chosen[name] = make_learner(name, entry)
        return chosen

    @property
    def is_generation(self) -> bool:
        """Whether a text is to be learned from, and written on."""
        return self.problem.task == GENERATION

    def writer(self) -> TransformerWriter:
        """Return the learner that the section `model` names for the task `generation`.

        Raises
        ------
        RecipeError
            If several are named, or a hyperparameter does not exist or is out of range.
        UnknownNameError
            If there is no such learner.
        """
        if self.model.candidates:
            raise RecipeError(
                "`model.candidates` are compared by cross-validation, which texts have none of. Name one "
                "with `model.name`.",
                key="candidates",
            )
        return make_writer(self.model.name, self.model.hyperparameters)

    def to_yaml(self, *, reasons: Mapping[str, str], header: str = "", with_help: bool = False) -> str:
        """Return every option as YAML.

        Parameters
        ----------
        reasons : mapping of str to str
            Dotted path → why the value is what it is; written as a comment.
        header : str, default=""
            Comment at the top.
        with_help : bool, default=False
            Also write what each option means.
        """
        comments = dict(_descriptions(type(self), ())) if with_help else {}
        for path, reason in reasons.items():
            key = _split_path(path)
            comments[key] = f"{comments[key]}\n→ {reason}" if key in comments else reason
        values = self.model_dump(mode="json")
        # An exception says only what it sets.
        values["preparation"]["columns"] = {
            name: column.model_dump(mode="json", exclude_none=True)
            for name, column in self.preparation.columns.items()
        }
        return write_yaml(values, comments=comments, header=header)


def _split_path(path: str) -> tuple[str, ...]:
    """Split a dotted path; a column's name after `data.columns.` or `preparation.columns.` may hold dots."""
    if path.startswith("data.columns."):
        return ("data", "columns", path.removeprefix("data.columns."))
    if not path.startswith("preparation.columns."):
        return tuple(path.split("."))
    name, _, last = path.removeprefix("preparation.columns.").rpartition(".")
    if name and last in ColumnPreparation.model_fields:
        return ("preparation", "columns", name, last)
    return ("preparation", "columns", path.removeprefix("preparation.columns."))


def _descriptions(model: type[BaseModel], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    for name, field in model.model_fields.items():
        if field.description:
            yield (*path, name), " ".join(field.description.split())
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _descriptions(field.annotation, (*path, name))


def recipe_schema() -> dict[str, Any]:
    """Return the recipe's JSON Schema for editors, with every learner's hyperparameters.

    Examples
    --------
    >>> sorted(recipe_schema()["properties"])[:3]
    ['data', 'deployment', 'evaluation']
    """
    schema = Recipe.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "groundup recipe"
    definitions = schema["$defs"]
    base = definitions["ModelOptions"]
    auto = {
        **base,
        "properties": {**base["properties"], "name": {"const": "auto"}},
        "additionalProperties": False,
    }
    choices = [auto]
    for name in learner_names():
        choices.append(_choice(name, learner_class(name).model_json_schema(), definitions))
    for name, writer in WRITERS.items():
        choices.append(_choice(name, writer.model_json_schema(), definitions))
    definitions["ModelOptions"] = {"description": base["description"], "anyOf": choices}
    return schema


def _choice(name: str, learner: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """Return a learner's own schema as one of the values of the section `model`."""
    definitions.update(learner.pop("$defs", {}))
    properties = {"name": {"const": name}, **learner["properties"]}
    return {**learner, "title": name, "properties": properties, "required": ["name"]}


def _explain(error: ValidationError, document: YamlDocument) -> RecipeError:
    """Return the first problem pydantic found, in our words, with file and line."""
    problem = error.errors()[0]
    path = tuple(str(part) for part in problem["loc"])
    where = document.where(path)
    if problem["type"] == "extra_forbidden":
        where = f"{where} (`{'.'.join(path)}`)"
        homes = [name for name in Recipe.model_fields if path[-1] in _keys_at((name,))]
        if len(path) == 1 and homes:
            return RecipeError(
                f"{where}: there is no section `{path[-1]}`. Did you mean `{homes[0]}.{path[-1]}`?"
            )
        return UnknownKeyError(path[-1], _keys_at(path[:-1]), where=where)
    # Where a field may be one of several types, pydantic puts the type it tried at the end of the path.
    types, kinds = {"int", "float", "str", "bool"}, ("literal[", "constrained-", "dict[", "tuple[")
    dotted = ".".join(part for part in path if part not in types and not part.startswith(kinds))
    message = problem["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
    message = _PLAIN_WORDS.get(problem["type"], message.partition(", unable to parse")[0])
    value = "null" if problem["input"] is None else problem["input"]
    return RecipeError(f"{where}: `{dotted}` is `{value}`; it should be {message}.")


_PLAIN_WORDS = {
    "model_type": "a section of options, one a line",
    "dict_type": "a section of options, one a line",
    "tuple_type": "a list, such as [a, b]",
}
"""What pydantic calls after Python's types, in the words of a recipe."""


def _keys_at(path: tuple[str, ...]) -> list[str]:
    """Return the option names of the section at `path`."""
    model: type[BaseModel] = Recipe
    for part in path:
        field = model.model_fields.get(part)
        candidates = [] if field is None else _models_in(field.annotation)
        if not candidates:
            break
        model = candidates[0]
    return list(model.model_fields)


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for inner in getattr(annotation, "__args__", ()) for model in _models_in(inner)]
