"""Write `docs/recipe.md`, the reference of every option, from the options' own descriptions.

Run ``python docs/generate.py``; `tests/docs` fails when the page is stale.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from groundup.core.options import Options
from groundup.core.wording import number
from groundup.data.options import SplitOptions
from groundup.evaluation.options import Costs
from groundup.models.catalogue import LEARNERS, learner_class
from groundup.models.contract import Choice, Learner, Range
from groundup.models.writers import WRITERS, TransformerWriter
from groundup.preparation.options import ColumnPreparation, ImageOptions, TokenOptions
from groundup.recipe import Recipe
from groundup.training.options import EarlyStopping

PAGE = Path(__file__).parent / "recipe.md"

_INTRODUCTION = """\
<!-- Written by `python docs/generate.py` from the options in the code. Do not edit. -->

# The recipe: every option

A recipe is a YAML file with one section per step. Only `data.source` and `problem.target` must be
given (of a text, which has no target, only `data.source`); everything else has the default that stands here.

```yaml
problem:
  target: price
data:
  source: houses.csv
```

- `groundup init houses.csv --target price` writes a recipe with everything that was inferred.
- `groundup train recipe.yaml` takes it; `--set training.seed=3` replaces one value.
- In Python: `groundup.train("houses.csv", "price", overrides={"training.seed": 3})`.
- `groundup schema` prints the JSON Schema of all this, for editors.

`auto` means that the value follows from the data or the learner; the run's own `recipe.yaml` says what
it became and why. A key that does not exist is an error that names the file, the line and the nearest
key. A relative `data.source` is relative to the recipe's folder.
"""

_NESTED: Mapping[str, tuple[tuple[str, type[Options]], ...]] = {
    "data": (("split", SplitOptions),),
    "preparation": (("tokens", TokenOptions), ("images", ImageOptions), ("columns.NAME", ColumnPreparation)),
    "training": (("early_stopping", EarlyStopping),),
    "evaluation": (("cost", Costs),),
}
"""Options that are sections of their own; each gets a table below its section's."""

_BOUNDS = (
    ("minimum", "at least {}"),
    ("exclusiveMinimum", "above {}"),
    ("maximum", "at most {}"),
    ("exclusiveMaximum", "below {}"),
)
_TYPES = {"string": "text", "integer": "whole number", "array": "list", "object": "mapping", "null": "`null`"}


def render() -> str:
    """Return the whole page."""
    parts = [_INTRODUCTION]
    for name, field in Recipe.model_fields.items():
        options: Any = field.annotation
        parts.append(f"## `{name}`\n\n{_plain(field.description)}{_details(options.__doc__)}\n")
        parts.append(_table(name, options.model_json_schema()))
        for nested, nested_options in _NESTED.get(name, ()):
            parts.append(f"### `{name}.{nested}`\n\n{_plain(nested_options.__doc__)}\n")
            parts.append(_table(f"{name}.{nested}", nested_options.model_json_schema()))
        if name == "model":
            parts.extend(_learners())
            parts.extend(_writers())
    return "\n".join(parts)


def _details(docstring: str) -> str:
    """Return what follows a docstring's first paragraph."""
    details = _plain(docstring.partition("\n\n")[2])
    return f" Further keys are the learner's hyperparameters: {details}" if details else ""


def _learners() -> Iterator[str]:
    for name in LEARNERS:
        learner = learner_class(name)
        tasks = " and ".join(learner.tasks)
        yield f"### `model.name: {name}`\n\nFor {tasks}: {learner.title}. {learner.idea}\n"
        schema = learner.model_json_schema()
        yield _table("model", schema, _search(learner)) if schema["properties"] else "No hyperparameters.\n"


def _writers() -> Iterator[str]:
    for name, writer in WRITERS.items():
        tasks = " and ".join(writer.tasks)
        yield f"### `model.name: {name}` for {tasks}\n\n{writer.title}. {writer.idea}\n"
        yield _table("model", writer.model_json_schema(), _search(writer))


def _search(learner: type[Learner] | type[TransformerWriter]) -> dict[str, str]:
    """Return the default search space of each hyperparameter, for people."""
    return {name: _space(space) for name, space in learner().search_space().items()}


def _space(space: Range | Choice) -> str:
    if isinstance(space, Choice):
        return ", ".join(f"`{value}`" for value in space.values)
    return f"{number(space.low)} to {number(space.high)}{' (log)' if space.log else ''}"


def _table(prefix: str, schema: Mapping[str, Any], search: Mapping[str, str] | None = None) -> str:
    head = ["option", "values", "default", *(["search space"] if search else []), "meaning"]
    lines = [head, ["---"] * len(head)]
    for name, field in schema["properties"].items():
        found = schema.get("$defs", {})
        cells = [f"`{prefix}.{name}`", _values(field, found), _default(field)]
        cells += [search.get(name, "")] if search else []
        lines.append([*cells, _plain(field["description"])])
    rows = (" | ".join(cell.replace("|", "\\|") for cell in line) for line in lines)
    return "".join(f"| {row} |\n" for row in rows)


def _values(field: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    """Return what a field's JSON Schema allows, in words."""
    if "$ref" in field:
        named = found[field["$ref"].rsplit("/", 1)[-1]]
        return "section" if "properties" in named else _values(named, found)
    if "anyOf" in field:
        return ", or ".join(dict.fromkeys(_values(each, found) for each in field["anyOf"]))
    if "const" in field:
        return f"`{field['const']}`"
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    bounds = " and ".join(text.format(f"{field[key]:.10g}") for key, text in _BOUNDS if key in field)
    kind = _TYPES.get(field.get("type", ""), field.get("type", "anything"))
    if kind == "boolean":
        return "`true`, `false`"
    if isinstance(field.get("additionalProperties"), dict):
        keys = field.get("x-keys", "column name")
        return f"mapping of {keys} to {_values(field['additionalProperties'], found)}"
    return f"{kind}, {bounds}" if bounds else kind


def _default(field: Mapping[str, Any]) -> str:
    if "default" not in field:
        return "see below" if "$ref" in field or "anyOf" in field else "none"
    value = field["default"]
    if value is None or isinstance(value, bool):
        return f"`{str(value).lower().replace('none', 'null')}`"
    if isinstance(value, list):
        return ", ".join("empty text" if each == "" else f"`{each}`" for each in value) or "none"
    return f"`{value}`" if value != "" else "empty text"


def _plain(text: str | None) -> str:
    """Return a description on one line, in Markdown."""
    return " ".join((text or "").replace("``", "`").split())


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
