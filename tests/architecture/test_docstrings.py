"""Docstrings say what the signature says; files and functions stay small; names say something."""

import ast
import inspect
import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

import pytest

Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
EMPTY_NAMES = {"utils", "util", "common", "misc", "helpers", "helper", "tools", "stuff"}
ALLOWED_MANY = {
    "core/events.py: EventStream.emit",  # the keys of each event stand in one table beside it
    "core/runs.py: RunFolder.update_summary",  # the fields of one dataclass
    "lifecycle/__init__.py: train",  # the everyday keywords of the front door
    "lifecycle/contexts.py: fit_context",  # the fields of one dataclass, from where they are
    "training/fit.py: fit",  # the front door for people with a module of their own
    "training/network_loop.py: network_loop",  # the fields of one dataclass, which must not be loaded yet
    "training/plan.py: make_plan",  # everything that is decided before the first step
    "training/rounds.py: run_rounds",  # the loop receives everything it touches
}
PLACES = {
    "problems": "Step 1 of 8",
    "data": "Step 2 of 8",
    "preparation": "Step 2 of 8",
    "models": "Step 3 of 8",
    "training": "Steps 4 to 6 of 8",
    "evaluation": "Step 7 of 8",
    "tuning": "Step 7 of 8",
    "serving": "Step 8 of 8",
    "monitoring": "Step 8 of 8",
}


def public_definitions(
    body: list[ast.stmt], prefix: str = ""
) -> Iterator[tuple[str, ast.ClassDef | Function]]:
    """Yield the public classes, functions and methods of a file, with their dotted names."""
    for node in body:
        if isinstance(
            node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
        ) and not node.name.startswith("_"):
            yield f"{prefix}{node.name}", node
            if isinstance(node, ast.ClassDef):
                yield from public_definitions(node.body, f"{node.name}.")


def is_exempt(node: Definition) -> bool:
    """Tell whether a definition only repeats another one: an overload, a property's setter."""
    return any(re.search(r"overload|\.setter", ast.unparse(each)) for each in node.decorator_list)


def section(docstring: str, title: str) -> list[str]:
    """Return the lines of a numpy-style section."""
    lines = inspect.cleandoc(docstring).splitlines()
    for index, line in enumerate(lines[:-1]):
        if line == title and set(lines[index + 1]) == {"-"}:
            rest = lines[index + 2 :]
            ends = [
                at
                for at in range(1, len(rest))
                if rest[at] and set(rest[at]) == {"-"} and rest[at - 1].strip()
            ]
            return rest[: ends[0] - 1] if ends else rest
    return []


def documented_parameters(docstring: str) -> list[str]:
    """Return the names in the section Parameters, in order."""
    heads = [
        line.partition(" :")[0]
        for line in section(docstring, "Parameters")
        if line and not line.startswith(" ")
    ]
    return [name.strip().lstrip("*") for head in heads for name in head.split(",")]


def parameters_of(function: Function) -> list[str]:
    """Return the names of a function's parameters, in order, without self and cls."""
    arguments = function.args
    names = [each.arg for each in [*arguments.posonlyargs, *arguments.args]]
    names += [arguments.vararg.arg] if arguments.vararg else []
    names += [each.arg for each in arguments.kwonlyargs]
    names += [arguments.kwarg.arg] if arguments.kwarg else []
    return [name for name in names if name not in ("self", "cls")]


def parameters_of_class(node: ast.ClassDef) -> list[str]:
    """Return what a class is made from: its `__init__`'s parameters, or its fields."""
    for each in node.body:
        if isinstance(each, ast.FunctionDef) and each.name == "__init__":
            return parameters_of(each)
    return [
        each.target.id
        for each in node.body
        if isinstance(each, ast.AnnAssign)
        and isinstance(each.target, ast.Name)
        and "ClassVar" not in ast.unparse(each.annotation)
        and not (each.value and "init=False" in ast.unparse(each.value))
        and not each.target.id.startswith("_")
    ]


def test_everything_public_has_a_docstring(trees: Mapping[str, ast.Module]) -> None:
    bare = [path for path, tree in trees.items() if not ast.get_docstring(tree)]
    bare += [
        f"{path}: {name}"
        for path, tree in trees.items()
        for name, node in public_definitions(tree.body)
        if not is_exempt(node) and not ast.get_docstring(node)
    ]
    assert bare == []


def test_documented_parameters_are_those_of_the_signature(trees: Mapping[str, ast.Module]) -> None:
    wrong = {}
    for path, tree in trees.items():
        for name, node in public_definitions(tree.body):
            documented = documented_parameters(ast.get_docstring(node) or "")
            real = parameters_of_class(node) if isinstance(node, ast.ClassDef) else parameters_of(node)
            if documented and documented != real:
                wrong[f"{path}: {name}"] = (documented, real)
    assert wrong == {}


def test_every_option_says_what_it_does(trees: Mapping[str, ast.Module]) -> None:
    bare = [
        f"{path}: {node.name}.{ast.unparse(field.target)}"
        for path, tree in trees.items()
        if path.endswith("/options.py")
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        for field, after in zip(node.body, [*node.body[1:], None], strict=True)
        if isinstance(field, ast.AnnAssign)
        and not (isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant))
    ]
    assert bare == []


@pytest.mark.parametrize("package", PLACES)
def test_a_step_says_its_place_first(trees: Mapping[str, ast.Module], package: str) -> None:
    assert (ast.get_docstring(trees[f"{package}/__init__.py"]) or "").startswith(PLACES[package])


def test_files_are_small_and_named_for_their_idea(sources: Mapping[str, str]) -> None:
    long = {path: text.count("\n") for path, text in sources.items() if text.count("\n") > 600}
    empty = [path for path in sources if PurePosixPath(path).stem in EMPTY_NAMES]
    assert (long, empty) == ({}, [])


def code_lines(function: Function, text: list[str]) -> int:
    """Return how many lines of a function are code: no blanks, comments or docstring."""
    doc = function.body[0] if ast.get_docstring(function) else None
    doc_lines = set(range(doc.lineno, (doc.end_lineno or 0) + 1)) if doc else set()
    lines = set(range(function.lineno, (function.end_lineno or 0) + 1)) - doc_lines
    return sum(bool(text[at - 1].strip()) and not text[at - 1].strip().startswith("#") for at in lines)


def test_hardly_any_function_is_long(sources: Mapping[str, str], trees: Mapping[str, ast.Module]) -> None:
    lengths = {
        f"{path}: {node.name}": code_lines(node, sources[path].splitlines())
        for path, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, Function)
    }
    long = {name: length for name, length in lengths.items() if length > 50}
    assert len(long) <= 0.02 * len(lengths), long


def test_public_functions_take_few_parameters(trees: Mapping[str, ast.Module]) -> None:
    """A verb of the terminal takes one parameter a flag, because that is how click calls it."""
    many = {
        f"{path}: {name}": parameters_of(node)
        for path, tree in trees.items()
        for name, node in public_definitions(tree.body)
        if isinstance(node, Function)
        and (len(parameters_of(node)) > 6 or node.args.kwarg)
        and not any("click.command" in ast.unparse(each) for each in node.decorator_list)
    }
    assert set(many) == ALLOWED_MANY, many
