"""Plain tables."""

import pytest
from rich.console import Console

from groundup.cli.tables import make_table


def lines_of(width: int, capsys: pytest.CaptureFixture[str]) -> list[str]:
    table = make_table(("name", "why"), [("age", "word " * 12), ("[b]fare[/b]", "a")], wrapped=("why",))
    Console(width=width, markup=False).print(table)
    return capsys.readouterr().out.splitlines()


def test_columns_are_aligned_and_markup_is_text(capsys: pytest.CaptureFixture[str]) -> None:
    lines = lines_of(100, capsys)
    assert lines[0].index("why") == lines[1].index("word") == lines[2].index("a", 14)
    assert "[b]fare[/b]" in lines[2]


def test_a_narrow_terminal_wraps_the_column_that_gives_way(capsys: pytest.CaptureFixture[str]) -> None:
    lines = lines_of(40, capsys)
    assert len(lines) > 3
    assert all(len(line) <= 40 for line in lines)
