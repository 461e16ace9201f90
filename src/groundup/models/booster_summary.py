"""The sizes of a booster's model, as its file says them once it has been checked."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ModelSummary:
    """What a model says about itself.

    Parameters
    ----------
    n_features : int
        Features a row must have.
    n_outputs : int
        Values predicted for a row: 1, or one a class.
    n_trees : int
        Trees, all outputs together.
    """

    n_features: int
    n_outputs: int
    n_trees: int
