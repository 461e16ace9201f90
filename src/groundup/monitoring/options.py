"""The recipe's section `monitoring`."""

from pydantic import Field

from groundup.core.options import Options


class MonitoringOptions(Options):
    """What is kept of the training part so that drift can be noticed later."""

    bins: int = Field(default=20, ge=2, le=1000)
    """Bins of each number's histogram (equal counts), and the most levels kept per category."""
