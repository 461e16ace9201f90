"""YAML that knows its line numbers when it is read, and its reasons when it is written."""

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import yaml

from groundup.core.errors import RecipeError

Path = tuple[str, ...]


@dataclass(frozen=True)
class YamlDocument:
    """A mapping that was read, and the line (from 1) on which each of its keys stands.

    Parameters
    ----------
    values : mapping
        Plain Python values.
    lines : mapping of key path to int
        ``("training", "seed")`` → 7; empty for values that were not read from a file.
    origin : str
        The file's name, for messages.
    """

    values: Mapping[str, Any]
    lines: Mapping[Path, int]
    origin: str

    def where(self, path: Path) -> str:
        """Return `file:line` of a key, or of the nearest key above it."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.lines:
                return f"{self.origin}:{self.lines[path[:length]]}"
        return self.origin


def read_yaml(text: str, *, origin: str) -> YamlDocument:
    r"""Read a YAML mapping.

    Parameters
    ----------
    text : str
        The file's content.
    origin : str
        Its name, for messages.

    Returns
    -------
    YamlDocument
        Values and line numbers.

    Raises
    ------
    RecipeError
        If it is not YAML, not a mapping, or has a key twice; names the line.

    Examples
    --------
    >>> document = read_yaml("training:\n  seed: 3\n", origin="recipe.yaml")
    >>> document.values, document.where(("training", "seed"))
    ({'training': {'seed': 3}}, 'recipe.yaml:2')
    """
    lines: dict[Path, int] = {}
    try:
        root = yaml.compose(text, Loader=_Loader)
        if root is None:
            return YamlDocument({}, {}, origin)
        if not isinstance(root, yaml.MappingNode):
            line = root.start_mark.line + 1
            raise RecipeError(f"{origin}:{line}: a recipe is made of `section:` keys, such as `data:`.")
        _collect_lines(root, (), lines, origin)
        values = _Loader(text).get_single_data()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{origin}:{mark.line + 1}:{mark.column + 1}" if mark else origin
        hint = " Indent with blanks, not with tabs." if "'\\t'" in (error.problem or "") else ""
        raise RecipeError(
            f"{where}: this is not valid YAML: {error.problem or error.context}.{hint}"
        ) from error
    except (yaml.YAMLError, ValueError) as error:
        raise RecipeError(f"{origin}: this is not valid YAML: {' '.join(str(error).split())}.") from error
    except RecursionError:
        raise RecipeError(f"{origin}: this is nested too deeply, or contains itself (`&`, `*`).") from None
    return YamlDocument(cast("dict[str, Any]", values), lines, origin)


class _Loader(yaml.SafeLoader):
    """Reads keys as they are written: a column may be called `1`, `no` or `2020-01-01`."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                key.tag = "tag:yaml.org,2002:str"
        return super().construct_mapping(node, deep=deep)


def _collect_lines(node: yaml.MappingNode, path: Path, lines: dict[Path, int], origin: str) -> None:
    for key_node, value_node in node.value:
        key, line = str(key_node.value), key_node.start_mark.line + 1
        here = (*path, key)
        if here in lines:
            raise RecipeError(f"{origin}:{line}: the key `{key}` stands twice, first on line {lines[here]}.")
        lines[here] = line
        if isinstance(value_node, yaml.MappingNode):
            _collect_lines(value_node, here, lines, origin)


def read_value(text: str) -> Any:
    """Return a value typed on the command line as YAML would read it.

    Examples
    --------
    >>> read_value("3"), read_value("[a, b]"), read_value("1e-3"), read_value("price")
    (3, ['a', 'b'], 0.001, 'price')
    """
    try:
        value = _Loader(text).get_single_data()
    except yaml.YAMLError:
        return text
    if isinstance(value, str):
        try:
            return float(value)  # YAML 1.1 reads 1e-3 as text
        except ValueError:
            return value
    return value


def write_yaml(values: Mapping[str, Any], *, comments: Mapping[Path, str], header: str = "") -> str:
    """Return `values` as YAML with a comment above each key that has one.

    Parameters
    ----------
    values : mapping
        Nested plain values.
    comments : mapping of key path to str
        Why a value is what it is.
    header : str, default=""
        Comment at the top.

    Examples
    --------
    >>> print(write_yaml({"training": {"seed": 3}}, comments={("training", "seed"): "The one seed."}), end="")
    training:
      # The one seed.
      seed: 3
    """
    lines = [*_comment(header, 0)] if header else []
    for position, (section, value) in enumerate(values.items()):
        if position or header:
            lines.append("")
        _write_entry(lines, (str(section),), value, comments)
    return "\n".join(lines) + "\n"


def _comment(text: str, depth: int) -> list[str]:
    indent = "  " * depth + "# "
    return [
        line
        for paragraph in text.splitlines()
        for line in textwrap.wrap(
            paragraph, 100, initial_indent=indent, subsequent_indent=indent, break_long_words=False
        )
    ]


def _write_entry(lines: list[str], path: Path, value: Any, comments: Mapping[Path, str]) -> None:
    depth = len(path) - 1
    if path in comments:
        lines.extend(_comment(comments[path], depth))
    key = _scalar(path[-1])
    if isinstance(value, Mapping) and value:
        lines.append(f"{'  ' * depth}{key}:")
        for name, inner in value.items():
            _write_entry(lines, (*path, str(name)), inner, comments)
    else:
        lines.append(f"{'  ' * depth}{key}: {_scalar(value)}")


def _scalar(value: Any) -> str:
    if isinstance(value, tuple):
        value = list(value)
    style: dict[str, Any] = {"default_flow_style": True, "allow_unicode": True, "width": 10**9}
    text: str = yaml.safe_dump(value, sort_keys=False, **style).removesuffix("...\n").rstrip("\n")
    if len(text.splitlines()) == 1:
        return text
    # A line break inside a text: quoted, so that it stays on its line.
    quoted: str = yaml.safe_dump(value, sort_keys=False, default_style='"', **style)
    return quoted.rstrip("\n")
