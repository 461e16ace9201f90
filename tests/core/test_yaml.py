"""YAML with line numbers in, with comments out."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundup.core.errors import RecipeError
from groundup.core.yaml import read_value, read_yaml, write_yaml


def test_lines_are_those_of_the_file() -> None:
    document = read_yaml(
        "# c\nproblem:\n  target: a\n\ndata: {source: x.csv,\n  drop: [b]}\n", origin="r.yaml"
    )
    assert document.where(("problem", "target")) == "r.yaml:3"
    assert document.where(("data", "drop")) == "r.yaml:6"
    assert document.where(("data", "nothing")) == "r.yaml:5"
    assert document.where(("elsewhere",)) == "r.yaml"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1, 2", "r.yaml:1"),
        ("a:\n\tb: 1\n", "r.yaml:2"),
        ("- a\n", "`section:`"),
        ("a: 1\na: 2\n", "stands twice, first on line 1"),
        ("a: !!python/object/apply:os.system ['true']\n", "r.yaml:1"),
    ],
)
def test_what_is_no_recipe_is_refused_with_its_line(text: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        read_yaml(text, origin="r.yaml")


_plain = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text()
)


@settings(deadline=None)
@given(
    st.dictionaries(
        st.text(min_size=1), st.dictionaries(st.text(min_size=1), st.one_of(_plain, st.lists(_plain)))
    )
)
def test_what_is_written_is_read_back(values: dict[str, dict[str, object]]) -> None:
    comments = {(section, key): "why: {a} # b" for section, keys in values.items() for key in keys}
    text = write_yaml(values, comments=comments, header="top")
    assert read_yaml(text, origin="r").values == values


def test_values_from_the_command_line() -> None:
    assert read_value("1e-3") == 0.001
    assert read_value("{1: 2, yes: 3}") == {"1": 2, "yes": 3}
    assert read_value("[") == "["
    assert read_value("2024-01-01x") == "2024-01-01x"
