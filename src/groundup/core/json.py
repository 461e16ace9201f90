"""What fits in a JSON file, as a type."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias, Union

Json: TypeAlias = Union[bool, int, float, str, "Sequence[Json]", "Mapping[str, Json]", None]
"""A value that `json.dumps(value, allow_nan=False)` accepts."""
