"""Which facts of a fit go into its package."""

from collections.abc import Mapping
from typing import Any, Final

_UNSAVED: Final = ("chosen", "chosen_by", "training_options")


def facts_to_save(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts that a package holds: not who chose a value, so that equal models are equal files.

    Examples
    --------
    >>> facts_to_save({"learner": "ridge", "chosen": {"alpha": 1.0}, "chosen_by": "the lowest error"})
    {'learner': 'ridge'}
    """
    return {name: fact for name, fact in facts.items() if name not in _UNSAVED}
