"""The recipe's section `tuning`."""

from groundup.core.options import Options


class TuningOptions(Options):
    """How `model: auto` chooses between its candidates."""

    prefer_simpler: bool = True
    """Among candidates within one standard error of the best, take the simplest: the lowest one-row
    latency, then the fewest bytes. `false` takes the best score."""
