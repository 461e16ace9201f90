"""What starting costs, and who may import whom (the layers themselves are checked by import-linter)."""

import ast
import subprocess
import sys
from collections.abc import Iterator, Mapping

import pytest

HEAVY = (
    "duckdb",
    "jinja2",
    "lightgbm",
    "numpy",
    "pandas",
    "polars",
    "pyarrow",
    "pydantic",
    "rich",
    "scipy",
    "sklearn",
    "torch",
    "vl_convert",
    "yaml",
)
INSIDE_FUNCTIONS_ONLY = {
    "duckdb",
    "jinja2",
    "lightgbm",
    "pandas",
    "pyarrow",
    "rich",
    "scipy",
    "sklearn",
    "torch",
}


@pytest.mark.parametrize(
    "statement",
    [
        "import groundup",
        "import groundup.core.errors, groundup.core.events, groundup.core.findings, groundup.core.runs",
        "from groundup.cli.main import main; main(['--help'])",
        "from groundup.cli.main import main; main(['train', '--help'])",
        "from groundup.cli.main import main; main(['--version'])",
        "from groundup.cli.main import main; main(['trian'])",
        "from groundup.cli.main import main; main(['runs', '--json'])",
    ],
)
def test_starting_loads_nothing_heavy(statement: str) -> None:
    script = f"import sys; {statement}; print(sorted(set({HEAVY!r}) & set(sys.modules)), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.stderr.splitlines()[-1] == "[]", done.stderr


def test_help_imports_no_verb() -> None:
    script = (
        "import sys; from groundup.cli.main import main, VERBS; main(['--help']);"
        "print(sorted(verb for verb in VERBS if f'groundup.cli.{verb}' in sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.stderr.splitlines()[-1] == "[]", done.stderr


def imports_at_import_time(tree: ast.Module) -> Iterator[str]:
    """Yield the modules that are imported when a file is: not inside functions, not for types alone."""
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            waiting += node.orelse
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            waiting += ast.iter_child_nodes(node)


def test_heavy_libraries_are_imported_inside_functions(trees: Mapping[str, ast.Module]) -> None:
    found = {
        f"{path}: {module}"
        for path, tree in trees.items()
        for module in imports_at_import_time(tree)
        if module.split(".")[0] in INSIDE_FUNCTIONS_ONLY
        and path != "sklearn.py"  # whose classes are scikit-learn's; nothing of ours imports it
        and not (module.split(".")[0] == "torch" and path.startswith(("models/networks/", "training/")))
    }
    assert found == set()


def test_a_table_needs_no_torch() -> None:
    """The files that are made of torch are imported inside functions, once there is a network."""
    script = (
        "import sys, groundup.lifecycle, groundup.sklearn, groundup.models.catalogue as c;"
        "[c.make_learner(name) for name in c.LEARNERS]; print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "False", done.stderr


def test_names_are_imported_from_the_module_that_defines_them(trees: Mapping[str, ast.Module]) -> None:
    allowed = {"__version__", "lifecycle"}  # a plain value; a package, not a name of the top level
    found = {
        f"{path}: {alias.name}"
        for path, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "groundup" and node.level == 0
        for alias in node.names
        if alias.name not in allowed
    }
    relative = {path for path, tree in trees.items() for node in ast.walk(tree) if getattr(node, "level", 0)}
    assert (found, relative) == (set(), set())


def test_only_the_networks_and_above_import_torch(trees: Mapping[str, ast.Module]) -> None:
    rooms = (
        "models/networks/",
        "models/network_fitted",
        "training/",
        "tuning/",
        "serving/",
        "scaling/",
        "cli/",
        "lifecycle/",
    )
    found = {path for path, tree in trees.items() if not path.startswith(rooms) and "torch" in imported(tree)}
    assert found == {"models/contract.py"}  # the types of its protocols alone


def imported(tree: ast.Module) -> set[str]:
    """Return the top-level packages that a file imports anywhere."""
    names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return {name.split(".")[0] for name in names}
