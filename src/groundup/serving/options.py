"""The recipe's section `deployment`."""

from typing import Literal

from groundup.core.options import Options


class DeploymentOptions(Options):
    """How the packaged model treats rows that differ from what it was trained on."""

    missing_columns: Literal["error", "impute"] = "error"
    """A column that is absent at prediction: refuse the rows, or treat its values as missing."""
