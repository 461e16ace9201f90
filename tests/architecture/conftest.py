"""Every source file, parsed once."""

import ast
from collections.abc import Mapping
from pathlib import Path

import pytest

import groundup

SRC = Path(groundup.__file__).parent


@pytest.fixture(scope="session")
def sources() -> Mapping[str, str]:
    """Return the text of every file of the package, by its path inside it."""
    return {
        str(path.relative_to(SRC)): path.read_text(encoding="utf-8") for path in sorted(SRC.rglob("*.py"))
    }


@pytest.fixture(scope="session")
def trees(sources: Mapping[str, str]) -> Mapping[str, ast.Module]:
    """Return the syntax tree of every file of the package, by its path inside it."""
    return {path: ast.parse(text) for path, text in sources.items()}
