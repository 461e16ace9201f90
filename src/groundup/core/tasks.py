"""The kinds of question and of input; orthogonal to each other."""

from typing import Final, Literal

Task = Literal["classification", "regression"]
"""What is asked of rows: one of a few classes, or a number."""

GENERATION: Final[Literal["generation"]] = "generation"
"""What is asked of a text: to write on, token by token (`groundup.lifecycle.writing`)."""

InputKind = Literal["table"]
"""What a model sees."""
