"""Text on the terminal."""

import pytest

from groundup.cli.console import WIDEST, open_console, print_paragraph, styled


def test_piped_output_has_a_fixed_width(capfd: pytest.CaptureFixture[str]) -> None:
    assert open_console().width == WIDEST


def test_a_paragraph_keeps_its_indent_and_has_no_trailing_blanks(capfd: pytest.CaptureFixture[str]) -> None:
    print_paragraph(open_console(), styled("word " * 40), indent=9, label="Label")
    first, *rest = capfd.readouterr().out.splitlines()
    assert first.startswith("Label    word")
    assert rest
    assert all(line.startswith(" " * 9 + "word") for line in rest)
    assert all(line == line.rstrip() and len(line) <= WIDEST for line in [first, *rest])


def test_styles_and_control_characters() -> None:
    text = styled("a\x1b[1m", ("b", "bold"))
    assert text.plain == "a\\x1b[1mb"
    assert [str(span.style) for span in text.spans] == ["bold"]
