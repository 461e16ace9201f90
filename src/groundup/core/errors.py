"""Every error that a user can cause, in one tree.

A message says what is wrong, which value (in backticks), and what to do. The terminal prints it as
one paragraph and exits with code 2; nothing below the doors catches it.

::

    GroundupError
    ├── RecipeError            a recipe that cannot be understood
    │   └── UnknownKeyError    … because a key does not exist
    ├── DataError              data that cannot be read or used
    │   └── UnknownColumnError
    ├── ProblemError           a question that these data cannot answer as framed
    ├── SplitError             parts that cannot be made as asked
    ├── UnknownNameError       a learner, metric or sample that does not exist
    ├── MissingExtraError      an optional package that is not installed
    ├── PredictionInputError   rows that do not fit the schema a model was trained with
    ├── NotExplainedError      predictions that cannot be divided among the columns
    ├── PackageError           a model folder that is damaged or not one of ours
    ├── RunError               a run that does not exist, is in use, or cannot go on
    ├── TrainingError          a fit that cannot go on (non-finite values, no memory)
    └── StorageError           a file that cannot be written
"""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches


class GroundupError(Exception):
    """What every error of ours descends from; its text is ready to show to a user."""


def did_you_mean(name: str, available: Iterable[str], *, limit: int = 12) -> str:
    """Return a hint sentence: the nearest name, or the list of what there is.

    Parameters
    ----------
    name : str
        What was asked for.
    available : iterable of str
        What exists.
    limit : int, default=12
        How many names to list when none is near.

    Returns
    -------
    str
        A sentence that starts with a space, or "" when nothing is available.

    Examples
    --------
    >>> did_you_mean("prise", ["price", "rooms"])
    ' Did you mean `price`?'
    >>> did_you_mean("zzz", ["price", "rooms"])
    ' There is: `price`, `rooms`.'
    """
    names = list(available)
    near = get_close_matches(name, names, n=1)
    if not near:
        folded = {each.casefold(): each for each in names}
        near = [folded[key] for key in get_close_matches(name.casefold(), list(folded), n=1)]
    if near:
        return f" Did you mean `{near[0]}`?"
    if not names:
        return ""
    shown = ", ".join(f"`{each}`" for each in names[:limit])
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return f" There is: {shown}{more}."


class RecipeError(GroundupError):
    """A recipe that cannot be understood; the text names file, line and key."""

    def __init__(self, message: str, *, key: str | None = None) -> None:
        self.key = key
        super().__init__(message)


class UnknownKeyError(RecipeError):
    """A recipe holds a key that no step declares."""

    def __init__(self, key: str, available: Sequence[str], *, where: str) -> None:
        self.available = tuple(available)
        super().__init__(f"{where}: there is no option `{key}`.{did_you_mean(key, available)}", key=key)


class DataError(GroundupError):
    """Data that cannot be read or used; the text names file, line, column and value."""


class UnknownColumnError(DataError):
    """A column is named that the data set does not have."""

    def __init__(self, name: str, available: Sequence[str], *, role: str = "column") -> None:
        self.name, self.available = name, tuple(available)
        super().__init__(f"The data set has no {role} `{name}`.{did_you_mean(name, available)}")


class ProblemError(GroundupError):
    """A question that these data cannot answer as framed (an ID as target, a constant target, …)."""


class SplitError(GroundupError):
    """Parts that cannot be made as asked (too few rows, unknown part names, …)."""


class UnknownNameError(GroundupError):
    """A learner, metric or sample is named that does not exist."""

    def __init__(self, what: str, name: str, available: Sequence[str], *, near: str | None = None) -> None:
        self.what, self.name, self.available = what, name, tuple(available)
        hint = f" Did you mean `{near}`?" if near else did_you_mean(name, available)
        super().__init__(f"There is no {what} `{name}`.{hint}")


class MissingExtraError(GroundupError):
    """An optional package is needed and not installed."""

    def __init__(self, package: str, extra: str, *, purpose: str) -> None:
        self.package, self.extra = package, extra
        super().__init__(
            f"{purpose} needs the package `{package}`, which is not installed. "
            f'Run: pip install "groundup[{extra}]"'
        )


class PredictionInputError(GroundupError):
    """Rows that do not fit the schema a model was trained with."""


class NotExplainedError(GroundupError):
    """Predictions that cannot be divided among the columns; the text says why, and what says more."""


class PackageError(GroundupError):
    """A model folder that is damaged, edited by hand, or not one of ours."""


class RunError(GroundupError):
    """A run that does not exist, is in use by another process, or cannot go on."""


class TrainingError(GroundupError):
    """A fit that cannot go on."""


class StorageError(GroundupError):
    """A file or folder that cannot be written."""
