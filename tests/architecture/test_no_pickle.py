"""Nothing in the package reads pickle bytes, runs text as code, or prints past the terminal's room."""

import ast
from collections.abc import Mapping

import pytest

FORBIDDEN_MODULES = {"cloudpickle", "dill", "joblib", "marshal", "pickle", "shelve"}
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__"}
FORBIDDEN_LOADERS = {
    "torch.load",
    "joblib.load",
    "pickle.load",
    "pickle.loads",
    "pd.read_pickle",
    "pandas.read_pickle",
}


def violations(tree: ast.Module) -> set[str]:
    """Return what a file does that could execute something it reads."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.split(".")[0] in FORBIDDEN_MODULES}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in FORBIDDEN_MODULES:
            found.add(str(node.module))
        elif isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called in FORBIDDEN_CALLS | FORBIDDEN_LOADERS:
                found.add(called)
            if called in ("yaml.load", "yaml.unsafe_load", "yaml.full_load") and not _is_safe_yaml(node):
                found.add(called)
        elif isinstance(node, ast.keyword) and node.arg == "allow_pickle" and not _is_false(node.value):
            found.add("allow_pickle")
    return found


def _is_false(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is False


def _is_safe_yaml(call: ast.Call) -> bool:
    loaders = [*call.args[1:], *(keyword.value for keyword in call.keywords if keyword.arg == "Loader")]
    return any("Safe" in ast.unparse(loader) for loader in loaders)


def test_nothing_executes_what_it_reads(trees: Mapping[str, ast.Module]) -> None:
    assert {path: found for path, tree in trees.items() if (found := violations(tree))} == {}


@pytest.mark.parametrize(
    "line",
    [
        "import pickle",
        "from joblib import load",
        "torch.load(path)",
        "np.load(path, allow_pickle=True)",
        "eval(text)",
        "exec(text)",
        "yaml.load(text, yaml.Loader)",
    ],
)
def test_the_check_itself_notices(line: str) -> None:
    assert violations(ast.parse(line))


@pytest.mark.parametrize(
    "line",
    [
        "np.load(path, allow_pickle=False)",
        "re.compile('a')",
        "yaml.load(t, Loader=yaml.SafeLoader)",
        "model.eval()",
    ],
)
def test_the_check_itself_lets_pass(line: str) -> None:
    assert not violations(ast.parse(line))


def test_only_the_terminal_prints(trees: Mapping[str, ast.Module]) -> None:
    found = {
        path
        for path, tree in trees.items()
        if not path.startswith("cli/")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "print"
    }
    assert found == set()


def test_everything_is_caught_at_the_door_alone(trees: Mapping[str, ast.Module]) -> None:
    found = {
        path
        for path, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or ast.unparse(node.type) in ("Exception", "BaseException"))
        and ast.unparse(node.body[-1]) != "raise"  # taking note and passing it on catches nothing
    }
    # One thread hands its error to the one that waits for it; a library raises nothing more precise.
    assert found == {"cli/main.py", "training/batches.py", "preparation/vocabulary.py"}
