"""What the front door must know when a verb ends badly."""

from dataclasses import dataclass
from pathlib import Path


@dataclass
class Call:
    """One call of `groundup`; verbs note here what the door may have to say.

    Parameters
    ----------
    run_folder : Path or None
        The run that is being trained, once it has started.
    """

    run_folder: Path | None = None
