"""The kinds of question and of input; orthogonal to each other."""

from typing import Literal

Task = Literal["classification", "regression"]
"""What is asked for: one of a few classes, or a number."""

InputKind = Literal["table"]
"""What a model sees."""
