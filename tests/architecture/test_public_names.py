"""The public face: a dozen names, sorted, real."""

import ast
from pathlib import Path

import groundup

SRC = Path(groundup.__file__).parent


def test_public_names_are_sorted_and_real() -> None:
    assert groundup.__all__ == sorted(groundup.__all__, key=str.casefold)
    assert all(hasattr(groundup, name) for name in groundup.__all__)
    assert set(dir(groundup)) == set(groundup.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(groundup, "trian")


def test_type_checkers_and_users_see_the_same_names() -> None:
    tree = ast.parse((SRC / "__init__.py").read_text(encoding="utf-8"))
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    imported = [alias.asname or alias.name for node in block.body for alias in getattr(node, "names", ())]
    assert sorted(imported, key=str.casefold) == groundup.__all__
