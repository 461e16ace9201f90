"""Where words meet the terminal: its width, its colours, and text that cannot steer it."""

from typing import TYPE_CHECKING

from groundup.cli.formats import visible

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

WIDEST = 100
"""Lines longer than this are tiring to read."""


MARGIN = 9
"""Columns that a label on the left takes."""


def open_console() -> "Console":
    """Return a console on standard output: at most 100 columns; colours only where they are wanted."""
    from rich.console import Console

    console = Console(highlight=False, markup=False, emoji=False)
    console.width = min(console.width, WIDEST) if console.is_terminal else WIDEST
    return console


def styled(*parts: str | tuple[str, str]) -> "Text":
    """Return a text of parts, each plain or with a style; control characters are spelled out.

    Examples
    --------
    >>> styled("score ", ("0.87", "bold")).plain
    'score 0.87'
    """
    from rich.text import Text

    text = Text()
    for part in parts:
        words, style = (part, "") if isinstance(part, str) else part
        text.append(visible(words), style)
    return text


def print_paragraph(console: "Console", text: "Text", *, indent: int = 0, label: str = "") -> None:
    """Print `text` wrapped, each line indented by `indent` columns; `label` stands in the first's indent."""
    for line in text.wrap(console, console.width - indent):
        line.rstrip()
        console.print(styled((f"{label:<{indent}}", "bold")).append_text(line), soft_wrap=True)
        label = ""
